"""What tests of the store share: some data, a look at all of it, and ways to disturb."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from lua_ls_persist.store import NewCode, Store
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Native,
    Value,
)

BYTECODE = b"\x1bLua" + bytes(range(256)) * 4

DATA_TABLES = (
    "roots",
    "tables",
    "full_entries",
    "full_cells",
    "functions",
    "function_cells",
    "sources",
    "code",
)

ORDER = {"full_entries": "1, 2, 3", "function_cells": "1, 2"}


def new_code(number: int = 0, **changes: Any) -> NewCode:
    facts: dict[str, Any] = {
        "bytecode": BYTECODE + number.to_bytes(4, "little"),
        "chunk": "@shapes.lua",
        "text": "local n = 0\nfunction Memory.hit() n = n + 1; return n end\n",
        "ordinal": 1,
        "line_defined": 2,
        "last_line": 2,
        "parameters": ("x", "y"),
        "is_vararg": True,
        "upvalues": ("n", "_ENV"),
    }
    return NewCode(**{**facts, **changes})


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All data of a store, with long strings in their place."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for name in DATA_TABLES:
        found = store._connection.execute(f"SELECT * FROM {name} ORDER BY {ORDER.get(name, '1')}")
        rows[name] = [tuple(map(exact, row)) for row in found]
    strings = store._connection.execute("SELECT count(*) FROM long_strings").get
    rows["long_strings"] = [(strings,)]
    return rows


def exact(value: Any) -> Any:
    """Something that is equal only if the values are the same in type and bits."""
    return ("float", struct.pack("<d", value)) if isinstance(value, float) else value


def write(store: Store, *entries: tuple[int, int, Native, int, Native], **more: Any) -> None:
    """Sets entries in a transaction of its own."""
    with store.transaction(write=False):
        store.apply(entries, **more)


def rows_of(store: Store, table_id: int = 1, *, at_once: int = 7) -> list[tuple[Any, ...]]:
    """All entries of a table, page by page."""
    rows: list[tuple[Any, ...]] = []
    after = None
    while True:
        page = store.page(table_id, after, at_once, 1 << 30)
        rows += page.rows
        if page.complete:
            return rows
        assert len(page.rows) == at_once
        after = (page.rows[-1][0], page.rows[-1][1])


def fill(store: Store) -> None:
    """Some of everything: tables, cycles, keys of all kinds, long strings, functions, cells."""
    with store.transaction(write=False):
        first = store.reserve(20)
        assert first == 2
        users = store.root("users", create=True)
        store.apply(
            [
                (1, STRING, "greeting", STRING, "hello"),
                (1, STRING, b"\xff\x00", BOOLEAN, 1),
                (1, INTEGER, 1, FLOAT, -0.0),
                (1, INTEGER, 2, FLOAT, nan_bits(math.nan)),
                (1, FLOAT, 1.5, INTEGER, -(2**63)),
                (1, BOOLEAN, 0, STRING, "x" * 5000),
                (1, TABLE, 2, TABLE, 2),
                (1, FUNCTION, 10, PERMANENT, "string.format"),
                (1, STRING, "hit", FUNCTION, 10),
                (1, PERMANENT, "math.sin", STRING, ""),
                (2, STRING, "self", TABLE, 2),
                (2, STRING, "long", STRING, b"\xfe" * 3000),
                (users, STRING, "ann", TABLE, 3),
                (3, STRING, "name", STRING, "Ann"),
                (3, STRING, "age", INTEGER, 41),
            ],
            new_tables=[(2,), (3,), (4,)],
            metatables=[(4, 3)],
            cells=[(11, INTEGER, 7), (12, STRING, "y" * 2000), (13, 0, None), (14, TABLE, 2)],
        )
        code = store.define_code(new_code())
        store.define_function(10, code, [11, 12, 13, 14])


def nan_bits(number: float) -> int:
    """A float's 64 bits as a native NaN."""
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits


def as_value(value: Any) -> Value:
    """A Python value as the store takes it."""
    if isinstance(value, bool):
        return BOOLEAN, int(value)
    if isinstance(value, int):
        return INTEGER, value
    if isinstance(value, float):
        return FLOAT, nan_bits(value) if math.isnan(value) else value
    assert isinstance(value, (str, bytes))
    return STRING, value


@contextmanager
def failing(store: Store, at: int, error: Exception) -> Iterator[list[str]]:
    """In the block, the statement number `at` fails. Gives the statements that were run."""
    run: list[str] = []

    def trace(_cursor: apsw.Cursor, statement: str, _bindings: object) -> bool:
        run.append(statement)
        if len(run) == at:
            raise error
        return True

    connection = store._connection
    connection.exec_trace = trace
    try:
        yield run
    finally:
        connection.exec_trace = None


def open_again(store: Store) -> Store:
    path = store.path
    assert path is not None
    store.close()
    return Store.open(path)


def new_store(folder: Path) -> Store:
    return Store.open(folder / "session.db", busy_timeout_ms=50)
