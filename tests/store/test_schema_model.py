"""Random writes in any order, with inner transactions, to tables that are in each other.

A commit goes through exactly when the plain checker has nothing against the whole of what is there.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import SchemaViolationError
from lua_ls_persist.schema import Checker, LuaTable, type_of
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import STRING, TABLE
from tests.store.helpers import as_value

ROW = type_of(
    {
        "fields": {
            "name": "string?",
            "n": {"type": "integer?", "min": 0},
            "home": {"optional": True, "fields": {"name": "string"}, "extra": False},
            "tags": {"optional": True, "array": {"extra": "integer"}},
        },
        "extra": False,
    }
)
PLACE = type_of({"fields": {"name": "string"}})
SCHEMAS: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("rows",), ROW),
    (("Memory", "home", "tags"), PLACE),
)
DEPTH = 6
KEYS = st.sampled_from(("name", "n", "home", "tags", "rows", 1, 2))
TABLES = st.integers(0, 7)
WRITE = st.one_of(
    st.tuples(st.just("set"), TABLES, KEYS, st.sampled_from(("x", 1, -1, True))),
    st.tuples(st.just("put"), TABLES, KEYS, TABLES),
    st.tuples(st.just("put"), TABLES, KEYS, TABLES),
    st.tuples(st.just("delete"), TABLES, KEYS, st.none()),
    st.tuples(st.just("clear"), TABLES, st.none(), st.none()),
    st.tuples(
        st.sampled_from(("savepoint", "release", "rollback")), st.none(), st.none(), st.none()
    ),
)
Model = dict[int, dict[Any, Any]]


def tree(model: Model, table_id: int, depth: int) -> Any:
    if depth == 0:
        return LuaTable(table_id)
    return {
        key: tree(model, value.id, depth - 1) if isinstance(value, LuaTable) else value
        for key, value in model[table_id].items()
    }


def is_right(model: Model, roots: dict[str, int]) -> bool:
    """Whether all rows of all tables with schemas are what they are to be."""
    for (name, *keys), row in SCHEMAS:
        at: Any = LuaTable(roots[name])
        for key in keys:
            at = model[at.id].get(key) if isinstance(at, LuaTable) else None
        if isinstance(at, LuaTable):
            rows = tree(model, at.id, DEPTH)
            if any(True for one in rows.values() for _ in Checker().check(row, one, "")):
                return False
    return True


class Run:
    """A store and its model, which take the same writes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.transaction():
            for keys, row in SCHEMAS:
                store.set_schema(keys, row)
            self.roots = {"Memory": 1, "rows": store.root("rows", create=True)}
            self.first = store.reserve(8)
        self.model: Model = {table_id: {} for table_id in self.roots.values()}
        self.saved: list[Model] = []

    def table(self, number: int) -> int:
        if number < 2:
            return list(self.roots.values())[number]
        return self.first + number

    def write(self, step: tuple[Any, ...]) -> None:
        what, where, key, value = step
        if what in ("savepoint", "release", "rollback"):
            return self.inner(what)
        table_id = self.table(where)
        entries = self.model.setdefault(table_id, {})
        new = [(table_id,)] if table_id >= self.first else []
        if what == "clear":
            self.store.clear_table(table_id)
            entries.clear()
        elif what == "delete":
            self.store.apply(deletes=[(table_id, *as_value(key))], new_tables=new)
            entries.pop(key, None)
        elif what == "set":
            self.store.apply([(table_id, *as_value(key), *as_value(value))], new_tables=new)
            entries[key] = value
        else:
            inner = self.table(value)
            self.model.setdefault(inner, {})
            # Either of the two tables may come first.
            self.store.apply([(table_id, *as_value(key), TABLE, inner)], new_tables=new)
            self.store.apply(new_tables=[(inner,)])
            entries[key] = LuaTable(inner)
        return None

    def inner(self, what: str) -> None:
        if what == "savepoint":
            self.store.savepoint()
            self.saved.append(copy.deepcopy(self.model))
        elif self.saved and what == "release":
            self.store.release()
            self.saved.pop()
        elif self.saved:
            self.store.rollback_to()
            self.model = self.saved.pop()


@settings(max_examples=150, deadline=None)
@given(transactions=st.lists(st.lists(WRITE, max_size=12), max_size=6))
def test_a_commit_goes_through_when_all_is_right(transactions: list[list[Any]]) -> None:
    with Store.open(None) as store:
        run = Run(store)
        for steps in transactions:
            before = copy.deepcopy(run.model)
            run.saved = []
            is_committed = True
            try:
                with store.transaction():
                    for step in steps:
                        run.write(step)
                    while run.saved:
                        run.inner("release")
            except SchemaViolationError:
                is_committed = False
            assert is_committed is is_right(run.model, run.roots), steps
            if not is_committed:
                run.model = before
        with store.transaction():
            assert store.check_schemas() == []
        assert store.get(1, STRING, "nothing") is None
