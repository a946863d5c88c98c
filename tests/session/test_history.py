"""The history of a session: what is recorded, undone, redone, and told apart."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.model import HistoryEntry
from lua_ls_persist.session import Session
from tests.persistence.states import damage, seen, seen_afresh, stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.db"


@pytest.fixture
def session(path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Session]:
    caplog.set_level(logging.WARNING)
    with Session.open(path) as opened:
        yield opened
        assert opened.integrity() == []
    assert not [record.message for record in caplog.records if "damaged" in record.message]


def run(session: Session, source: str) -> str:
    result = session.evaluate(source, name="test.lua")
    assert result.ok, result.problems
    return result.text


def newest(session: Session) -> HistoryEntry:
    return session.history(1)[0]


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
        ("(delete)", "Memory.a"),
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


# Undo and redo


def test_undo_and_redo_of_store_and_vm(session: Session, path: Path) -> None:
    run(session, "x = 1 Memory.users = { ann = { age = 1 } }")
    before = stored(path)
    run(
        session,
        "x = 2 Memory.users.ann.age = 2 Memory.users.bob = {} setmetatable(Memory.users, {})",
    )
    after = stored(path)
    went = session.undo()
    assert [entry.source[:5] for entry in went.evaluations] == ["x = 2"]
    assert went.vm == "restored"
    assert went.text.startswith("Evaluation ")
    assert stored(path) == before
    assert run(session, "return x, Memory.users.ann.age, Memory.users.bob") == "1, 1, nil"
    assert newest(session).undone
    assert session.redo().vm == "restored"
    assert stored(path) == after
    assert run(session, "return x, Memory.users.ann.age, getmetatable(Memory.users)") == "2, 2, {}"
    assert not newest(session).undone


def test_several_at_once(session: Session, path: Path) -> None:
    states = [stored(path)]
    for number in range(4):
        run(session, f"x = {number} Memory[{number}] = {{ {number} }} Memory[{number} - 1] = nil")
        states.append(stored(path))
    assert len(session.undo(3).evaluations) == 3
    assert (stored(path), run(session, "return x")) == (states[1], "0")
    assert len(session.redo(2).evaluations) == 2
    assert (stored(path), run(session, "return x")) == (states[3], "2")
    assert len(session.undo(99).evaluations) == 3
    assert stored(path) == states[0]
    nothing = session.undo()
    assert (nothing.evaluations, nothing.vm) == ((), "kept")
    assert nothing.text == "There is nothing to undo."
    assert len(session.redo(99).evaluations) == 4
    assert (stored(path), run(session, "return x")) == (states[4], "3")
    with pytest.raises(SessionError, match="count is 0"):
        session.undo(0)


def test_what_was_undone_is_gone_when_something_else_is_written(session: Session) -> None:
    run(session, "Memory.a = 1")
    run(session, "Memory.a = 2")
    session.undo()
    run(session, "return Memory.a")
    run(session, "Memory.b = 1")
    assert session.redo().text == "There is nothing to redo."
    assert [entry.source for entry in session.history()] == ["Memory.b = 1", "Memory.a = 1"]


def test_ids_of_what_was_undone_are_not_used_again(session: Session) -> None:
    run(session, "Memory.a = {}")
    run(session, "Memory.b = { 1, 2, 3 }")
    session.undo()
    run(session, "Memory.c = {}")
    assert run(session, "return #Memory.c, next(Memory.c)") == "0, nil"


def test_shared_upvalues_go_back_together(session: Session) -> None:
    run(
        session, "local n = 0 function Memory.up() n = n + 1 end function Memory.get() return n end"
    )
    session.call("Memory.up")
    session.call("Memory.up")
    session.undo()
    assert session.call("Memory.get").values == (1,)
    session.restart()
    assert session.call("Memory.get").values == (1,)
    session.redo()
    assert session.call("Memory.get").values == (2,)


def test_dropping_a_root_is_undone_without_the_vm(session: Session) -> None:
    run(session, "ext.table('log')[1] = { 'first' } x = 1")
    run(session, "x = 2")
    assert session.drop("log")
    assert newest(session).source == "drop log"
    assert session.undo().vm == "kept"
    assert run(session, "return x, ext.table('log')[1][1]") == '2, "first"'
    session.redo()
    assert run(session, "return ext.info('log')") == "nil"
    session.undo()
    assert session.collect().tables == 0
    run(session, "ext.drop('log')")
    session.undo()
    assert run(session, "return ext.table('log')[1][1]") == '"first"'


def test_long_strings_come_back(session: Session, path: Path) -> None:
    run(
        session,
        "Memory.text = ('a'):rep(5000) local s = ('b'):rep(2000) "
        "function Memory.f(t) local old = s s = t or s return old end",
    )
    before = stored(path)
    run(session, "Memory.text = ('c'):rep(3000) Memory.f('short')")
    run(session, "Memory.text = nil Memory.f(('d'):rep(1000))")
    after = stored(path)
    session.undo(2)
    assert stored(path) == before
    session.redo(2)
    assert stored(path) == after
    session.undo(2)
    run(session, "Memory.other = 1")
    assert stored(path).count("aaa") > 0
    assert session.sizes().long_strings == 2


def test_a_migration_can_run_again_after_it_was_undone(session: Session) -> None:
    run(session, "Memory.users = { ann = { name = 'Ann' } }")
    migrate = "return ext.migrate('Memory.users', 1, function(user) user.old = user.name end)"
    run(session, migrate)
    session.undo()
    assert run(session, "return Memory.users.ann.old") == "nil"
    run(session, migrate)
    assert run(session, "return Memory.users.ann.old") == '"Ann"'


def test_an_import_is_undone(session: Session, path: Path, tmp_path: Path) -> None:
    with Session.open(tmp_path / "other.db") as other:
        run(
            other,
            "Memory.a = { 1 } ext.table('t').x = Memory.a setmetatable(Memory, { __len = 1 })",
        )
        with (tmp_path / "lines").open("w", encoding="utf-8") as file:
            other.export_lines(file)
    empty = stored(path)
    with (tmp_path / "lines").open(encoding="utf-8") as file:
        session.import_lines(file)
    full = stored(path)
    assert newest(session).name == "(import)"
    session.undo()
    assert stored(path) == empty
    session.redo()
    assert stored(path) == full
    assert run(session, "return ext.table('t').x == Memory.a") == "true"


def test_a_table_of_many_entries_is_emptied_and_filled_again(session: Session, path: Path) -> None:
    run(
        session,
        "for i = 1, 12000 do Memory[i] = i Memory['k' .. i] = i / 3 Memory[i + 0.5] = 1 end",
    )
    before = stored(path)
    run(session, "for k in pairs(Memory) do Memory[k] = nil end Memory['\\0\\255'] = 1")
    session.undo()
    assert stored(path) == before
    assert run(session, "return #Memory, Memory['\\0\\255']") == "12000, nil"


# Restarts, and other sessions


def test_what_earlier_sessions_did_is_undone_with_a_fresh_vm(path: Path) -> None:
    with Session.open(path) as session:
        run(session, "x = 1 Memory.a = 1")
        run(session, "x = 2 Memory.a = 2")
    with Session.open(path) as session:
        went = session.undo()
        assert went.vm == "fresh"
        assert "begun anew" in went.text
        assert session.started == went.text
        assert run(session, "return x, Memory.a") == "nil, 1"
    with Session.open(path) as session:
        assert session.redo().vm == "fresh"
        assert run(session, "return Memory.a") == "2"


def test_each_session_undoes_its_own(path: Path) -> None:
    with Session.open(path) as first, Session.open(path) as second:
        run(first, "Memory.a = 1")
        run(second, "Memory.b = 1")
        run(first, "Memory.c = 1")
        assert [entry.own for entry in second.history()] == [False, True, False]
        second.undo()
        assert run(first, "return Memory.a, Memory.b, Memory.c") == "1, nil, 1"
        assert second.undo().evaluations == ()
        first.undo(2)
        second.redo()
        assert run(first, "return Memory.a, Memory.b, Memory.c") == "nil, 1, nil"


def test_undo_is_refused_where_others_changed_the_same(path: Path) -> None:
    with Session.open(path) as first, Session.open(path) as second:
        run(first, "Memory.users = { ann = {} }")
        run(first, "Memory.users.ann.age = 1")
        run(second, "Memory.users.ann.age = 2")
        number = newest(second).number
        before = stored(path)
        with pytest.raises(StoreError, match="another session has changed") as raised:
            first.undo()
        assert f"Memory.users.ann.age since (evaluation {number})" in str(raised.value)
        with pytest.raises(StoreError, match="another session has changed"):
            first.undo(2)
        assert stored(path) == before
        second.undo()
        first.undo()
        run(second, "Memory.users.ann.age = 3")
        with pytest.raises(StoreError, match="cannot be redone: another session"):
            first.redo()
        # What the evaluation made itself has been changed by the other one.
        with pytest.raises(StoreError, match="another session has changed"):
            first.undo()


def test_what_nobody_recorded_makes_undo_guesswork(path: Path) -> None:
    with Session.open(path) as first:
        run(first, "Memory.a = 1")
        with apsw.Connection(str(path)) as other:
            other.execute("INSERT INTO entries VALUES (1, 4, 'answer', 2, 42)")
            other.execute("UPDATE counters SET value = value + 1 WHERE name = 'commits'")
        with pytest.raises(StoreError, match="a program that keeps no history"):
            first.undo()
        run(first, "Memory.b = 1")
        first.undo()
        assert run(first, "return Memory.a, Memory.b, Memory.answer") == "1, nil, 42"


def test_a_fork_has_the_history(session: Session) -> None:
    run(session, "Memory.a = 1")
    with session.fork() as fork:
        fork.undo()
        assert run(fork, "return Memory.a") == "nil"
    assert run(session, "return Memory.a") == "1"


def test_backup_and_restore(session: Session, tmp_path: Path, path: Path) -> None:
    run(session, "Memory.a = 1")
    run(session, "Memory.a = 2")
    session.backup(tmp_path / "backup.db")
    run(session, "Memory.a = 3")
    session.restore(tmp_path / "backup.db")
    assert [entry.source for entry in session.history()] == ["Memory.a = 2", "Memory.a = 1"]
    assert session.undo().vm == "fresh"
    assert run(session, "return Memory.a") == "1"
    assert seen(session) == seen_afresh(path)


# Collection and limits


def test_collection_spares_what_undo_and_redo_bring_back(session: Session, path: Path) -> None:
    run(session, "Memory.a = { { 'deep' } } local n = {} function Memory.f() return n end")
    first = stored(path)
    run(session, "Memory.a = nil Memory.f = nil")
    session.collect()
    session.undo()
    assert stored(path) == first
    session.undo()
    session.collect()
    session.redo()
    assert stored(path) == first
    assert session.integrity() == []
    run(session, "Memory.a = nil Memory.f = nil")
    session.forget_history()
    session.restart()
    assert session.collect().tables == 3
    assert session.undo().evaluations == ()


def test_collection_spares_what_the_vms_of_the_past_hold(session: Session) -> None:
    run(session, "t = ext.table() t.x = 'held'")
    run(session, "Memory.a = 1 t = nil")
    run(session, "Memory.a = 2")
    session.collect()
    assert session.undo(2).vm == "restored"
    assert run(session, "return t.x") == '"held"'
    session.redo(2)
    assert run(session, "return t, Memory.a") == "nil, 2"
    run(session, "Memory.a = 3 ext.collect()")
    run(session, "return collectgarbage()")


def test_the_number_of_evaluations_is_limited(path: Path) -> None:
    with Session.open(path, history_limit_evaluations=3) as session:
        for number in range(10):
            run(session, f"Memory.a = {number}")
        assert len(session.history()) == 3
        assert len(session.undo(99).evaluations) == 3
        assert run(session, "return Memory.a") == "6"


def test_no_history_is_kept_where_none_is_wanted(path: Path) -> None:
    with Session.open(path) as session:
        run(session, "Memory.a = 1")
    with Session.open(path, history_limit_evaluations=0) as session:
        run(session, "Memory.a = 2")
        assert session.history() == []
        with pytest.raises(StoreError, match="keeps no history"):
            session.undo()
    with pytest.raises(SessionError, match="cannot be negative"):
        Session.open(path, history_limit_bytes=-1)


def test_the_bytes_are_limited(path: Path) -> None:
    with Session.open(path, history_limit_bytes=100_000) as session:
        for number in range(40):
            run(session, f"Memory.text = ('{number} '):rep(4000)")
        entries = session.history(99)
        assert 2 <= len(entries) < 15
        assert sum(entry.bytes for entry in entries) <= 110_000
        run(session, "for i = 1, 10000 do Memory[i] = i end")
        assert not newest(session).undoable
        with pytest.raises(StoreError, match="history_limit_bytes"):
            session.undo()
        assert session.integrity() == []


def test_the_vms_of_the_past_are_limited(path: Path) -> None:
    with Session.open(path, undo_memory_limit_bytes=0) as session:
        run(session, "x = 1 Memory.a = 1")
        assert session.undo().vm == "fresh"
    with Session.open(path, undo_memory_limit_bytes=2 * 1024 * 1024) as session:
        for number in range(300):
            run(session, f"x = {number} Memory.a = {number} y = ('x'):rep(20000 + {number})")
        points = session._life.runner.points
        assert points.held_bytes <= 2 * 1024 * 1024
        assert session.undo(20).vm == "restored"
        assert run(session, "return x") == "279"
        assert session.undo(270).vm == "fresh"


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


# What is broken


BREAKING = (
    "DROP TABLE history",
    "DROP TABLE history_changes",
    "ALTER TABLE history RENAME COLUMN bytes TO size",
    "DELETE FROM counters WHERE name = 'followed'",
    "UPDATE history SET created = 'no json'",
    "UPDATE history_changes SET value = 999999 WHERE kind = 7",
)


@pytest.mark.parametrize("statement", BREAKING)
def test_a_broken_history_stops_nothing(path: Path, statement: str) -> None:
    with Session.open(path) as session:
        run(session, "Memory.a = { 1 }")
        run(session, "Memory.a = { 2 }")
    with apsw.Connection(str(path)) as other:
        other.execute(statement)
    with Session.open(path) as session:
        told: list[str] = []
        for attempt in (session.undo, session.history, session.diff):
            try:
                attempt()
            except StoreError as error:
                told.append(str(error))
        assert all("history" in message or "damaged" in message for message in told)
        session.collect()
        run(session, "Memory.b = { 1 } Memory.c = { 1 }")
        run(session, "Memory.c = { 2 }")
        run(session, "Memory.c = { 3 }")
        session.undo()
        assert run(session, "return Memory.c[1], Memory.b[1]") == "2, 1"
    if "999999" not in statement:
        assert [line for line in damage(path) if "history" not in line] == []


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
