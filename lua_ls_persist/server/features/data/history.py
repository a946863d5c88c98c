"""The history: what evaluations have changed, undone and redone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json, difference_to_json, entry_to_json, went_to_json
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.looking import SessionParams
from lua_ls_persist.server.features.data.running import URI_DOC, change, look
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryParams:
    """A page of the history."""

    limit: int = param("how many evaluations at most", 20, at_least=1, at_most=1_000)
    offset: int = param("how many of the newest to leave out", 0)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoParams:
    """How far to go back or forth."""

    count: int = param("how many evaluations", 1, at_least=1)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffParams:
    """Two points of the history."""

    before: int = param("the number of an evaluation; 0: before the oldest that is known", 0)
    after: int | None = param("the number of an evaluation; otherwise now", None)
    limit: int = param("how many differences at most", 1_000, at_least=1, at_most=10_000)
    uri: str | None = param(URI_DOC, None)


async def history(server: LuaLanguageServer, params: HistoryParams) -> Json:
    """Lists the evaluations that changed what is stored, the newest first."""
    wanted = params.offset + params.limit
    found = await look(server, params.uri, lambda session: session.history(wanted + 1))
    return {
        "evaluations": [entry_to_json(entry) for entry in found[params.offset : wanted]],
        "next_offset": wanted if len(found) > wanted else None,
    }


async def undo(server: LuaLanguageServer, params: GoParams) -> Json:
    """Undoes the last evaluations that changed what is stored, there and in the VM."""
    went = await change(server, params.uri, "Undoing", lambda session: session.undo(params.count))
    return went_to_json(went)


async def redo(server: LuaLanguageServer, params: GoParams) -> Json:
    """Redoes the evaluations that were undone last."""
    went = await change(server, params.uri, "Redoing", lambda session: session.redo(params.count))
    return went_to_json(went)


async def diff(server: LuaLanguageServer, params: DiffParams) -> Json:
    """Tells how what is stored differs between two points of the history."""
    found = await look(
        server,
        params.uri,
        lambda session: session.diff(params.before, params.after, limit=params.limit),
    )
    return {"differences": [difference_to_json(one) for one in found]}


async def forget_history(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Forgets all evaluations, so that none can be undone."""
    count = await change(server, params.uri, "Forgetting", lambda session: session.forget_history())
    return {"forgotten": count}


ENTRY = (
    "{number, own, made_utc, name, source, source_bytes, entries_set, entries_deleted, "
    "tables_made, functions_made, upvalues_set, keys, bytes, undoable, undone}"
)
WENT = "{evaluations: [as in history], vm: restored|fresh|kept, text}"
HISTORY = COMMANDS.add(
    "history",
    "Show History",
    HistoryParams,
    history,
    f"{{evaluations: [{ENTRY}], next_offset|null}}",
)
UNDO = COMMANDS.add("undo", "Undo Last Evaluation", GoParams, undo, WENT)
REDO = COMMANDS.add("redo", "Redo Evaluation", GoParams, redo, WENT)
DIFF = COMMANDS.add(
    "diff",
    "Show Differences",
    DiffParams,
    diff,
    "{differences: [{place, before: Value, after: Value}]}",
)
FORGET_HISTORY = COMMANDS.add(
    "forgetHistory", "Forget History", SessionParams, forget_history, "{forgotten}"
)
