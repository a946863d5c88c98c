"""Stored functions, seen from Python: listed, called, refused and compiled again."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import SessionError, StoreError, WireError
from lua_ls_persist.model import Preview, Upvalue
from lua_ls_persist.session import Session
from tests.session.helpers import problem, value
from tests.session.library import SETUP, filled
from tests.session.persistent import Restarted

__all__ = ["filled"]

# Functions


def test_functions(filled: Session) -> None:
    filled.evaluate("Memory.calculate(1, 2)")
    functions = {function.path: function for function in filled.functions()}
    assert set(functions) == {
        "Memory.calculate",
        "Memory.lib.deep.fail",
        "Memory.echo",
        "getmetatable(Memory.callable).__call",
    }
    calculate = functions["Memory.calculate"]
    assert (calculate.name, calculate.signature) == ("calculate", "x, y, ...")
    assert (calculate.parameters, calculate.is_vararg) == (("x", "y"), True)
    assert (calculate.location, calculate.line, calculate.last_line) == ("lib.lua:13", 13, 17)
    assert calculate.text.startswith("function Memory.calculate(x, y, ...)\n  calls = calls + 1\n")
    assert calculate.text.endswith("\nend")
    assert calculate.size_bytes > 50
    assert calculate.problem == ""
    calls, seen = calculate.upvalues
    assert calls == Upvalue("calls", 1)
    assert isinstance(seen.value, Preview)
    assert (seen.name, seen.value.text) == ("seen", '{"first", {1, 2}}')
    fail = functions["Memory.lib.deep.fail"]
    assert (fail.name, fail.signature, fail.line) == ("fail", "message", 18)
    assert fail.upvalues[0].name == "_ENV"


def test_functions_whose_source_is_text(session: Session) -> None:
    session.evaluate("Memory.f = load('local a = ...\\nreturn function(b) return a + b end')(1)")
    (function,) = session.functions()
    assert function.chunk == '[string "local a = ......"]'
    assert (function.line, function.text) == (2, "return function(b) return a + b end")


def test_no_functions(session: Session) -> None:
    session.evaluate("Memory.f = print function g() end")
    assert session.functions() == []


# Calls


def test_call(filled: Session) -> None:
    result = filled.call("Memory.calculate", 3, 4)
    assert (result.ok, result.values, result.text) == (True, (112,), "112")
    assert filled.call("Memory.echo", None, [1, {"a": b"\xff"}], None).text == (
        'nil, {1, {a = "\\xFF"}}, nil'
    )
    assert filled.call(["Memory", "echo"]).values == ()
    assert filled.call("Memory.callable", 5).values == (5,)
    assert filled.submit_call("Memory.calculate", 1, 1).result(10).values == (101,)
    assert value(filled, "select(2, debug.getupvalue(Memory.calculate, 1))") == 2


def test_a_call_is_an_evaluation(filled: Session) -> None:
    filled.evaluate("function Memory.bad() Memory.x = 1 error('no') end")
    filled.evaluate("function Memory.loop() while true do end end")
    assert problem(filled.call("Memory.bad")).message == "no"
    assert value(filled, "Memory.x") is None
    assert problem(filled.call("Memory.loop", time_limit_s=0.05)).kind == "timeout"
    printed: list[str] = []
    filled.evaluate("function Memory.say(...) print(...) end")
    result = filled.call("Memory.say", "hi", 1, on_output=lambda piece: printed.append(piece.text))
    assert (result.output_text, "".join(printed)) == ("hi\t1\n", "hi\t1\n")


def test_the_traceback_of_a_call(filled: Session) -> None:
    found = problem(filled.call("Memory.lib.deep.fail", "planned"))
    assert (found.message, found.chunk, found.line) == ("planned", "lib.lua", 19)
    assert [(frame.chunk, frame.line, frame.function) for frame in found.traceback] == [
        ("[C]", None, "function 'error'"),
        ("lib.lua", 19, "function 'Memory.lib.deep.fail'"),
    ]


@pytest.mark.parametrize(
    ("called", "message"),
    [
        ("Memory.none", "Memory.none is nil, not a function"),
        ("Memory.none.x.y", "Memory.none.x.y is nil, not a function"),
        ("Memory.lib", "Memory.lib is a table, not a function"),
        ("none", "none is nil, not a function"),
        ("none.f", "none.f is nil, not a function"),
    ],
)
def test_a_call_of_no_function(filled: Session, called: str, message: str) -> None:
    found = problem(filled.call(called))
    assert (found.kind, found.message, found.chunk) == ("runtime", message, "")
    assert [table.name for table in filled.tables()] == ["Memory"], "no table was made"


@pytest.mark.parametrize(
    "hiding",
    [
        "Memory = {}",
        "Memory, ext, error, select, type, getmetatable = nil",
        "setmetatable(_G, { __index = function(_, name) rawequal(1, error(name)) end }) ext = nil",
    ],
)
def test_a_call_needs_nothing_of_the_programs_globals(filled: Session, hiding: str) -> None:
    assert filled.evaluate(hiding).ok
    assert filled.call("Memory.calculate", 3, 4).values == (112,)
    assert problem(filled.call("Memory.none")).message == "Memory.none is nil, not a function"


def test_the_place_of_an_error_is_never_that_of_the_call(session: Session) -> None:
    session.evaluate("function Memory.blame() error('you', 2) end Memory.assert = assert")
    found = problem(session.call("Memory.blame"))
    assert (found.message, found.chunk, found.line) == ("you", "(eval)", 1)
    found = problem(session.call("Memory.assert", False, "me"))
    assert (found.message, found.chunk) == ("me", "")


def test_arguments_of_a_call_that_make_no_sense(filled: Session) -> None:
    with pytest.raises(SessionError, match="is no path"):
        filled.call("not a path")
    with pytest.raises(WireError):
        filled.call("Memory.echo", 2**64)
    with pytest.raises(SessionError, match="time_limit_s"):
        filled.call("Memory.echo", time_limit_s=0)


# Code that is refused


def altered(path: Path) -> None:
    """Change a byte in each piece of bytecode, as somebody with the file could."""
    connection = apsw.Connection(str(path))
    for code_id, code in connection.execute("SELECT id, bytecode FROM code").fetchall():
        assert isinstance(code, bytes)
        changed = code[:-1] + bytes((code[-1] ^ 1,))
        connection.execute("UPDATE code SET bytecode = ? WHERE id = ?", (changed, code_id))
    connection.close()


def test_altered_code_is_refused_and_compiled_again(stored: Restarted) -> None:
    stored.evaluate(SETUP, name="lib.lua", line=10)
    stored.run("Memory.calculate(1, 1)")
    stored.session.close()
    altered(stored.path)
    stored.session = session = Session.open(stored.path, resume=False)
    found = problem(session.call("Memory.calculate", 3, 4))
    assert "lib.lua:13 was not signed by you, or was altered" in found.message
    assert stored.run("type(Memory.calculate), Memory.lib.deep.fail ~= nil") == ("function", True)
    functions = {function.path: function for function in session.functions()}
    assert functions["Memory.calculate"].problem == "its code was not signed by you, or was altered"
    session.recompile("Memory.calculate")
    assert session.call("Memory.calculate", 3, 4).values == (112,)
    (calls, _) = next(
        function for function in session.functions() if function.name == "calculate"
    ).upvalues
    assert calls.value == 2, "the cells are the same"
    assert session.call("Memory.lib.deep.fail", "x").ok is False
    stored.again(resume=False)
    assert stored.session.call("Memory.calculate", 3, 4).values == (112,)


def test_recompiling_every_kind_of_function(stored: Restarted) -> None:
    source = """
    local up = 1
    function Memory.a(x) return x + up end
    Memory.t = { b = function(...) local function inner() return up end return inner, ... end }
    Memory.inner = Memory.t.b()
    Memory.c = load("local y = 5 return function() y = y + 1 return y end")()
    Memory.d = load("return 7")
    return (function(z) Memory.e = function() return z, up end end)(9)
    """
    look = "Memory.a(1), Memory.inner(), Memory.c(), Memory.d(), select('#', Memory.t.b(1, 2))"
    stored.evaluate(source, name="all.lua", line=3)
    stored.evaluate("(function() Memory.f = function() return 'f' end end)()")
    assert stored.run(look) == (2, 1, 6, 7, 3)
    stored.session.close()
    altered(stored.path)
    stored.session = Session.open(stored.path, resume=False)
    for function in stored.session.functions():
        assert function.problem, function.path
        stored.session.recompile(function.path)
    assert [function.problem for function in stored.session.functions() if function.problem] == []
    assert stored.run(look) == (2, 1, 7, 7, 3)
    assert stored.run("Memory.e()") == (9, 1)
    assert stored.run("Memory.f()") == ("f",)
    assert stored.session.integrity() == []


def test_what_cannot_be_compiled_again(stored: Restarted) -> None:
    stored.run("function Memory.f(a) return a end")
    with pytest.raises(SessionError, match=r"there is no stored function Memory\.g"):
        stored.session.recompile("Memory.g")
    stored.session.close()
    connection = apsw.Connection(str(stored.path))
    for text, message in {
        "'function Memory.f(b) return b, b end function g() end'": "",
        "'function Memory.f() end'": "defines another function",
        "'local x = 1'": "fewer functions than it had",
        "'this is not Lua'": "cannot be compiled",
        "NULL": "is not stored",
    }.items():
        connection.execute(f"UPDATE sources SET text = {text}, compressed = 0")
        with Session.open(stored.path, resume=False) as session:
            if message:
                with pytest.raises(StoreError, match=message):
                    session.recompile("Memory.f")
            else:
                session.recompile("Memory.f")
    connection.close()
