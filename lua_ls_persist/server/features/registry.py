"""All commands of the server, by id: every feature module adds its own when it is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist.server.commands import Registry

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

COMMANDS: Registry[LuaLanguageServer] = Registry()
