"""The stored functions of a folder for one request: which there are, and where their source is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from lua_ls_persist.server import uris
from lua_ls_persist.server.calls import Function
from lua_ls_persist.server.drift import Drift, drift_of
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.live.stored_calls import (
    FUNCTIONS_MAX,
    Callee,
    StoredSource,
    callees,
    source_of,
)
from lua_ls_persist.server.live.view import REACH_S
from lua_ls_persist.server.positions import Range
from lua_ls_persist.server.virtual import Place

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction
    from lua_ls_persist.server.language_server import LuaLanguageServer

Sources: TypeAlias = "dict[str, StoredSource]"
"""Of stored functions by their virtual documents, read before: they are mostly asked for again."""


class StoredFunctions:
    """Those of one folder; they are asked for once."""

    def __init__(self, server: LuaLanguageServer, folder: str | None, sources: Sources) -> None:
        self._server = server
        self._folder = folder
        self._workspace = server.workspace_of(folder)
        self._functions: list[StoredFunction] | None = None
        self._sources = sources
        self._drifts: dict[str, Drift] = {}
        self._in_rows: dict[tuple[str, int], list[StoredFunction]] = {}
        """By document and row: the stored functions that are defined there."""

    async def all(self) -> list[StoredFunction]:
        """All of them; none while the session is not open."""
        if self._functions is None:
            view = self._workspace.view
            opened = self._workspace.evaluator.opened
            functions = await view.functions(timeout_s=REACH_S) if opened else []
            self._functions = functions[:FUNCTIONS_MAX]
            await among_files(self._server, self._compare)
        return self._functions

    def _compare(self) -> None:
        """Finds where the source of each stored function is. Reads files."""
        for stored in self._functions or ():
            drift = drift_of(stored, self._workspace.places, self._server.files.document)
            self._drifts[stored.path] = drift
            if drift.uri is not None and drift.row is not None:
                place = (uris.key_of(drift.uri), drift.row)
                self._in_rows.setdefault(place, []).append(stored)

    def drift(self, stored: StoredFunction) -> Drift:
        """How one of them stands to its source."""
        return self._drifts[stored.path]

    async def named(self, path: str) -> StoredFunction | None:
        """The one at a path."""
        return next((one for one in await self.all() if one.path == path), None) if path else None

    async def source(self, stored: StoredFunction) -> StoredSource:
        """The stored source of one, as its virtual document shows it."""
        uri = Place("function", stored.path, folder=self._folder).uri
        source = self._sources.get(uri)
        if source is None or source.function != stored:
            source = await among_files(self._server, lambda: source_of(stored, uri))
            if len(self._sources) >= FUNCTIONS_MAX:
                self._sources.clear()
            self._sources[uri] = source
        return source

    async def callees(self, sources: Sequence[StoredSource]) -> list[list[tuple[Callee, Range]]]:
        """What some of them call, each with the places in its source."""
        return await callees(self._workspace.view, sources, await self.all())

    async def at_source_of(self, function: Function) -> str:
        """The path of the stored function that a function of a document is the source of."""
        if function.is_file:
            return ""
        await self.all()
        place = (uris.key_of(function.document.uri), function.name_range.start.row)
        found = self._in_rows.get(place, [])
        named = [one for one in found if one.name and function.name.endswith(one.name)]
        return next((one.path for one in (*named, *found)), "")
