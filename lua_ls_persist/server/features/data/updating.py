"""Bringing a stored function up to date with its definition in a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json
from lua_ls_persist.paths import keys_of
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.definitions import (
    definition_of,
    definitions_in,
    names_of,
    update_source,
)
from lua_ls_persist.server.features.data.functions import PATH_DOC
from lua_ls_persist.server.features.data.running import change, done, find_function
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionParams:
    """A stored function, and where it is defined now."""

    path: str = param(PATH_DOC)
    uri: str = param("the document with the definition: open, or a file")


async def update_function(server: LuaLanguageServer, params: UpdateFunctionParams) -> Json:
    """Replaces a stored function by the definition of the same name in a document.

    Variables that it shares with other functions stay the same where they have the same names;
    `fresh` are the others, which begin as nil.
    """
    function = await find_function(server, params.uri, params.path)
    document = server.document(params.uri)
    syntax = await server.syntax(document)
    definition = definition_of(function, definitions_in(syntax))
    if definition is None:
        raise CommandError(
            f"{params.uri} defines no function that could be {params.path}; "
            "give the `uri` of the document that does"
        )
    scopes = await server.scopes(document)
    base = scopes.name_at(definition.name)
    source, line = update_source(
        definition,
        document.text(definition.range),
        [upvalue.name for upvalue in function.upvalues],
        base_is_local=base is not None and base.kind not in ("global", "field", "method"),
    )
    workspace = server.workspace_of(params.uri)
    name = workspace.places.name_of(document.uri)
    evaluation = await change(
        server,
        params.uri,
        f"Updating {params.path}",
        lambda session: session.evaluate(
            source,
            name=name,
            line=line,
            mode="chunk",
            arguments=[keys_of(params.path)],
            time_limit_s=workspace.settings.time_limit_s,
        ),
    )
    kept, fresh = done(evaluation).values
    return {
        "path": params.path,
        "line": definition.range.start.row + 1,
        "kept": list(names_of(kept)),
        "fresh": list(names_of(fresh)),
    }


UPDATE_FUNCTION = COMMANDS.add(
    "updateFunction",
    "Update Function from Buffer",
    UpdateFunctionParams,
    update_function,
    "{path, line, kept: [names], fresh: [names]}",
)
