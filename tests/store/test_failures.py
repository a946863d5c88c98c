"""Whatever fails, the store is as it was before or as it should be after, and says so."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import FUNCTION, INTEGER, STRING, TABLE, StoredImage
from tests.store.helpers import (
    contents,
    failing,
    fill,
    new_code,
    new_store,
    open_again,
    rows_of,
    write,
)

LONG = "long " * 1000


def evaluation(store: Store) -> None:
    """One of each kind of write, as an evaluation does them."""
    with store.transaction(write=False):
        first = store.reserve(10)
        store.apply(
            [
                (1, STRING, "greeting", STRING, LONG),
                (1, STRING, "x", TABLE, first),
                (first, STRING, "y", STRING, LONG),
                (2, STRING, "long", INTEGER, 1),
            ],
            deletes=[(1, INTEGER, 1), (1, STRING, "nothing")],
            new_tables=[(first,)],
            metatables=[(first, 1)],
            cells=[(first + 1, STRING, LONG), (12, INTEGER, 1)],
        )
        store.savepoint()
        store.apply([(1, STRING, "undone", STRING, LONG)])
        store.rollback_to()
        store.savepoint()
        store.define_function(first + 2, store.define_code(new_code(9)), [first + 1, 12])
        store.apply([(1, STRING, "f", FUNCTION, first + 2)])
        store.release()
        store.clear_table(3)
        store.root("log", create=True)
        store.drop_root("users")
        store.collect()


def own_transactions(store: Store) -> None:
    """What a session does between evaluations."""
    while store.collect_step(list) is None:
        pass
    store.refresh_views()
    if not store.save_image(StoredImage(bytes(32), store.state, 0, ((0, 5),), b"image")):
        raise StoreError("the database in memory is busy")


def replacing(store: Store) -> None:
    with store.transaction():
        store.replace_code(1, b"new bytecode")


def importing(store: Store) -> None:
    store.import_lines(EXPORT)


EXPORT: list[str] = []
TASKS: list[Callable[[Store], None]] = [evaluation, own_transactions, replacing, importing]


def prepare(store: Store, task: Callable[[Store], None]) -> None:
    if task is not importing:
        fill(store)
        write(store, (18, STRING, "garbage", TABLE, 19), new_tables=[(18,), (19,)])
    elif not EXPORT:
        with Store.open(None) as other:
            fill(other)
            file = io.StringIO()
            other.export_lines(file)
            EXPORT.extend(file.getvalue().splitlines())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "error",
    [apsw.FullError("injected"), apsw.BusyError("injected"), apsw.IOError("injected")],
    ids=lambda error: type(error).__name__,
)
def test_any_statement_may_fail(
    tmp_path: Path, task: Callable[[Store], None], error: Exception
) -> None:
    """Each in turn; then the same task works."""
    with Store.open(None) as store:
        prepare(store, task)
        task(store)
        expected = contents(store)
    at = 0
    while True:
        at += 1
        with Store.open(None) as store:
            prepare(store, task)
            before = contents(store)
            outcome = None
            with failing(store, at, error) as run:
                try:
                    task(store)
                except StoreError as told:
                    outcome = told
            if outcome is not None:
                assert str(outcome).startswith("the database in memory ")
                store.rollback()
            assert not store.in_transaction
            if outcome is not None and task is not own_transactions:
                assert contents(store) == before, run[-1]
            assert store.integrity() == []
            if len(run) < at:
                break
            # A writer that is in the way only means that some things are not done now.
            if outcome is not None or task is own_transactions:
                task(store)
            assert contents(store) == expected
            assert store.integrity() == []
    assert at > 5


class FaultyFile(apsw.VFSFile):
    """A file whose writes fail from some moment on."""

    def __init__(self, vfs: FaultySystem, name: object, flags: list[int]) -> None:
        super().__init__(vfs.base, name, flags)  # type: ignore[arg-type]  # what the VFS was given
        self._vfs = vfs

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._vfs.count()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._vfs.count()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._vfs.count()
        super().xTruncate(size)


class FaultySystem(apsw.VFS):
    """A file system that fails at the operation number `at` and ever after."""

    def __init__(self) -> None:
        self.base = apsw.vfs_names()[0]
        super().__init__("faulty", self.base, makedefault=True)
        self.at = 0
        self.done = 0
        self.error: type[Exception] = apsw.IOError

    def xOpen(self, name: object, flags: list[int]) -> FaultyFile:  # noqa: N802
        return FaultyFile(self, name, flags)

    def count(self) -> None:
        self.done += 1
        if self.at and self.done >= self.at:
            raise self.error("injected")


@pytest.fixture
def faulty() -> Iterator[FaultySystem]:
    system = FaultySystem()
    try:
        yield system
    finally:
        system.at = 0
        system.unregister()


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_any_write_to_the_disk_may_fail(
    tmp_path: Path, faulty: FaultySystem, error: type[Exception]
) -> None:
    """And every one after it. The file is then as before, or as after, for whoever opens it."""
    faulty.error = error
    outcomes = set()
    step = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        store = new_store(folder)
        fill(store)
        before = contents(store)
        faulty.at = faulty.done + step
        failed = None
        try:
            evaluation(store)
        except StoreError as told:
            failed = told
        store.rollback()
        reached = faulty.done >= faulty.at
        faulty.at = 0
        store.close()
        with new_store(folder) as store:
            assert store.integrity() == []
            after = contents(store)
            outcomes.add(after == before)
            if failed is not None:
                assert after == before
                assert any(word in str(failed) for word in ("disk is full", "Check the disk"))
            else:
                assert after != before
        if not reached:
            break
    assert step > 3
    assert outcomes == {True, False}


def test_a_full_disk_is_told_and_leaves_the_store_usable(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        before = contents(store)
        pages = store._connection.execute("PRAGMA page_count").get
        assert isinstance(pages, int)
        store._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        store.begin()
        with pytest.raises(StoreError) as caught:
            store.apply([(1, INTEGER, key, STRING, LONG) for key in range(1000)])
        assert str(caught.value) == (
            f"{store.path} cannot be written: the disk is full. Free some space and try again."
        )
        with pytest.raises(StoreError, match="can only be rolled back"):
            store.apply([(1, INTEGER, 1, INTEGER, 1)])
        with pytest.raises(StoreError, match="can only be rolled back"):
            store.commit()
        store.rollback()
        assert contents(store) == before
        write(store, (1, STRING, "small", INTEGER, 1))
        store._connection.execute("PRAGMA max_page_count = 100000")
        write(store, *[(1, INTEGER, key, STRING, LONG) for key in range(100)])
        assert store.integrity() == []


def test_a_full_disk_in_the_middle_of_an_image(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        pages = store._connection.execute("PRAGMA page_count").get
        assert isinstance(pages, int)
        store._connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        content = os.urandom(100_000)
        image = StoredImage(bytes(32), store.state, 0, ((0, len(content)),), content)
        with pytest.raises(StoreError, match="the disk is full"):
            store.save_image(image)
        assert not store.in_transaction
        assert store.load_image(bytes(32)) == "there is no image of an earlier session"
        assert store.integrity() == []


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    connection = apsw.Connection(str(folder / "session.db"))
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close(force=True)


def test_a_locked_file_can_be_read_and_is_told(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        with locked(tmp_path):
            store.begin()
            assert store.get(1, STRING, "greeting") == (STRING, "hello")
            store.rollback()
            with pytest.raises(StoreError) as caught:
                store.begin(write=True)
        assert str(caught.value) == (
            f"{store.path} is locked by another program. Close that program, or try again later."
        )
        evaluation(store)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_told(tmp_path: Path, share: float) -> None:
    path = tmp_path / "session.db"
    with new_store(tmp_path) as store:
        write(store, *[(1, INTEGER, key, STRING, "x" * 200) for key in range(3000)])
        store.checkpoint()
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError, match="is damaged"):
        _read_all(path)


def _read_all(path: Path) -> None:
    with Store.open(path) as store:
        problems = store.integrity()
    if problems:
        raise StoreError(f"{path} is damaged: {problems[0]}")


def test_a_damaged_page_stops_what_reads_it_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with new_store(tmp_path) as store:
        write(store, *[(1, INTEGER, key, STRING, "x" * 200) for key in range(3000)])
        store.checkpoint()
    content = bytearray(path.read_bytes())
    page = len(content) // 2 // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with new_store(tmp_path) as store:
        with pytest.raises(StoreError, match=r"is damaged: .* Bring back a copy"):
            rows_of(store, at_once=3000)
        assert store.get(1, INTEGER, 0) == (STRING, "x" * 200)
        store.backup(tmp_path / "backup.db")
        with pytest.raises(StoreError, match="is damaged"):
            _read_all(tmp_path / "backup.db")


def test_opening_again_after_any_failure(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    fill(store)
    before = contents(store)
    store.begin()
    with pytest.raises(StoreError):
        store.apply([(1, INTEGER, 1, INTEGER, None)])
    store = open_again(store)
    assert contents(store) == before
    store.close()
