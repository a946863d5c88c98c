"""Stored functions: listed with their state, shown, called, brought up to date, removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json, unicode_text, value_to_json
from lua_ls_persist.literals import parse_literal
from lua_ls_persist.model import StoredFunction
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.drift import drift_of
from lua_ls_persist.server.features.data.running import (
    URI_DOC,
    ask,
    change,
    done,
    evaluation_json,
    find_function,
    look,
)
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

PATH_DOC = "where the function is: `Memory.calculate`"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsParams:
    """A page of the functions."""

    offset: int = param("how many to leave out", 0)
    limit: int = param("how many at most", 1_000, at_least=1, at_most=10_000)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionParams:
    """A function."""

    path: str = param(PATH_DOC)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallParams:
    """A call of a function."""

    path: str = param(PATH_DOC)
    arguments: list[str] | None = param('Lua literals: `3`, `"text"`, `{1, 2}`', None)
    uri: str | None = param(URI_DOC, None)


async def functions(server: LuaLanguageServer, params: FunctionsParams) -> Json:
    """Lists stored functions, and whether each is what its source says."""
    found = await look(server, params.uri, lambda session: session.functions())
    end = params.offset + params.limit
    return {
        "functions": [
            _listed(server, params.uri, function) for function in found[params.offset : end]
        ],
        "total": len(found),
        "next_offset": end if end < len(found) else None,
    }


async def function(server: LuaLanguageServer, params: FunctionParams) -> Json:
    """Shows a stored function: its source, and the variables it shares with others."""
    found = await find_function(server, params.uri, params.path)
    return {
        **_listed(server, params.uri, found),
        "text": unicode_text(found.text),
        "upvalues": [
            {"name": unicode_text(upvalue.name), "value": value_to_json(upvalue.value)}
            for upvalue in found.upvalues
        ],
    }


async def call_function(server: LuaLanguageServer, params: CallParams) -> Json:
    """Calls a stored function with literals; gives what an evaluation gives."""
    arguments = [
        parse_literal(text, f"arguments[{number}]")
        for number, text in enumerate(params.arguments or (), 1)
    ]
    limit = server.workspace_of(params.uri).settings.time_limit_s
    evaluation = await ask(
        server,
        params.uri,
        f"Calling {params.path}",
        lambda session, _: session.call(params.path, *arguments, time_limit_s=limit),
        changes=True,
    )
    return evaluation_json(evaluation, server.workspace_of(params.uri).places.uri_of)


async def delete_function(server: LuaLanguageServer, params: FunctionParams) -> Json:
    """Removes the entry that a stored function is."""
    found = await find_function(server, params.uri, params.path)
    await change(
        server,
        params.uri,
        f"Removing {found.path}",
        lambda session: done(session.delete(found.path)),
    )
    return {"deleted": unicode_text(found.path)}


async def recompile(server: LuaLanguageServer, params: FunctionParams) -> Json:
    """Compiles a stored function again from its stored source, and signs it."""
    await change(
        server,
        params.uri,
        f"Compiling {params.path}",
        lambda session: session.recompile(params.path),
    )
    return {"recompiled": params.path}


def _listed(
    server: LuaLanguageServer, uri: str | None, function: StoredFunction
) -> dict[str, Json]:
    drift = drift_of(function, server.workspace_of(uri).places, server.find_document)
    return {
        "path": unicode_text(function.path),
        "name": unicode_text(function.name),
        "signature": unicode_text(function.signature),
        "chunk": unicode_text(function.chunk),
        "uri": drift.uri,
        "line": function.line if drift.row is None else drift.row + 1,
        "last_line": function.last_line
        if drift.row is None
        else drift.row + 1 + function.last_line - function.line,
        "size_bytes": function.size_bytes,
        "drift": drift.state,
        "problem": function.problem,
    }


LISTED = (
    "{path, name, signature, chunk, uri|null, line, last_line, size_bytes, "
    "drift: in_sync|edited|source_gone|unknown, problem}"
)
FUNCTIONS = COMMANDS.add(
    "functions",
    "List Functions",
    FunctionsParams,
    functions,
    f"{{functions: [{LISTED}], total, next_offset|null}}",
)
FUNCTION = COMMANDS.add(
    "function",
    "Show Function",
    FunctionParams,
    function,
    f"{LISTED} with text and upvalues: [{{name, value: Value}}]",
)
CALL_FUNCTION = COMMANDS.add(
    "callFunction", "Call Function", CallParams, call_function, "Evaluation"
)
DELETE_FUNCTION = COMMANDS.add(
    "deleteFunction", "Delete Function", FunctionParams, delete_function, "{deleted}"
)
RECOMPILE = COMMANDS.add(
    "recompile", "Recompile Function", FunctionParams, recompile, "{recompiled}"
)
