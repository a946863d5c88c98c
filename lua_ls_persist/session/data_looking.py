"""What there is in the store, for the prelude: named tables, functions, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from lua_ls_persist.session.data_compression import compression_tree
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Stored, Tree
from lua_ls_persist.store.rows import TABLE, StoredFunction

_Arguments = Mapping[Any, Tree]


def _tables(services: DataServices, _arguments: _Arguments) -> Tree:
    return [{"name": root.name, "entries": root.entries} for root in services.store.roots()]


def _info(services: DataServices, arguments: _Arguments) -> Tree:
    table = arguments.get("table")
    table_id = 0
    if isinstance(table, Stored) and table.kind == TABLE:
        table_id = cast("int", table.native)
    elif isinstance(table, (str, bytes)):
        name = table if isinstance(table, str) else table.decode("utf-8", "backslashreplace")
        table_id = services.store.root(name, create=False)
    info = services.store.table_info(table_id)
    if not info.exists:
        return None
    return {
        "name": info.root or None,
        "entries": info.entries,
        "id": table_id,
        "compression": compression_tree(services.store.compression(table_id)),
    }


def _functions(services: DataServices, _arguments: _Arguments) -> Tree:
    return [
        {
            "path": function.path,
            "name": function.name,
            "location": location(function),
            "parameters": parameters_text(function),
            "id": function.id,
        }
        for function in services.store.functions()
    ]


def _memory(services: DataServices, _arguments: _Arguments) -> Tree:
    sizes = services.store.sizes()
    return {
        "file_bytes": sizes.file_bytes,
        "tables": sizes.tables,
        "entries": sizes.entries,
        "functions": sizes.functions,
    }


def _table_id(_services: DataServices, arguments: _Arguments) -> Tree:
    table = arguments.get("table")
    return cast("int", table.native) if isinstance(table, Stored) else None


def location(function: StoredFunction) -> str:
    """Where a function is defined: `shapes.lua:12`."""
    chunk = function.chunk[1:] if function.chunk[:1] in ("@", "=") else function.chunk
    return f"{chunk}:{function.line_defined}"


def parameters_text(function: StoredFunction) -> str:
    """A function's parameters as its definition lists them: `x, y, ...`."""
    return ", ".join((*function.parameters, *(("...",) if function.is_vararg else ())))


OPERATIONS: Final = {
    "tables": DataOperation(_tables),
    "info": DataOperation(_info),
    "functions": DataOperation(_functions),
    "memory": DataOperation(_memory),
    "table_id": DataOperation(_table_id),
}
