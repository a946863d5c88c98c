"""The session's file: SQLite, and everything that is kept in it.

The only place that knows the SQLite binding. It knows nothing of Lua, WebAssembly or LSP, and the
layers above know its operations, not its file. docs/store.md tells the file's format.

Names are loaded when they are first used: who only wants to know where a file is needs no SQLite.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lua_ls_persist.store.migrations import FORMAT_VERSION
    from lua_ls_persist.store.opening import APPLICATION_ID, library_versions
    from lua_ls_persist.store.paths import FOLDER_NAME, default_path
    from lua_ls_persist.store.recording import Description, HistoryLimits
    from lua_ls_persist.store.repair import repair
    from lua_ls_persist.store.rows import (
        CodeRow,
        Collected,
        Difference,
        Entry,
        FunctionRow,
        Key,
        Native,
        Nested,
        NewCode,
        Page,
        Pair,
        Recorded,
        Repaired,
        Root,
        Sizes,
        StoredFunction,
        StoredImage,
        TableInfo,
        Text,
        Value,
        as_native,
    )
    from lua_ls_persist.store.store import Store

__all__ = [
    "APPLICATION_ID",
    "FOLDER_NAME",
    "FORMAT_VERSION",
    "CodeRow",
    "Collected",
    "Description",
    "Difference",
    "Entry",
    "FunctionRow",
    "HistoryLimits",
    "Key",
    "Native",
    "Nested",
    "NewCode",
    "Page",
    "Pair",
    "Recorded",
    "Repaired",
    "Root",
    "Sizes",
    "Store",
    "StoredFunction",
    "StoredImage",
    "TableInfo",
    "Text",
    "Value",
    "as_native",
    "default_path",
    "library_versions",
    "repair",
]

_MODULES = {
    "migrations": ("FORMAT_VERSION",),
    "opening": (
        "APPLICATION_ID",
        "library_versions",
    ),
    "paths": (
        "FOLDER_NAME",
        "default_path",
    ),
    "recording": (
        "Description",
        "HistoryLimits",
    ),
    "repair": ("repair",),
    "rows": (
        "CodeRow",
        "Collected",
        "Difference",
        "Entry",
        "FunctionRow",
        "Key",
        "Native",
        "Nested",
        "NewCode",
        "Page",
        "Pair",
        "Recorded",
        "Repaired",
        "Root",
        "Sizes",
        "StoredFunction",
        "StoredImage",
        "TableInfo",
        "Text",
        "Value",
        "as_native",
    ),
    "store": ("Store",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
