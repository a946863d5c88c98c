"""What the history has of evaluations, and what programs hear of it."""

from __future__ import annotations

import pytest

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.session import Session
from tests.session.history.evaluating import newest, run

# What is recorded


def test_evaluations_that_change_something_are_recorded(session: Session) -> None:
    run(session, "Memory.users = { ann = { age = 41 } }")
    run(session, "return Memory.users.ann.age")
    run(session, "x = 1")
    assert not session.evaluate("Memory.bad = 1 error('no')").ok
    run(session, "Memory.users.ann.age = 42 Memory.users.bob = { age = 25 }")
    second, first = session.history()
    assert (first.name, first.source) == ("test.lua", "Memory.users = { ann = { age = 41 } }")
    assert first.source_bytes == len(first.source)
    assert first.keys == ("Memory.users",)
    assert (first.entries_set, first.tables_made, first.functions_made) == (3, 2, 0)
    assert second.keys == ("Memory.users.bob", "Memory.users.ann.age")
    assert (second.entries_set, second.tables_made) == (3, 1)
    assert second.number > first.number
    assert first.made_utc.endswith("+00:00")
    assert (first.own, first.undoable, first.undone) == (True, True, False)


def test_functions_and_upvalues_are_counted(session: Session) -> None:
    run(session, "local n = 0 function Memory.hit() n = n + 1 return n end")
    made = newest(session)
    assert (made.functions_made, made.entries_set) == (1, 1)
    session.call("Memory.hit")
    called = newest(session)
    assert (called.name, called.source) == ("(call)", "Memory.hit()")
    assert called.upvalues_set == 1
    assert called.keys == ("Memory.hit (upvalue n)",)


def test_what_python_did_is_told(session: Session) -> None:
    session.set("Memory.a", 1)
    session.set(["Memory", "b"], {"c": [1]})
    session.delete("Memory.a")
    session.batch([{"op": "set", "table": "Memory", "key": "d", "value": "text"}])
    session.set("Memory.s", "x")
    assert [(entry.name, entry.source) for entry in reversed(session.history())] == [
        ("(set)", "Memory.a = 1"),
        ("(set)", "Memory.b = {...}"),
        ("(delete)", "Memory.a = nil"),
        ("(batch)", "1 operations"),
        ("(set)", 'Memory.s = "x"'),
    ]
    session.undo(5)
    assert run(session, "return Memory") == "{}"


def test_inner_transactions_that_failed_are_not_counted(session: Session) -> None:
    run(
        session,
        """
        Memory.a = 1
        pcall(ext.transaction, function() Memory.b = {} Memory.a = 2 ext.tables() error("no") end)
        """,
    )
    entry = newest(session)
    assert (entry.entries_set, entry.tables_made, entry.keys) == (1, 0, ("Memory.a",))


def test_a_long_source_is_cut(session: Session) -> None:
    source = "Memory.a = 1 --" + "é" * 10_000
    run(session, source)
    entry = newest(session)
    assert entry.source_bytes == len(source.encode())
    assert source.startswith(entry.source)
    assert 16_000 < len(entry.source.encode()) <= 16 * 1024


def test_the_limit_of_what_is_listed(session: Session) -> None:
    for number in range(5):
        run(session, f"Memory.a = {number}")
    assert [entry.source for entry in session.history(2)] == ["Memory.a = 4", "Memory.a = 3"]
    with pytest.raises(SessionError, match="limit is 0"):
        session.history(0)


# Differences


def test_differences_between_two_points(session: Session) -> None:
    run(
        session,
        "Memory.a = 1 Memory.users = { ann = { age = 1 } } local n = 1 "
        "function Memory.up() n = n + 1 end",
    )
    first = newest(session).number
    run(session, "Memory.a = 2 Memory.users.ann.age = 2 Memory.b = {}")
    second = newest(session).number
    session.call("Memory.up")
    run(session, "Memory.a = nil Memory.users.ann.age = 1 ext.table('log').x = 1")
    told = {row.place: (row.before, row.after) for row in session.diff(first)}
    assert set(told) == {"Memory.a", "Memory.b", "Memory.up (upvalue n)", "the table named log"}
    assert told["Memory.a"] == (1, None)
    assert told["Memory.up (upvalue n)"] == (1, 2)
    assert told["Memory.b"][0] is None
    told = {row.place: (row.before, row.after) for row in session.diff(first, second)}
    assert set(told) == {"Memory.a", "Memory.b", "Memory.users.ann.age"}
    assert told["Memory.users.ann.age"] == (1, 2)
    assert {row.place: row.before for row in session.diff(second, first)}["Memory.a"] == 2
    assert [row.place for row in session.diff(0, first)] == [
        "Memory.a",
        "Memory.up",
        "Memory.users",
    ]
    assert session.diff(second, second) == []
    assert len(session.diff(first, limit=1)) == 1
    session.undo()
    with pytest.raises(StoreError, match="There is no evaluation"):
        session.diff(first, newest(session).number)


# What programs hear of it


def test_programs_hear_of_it(session: Session) -> None:
    run(session, "Memory.a = { 1 } Memory.b = 2")
    run(session, "Memory.c = 3")
    shown = run(
        session,
        "Memory.d = 1 local h = ext.history() "
        "return #h, h[1].source, h[2].keys[2], h[2].tables_made",
    )
    assert shown == '2, "Memory.c = 3", "Memory.b", 1'
    assert run(session, "return #ext.history(1), ext.history(1)[1].undone") == "1, false"
    for call, message in (
        ("ext.history('x')", "bad argument #1 to 'history' (number expected, got string)"),
        ("ext.history(0)", "bad argument #1 to 'history' (a limit is a whole number from 1 on)"),
    ):
        (problem,) = session.evaluate(f"\n{call}", name="h.lua").problems
        assert (problem.message, problem.line) == (message, 2)
