"""Histories of earlier sessions, of others at the same time, of forks and backups; broken ones."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.session import Session
from tests.persistence.states import damage, seen, seen_afresh, stored
from tests.session.history.evaluating import newest, run

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
