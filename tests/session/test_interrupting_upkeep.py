"""What looks after the file can be interrupted, and has then changed nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lua_ls_persist import Session, SessionError
from lua_ls_persist.store import Store, backups, exchange, schemas

ROWS = "for i = 1, 500 do ext.table('rows')[i] = { name = 'n' .. i } end Memory.dropped = {}"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(exchange, "LINES_BETWEEN_REPORTS", 100)
    monkeypatch.setattr(backups, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(schemas, "DERIVE_AT_ONCE", 100)
    with Session.open(tmp_path / "session.db") as session:
        assert session.evaluate(ROWS).ok
        yield session


def interrupting(session: Session) -> Callable[..., None]:
    """Progress that interrupts at once."""

    def on_progress(*_facts: object) -> None:
        assert session.interrupt()

    return on_progress


def test_export(session: Session, tmp_path: Path) -> None:
    target = tmp_path / "all.jsonl"
    target.write_text("the last one")
    with pytest.raises(SessionError, match="the export was interrupted"):
        session.export_lines(target, on_progress=interrupting(session))
    assert target.read_text() == "the last one"
    assert {path.name for path in tmp_path.iterdir() if "jsonl" in path.name} == {"all.jsonl"}


def test_an_export_whose_caller_has_left(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    # As Ctrl-C does it: the caller's file is closed, then the session, while lines are written.
    # That the file is closed is no reason to look whether the store is damaged.
    file, runner = io.StringIO(), session._life.runner
    monkeypatch.setattr(Store, "integrity", lambda _store: pytest.fail("it was looked into"))

    def leave(_lines: int) -> None:
        file.close()
        runner.refuse_more()

    with pytest.raises((SessionError, ValueError)):
        session.export_lines(file, on_progress=leave)


def test_import(session: Session) -> None:
    exported = io.StringIO()
    session.export_lines(exported)
    with Session.open() as fresh:
        lines = exported.getvalue().splitlines()
        with pytest.raises(SessionError, match="the import was interrupted"):
            fresh.import_lines(lines, on_progress=interrupting(fresh))
        assert [table.name for table in fresh.tables()] == ["Memory"]
        assert fresh.import_lines(lines) == len(lines)
        assert fresh.get("rows[500].name") == "n500"


def test_backup_and_restore(session: Session, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    with pytest.raises(SessionError, match="the backup was interrupted"):
        session.backup(target, on_progress=interrupting(session))
    assert not target.exists()
    session.backup(target)
    session.evaluate("Memory.later = true")
    with pytest.raises(SessionError, match="restoring was interrupted"):
        session.restore(target, on_progress=interrupting(session))
    assert session.get("Memory.later") is True
    session.restore(target)
    assert session.get("Memory.later") is None
    assert session.integrity() == []


def test_collect(session: Session) -> None:
    session.evaluate("Memory.dropped = nil")
    session.forget_history()
    with pytest.raises(SessionError, match="collecting was interrupted"):
        session.collect(on_progress=interrupting(session))
    assert session.collect().tables == 1


def test_deriving_a_schema(session: Session) -> None:
    with pytest.raises(SessionError, match="the look at the rows was interrupted"):
        session.derive_schema("rows", on_progress=interrupting(session))
    assert session.derive_schema("rows") == {"fields": {"name": "string"}}
