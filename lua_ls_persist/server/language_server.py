"""The server object: what the features share.

Owns the documents, the board, the evaluator, and how what they hold reaches the client. It knows no
feature; features know it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lua_ls_persist._version import __version__
from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import Scopes, is_analysed, scopes_of
from lua_ls_persist.server.board import Board, Changed, Hint, Note
from lua_ls_persist.server.changes import ENTRIES_LOOKED_AT, DataChange
from lua_ls_persist.server.columns import non_blank
from lua_ls_persist.server.commands import CommandError
from lua_ls_persist.server.convert import Converter, encoding_of
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.evaluator import Evaluator
from lua_ls_persist.server.foreground import Foreground
from lua_ls_persist.server.forms import Syntax, is_parsed, syntax_of
from lua_ls_persist.server.navigation import Navigator
from lua_ls_persist.server.notebooks import Notebooks
from lua_ls_persist.server.positions import Position
from lua_ls_persist.server.presentation import read_document
from lua_ls_persist.server.settings import Settings
from lua_ls_persist.server.syntax_checks import SyntaxChecks
from lua_ls_persist.server.virtual import Followed
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from lua_ls_persist.server.workspaces import Workspace, Workspaces

if TYPE_CHECKING:
    from lua_ls_persist.model import Local
    from lua_ls_persist.server.protocol import LuaProtocol

NAME = "lua-ls-persist"
SETTINGS_WAIT_S_MAX = 1.0
CHANGED_NOTIFICATION: Final = "luaPersist/changed"
PARSED_AT_ONCE_ROWS_MAX = 200
"""Parsing that many rows takes about as long as handing them to another thread."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class LuaLanguageServer(LanguageServer):
    """A language server for one client, with one session a folder."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, __version__, **options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.trusted = True
        """Whether the client lets code be run; a folder's settings can only take that back."""
        self.base_settings = Settings()
        """What folders begin with."""
        self.configured = asyncio.Event()
        """Set when the client's settings are known; until then no session is opened."""
        self.foreground = Foreground()
        self.documents = Documents()
        self.notebooks = Notebooks()
        self.board = Board()
        self.checks = SyntaxChecks(self.documents, self.publish, lambda: self.foreground.is_busy)
        self.workspaces = Workspaces(self)
        self.workspaces.container = self.notebooks.notebook_of
        self.files = WorkspaceFiles(self.documents)
        self.navigator = Navigator(self.files)
        self.converter = Converter(
            self.documents.encoding, self.find_document, related_information=False
        )
        self.progress_token: ContextVar[types.ProgressToken | None] = ContextVar(
            "progress_token", default=None
        )
        """The token that came with the command that runs."""
        self.progress_cancels: dict[types.ProgressToken, Callable[[], object]] = {}
        """What ends the work that a progress token stands for."""
        self.wanted: frozenset[str] = frozenset()
        """Which of our own notifications the client wants: `evaluation`, `output` and so on."""
        self.others_are_configured = False
        """Whether the client has settings for another Lua server."""
        self.at_end: list[Callable[[], object]] = []
        """What is to be done when the server stops."""
        self._evaluations = 0
        self._tasks: set[asyncio.Task[object]] = set()
        self.message_listeners: list[Callable[[], None]] = []
        """Called at each message of the client."""
        self.file_listeners: list[Callable[[Sequence[types.FileEvent]], None]] = []
        """Called when Lua files of the workspace have changed on disk."""
        self.files_read_listeners: list[Callable[[], None]] = []
        """Called when they have been read again."""
        self.folder_listeners: list[Callable[[], None]] = []
        """Called when the client is ready, and when the workspace has other folders."""
        self.settings_listeners: list[Callable[[], None]] = []
        """Called when settings have changed."""
        self.capability_editors: list[Callable[[types.ServerCapabilities], None]] = []
        """Called with what the client is told in the first answer, to complete it."""
        self.text_listeners: list[Callable[[str], None]] = []
        """Called with the URI of a document that was opened, edited or closed."""
        self.state_listeners: list[Callable[[Workspace], None]] = []
        """Called when a session stands otherwise than before."""
        self.value_listeners: list[Callable[[Workspace], None]] = []
        """Called when a program has run, or stored data are other ones."""
        self.data_listeners: list[Callable[[Workspace], None]] = []
        """Called when stored data are other ones than before, whoever changed them."""
        self.followed = Followed()
        """The virtual documents that the client has."""
        # What several features contribute to one answer: each function gives its part.
        self.on_leave: Callable[[], object] | None = None
        """How the transport is told that the client has left."""
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

    def workspace_of(self, uri: str | None) -> Workspace:
        """The workspace of a document or folder; without one, that of the first folder."""
        return self.workspaces.of(uri)

    def evaluator_of(self, uri: str | None) -> Evaluator:
        """The session that a document belongs to; without one, that of the first folder."""
        return self.workspaces.of(uri).evaluator

    def next_evaluation_id(self) -> str:
        """What the client calls the evaluation that comes next."""
        self._evaluations += 1
        return str(self._evaluations)

    async def local_values(self, uri: str, name: str) -> Local | None:
        """A top-level local of a document with its value; None if it is not known, or not now."""
        key = uris.key_of(uri)
        found = await self.evaluator_of(uri).glance(lambda session: session.locals(key, [name]))
        return found[0] if found else None

    def visible_hints(self, uri: str) -> list[Hint]:
        """What is shown behind the rows of a document, as far as its user wants to see it."""
        settings = self.workspace_of(uri).settings
        wanted = {
            "result": settings.hints_results,
            "output": settings.hints_output,
            "local": settings.hints_locals,
            "pending": settings.hints_results,
        }
        return [hint for hint in self.board.hints(uri) if wanted[hint.kind]]

    def connect(self, params: types.InitializeParams) -> None:
        """Takes over what the client said about itself."""
        capabilities = params.capabilities
        self._loop = asyncio.get_running_loop()
        self.documents.encoding = encoding_of(self.workspace.position_encoding)
        publish = capabilities.text_document and capabilities.text_document.publish_diagnostics
        self.converter = Converter(
            self.documents.encoding,
            self.find_document,
            related_information=bool(publish and publish.related_information),
        )
        self.workspaces.set_folders(self._folders())
        self.files.folders = self._folders()
        experimental = capabilities.experimental
        ours = experimental.get("luaPersist") if isinstance(experimental, dict) else None
        if isinstance(ours, dict):
            self.wanted = frozenset(name for name, wanted in ours.items() if wanted is True)

    def connect_settings(self, options: object) -> None:
        """Takes over the settings that came with the client's first message."""
        if isinstance(options, Mapping):
            # Not a setting: what a folder brings along must not lift it.
            self.trusted = options.get("trusted") is not False
            options = {key: value for key, value in options.items() if key != "trusted"}
        self.apply_settings(options)

    def apply_settings(self, data: object, workspace: Workspace | None = None) -> bool:
        """Takes over settings of a workspace, or of all, and says what is wrong with them.

        Returns:
            Whether some of them wait for the next restart of a session.
        """
        before = self.base_settings if workspace is None else workspace.settings
        settings, wrong = before.updated(data)
        for text in wrong:
            self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
        if workspace is not None:
            waiting = [workspace.apply_settings(settings)]
        else:
            self.base_settings = settings
            waiting = [one.apply_settings(one.settings.updated(data)[0]) for one in self.workspaces]
        for listener in self.settings_listeners:
            listener()
        return any(waiting)

    async def update_folders(self) -> None:
        """Takes over the workspace's folders; sessions of those that went are closed."""
        for workspace in self.workspaces.set_folders(self._folders()):
            self.show(self.board.clear_where(workspace.holds))
            await workspace.evaluator.close()
        self.files.folders = self._folders()
        self.tell_folders()

    def tell_folders(self) -> None:
        """Lets those know who work with the workspace's folders."""
        for listener in self.folder_listeners:
            listener()

    def clear_results(self, workspace: Workspace) -> None:
        """Removes what evaluations in a workspace have shown."""
        self.show(self.board.clear_where(lambda uri: self.workspace_of(uri) is workspace))

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Does something that nobody waits for; what goes wrong is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("Something in the background failed", exc_info=error)

    def state_changed(self, workspace: Workspace) -> None:
        """The session of a workspace stands otherwise than before."""
        for listener in self.state_listeners:
            listener(workspace)

    def text_changed(self, uri: str) -> None:
        """A document was opened, edited or closed."""
        for listener in self.text_listeners:
            listener(uri)

    def data_changed(self, workspace: Workspace, *, stored: bool = True) -> None:
        """What shows values is to be asked for again: stored ones, or else the VM's globals."""
        if "changed" in self.wanted:
            self.start(self._tell_changes(workspace, stored=stored))
        for listener in self.value_listeners:
            listener(workspace)
        if not stored:
            return
        self.refresh_hints()
        self.refresh_lenses()
        for listener in self.data_listeners:
            listener(workspace)

    async def _tell_changes(self, workspace: Workspace, *, stored: bool) -> None:
        change = DataChange([], functions=False)
        if stored:
            entries = await workspace.evaluator.glance(
                lambda session: session.history(ENTRIES_LOOKED_AT)
            )
            change = workspace.changed_tables.look(entries)
        self.protocol.notify(
            CHANGED_NOTIFICATION,
            {
                "folder": None if workspace.folder is None else uris.uri_of(workspace.folder),
                "tables": change.tables,
                "functions": change.functions,
                "history": stored,
                "globals": True,
            },
        )

    def document(self, uri: str) -> Document:
        """The open document, or the file on disk.

        Raises:
            CommandError: there is neither.
        """
        document = self.find_document(uri)
        if document is None:
            raise CommandError(
                f"no document {uri!r}: open it, or give the URI of a file that exists"
            )
        return document

    def find_document(self, uri: str) -> Document | None:
        """The open document, or the file on disk; None if there is neither."""
        return self.documents.get(uri) or read_document(uri)

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

    async def in_background(self, document: Document, work: Callable[[], T]) -> T:
        """Something about a text that takes long if that is long: then outside of the loop."""
        if document.row_count <= PARSED_AT_ONCE_ROWS_MAX:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self.checks.worker, work)

    def show(self, changed: Changed) -> None:
        """Brings the client up to date about notes and hints that changed."""
        uris_to_publish = set(changed.notes)
        if self.shows_hints:
            if changed.hints:
                self.refresh_hints()
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
            for hint in self.visible_hints(uri):
                range_ = non_blank(document, hint.position.row)
                notes.append(Note("hint", "result", hint.label, range_))
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=uri if document is None else document.uri,
                version=None if document is None else document.version,
                diagnostics=self.converter.diagnostics(uri, notes),
            )
        )

    def encoded(self, data: object) -> str:
        """Objects of lsprotocol, or plain data that may hold some, as JSON."""
        return cast("LuaProtocol", self.protocol).encoded(data)

    def leave(self) -> None:
        """The client has said `exit`: what serves it ends."""
        if self.on_leave is not None:
            self.on_leave()

    def receive(self, body: bytes) -> None:
        """Handles a message of the client. On the loop."""
        for listener in self.message_listeners:
            listener()
        try:
            cast("LuaProtocol", self.protocol).receive(body)
        except Exception:
            logger.exception("A message could not be handled")

    async def stop(self) -> None:
        """Ends evaluations and threads, whatever they do. Idempotent."""
        self._run_at_end()
        self.checks.close()
        await asyncio.gather(*(workspace.evaluator.close() for workspace in self.workspaces))

    def stop_now(self) -> None:
        """Like `stop`, for when there is no loop any more."""
        self._run_at_end()
        self.checks.close()
        for workspace in self.workspaces:
            workspace.evaluator.close_now()

    def _run_at_end(self) -> None:
        while self.at_end:
            self.at_end.pop()()

    def fails_at(self, source: str) -> str | None:
        """The compiler's message about a source; None without one."""
        return self.checks.fails_at(source)

    async def settings_known(self) -> None:
        """Waits for the client's settings; not long, because some never answer."""
        if self.configured.is_set():
            return
        try:
            await asyncio.wait_for(self.configured.wait(), SETTINGS_WAIT_S_MAX)
        except asyncio.TimeoutError:
            logger.warning("The client did not send its settings in time; the defaults apply")
            self.configured.set()

    def refresh_lenses(self) -> None:
        """Has the client ask for code lenses again."""
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.code_lens and workspace.code_lens.refresh_support:
            self.protocol.send_request(types.WORKSPACE_CODE_LENS_REFRESH)

    def refresh_hints(self) -> None:
        """Has the client ask for inlay hints again."""
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            self.protocol.send_request(types.WORKSPACE_INLAY_HINT_REFRESH)

    def _folders(self) -> tuple[Path, ...]:
        """The workspace's folders, the single root of older clients included."""
        folders = [uris.path_of(folder.uri) for folder in self.workspace.folders.values()]
        if not folders and self.workspace.root_path:
            folders = [Path(self.workspace.root_path)]
        return tuple(folder for folder in folders if folder is not None)

    def warn(self, text: str) -> None:
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
