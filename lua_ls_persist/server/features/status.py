"""How the sessions stand, and what the server has to say of itself.

Owns the notification `luaPersist/status`, the command of the same name, and the way of log records
to `window/logMessage`. What programs print is not among these.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server import uris
from lua_ls_persist.server.commands import OptionalDocumentParams
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace

STATUS_NOTIFICATION: Final = "luaPersist/status"
LOGGER: Final = "lua_ls_persist"
MESSAGE_CHARACTERS_MAX: Final = 10_000


async def status(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """How the session of a document, or of the first folder, stands."""
    workspace = server.workspace_of(params.uri)
    folders: list[Json] = [_status(one) for one in server.workspaces]
    return {
        **_status(workspace),
        "evaluating": workspace.evaluator.evaluating is not None,
        "waiting": workspace.evaluator.waiting,
        "trusted": workspace.trusted,
        "folders": folders,
    }


STATUS = COMMANDS.add("status", "Show Status", OptionalDocumentParams, status)


def register(server: LuaLanguageServer) -> None:
    """Tells the client of each change, if it wants to know, and of what is logged."""

    def changed(workspace: Workspace) -> None:
        if "status" in server.wanted:
            server.protocol.notify(STATUS_NOTIFICATION, _status(workspace))

    @server.feature(types.INITIALIZE)
    def initialize(_: types.InitializeParams) -> None:
        handler = _ToClient(server, asyncio.get_running_loop())
        logger = logging.getLogger(LOGGER)
        logger.addHandler(handler)
        logger.setLevel(min(logger.level or logging.INFO, logging.INFO))
        server.at_end.append(lambda: logger.removeHandler(handler))

    server.state_listeners.append(changed)


def _status(workspace: Workspace) -> dict[str, Json]:
    evaluator = workspace.evaluator
    session, job = evaluator.session, evaluator.evaluating
    state: dict[str, Json] = {
        "folder": None if workspace.folder is None else uris.uri_of(workspace.folder),
        "state": evaluator.state,
        "path": None if workspace.path_in_use is None else str(workspace.path_in_use),
        "started": None if session is None else session.started,
    }
    if job is not None:
        state["name"] = job.source.name
        if job.started_utc is not None:
            state["since"] = job.started_utc.isoformat(timespec="milliseconds")
    if evaluator.failure:
        state["message"] = evaluator.failure
    return state


class _ToClient(logging.Handler):
    """Hands log records to the client, in order, from whatever thread."""

    def __init__(self, server: LuaLanguageServer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(logging.INFO)
        self._server = server
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        kind = types.MessageType.Info
        if record.levelno >= logging.ERROR:
            kind = types.MessageType.Error
        elif record.levelno >= logging.WARNING:
            kind = types.MessageType.Warning
        try:
            text = self.format(record)[:MESSAGE_CHARACTERS_MAX]
            message = types.LogMessageParams(kind, text)
            self._loop.call_soon_threadsafe(self._server.window_log_message, message)
        except RuntimeError:  # The loop has ended, and with it the connection.
            return
