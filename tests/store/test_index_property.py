"""Indexes are what a fresh build would make them, whatever is written, undone, and opened again."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store, index_keeper
from lua_ls_persist.store.rows import BOOLEAN, FLOAT, INTEGER, STRING, TABLE, Native, Value
from tests.store.helpers import nan_bits, new_store, open_again

DEFINITIONS: list[dict[str, Any]] = [
    {"fields": ["age"]},
    {"fields": ["city", "age"]},
    {"fields": ["address.city", "@key", "@value"]},
    {"fields": ["tags"], "each": True},
    {"fields": ["tags[1]", "address.tags[2]"]},
    {"fields": ["age"], "kind": "hash"},
    {"fields": ["tags"], "kind": "hash", "each": True},
    {"fields": ["name", "address.city"], "kind": "text"},
]
PATHS: list[tuple[str, list[str]]] = [("users", []), ("Memory", ["users"]), ("Memory", ["a", "b"])]
SCALARS: list[Value] = [
    (INTEGER, 0),
    (INTEGER, 1),
    (INTEGER, 2**62),
    (FLOAT, 1.5),
    (FLOAT, -0.0),
    (FLOAT, 2.0**63),
    (FLOAT, nan_bits(float("nan"))),
    (BOOLEAN, 1),
    (STRING, "a"),
    (STRING, "red fox"),
    (STRING, b"\xff"),
    (STRING, "x" * 2000),
]
ROW_KEYS: list[Value] = [
    *((STRING, name) for name in ("ann", "bob", "eve", "users", "age", "tags")),
    (STRING, b"\xfe\x00"),
    (INTEGER, 1),
    (INTEGER, 2),
    (FLOAT, 0.5),
    (BOOLEAN, 0),
]
FIELDS: list[Value] = [
    *((STRING, name) for name in ("age", "city", "name", "address", "tags", "users", "a", "b")),
    (INTEGER, 1),
    (INTEGER, 2),
    (INTEGER, 3),
]


class Writer:
    """Writes at random what a session could write, in batches as a flush has them."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.chance = random.Random(seed)
        self.tables = [1]

    def transaction(self) -> None:
        """Some batches, inner transactions, perhaps a failure at the end."""
        store, chance = self.store, self.chance
        known = list(self.tables)
        store.begin()
        depths: list[list[int]] = []
        for _ in range(chance.randrange(1, 8)):
            what = chance.random()
            if what < 0.1:
                store.savepoint()
                depths.append(list(self.tables))
            elif what < 0.2 and depths:
                before = depths.pop()
                if chance.random() < 0.5:
                    store.rollback_to()
                    self.tables = before
                else:
                    store.release()
            elif what < 0.25:
                store.clear_table(chance.choice(self.tables))
            elif what < 0.3:
                self.define()
            elif what < 0.35:
                store.indexes()
            else:
                self.batches()
        if chance.random() < 0.2:
            store.rollback()
            self.tables = known
        else:
            store.commit()

    def batches(self) -> None:
        """New tables, and entries of them and of others, in an order that a flush could have."""
        chance = self.chance
        count = chance.randrange(6)
        first = self.store.reserve(count) if count else 0
        new = list(range(first, first + count))
        self.tables += new
        written: dict[tuple[int, Value], Value | None] = {}
        for _ in range(chance.randrange(1, 25)):
            near = self.tables[:3] if chance.random() < 0.5 else self.tables[-9:]
            table_id = chance.choice(near if chance.random() < 0.8 else self.tables)
            keys = ROW_KEYS if table_id <= 3 else FIELDS
            written[table_id, chance.choice(keys)] = self.value()
        entries = list(written.items())
        chance.shuffle(entries)
        while entries or new:
            part, entries = entries[:5], entries[5:]
            made, new = new[:3], new[3:]
            # A table is made before its entries are written, or in the same batch.
            early = [table_id for table_id in new if any(entry[0][0] == table_id for entry in part)]
            made += early
            new = [table_id for table_id in new if table_id not in early]
            self.store.apply(
                [(table, *key, *value) for (table, key), value in part if value is not None],
                [(table, *key) for (table, key), value in part if value is None],
                new_tables=[(table_id,) for table_id in made],
            )

    def value(self) -> Value | None:
        what = self.chance.random()
        if what < 0.15:
            return None
        if what < 0.6:
            return TABLE, self.chance.choice(self.tables)
        return self.chance.choice(SCALARS)

    def define(self) -> None:
        """Makes an index or drops one."""
        store, chance = self.store, self.chance
        present = store.indexes()
        if len(present) > 5 or (len(present) > 2 and chance.random() < 0.3):
            store.drop_index(chance.choice(present))
            return
        name, keys = chance.choice(PATHS)
        table: Native = store.root(name, create=True)
        for key in keys:
            found = store.get(table, STRING, key) if isinstance(table, int) else None
            if found is None or found[0] != TABLE:
                return
            table = found[1]
        store.create_index(name, keys, **chance.choice(DEFINITIONS))


@pytest.mark.parametrize("seed", range(12))
def test_indexes_are_what_a_fresh_build_makes_them(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some settle in the middle of a transaction, too, and read the keys of small tables at once.
    monkeypatch.setattr(index_keeper, "NOTED_MAX", (50_000, 5, 0)[seed % 3])
    monkeypatch.setattr(index_keeper, "MANY_KEYS", (200, 1)[seed % 2])
    store = new_store(tmp_path)
    writer = Writer(store, seed)
    with store.transaction():
        store.root("users", create=True)
        writer.tables = [1, 2]
        for definition in writer.chance.sample(DEFINITIONS, 3):
            store.create_index("users", [], **definition)
    most = 0
    for number in range(40):
        writer.transaction()
        rows = [
            store._connection.execute(f"SELECT count(*) FROM {index.storage}").get
            for index in store.indexes()
        ]
        most = max(most, *rows, 0)
        assert store._wrong_indexes() == [], f"seed {seed}, transaction {number}"
        if number % 10 == 9:
            writer.store = store = open_again(store)
    assert store.integrity() == []
    assert most > 4
    store.close()


def test_the_check_sees_what_is_wrong(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        with store.transaction():
            users, row = store.root("users", create=True), store.reserve(1)
            store.apply([(users, INTEGER, 1, TABLE, row)], new_tables=[(row,)])
            store.apply([(row, STRING, "age", INTEGER, 3)])
            for definition in DEFINITIONS:
                store.create_index("users", [], **definition)
        assert store._wrong_indexes() == []
        for index in store.indexes():
            if index.kind == "text":
                store._connection.execute(
                    f"INSERT INTO {index.storage} (rowid, f1) VALUES (7, 'x')"
                )
            else:
                store._connection.execute(f"UPDATE {index.storage} SET key = 8")
        store._connection.execute("DELETE FROM index_members")
        # The one that had nothing is right; what rows consist of is one more that is wrong.
        assert len(store._wrong_indexes()) == len(DEFINITIONS) - 1 + 1
        for index in store.indexes():
            store.rebuild_index(index)
        assert store.integrity() == []


def test_a_violation_fails_the_commit_and_nothing_else(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.create_index("Memory", [], ["@value"], unique=True)
        with store.transaction(write=False):
            store.apply([(1, INTEGER, 1, STRING, "a"), (1, INTEGER, 2, STRING, "b")])
        with store.transaction(write=False):  # for a while, both are b
            store.apply([(1, INTEGER, 1, STRING, "b")])
            store.apply([(1, INTEGER, 2, STRING, "a")])
        both = r"Memory\(@value\).*Memory\[1\] and Memory\[3\].*\"b\""
        with pytest.raises(StoreError, match=both), store.transaction(write=False):
            store.apply([(1, INTEGER, 3, STRING, "b")])
        assert store.get(1, INTEGER, 3) is None
        assert store.integrity() == []


@pytest.mark.parametrize("count", [1, 3, 200])
def test_words_of_rows_that_were_taken_away_by_hand_are_written_over(count: int) -> None:
    """The index still has such rows, when they are written again as new ones."""
    rows = [(1, INTEGER, number, STRING, f"old words {number}") for number in range(count)]
    with Store.open(None) as store:
        with store.transaction():
            store.apply(rows)
        index = store.create_index("Memory", [], ["@value"], kind="text")
        store._connection.execute("DELETE FROM entries")
        with store.transaction():
            store.apply([(*row[:4], f"new words {row[2]}") for row in rows])
            store.apply([(1, INTEGER, count + 7, STRING, "another")])
        assert store.integrity() == []
        assert store.index_rows(index) == count + 1


@pytest.mark.parametrize("options", [{}, {"kind": "hash"}, {"each": True}])
@pytest.mark.parametrize("count", [3, 150, 900])
def test_many_rows_at_once_are_told_apart_in_unique_indexes(
    options: dict[str, Any], count: int
) -> None:
    """Whether few or most of an index are written: the values are looked up, or all of it."""
    field = "@value" if "each" not in options else "tags"

    def write(values: dict[int, int]) -> None:
        rows: list[Any] = [(1, INTEGER, key, INTEGER, value) for key, value in values.items()]
        new: list[tuple[int]] = []
        with store.transaction():
            if field == "tags":
                first = store.reserve(2 * len(values))
                made = [(item, first + 2 * n) for n, item in enumerate(values.items())]
                rows = [(1, INTEGER, key, TABLE, row) for (key, _), row in made]
                rows += [(row, STRING, "tags", TABLE, row + 1) for _, row in made]
                rows += [(row + 1, INTEGER, 1, INTEGER, value) for (_, value), row in made]
                new = [(table,) for _, row in made for table in (row, row + 1)]
            store.apply(rows, new_tables=new)

    with Store.open(None) as store:
        write({number: number for number in range(1, 300)})
        store.create_index("Memory", [], [field], unique=True, **options)
        write({number: number for number in range(300, 300 + count)})
        more = {number: number for number in range(2000, 2000 + count)}
        with pytest.raises(StoreError, match=r"is unique, and Memory\[299\] and Memory\[5000\]"):
            write({**more, 5000: 299})
        assert store.integrity() == []
