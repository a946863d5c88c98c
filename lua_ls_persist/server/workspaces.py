"""The folders that are open, each with a session of its own.

Owns which folder a document belongs to, and what a folder has: its settings, its queue of
evaluations, the names of its documents. Must not know LSP types.

A document belongs to the innermost open folder that it lies in. One that lies in none belongs to
the folder around it that has a session already; else, like all documents where no folder is open,
to the user's own session. What has no file yet belongs to the first folder.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lua_ls_persist import session as sessions
from lua_ls_persist.errors import StoreError
from lua_ls_persist.server import uris
from lua_ls_persist.server.changes import ChangedTables
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.evaluator import Evaluator
from lua_ls_persist.server.live.view import View
from lua_ls_persist.server.notebooks import Notebooks
from lua_ls_persist.server.places import Places
from lua_ls_persist.server.presentation import Presenter
from lua_ls_persist.server.settings import Settings, needs_new_session

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation
    from lua_ls_persist.session import Session

logger = logging.getLogger(__name__)


class Host(Protocol):
    """What the workspaces need of the server."""

    @property
    def documents(self) -> Documents:
        """The open documents."""

    @property
    def notebooks(self) -> Notebooks:
        """The open notebooks."""

    @property
    def trusted(self) -> bool:
        """Whether the client lets code of its folders be run at all."""

    def fails_at(self, source: str) -> str | None:
        """The compiler's message about a source."""

    async def settings_known(self) -> None:
        """Waits for the client's settings."""

    def warn(self, text: str) -> None:
        """Shows a warning, from any thread."""

    def state_changed(self, workspace: Workspace) -> None:
        """The session of a workspace stands otherwise than before."""

    @property
    def base_settings(self) -> Settings:
        """What a workspace begins with."""

    def data_changed(self, workspace: Workspace, *, stored: bool) -> None:
        """Stored data of a workspace are other ones, whoever changed them; else its globals."""


class Workspace:
    """A folder with its session, or the user's own session. Used from the server's loop."""

    def __init__(self, host: Host, folder: Path | None, others: Iterable[Path] = ()) -> None:
        self._host = host
        self.folder = folder
        """None: it is the user's own."""
        self.settings = host.base_settings
        notebooks = host.notebooks
        self.places = Places(host.documents, cell=notebooks.place_of, cell_at=notebooks.cell_at)
        self.set_folders(others)
        self.presenter = Presenter(host.documents, self.places, host.fails_at)
        self.evaluator = Evaluator(
            self._open_session,
            host.settings_known,
            self.settings.time_limit_s,
            kept=self._is_kept,
            open_to_look=self._open_to_look,
            trusted=lambda: self.trusted,
            observe=lambda: host.state_changed(self),
        )
        self.evaluator.watch(lambda stored: host.data_changed(self, stored=stored))
        self.view = View(self.evaluator)
        """Its VM as language features see it."""
        self.changed_tables = ChangedTables()
        """What is told of changes, by the history."""
        self.last: Evaluation | None = None
        """What came of the evaluation that ended last."""
        self.with_locals: set[str] = set()
        """The open documents whose locals have values that may be shown."""
        self._session_settings = self.settings
        self._session_folders: tuple[Path, ...] = ()
        self._session_file: tuple[int, int] | None = None
        self._session_is_read_only = False
        self.unopened = ""
        """Why the session's file is not in use, so that everything is in memory; else empty."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "" if self.folder is None else self.folder.name

    @property
    def trusted(self) -> bool:
        """Whether code is run in it."""
        return self._host.trusted and self.settings.trusted

    def holds(self, uri: str) -> bool:
        """Whether a document lies in its folder."""
        path = uris.path_of(uri)
        return self.folder is not None and path is not None and path.is_relative_to(self.folder)

    def set_folders(self, others: Iterable[Path]) -> None:
        """Modules are looked for in its own folder, then in the others; at once in a new session.

        The user's own session has no folder until a file is evaluated in it.
        """
        if self.folder is not None:
            rest = (folder for folder in others if folder != self.folder)
            self.places.folders = (self.folder, *rest)

    def settle_folders(self, document: Document) -> None:
        """Without a folder, modules are found where the first evaluated file lies."""
        if not self.evaluator.opened and not self.places.folders and document.path is not None:
            self.places.folders = (document.path.parent,)

    def apply_settings(self, settings: Settings) -> bool:
        """Takes over settings; whether some of them wait for a restart of the session."""
        self.settings = settings
        self.evaluator.time_limit_s = settings.time_limit_s
        return self.evaluator.opened and needs_new_session(self._session_settings, settings)

    async def restart(self) -> None:
        """Ends evaluations and gives a fresh VM, or a session with the settings of now."""
        reopen = (
            needs_new_session(self._session_settings, self.settings)
            or self._session_folders != self.places.folders
            # What was in the way may be gone; and nothing is stored any more in a file without a
            # name, so there is no other way on.
            or self.unopened
            or self._session_is_read_only
            or self._session_file != _identity(self.path)
        )
        await self.evaluator.restart(reopen=bool(reopen))
        self.places.forget()

    @property
    def path_in_use(self) -> Path | None:
        """Where its session's file is, or will be; None: everything is in memory."""
        return None if self.unopened else self.path

    @property
    def path(self) -> Path | None:
        """Where its session's file is, or would be; None: in memory."""
        configured = self.settings.database_path
        if configured is None:
            return None
        if configured == "":
            return sessions.default_path(self.folder, create=False)
        path = Path(configured).expanduser()
        return self.folder / path if self.folder and not path.is_absolute() else path

    def _open_session(self) -> Session:
        settings, folders = self.settings, self.places.folders
        unopened = ""
        path = self.path
        if settings.database_path != "":
            session = self._open_at(path)
        else:
            try:
                path = sessions.default_path(self.folder)
                session = self._open_at(path)
            except StoreError as error:
                # Nobody asked for this file: what does not need it shall work all the same.
                path, unopened = None, str(error)
                self._host.warn(f"{error} Until then, what you evaluate is kept in memory only.")
                session = self._open_at(None)
        if session.read_only:
            self._host.warn(session.read_only)
        where = "in memory" if path is None else path
        logger.info("%s %s (%s)", self.name or "Your own session:", session.started, where)
        self._session_settings, self._session_folders = settings, folders
        self._session_file = _identity(path)
        self._session_is_read_only, self.unopened = bool(session.read_only), unopened
        return session

    def _is_kept(self) -> bool:
        """Whether the session's file is there already."""
        path = self.path
        return path is not None and path.exists()

    def _open_to_look(self) -> Session:
        return sessions.Session.open(self.path, runs_code=False)

    def _open_at(self, path: Path | None) -> Session:
        settings = self.settings
        return sessions.Session.open(
            path,
            memory_limit_bytes=settings.memory_limit_bytes,
            time_limit_s=settings.time_limit_s,
            output_limit_bytes=settings.output_limit_bytes,
            keep_error_effects=settings.keep_error_effects,
            history_limit_evaluations=settings.history_limit_evaluations,
            history_limit_bytes=settings.history_limit_bytes,
            undo_memory_limit_bytes=settings.undo_memory_limit_bytes,
            folders=self.places.folders,
            open_buffers=self.places.open_text,
        )


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file has a name at this moment; None if there is none."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino)


class Workspaces:
    """All workspaces of a server, and who belongs to which. Used from the server's loop."""

    def __init__(self, host: Host, folders: Iterable[Path] = ()) -> None:
        self._host = host
        self.folders: tuple[Path, ...] = tuple(folders)
        self._by_folder: dict[Path | None, Workspace] = {}
        self._around: dict[Path, Path | None] = {}
        """For folders that are not open: the one around it that has a session."""
        self.container: Callable[[str], str | None] = lambda _: None
        """The document that another one is a part of: a notebook for its cells."""

    def __iter__(self) -> Iterator[Workspace]:
        return iter(tuple(self._by_folder.values()))

    @property
    def first(self) -> Workspace:
        """The workspace of the first folder; the user's own if no folder is open."""
        return self._workspace(self.folders[0] if self.folders else None)

    def of(self, uri: str | None) -> Workspace:
        """The workspace that a document, or a folder, belongs to."""
        if uri is None:
            return self.first
        path = uris.path_of(self.container(uri) or uri)
        if path is None:
            return self.first
        return self._workspace(self._folder_of(path))

    def open_folders(self) -> Iterator[Workspace]:
        """Those of all open folders, or the user's own if there are none."""
        yield from map(self._workspace, self.folders or (None,))

    def set_folders(self, folders: Iterable[Path]) -> list[Workspace]:
        """Other folders are open now. Returns the workspaces that are none any more, to close."""
        before, self.folders = self.folders, tuple(folders)
        self._around.clear()
        gone = [folder for folder in before if folder not in self.folders]
        removed = [self._by_folder.pop(folder) for folder in gone if folder in self._by_folder]
        for folder in self.folders:
            if folder in self._by_folder:
                self._by_folder[folder].set_folders(self.folders)
        return removed

    def _workspace(self, folder: Path | None) -> Workspace:
        workspace = self._by_folder.get(folder)
        if workspace is None:
            others = self.folders if folder in self.folders else ()
            workspace = self._by_folder[folder] = Workspace(self._host, folder, others)
        return workspace

    def _folder_of(self, path: Path) -> Path | None:
        around = [folder for folder in self.folders if path.is_relative_to(folder)]
        if around:
            return max(around, key=lambda folder: len(folder.parts))
        parent = path.parent
        if parent not in self._around:
            self._around[parent] = next(filter(_has_session, (parent, *parent.parents)), None)
        return self._around[parent]


def _has_session(folder: Path) -> bool:
    return sessions.default_path(folder, create=False).exists()
