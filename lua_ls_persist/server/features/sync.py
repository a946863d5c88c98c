"""Documents that are opened, changed and closed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.convert import changes_of

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

logger = logging.getLogger(__name__)


def did_open(server: LuaLanguageServer, params: types.DidOpenTextDocumentParams) -> None:
    """Takes over the text and checks its syntax."""
    item = params.text_document
    server.documents.open(item.uri, item.text, item.version)
    server.checks.opened(item.uri)
    server.text_changed(item.uri)


def did_change(server: LuaLanguageServer, params: types.DidChangeTextDocumentParams) -> None:
    """Applies the changes; results of edited code go, the others move along."""
    uri, version = params.text_document.uri, params.text_document.version
    if server.documents.get(uri) is None:
        logger.warning("Ignored changes of %s: it is not open", uri)
        return
    _, edits = server.documents.change(uri, version, changes_of(params.content_changes))
    server.checks.edited(uri, edits)
    server.show(server.board.edited(uri, edits))
    server.text_changed(uri)


def did_close(server: LuaLanguageServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forgets the text and what was shown in it."""
    uri = params.text_document.uri
    server.documents.close(uri)
    server.workspace_of(uri).places.forget(uri)
    server.checks.closed(uri)
    server.board.closed(uri)
    server.text_changed(uri)
    server.publish(uri)
