"""Persisted functions: code, names, lines, and upvalues that functions share, after restarts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.helpers import problem
from tests.session.persistent import Restarted

BOTH = pytest.mark.parametrize("resume", [True, False], ids=["with image", "without"])

# What is done; what is found when it is looked at twice: upvalues change.
PROGRAMS = {
    "a counter": (
        "local n = 0 function Memory.hit() n = n + 1 return n end",
        "Memory.hit()",
        ["1", "2", "3"],
    ),
    "two that share a cell": (
        """
        local n = 0
        function Memory.up() n = n + 1 return n end
        function Memory.get() return n end
        """,
        "Memory.up() - Memory.get(), Memory.get()",
        ["0, 1", "0, 2", "0, 3"],
    ),
    "a factory": (
        """
        local function factory(name)
          local calls = 0
          return function() calls = calls + 1 return name .. calls end
        end
        Memory.a, Memory.b = factory("a"), factory("b")
        Memory.a()
        """,
        "Memory.a(), Memory.b()",
        ['"a2", "b1"', '"a3", "b2"', '"a4", "b3"'],
    ),
    "a stored factory": (
        "function Memory.factory(name) return function() return 'Hello, ' .. name end end",
        "Memory.factory('Ann')()",
        ['"Hello, Ann"'] * 3,
    ),
    "recursion by a local": (
        """
        local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
        Memory.fib = fib
        """,
        "Memory.fib(15)",
        ["610"] * 3,
    ),
    "mutual recursion": (
        """
        local even, odd
        function even(n) if n == 0 then return true end return odd(n - 1) end
        function odd(n) if n == 0 then return false end return even(n - 1) end
        Memory.even = even
        """,
        "Memory.even(10), Memory.even(7)",
        ["true, false"] * 3,
    ),
    "an upvalue that is a table": (
        "local seen = {} function Memory.see(x) seen[#seen + 1] = x return #seen end",
        "Memory.see('x')",
        ["1", "2", "3"],
    ),
    "an upvalue that is stored as well": (
        "local t = { 1 } Memory.t = t function Memory.add() t[#t + 1] = 0 return #Memory.t end",
        "Memory.add()",
        ["2", "3", "4"],
    ),
    "an upvalue that is itself": (
        "local f function f(n) return n == 0 and f or f(n - 1) end Memory.f = f",
        "Memory.f(3) == Memory.f",
        ["true"] * 3,
    ),
    "an upvalue that is nil": (
        "local x function Memory.set() local before = x x = (x or 0) + 1 return before end",
        "Memory.set()",
        ["nil", "1", "2"],
    ),
    "an upvalue that changes its type": (
        (
            "local x = 1 function Memory.next() "
            "x = ({ number = 'a', string = { 1 }, table = print, "
            "['function'] = false, boolean = 1 })[type(x)] return type(x) end"
        ),
        "Memory.next()",
        ['"string"', '"table"', '"function"'],
    ),
    "library functions as upvalues": (
        (
            "local format, insert = string.format, table.insert "
            "function Memory.f() local t = {} insert(t, format('%05d', 42)) return t[1] end"
        ),
        "Memory.f()",
        ['"00042"'] * 3,
    ),
    "globals": (
        "g = nil function Memory.f() g = (g or 0) + 1 return g, type(print) end",
        "select(2, Memory.f())",
        ['"function"'] * 3,
    ),
    "an environment of its own": (
        "local _ENV = { x = 1 } function f() x = x + 1 return x end _G = f",
        "1",
        ["1"] * 3,
    ),
    "a stored environment": (
        """
        local env = { n = 0, Memory = Memory }
        local make = load("function Memory.f() n = n + 1 return n end", "=made", "t", env)
        make()
        """,
        "Memory.f()",
        ["1", "2", "3"],
    ),
    "varargs": (
        "function Memory.f(...) return select('#', ...), ... end",
        "Memory.f(nil, 2, nil)",
        ["3, nil, 2, nil"] * 3,
    ),
    "many constants": (
        "function Memory.f() return 1, 2.5, 'text', 1 << 60, -0.0, true, nil, 'a b', 1e300 end",
        "Memory.f()",
        ['1, 2.5, "text", 1152921504606846976, -0.0, true, nil, "a b", 1e+300'] * 3,
    ),
    "inside tables": (
        "Memory.lib = { deep = { f = function() return 'deep' end }, function() return 1 end }",
        "Memory.lib.deep.f(), Memory.lib[1]()",
        ['"deep", 1'] * 3,
    ),
    "the same function twice": (
        "local function f() end Memory.a, Memory.b = f, { f }",
        "Memory.a == Memory.b[1]",
        ["true"] * 3,
    ),
    "loaded from text": (
        "Memory.f = load('local a = ... return a, 2')",
        "Memory.f(1)",
        ["1, 2"] * 3,
    ),
    "ten closures deep": (
        """
        local function nest(depth)
          local own = depth
          if depth == 0 then return function() own = own + 1 return own end end
          local inner = nest(depth - 1)
          return function() own = own + 1 return own + inner() end
        end
        Memory.f = nest(10)
        """,
        "Memory.f()",
        ["66", "77", "88"],
    ),
    "a thousand that share one cell": (
        """
        local n = 0
        Memory.fs = {}
        for i = 1, 1000 do Memory.fs[i] = function() n = n + i return n end end
        """,
        "Memory.fs[1](), Memory.fs[1000](), Memory.fs[500]()",
        ["1, 1001, 1501", "1502, 2502, 3002", "3003, 4003, 4503"],
    ),
    "loop variables": (
        "Memory.fs = {} for i = 1, 3 do Memory.fs[i] = function() i = i * 2 return i end end",
        "Memory.fs[1](), Memory.fs[3]()",
        ["2, 6", "4, 12", "8, 24"],
    ),
    "goto, close and attributes": (
        """
        local c <const> = 7
        function Memory.f()
          local log = {}
          do local x <close> = setmetatable({}, { __close = function() log[1] = c end }) end
          for i = 1, 3 do
            if i == 2 then goto continue end
            log[#log + 1] = i
            ::continue::
          end
          return table.concat(log, " ")
        end
        """,
        "Memory.f()",
        ['"7 1 3"'] * 3,
    ),
}


@BOTH
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_goes_on(stored: Restarted, name: str, resume: bool) -> None:
    program, look, expected = PROGRAMS[name]
    stored.run(program)
    found = [stored.text(look)]
    for _ in range(2):
        stored.again(resume=resume)
        found.append(stored.text(look))
    assert found == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_the_same_without_restarts(stored: Restarted, name: str) -> None:
    program, look, expected = PROGRAMS[name]
    stored.run(program)
    assert [stored.text(look) for _ in expected] == expected


def test_cells_shared_by_functions_of_different_evaluations(stored: Restarted) -> None:
    stored.run("local n = 0 function Memory.up() n = n + 1 end function get() return n end")
    stored.again(resume=True)
    stored.run("Memory.get = get")
    stored.run("Memory.up()")
    for resume in (True, False):
        stored.again(resume=resume)
        stored.run("Memory.up()")
    assert stored.run("Memory.get()") == (3,)


def test_a_cell_joined_later(stored: Restarted) -> None:
    stored.run(
        "local a, b = 1, 2 function Memory.a() return a end function Memory.b() return b end"
    )
    stored.run("debug.upvaluejoin(Memory.a, 1, Memory.b, 1)")
    stored.run("debug.setupvalue(Memory.b, 1, 3)")
    stored.again(resume=False)
    assert stored.run("Memory.a(), Memory.b()") == (3, 3)
    assert stored.run("debug.upvalueid(Memory.a, 1) == debug.upvalueid(Memory.b, 1)") == (True,)


@BOTH
def test_names_lines_and_source_of_a_restored_function(stored: Restarted, resume: bool) -> None:
    stored.evaluate(
        "\nfunction Memory.area(shape)\n  return shape.w * shape.h\nend", name="shapes.lua", line=10
    )
    stored.again(resume=resume)
    found = problem(stored.evaluate("local a = Memory.area({ w = 2 })", name="main.lua"))
    assert (found.chunk, found.line) == ("shapes.lua", 13)
    assert found.message == "attempt to perform arithmetic on a nil value (field 'h')"
    assert [(frame.chunk, frame.line) for frame in found.traceback] == [
        ("shapes.lua", 13),
        ("main.lua", 1),
    ]
    assert stored.run(
        "local i = debug.getinfo(Memory.area, 'SLun') return i.linedefined, i.lastlinedefined, "
        "i.short_src, i.nparams, debug.getlocal(Memory.area, 1)"
    ) == (12, 14, "shapes.lua", 1, "shape")


def test_code_is_stored_once(stored: Restarted) -> None:
    stored.run("Memory.fs = {} for i = 1, 50 do Memory.fs[i] = function() return i end end")
    stored.run("for i = 51, 100 do Memory.fs[i] = function() return i end end")
    sizes = stored.session.sizes()
    assert (sizes.functions, sizes.codes) == (100, 2)
    stored.again(resume=False)
    stored.run("Memory.more = Memory.fs[1]")
    assert stored.session.sizes().codes == 2


def test_a_large_function(stored: Restarted) -> None:
    """More than 200 KB of bytecode, which passes in pieces."""
    lines = "\n".join(f"t[{number}] = 'number {number} is {number * 7}'" for number in range(6000))
    stored.run(f"function Memory.large()\nlocal t = {{}}\n{lines}\nreturn #t, t[5999]\nend")
    (function,) = stored.session.functions()
    assert function.size_bytes > 200_000
    for resume in (True, False):
        stored.again(resume=resume)
        assert stored.run("Memory.large()") == (5999, "number 5999 is 41993")


def test_a_function_with_255_upvalues(stored: Restarted) -> None:
    names = [f"u{number}" for number in range(190)]
    declared = " ".join(f"local {name} = {number}" for number, name in enumerate(names))
    stored.run(f"{declared} function Memory.sum() return {' + '.join(names)} end")
    stored.again(resume=False)
    assert stored.run("Memory.sum()") == (sum(range(190)),)


def test_permanents_of_the_program(stored: Restarted) -> None:
    """A value registered by name is found by that name in the next session."""
    register = "vec = vec or { add = function(a, b) return a + b end } ext.permanent('vec', vec)"
    stored.run(f"{register} Memory.v = vec Memory.use = function() return vec.add(1, 2) end")
    stored.again(resume=False)
    stored.run(register)
    assert stored.run("Memory.v == vec, Memory.use()") == (True, 3)


def test_binary_chunks_that_are_not_ours_are_refused(stored: Restarted) -> None:
    loaded, message = stored.run("load((string.dump(function() return 1, 2, 3 end)))")
    assert loaded is None
    assert isinstance(message, str)
    assert "cannot load the binary chunk" in message


def test_a_function_of_a_module(stored: Restarted, tmp_path: Path) -> None:
    (tmp_path / "shapes.lua").write_text(
        "local M = {}\nfunction M.area(w, h)\n  return w * h\nend\nreturn M\n", encoding="utf-8"
    )
    stored.settings["folders"] = [tmp_path]
    stored.again(resume=False)
    stored.run("Memory.shapes = require('shapes')")
    (tmp_path / "shapes.lua").unlink()
    stored.again(resume=False)
    assert stored.run("Memory.shapes.area(6, 7)") == (42,)
    (function,) = stored.session.functions()
    assert (function.location, function.text) == (
        "shapes.lua:2",
        "function M.area(w, h)\n  return w * h\nend",
    )
