"""Repair: everything that can be read comes over, and the result is sound."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.schema import type_of
from lua_ls_persist.store import Store, repair
from lua_ls_persist.store.rows import STRING
from lua_ls_persist.store.salvage import DamagedError, DatabaseFile
from tests.store.helpers import contents, fill, new_store
from tests.store.repairing import filled, repaired
from tests.store.test_store import with_plain_sqlite


def test_a_sound_file_comes_over_whole(tmp_path: Path) -> None:
    path, before = filled(tmp_path)
    kept = path.read_bytes()
    report, after = repaired(path)
    assert report.lost == ()
    assert after == before
    assert report.entries == len(before["full_entries"])
    assert report.tables == len(before["tables"])
    assert report.functions == 51
    assert path.read_bytes() == kept
    meta = with_plain_sqlite(tmp_path / "repaired.db", "SELECT name FROM meta ORDER BY name")
    assert ("repaired_utc",) in meta


def test_what_is_in_the_log_only_comes_over(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    fill(store)
    before = contents(store)
    for name in ("session.db", "session.db-wal"):
        shutil.copyfile(tmp_path / name, tmp_path / f"copy-{name}")
    store.close()
    report, after = repaired(tmp_path / "copy-session.db")
    assert report.lost == ()
    assert after == before


def test_ids_go_on_where_they_were(tmp_path: Path) -> None:
    with new_store(tmp_path) as store, store.transaction():
        store.reserve(5000)
    repaired(tmp_path / "session.db")
    with Store.open(tmp_path / "repaired.db") as store, store.transaction():
        assert store.reserve(1) == 5002


def test_indexes_are_made_anew(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        for definition in ({"unique": True}, {"kind": "hash"}, {"kind": "text"}):
            store.create_index("users", [], ["name"], **definition)
        store.create_index("users", [], ["age"], unique=True)
        indexes = store.indexes()
        store._connection.execute(
            "INSERT INTO indexes VALUES (9, '[1]', 1, '[\"a\"]', 'hash', 0, 0, 2)"
        )
        # By hand, so that two rows have the same.
        users = store.root("users", create=False)
        store._connection.execute("INSERT INTO entries VALUES (?, 4, 'bob', 7, 3)", (users,))
    found = repair(tmp_path / "session.db", tmp_path / "new.db")
    assert [sentence.partition(":")[0] for sentence in found.lost] == [
        "index 9, which makes no sense",
        "that users(name) is unique",
        "that users(age) is unique",
    ]
    with Store.open(tmp_path / "new.db") as store:
        assert store.integrity() == []
        assert [(it.name, it.kind, it.unique) for it in store.indexes()] == [
            (it.name, it.kind, False) for it in indexes
        ]
        assert [store.index_rows(it) for it in store.indexes()] == [2, 2, 2, 2]


def test_schemas_are_brought_over(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        with store.transaction():
            store.set_schema(["users"], type_of({"fields": {"name": "string"}}))
            store.set_schema(["Memory", "list"], type_of("integer"))
        users = store.root("users", create=False)
        # By hand, so that a row does not follow, and a definition makes no sense.
        store._connection.execute("INSERT INTO entries VALUES (?, 4, 'bob', 2, 3)", (users,))
        store._connection.execute("INSERT INTO schemas VALUES (9, '[1]', '{}', NULL)")
    with new_store(tmp_path) as store:
        (problem,) = store.integrity()
        assert problem.startswith("schema 9 makes no sense, and is not kept to: its path is no")
    found = repair(tmp_path / "session.db", tmp_path / "new.db")
    assert found.lost == (
        "schema 9, which makes no sense",
        "the schema of users: users.bob: expected table, got integer 3",
    )
    with Store.open(tmp_path / "new.db") as store:
        assert store.integrity() == []
        assert [schema.path for schema in store.schemas()] == ["Memory.list"]


def test_what_cannot_be_repaired_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no file"):
        repair(tmp_path / "missing.db", tmp_path / "new.db")
    fill_path, _ = filled(tmp_path, records=1)
    with pytest.raises(StoreError, match="is there already"):
        repair(fill_path, fill_path)
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty: there is nothing to repair"):
        repair(tmp_path / "empty.db", tmp_path / "new.db")
    with pytest.raises(StoreError, match="cannot be repaired into"):
        repair(fill_path, tmp_path / "missing" / "new.db")
    with_plain_sqlite(fill_path, "PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="has format 99, made by a newer lua-ls-persist"):
        repair(fill_path, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("content", [b"\0", b"x" * 5000, b"\x0d" * 5000, b"\x0a" * 100_000])
def test_something_else_is_an_empty_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.db"
    path.write_bytes(content)
    report, after = repaired(path)
    assert report.lost != ()
    assert after["full_entries"] == []


def test_the_reader_reads_what_sqlite_writes(tmp_path: Path) -> None:
    """All types and sizes of values, in tables of both sorts."""
    path = tmp_path / "plain.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA page_size = 512")
    connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, v ANY) STRICT")
    connection.execute("CREATE TABLE b (k ANY PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID")
    values: list[Any] = [None, 0, 1, 0.5, "", "x", b"", b"\0\xff"]
    values += [
        sign * 2**bits + off for bits in range(0, 63, 7) for sign in (1, -1) for off in (0, 1)
    ]
    values += ["ü" * size for size in range(0, 3000, 37)]
    rows = list(enumerate(values, -20))
    connection.executemany("INSERT INTO a VALUES (?, ?)", rows)
    connection.executemany("INSERT INTO b VALUES (?, ?)", rows)
    connection.close()
    file = DatabaseFile(path.read_bytes())
    found: list[list[Any]] = []
    for root in (2, 3):
        found.append([])
        for _, page in file.walk(root):
            assert not isinstance(page, str)
            assert page.damages == []
            for record in page.records:
                key = record.columns[0] if record.rowid is None else record.rowid
                found[-1].append((key, record.columns[1]))
    assert sorted(found[0]) == sorted(found[1]) == rows
    with pytest.raises(DamagedError, match="beyond the end"):
        file.page(10_000)


def test_a_row_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        store._connection.execute("PRAGMA writable_schema = ON")
        store._connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'cells'"
        )
    with closing(apsw.Connection(str(tmp_path / "session.db"))) as connection:
        connection.execute("INSERT INTO cells VALUES (700, 'no kind', 1)")
    found = repair(tmp_path / "session.db", tmp_path / "new.db")
    assert any(
        line.startswith("a row of the table cells that makes no sense: ") for line in found.lost
    )


def test_a_full_disk_ends_the_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that the new file has no room for are not left out as if they were damaged."""
    with new_store(tmp_path) as store:
        fill(store)
        with store.transaction():
            store.apply([(1, STRING, f"k{n}", STRING, "x" * 800) for n in range(500)])
    opened = Store.open

    def small(path: Path, **options: Any) -> Store:
        store = opened(path, **options)
        if path.name == "new.db":
            connection = store._connection
            connection.pragma("max_page_count", connection.pragma("page_count") + 20)
        return store

    monkeypatch.setattr(Store, "open", small)
    with pytest.raises(StoreError, match="the disk is full"):
        repair(tmp_path / "session.db", tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
