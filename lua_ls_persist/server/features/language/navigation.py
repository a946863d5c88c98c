"""Definition, declaration, references and highlights: where names lead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

from lsprotocol import types

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.speaking import speaks
from lua_ls_persist.server.live.finding import Finder
from lua_ls_persist.server.navigation import Spot
from lua_ls_persist.server.positions import Position
from lua_ls_persist.session.sights import Question, Way

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

T = TypeVar("T")

REFERENCES_MAX = 10_000
_HOLDERS = Question(Way(), holders=True)


def register(server: LuaLanguageServer) -> None:
    """Answers the requests."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> list[types.Location]:
        return await _definitions(server, params)

    @server.feature(types.TEXT_DOCUMENT_DECLARATION)
    async def declaration(params: types.DeclarationParams) -> list[types.Location]:
        return await _definitions(server, params)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def references(params: types.ReferenceParams) -> list[types.Location]:
        at = await place(server, params)
        if at is None:
            return []
        finder = await finder_for(server, *at)
        found = await among_files(server, lambda: finder.references(*at))
        if not params.context.include_declaration:
            found = [spot for spot in found if not spot.is_write] or found
        return locations(server, found[:REFERENCES_MAX])

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def document_highlight(
        params: types.DocumentHighlightParams,
    ) -> list[types.DocumentHighlight]:
        at = await place(server, params)
        if at is None:
            return []
        finder = await finder_for(server, *at)
        found = await among_files(server, lambda: finder.highlights(*at))
        kinds = types.DocumentHighlightKind
        return [
            types.DocumentHighlight(
                server.converter.range(at[0], spot.range),
                kinds.Write if spot.is_write else kinds.Read,
            )
            for spot in found
        ]


class Placed(Protocol):
    """The parameters of a request about a place."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


async def place(server: LuaLanguageServer, params: Placed) -> tuple[Document, Position] | None:
    """The document and the place that a request is about, once the document is analysed."""
    document = server.documents.get(params.text_document.uri)
    if document is None or not speaks(server, document):
        return None
    await server.scopes(document)
    at = params.position
    return document, document.position(server.documents.encoding, at.line, at.character)


async def finder_for(server: LuaLanguageServer, document: Document, position: Position) -> Finder:
    """What finds the same as what stands at a place; of fields with what the VM's globals hold.

    It does not wait for an evaluation, and opens no session.
    """
    name = scopes_of(document).name_at(position)
    workspace = server.workspace_of(document.uri)
    is_field = name is None or name.kind in ("field", "method")
    if not is_field or not workspace.evaluator.opened:
        return Finder(server.navigator)
    sight = await workspace.view.see(_HOLDERS)
    return Finder(server.navigator) if sight is None else Finder(server.navigator, sight.holders)


async def among_files(server: LuaLanguageServer, call: Callable[[], T]) -> T:
    """Runs what may have to read files, outside of the loop."""
    return await asyncio.get_running_loop().run_in_executor(server.files.worker, call)


def locations(server: LuaLanguageServer, spots: Iterable[Spot]) -> list[types.Location]:
    """Places for the client."""
    return [
        types.Location(spot.document.uri, server.converter.range(spot.document, spot.range))
        for spot in spots
    ]


async def _definitions(server: LuaLanguageServer, params: Placed) -> list[types.Location]:
    at = await place(server, params)
    if at is not None:
        inside = at
        finder = await finder_for(server, *at)
        found = await among_files(server, lambda: finder.definitions(*inside))
        if found:
            return locations(server, found)
    else:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        line, character = params.position.line, params.position.character
        at = document, document.position(server.documents.encoding, line, character)
    for source in server.definition_sources:
        known = await source(*at)
        if known:
            return known
    return []
