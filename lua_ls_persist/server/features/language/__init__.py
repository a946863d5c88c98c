"""What the sources alone say: features that need no session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist.server.features.language import (
    document_links,
    files,
    formatting,
    navigation,
    renaming,
    semantic_tokens,
    structure,
    symbols,
)

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def register(server: LuaLanguageServer) -> None:
    """Answers all of them."""
    for feature in (
        document_links,
        files,
        formatting,
        navigation,
        renaming,
        semantic_tokens,
        structure,
        symbols,
    ):
        feature.register(server)
