"""Whether another Lua server speaks about the same files, as far as anybody can know.

LSP tells a server nothing of the others. What there is: the setting `besideLuaServer`; a section
`Lua` in the client's configuration, which VS Code has only where LuaLS is installed; and a
`.luarc.json` in the folder, which is LuaLS' own file.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from lua_ls_persist.server.settings import Completion
from lua_ls_persist.server.workspaces import Workspace

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

SECTION_OF_OTHERS: Final = "Lua"
FILES_OF_OTHERS: Final = (".luarc.json", ".luarc.jsonc")


def ask(server: LuaLanguageServer) -> None:
    """Asks the client whether it has settings for LuaLS."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return

    def answered(answer: Future[Any]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            server.others_are_configured = any(answer.result() or ())

    server.protocol.send_request(
        types.WORKSPACE_CONFIGURATION,
        types.ConfigurationParams([types.ConfigurationItem(section=SECTION_OF_OTHERS)]),
    ).add_done_callback(answered)


def is_beside(server: LuaLanguageServer, workspace: Workspace) -> bool:
    """Whether another server has its say about the documents of a workspace."""
    setting = workspace.settings.beside_lua_server
    if setting != "auto":
        return setting == "yes"
    if server.others_are_configured:
        return True
    folder = workspace.folder
    return folder is not None and any((folder / name).exists() for name in FILES_OF_OTHERS)


def completion_of(server: LuaLanguageServer, workspace: Workspace) -> Completion:
    """What is completed in a workspace; never `auto`."""
    setting = workspace.settings.completion
    if setting != "auto":
        return setting
    return "live" if is_beside(server, workspace) else "all"
