"""Stores to collect in, and collections in steps."""

from __future__ import annotations

import itertools

from lua_ls_persist.model import Collected
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.helpers import write

ONE = (1, STRING, "x", INTEGER, 1)


def no_extra_roots() -> list[int]:
    return []


def ready(store: Store) -> Store:
    """Ids are chosen freely in these tests."""
    with store.transaction():
        store.reserve(200_000)
    return store


def collect_in_steps(
    store: Store, extra_roots: tuple[int, ...] = (), *, budget_ms: float = 1000
) -> Collected:
    for _ in range(10_000):
        collected = store.collect_step(lambda: extra_roots, budget_ms=budget_ms)
        if collected is not None:
            return collected
    raise AssertionError("it does not come to an end")


def tables_of(store: Store) -> set[int]:
    return {row[0] for row in store._connection.execute("SELECT id FROM tables")}


def chain(store: Store, *ids: int, key: str = "next") -> None:
    """Tables, each in the one before."""
    write(
        store,
        *[(a, STRING, key, TABLE, b) for a, b in itertools.pairwise(ids)],
        new_tables=[(table_id,) for table_id in ids],
    )
