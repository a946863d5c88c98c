"""Whatever fails while indexes are built or kept, the store is as before, indexes and all."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store, index_tables
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.helpers import contents, failing, new_store

KILLS = 12

KINDS: list[dict[str, Any]] = [
    {"fields": ["age"], "unique": True},
    {"fields": ["city", "age"]},
    {"fields": ["tags"], "each": True},
    {"fields": ["age"], "kind": "hash"},
    {"fields": ["city"], "kind": "text"},
]


def records(store: Store, count: int, *, first_age: int = 0) -> int:
    """A transaction that writes so many rows to `users`; the id of its first table."""
    with store.transaction():
        users = store.root("users", create=True)
        first = store.reserve(2 * count)
        rows = [(first + 2 * n, first + 2 * n + 1, first_age + n) for n in range(count)]
        store.apply([(users, STRING, f"u{age}", TABLE, row) for row, _, age in rows])
        store.apply(
            [
                entry
                for row, tags, age in rows
                for entry in (
                    (row, STRING, "age", INTEGER, age),
                    (row, STRING, "city", STRING, f"city {age % 7}"),
                    (row, STRING, "tags", TABLE, tags),
                    (tags, INTEGER, 1, STRING, "a"),
                    (tags, INTEGER, 2, INTEGER, age),
                )
            ],
            new_tables=[(table,) for row in rows for table in row[:2]],
        )
    return first


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All data, and all that indexes have."""
    found = contents(store)
    names = store._connection.execute(
        "SELECT name FROM sqlite_schema WHERE name GLOB 'index*' AND type = 'table' ORDER BY name"
    ).fetchall()
    for (name,) in names:
        if "_" not in str(name).removeprefix("index_") or name == "index_members":
            rows = store._connection.execute(f"SELECT * FROM {name}").fetchall()
            found[str(name)] = sorted(rows, key=repr)
    return found


def build(store: Store) -> None:
    store.create_index("users", [], ["age", "city"])


def build_hashes(store: Store) -> None:
    store.create_index("users", [], ["age", "city"], kind="hash")


def build_words(store: Store) -> None:
    store.create_index("users", [], ["tags[1]"], kind="text")


def insert(store: Store) -> None:
    records(store, 30, first_age=1000)


def change(store: Store) -> None:
    users = store.root("users", create=False)
    with store.transaction():
        found = store.get(users, STRING, "u3")
        assert found is not None
        row = found[1]
        assert isinstance(row, int)
        store.apply([(row, STRING, "age", INTEGER, 77), (row + 1, INTEGER, 1, STRING, "b")])
        store.savepoint()
        store.apply((), [(users, STRING, "u4"), (row, STRING, "city")])
        store.release()
        store.clear_table(row + 1)


def rebuild(store: Store) -> None:
    with store.transaction():
        for index in store.indexes():
            store.rebuild_index(index)


def drop(store: Store) -> None:
    with store.transaction():
        store.drop_root("users")


TASKS: list[Callable[[Store], None]] = [
    build,
    build_hashes,
    build_words,
    insert,
    change,
    rebuild,
    drop,
]


def prepared(folder: Path) -> Store:
    store = new_store(folder)
    records(store, 20)
    for definition in KINDS:
        store.create_index("users", [], **definition)
    return store


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_each_statement_fails_in_turn(task: Callable[[Store], None], tmp_path: Path) -> None:
    with prepared(tmp_path) as store:
        before = everything(store)
        at = 0
        while True:
            at += 1
            with failing(store, at, apsw.FullError("full")) as statements:
                try:
                    task(store)
                except StoreError as error:
                    assert "the disk is full" in str(error)  # noqa: PT017  (or it succeeded)
                else:
                    break
            assert not store.in_transaction
            assert everything(store) == before, statements[-1]
        assert at > 5
        assert store.integrity() == []
        assert (everything(store) == before) == (task is rebuild)


@pytest.mark.parametrize("definition", KINDS, ids=str)
def test_the_disk_is_full_in_the_build(definition: dict[str, Any], tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        records(store, 3000)
        before = everything(store)
        pages = store._connection.execute("PRAGMA page_count").get
        assert isinstance(pages, int)
        store._connection.execute(f"PRAGMA max_page_count = {pages + 5}").fetchall()
        with pytest.raises(StoreError, match="the disk is full"):
            store.create_index("users", [], **definition)
        assert everything(store) == before
        store._connection.execute("PRAGMA max_page_count = 1000000").fetchall()
        store.create_index("users", [], **definition)
        assert store.integrity() == []


@pytest.mark.parametrize("definition", KINDS, ids=str)
def test_a_build_that_is_stopped(
    definition: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_tables, "ROWS_AT_ONCE", 500)
    with new_store(tmp_path) as store:
        records(store, 6000)
        before = everything(store)
        asked = 0

        def stopping() -> bool:
            nonlocal asked
            asked += 1
            return asked >= 2

        store.stop_when(stopping)
        with pytest.raises(StoreError):
            store.create_index("users", [], **definition)
        store.stop_when(lambda: False)
        assert asked == 2
        assert everything(store) == before
        store.create_index("users", [], **definition)
        assert store.integrity() == []


def test_a_conflict_in_the_middle_of_a_flush(tmp_path: Path) -> None:
    with prepared(tmp_path) as store:
        before = everything(store)
        users = store.root("users", create=False)
        store.begin()
        first = store.reserve(200)
        for number in range(first, first + 200, 10):
            rows = range(number, number + 10)
            store.apply(
                [(users, INTEGER, row, TABLE, row) for row in rows],
                new_tables=[(row,) for row in rows],
            )
            store.apply([(row, STRING, "age", INTEGER, 5000 + row % 150) for row in rows])
        with pytest.raises(StoreError, match=r"users\(age\) is unique, and users\[\d+\] and users"):
            store.check_unique()
        # It can go on, and mend that.
        store.apply([(row, STRING, "age", INTEGER, row) for row in range(first, first + 200)])
        store.check_unique()
        store.apply([(first, STRING, "age", INTEGER, first + 1)])
        with pytest.raises(StoreError, match=r"users\(age\) is unique"):
            store.commit()
        store.rollback()
        assert everything(store) == before
        assert store.integrity() == []


BUILDER = """
import sys
from pathlib import Path
from lua_ls_persist.store import Store
store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
while True:
    for kind in ("btree", "hash", "text"):
        store.create_index("users", [], ["city", "age"], kind=kind)
        print("built", flush=True)
        store.rebuild_index(store.indexes()[0])
        store.drop_index(store.indexes()[0])
"""


def test_a_process_that_is_killed_while_it_builds(tmp_path: Path) -> None:
    chance = random.Random(1)
    with new_store(tmp_path) as store:
        records(store, 2000)
        path = store.path
        before = contents(store)
    seen = set()
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(path)], bufsize=0, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        # A moment that the test does not choose: that is what it is about.
        time.sleep(chance.random() * 0.5)
        process.kill()
        process.wait(timeout=60)
        process.stdout.close()
        with Store.open(path) as store:
            assert store.integrity() == []
            assert contents(store) == before
            found = store.indexes()
            seen.add(len(found))
            for index in found:
                assert store.index_rows(index) == 2000
                store.drop_index(index)
    assert seen == {0, 1}
