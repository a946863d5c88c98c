"""Sessions: evaluate Lua in one persistent VM, from any thread."""

from lua_ls_persist.session.limits import SESSION_LIMIT
from lua_ls_persist.session.session import (
    MEMORY_LIMIT_BYTES_DEFAULT,
    OUTPUT_LIMIT_BYTES_DEFAULT,
    TIME_LIMIT_S_DEFAULT,
    Session,
)
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
