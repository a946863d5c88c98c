"""The call hierarchy: who calls a function, and what it calls.

Of functions in sources their text tells, in all files; of stored functions their stored source and
what is stored. An item leads to the buffer where the two are the same, and else to the function's
virtual document. Where another Lua server speaks, only stored functions are answered for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server import calls, uris
from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.calls import Function
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features import virtual_documents
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.features.language.speaking import speaks
from lua_ls_persist.server.features.live.stored_functions import Sources, StoredFunctions
from lua_ls_persist.server.live.describing import member
from lua_ls_persist.server.live.finding import Finder
from lua_ls_persist.server.live.resolving import Resolver
from lua_ls_persist.server.live.stored_calls import (
    Callee,
    StoredSource,
    is_at,
    stored_at,
)
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.virtual import SCHEME, Place, place_of
from lua_ls_persist.server.workspaces import Workspace
from lua_ls_persist.session.sights import ANY, FunctionSight, Question, Way

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction
    from lua_ls_persist.server.language_server import LuaLanguageServer


@dataclass(frozen=True, slots=True)
class _Item:
    """A function as the client sees it."""

    function: Function
    uri: str
    """Where the client finds it: of a virtual document perhaps a file."""
    stored: str = ""
    """The path of the stored function that it is, or is the source of."""

    @property
    def key(self) -> tuple[str, Range]:
        return uris.key_of(self.uri), self.function.name_range


@dataclass(slots=True)
class _Gathered:
    """Calls by the function on their other side, in the order in which those were found."""

    found: dict[tuple[str, Range], tuple[_Item, dict[Range, None]]] = field(default_factory=dict)

    def add(self, item: _Item, places: Iterable[Range]) -> None:
        known = self.found.setdefault(item.key, (item, {}))
        known[1].update(dict.fromkeys(places))

    def __iter__(self) -> Iterator[tuple[_Item, list[Range]]]:
        return (
            (item, sorted(places, key=lambda one: one.start))
            for item, places in self.found.values()
        )


def register(server: LuaLanguageServer) -> None:
    """Answers the three requests."""
    sources: Sources = {}

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    async def prepare(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem]:
        hierarchy = _Hierarchy(server, params.text_document.uri, sources)
        found = await hierarchy.at(params.text_document.uri, params.position)
        return [] if found is None else [hierarchy.item(found)]

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    async def incoming_calls(
        params: types.CallHierarchyIncomingCallsParams,
    ) -> list[types.CallHierarchyIncomingCall]:
        hierarchy = _Hierarchy(server, _folder(params.item), sources)
        meant = await hierarchy.meant(params.item)
        return [
            types.CallHierarchyIncomingCall(
                from_=hierarchy.item(item),
                from_ranges=hierarchy.ranges(item.function.document, places),
            )
            for item, places in (await hierarchy.incoming(meant) if meant is not None else ())
        ]

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    async def outgoing_calls(
        params: types.CallHierarchyOutgoingCallsParams,
    ) -> list[types.CallHierarchyOutgoingCall]:
        hierarchy = _Hierarchy(server, _folder(params.item), sources)
        meant = await hierarchy.meant(params.item)
        if meant is None:
            return []
        return [
            types.CallHierarchyOutgoingCall(
                to=hierarchy.item(item),
                from_ranges=hierarchy.ranges(meant.function.document, places),
            )
            for item, places in await hierarchy.outgoing(meant)
        ]


def _folder(item: types.CallHierarchyItem) -> str:
    folder = member(item.data, "folder")
    return folder if isinstance(folder, str) else item.uri


class _Hierarchy:
    """Answers one request."""

    def __init__(self, server: LuaLanguageServer, uri: str, sources: Sources) -> None:
        self._server = server
        place = _virtual_place(server, uri)
        self._folder = uri if place is None else place.folder
        self._workspace: Workspace = server.workspace_of(self._folder)
        self._stored = StoredFunctions(server, self._folder, sources)

    # -- what is meant

    async def at(self, uri: str, position: types.Position) -> _Item | None:
        """The function that a place means, or else the one around it."""
        encoding = self._server.documents.encoding
        line, character = position.line, position.character
        virtual = _virtual_place(self._server, uri)
        if virtual is not None:
            stored = await self._stored.named(virtual.what)
            if virtual.kind != "function" or stored is None:
                return None
            source = await self._stored.source(stored)
            at = source.document.position(encoding, line, character)
            for callee, range_ in (await self._stored.callees([source]))[0]:
                if range_.holds(at):
                    return await self._callee_item(callee)
            return await self._stored_item(stored)
        document = self._server.documents.get(uri)
        if document is None:
            return None
        await self._server.scopes(document)
        at = document.position(encoding, line, character)
        finder = Finder(self._server.navigator)
        found = await among_files(self._server, lambda: calls.function_at(finder, document, at))
        if found is not None:
            item = _Item(found, found.document.uri, await self._stored.at_source_of(found))
            if item.stored or speaks(self._server, document):
                return item
        return await self._used(document, at)

    async def meant(self, item: types.CallHierarchyItem) -> _Item | None:
        """The function of an item that the client got before."""
        path = member(item.data, "stored")
        stored = await self._stored.named(path) if isinstance(path, str) else None
        source = None if stored is None else self._stored.drift(stored).uri
        is_elsewhere = source is None or uris.key_of(source) != uris.key_of(item.uri)
        if stored is not None and is_elsewhere:
            return await self._stored_item(stored, in_buffer=False)
        document = self._server.files.document(item.uri)
        if document is None:
            return None
        encoding = self._server.documents.encoding

        def place(position: types.Position) -> Position:
            return document.position(encoding, position.line, position.character)

        name, whole = item.selection_range, item.range
        function = Function(
            document,
            item.name,
            item.detail or "",
            item.kind == types.SymbolKind.Method,
            Range(place(whole.start), place(whole.end)),
            Range(place(name.start), place(name.end)),
            is_file=item.kind == types.SymbolKind.File,
        )
        return _Item(function, document.uri, path if isinstance(path, str) else "")

    # -- who calls, and what is called

    async def incoming(self, meant: _Item) -> _Gathered:
        """From where a function is called."""
        found = _Gathered()
        server, function = self._server, meant.function
        in_sources: list[calls.Calls] = []
        if not _is_virtual(function) and speaks(server, function.document):
            in_sources += await among_files(
                server, lambda: calls.incoming(Finder(server.navigator), function)
            )
        stored = await self._stored.named(meant.stored)
        if stored is not None:
            in_sources += await among_files(server, lambda: self._using(stored))
        for one in in_sources:
            path = await self._stored.at_source_of(one.function)
            found.add(_Item(one.function, one.function.document.uri, path), one.places)
        if stored is None:
            return found
        sources = [await self._stored.source(one) for one in await self._stored.all()]
        for source, called in zip(sources, await self._stored.callees(sources), strict=True):
            places = [range_ for callee, range_ in called if callee == stored.path]
            if places:
                item, moved = await self._caller(source, places)
                found.add(item, moved)
        return found

    async def outgoing(self, meant: _Item) -> _Gathered:
        """What a function calls."""
        found = _Gathered()
        server, function = self._server, meant.function
        if _is_virtual(function):
            stored = await self._stored.named(meant.stored)
            sources = [] if stored is None else [await self._stored.source(stored)]
            called = await self._stored.callees(sources)
            for callee, range_ in called[0] if called else ():
                item = await self._callee_item(callee)
                if item is not None:
                    found.add(item, [range_])
            return found
        known: set[Range] = set()
        finder = Finder(server.navigator)
        in_sources = await among_files(server, lambda: calls.outgoing(finder, function))
        for one in in_sources:
            path = await self._stored.at_source_of(one.function)
            if path or speaks(server, function.document):
                found.add(_Item(one.function, one.function.document.uri, path), one.places)
                known.update(one.places)
        for place in calls.called_in(function):
            if place not in known:
                used = await self._used(function.document, place.start)
                if used is not None:
                    found.add(used, [place])
        return found

    # -- stored functions

    async def _stored_item(self, stored: StoredFunction, *, in_buffer: bool = True) -> _Item:
        """A stored function: in the buffer, where that says the same, or as it is stored."""
        drift = self._stored.drift(stored)
        if in_buffer and drift.state == "in_sync" and drift.uri is not None:
            document = self._server.files.document(drift.uri)
            if document is not None and drift.row is not None:
                function = _in_row(document, drift.row, stored)
                return _Item(function, document.uri, stored.path)
        source = await self._stored.source(stored)
        function = Function(
            source.document,
            stored.path,
            f"({stored.signature}) stored",
            is_method=False,
            range=source.range,
            name_range=source.name_range,
        )
        uri = source.document.uri
        place = Place("function", stored.path, folder=self._folder)
        # Where no file can be written for those who know no others, there is the name at least.
        with contextlib.suppress(LuaPersistError):
            text = source.document.content
            uri = virtual_documents.uri_with(self._server, place, text)
        return _Item(function, uri, stored.path)

    async def _caller(
        self, source: StoredSource, places: Sequence[Range]
    ) -> tuple[_Item, list[Range]]:
        """The item of a stored function that calls, and the places of its calls there."""
        item = await self._stored_item(source.function)
        if _is_virtual(item.function):
            return item, list(places)
        rows = item.function.range.start.row - source.range.start.row
        columns = item.function.range.start.column - source.range.start.column

        def moved(position: Position) -> Position:
            # The definition's lines are the same but for their indentation.
            shift = columns if position.row == source.range.start.row else 0
            return Position(position.row + rows, position.column + shift)

        return item, [Range(moved(one.start), moved(one.end)) for one in places]

    async def _callee_item(self, callee: Callee) -> _Item | None:
        if isinstance(callee, str):
            stored = await self._stored.named(callee)
            return None if stored is None else await self._stored_item(stored)
        return self._located(callee)

    def _located(self, sight: FunctionSight) -> _Item | None:
        """A function of the VM that is not stored, where it is defined."""
        place = self._workspace.places.locate(sight.source, max(sight.line, 1))
        document = None if place is None else self._server.files.document(place.uri)
        if place is None or document is None:
            return None
        function = calls.in_row(document, place.row)
        return None if function is None else _Item(function, document.uri)

    async def _used(self, document: Document, at: Position) -> _Item | None:
        """The stored function that an expression leads to."""
        path = scopes_of(document).path_at(at)
        if path is None or not await self._stored.all():
            return None
        target = Resolver(scopes_of(document), uris.key_of(document.uri)).target(path)
        if not isinstance(target, Way) or ANY in target.steps:
            return None
        stored = next((one for one in await self._stored.all() if is_at(one, target)), None)
        if stored is None:
            sight = await self._workspace.view.see(Question(target))
            if sight is None or sight.function is None or sight.function.c:
                return None
            stored = stored_at(target, sight.function, await self._stored.all())
        return None if stored is None else await self._stored_item(stored)

    def _using(self, stored: StoredFunction) -> list[calls.Calls]:
        """Where sources call what is at a stored function's path. Reads files."""
        found = []
        for document in self._server.files.mentioning(stored.name) if stored.name else ():
            scopes = scopes_of(document)
            resolver = Resolver(scopes, uris.key_of(document.uri))
            for place in scopes.called():
                name = scopes.name_at(place.start)
                path = scopes.path_at(place.start)
                if name is None or path is None or name.text != stored.name:
                    continue
                target = resolver.target(path)
                if isinstance(target, Way) and is_at(stored, target):
                    found.append(calls.Calls(calls.around(document, place.start), (place,)))
        return found

    # -- for the client

    def item(self, one: _Item) -> types.CallHierarchyItem:
        function = one.function
        kinds = types.SymbolKind
        kind = kinds.Method if function.is_method else kinds.Function
        data: dict[str, Any] | None = None
        if one.stored:
            data = {"stored": one.stored, "folder": self._folder}
        (whole, name) = self.ranges(function.document, [function.range, function.name_range])
        return types.CallHierarchyItem(
            name=function.name,
            kind=kinds.File if function.is_file else kind,
            uri=one.uri,
            range=whole,
            selection_range=name,
            detail=function.detail or None,
            data=data,
        )

    def ranges(self, document: Document, places: Iterable[Range]) -> list[types.Range]:
        return [self._server.converter.range(document, place) for place in places]


def _is_virtual(function: Function) -> bool:
    return function.document.uri.startswith(f"{SCHEME}:")


def _virtual_place(server: LuaLanguageServer, uri: str) -> Place | None:
    """What a virtual document is about, or the file that stands for one; None: it is neither."""
    path = uris.path_of(uri)
    if path is not None:
        for place, file in server.followed.files.values():
            if uris.path_key(file) == uris.path_key(path):
                return place
        return None
    try:
        return place_of(uri) if uri.startswith(f"{SCHEME}:") else None
    except LuaPersistError:
        return None


def _in_row(document: Document, row: int, stored: StoredFunction) -> Function:
    """The function that is defined in a row of a document, also where nothing names it."""
    found = calls.in_row(document, row, stored.name)
    if found is not None:
        return replace(found, name=found.name or stored.path)
    text = document.row(row)
    column = len(text) - len(text.lstrip())
    start = Position(row, column)
    end = document.clamp(Position(row + stored.last_line - stored.line, 2**30))
    return Function(document, stored.path, "", False, Range(start, end), Range(start, start))
