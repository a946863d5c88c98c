"""The session's file: SQLite, and everything that is kept in it.

The only place that knows the SQLite binding. It knows nothing of Lua, WebAssembly or LSP, and the
layers above know its operations, not its file. docs/store.md tells the file's format.

Names are loaded when they are first used: who only wants to know where a file is needs no SQLite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist._loading import names_from

if TYPE_CHECKING:
    from lua_ls_persist.store.migrations import FORMAT_VERSION
    from lua_ls_persist.store.opening import APPLICATION_ID, library_versions
    from lua_ls_persist.store.paths import FOLDER_NAME, default_path
    from lua_ls_persist.store.recording import Description, HistoryLimits
    from lua_ls_persist.store.repair import repair
    from lua_ls_persist.store.rows import (
        CodeRow,
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

_MODULES = (".paths", ".rows", ".migrations", ".opening", ".recording", ".store", ".repair")

if not TYPE_CHECKING:  # a type checker that saw it would accept any name
    __getattr__ = names_from(__name__, __all__, _MODULES)
