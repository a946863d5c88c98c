"""Sessions: evaluate Lua in one persistent VM, from any thread.

The names that bring WebAssembly and SQLite with them are loaded when they are first used: a
language server answers its client before it needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from lua_ls_persist.session.limits import (
    MEMORY_LIMIT_BYTES_DEFAULT,
    OUTPUT_LIMIT_BYTES_DEFAULT,
    SESSION_LIMIT,
    TIME_LIMIT_S_DEFAULT,
)

if TYPE_CHECKING:
    from lua_ls_persist.session.session import Session
    from lua_ls_persist.session.syntax import SyntaxChecker
    from lua_ls_persist.store import default_path

__all__ = [
    "MEMORY_LIMIT_BYTES_DEFAULT",
    "OUTPUT_LIMIT_BYTES_DEFAULT",
    "SESSION_LIMIT",
    "TIME_LIMIT_S_DEFAULT",
    "Session",
    "SyntaxChecker",
    "default_path",
]

_MODULE_OF = {
    "Session": "lua_ls_persist.session.session",
    "SyntaxChecker": "lua_ls_persist.session.syntax",
    "default_path": "lua_ls_persist.store",
}


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value
