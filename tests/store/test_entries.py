"""Entries, tables and cells: written in batches, read in pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store
from lua_ls_persist.store.entries import NESTED_TABLE_ENTRIES_MAX
from lua_ls_persist.store.rows import FLOAT, INTEGER, STRING, TABLE, Nested, Page
from tests.store.helpers import new_store, rows_of, write

LONG = "long " * 1000


def numbers(count: int, table_id: int = 1) -> list[tuple[int, int, int, int, int]]:
    return [(table_id, INTEGER, key, INTEGER, key * key) for key in range(1, count + 1)]


def long_strings(store: Store) -> int:
    count = store._connection.execute("SELECT count(*) FROM long_strings").get
    assert isinstance(count, int)
    return count


def test_sets_replace_and_deletes_delete() -> None:
    with Store.open(None) as store:
        write(store, *numbers(3))
        write(store, (1, INTEGER, 2, STRING, "two"), deletes=[(1, INTEGER, 3), (1, STRING, "no")])
        assert rows_of(store) == [(INTEGER, 1, INTEGER, 1), (INTEGER, 2, STRING, "two")]
        with store.transaction():
            store.clear_table(1)
        assert rows_of(store) == []


def test_a_file_begins_with_an_empty_memory() -> None:
    with Store.open(None) as store:
        assert store.root("Memory", create=False) == 1
        assert store.page(1, None, 10, 1000) == Page([], complete=True)
        assert store.table_info(1).exists


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 50])
def test_pages_follow_each_other(count: int) -> None:
    with Store.open(None) as store:
        write(store, *numbers(count), *numbers(3, table_id=2), *numbers(3, table_id=10))
        assert [row[1] for row in rows_of(store)] == list(range(1, count + 1))


def test_a_page_follows_a_key_that_is_gone() -> None:
    with Store.open(None) as store:
        write(store, *numbers(5))
        write(store, deletes=[(1, INTEGER, 2)])
        assert [row[1] for row in store.page(1, (INTEGER, 2), 2, 1000).rows] == [3, 4]
        assert [row[1] for row in store.page(1, (INTEGER, -5), 2, 1000).rows] == [1, 3]
        assert store.page(1, (STRING, ""), 2, 1000) == Page([], complete=True)
        assert len(store.page(1, (1, 1), 9, 1000).rows) == 4


def test_a_page_ends_when_its_strings_are_enough() -> None:
    with Store.open(None) as store:
        write(store, *[(1, STRING, f"{key:05}", STRING, LONG) for key in range(10)])
        page = store.page(1, None, 10, 12_000)
        assert len(page.rows) == 3
        assert not page.complete
        assert len(store.page(1, None, 10, 1).rows) == 1
        assert store.page(1, None, 10, 1 << 20).complete


def test_a_page_that_is_not_read_to_its_end_leaves_nothing_open(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, *numbers(100))
        store.page(1, None, 10, 1000)
        assert not store._connection.in_transaction
        store.checkpoint()
        assert (tmp_path / "session.db-wal").stat().st_size == 0


def test_nested_tables_come_whole_or_not() -> None:
    with Store.open(None) as store:
        small, large = NESTED_TABLE_ENTRIES_MAX, NESTED_TABLE_ENTRIES_MAX + 1
        write(
            store,
            *numbers(3, 10),
            *numbers(large, 11),
            *numbers(small, 12),
            *numbers(1, 14),
            new_tables=[(10,), (11,), (12,), (13,), (14,)],
            metatables=[(14, 10)],
        )
        nested = store.nested([14, 13, 12, 11, 10, 10], entries_max=1000, bytes_max=100_000)
        assert set(nested) == {10, 12, 13, 14}
        assert nested[13] == Nested(0, [], complete=True)
        assert nested[14] == Nested(0, [(INTEGER, 1, INTEGER, 1)], complete=True)
        assert nested[10] == Nested(14, rows_of(store, 10), complete=True)
        assert len(nested[12].rows) == small
        assert store.nested([], entries_max=1000, bytes_max=1000) == {}


def test_nested_tables_stop_when_it_is_enough() -> None:
    with Store.open(None) as store:
        for table_id in range(10, 20):
            write(store, *numbers(10, table_id), (table_id, STRING, "s", STRING, "x" * 100))
        assert set(store.nested(range(10, 20), entries_max=33, bytes_max=10_000)) == {10, 11, 12}
        assert set(store.nested(range(10, 20), entries_max=32, bytes_max=10_000)) == {10, 11}
        assert len(store.nested(range(10, 20), entries_max=1000, bytes_max=250)) in (2, 3)
        assert len(store.nested(range(10, 20), entries_max=110, bytes_max=10_000)) == 10
        assert store.nested(range(10, 20), entries_max=0, bytes_max=10_000) == {}


def test_a_huge_table_among_the_nested_is_not_read(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, *numbers(50_000, 11), *numbers(2, 10), *numbers(2, 12))
        steps = 0

        def count() -> bool:
            nonlocal steps
            steps += 1
            return False

        store._connection.set_progress_handler(count, 1000)
        assert set(store.nested([10, 11, 12], entries_max=1000, bytes_max=1000)) == {10, 12}
        assert steps < 20


def test_metatables() -> None:
    with Store.open(None) as store:
        write(store, new_tables=[(2,), (3,)], metatables=[(3, 2), (1, 3)])
        assert store.metatables([1, 2, 3, 99]) == {2: 3, 3: 1}
        write(store, metatables=[(None, 2)])
        assert store.metatables([1, 2, 3]) == {3: 1}


def test_a_table_may_be_new_again() -> None:
    with Store.open(None) as store:
        write(store, new_tables=[(2,)], metatables=[(1, 2)])
        write(store, new_tables=[(2,), (2,)])
        assert store.metatables([2]) == {2: 1}


@pytest.mark.parametrize(
    ("keys", "length"),
    [
        ([], 0),
        ([1, 2, 3], 3),
        ([1, 2, 9], 9),
        ([0, -1], 0),
        ([-5, 0, 1], 1),
        ([2**63 - 1], 2**63 - 1),
    ],
)
def test_the_length_is_the_greatest_positive_integer_key(keys: list[int], length: int) -> None:
    with Store.open(None) as store:
        write(
            store,
            *[(1, INTEGER, key, INTEGER, 0) for key in keys],
            (1, FLOAT, 1e9 + 0.5, INTEGER, 0),
            (1, STRING, "99", INTEGER, 0),
            (2, INTEGER, 1000, INTEGER, 0),
        )
        assert store.length(1) == length


def test_cells() -> None:
    with Store.open(None) as store:
        write(store, cells=[(5, 0, None), (6, STRING, LONG), (7, TABLE, 1)])
        assert store.cells([5, 6, 7, 8]) == {5: (0, None), 6: (STRING, LONG), 7: (TABLE, 1)}
        assert long_strings(store) == 1
        write(store, cells=[(6, STRING, LONG + "!"), (5, INTEGER, 3)])
        assert store.cells([5, 6]) == {5: (INTEGER, 3), 6: (STRING, LONG + "!")}
        assert long_strings(store) == 1
        write(store, cells=[(6, 0, None)])
        assert long_strings(store) == 0


def test_long_strings_go_with_their_entries() -> None:
    with Store.open(None) as store:
        write(
            store,
            *[(1, INTEGER, key, STRING, f"{LONG}{key}") for key in range(6)],
            (2, INTEGER, 0, STRING, LONG),
            (3, INTEGER, 0, INTEGER, 0),
        )
        assert long_strings(store) == 7
        write(
            store,
            (1, INTEGER, 0, STRING, LONG),  # long to long
            (1, INTEGER, 1, STRING, "short"),
            (1, INTEGER, 2, TABLE, 1),
            (1, INTEGER, 9, STRING, LONG),
            (3, INTEGER, 0, INTEGER, 1),
            deletes=[(1, INTEGER, 3)],
        )
        assert long_strings(store) == 5
        assert store.get(1, INTEGER, 0) == (STRING, LONG)
        assert store.get(1, INTEGER, 4) == (STRING, f"{LONG}4")
        with store.transaction():
            store.clear_table(1)
        assert long_strings(store) == 1
        assert store.get(2, INTEGER, 0) == (STRING, LONG)


def test_a_long_string_that_is_missing_is_damage() -> None:
    with Store.open(None) as store:
        write(store, (1, INTEGER, 1, STRING, LONG))
        store._connection.execute("DELETE FROM long_strings")
        with pytest.raises(StoreError, match="a long string is missing"):
            store.page(1, None, 10, 1000)
        with pytest.raises(StoreError, match="a long string is missing"):
            store.nested([1], entries_max=10, bytes_max=1000)
        with pytest.raises(StoreError, match="a long string is missing"):
            store.get(1, INTEGER, 1)
        write(store, cells=[(5, STRING, LONG)])
        store._connection.execute("DELETE FROM long_strings")
        with pytest.raises(StoreError, match="a long string is missing"):
            store.cells([5])


# Named tables


def test_roots_are_made_once_and_found_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        assert store.root("users", create=False) == 0
        with store.transaction():
            users = store.root("users", create=True)
            assert store.root("users", create=True) == users > 1
            names = ["", "Users", "sqlite_x", 'a"b', "ü", "Memory2", "a\0b"]
            ids = {store.root(name, create=True) for name in names}
        assert len(ids) == len(names)
        write(store, *numbers(3, users))
        assert [(root.name, root.entries) for root in store.roots()] == [
            (name, 3 if name == "users" else 0) for name in sorted([*names, "users", "Memory"])
        ]
        info = store.table_info(users)
        assert (info.exists, info.metatable, info.entries, info.root) == (True, 0, 3, "users")
        assert not store.table_info(12345).exists
        with pytest.raises(StoreError, match="names are UTF-8 text"):
            store.root("\udcff", create=False)


def test_dropping_a_root_takes_its_name_only() -> None:
    with Store.open(None) as store, store.transaction():
        users = store.root("users", create=True)
        store.apply(numbers(3, users))
        assert store.drop_root("users")
        assert not store.drop_root("users")
        assert store.root("users", create=False) == 0
        assert store.table_info(users).entries == 3
        assert store.root("users", create=True) != users
        with pytest.raises(StoreError, match="Memory cannot be dropped"):
            store.drop_root("Memory")
