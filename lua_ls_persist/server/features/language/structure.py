"""Folding and selection ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.analysis.folding import folds_of
from lua_ls_persist.server.answers import HOLE, Encoded, listed, pattern
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.speaking import speaks
from lua_ls_persist.server.forms import Syntax
from lua_ls_persist.server.positions import Position, Range

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

_ROWS = {"startLine": HOLE, "endLine": HOLE}
_PATTERNS = {
    "": pattern(_ROWS),
    "comment": pattern({**_ROWS, "kind": types.FoldingRangeKind.Comment.value}),
    "region": pattern({**_ROWS, "kind": types.FoldingRangeKind.Region.value}),
}


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/foldingRange` and `textDocument/selectionRange`."""

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folding_range(params: types.FoldingRangeParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None or not speaks(server, document):
            return listed(())
        folds = folds_of(await server.scopes(document))
        text_document = server.client_capabilities.text_document
        known = text_document.folding_range if text_document is not None else None
        limit = known.range_limit if known is not None else None
        return listed(_PATTERNS[fold.kind] % (fold.first, fold.last) for fold in folds[:limit])

    @server.feature(types.TEXT_DOCUMENT_SELECTION_RANGE)
    async def selection_range(
        params: types.SelectionRangeParams,
    ) -> list[types.SelectionRange]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not speaks(server, document):
            return []
        syntax = await server.syntax(document)
        return [
            _nested(
                server,
                document,
                syntax,
                document.position(server.documents.encoding, place.line, place.character),
            )
            for place in params.positions
        ]


def _nested(
    server: LuaLanguageServer, document: Document, syntax: Syntax, position: Position
) -> types.SelectionRange:
    """What is around a place, from the whole text inwards."""
    found: types.SelectionRange | None = None
    last: Range | None = None
    for range_ in [document.range, *syntax.ranges_around(position)]:
        if range_ != last:
            last = range_
            found = types.SelectionRange(server.converter.range(document, range_), found)
    assert found is not None
    return found
