"""The store against a plain model: whatever is done, and however often it is opened again."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from lua_ls_persist.store import Store, as_native
from lua_ls_persist.store.rows import FLOAT, FUNCTION, INTEGER, STRING, TABLE
from tests.store.helpers import as_value, exact, new_store, rows_of

Model = dict[str, Any]

# Few of each, so that keys meet again.
TABLES = st.sampled_from([1, 2, 3, 4])
NAMES = st.sampled_from(["users", "log", "Users"])
NUMBERS = st.one_of(
    st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.sampled_from([0.5, -1.5, math.inf])
)
STRINGS = st.one_of(
    st.sampled_from(["", "a", "b", "A"]),
    st.binary(max_size=4).map(as_native),
    st.integers(890, 910).map(lambda length: "l" * length),
    st.sampled_from([b"\xff" * 2000]),
)
REFERENCES = st.tuples(st.sampled_from([TABLE, FUNCTION]), st.integers(1, 4))
KEYS = st.one_of(st.one_of(st.booleans(), NUMBERS, STRINGS).map(as_value), REFERENCES)
VALUES = st.one_of(
    st.one_of(st.booleans(), NUMBERS, st.floats(), STRINGS).map(as_value), REFERENCES
)


class StoreMachine(RuleBasedStateMachine):
    """One file, opened again and again, in and out of transactions."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = new_store(Path(self.folder.name))
        self.store.begin()
        self.store.reserve(500)  # the ids that are used here
        self.store.commit()
        self.committed: Model = {"entries": {}, "metatables": {}, "cells": {}, "roots": {}}
        self.stack: list[Model] = []
        self.state = 0

    @property
    def model(self) -> Model:
        return self.stack[-1] if self.stack else self.committed

    def push(self) -> None:
        self.stack.append({name: dict(content) for name, content in self.model.items()})

    def ensure_transaction(self) -> None:
        if not self.stack:
            self.store.begin()
            self.push()

    @rule(
        sets=st.dictionaries(st.tuples(TABLES, KEYS), VALUES, max_size=6),
        deletes=st.sets(st.tuples(TABLES, KEYS), max_size=4),
        cells=st.dictionaries(st.integers(100, 103), VALUES, max_size=2),
    )
    def apply(self, sets: Any, deletes: Any, cells: Any) -> None:
        self.ensure_transaction()
        deletes = {key for key in deletes if self.named(key) not in set(map(self.named, sets))}
        distinct = {self.named(key): (key, value) for key, value in sets.items()}
        self.store.apply(
            [(table, *key, *value) for (table, key), value in distinct.values()],
            [(table, *key) for table, key in deletes],
            new_tables=[(1,), (2,), (3,), (4,)],
            cells=[(cell, *value) for cell, value in cells.items()],
        )
        entries = self.model["entries"]
        for key, value in distinct.values():
            entries[self.named(key)] = self.exactly(value)
        for key in deletes:
            entries.pop(self.named(key), None)
        self.model["cells"].update({cell: self.exactly(value) for cell, value in cells.items()})

    @staticmethod
    def named(key: Any) -> Any:
        table, (kind, native) = key
        return table, kind, exact(native)

    @staticmethod
    def exactly(value: Any) -> Any:
        return value[0], exact(value[1])

    @rule(table=TABLES, metatable=st.one_of(st.none(), TABLES))
    def set_metatable(self, table: int, metatable: int | None) -> None:
        self.ensure_transaction()
        self.store.apply(new_tables=[(table,)], metatables=[(metatable, table)])
        self.model["metatables"][table] = metatable

    @rule(table=TABLES)
    def clear(self, table: int) -> None:
        self.ensure_transaction()
        self.store.clear_table(table)
        entries = self.model["entries"]
        for key in [key for key in entries if key[0] == table]:
            del entries[key]

    @rule(name=NAMES)
    def make_root(self, name: str) -> None:
        self.ensure_transaction()
        known = self.model["roots"].get(name)
        made = self.store.root(name, create=True)
        if known is not None:
            assert made == known
        else:
            assert made not in self.model["roots"].values()
            self.model["roots"][name] = made

    @rule(name=NAMES)
    def drop_root(self, name: str) -> None:
        self.ensure_transaction()
        assert self.store.drop_root(name) == (self.model["roots"].pop(name, None) is not None)

    @precondition(lambda self: 0 < len(self.stack) < 5)
    @rule()
    def savepoint(self) -> None:
        self.store.savepoint()
        self.push()

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def release(self) -> None:
        self.store.release()
        self.stack[-2:] = self.stack[-1:]

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def rollback_to(self) -> None:
        self.store.rollback_to()
        self.stack.pop()

    @precondition(lambda self: len(self.stack) == 1)
    @rule()
    def commit(self) -> None:
        self.state += self.store.commit()
        self.committed = self.stack.pop()

    @rule()
    def rollback(self) -> None:
        self.store.rollback()
        self.stack.clear()

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.stack.clear()
        self.store = new_store(Path(self.folder.name))

    @precondition(lambda self: not self.stack)
    @rule()
    def vacuum(self) -> None:
        self.store.vacuum()

    @rule()
    def look(self) -> None:
        assert self.store.state == self.state
        # What refers to nothing is wanted here.
        assert [it for it in self.store.integrity() if "missing" not in it] == []

    @invariant()
    def is_like_the_model(self) -> None:
        if not hasattr(self, "store"):
            return
        entries = self.model["entries"]
        for table in (1, 2, 3, 4):
            rows = rows_of(self.store, table, at_once=3)
            assert {(table, row[0], exact(row[1])): (row[2], exact(row[3])) for row in rows} == {
                key: value for key, value in entries.items() if key[0] == table
            }
            integers = [row[1] for row in rows if row[0] == INTEGER and row[1] > 0]
            assert self.store.length(table) == max(integers, default=0)
        cells = self.store.cells(range(100, 104))
        assert {cell: self.exactly(value) for cell, value in cells.items()} == self.model["cells"]
        metatables = self.model["metatables"]
        assert self.store.metatables([1, 2, 3, 4]) == {
            table: metatable for table, metatable in metatables.items() if metatable is not None
        }
        roots = {root.name: root.table_id for root in self.store.roots()}
        assert roots == {"Memory": 1, **self.model["roots"]}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


class ReopenedMachine(StoreMachine):
    """The same, with the file opened again after every commit and rollback."""

    @precondition(lambda self: len(self.stack) == 1)
    @rule()
    def commit(self) -> None:
        super().commit()
        self.open_again()

    @rule()
    def rollback(self) -> None:
        super().rollback()
        self.open_again()


TestStore = StoreMachine.TestCase
TestStore.settings = settings(stateful_step_count=30)
TestReopened = ReopenedMachine.TestCase
TestReopened.settings = settings(stateful_step_count=30)


def test_two_stores_take_turns(tmp_path: Path) -> None:
    """Each sees what the other has committed, and only that."""
    with new_store(tmp_path) as first, new_store(tmp_path) as second:
        for turn in range(50):
            writer, reader = (first, second) if turn % 3 else (second, first)
            writer.begin()
            writer.changed_by_others()
            before = writer.get(1, STRING, "turn")
            assert before == (None if turn == 0 else (INTEGER, turn - 1))
            writer.apply([(1, STRING, "turn", INTEGER, turn), (1, FLOAT, turn + 0.5, STRING, "x")])
            assert reader.get(1, STRING, "turn") == before
            writer.commit()
            assert reader.get(1, STRING, "turn") == (INTEGER, turn)
            assert len(rows_of(reader)) == turn + 2


def test_a_model_of_many_entries(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "session.db")
    for batch in range(10):
        store.begin()
        store.apply([(1, INTEGER, key, INTEGER, batch) for key in range(batch, 5000, batch + 1)])
        store.apply(deletes=[(1, INTEGER, key) for key in range(0, 5000, 97 + batch)])
        store.commit()
    expected: dict[int, int] = {}
    for batch in range(10):
        expected.update(dict.fromkeys(range(batch, 5000, batch + 1), batch))
        for key in range(0, 5000, 97 + batch):
            expected.pop(key, None)
    rows = rows_of(store, at_once=999)
    store.close()
    assert {row[1]: row[3] for row in rows} == expected
