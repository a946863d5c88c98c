"""Many rows written at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import apsw

from lua_ls_persist.store.rows import Native

ROWS_AT_ONCE: Final = 50
"""So many rows a statement: binding them takes less time than stepping through statements."""


def write_rows(
    cursor: apsw.Cursor | apsw.Connection, statement: str, rows: Sequence[tuple[Native, ...]]
) -> None:
    """Runs `INSERT INTO x` for rows, several at once: that takes a third less time, at least."""
    if not rows:
        return
    row = f"({', '.join('?' * len(rows[0]))})"
    whole = len(rows) - len(rows) % ROWS_AT_ONCE
    if whole:
        many = f"{statement} VALUES {', '.join([row] * ROWS_AT_ONCE)}"
        flat = itertools.chain.from_iterable
        for start in range(0, whole, ROWS_AT_ONCE):
            cursor.execute(many, tuple(flat(rows[start : start + ROWS_AT_ONCE])))
    cursor.executemany(f"{statement} VALUES {row}", rows[whole:])
