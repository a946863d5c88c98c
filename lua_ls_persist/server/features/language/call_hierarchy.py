"""The call hierarchy of the sources: who calls a function, and what it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.calls import Function, function_at, incoming, outgoing
from lua_ls_persist.server.features.language.navigation import among_files, place
from lua_ls_persist.server.positions import Position, Range

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def register(server: LuaLanguageServer) -> None:
    """Answers the three requests."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    async def prepare(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem]:
        at = await place(server, params)
        if at is None:
            return []
        found = await among_files(server, lambda: function_at(server.navigator, *at))
        return [] if found is None else [_item(server, found)]

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    async def incoming_calls(
        params: types.CallHierarchyIncomingCallsParams,
    ) -> list[types.CallHierarchyIncomingCall]:
        function = _meant(server, params.item)
        if function is None:
            return []
        found = await among_files(server, lambda: incoming(server.navigator, function))
        return [
            types.CallHierarchyIncomingCall(
                from_=_item(server, calls.function),
                from_ranges=[
                    server.converter.range(calls.function.document, range_)
                    for range_ in calls.places
                ],
            )
            for calls in found
        ]

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    async def outgoing_calls(
        params: types.CallHierarchyOutgoingCallsParams,
    ) -> list[types.CallHierarchyOutgoingCall]:
        function = _meant(server, params.item)
        if function is None:
            return []
        found = await among_files(server, lambda: outgoing(server.navigator, function))
        return [
            types.CallHierarchyOutgoingCall(
                to=_item(server, calls.function),
                from_ranges=[
                    server.converter.range(function.document, range_) for range_ in calls.places
                ],
            )
            for calls in found
        ]


def _item(server: LuaLanguageServer, function: Function) -> types.CallHierarchyItem:
    kinds = types.SymbolKind
    kind = kinds.Method if function.is_method else kinds.Function
    return types.CallHierarchyItem(
        name=function.name,
        kind=kinds.File if function.is_file else kind,
        uri=function.document.uri,
        range=server.converter.range(function.document, function.range),
        selection_range=server.converter.range(function.document, function.name_range),
        detail=function.detail or None,
    )


def _meant(server: LuaLanguageServer, item: types.CallHierarchyItem) -> Function | None:
    """The function of an item that the client got before."""
    document = server.files.document(item.uri)
    if document is None:
        return None
    encoding = server.documents.encoding

    def place(position: types.Position) -> Position:
        return document.position(encoding, position.line, position.character)

    name, whole = item.selection_range, item.range
    return Function(
        document,
        item.name,
        item.detail or "",
        item.kind == types.SymbolKind.Method,
        Range(place(whole.start), place(whole.end)),
        Range(place(name.start), place(name.end)),
        is_file=item.kind == types.SymbolKind.File,
    )
