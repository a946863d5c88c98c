"""Sessions: evaluate Lua in one persistent VM, from any thread.

The names that bring WebAssembly and SQLite with them are loaded when they are first used: a
language server answers its client before it needs them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist._loading import names_from
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

if not TYPE_CHECKING:  # a type checker that saw it would accept any name
    __getattr__ = names_from(__name__, __all__, ("..store", ".syntax", ".session"))
