"""The server object: what the features share.

Owns the documents, the board, the evaluator, and how what they hold reaches the client. It knows no
feature; features know it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lua_ls_persist._version import __version__
from lua_ls_persist.errors import StoreError
from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import Scopes, is_analysed, scopes_of
from lua_ls_persist.server.board import Board, Changed, Note
from lua_ls_persist.server.commands import CommandError
from lua_ls_persist.server.convert import Converter, encoding_of
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.evaluator import Evaluator
from lua_ls_persist.server.forms import Syntax, is_parsed, syntax_of
from lua_ls_persist.server.places import Places
from lua_ls_persist.server.positions import Position
from lua_ls_persist.server.presentation import Presenter
from lua_ls_persist.server.settings import Settings, needs_new_session
from lua_ls_persist.server.syntax_checks import SyntaxChecks
from lua_ls_persist.session import Session, default_path

NAME = "lua-ls-persist"
SETTINGS_WAIT_S_MAX = 1.0
PARSED_AT_ONCE_ROWS_MAX = 200
"""Parsing that many rows takes about as long as handing them to another thread."""

logger = logging.getLogger(__name__)


class LuaLanguageServer(LanguageServer):
    """A language server for one client and one session."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, __version__, **options)
        self.settings = Settings()
        self._session_settings = self.settings
        self._session_folders: tuple[Path, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.configured = asyncio.Event()
        """Set when the client's settings are known; until then no session is opened."""
        self.documents = Documents()
        self.places = Places(self.documents)
        self.board = Board()
        self.checks = SyntaxChecks(self.documents, self.publish)
        self.evaluator = Evaluator(
            self._open_session,
            self._settings_known,
            self.settings.time_limit_s,
            kept=self._is_kept,
        )
        self.presenter = Presenter(self.documents, self.places, self.checks.fails_at)
        self.converter = Converter(
            self.documents.encoding, self.presenter.document, related_information=False
        )
        self.progress_token: ContextVar[types.ProgressToken | None] = ContextVar(
            "progress_token", default=None
        )
        """The token that came with the command that runs."""
        self.progress_cancels: dict[types.ProgressToken, Callable[[], object]] = {}
        """What ends the work that a progress token stands for."""
        self.sends_evaluations = False
        """Whether the client wants a notification after each evaluation."""
        # What several features contribute to one answer: each function gives its part.
        self.lens_sources: list[Callable[[Document], Awaitable[list[types.CodeLens]]]] = []
        self.action_sources: list[
            Callable[[Document, types.CodeActionParams], Awaitable[list[types.CodeAction]]]
        ] = []
        self.note_sources: list[Callable[[str], list[Note]]] = []
        """By a document's URI: notes beside those of the board and of the syntax check."""
        self.definition_sources: list[
            Callable[[Document, Position], Awaitable[list[types.Location]]]
        ] = []
        """Asked in order until one knows."""
        self.symbol_sources: list[Callable[[str], Awaitable[list[types.WorkspaceSymbol]]]] = []
        """By the text that symbols of the workspace are looked for with."""

    def evaluator_of(self, uri: str | None) -> Evaluator:  # noqa: ARG002 - one for all, so far
        """The session that a document belongs to; without one, that of the first folder."""
        return self.evaluator

    def connect(self, params: types.InitializeParams) -> None:
        """Takes over what the client said about itself."""
        capabilities = params.capabilities
        self._loop = asyncio.get_running_loop()
        self.documents.encoding = encoding_of(self.workspace.position_encoding)
        publish = capabilities.text_document and capabilities.text_document.publish_diagnostics
        self.converter = Converter(
            self.documents.encoding,
            self.presenter.document,
            related_information=bool(publish and publish.related_information),
        )
        self.update_folders()
        experimental = capabilities.experimental
        ours = experimental.get("luaPersist") if isinstance(experimental, dict) else None
        self.sends_evaluations = isinstance(ours, dict) and ours.get("evaluation") is True

    def apply_settings(self, data: object) -> bool:
        """Takes over settings from the client, and tells the user what is wrong with them.

        Returns:
            Whether some of them wait for the next restart of the session.
        """
        self.settings, wrong = self.settings.updated(data)
        for text in wrong:
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
        self.evaluator.time_limit_s = self.settings.time_limit_s
        return self.evaluator.opened and needs_new_session(self._session_settings, self.settings)

    def update_folders(self) -> None:
        """Takes over the workspace's folders; an open session has them after a restart."""
        self.places.folders = self._folders()

    def settle_folders(self, document: Document) -> None:
        """Without a workspace, modules are found in the folder of the first evaluated file."""
        if not self.evaluator.opened and not self.places.folders and document.path is not None:
            self.places.folders = (document.path.parent,)

    async def restart_session(self) -> None:
        """Ends evaluations and gives a fresh VM, or a session with the settings of now."""
        changed = needs_new_session(self._session_settings, self.settings)
        await self.evaluator.restart(reopen=changed or self._session_folders != self.places.folders)
        self.places.forget()

    def document(self, uri: str) -> Document:
        """The open document, or the file on disk.

        Raises:
            CommandError: there is neither.
        """
        document = self.presenter.document(uri)
        if document is None:
            raise CommandError(
                f"no document {uri!r}: open it, or give the URI of a file that exists"
            )
        return document

    async def syntax(self, document: Document) -> Syntax:
        """The syntax tree of a document; a long one is parsed outside of the loop."""
        if document.row_count <= PARSED_AT_ONCE_ROWS_MAX or is_parsed(document):
            return syntax_of(document)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.checks.worker, syntax_of, document)

    async def scopes(self, document: Document) -> Scopes:
        """The names of a document; a long one is first analysed outside of the loop."""
        if document.row_count <= PARSED_AT_ONCE_ROWS_MAX or is_analysed(document):
            return scopes_of(document)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.checks.worker, scopes_of, document)

    def show(self, changed: Changed) -> None:
        """Brings the client up to date about notes and hints that changed."""
        uris_to_publish = set(changed.notes)
        if self.shows_hints:
            if changed.hints:
                self._refresh_hints()
        else:
            uris_to_publish |= changed.hints
        for uri in uris_to_publish:
            self.publish(uri)

    @property
    def shows_hints(self) -> bool:
        """Whether the client knows inlay hints; if not, diagnostics stand in for them."""
        text_document = self.client_capabilities.text_document
        return text_document is not None and text_document.inlay_hint is not None

    def publish(self, uri: str) -> None:
        """Sends the diagnostics of a document: of its syntax and from evaluations."""
        document = self.documents.get(uri)
        notes = self.board.notes(uri)
        syntax = self.checks.note(uri)
        if syntax is not None:
            # An evaluation met the same error.
            notes = [note for note in notes if not _same_error(note, syntax)]
            notes.insert(0, syntax)
        for source in self.note_sources:
            notes += source(uri)
        if not self.shows_hints and document is not None:
            for hint in self.board.hints(uri):
                row = hint.position.row
                notes.append(Note("hint", "result", hint.label, self.presenter.row_range(uri, row)))
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=uri if document is None else document.uri,
                version=None if document is None else document.version,
                diagnostics=self.converter.diagnostics(uri, notes),
            )
        )

    async def stop(self) -> None:
        """Ends evaluations and threads, whatever they do. Idempotent."""
        self.checks.close()
        await self.evaluator.close()

    def stop_now(self) -> None:
        """Like `stop`, for when there is no loop any more."""
        self.checks.close()
        self.evaluator.close_now()

    async def _settings_known(self) -> None:
        """Waits for the client's settings; not long, because some never answer."""
        if self.configured.is_set():
            return
        try:
            await asyncio.wait_for(self.configured.wait(), SETTINGS_WAIT_S_MAX)
        except asyncio.TimeoutError:
            logger.warning("The client did not send its settings in time; the defaults apply")
            self.configured.set()

    def _refresh_hints(self) -> None:
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.protocol.send_request(types.WORKSPACE_INLAY_HINT_REFRESH)

    def _folders(self) -> tuple[Path, ...]:
        """The workspace's folders, the single root of older clients included."""
        folders = [uris.path_of(folder.uri) for folder in self.workspace.folders.values()]
        if not folders and self.workspace.root_path:
            folders = [Path(self.workspace.root_path)]
        return tuple(folder for folder in folders if folder is not None)

    def _open_session(self) -> Session:
        settings = self.settings
        folders = self.places.folders
        if settings.database_path != "":
            path = self._database_path(settings.database_path)
            session = self._open_session_at(path)
        else:
            try:
                path = default_path(next(iter(self._folders()), None))
                session = self._open_session_at(path)
            except StoreError as error:
                # Nobody asked for this file: what does not need it shall work all the same.
                path = None
                self._warn(f"{error} Until then, what you evaluate is kept in memory only.")
                session = self._open_session_at(None)
        logger.info("%s (%s)", session.started, "in memory" if path is None else path)
        self._session_settings, self._session_folders = settings, folders
        return session

    def _is_kept(self) -> bool:
        """Whether the session's file is there already."""
        configured = self.settings.database_path
        if configured != "":
            path = self._database_path(configured)
        else:
            path = default_path(next(iter(self._folders()), None), create=False)
        return path is not None and path.exists()

    def _database_path(self, configured: str | None) -> Path | None:
        if configured is None:
            return None
        path = Path(configured).expanduser()
        folders = self.places.folders
        return folders[0] / path if folders and not path.is_absolute() else path

    def _open_session_at(self, path: Path | None) -> Session:
        settings = self.settings
        return Session.open(
            path,
            memory_limit_bytes=settings.memory_limit_bytes,
            time_limit_s=settings.time_limit_s,
            keep_error_effects=settings.keep_error_effects,
            folders=self.places.folders,
            open_buffers=self.places.open_text,
        )

    def _warn(self, text: str) -> None:
        """Shows a warning, from any thread."""
        message = types.ShowMessageParams(types.MessageType.Warning, text)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.window_show_message, message)


def _same_error(note: Note, syntax: Note) -> bool:
    return (note.code, note.text, note.range.start.row) == (
        syntax.code,
        syntax.text,
        syntax.range.start.row,
    )
