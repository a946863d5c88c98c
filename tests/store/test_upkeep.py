"""Sizes, vacuum, and the check that finds what is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.rows import INTEGER, STRING, StoredImage
from lua_ls_persist.store.upkeep import PROBLEMS_MAX
from tests.store.helpers import contents, fill, new_store, write


def test_sizes(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        store.save_image(StoredImage(bytes(32), store.state, 0, ((0, 4),), b"1234"))
        sizes = store.sizes()
        assert sizes.tables == 5
        assert sizes.entries == 15
        assert sizes.long_strings == 3
        assert (sizes.functions, sizes.cells, sizes.codes) == (1, 4, 1)
        assert (sizes.images, sizes.images_bytes) == (1, 4)
        store.checkpoint()
        assert sizes.file_bytes == (tmp_path / "session.db").stat().st_size
        assert sizes.free_bytes == 0


def test_vacuum_gives_back_what_is_free(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with new_store(tmp_path) as store:
        write(
            store,
            *[(1, INTEGER, key, STRING, random.Random(key).randbytes(2000)) for key in range(1000)],
        )
        with store.transaction():
            store.clear_table(1)
        fill(store)
        before = contents(store)
        assert store.sizes().free_bytes > 1_000_000
        assert store.vacuum() > 1_000_000
        assert store.sizes().free_bytes == 0
        assert path.stat().st_size < 300_000
        assert contents(store) == before
        assert store.integrity() == []
        with new_store(tmp_path) as other:
            other.begin(write=True)
            with pytest.raises(StoreError, match="is locked by another program"):
                store.vacuum()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM roots WHERE name = 'Memory'", "the root Memory is missing"),
        ("UPDATE roots SET table_id = 99 WHERE name = 'users'", "root 'users' is table 99, which"),
        ("DELETE FROM tables WHERE id = 3", "table 3 is missing, but has entries"),
        ("DELETE FROM tables WHERE id = 4", "table 3 has metatable 4, which is missing"),
        (
            "UPDATE entries SET kind = 9 WHERE key = 'name'",
            "in table 3, the entry 'name' is of kind 9, but its value is a SQLite text",
        ),
        (
            "UPDATE entries SET value = 2 WHERE kind = 1",
            "is of kind 1, but its value is a SQLite integer",
        ),
        (
            "UPDATE entries SET value = 'x' WHERE kind = 2",
            "is of kind 2, but its value is a SQLite text",
        ),
        (
            "UPDATE entries SET key_kind = 2 WHERE key = 'name'",
            "in table 3, the key 'name' is of kind 2, but it is a SQLite text",
        ),
        (
            "UPDATE entries SET value = 99 WHERE kind = 7 AND key = 'ann'",
            "the entry 'ann' refers to table 99, which is missing",
        ),
        ("UPDATE entries SET value = 99 WHERE kind = 5", "refers to function 99, which is missing"),
        ("DELETE FROM long_strings", "refers to long string"),
        ("UPDATE entries SET key = 99 WHERE key_kind = 7", "table 99 is a key, but it is missing"),
        ("UPDATE entries SET key = 99 WHERE key_kind = 5", "function 99 is a key, but it is"),
        ("UPDATE cells SET kind = 8 WHERE id = 11", "cell 11 is of kind 8"),
        ("UPDATE cells SET value = 99 WHERE id = 14", "cell 14 refers to 99 (kind 7), which is"),
        ("DELETE FROM code", "function 10 has code 1, which is missing"),
        ("DELETE FROM cells WHERE id = 13", "function 10 has cell 13, which is missing"),
        ("DELETE FROM functions", "function 10 is missing, but has cells"),
        ("DELETE FROM sources", "code 1 has source 1, which is missing"),
        ("INSERT INTO cells VALUES (3, 0, NULL)", "the id 3 is in use twice"),
        ("UPDATE counters SET value = 5 WHERE name = 'next_id'", "from 5 on are still to be given"),
        (
            "INSERT INTO long_strings (id, owner, content) VALUES (77, 1, 'x')",
            "long string 77 belongs to nothing",
        ),
        ("UPDATE long_strings SET owner = 4 WHERE owner = 2", "belongs to 4, but something else"),
        ("DELETE FROM image_pieces", "image 1 misses a part of its content"),
        ("UPDATE code SET signature = x'00'", "code 1 is damaged, or was not signed by you"),
        ("UPDATE code SET bytecode_hash = x'00'", "code 1 has another content than its hash says"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, statement: str, problem: str) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        store.save_image(StoredImage(bytes(32), store.state, 0, ((0, 4),), b"1234"))
        assert store.integrity() == []
        store._connection.execute(statement)
        assert [found for found in store.integrity() if problem in found] != []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DROP VIEW main.full_entries", "full_entries is missing"),
        ("DROP INDEX long_strings_owner", "long_strings_owner is missing"),
        ("DROP TABLE roots", "roots is missing"),
        (
            "ALTER TABLE cells ADD COLUMN more",
            "the definition of cells is not the one of this format",
        ),
    ],
)
def test_what_is_defined_otherwise_is_found(tmp_path: Path, statement: str, problem: str) -> None:
    with new_store(tmp_path) as store:
        store._connection.execute(statement.replace("more", "more INTEGER"))
        assert problem in store.integrity()


def test_tables_of_other_people_do_not_matter(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store._connection.execute("CREATE TABLE notes (x)")
        store._connection.execute("CREATE VIEW mine AS SELECT * FROM full_entries")
        assert store.integrity() == []


def test_there_is_an_end_to_problems(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, *[(1, INTEGER, key, 7, 1000 + key) for key in range(PROBLEMS_MAX + 50)])
        problems = store.integrity()
        assert len(problems) == PROBLEMS_MAX + 1
        assert problems[-1] == "... and more of these"


def test_damage_that_sqlite_sees_is_told(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with new_store(tmp_path) as store:
        write(store, *[(1, INTEGER, key, STRING, "x" * 100) for key in range(5000)])
        store.checkpoint()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with new_store(tmp_path) as store:
        assert store.integrity() != []
