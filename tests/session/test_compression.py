"""Compressing from Lua and from Python: data and programs do not notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist import QueryError, Session, SessionError
from tests.session.helpers import problem, value

EVENTS = """
local events = ext.table("events")
for i = 1, 500 do
  local text = "the connection of user " .. i .. " to the server has failed"
  events[i] = { level = "info", text = text }
end
Memory.long = ("a long text. "):rep(1000)
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session.open(tmp_path / "session.db") as session:
        assert session.evaluate(EVENTS).ok
        yield session


def test_programs_compress(session: Session) -> None:
    assert value(session, "ext.info('events').compression") is None
    assert value(session, "ext.compress('events').compressed") == 500
    assert value(session, "ext.info('events').compression.ratio > 2") is True
    assert value(session, "ext.compress(ext.table('events')).strings") == 500
    assert value(session, "ext.compress().events.strings") == 500
    assert value(session, "ext.compress('events[1]').strings") == 1
    assert value(session, "ext.table('events')[7].text:sub(1, 24)") == "the connection of user 7"
    assert value(session, "#Memory.long") == 13_000
    assert (
        value(session, "ext.count('events', { where = { 'text', 'contains', 'user 49' } })") == 11
    )
    assert problem(session.evaluate("ext.compress('nobody')")).message == (
        "there is no table nobody"
    )
    assert "bad argument #1 to 'compress'" in problem(session.evaluate("ext.compress(1)")).message
    assert session.integrity() == []


def test_it_is_part_of_the_evaluation(session: Session) -> None:
    assert not session.evaluate("ext.compress('events') error('no')").ok
    assert value(session, "ext.info('events').compression") is None
    source = """
      ext.table("events")[501] = { text = "the connection of user 501 to the server has failed" }
      return ext.compress("events").strings
    """
    assert session.evaluate(source).values == (501,)
    assert len(session.undo().evaluations) == 1
    assert value(session, "ext.table('events')[501]") is None
    assert len(session.redo().evaluations) == 1
    assert value(session, "#ext.table('events')[501].text") == 51
    assert session.integrity() == []


def test_python_compresses(session: Session) -> None:
    told: list[tuple[int, int]] = []
    before, evaluations = session.sizes(), len(session.history())
    found = session.compress(on_progress=lambda done, total: told.append((done, total)))
    assert list(found) == ["Memory", "events"]
    assert found["events"].strings == 500
    assert found["events"].ratio > 2
    assert found["Memory"].ratio > 10
    assert (500, 500) in told
    assert session.compress("events") == {"events": found["events"]}
    (events,) = [table for table in session.tables() if table.name == "events"]
    assert events.compression == found["events"]
    assert session.info("events") == events
    assert len(session.history()) == evaluations
    session.vacuum()
    assert session.sizes().file_bytes < before.file_bytes
    assert value(session, "ext.table('events')[500].text:match('%d+')") == "500"
    with pytest.raises(QueryError, match="there is no table nobody"):
        session.compress("nobody")


def test_it_is_interrupted(session: Session) -> None:
    def stop(_done: int, _total: int) -> None:
        session.interrupt()

    with pytest.raises(SessionError, match="compressing was interrupted"):
        session.compress(on_progress=stop)
    assert session.info("events").compression is None  # type: ignore[union-attr]
    assert session.integrity() == []


def test_it_stays_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(EVENTS + "function Memory.f() return Memory.long end").ok
        session.compress()
    with Session.open(path, resume=False) as session:
        assert value(session, "#Memory.f()") == 13_000
        assert value(session, "ext.table('events')[3].text:match('%d+')") == "3"
