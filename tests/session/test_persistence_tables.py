"""External tables: adopted in place, of any shape, changed at any depth, there after restarts."""

from __future__ import annotations

import pytest

from lua_ls_persist.session import Session
from tests.session.helpers import problem, value
from tests.session.persistent import Restarted

BOTH = pytest.mark.parametrize("resume", [True, False], ids=["with image", "without"])

# What is done, and what is found afterwards, in the same session and after restarts.
PROGRAMS = {
    "nested writes": (
        "Memory.users = {} Memory.users.ann = { name = 'Ann', age = 41 } Memory.users.ann.age = 42",
        "Memory.users.ann.name, Memory.users.ann.age",
        '"Ann", 42',
    ),
    "a table adopted as it is": (
        "local t = { 1 } Memory.t = t assert(Memory.t == t) t[2] = 2 t.sub = { x = 1 } t.sub.x = 2",
        "#Memory.t, Memory.t[2], Memory.t.sub.x",
        "2, 2, 2",
    ),
    "one table in two places": (
        "local t = {} Memory.a, Memory.b = { t }, { x = t } t.y = 1",
        "Memory.a[1] == Memory.b.x, Memory.a[1].y",
        "true, 1",
    ),
    "a table inside itself": (
        "local t = {} t.t, t[t] = t, t Memory.t = t",
        "Memory.t == Memory.t.t, Memory.t[Memory.t] == Memory.t, rawlen(Memory.t)",
        "true, true, 0",
    ),
    "a cycle of two": (
        "local a, b = {}, {} a.b, b.a = b, a Memory.a = a",
        "Memory.a.b.a == Memory.a",
        "true",
    ),
    "tables as keys": (
        "local k = { 'key' } Memory.t = { [k] = 'value' } Memory.k = k",
        "Memory.t[Memory.k], next(Memory.t)[1]",
        '"value", "key"',
    ),
    "functions as keys": (
        "local function f() return 'f' end Memory.t = { [f] = 1, [print] = 2 } Memory.f = f",
        "Memory.t[Memory.f], Memory.t[print]",
        "1, 2",
    ),
    "a root inside a root": (
        (
            "ext.table('users').ann = 1 Memory.users = ext.table('users') "
            "ext.table('users').all = Memory"
        ),
        "Memory.users == ext.table('users'), ext.table('users').all == Memory, Memory.users.ann",
        "true, true, 1",
    ),
    "deletion": (
        "Memory.t = { a = 1, b = 2, c = 3 } Memory.t.b = nil Memory.u = {} Memory.u = nil",
        "Memory.t.a, Memory.t.b, Memory.t.c, Memory.u",
        "1, nil, 3, nil",
    ),
    "deleted and set again": (
        "Memory.x = 1 Memory.x = nil Memory.x = { 2 } Memory.x = 3",
        "Memory.x",
        "3",
    ),
    "a list": (
        (
            "Memory.list = {} for i = 1, 300 do Memory.list[i] = i * i end "
            "table.remove(Memory.list, 1) table.insert(Memory.list, 3, 'three')"
        ),
        "#Memory.list, Memory.list[1], Memory.list[3], Memory.list[300], Memory.list[301]",
        '300, 4, "three", 90000, nil',
    ),
    "a list with a hole": (
        "Memory.list = { 1, 2, nil, 4 } Memory.list[10] = 10",
        "Memory.list[4], Memory.list[10], Memory.list[3]",
        "4, 10, nil",
    ),
    "sorting": (
        "Memory.list = { 3, 1, 2 } table.sort(Memory.list, function(a, b) return a > b end)",
        "table.concat(Memory.list, ' '), select('#', table.unpack(Memory.list))",
        '"3 2 1", 3',
    ),
    "raw access": (
        (
            "Memory.t = setmetatable({}, { __newindex = function() error('no') end }) "
            "rawset(Memory.t, 'x', 1)"
        ),
        "rawget(Memory.t, 'x'), rawlen({ 1 }), rawequal(Memory.t, Memory.t)",
        "1, 1, true",
    ),
    "going through": (
        (
            "Memory.t = {} for i = 1, 1000 do Memory.t['k' .. i] = i end "
            "for k, v in pairs(Memory.t) do if v % 2 == 0 then Memory.t[k] = nil "
            "else Memory.t[k] = v * 10 end end"
        ),
        (
            "(function() local n, sum = 0, 0 for k, v in pairs(Memory.t) do "
            "n, sum = n + 1, sum + v end return n .. ' ' .. sum end)()"
        ),
        '"500 2500000"',
    ),
    "next by hand": (
        "Memory.t = { a = 1, b = 2 }",
        (
            "(function() local n, k = 0, nil repeat k = next(Memory.t, k) n = n + 1 until k == nil "
            "return n end)(), next({})"
        ),
        "3, nil",
    ),
    "ipairs": (
        "Memory.t = { 'a', 'b', nil, 'd' }",
        (
            "(function() local s = '' for i, v in ipairs(Memory.t) do s = s .. i .. v end return s "
            "end)()"
        ),
        '"1a2b"',
    ),
    "an anonymous external table": (
        "local t = ext.table() t.x = 1 Memory.t = t t.y = 2",
        "Memory.t.x + Memory.t.y",
        "3",
    ),
    "an empty table": ("Memory.t = {} Memory.u = { {} }", "next(Memory.t), #Memory.u[1]", "nil, 0"),
    "10,000 levels deep": (
        "local t = {} Memory.deep = t for i = 1, 10000 do t.t = {} t = t.t end t.bottom = 'here'",
        (
            "(function() local t, n = Memory.deep, 0 while t.t do t, n = t.t, n + 1 end "
            "return n .. t.bottom end)()"
        ),
        '"10000here"',
    ),
    "built 10,000 levels deep": (
        "local t = { bottom = 'here' } for i = 1, 10000 do t = { t = t } end Memory.deep = t",
        (
            "(function() local t, n = Memory.deep, 0 while t.t do t, n = t.t, n + 1 end "
            "return n .. t.bottom end)()"
        ),
        '"10000here"',
    ),
}
METATABLES = {
    "__index, a table": (
        "Memory.o = setmetatable({}, { __index = { x = 1 } })",
        "Memory.o.x, Memory.o.y",
        "1, nil",
    ),
    "__index, a function": (
        "Memory.o = setmetatable({}, { __index = function(_, k) return k .. '!' end })",
        "Memory.o.x",
        '"x!"',
    ),
    "__newindex": (
        (
            "Memory.o = setmetatable({}, { __newindex = "
            "function(t, k, v) rawset(t, k, v * 2) end }) Memory.o.x = 2"
        ),
        "Memory.o.x",
        "4",
    ),
    "__call": (
        "Memory.o = setmetatable({}, { __call = function(_, a, b) return a + b end })",
        "Memory.o(1, 2)",
        "3",
    ),
    "operators": (
        (
            "local mt = {} mt.__add = function(a, b) return a.v + b.v end "
            "mt.__eq = function(a, b) return a.v == b.v end "
            "mt.__lt = function(a, b) return a.v < b.v end "
            "mt.__concat = function(a, b) return a.v .. '-' .. b.v end "
            "mt.__len = function(a) return a.v end mt.__unm = function(a) return -a.v end "
            "Memory.a, Memory.b = setmetatable({ v = 1 }, mt), setmetatable({ v = 2 }, mt)"
        ),
        (
            "Memory.a + Memory.b, Memory.a == Memory.b, Memory.a < Memory.b, Memory.a .. Memory.b, "
            "#Memory.b, -Memory.a"
        ),
        '3, false, true, "1-2", 2, -1',
    ),
    "__tostring and __name": (
        "Memory.o = setmetatable({}, { __tostring = function() return 'me' end, __name = 'Me' })",
        "tostring(Memory.o), getmetatable(Memory.o).__name",
        '"me", "Me"',
    ),
    "__pairs": (
        "Memory.o = setmetatable({}, { __pairs = function(t) return next, { a = 1 }, nil end })",
        "(function() for k, v in pairs(Memory.o) do return k, v end end)()",
        '"a", 1',
    ),
    "__close": (
        (
            "Memory.o = setmetatable({}, { __close = function() Memory.closed = true end }) "
            "do local c <close> = Memory.o end"
        ),
        "Memory.closed",
        "true",
    ),
    "__metatable": (
        "Memory.o = setmetatable({}, { __metatable = 'locked' })",
        "getmetatable(Memory.o), pcall(setmetatable, Memory.o, {})",
        '"locked", false, "cannot change a protected metatable"',
    ),
    "a shared metatable": (
        (
            "local mt = { __index = { hi = 'hi' } } Memory.a, Memory.b = setmetatable({}, mt), "
            "setmetatable({}, mt)"
        ),
        "getmetatable(Memory.a) == getmetatable(Memory.b), Memory.b.hi",
        'true, "hi"',
    ),
    "a class": (
        (
            "Memory.Point = {} Memory.Point.__index = Memory.Point "
            "function Memory.Point.new(x) return setmetatable({ x = x }, Memory.Point) end "
            "function Memory.Point:double() return self.x * 2 end Memory.p = Memory.Point.new(21)"
        ),
        "Memory.p:double(), getmetatable(Memory.p) == Memory.Point, Memory.Point.new(4):double()",
        "42, true, 8",
    ),
    "a metatable that is its own": (
        "local t = {} t.__index = t t.x = 1 Memory.t = setmetatable(t, t)",
        "getmetatable(Memory.t) == Memory.t, Memory.t.x",
        "true, 1",
    ),
    "set later and removed": (
        (
            "Memory.a, Memory.b = {}, setmetatable({}, { __index = { x = 1 } }) "
            "setmetatable(Memory.a, { __index = { y = 2 } }) setmetatable(Memory.b, nil)"
        ),
        "Memory.a.y, Memory.b.x, getmetatable(Memory.b)",
        "2, nil, nil",
    ),
    "changed later": (
        (
            "local mt = {} Memory.o = setmetatable({}, mt) mt.__index = { x = 1 } "
            "getmetatable(Memory.o).__call = function() return 'called' end"
        ),
        "Memory.o.x, Memory.o()",
        '1, "called"',
    ),
    "Memory's own": (
        "setmetatable(Memory, { __index = function(_, k) return 'no ' .. k end }) Memory.x = 1",
        "Memory.x, Memory.y",
        '1, "no y"',
    ),
}


@BOTH
@pytest.mark.parametrize("name", [*PROGRAMS, *METATABLES])
def test_it_is_there(stored: Restarted, name: str, resume: bool) -> None:
    program, look, expected = (PROGRAMS | METATABLES)[name]
    stored.run(program)
    assert stored.text(look) == expected
    for _ in range(2):
        stored.again(resume=resume)
        assert stored.text(look) == expected


def test_in_memory_all_is_the_same(session: Session) -> None:
    for name, (program, look, expected) in (PROGRAMS | METATABLES).items():
        with Session.open() as fresh:
            assert fresh.evaluate(program).ok, name
            assert fresh.evaluate(look).text == expected, name


def test_writes_of_several_evaluations(stored: Restarted) -> None:
    stored.run("Memory.log = {}")
    for number in range(10):
        stored.run(f"Memory.log[#Memory.log + 1] = {number}")
        stored.again(resume=number % 2 == 0)
    assert stored.run("table.concat(Memory.log, ' ')") == ("0 1 2 3 4 5 6 7 8 9",)


def test_a_global_that_holds_an_external_table(stored: Restarted) -> None:
    stored.run("Memory.t = { x = 1 } t = Memory.t")
    stored.again(resume=True)
    stored.run("t.x = 2")
    assert stored.run("Memory.t.x, t == Memory.t") == (2, True)
    stored.again(resume=False)
    assert stored.run("Memory.t.x, t") == (2, None)


def test_a_weak_mode_means_nothing_for_what_is_stored(stored: Restarted) -> None:
    stored.run("Memory.t = setmetatable({ {} }, { __mode = 'v' }) collectgarbage()")
    stored.again(resume=False)
    stored.run("collectgarbage()")
    assert stored.run("#Memory.t") == (1,)


# What cannot be stored.

REFUSED = {
    "coroutine.create(print)": "cannot persist a coroutine",
    "coroutine.wrap(print)": "cannot persist",
    "setmetatable({}, { __gc = 1 }) and coroutine.running()": "cannot persist a coroutine",
}
PLACES = {
    "Memory.x = {}": "Memory.x",
    "Memory.x = {{ a = {{ b = {{ {} }} }} }}": "Memory.x.a.b[1]",
    "Memory.x = {{ ['a b'] = {} }}": 'Memory.x["a b"]',
    "Memory.x = {{ [1.5] = {} }}": "Memory.x[1.5]",
    "local c = {} Memory.x = function() return c end": "Memory.x",
    "ext.table('users').ann = {{ {} }}": "users.ann[1]",
    "Memory.x = setmetatable({{}}, {{ __index = {} }})": "Memory.x",
    "local t = Memory.t t.sub = {}": "Memory.t.sub",
}


@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize("place", PLACES)
def test_what_cannot_be_stored_is_refused_where_it_is_assigned(
    session: Session, place: str, refused: str
) -> None:
    session.evaluate("Memory.before, Memory.t = 1, {}")
    source = f"\n\n{place.format(refused)}"
    found = problem(session.evaluate(source, name="demo.lua"))
    assert (found.kind, found.chunk, found.line) == ("runtime", "demo.lua", 3)
    assert PLACES[place] in found.message
    assert REFUSED[refused] in found.message


def test_nothing_of_a_refused_assignment_is_stored(stored: Restarted) -> None:
    stored.run("Memory.t = { old = 1 }")
    result = stored.run(
        "local bad = { good = 1, { coroutine.create(print) } }\n"
        "return pcall(function() Memory.t.new = bad end), rawget(Memory.t, 'new'), "
        "getmetatable(bad), bad.good"
    )
    assert result[0] is False
    assert result[-3:] == (None, None, 1)
    stored.again(resume=False)
    assert stored.text("Memory.t") == "{old = 1}"


def test_an_upvalue_that_cannot_be_stored_fails_at_the_end(stored: Restarted) -> None:
    stored.run("local c function Memory.set(v) c = v end function Memory.get() return c end")
    stored.run("Memory.set(1)")
    found = problem(stored.evaluate("Memory.set(coroutine.create(print))"))
    assert found.kind == "persistence"
    assert "cannot persist a coroutine" in found.message
    assert stored.run("Memory.get()") == (1,)
    stored.again(resume=False)
    assert stored.run("Memory.get()") == (1,)


def test_nan_is_no_key(session: Session) -> None:
    assert "index is NaN" in problem(session.evaluate("Memory[0/0] = 1")).message
    assert "index is nil" in problem(session.evaluate("Memory[nil] = 1")).message
    assert value(session, "Memory[0/0]") is None


# Looking at what there is.


def test_ext_tables_and_info(stored: Restarted) -> None:
    stored.run("ext.table('b').x = 1 ext.table('a') Memory.x, Memory.y = 1, 2")
    for _ in range(2):
        look = (
            "local s = {} for _, t in ipairs(ext.tables()) do s[#s + 1] = t.name .. t.entries end"
        )
        assert stored.run(f"{look} return table.concat(s, ' ')") == ("Memory2 a0 b1",)
        assert stored.run("ext.info('b').entries, ext.info('c')") == (1, None)
        stored.again(resume=False)


def test_ext_drop(stored: Restarted) -> None:
    stored.run("ext.table('a').x = 1 ext.table('b').x = 1 Memory.b = ext.table('b')")
    assert stored.run("ext.drop('a'), ext.drop('a'), ext.drop('b')") == (True, False, True)
    stored.again(resume=False)
    assert stored.run("ext.table('a').x, ext.table('b').x, Memory.b.x") == (None, None, 1)
    assert "Memory cannot be dropped" in problem(stored.evaluate("ext.drop('Memory')")).message


def test_ext_collect(stored: Restarted) -> None:
    stored.run("Memory.t = {} for i = 1, 100 do Memory.t[i] = { {} } end")
    stored.run("Memory.t = nil")
    assert stored.run("return ext.collect().tables") == (0,)  # it could be undone
    stored.session.forget_history()
    assert stored.run("local c = ext.collect() return c.tables, c.functions") == (201, 0)
    stored.run("held = ext.table() held.x = { 1 }")
    assert stored.run("ext.collect().tables, held.x[1]") == (0, 1)
    assert stored.session.integrity() == []


def test_a_preview_of_an_external_table(stored: Restarted) -> None:
    stored.run("Memory.t = { 1, { x = 'y' }, f = print }")
    for _ in range(2):
        assert stored.text("Memory.t") == '{1, {x = "y"}, f = <built-in function>}'
        stored.again(resume=False)


def test_completion_sees_external_tables(stored: Restarted) -> None:
    stored.run("Memory.users = { ann = 1, bob = {} }")
    for resume in (True, False):
        stored.again(resume=resume)
        stored.run("Memory.users.ann")
        names = [(field.name, field.type) for field in stored.session.fields(["Memory", "users"])]
        assert names == [("ann", "number"), ("bob", "table")]


# More than fits.


def test_more_than_the_memory_of_the_vm(stored: Restarted) -> None:
    """Filled, counted, changed and emptied under the profile of 2 MiB."""
    stored.settings["memory_limit_bytes"] = 2 * 1024 * 1024
    stored.again(resume=False)
    count = 60_000
    stored.run(f"local t = {{}} Memory.t = t for i = 1, {count} do t[i] = 'value number ' .. i end")
    look = "local n, s = 0, 0 for k, v in pairs(Memory.t) do n, s = n + 1, s + k end return n, s"
    assert stored.run(look) == (count, count * (count + 1) // 2)
    stored.again(resume=False)
    assert stored.run("#Memory.t, Memory.t[1], Memory.t[60000]") == (
        count,
        "value number 1",
        "value number 60000",
    )
    stored.run("for k in pairs(Memory.t) do if k % 3 ~= 0 then Memory.t[k] = nil end end")
    stored.run("for k, v in pairs(Memory.t) do Memory.t[k] = #v end")
    assert stored.run(look)[0] == count // 3
    assert stored.session.integrity() == []
