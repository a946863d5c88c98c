"""Two sessions on one file, turn by turn: each sees what the other has committed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.persistence.evaluating import evaluated, persistence_problem, value
from tests.persistence.states import damage, seen, seen_afresh


@pytest.fixture
def two(path: Path) -> Iterator[tuple[Session, Session]]:
    with Session.open(path) as first, Session.open(path) as second:
        yield first, second


def test_what_the_other_writes_is_seen(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(a, "Memory.n, Memory.t, Memory.list = 1, { x = 1, y = { z = 1 } }, { 1, 2, 3 }")
    evaluated(a, "t, list = Memory.t, Memory.list inner = t.y")
    look = "return Memory.n, t.x, t.y and t.y.z, t.new, #list, list[4], inner.z"
    assert evaluated(a, look) == (1, 1, 1, None, 3, None, 1)
    evaluated(b, "Memory.n = 2 Memory.t.x = nil Memory.t.y.z = 2 Memory.t.new = 'new'")
    assert evaluated(a, look) == (2, None, 2, "new", 3, None, 2)
    evaluated(b, "table.insert(Memory.list, 4)")
    assert evaluated(a, look) == (2, None, 2, "new", 4, 4, 2)
    evaluated(b, "table.remove(Memory.list, 1) Memory.t.y = nil")
    assert evaluated(a, look) == (2, None, None, "new", 3, None, 2)
    evaluated(a, "inner.z = 3 Memory.t.y = inner")
    assert value(b, "Memory.t.y.z") == 3
    counted = "local n = 0 for _ in pairs(Memory.t) do n = n + 1 end return n"
    assert value(a, counted) == value(b, counted) == 2
    evaluated(b, "for key in pairs(Memory.t) do Memory.t[key] = nil end")
    assert value(a, counted) == 0
    assert value(a, "next(t)") is None


def test_identity_survives_what_the_other_writes(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(a, "Memory.a = { n = 1 } Memory.b = Memory.a Memory.f = function() return 1 end")
    evaluated(a, "t, f = Memory.a, Memory.f")
    evaluated(
        b, "assert(Memory.a == Memory.b) Memory.a.n = 2 Memory.c = Memory.a Memory.g = Memory.f"
    )
    assert evaluated(a, "return t == Memory.c, Memory.b == t, f == Memory.g, t.n") == (
        True,
        True,
        True,
        2,
    )


def test_live_functions_have_the_cells_that_the_other_wrote(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(
        a,
        "local n, t, f = 1, { v = 1 }, function() return 1 end "
        "function Memory.get() return n, t.v, f() end "
        "function Memory.set(a, b, c) n, t, f = a, b, c end",
    )
    evaluated(a, "get, set = Memory.get, Memory.set")
    assert evaluated(a, "return get()") == (1, 1, 1)
    evaluated(b, "Memory.set(2, { v = 2 }, function() return 2 end)")
    assert evaluated(a, "return get()") == (2, 2, 2)
    evaluated(a, "set(3, { v = 3 }, function() return 3 end)")
    assert evaluated(b, "return Memory.get()") == (3, 3, 3)
    evaluated(b, "local n = 4 Memory.set(n, { v = n }, function() n = n + 1 return n end)")
    assert evaluated(a, "return get()") == (4, 4, 5)
    assert evaluated(b, "return Memory.get()") == (4, 4, 6)
    assert evaluated(a, "return Memory.get()") == (4, 4, 7)


def test_metatables_that_the_other_changes(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(a, "Memory.t = setmetatable({}, { __index = { kind = 'first' } })")
    evaluated(a, "t = Memory.t")
    assert value(a, "t.kind") == "first"
    evaluated(b, "getmetatable(Memory.t).__index = { kind = 'second' }")
    assert value(a, "t.kind") == "second"
    evaluated(b, "setmetatable(Memory.t, { __call = function() return 'called' end })")
    assert evaluated(a, "return t.kind, t()") == (None, "called")
    evaluated(b, "setmetatable(Memory.t, nil)")
    assert evaluated(a, "return getmetatable(t), pcall(t)")[:2] == (None, False)
    evaluated(b, "setmetatable(Memory, { __index = function(_, key) return key .. '?' end })")
    assert evaluated(a, "return Memory.unknown, t == Memory.t") == ("unknown?", True)


def test_names_that_the_other_makes_and_drops(two: tuple[Session, Session]) -> None:
    a, b = two
    names = "local all = {} for _, t in ipairs(ext.tables()) do all[#all + 1] = t.name end "
    names += "return table.concat(all, ' ')"
    evaluated(a, "users = ext.table('users') users.ann = 1")
    assert value(b, names) == "Memory users"
    evaluated(b, "ext.drop('users') ext.table('jobs').first = 1")
    assert value(a, names) == "Memory jobs"
    # What the program holds of the dropped table is no named table any more.
    assert evaluated(a, "return ext.table('users') == users, ext.table('users').ann") == (
        False,
        None,
    )
    assert value(a, "users.ann") == 1
    evaluated(a, "ext.table('users').ann = 2")
    assert value(b, "ext.table('users').ann") == 2
    evaluated(a, "ext.drop('jobs')")
    evaluated(b, "ext.table('jobs').second = 2")
    assert evaluated(a, "return ext.table('jobs').first, ext.table('jobs').second") == (None, 2)


def test_what_the_other_has_collected_is_refused(path: Path, two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(
        a,
        "local n = 0 Memory.t = { 1 } Memory.f = function() n = n + 1 return n end "
        "held, f, other = Memory.t, Memory.f, function() return n end",
    )
    evaluated(a, "Memory.t, Memory.f = nil")
    b.forget_history()
    assert value(b, "ext.collect().tables") == 1
    assert value(a, "f()") == 1
    for store in (
        "Memory.t = held",
        "Memory.f = f",
        "Memory.new = { deep = { held } }",
        "Memory.new = { [held] = 1 }",
        "Memory.new = setmetatable({}, held)",
        "Memory.new = function() return held end",
    ):
        message = persistence_problem(a.evaluate(f"local held, f = held, f {store}"))
        assert "is no longer in" in message
    # This function is new, and its upvalue is there with it, as it is now.
    evaluated(a, "Memory.other = other")
    assert value(b, "Memory.other()") == 1
    assert damage(path) == []
    evaluated(a, "Memory.t = { table.unpack(held) }")
    assert seen(a) == seen(b) == seen_afresh(path)


def test_both_go_on_from_one_image_with_ids_of_their_own(path: Path) -> None:
    with Session.open(path) as session:
        evaluated(session, "Memory.list = { {} } global = 7")
    with Session.open(path) as a, Session.open(path) as b:
        assert a.resumed
        assert b.resumed
        evaluated(a, "Memory.a = { name = 'a' } Memory.list[2] = function() return 'a' end")
        evaluated(b, "Memory.b = { name = 'b' } Memory.list[3] = function() return 'b' end")
        assert evaluated(a, "return Memory.a.name, Memory.b.name, global") == ("a", "b", 7)
        assert evaluated(b, "return Memory.list[2](), Memory.list[3]()") == ("a", "b")
        assert value(a, "Memory.a == Memory.b") is False
        assert damage(path) == []
        assert seen(a) == seen(b) == seen_afresh(path)


def test_an_image_is_not_resumed_when_the_other_has_written_since(path: Path) -> None:
    with Session.open(path) as b:
        with Session.open(path) as a:
            evaluated(a, "Memory.n = 1 global = 1")
        evaluated(b, "Memory.n = 2")
        with Session.open(path) as a:
            assert not a.resumed
            assert "the data have changed" in a.started
            assert evaluated(a, "return Memory.n, global") == (2, None)
