"""Diagnostics that take a look at the VM, and actions that replace what was misspelt.

They are made anew when a document was edited, when an evaluation has ended, when settings are
others, and when another document or a file sets other globals: a moment later, and outside of the
loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.nodes import READ
from lua_ls_persist.server.analysis.resolving import free_names
from lua_ls_persist.server.board import Note
from lua_ls_persist.server.convert import client_range
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import is_beside
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.live.checking import Checks, Suspicion, suspicions
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.reading import reading_of
from lua_ls_persist.server.settings import Check
from lua_ls_persist.server.tracking import moved_range
from lua_ls_persist.server.workspaces import Workspace

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

AFTER_EDIT_S: Final = 0.4
AFTER_EVALUATION_S: Final = 0.1
WHEN_BUSY_S: Final = 1.0
LEVEL: Final = "information"


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in a state of a document."""

    revision: int
    suspicions: tuple[Suspicion, ...]


def register(server: LuaLanguageServer) -> None:
    """Contributes diagnostics and code actions."""
    checker = _Checker(server)
    server.text_listeners.append(checker.text_changed)
    server.state_listeners.append(checker.state_changed)
    server.settings_listeners.append(checker.all_changed)
    server.files_read_listeners.append(checker.all_changed)
    server.note_sources.append(checker.notes)
    server.action_sources.append(checker.actions)
    server.at_end.append(checker.close)


class _Checker:
    """The suspicions about all open documents."""

    def __init__(self, server: LuaLanguageServer) -> None:
        self._server = server
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._found: dict[str, _Found] = {}
        self._written: dict[str, frozenset[str]] = {}
        """By document, the globals that it sets: in others they are not undefined."""
        self._closed = False

    def text_changed(self, uri: str) -> None:
        """A document was opened, edited or closed."""
        if self._server.documents.get(uri) is None:
            self._found.pop(uris.key_of(uri), None)
            timer = self._timers.pop(uris.key_of(uri), None)
            if timer is not None:
                timer.cancel()
            if self._written.pop(uris.key_of(uri), None):
                self._schedule_others(uri)  # Its file counts again.
        else:
            self._schedule(uri, AFTER_EDIT_S)

    def state_changed(self, workspace: Workspace) -> None:
        """An evaluation began or ended in a workspace, or its session did."""
        for document in self._server.documents:
            if self._server.workspace_of(document.uri) is workspace:
                self._schedule(document.uri, AFTER_EVALUATION_S)

    def all_changed(self) -> None:
        """What is looked for may be something else, or what files on disk set."""
        for document in self._server.documents:
            self._schedule(document.uri, AFTER_EVALUATION_S)

    def notes(self, uri: str) -> list[Note]:
        """The diagnostics of a document, moved along with edits since they were found."""
        return [Note(LEVEL, one.code, one.text, one.range) for one in self._moved(uri)]

    async def actions(
        self, document: Document, params: types.CodeActionParams
    ) -> list[types.CodeAction]:
        """Replacements of what was misspelt in a range."""
        only = params.context.only
        if only is not None and types.CodeActionKind.QuickFix not in only:
            return []
        server = self._server
        selected = server.converter.range_in(document, client_range(params.range))
        found = []
        for one in self._moved(document.uri):
            if one.replacement is None or not one.range.meets(selected):
                continue
            note = Note(LEVEL, one.code, one.text, one.range)
            edit = types.TextEdit(server.converter.range(document, one.range), one.replacement)
            found.append(
                types.CodeAction(
                    title=f"Change to '{one.replacement}'",
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=server.converter.diagnostics(document.uri, [note]),
                    edit=types.WorkspaceEdit(changes={document.uri: [edit]}),
                    is_preferred=True,
                )
            )
        return found

    def close(self) -> None:
        """Nothing is checked any more."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _schedule_others(self, uri: str) -> None:
        for document in self._server.documents:
            if uris.key_of(document.uri) != uris.key_of(uri):
                self._schedule(document.uri, AFTER_EVALUATION_S)

    def _schedule(self, uri: str, after_s: float) -> None:
        key = uris.key_of(uri)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(after_s, self._start, uri)

    def _start(self, uri: str) -> None:
        self._timers.pop(uris.key_of(uri), None)
        self._server.start(self._check(uri))

    async def _check(self, uri: str) -> None:
        try:
            await self._compare(uri)
        except RuntimeError:
            if not self._closed:  # Then the threads that it needs are gone.
                raise

    async def _compare(self, uri: str) -> None:
        server = self._server
        document = server.documents.get(uri)
        if document is None:
            return

        def is_current() -> bool:
            return server.documents.get(uri) is document

        give_way = server.foreground.giving_way()

        def goes_on() -> bool:
            """In another thread: whether it is still wanted, when nobody waits for an answer."""
            give_way()
            return is_current()

        workspace = server.workspace_of(uri)
        wanted = _wanted(server, workspace)
        found: list[Suspicion] = []
        if wanted.any and workspace.evaluator.opened:
            await server.scopes(document)
            key = uris.key_of(document.uri)
            inference = Inference(server.navigator, remembers=True)
            typed = (inference, document) if wanted.misspelt_fields else None
            reading = await among_files(
                server, lambda: reading_of(scopes_of(document), key, goes_on, typed)
            )
            if reading is None:
                return  # Somebody types on; it is checked when he pauses.
            if not is_current():
                return
            written = frozenset(reading.written)
            if self._written.get(key, frozenset()) != written:
                self._schedule_others(uri)
            self._written[key] = written
            names = reading.globals
            elsewhere = await among_files(
                server,
                lambda: _set_elsewhere(server, document, takewhile(lambda _: goes_on(), names)),
            )
            if not is_current():
                return
            known = await suspicions(
                reading,
                workspace.view,
                wanted,
                elsewhere.__contains__,
                lambda work: among_files(server, work),
            )
            if known is None or not server.files.is_complete:
                # The VM is busy, or not all files have been read: later, then.
                self._schedule(uri, WHEN_BUSY_S)
                return
            found = await among_files(
                server,
                lambda: [
                    one for one in known if goes_on() and not _is_written(server, document, one)
                ],
            )
        if not is_current():
            return
        key = uris.key_of(uri)
        before = self._found.get(key)
        self._found[key] = _Found(document.revision, tuple(found))
        if found or (before is not None and before.suspicions):
            server.publish(uri)

    def _moved(self, uri: str) -> list[Suspicion]:
        found = self._found.get(uris.key_of(uri))
        if found is None:
            return []
        edits = self._server.documents.edits_since(uri, found.revision)
        if edits is None:
            return []
        moved = []
        for one in found.suspicions:
            range_ = one.range
            for edit in edits:
                next_ = moved_range(range_, edit)
                if next_ is None:
                    break
                range_ = next_
            else:
                moved.append(replace(one, range=range_))
        return moved


def _wanted(server: LuaLanguageServer, workspace: Workspace) -> Checks:
    settings = workspace.settings
    automatic = not is_beside(server, workspace)

    def on(check: Check) -> bool:
        return automatic if check == "auto" else check == "on"

    return Checks(
        on(settings.checks_undefined_globals),
        on(settings.checks_misspelt_fields),
        on(settings.checks_too_many_arguments),
    )


def _set_elsewhere(server: LuaLanguageServer, document: Document, names: Iterable[str]) -> set[str]:
    """Which globals other documents of the workspace set. Reads files."""
    found = set()
    for name in names:
        for other in server.files.mentioning(name):
            if other.uri == document.uri:
                continue
            root = scopes_of(other).chunk.root
            if any(one.text == name and one.role != READ for _, one in free_names(root)):
                found.add(name)
                break
    return found


def _is_written(server: LuaLanguageServer, document: Document, one: Suspicion) -> bool:
    """Whether a function is written in the workspace so that the call is right: it only has not
    been evaluated since.
    """
    if one.called is None:
        return False
    for spot in server.navigator.definitions(document, one.called.end):
        value = scopes_of(spot.document).value_of(spot.range)
        if value is not None and value.function is not None:
            return value.function.variadic or len(value.function.parameters) >= one.count
    return False
