"""A session in memory and one with a file: what is opened, refused and closed."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from lua_ls_persist.errors import CoreError, StoreError
from lua_ls_persist.session import Session
from lua_ls_persist.vm import module as module_code
from tests.session.helpers import value


def test_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Session.open() as session:
        assert value(session, "6 * 7") == 42
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file(tmp_path: Path, as_text: bool) -> None:
    path = tmp_path / "session.db"
    for _ in range(2):
        with Session.open(str(path) if as_text else path) as session:
            assert value(session, "6 * 7") == 42
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (0x4C756150,)
    connection.close()


def test_sessions_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as one, Session.open(path) as other:
        one.evaluate("x = 1")
        assert value(other, "x") is None


def test_a_file_of_something_else(tmp_path: Path) -> None:
    content = b"not a database, but long enough to look like one" * 9
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    before = threading.active_count()
    with pytest.raises(StoreError, match=r"notes\.txt"):
        Session.open(path)
    assert path.read_bytes() == content
    assert threading.active_count() == before


@pytest.mark.parametrize("name", ["", ".", "no/such/folder/session.db"])
def test_places_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError):
        Session.open(name)


def test_the_file_is_closed_when_the_vm_cannot_start(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    before = threading.active_count()
    with pytest.raises(CoreError, match="the memory limit of 1000 bytes is not between"):
        Session.open(path, memory_limit_bytes=1000)
    assert threading.active_count() == before
    with Session.open(path) as session:
        assert value(session, "1") == 1
    # Closed: the files that SQLite keeps beside an open one are gone.
    assert [file.name for file in tmp_path.iterdir()] == ["session.db"]


def test_no_core_and_no_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_code, "wasm_path", lambda: tmp_path / "lua_core.wasm")
    with pytest.raises(CoreError, match="reinstall the package"):
        Session.open(tmp_path / "session.db")
    assert list(tmp_path.iterdir()) == []
