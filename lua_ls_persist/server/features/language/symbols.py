"""The outline of a document, and symbols of the whole workspace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.facts import fact
from lua_ls_persist.server.analysis.symbols import Symbol, symbols_by_statement, symbols_of
from lua_ls_persist.server.answers import RANGE, Encoded, Placed, listed, pattern
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import is_beside
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.features.language.speaking import speaks
from lua_ls_persist.server.fuzzy import score
from lua_ls_persist.server.positions import Encoding
from lua_ls_persist.server.workspace_files import FileSymbol
from lua_ls_persist.server.workspaces import Workspace

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

WORKSPACE_SYMBOLS_MAX = 500

_KINDS = {
    "function": types.SymbolKind.Function,
    "method": types.SymbolKind.Method,
    "module": types.SymbolKind.Module,
    "table": types.SymbolKind.Object,
    "constant": types.SymbolKind.Constant,
    "variable": types.SymbolKind.Variable,
    "field": types.SymbolKind.Field,
}


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/documentSymbol` and `workspace/symbol`."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def document_symbol(
        params: types.DocumentSymbolParams,
    ) -> Encoded | list[types.SymbolInformation]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not speaks(server, document):
            return listed(())
        scopes = await server.scopes(document)
        text_document = server.client_capabilities.text_document
        known = text_document.document_symbol if text_document is not None else None
        if known is not None and known.hierarchical_document_symbol_support:
            return outline(scopes, server.documents.encoding)
        return [
            types.SymbolInformation(
                location=types.Location(document.uri, _range(server, document, scopes, inner)),
                name=inner.name,
                kind=_KINDS[inner.kind],
                container_name=container or None,
            )
            for symbol in symbols_of(document)
            for inner, container in symbol.walk()
        ]

    @server.feature(types.WORKSPACE_SYMBOL)
    async def workspace_symbol(
        params: types.WorkspaceSymbolParams,
    ) -> list[types.WorkspaceSymbol]:
        query = params.query
        spoken: dict[Workspace, bool] = {}

        def speaks_of(uri: str) -> bool:
            workspace = server.workspace_of(uri)
            if workspace not in spoken:
                spoken[workspace] = not is_beside(server, workspace)
            return spoken[workspace]

        best = await among_files(server, lambda: _best(server.files.symbols(), query))
        found = [
            types.WorkspaceSymbol(
                location=types.Location(
                    symbol.uri,
                    server.converter.range(server.documents.get(symbol.uri), symbol.range),
                ),
                name=symbol.name,
                kind=_KINDS[symbol.kind],
                container_name=symbol.container or None,
            )
            for symbol in best
            if speaks_of(symbol.uri)
        ]
        for source in server.symbol_sources:
            found += await source(query)
        return found


def _best(symbols: Iterable[FileSymbol], query: str) -> list[FileSymbol]:
    """Those that a query fits, the best first."""
    scored = [
        (points, symbol) for symbol in symbols if (points := score(query, symbol.name)) is not None
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1].name, pair[1].uri, pair[1].range.start))
    return [symbol for _, symbol in scored[:WORKSPACE_SYMBOLS_MAX]]


def outline(scopes: Scopes, encoding: Encoding) -> Encoded:
    """The symbols as a tree. Of a statement only where it stands is looked at again."""
    parts: list[str] = []
    for base, statement, found in symbols_by_statement(scopes.chunk):
        find = partial(_placed, scopes, encoding, base, found.symbols)
        placed = fact(statement, (_placed, encoding, found.count), find)
        parts.append(placed.at(*scopes.place(base, encoding)))
    return listed(parts)


def _placed(scopes: Scopes, encoding: Encoding, base: int, symbols: Sequence[Symbol]) -> Placed:
    places: list[tuple[int, int]] = []
    first_row, first_column = scopes.place(base, encoding)

    def tree(symbol: Symbol) -> dict[str, object]:
        for offset in (symbol.start, symbol.end, symbol.name_start, symbol.name_end):
            row, column = scopes.place(base + offset, encoding)
            is_first = row == first_row
            places.append((row - first_row, column - first_column * is_first))
        data: dict[str, object] = {
            "name": symbol.name,
            "kind": _KINDS[symbol.kind].value,
            "range": RANGE,
            "selectionRange": RANGE,
        }
        if symbol.detail:
            data["detail"] = symbol.detail
        if symbol.children:
            data["children"] = [tree(child) for child in symbol.children]
        return data

    text = pattern([tree(symbol) for symbol in symbols])
    return Placed(text[1:-1], tuple(places))


def _range(
    server: LuaLanguageServer, document: Document, scopes: Scopes, symbol: Symbol
) -> types.Range:
    return server.converter.range(document, scopes.range(symbol.start, symbol.end))
