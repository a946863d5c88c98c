"""Virtual documents: their content, opening them, and telling the client when they are others.

A client that can ask for the content of documents (`workspace/textDocumentContent`), or has a way
of its own to (the capability `experimental: {luaPersist: {content: true}}`), gets their URIs. Any
other gets a file in the user's cache folder with the same text, which follows the data.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import platformdirs
from lsprotocol import types

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.jsonable import Json
from lua_ls_persist.server import uris
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.running import URI_DOC, find_function, look
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.virtual import (
    KINDS,
    LAST,
    PAGE_ENTRIES,
    PAGE_ENTRIES_MAX,
    SCHEME,
    Place,
    function_page,
    history_page,
    place_of,
    result_page,
    table_page,
)

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace
    from lua_ls_persist.session import Session

DEPTH: Final = 3
FILE_NAME_MAX: Final = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentParams:
    """A virtual document."""

    uri: str = param("its URI: `lua-persist:/table/users.lua?offset=0`")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenParams:
    """What to open."""

    what: str = param("what to show", choices=KINDS)
    path: str | None = param("of a table or function: its path", None)
    number: int | None = param("of the history: the number of an evaluation", None)
    offset: int = param("of a table: how many entries to leave out", 0)
    limit: int = param(
        "of a table: how many entries at most", PAGE_ENTRIES, at_least=1, at_most=PAGE_ENTRIES_MAX
    )
    uri: str | None = param(URI_DOC, None)


async def text_of(server: LuaLanguageServer, place: Place) -> str:
    """What stands in a document now.

    Raises:
        LuaPersistError: there is nothing there, or it cannot be looked at.
    """
    if place.kind == "result":
        return result_page(server.workspace_of(place.folder).last)
    if place.kind == "function":
        return function_page(await find_function(server, place.folder, place.what))
    if place.kind == "table":
        found = await look(
            server,
            place.folder,
            lambda session: session.inspect(
                place.what, offset=place.offset, limit=place.limit, depth=DEPTH
            ),
        )
        return table_page(place, found)
    return await look(server, place.folder, lambda session: _history(session, place.what))


async def uri_of(server: LuaLanguageServer, place: Place) -> str:
    """The URI by which the client can open a document: its own, or that of a file.

    Raises:
        LuaPersistError: there is no such document.
    """
    if can_ask(server):
        await text_of(server, place)  # What is not there is not opened.
        return place.uri
    return uris.uri_of(await _written(server, place))


def uri_with(server: LuaLanguageServer, place: Place, text: str) -> str:
    """The same of a document whose text is known already.

    Raises:
        LuaPersistError: the client knows files only, and none can be written.
    """
    return place.uri if can_ask(server) else uris.uri_of(_kept(server, place, text))


async def content(server: LuaLanguageServer, params: ContentParams) -> Json:
    """Gives the text of a virtual document, for clients that cannot ask for it as LSP has it.

    Of an open document it is what the server takes it to be, so that clients can compare.
    """
    document = server.documents.get(params.uri)
    if document is not None:
        return {"text": document.content, "language": "lua"}
    place = place_of(params.uri)
    text = await text_of(server, place)
    server.followed.add(params.uri, place)
    return {"text": text, "language": place.language}


async def open_(server: LuaLanguageServer, params: OpenParams) -> Json:
    """Shows a table, a function's stored source, the last result, or what an evaluation changed."""
    uri = await uri_of(server, _place(params))
    window = server.client_capabilities.window
    shown = bool(window and window.show_document and window.show_document.support)
    if shown:
        # Nobody waits for the answer: a client that refuses has said why to its user.
        server.protocol.send_request(
            types.WINDOW_SHOW_DOCUMENT, types.ShowDocumentParams(uri, take_focus=True)
        )
    return {"uri": uri, "shown": shown}


CONTENT = COMMANDS.add("content", "Show Content", ContentParams, content, "{text, language}")
OPEN = COMMANDS.add("open", "Open Stored Document", OpenParams, open_, "{uri, shown}")


def register(server: LuaLanguageServer) -> None:
    """Answers what clients ask of documents, and tells them when the data are other ones."""

    @server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def text_document_content(
        params: types.TextDocumentContentParams,
    ) -> types.TextDocumentContentResult:
        try:
            place = place_of(params.uri)
            server.followed.add(params.uri, place)
            text = await text_of(server, place)
        except LuaPersistError as error:
            text = f"-- {error}\n"
        return types.TextDocumentContentResult(text)

    def changed(workspace: Workspace) -> None:
        _refresh(server, lambda place: server.workspace_of(place.folder) is workspace)

    def evaluated(workspace: Workspace) -> None:
        if workspace.evaluator.evaluating is None:
            _refresh(
                server,
                lambda place: (
                    place.kind == "result" and server.workspace_of(place.folder) is workspace
                ),
            )

    server.data_listeners.append(changed)
    server.state_listeners.append(evaluated)


def registrations(server: LuaLanguageServer) -> list[types.Registration]:
    """What tells the client which documents it can ask for."""
    if not _can_refresh(server):
        return []
    return [
        types.Registration(
            id="luaPersist.content",
            method=types.WORKSPACE_TEXT_DOCUMENT_CONTENT,
            register_options={"schemes": [SCHEME]},
        )
    ]


def _refresh(server: LuaLanguageServer, is_about: Callable[[Place], bool]) -> None:
    """Brings the client's documents up to date."""
    if _can_refresh(server):
        for uri, place in server.followed.places.items():
            if is_about(place):
                server.protocol.send_request(
                    types.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH,
                    types.TextDocumentContentRefreshParams(uri),
                )
    for place, _ in tuple(server.followed.files.values()):
        if is_about(place):
            server.start(_rewritten(server, place))


async def _written(server: LuaLanguageServer, place: Place) -> Path:
    """A file with the text of a document."""
    return _kept(server, place, await text_of(server, place))


def _kept(server: LuaLanguageServer, place: Place, text: str) -> Path:
    """A file with a text, which follows the data."""
    session = server.workspace_of(place.folder).path
    path = _file_of(place, str(session) if session is not None else f"memory {os.getpid()}")
    _write(path, text)
    server.followed.add_file(place, path)
    return path


async def _rewritten(server: LuaLanguageServer, place: Place) -> None:
    try:
        await _written(server, place)
    except LuaPersistError as error:  # It is gone: the file stays as it was.
        logger.debug("%s was not written again: %s", place.uri, error)


def can_ask(server: LuaLanguageServer) -> bool:
    return "content" in server.wanted or _can_refresh(server)


def _can_refresh(server: LuaLanguageServer) -> bool:
    workspace = server.client_capabilities.workspace
    return workspace is not None and workspace.text_document_content is not None


def _place(params: OpenParams) -> Place:
    kind = params.what
    if kind == "result":
        return Place("result", LAST, folder=params.uri)
    if kind == "history":
        if params.number is None:
            raise CommandError("`number` is missing: that of an evaluation, as `history` tells it")
        return Place("history", str(params.number), folder=params.uri)
    if params.path is None:
        raise CommandError(f"`path` is missing: that of a {kind}")
    if kind == "function":
        return Place("function", params.path, folder=params.uri)
    return Place("table", params.path, params.offset, params.limit, params.uri)


def _history(session: Session, what: str) -> str:
    number = int(what) if what.isdigit() else 0
    entries = session.history(2**31)
    for place, entry in enumerate(entries):
        if entry.number == number:
            before = entries[place + 1].number if place + 1 < len(entries) else 0
            return history_page(number, entry.source, session.diff(before, number))
    raise CommandError(f"there is no evaluation {what} in the history")


def _file_of(place: Place, session: str) -> Path:
    """Where the text of a document is for clients that know files only."""
    folder = platformdirs.user_cache_path("lua-ls-persist", appauthor=False) / "documents"
    whose = hashlib.sha256(session.encode()).hexdigest()[:12]
    name = quote(place.what, safe="")
    if len(name) > FILE_NAME_MAX:
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        name = f"{name[:FILE_NAME_MAX]}-{digest}"
    page = f"-{place.offset}" if place.offset else ""
    ending = ".diff" if place.kind == "history" else ".lua"
    return folder / whose / place.kind / f"{name}{page}{ending}"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error
