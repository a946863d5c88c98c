"""Notebooks as the client opens, changes and closes them: their cells are documents.

So all that is done with documents is done with cells, by their URIs: evaluated as chunks of their
own, with their own diagnostics and hints.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist.server.features import sync

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

SYNC: Final = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithNotebook(
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="*"),
            cells=[types.NotebookCellLanguage(language="lua")],
        )
    ],
    save=True,
)
"""Notebooks of all types, and of these the cells that are Lua."""

logger = logging.getLogger(__name__)


def did_open(server: LuaLanguageServer, params: types.DidOpenNotebookDocumentParams) -> None:
    """Takes over the order of the cells, then their texts."""
    notebook = params.notebook_document
    server.notebooks.open(notebook.uri, [cell.document for cell in notebook.cells])
    for item in params.cell_text_documents:
        sync.did_open(server, types.DidOpenTextDocumentParams(item))


def did_change(server: LuaLanguageServer, params: types.DidChangeNotebookDocumentParams) -> None:
    """Cells come, go and move; their texts change."""
    uri, cells = params.notebook_document.uri, params.change.cells
    if cells is None:
        return
    if cells.structure is not None:
        array = cells.structure.array
        new = [cell.document for cell in array.cells or ()]
        for closed in cells.structure.did_close or ():
            sync.did_close(server, types.DidCloseTextDocumentParams(closed))
        server.notebooks.replace(uri, array.start, array.delete_count, new)
        for item in cells.structure.did_open or ():
            sync.did_open(server, types.DidOpenTextDocumentParams(item))
    for content in cells.text_content or ():
        sync.did_change(
            server, types.DidChangeTextDocumentParams(content.document, content.changes)
        )


def did_close(server: LuaLanguageServer, params: types.DidCloseNotebookDocumentParams) -> None:
    """Forgets the notebook and its cells."""
    for item in params.cell_text_documents:
        sync.did_close(server, types.DidCloseTextDocumentParams(item))
    server.notebooks.close(params.notebook_document.uri)
