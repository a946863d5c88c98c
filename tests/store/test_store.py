"""The session's file: created, reopened, and every way to refuse one."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import apsw
import pytest

from lua_ls_persist._version import __version__
from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import (
    APPLICATION_ID,
    FORMAT_VERSION,
    Store,
    default_path,
    library_versions,
)
from lua_ls_persist.store.migrations import MIGRATIONS
from tests.permissions import as_ordinary_user, open_folder

__all__ = ["open_folder"]

RELEASED_MIGRATIONS = [
    "5ea025e9c1f0cfb2",
    "b494329bb4ec3c79",
    "b27f38b6c9375420",
    "811fe64d72ef92a9",
    "fef7c15104cff8ea",
    "043e325f9a7863a9",
    "0316702b41a9911e",
    "89210305943aa2fd",
]


def refused(path: Path) -> str:
    """The message with which the path is refused."""
    with pytest.raises(StoreError) as caught:
        Store.open(path, busy_timeout_ms=10)
    return str(caught.value)


def with_plain_sqlite(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """Runs statements with another SQLite library; gives the last one's rows."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        return rows
    finally:
        connection.close()


@pytest.mark.parametrize("content", [b"x", b"\0" * 99])
def test_a_file_too_short_for_sqlite_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    assert "is not a SQLite file" in refused(path)
    assert path.read_bytes() == content


def test_a_new_file_says_whose_it_is_and_who_made_it_when(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    with Store.open(path) as store:
        assert store.path == path
        assert store.format_version == FORMAT_VERSION
        meta = store.meta()
    assert meta["created_by"] == __version__
    assert meta["created_format"] == str(FORMAT_VERSION)
    created = datetime.fromisoformat(meta["created_utc"])
    assert created.utcoffset() == timedelta(0)
    assert before <= created <= datetime.now(timezone.utc)
    assert with_plain_sqlite(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert APPLICATION_ID.to_bytes(4, "big") == b"LuaP" == path.read_bytes()[68:72]
    assert with_plain_sqlite(path, "PRAGMA user_version") == [(FORMAT_VERSION,)]


def test_a_file_is_durable_and_written_ahead(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Store.open(path) as store:
        connection = store._connection
        assert connection.execute("PRAGMA journal_mode").get == "wal"
        assert connection.execute("PRAGMA synchronous").get == 2  # FULL
        assert connection.execute("PRAGMA foreign_keys").get == 1
        assert path.with_name("session.db-wal").exists()
    assert with_plain_sqlite(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_file_opens_again_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Store.open(path) as store:
        meta = store.meta()
    before = path.read_bytes()
    with Store.open(path) as store, Store.open(path) as beside:
        assert store.meta() == beside.meta() == meta
    assert path.read_bytes() == before


def test_memory_is_a_store_without_a_file() -> None:
    with Store.open(None) as store, Store.open(None) as other:
        assert store.path is None
        assert store.format_version == FORMAT_VERSION
        store._connection.execute("DELETE FROM meta")
        assert store.meta() == {}
        assert other.meta()["created_by"] == __version__


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "session.db")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.meta()
    in_memory = Store.open(None)
    in_memory.close()
    with pytest.raises(StoreError, match="is closed"):
        in_memory.meta()


def test_names_that_mean_something_to_sqlite_are_names_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [
        "file:x.db",
        "with space & ? # %41.db",
        "ünï🎉.db",
        *([":memory:"] * (os.name != "nt")),
    ]:
        with Store.open(Path(name)):
            pass
        assert (tmp_path / name).is_file()


def test_an_empty_file_becomes_a_sessions_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with Store.open(path) as store:
        assert store.format_version == FORMAT_VERSION


def test_the_libraries_tell_their_versions() -> None:
    versions = library_versions()
    assert list(versions) == ["SQLite", "apsw"]
    assert versions["apsw"].startswith(versions["SQLite"])


def test_every_table_is_strict(tmp_path: Path) -> None:
    with Store.open(tmp_path / "session.db") as store:
        tables = store._connection.execute("PRAGMA table_list").fetchall()
    strict = {
        row[1]: row[5]
        for row in tables
        if row[2] == "table" and not str(row[1]).startswith("sqlite_")
    }
    assert "entries" in strict
    assert set(strict.values()) == {1}


def test_released_migrations_stay_as_they_are() -> None:
    """Append only. A changed step here means files in the world that differ from new ones."""
    squeezed = [[" ".join(statement.split()) for statement in step] for step in MIGRATIONS]
    hashes = [hashlib.sha256(repr(step).encode()).hexdigest()[:16] for step in squeezed]
    assert hashes == RELEASED_MIGRATIONS


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "session.db"
    broken = (*MIGRATIONS, ("CREATE TABLE later (x INTEGER) STRICT", "nonsense"))
    for version in (0, FORMAT_VERSION):  # a new file, and one to be updated
        with monkeypatch.context() as patch:
            patch.setattr("lua_ls_persist.store.opening.MIGRATIONS", broken)
            patch.setattr("lua_ls_persist.store.opening.FORMAT_VERSION", FORMAT_VERSION + 1)
            assert "nonsense" in refused(path)
        assert with_plain_sqlite(path, "PRAGMA user_version") == [(version,)]
        assert with_plain_sqlite(path, "SELECT name FROM sqlite_schema WHERE name = 'later'") == []
        with Store.open(path) as store:
            assert store.format_version == FORMAT_VERSION


def test_an_older_file_is_brought_to_the_present_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "session.db"
    with Store.open(path) as store:
        meta = store.meta()
    monkeypatch.setattr(
        "lua_ls_persist.store.opening.MIGRATIONS",
        (*MIGRATIONS, ("CREATE TABLE later (x INTEGER) STRICT",)),
    )
    monkeypatch.setattr("lua_ls_persist.store.opening.FORMAT_VERSION", FORMAT_VERSION + 1)
    with Store.open(path) as store:
        assert store.format_version == FORMAT_VERSION + 1
        assert store.meta() == meta
        assert store._connection.execute("SELECT count(*) FROM later").get == 0


def test_many_processes_may_create_the_same_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    program = (
        "import sys; from pathlib import Path; from lua_ls_persist.store import Store\n"
        "sys.stdin.read()\n"
        "with Store.open(Path(sys.argv[1]), busy_timeout_ms=60_000) as store: print(store.meta())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for process in processes:  # they wait for the end of their input, so that they start together
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    results = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in results] == [""] * len(processes)
    assert len({output for output, _ in results}) == 1


# Refusals: the message names the file, the problem and the next step.


def test_a_file_that_is_not_sqlite_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("local x = 1\n" * 1000, encoding="utf-8")
    before = path.read_bytes()
    assert refused(path) == (
        f"{path} is not a SQLite file. Name another file for the session; "
        "this one was left as it is."
    )
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE t (x)",),
        ("PRAGMA application_id = 7",),
        ("PRAGMA application_id = 7", "CREATE TABLE t (x)"),
        ("PRAGMA user_version = 3",),
    ],
)
def test_a_database_of_another_program_is_refused_and_untouched(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    path = tmp_path / "theirs.db"
    with_plain_sqlite(path, *statements)
    before = path.read_bytes()
    assert refused(path) == (
        f"{path} is a SQLite file of another program, not a session's file. "
        "Name another file for the session; this one was left as it is."
    )
    assert path.read_bytes() == before


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    Store.open(path).close()
    with_plain_sqlite(path, f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    assert refused(path) == (
        f"{path} has format {FORMAT_VERSION + 1}, made by a newer lua-ls-persist; "
        f"version {__version__} reads formats up to {FORMAT_VERSION}. "
        "Update lua-ls-persist, or name another file."
    )


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "session.db"
    assert refused(path) == (
        f"Cannot create {path}: the folder {path.parent} does not exist. "
        "Create the folder first, or name another place."
    )
    assert not path.parent.exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "session.db"
    assert refused(path) == (
        f"Cannot create {path}: {path.parent} is a file, not a folder. Name another place."
    )


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        f"{tmp_path} is a folder, not a session's file. "
        f"Name a file inside it, such as {tmp_path / 'session.db'}."
    )


def test_of_a_workspace_its_own_session_is_named(tmp_path: Path) -> None:
    path = default_path(tmp_path)
    Store.open(path).close()
    assert refused(tmp_path).endswith(f"Name a file inside it, such as {path}.")


if os.name == "posix":  # a folder's mode does not keep new files out elsewhere

    def test_a_folder_that_cannot_be_written_is_refused(open_folder: Path) -> None:
        path = open_folder / "session.db"
        open_folder.chmod(0o555)
        with as_ordinary_user():
            message = refused(path)
        assert_cannot_open(path, message)


def test_something_in_the_way_of_the_files_beside_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    Store.open(path).close()
    (tmp_path / "session.db-wal").mkdir()
    assert_cannot_open(path, refused(path))


def assert_cannot_open(path: Path, message: str) -> None:
    assert message.startswith(f"Cannot open {path}, or create it and the files beside it: ")
    assert message.endswith(
        "Check the permissions of the file and its folder, or name another place."
    )


def test_a_locked_file_is_refused_after_a_wait(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    # Not by `sqlite3`: two SQLite libraries in one process do not see each other's locks.
    holder = apsw.Connection(str(path))
    try:
        holder.execute("BEGIN EXCLUSIVE")
        assert refused(path) == (
            f"{path} is locked by another program. Close that program, or try again later."
        )
    finally:
        holder.close()
    Store.open(path).close()


def test_another_sessions_write_does_not_lock_out_a_second_one(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Store.open(path) as first:
        first._connection.execute("BEGIN IMMEDIATE")
        with Store.open(path, busy_timeout_ms=10) as second:
            assert second.meta() == first.meta()


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    Store.open(path).close()
    content = bytearray(path.read_bytes())
    content[100:200] = b"\xff" * 100  # the header of the schema's page
    path.write_bytes(content)
    message = refused(path)
    assert message.startswith(f"{path} is damaged: ")
    assert "Bring back a copy, or save what can still be read" in message
    assert message.endswith(f"lua-ls-persist doctor --db {path} --repair NEW")


def test_a_name_that_cannot_be_a_files_is_refused(tmp_path: Path) -> None:
    assert "cannot be" in refused(tmp_path / "a\0b.db")
    assert "cannot be" in refused(tmp_path / "\udcff.db")
