"""The client's settings, folders and trust: asked for at the start, and followed when they change.

Owns what is registered with the client while it runs: interest in its configuration, and in files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from lua_ls_persist import session as sessions
from lua_ls_persist.server import uris
from lua_ls_persist.server.board import Changed
from lua_ls_persist.server.features import beside, virtual_documents
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.settings import SECTION, looks_like_settings

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

WATCHED_FILES: Final = "**/*.lua"
TRUSTED_NOTIFICATION: Final = "luaPersist/trusted"

logger = logging.getLogger(__name__)


def register(server: LuaLanguageServer) -> None:
    """Asks for the section `luaPersist` where the client can be asked."""

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        registrations = _registrations(server)
        if registrations:
            server.protocol.send_request(
                types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams(registrations)
            )
        if _can_be_asked(server):
            _ask(server)
        else:
            server.configured.set()
        beside.ask(server)
        server.tell_folders()
        # The first evaluation and the first command shall not wait for what is only loaded now.
        server.checks.worker.submit(getattr, sessions, "Session")
        server.checks.worker.submit(COMMANDS.load)
        await _open_sessions(server)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        if _can_be_asked(server):
            _ask(server)
            return
        data = params.settings
        if isinstance(data, Mapping):
            data = data.get(SECTION, data if looks_like_settings(data) else None)
        trust = _trust(server)
        _tell(server, waiting=server.apply_settings(data))
        await _trust_changed(server, trust)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_workspace_folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        await server.update_folders()
        if _can_be_asked(server):
            _ask(server)
        await _open_sessions(server)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        for listener in server.file_listeners:
            listener(params.changes)

    @server.feature(TRUSTED_NOTIFICATION)
    async def trusted(params: Any) -> None:
        trust = _trust(server)
        value = params.get("trusted") if isinstance(params, Mapping) else None
        server.trusted = getattr(params, "trusted", value) is True
        if server.trusted and _can_be_asked(server):
            # With the trust come settings of the folder that were kept back until now: no session
            # is opened without them.
            server.configured.clear()
            _ask(server)
        await _trust_changed(server, trust)


def _registrations(server: LuaLanguageServer) -> list[types.Registration]:
    """What is asked of clients that take requests for it while they run."""
    workspace = server.client_capabilities.workspace
    if workspace is None:
        return []
    found: list[types.Registration] = []
    configuration = workspace.did_change_configuration
    if configuration is not None and configuration.dynamic_registration:
        found.append(
            types.Registration(
                id=f"{SECTION}.configuration",
                method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                register_options={"section": SECTION},
            )
        )
    files = workspace.did_change_watched_files
    if files is not None and files.dynamic_registration:
        watcher = types.FileSystemWatcher(glob_pattern=WATCHED_FILES)
        found.append(
            types.Registration(
                id=f"{SECTION}.files",
                method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                register_options=types.DidChangeWatchedFilesRegistrationOptions([watcher]),
            )
        )
    found += virtual_documents.registrations(server)
    return found


async def _open_sessions(server: LuaLanguageServer) -> None:
    """Opens the sessions that have something to go on from; none is made for the others."""
    opening = [workspace.evaluator.open_kept() for workspace in server.workspaces.open_folders()]
    await asyncio.gather(*opening)


def _trust(server: LuaLanguageServer) -> dict[object, bool]:
    return {workspace: workspace.trusted for workspace in server.workspaces.open_folders()}


async def _trust_changed(server: LuaLanguageServer, before: dict[object, bool]) -> None:
    """Sessions that were opened under another trust are given up, and what may be is opened."""
    for workspace in server.workspaces:
        if before.get(workspace, workspace.trusted) != workspace.trusted:
            await workspace.evaluator.trust_changed()
            server.refresh_lenses()
    await _open_sessions(server)


def _can_be_asked(server: LuaLanguageServer) -> bool:
    workspace = server.client_capabilities.workspace
    return workspace is not None and bool(workspace.configuration)


def _ask(server: LuaLanguageServer) -> None:
    """Asks for the settings of each folder. By a callback: nobody waits for the answer."""
    asked = tuple(server.workspaces.open_folders())

    def answered(answer: Future[Any]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            logger.warning("The client did not say what its settings are")
        else:
            trust = _trust(server)
            waiting = False
            for workspace, values in zip(asked, answer.result() or (), strict=False):
                waiting |= server.apply_settings(values, workspace)
            _tell(server, waiting=waiting)
            server.start(_trust_changed(server, trust))
        server.configured.set()

    items = [
        types.ConfigurationItem(
            scope_uri=None if workspace.folder is None else uris.uri_of(workspace.folder),
            section=SECTION,
        )
        for workspace in asked
    ]
    server.protocol.send_request(
        types.WORKSPACE_CONFIGURATION, types.ConfigurationParams(items)
    ).add_done_callback(answered)


def _tell(server: LuaLanguageServer, *, waiting: bool) -> None:
    # Which hints and which lenses are shown are settings.
    server.show(Changed(hints=frozenset(document.uri for document in server.documents)))
    server.refresh_lenses()
    if waiting:
        server.window_show_message(
            types.ShowMessageParams(
                types.MessageType.Info,
                "Some changed settings take effect when the Lua session is restarted"
                " (command lua-persist.restart).",
            )
        )
