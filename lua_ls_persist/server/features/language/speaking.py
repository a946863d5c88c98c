"""Whether this server answers what another Lua server answers as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features import beside

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def speaks(server: LuaLanguageServer, document: Document) -> bool:
    """Whether nobody else says what the source of a document alone can tell."""
    return not beside.is_beside(server, server.workspace_of(document.uri))
