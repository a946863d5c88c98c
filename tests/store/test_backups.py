"""Backups of a file in use, and bringing them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store, backups, opening
from lua_ls_persist.store.migrations import MIGRATIONS
from lua_ls_persist.store.rows import INTEGER, STRING, StoredImage
from tests.store.helpers import contents, fill, new_store, write
from tests.store.test_store import with_plain_sqlite


def test_a_backup_is_a_session_file_of_its_own(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with new_store(tmp_path) as store:
        fill(store)
        store.backup(backup)
        assert sorted(entry.name for entry in tmp_path.glob("backup*")) == ["backup.db"]
        with Store.open(backup) as copy:
            assert contents(copy) == contents(store)
            assert copy.state == store.state
            assert copy.integrity() == []
        write(store, (1, STRING, "later", INTEGER, 1))
        store.backup(backup)
        with Store.open(backup) as copy:
            assert copy.get(1, STRING, "later") == (INTEGER, 1)


def test_a_store_in_memory_has_backups_too(tmp_path: Path) -> None:
    with Store.open(None) as store:
        fill(store)
        store.backup(tmp_path / "backup.db")
        before = contents(store)
        with store.transaction():
            store.clear_table(1)
        store.restore(tmp_path / "backup.db")
        assert contents(store) == before


def test_others_may_write_while_a_backup_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "PAGES_AT_ONCE", 5)
    with new_store(tmp_path) as store, new_store(tmp_path) as other:
        write(store, *[(1, INTEGER, key, STRING, "x" * 100) for key in range(2000)])
        before = contents(store)
        other.changed_by_others()
        told: list[tuple[int, int]] = []

        def disturb(done: int, total: int) -> None:
            told.append((done, total))
            write(other, (1, INTEGER, len(told), STRING, "changed"))

        store.backup(tmp_path / "backup.db", on_progress=disturb)
        assert len(told) > 10
        assert told[-1][0] == told[-1][1]
        with Store.open(tmp_path / "backup.db") as copy:
            assert contents(copy) == before


def test_a_backup_replaces_session_files_only(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        notes = tmp_path / "notes.txt"
        notes.write_text("keep me " * 100, encoding="utf-8")
        with pytest.raises(StoreError, match="is not a SQLite file"):
            store.backup(notes)
        assert notes.read_text(encoding="utf-8") == "keep me " * 100
        theirs = tmp_path / "theirs.db"
        with_plain_sqlite(theirs, "CREATE TABLE t (x)")
        with pytest.raises(StoreError, match="another program"):
            store.backup(theirs)
        with pytest.raises(StoreError, match="is the session's file itself"):
            store.backup(tmp_path / "session.db")
        with pytest.raises(StoreError, match=r"the folder .* does not exist"):
            store.backup(tmp_path / "missing" / "backup.db")
        with pytest.raises(StoreError, match="is a folder"):
            store.backup(tmp_path)
        assert store.integrity() == []


def test_a_backup_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with new_store(tmp_path) as store:
        fill(store)
        store.backup(backup)
        before = backup.read_bytes()

        def stop(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.backup(backup, on_progress=stop)
        assert backup.read_bytes() == before
        assert not store.in_transaction
        assert sorted(entry.name for entry in tmp_path.glob("backup*")) == ["backup.db"]


def test_a_restore_goes_back(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with new_store(tmp_path) as store, new_store(tmp_path) as other:
        fill(store)
        before = contents(store)
        store.save_image(StoredImage(bytes(32), store.state, 0, (), b""))
        store.backup(backup)
        kept = backup.read_bytes()
        with store.transaction():
            later = store.reserve(10)
            store.clear_table(1)
        store.save_image(StoredImage(bytes(32), store.state, 0, (), b""))
        state = store.state
        other.changed_by_others()
        store.restore(backup)
        assert contents(store) == contents(other) == before
        assert backup.read_bytes() == kept
        assert other.changed_by_others()
        # What was given out since the backup is never given out again.
        assert store.state > state
        with store.transaction():
            assert store.reserve(1) > later + 10
        assert isinstance(store.load_image(bytes(32)), str)
        assert store.integrity() == []
        assert not list(tmp_path.glob(".restore*"))


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        before = contents(store)
        with pytest.raises(StoreError, match="There is no file"):
            store.restore(tmp_path / "missing.db")
        (tmp_path / "empty.db").touch()
        with pytest.raises(StoreError, match="is empty, not a backup"):
            store.restore(tmp_path / "empty.db")
        (tmp_path / "notes.txt").write_text("notes " * 100, encoding="utf-8")
        with pytest.raises(StoreError, match="is not a SQLite file"):
            store.restore(tmp_path / "notes.txt")
        with_plain_sqlite(tmp_path / "theirs.db", "CREATE TABLE t (x)")
        with pytest.raises(StoreError, match="another program"):
            store.restore(tmp_path / "theirs.db")
        damaged = tmp_path / "damaged.db"
        write(store, *[(1, INTEGER, key, STRING, "x" * 100) for key in range(2000)])
        before = contents(store)
        store.backup(damaged)
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2 :: 7] = bytes(len(content[len(content) // 2 :: 7]))
        damaged.write_bytes(content)
        with pytest.raises(StoreError, match="damaged"):
            store.restore(damaged)
        assert contents(store) == before
        assert store.integrity() == []


def test_an_older_backup_is_brought_to_the_present_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.db"
    with monkeypatch.context() as patch:
        patch.setattr(opening, "MIGRATIONS", MIGRATIONS[:1])
        patch.setattr(opening, "FORMAT_VERSION", 1)
        opening.open_connection(old, busy_timeout_ms=10).connection.close()
    with new_store(tmp_path) as store:
        fill(store)
        store.restore(old)
        assert store.roots()[0].name == "Memory"
        assert store.table_info(1).entries == 0
        assert with_plain_sqlite(old, "PRAGMA user_version") == [(1,)]


def test_a_restore_does_not_overrun_a_writer(tmp_path: Path) -> None:
    with new_store(tmp_path) as store, new_store(tmp_path) as other:
        store.backup(tmp_path / "backup.db")
        other.begin(write=True)
        other.apply([(1, STRING, "x", INTEGER, 1)])
        with pytest.raises(StoreError, match="is locked by another program"):
            store.restore(tmp_path / "backup.db")
        other.commit()
        assert store.get(1, STRING, "x") == (INTEGER, 1)
