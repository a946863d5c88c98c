"""The commands themselves as data, for clients that make forms of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.commands import NoParams
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


async def commands(_server: LuaLanguageServer, _params: NoParams) -> Json:
    """Lists all commands, with their parameters and results."""
    return {"commands": [command.described() for command in COMMANDS]}


CATALOG = COMMANDS.add(
    "commands",
    "List Commands",
    NoParams,
    commands,
    "{commands: [{id, name, title, doc, parameters: [{name, type, required, doc, default?, "
    "choices?}], result}]}",
)
