"""The session's file: SQLite, opened, checked and brought to the present format.

The only place that knows the SQLite binding. It knows nothing of Lua, WebAssembly or LSP, and the
layers above know its operations, not its file.
"""

from __future__ import annotations

from lua_ls_persist.store.migrations import FORMAT_VERSION
from lua_ls_persist.store.paths import FOLDER_NAME, default_path
from lua_ls_persist.store.store import APPLICATION_ID, Store, library_versions

__all__ = [
    "APPLICATION_ID",
    "FOLDER_NAME",
    "FORMAT_VERSION",
    "Store",
    "default_path",
    "library_versions",
]
