"""Compressing tables, for the prelude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lua_ls_persist.model import TableCompression
from lua_ls_persist.session.data_queries import table_in
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Tree

_Arguments = Mapping[Any, Tree]


def compression_tree(found: TableCompression | None) -> Tree:
    """What came of compressing a table, for programs."""
    if found is None:
        return None
    return {
        "strings": found.strings,
        "compressed": found.compressed,
        "plain_bytes": found.plain_bytes,
        "stored_bytes": found.stored_bytes,
        "ratio": found.ratio,
    }


def _compress(services: DataServices, arguments: _Arguments) -> Tree:
    store = services.store
    table_id = None if arguments.get("table") is None else table_in(services, arguments)
    done = store.compress(table_id, on_progress=services.go_on)
    if table_id is not None:
        return compression_tree(store.compression(table_id))
    names = {root.table_id: root.name for root in store.roots()}
    return {names[root_id]: compression_tree(what) for root_id, what in done}


OPERATIONS: Final = {"compress": DataOperation(_compress, changes=True)}
