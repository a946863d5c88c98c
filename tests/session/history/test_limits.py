"""What a history spares from collection, and the limits of what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.session import Session
from tests.persistence.states import stored
from tests.session.history.evaluating import newest, run


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
