"""A file that cannot be written is looked at, whatever keeps it from being written."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import FORMAT_VERSION, Store
from lua_ls_persist.store.migrations import MIGRATIONS
from lua_ls_persist.store.opening import open_connection
from lua_ls_persist.store.rows import INTEGER
from tests.permissions import as_ordinary_user, forbidding_folder, open_folder
from tests.store.helpers import contents, fill, write
from tests.store.test_store import refused, with_plain_sqlite

__all__ = ["forbidding_folder", "open_folder"]

Forbid = Callable[[Path], None]


def forbid_file(path: Path) -> None:
    path.chmod(0o444)


def forbid_folder(path: Path) -> None:
    path.parent.chmod(0o555)


def forbid_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.chmod(0o444)
    forbid_folder(path)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def path(forbidding_folder: Path) -> Path:
    """A file with some data."""
    path = forbidding_folder / "a session?.db"  # a question mark would begin a URI's parameters
    with Store.open(path) as store:
        fill(store)
    return path


@pytest.mark.parametrize("forbid", [forbid_file, forbid_folder, forbid_all])
def test_it_is_read_and_nothing_is_left_beside_it(path: Path, forbid: Forbid) -> None:
    with Store.open(path) as store:
        assert store.read_only == ""
        before = contents(store)
    forbid(path)
    with Store.open(path) as store:
        assert store.read_only == (
            f"{path} is read-only: it can be looked at, but nothing can be stored in it."
        )
        assert contents(store) == before
        assert store.integrity() == []
        assert names(path.parent) == [path.name]
    assert names(path.parent) == [path.name]


@pytest.mark.parametrize("forbid", [forbid_file, forbid_folder])
def test_all_that_writes_is_refused_and_says_why(path: Path, forbid: Forbid) -> None:
    backup = path.with_name("backup.db")
    with Store.open(path) as store:
        store.backup(backup)
    forbid(path)
    with Store.open(path) as store:
        before = contents(store)
        tries: list[Callable[[], object]] = [
            lambda: store.begin(write=True),
            lambda: write(store, (1, INTEGER, 1, INTEGER, 1)),
            lambda: store.restore(backup),
            store.vacuum,
            store.collect,
        ]
        for attempt in tries:
            with pytest.raises(StoreError) as caught:
                attempt()
            assert str(caught.value) == (
                f"{store.read_only} To store something, make it and its folder writable, "
                "or copy it elsewhere."
            )
        assert not store.in_transaction
        assert contents(store) == before


@pytest.mark.parametrize("forbid", [forbid_file, forbid_folder, forbid_all])
def test_it_can_be_restored_from(path: Path, tmp_path: Path, forbid: Forbid) -> None:
    with Store.open(path) as store:
        before = contents(store)
    forbid(path)
    with Store.open(tmp_path / "other.db") as other:
        other.restore(path)
        assert contents(other) == before
    assert names(path.parent) == [path.name]


def test_it_is_written_again_when_that_is_allowed(path: Path) -> None:
    forbid_all(path)
    Store.open(path).close()
    path.parent.chmod(0o755)
    path.chmod(0o644)
    with Store.open(path) as store:
        assert store.read_only == ""
        write(store, (1, INTEGER, 1, INTEGER, 5))
        assert store.get(1, INTEGER, 1) == (INTEGER, 5)


def test_a_log_that_can_be_read_is(path: Path) -> None:
    """Somebody writes to it at this moment: what is committed is seen."""
    with Store.open(path) as writer:
        write(writer, (1, INTEGER, 1, INTEGER, 5))
        forbid_all(path)
        with Store.open(path) as reader:
            assert reader.read_only
            assert reader.get(1, INTEGER, 1) == (INTEGER, 5)
            reader.changed_by_others()
            write(writer, (1, INTEGER, 1, INTEGER, 6))
            assert reader.changed_by_others()
            assert reader.get(1, INTEGER, 1) == (INTEGER, 6)


@pytest.mark.parametrize("with_index", [True, False])
def test_a_log_that_a_killed_session_has_left(path: Path, with_index: bool) -> None:
    """Overlooking it would show old data as if they were all."""
    folder = path.parent / "copied"
    folder.mkdir()
    with Store.open(path) as store:
        write(store, (1, INTEGER, 1, INTEGER, 5))
        for suffix in ("", "-wal", *(["-shm"] if with_index else [])):
            shutil.copy(f"{path}{suffix}", folder)
    copied = folder / path.name
    forbid_all(copied)
    if with_index:
        with Store.open(copied) as store:
            assert store.get(1, INTEGER, 1) == (INTEGER, 5)
    else:
        assert refused(copied) == (
            f"{copied} is read-only, and the last changes to it are in {path.name}-wal, where "
            "they cannot be read. Copy both files to a place that can be written, and open the "
            "copy."
        )
    folder.chmod(0o755)


def test_a_rollback_that_is_due_is_not_overlooked(path: Path) -> None:
    path.with_name(f"{path.name}-journal").write_bytes(b"journal")
    forbid_all(path)
    assert f"{path.name}-journal" in refused(path)


def test_what_begins_to_write_later_is_noticed(path: Path) -> None:
    """SQLite was told that nobody does, and would mix what it has read before and after."""
    forbid_file(path)
    os.utime(path, (1_000_000, 1_000_000))  # clocks of files may tick as slowly as a test runs
    with Store.open(path) as store, store.transaction(write=False):
        before = contents(store)
    with Store.open(path) as reader:
        assert contents(reader) == before
        assert not reader.changed_by_others()
        path.chmod(0o644)
        with Store.open(path) as writer:
            write(writer, (1, INTEGER, 1, INTEGER, 5))
            for look in (reader.begin, reader.changed_by_others):
                with pytest.raises(StoreError, match=r"has changed since it was opened\. Open it"):
                    look()
        with pytest.raises(StoreError, match="has changed since it was opened"):
            reader.begin()


def test_another_format_cannot_be_brought_up_to_date(
    forbidding_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = forbidding_folder / "session.db"
    with monkeypatch.context() as patch:
        patch.setattr("lua_ls_persist.store.opening.MIGRATIONS", MIGRATIONS[:1])
        patch.setattr("lua_ls_persist.store.opening.FORMAT_VERSION", 1)
        open_connection(path, busy_timeout_ms=10).connection.close()
    forbid_all(path)
    assert refused(path) == (
        f"{path} is read-only and has format 1, so it cannot be brought to format "
        f"{FORMAT_VERSION}. Make it and its folder writable, or copy it elsewhere."
    )


def test_an_empty_file_is_none(forbidding_folder: Path) -> None:
    path = forbidding_folder / "session.db"
    path.touch()
    forbid_all(path)
    assert refused(path).startswith(f"{path} is read-only and is empty")


@pytest.mark.parametrize("forbid", [forbid_file, forbid_folder])
def test_what_is_not_ours_is_refused_there_as_well(forbidding_folder: Path, forbid: Forbid) -> None:
    path = forbidding_folder / "other.db"
    with_plain_sqlite(path, "CREATE TABLE notes (text)")
    forbid(path)
    assert "another program" in refused(path)
    forbidding_folder.chmod(0o755)
    path.chmod(0o644)
    path.write_bytes(b"this is no database" * 100)
    forbid(path)
    assert "is not a SQLite file" in refused(path)


def test_a_file_that_cannot_be_read_is_refused(open_folder: Path) -> None:
    path = open_folder / "session.db"
    Store.open(path).close()
    path.chmod(0)
    forbid_folder(path)
    with as_ordinary_user():
        message = refused(path)
    assert message.startswith(f"Cannot open {path}")


def test_a_damaged_file_is_told(path: Path) -> None:
    with Store.open(path) as store:
        write(store, *[(1, INTEGER, key, INTEGER, key) for key in range(3000)])
    path.write_bytes(path.read_bytes()[:8192])
    forbid_all(path)
    message = ""
    try:
        with Store.open(path) as store:
            message = " ".join(store.integrity())
    except StoreError as error:
        message = str(error)
    assert "damaged" in message or "malformed" in message or "not a database" in message


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs mounts of a process")
def test_a_read_only_medium(tmp_path: Path, project_root: Path) -> None:
    """It keeps root out as well, who obeys no modes."""
    path = tmp_path / "medium" / "session.db"
    path.parent.mkdir()
    with Store.open(path) as store:
        fill(store)
    ended = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import look_at_medium; look_at_medium()", path],
        cwd=project_root,
        env=os.environ | {"PYTHONPATH": str(project_root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.stdout.startswith("not allowed"):
        pytest.skip(f"a process may not mount anything here: {ended.stdout}")
    assert ended.stdout == "all is as it was\n", ended.stderr


def look_at_medium() -> None:
    """In a process of its own: what is stored on a medium, before and after it is read-only."""
    path = Path(sys.argv[1])
    with Store.open(path) as store:
        before = contents(store)
    try:
        mount_read_only(path.parent)
    except OSError as error:
        print("not allowed", error)
        return
    with pytest.raises(OSError, match="Read-only file system"):
        (path.parent / "new").touch()
    with Store.open(path) as store:
        assert store.read_only
        assert store.integrity() == []
        assert contents(store) == before
        with pytest.raises(StoreError, match="nothing can be stored in it"):
            store.begin(write=True)
    print("all is as it was")


def mount_read_only(folder: Path) -> None:
    """Make a folder a read-only medium, for this process only. Raises OSError where it may not."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    new_mounts, new_users = 0x20000, 0x10000000
    read_only, remount, bind, recursive, private = 0x1, 0x20, 0x1000, 0x4000, 0x40000
    place = os.fsencode(folder)
    check(libc.unshare(new_mounts if os.getuid() == 0 else new_mounts | new_users))
    check(libc.mount(None, b"/", None, recursive | private, None))
    check(libc.mount(place, place, None, bind, None))
    check(libc.mount(None, place, None, remount | bind | read_only, None))
