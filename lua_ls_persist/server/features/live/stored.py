"""Where live and stored things are found: definitions, and symbols of the workspace.

A function of the VM leads to the place that defined it; where that is gone, to its stored source as
a virtual document. The name of a table leads to its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server import uris
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.drift import drift_of
from lua_ls_persist.server.features import virtual_documents
from lua_ls_persist.server.fuzzy import score
from lua_ls_persist.server.live.cursor import typed_at
from lua_ls_persist.server.live.describing import Describer
from lua_ls_persist.server.live.questions import path_of
from lua_ls_persist.server.live.resolving import Resolver, named_table
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.virtual import Place
from lua_ls_persist.server.workspaces import Workspace
from lua_ls_persist.session.sights import ANY, Question, Way

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

SYMBOLS_MAX: Final = 200


def register(server: LuaLanguageServer) -> None:
    """Contributes to definitions and symbols."""

    async def definitions(document: Document, position: Position) -> list[types.Location]:
        if not server.workspace_of(document.uri).evaluator.opened:
            return []
        return await _definitions(server, document, position)

    async def symbols(query: str) -> list[types.WorkspaceSymbol]:
        found: list[tuple[float, types.WorkspaceSymbol]] = []
        for workspace in server.workspaces.open_folders():
            if workspace.evaluator.opened:
                found += await _symbols(server, workspace, query)
        found.sort(key=lambda pair: (-pair[0], pair[1].name))
        return [symbol for _, symbol in found[:SYMBOLS_MAX]]

    server.definition_sources.append(definitions)
    server.symbol_sources.append(symbols)


async def _definitions(
    server: LuaLanguageServer, document: Document, position: Position
) -> list[types.Location]:
    scopes = await server.scopes(document)
    resolver = Resolver(scopes, uris.key_of(document.uri))
    if typed_at(scopes, position).kind == "string":
        table = named_table(resolver, position)
        path = None if table is None else path_of(table)
        if path is None:
            return []
        return await _virtual(server, Place("table", path, folder=document.uri))
    expression = scopes.path_at(position)
    target = None if expression is None else resolver.target(expression)
    if not isinstance(target, Way) or ANY in target.steps:
        return []
    workspace = server.workspace_of(document.uri)
    sight = await workspace.view.see(Question(target))
    if sight is None or sight.function is None or sight.function.c:
        return []
    describer = Describer(workspace, server.find_document)
    stored = await describer.stored_function(target, sight.function)
    if stored is not None:
        drift = describer.drift(stored)
        if drift.uri is not None and drift.row is not None:
            return [_location(server, drift.uri, drift.row)]
        place = Place("function", stored.path, folder=document.uri)
        return await _virtual(server, place)
    found = describer.locate(sight.function)
    return [] if found is None else [_location(server, found.uri, found.row)]


async def _symbols(
    server: LuaLanguageServer, workspace: Workspace, query: str
) -> list[tuple[float, types.WorkspaceSymbol]]:
    """The stored functions and tables of a workspace that a query fits."""
    found: list[tuple[float, types.WorkspaceSymbol]] = []
    folder = None if workspace.folder is None else uris.uri_of(workspace.folder)
    # For others than those who can ask, each would be a file that is written just in case.
    is_virtual = virtual_documents.can_ask(server)
    for function in await workspace.view.functions():
        points = score(query, function.path)
        if points is None:
            continue
        drift = drift_of(function, workspace.places, server.find_document)
        if drift.uri is not None and drift.row is not None:
            location = _location(server, drift.uri, drift.row)
        elif is_virtual:
            location = _at(Place("function", function.path, folder=folder).uri)
        else:
            continue
        kind = types.SymbolKind.Function
        symbol = types.WorkspaceSymbol(location, function.path, kind, container_name="stored")
        found.append((points, symbol))
    for table in await workspace.view.tables() if is_virtual else ():
        points = score(query, table.name)
        if points is not None:
            location = _at(Place("table", table.name, folder=folder).uri)
            kind = types.SymbolKind.Struct
            rows = f"stored, {table.entries:,} rows"
            symbol = types.WorkspaceSymbol(location, table.name, kind, container_name=rows)
            found.append((points, symbol))
    return found


async def _virtual(server: LuaLanguageServer, place: Place) -> list[types.Location]:
    try:
        return [_at(await virtual_documents.uri_of(server, place))]
    except LuaPersistError:
        return []


def _at(uri: str) -> types.Location:
    start = types.Position(0, 0)
    return types.Location(uri, types.Range(start, start))


def _location(server: LuaLanguageServer, uri: str, row: int) -> types.Location:
    """A row of a document: its first word."""
    document = server.find_document(uri)
    column = 0
    if document is not None:
        text = document.row(row)
        column = len(text) - len(text.lstrip())
    place = Range.of(row, column, row, column)
    return types.Location(uri, server.converter.range(document, place))
