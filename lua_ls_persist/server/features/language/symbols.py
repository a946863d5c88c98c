"""The outline of a document, and symbols of the whole workspace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.symbols import Symbol, symbols_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import is_beside
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.features.language.speaking import speaks
from lua_ls_persist.server.fuzzy import score
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
    ) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not speaks(server, document):
            return []
        scopes = await server.scopes(document)
        symbols = symbols_of(document)
        text_document = server.client_capabilities.text_document
        known = text_document.document_symbol if text_document is not None else None
        if known is not None and known.hierarchical_document_symbol_support:
            return [_tree(server, document, scopes, symbol) for symbol in symbols]
        return [
            types.SymbolInformation(
                location=types.Location(document.uri, _range(server, document, scopes, inner)),
                name=inner.name,
                kind=_KINDS[inner.kind],
                container_name=container or None,
            )
            for symbol in symbols
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


def _tree(
    server: LuaLanguageServer, document: Document, scopes: Scopes, symbol: Symbol
) -> types.DocumentSymbol:
    selection = scopes.range(symbol.name_start, symbol.name_end)
    return types.DocumentSymbol(
        name=symbol.name,
        detail=symbol.detail or None,
        kind=_KINDS[symbol.kind],
        range=_range(server, document, scopes, symbol),
        selection_range=server.converter.range(document, selection),
        children=[_tree(server, document, scopes, child) for child in symbol.children] or None,
    )


def _range(
    server: LuaLanguageServer, document: Document, scopes: Scopes, symbol: Symbol
) -> types.Range:
    return server.converter.range(document, scopes.range(symbol.start, symbol.end))
