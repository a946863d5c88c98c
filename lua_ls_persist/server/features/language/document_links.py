"""Links from the name in `require("name")` to the module's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.features.language.speaking import speaks

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

LINKS_MAX = 1000


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/documentLink`."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def document_link(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not speaks(server, document):
            return []
        text_document = server.client_capabilities.text_document
        known = text_document.document_link if text_document is not None else None
        tooltips = known is not None and known.tooltip_support
        scopes = await server.scopes(document)
        required = scopes.required()[:LINKS_MAX]
        modules = await among_files(
            server,
            lambda: [(server.files.module(name, beside=document), at) for name, at in required],
        )
        return [
            types.DocumentLink(
                range=server.converter.range(document, range_),
                target=module.uri,
                tooltip="Open the module" if tooltips else None,
            )
            for module, range_ in modules
            if module is not None
        ]
