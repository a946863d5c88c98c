"""What programs hear of the history, for the prelude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lua_ls_persist.errors import WireError
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store import Recorded
from lua_ls_persist.store.history import KEYS_TOLD_MAX

LIMIT_MAX: Final = 1_000_000


def _history(services: DataServices, arguments: Mapping[Any, Tree]) -> Tree:
    limit = arguments.get("limit")
    if not isinstance(limit, int):
        raise WireError("a limit is a number")
    found = services.store.history(min(limit, LIMIT_MAX), keys_max=KEYS_TOLD_MAX)
    return [_entry(row) for row in found]


def _entry(row: Recorded) -> Tree:
    return {
        "number": row.number,
        "made_utc": row.made_utc,
        "name": row.name,
        "source": row.source,
        "source_bytes": row.source_bytes,
        "entries_set": row.entries_set,
        "entries_deleted": row.entries_deleted,
        "tables_made": row.tables_made,
        "functions_made": row.functions_made,
        "upvalues_set": row.upvalues_set,
        "keys": list(row.keys),
        "bytes": row.bytes,
        "own": row.own,
        "undoable": row.is_whole,
        "undone": row.is_undone,
    }


OPERATIONS: Final = {"history": DataOperation(_history)}
