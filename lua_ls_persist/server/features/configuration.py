"""The client's settings: asked for at the start, and again when they change."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lua_ls_persist.server.settings import SECTION

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

logger = logging.getLogger(__name__)


def register(server: LuaLanguageServer) -> None:
    """Asks for the section `luaPersist` where the client can be asked."""

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        can_notify = workspace is not None and workspace.did_change_configuration
        if can_notify and can_notify.dynamic_registration:
            registration = types.Registration(
                id=f"{SECTION}.configuration",
                method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                register_options={"section": SECTION},
            )
            server.protocol.send_request(
                types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration])
            )
        if _can_be_asked(server):
            _ask(server)
        else:
            server.configured.set()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        if _can_be_asked(server):
            _ask(server)
            return
        data = params.settings
        if isinstance(data, Mapping):
            data = data.get(SECTION, data if _looks_ours(data) else None)
        _apply(server, data)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        server.update_folders()


def _can_be_asked(server: LuaLanguageServer) -> bool:
    workspace = server.client_capabilities.workspace
    return workspace is not None and bool(workspace.configuration)


def _ask(server: LuaLanguageServer) -> None:
    def answered(answer: Future[Any]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            logger.warning("The client did not say what its settings are")
        else:
            values = answer.result()
            _apply(server, values[0] if values else None)
        server.configured.set()

    server.protocol.send_request(
        types.WORKSPACE_CONFIGURATION,
        types.ConfigurationParams([types.ConfigurationItem(section=SECTION)]),
    ).add_done_callback(answered)


def _apply(server: LuaLanguageServer, data: object) -> None:
    if server.apply_settings(data):
        server.window_show_message(
            types.ShowMessageParams(
                types.MessageType.Info,
                "Some changed settings take effect when the Lua session is restarted"
                " (command lua-persist.restart).",
            )
        )


def _looks_ours(data: Mapping[str, Any]) -> bool:
    """Whether a client sent the section's content itself."""
    return any(key in data for key in ("memoryLimitBytes", "timeLimitSeconds", "databasePath"))
