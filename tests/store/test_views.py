"""Views: what people see of named tables in any SQLite tool."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path

from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import BOOLEAN, FLOAT, FUNCTION, INTEGER, PERMANENT, STRING, TABLE
from lua_ls_persist.store.views import COLUMNS_MAX
from tests.store.helpers import nan_bits, new_store, write


def seen(store: Store, statement: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Names and rows, as another SQLite library gives them."""
    path = store.path
    assert path is not None
    store.close()  # two libraries in one process do not see each other's locks
    connection = sqlite3.connect(path)
    try:
        cursor = connection.execute(statement)
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        connection.close()


def views(store: Store) -> set[str]:
    rows = store._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")
    return {str(row[0]) for row in rows} - {"full_entries", "full_cells"}


def test_a_named_table_is_rows_and_fields(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with store.transaction():
        users = store.root("users", create=True)
        store.apply(
            [
                (users, STRING, "ann", TABLE, 10),
                (users, STRING, "bob", TABLE, 11),
                (users, INTEGER, 1, STRING, "x" * 2000),
                (users, INTEGER, 2, INTEGER, 10),  # a number, not table 10
                (10, STRING, "name", STRING, "Ann"),
                (10, STRING, "age", INTEGER, 41),
                (10, STRING, "bio", STRING, "long " * 1000),
                (11, STRING, "name", STRING, "Bob"),
                (11, STRING, "score", FLOAT, nan_bits(math.nan)),
                (11, STRING, "admin", BOOLEAN, 1),
                (11, STRING, "f", FUNCTION, 20),
                (11, STRING, "p", PERMANENT, "string.format"),
                (11, STRING, "t", TABLE, 10),
                (11, INTEGER, 1, STRING, "not a field"),
            ],
            new_tables=[(10,), (11,)],
        )
    assert store.refresh_views()
    assert views(store) == {"root_Memory", "root_users"}
    names, rows = seen(store, "SELECT * FROM root_users")
    assert names == ["key", "value", "name", "admin", "age", "bio", "f", "p", "score", "t"]
    none = (None,) * 8
    ann = ("ann", "table 10", "Ann", None, 41, "(compressed, 5000 bytes)", None, None, None, None)
    bob = (
        "bob",
        "table 11",
        "Bob",
        1,
        None,
        None,
        "function 20",
        "string.format",
        "NaN",
        "table 10",
    )
    assert rows == [(1, "(compressed, 2000 bytes)", *none), (2, 10, *none), ann, bob]


def test_views_follow_the_roots(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        with store.transaction():
            store.root("a", create=True)
            b = store.root("b", create=True)
        state = store.state
        assert store.refresh_views()
        assert views(store) == {"root_Memory", "root_a", "root_b"}
        write(store, (b, INTEGER, 1, TABLE, 50), (50, STRING, "f", INTEGER, 1))
        with store.transaction():
            store.drop_root("a")
        assert store.refresh_views()
        assert views(store) == {"root_Memory", "root_b"}
        assert store._connection.execute("SELECT f FROM root_b").get == 1
        assert store.state == state + 2
        version = store._connection.execute("PRAGMA schema_version").get
        assert store.refresh_views()
        assert store._connection.execute("PRAGMA schema_version").get == version


def test_odd_names(tmp_path: Path) -> None:
    names = ["", "entries", "q\"uo'te", "A", "a", "a_2", "x; DROP TABLE roots; --", "ü🎉", "nul\0"]
    fields = ["key", "KEY", "value", "", "x'y\"z", "Name", "name", "); DROP TABLE roots; --", "ü"]
    with new_store(tmp_path) as store:
        with store.transaction():
            for name in names:
                table_id = store.root(name, create=True)
                store.apply([(table_id, INTEGER, 1, TABLE, 900)])
            store.apply([(900, STRING, field, STRING, field) for field in fields])
        assert store.refresh_views()
        assert len(views(store)) == len(names)  # Memory, and all but the one with NUL
        for view in views(store) - {"root_Memory"}:
            quoted = view.replace('"', '""')
            row = store._connection.execute(f'SELECT * FROM "{quoted}"').get
            assert isinstance(row, tuple)
            assert sorted(map(str, row[2:])) == sorted(fields)
        assert {"root_A", "root_a_2", "root_a_2_2"} <= views(store)
        assert store.refresh_views()


def test_a_table_with_many_fields_has_a_view_with_the_frequent_ones(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(
            store,
            *[(1, INTEGER, row, TABLE, 100 + row) for row in range(200)],
            *[(100 + row, STRING, f"only_{row}", INTEGER, row) for row in range(200)],
            *[(100 + row, STRING, "common", INTEGER, row) for row in range(200)],
            (100, STRING, "long" * 100, INTEGER, 1),
        )
        assert store.refresh_views()
        columns, _ = seen(store, "SELECT * FROM root_Memory")
        assert len(columns) == 2 + COLUMNS_MAX
        assert columns[:3] == ["key", "value", "common"]


def test_views_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    with Store.open(tmp_path / "session.db", busy_timeout_ms=60_000) as store:
        with new_store(tmp_path) as other:
            other.begin(write=True)
            assert not store.refresh_views()
        assert store.refresh_views()
