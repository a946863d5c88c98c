"""Analysis of Lua sources: scopes, names, paths and calls, right after every key press.

`scopes_of(document)` answers where a name is declared, what is visible, which expression and which
call the cursor is in. Knows documents and positions, nothing of LSP, files or sessions.
"""

from __future__ import annotations

from lua_ls_persist.server.analysis.comments import doc_comment
from lua_ls_persist.server.analysis.lexer import KEYWORDS, is_identifier
from lua_ls_persist.server.analysis.model import (
    CallSite,
    ExpressionPath,
    FunctionInfo,
    GlobalUse,
    Name,
    PathStep,
    Value,
)
from lua_ls_persist.server.analysis.scopes import Scopes, is_analysed, scopes_of

__all__ = [
    "KEYWORDS",
    "CallSite",
    "ExpressionPath",
    "FunctionInfo",
    "GlobalUse",
    "Name",
    "PathStep",
    "Scopes",
    "Value",
    "doc_comment",
    "is_analysed",
    "is_identifier",
    "scopes_of",
]
