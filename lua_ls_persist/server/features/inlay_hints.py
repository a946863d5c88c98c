"""Results and output behind the code, as inlay hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.convert import client_range

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/inlayHint`."""

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        wanted = server.converter.range_in(document, client_range(params.range))
        hints = server.visible_hints(document.uri)
        return server.converter.inlay_hints(
            document, [hint for hint in hints if wanted.holds(hint.position)]
        )
