"""Functions and their upvalues, each stored and looked at from every side."""

from __future__ import annotations

import pytest

from tests.persistence.ways import Place

UPVALUES = [
    # lua_load makes the globals the first upvalue, whatever it was.
    ("local a = 5 Memory.f = function() return a end", "5"),
    ("local a = 5 Memory.f = function() return a, type(print) end", '5, "function"'),
    ("local a = 5 Memory.f = function() local p = print return type(p), a end", '"function", 5'),
    ("Memory.f = function() return _ENV == _G end", "true"),
    ("local _ENV <const> = _G Memory.f = function() return _ENV == _G end", "true"),
    ("local _ENV = { Memory = Memory } Memory.f = function() return x end x = 7", "7"),
    ("Memory.f = load('return ...', '=f', 't', nil)", ""),
    ("Memory.f = load('return x', '=f', 't', { x = 3 })", "3"),
    ("Memory.f = load('return 3', '=f', 't', 'a string for an environment')", "3"),
    ("local a Memory.f = function() return a end", "nil"),
    ("local a <const>, b <const> = 1, 'b' Memory.f = function() return a, b end", '1, "b"'),
    ("local G = _G Memory.f = function() return G == _G, G.Memory == Memory end", "true, true"),
    ("local M = Memory M.f = function() return M == Memory, M.f == Memory.f end", "true, true"),
    ("Memory.f = function() return end", ""),
    ("Memory.f = function(...) local a, b = ... return b, a, select('#', ...) end", "nil, nil, 0"),
    ("Memory.f = coroutine.wrap", None),
]


@pytest.mark.parametrize(("program", "expected"), UPVALUES)
def test_what_a_function_finds_in_its_upvalues(
    place: Place, program: str, expected: str | None
) -> None:
    if expected is None:
        place.check(program, "Memory.f == coroutine.wrap", "true", "true")
    else:
        place.check(program, "Memory.f()", expected, expected)


def test_255_upvalues(place: Place) -> None:
    """As many as there can be. Locals are fewer, so two functions stand around the third."""
    outer = [f"a{number}" for number in range(130)]
    inner = [f"b{number}" for number in range(125)]
    use = " + ".join((*outer, *inner))
    place.check(
        f"local {', '.join(outer)} = {', '.join(map(str, range(130)))} "
        "local function between() "
        f"local {', '.join(inner)} = {', '.join(map(str, range(125)))} "
        f"return function() a0 = a0 + 1 b124 = b124 + 1 return {use} end end Memory.f = between()",
        "Memory.f(), debug.getinfo(Memory.f, 'u').nups",
        f"{sum(range(130)) + sum(range(125)) + 2}, 255",
        f"{sum(range(130)) + sum(range(125)) + 4}, 255",
    )


def test_1000_functions_share_a_cell(place: Place) -> None:
    """Stored one by one, in two evaluations, and loaded one by one."""
    place.run("local n = 0 function Memory.make() return function() n = n + 1 return n end end")
    place.move()
    place.run("Memory.fs = {} for i = 1, 500 do Memory.fs[i] = Memory.make() end")
    place.move()
    place.run("for i = 501, 1000 do Memory.fs[i] = Memory.make() end")
    count = 0
    for _ in range(3):
        place.move()
        count += 4
        look = "Memory.fs[1000]() Memory.fs[1]() Memory.fs[500]() return Memory.make()()"
        assert place.run(look) == (count,)


def test_upvalue_addresses_are_used_again(place: Place) -> None:
    """Cells are not mixed up when one upvalue is made where another one was."""
    place.check(
        """
        Memory.kept = {}
        for i = 1, 2000 do
          local n = i
          local f = function() n = n + 0 return n end
          Memory.f = f
          if i % 50 == 0 then
            Memory.kept[#Memory.kept + 1] = f
            f = nil
            collectgarbage()
          end
        end
        """,
        "local s = {} for i, f in ipairs(Memory.kept) do assert(f() == i * 50) s[i] = f end "
        "return #s, Memory.f()",
        "40, 2000",
        "40, 2000",
    )


def test_upvalues_that_are_written_by_others(place: Place) -> None:
    """By a function that is not stored, by a coroutine, and by the debug library."""
    place.run(
        """
        local n, co = 0
        function Memory.get() return n end
        local function up(by) n = n + by end
        up(1)
        co = coroutine.wrap(function() for i = 1, 3 do up(10) coroutine.yield() end end)
        co() co()
        """
    )
    place.move()
    assert place.run("Memory.get()") == (21,)
    place.run("debug.setupvalue(Memory.get, 1, 'set') Memory.again = Memory.get")
    place.move()
    assert place.run("Memory.get(), Memory.again()") == ("set", "set")


def test_an_upvalue_of_a_function_that_is_dropped_after_it_was_called(place: Place) -> None:
    """What it left there is not lost with it: another one has the same upvalue."""
    place.run(
        """
        local n = 0
        Memory.a = { up = function() n = n + 1 end }
        Memory.b = { get = function() return n end }
        Memory.much = {}
        for i = 1, 1000 do Memory.much[i] = { i } end
        """
    )
    place.move()
    place.run("Memory.a.up()")
    place.run("Memory.a.up() Memory.a = nil collectgarbage() collectgarbage()")
    place.move()
    assert place.run("Memory.b.get()") == (2,)


def test_an_upvalue_shared_with_a_function_that_is_not_stored(place: Place) -> None:
    """The stored one may leave the VM in between, and find the shared upvalue again."""
    place.run("local n = 0 function Memory.get() return n end function up() n = n + 1 end")
    place.run("for i = 1, 1000 do Memory[i] = { i } end")
    for count in range(1, 4):
        place.run("ext.collect() collectgarbage() up() ext.collect() collectgarbage()")
        assert place.run("Memory.get()") == (count,)


def test_rolled_back_with_its_upvalues(place: Place) -> None:
    place.run(
        "local n = 0 function Memory.up() n = n + 1 Memory.calls = (Memory.calls or 0) + 1 "
        "return n end"
    )
    place.move()
    assert not place.evaluate("Memory.up() Memory.up() error('no')").ok
    assert place.run("pcall(ext.transaction, function() Memory.up() error('no') end)")[0] is False
    place.move()
    assert place.run("Memory.up(), Memory.calls") == (1, 1)


# Function values that are not as they were stored would show in what these return.
def test_functions_that_define_functions(place: Place) -> None:
    place.run(
        """
        function Memory.level(n)
          local own = n
          return function()
            own = own + 1
            if n == 0 then return own end
            return Memory.level(n - 1), own
          end
        end
        Memory.f = Memory.level(10)
        """
    )
    place.move()
    place.run("for i = 1, 10 do Memory.f = (Memory.f()) end")
    place.move()
    assert place.run("Memory.f(), Memory.f()") == (1, 2)


def test_200_kb_of_code_with_functions_inside(place: Place) -> None:
    """One of them is stored by itself as well; it is the same code, in another place."""
    inner = "\n".join(
        f"t[{n}] = function(x) return ('%d {n}'):rep({n % 3 + 1}):format(x, x, x), x + {n} end"
        for n in range(2000)
    )
    place.run(f"function Memory.f()\nlocal t = {{}}\n{inner}\nreturn t\nend")
    (size,) = [function.size_bytes for function in place.session.functions()]
    assert size > 200_000
    place.move()
    place.run("Memory.inner = Memory.f()[1999]")
    place.move()
    assert place.run("Memory.inner(1), Memory.f()[1000](2)") == (
        "1 19991 1999",
        "2 10002 1000",
        1002,
    )
    assert place.run("select(2, Memory.inner(1))") == (2000,)
