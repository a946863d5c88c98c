"""Rows of a file, in pieces, for the part of the prelude that stores them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from lua_ls_persist.errors import InterchangeError
from lua_ls_persist.protocol import DECODE_DEPTH_MAX
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Tree

PIECE_ROWS: Final = 256
PIECE_BYTES: Final = 64 * 1024
"""So many rows, or so much of them, come at once: a VM may be small."""

ROW_DEPTH_MAX: Final = DECODE_DEPTH_MAX - 2
"""A row comes in a list, as a member of what tells its place."""

_Arguments = Mapping[Any, Tree]


def _begin(services: DataServices, _arguments: _Arguments) -> Tree:
    assert services.rows is not None, "no file is read"
    services.reading = services.rows()
    return None


def _rows(services: DataServices, _arguments: _Arguments) -> Tree:
    services.go_on()
    piece: list[Tree] = []
    size = 0
    for row in islice(services.reading, PIECE_ROWS):
        piece.append({"key": row.key, "value": row.value, "place": row.place})
        size += _size(row.value, row.place)
        if size >= PIECE_BYTES:
            break
    return piece


def _size(value: Any, place: str, depth: int = 0) -> int:
    """Roughly, what it takes in a VM.

    Raises:
        InterchangeError: it is a table too deep for one.
    """
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, (dict, list)):
        return 0
    if depth == ROW_DEPTH_MAX:
        raise InterchangeError(f"{place}: the row is nested deeper than {ROW_DEPTH_MAX} tables")
    if isinstance(value, dict):
        return 64 + sum(40 + _size(item, place, depth + 1) for item in value.values())
    return 64 + sum(16 + _size(item, place, depth + 1) for item in value)


OPERATIONS: Final = {
    "import_begin": DataOperation(_begin),
    "import_rows": DataOperation(_rows),
}
