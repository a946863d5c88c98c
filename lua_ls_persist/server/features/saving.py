"""What happens when a document or a notebook is saved, or a file changes on disk.

Owns evaluation on save, and modules that are loaded again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server import uris
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.evaluating import Piece, evaluate
from lua_ls_persist.server.jobs import Job, Source
from lua_ls_persist.server.modules import CHUNK, DROP, RELOAD, names_of
from lua_ls_persist.server.presentation import Origin

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace

LANGUAGE: Final = ".lua"
CONTENTS_REMEMBERED_MAX: Final = 10_000
READ_AT_ONCE_MAX: Final = 20

logger = logging.getLogger(__name__)


def register(server: LuaLanguageServer) -> None:
    """Follows documents that are saved, and files that change."""
    contents: dict[str, bytes] = {}
    """By file, what was seen of it last: editors tell of one change in several ways."""

    def is_new(path: Path) -> bool:
        document = server.documents.at_path(path)
        try:
            content = path.read_bytes() if document is None else document.source.encode()
        except OSError:
            content = b""
        seen = hashlib.sha256(content).digest()
        key = uris.path_key(path)
        if contents.get(key) == seen:
            return False
        if len(contents) >= CONTENTS_REMEMBERED_MAX:
            contents.clear()
        contents[key] = seen
        return True

    def changed(paths: Sequence[Path]) -> None:
        reloading = [workspace for workspace in server.workspaces if _reloads(workspace)]
        modules = [path for path in paths if path.suffix == LANGUAGE]
        if not modules:
            return
        if len(modules) > READ_AT_ONCE_MAX:
            server.start(changed_later(reloading, modules))
            return
        # At once: what is evaluated next shall have the new modules.
        new = [path for path in modules if is_new(path)]
        _drop_notes(server, new)
        for workspace in reloading:
            server.start(_reload(server, workspace, new))

    async def changed_later(reloading: Sequence[Workspace], paths: Sequence[Path]) -> None:
        """Another branch was checked out: files are read outside of the loop."""
        loop = asyncio.get_running_loop()
        look = partial(filter, is_new, paths)
        new = await loop.run_in_executor(server.checks.worker, lambda: list(look()))
        _drop_notes(server, new)
        for workspace in reloading:
            await _reload(server, workspace, new)

    def files_changed(events: Sequence[types.FileEvent]) -> None:
        # What the editor holds counts until it is saved: then `didSave` comes.
        paths = [path for event in events if (path := uris.path_of(event.uri)) is not None]
        changed([path for path in paths if server.documents.at_path(path) is None])

    server.file_listeners.append(files_changed)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        # Not a coroutine: what is asked for next comes after what this starts.
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return
        if document.path is not None:
            changed([document.path])
        if _evaluates(server, document.uri):
            server.start(_evaluate(server, [document]))

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def did_save_notebook(params: types.DidSaveNotebookDocumentParams) -> None:
        uri = params.notebook_document.uri
        cells = [server.documents.get(cell) for cell in server.notebooks.cells_of(uri)]
        if _evaluates(server, uri):
            # Cells in other languages are no documents of ours.
            server.start(_evaluate(server, [cell for cell in cells if cell is not None]))


def _evaluates(server: LuaLanguageServer, uri: str) -> bool:
    workspace = server.workspace_of(uri)
    return workspace.settings.evaluate_on_save == "file" and workspace.trusted


async def _evaluate(server: LuaLanguageServer, documents: Sequence[Document]) -> None:
    """Evaluates what was saved: a file, or the cells of a notebook up to one that fails."""
    for document in documents:
        try:
            done = await evaluate(server, Piece(document, None), requested=False)
        except LuaPersistError as error:
            logger.warning("%s was not evaluated when it was saved: %s", document.uri, error)
            return
        if not done.evaluation.ok:
            return


def _drop_notes(server: LuaLanguageServer, paths: Sequence[Path]) -> None:
    """Takes back what evaluations said of files that are other than then, or are no more.

    Of open documents it is known what was edited: there, what is said of other lines stays.
    """
    for path in paths:
        if server.documents.at_path(path) is None:
            server.show(server.board.closed(uris.uri_of(path)))


def _reloads(workspace: Workspace) -> bool:
    off = workspace.settings.reload_modules == "off"
    return workspace.evaluator.opened and workspace.trusted and not off


async def _reload(server: LuaLanguageServer, workspace: Workspace, paths: Sequence[Path]) -> None:
    """Has modules of these files loaded again, now or when they are required next."""
    for path in paths:
        names = names_of(path, workspace.places.folders)
        if not names:
            continue
        now = workspace.settings.reload_modules == "inPlace"
        job = Job(Source(RELOAD if now else DROP, CHUNK, arguments=[names]))
        evaluation = await workspace.evaluator.evaluate(job)
        done = ", ".join(str(value) for value in evaluation.values)
        if evaluation.problems:
            uri = uris.uri_of(path)
            origin = Origin(uri, workspace.places.name_of(uri), True, None)
            items = workspace.presenter.items(evaluation, origin)
            server.show(server.board.evaluated(uri, None) | server.board.add(uri, items))
            logger.warning("The module %s was not loaded again: %s", path, evaluation.problems[0])
        elif done:
            told = "was loaded again" if now else "changed, so the next `require` loads it again"
            logger.info("%s %s", done, told)
