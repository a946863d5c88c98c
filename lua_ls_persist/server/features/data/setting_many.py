"""Changing many entries at once, as a grid does: all of them or none, the refused one named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lua_ls_persist.errors import SessionError
from lua_ls_persist.jsonable import Json, unicode_text
from lua_ls_persist.literals import parse_literal
from lua_ls_persist.model import Problem
from lua_ls_persist.paths import keys_of, path_text
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.running import URI_DOC, ask
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

CHANGES_MAX: Final = 10_000
"""As many operations a batch has."""
_ENTRY_KEYS_MIN: Final = 2
_OPERATION = re.compile(r"batch operation (\d+) \(.*?\): ", re.DOTALL)
"""How a batch begins the message about the operation that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManyParams:
    """New values for many entries."""

    changes: list[Any] = param(
        "up to 10,000 of `{path, value}`: the path of an entry and a Lua literal; `nil` removes it"
    )
    uri: str | None = param(URI_DOC, None)


async def set_many(server: LuaLanguageServer, params: SetManyParams) -> Json:
    """Sets entries to Lua literals, all of them or none, as one evaluation.

    When one is refused, nothing is changed, and `failed` tells which one it was and why.
    """
    if len(params.changes) > CHANGES_MAX:
        raise CommandError(
            f"`changes` has at most {CHANGES_MAX} members; these are {len(params.changes)}"
        )
    if not params.changes:
        return {"changed": 0, "failed": None}
    operations = []
    for index, change in enumerate(params.changes):
        try:
            operations.append(_operation(change))
        except SessionError as error:
            path = change.get("path") if isinstance(change, Mapping) else None
            return _failed(index, path if isinstance(path, str) else None, str(error))
    limit = server.workspace_of(params.uri).settings.time_limit_s
    evaluation = await ask(
        server,
        params.uri,
        f"Setting {len(operations):,} entries",
        lambda session, report: session.batch(operations, time_limit_s=limit, on_progress=report),
        changes=True,
    )
    errors = [problem for problem in evaluation.problems if problem.severity == "error"]
    if evaluation.ok:
        return {"changed": len(operations), "failed": None}
    return _told(errors[0], params.changes) if errors else _failed(None, None, "it failed")


def _operation(change: Any) -> dict[str, Any]:
    """What a batch takes for a change.

    Raises:
        SessionError: it makes no sense.
    """
    if not isinstance(change, Mapping) or set(change) != {"path", "value"}:
        raise SessionError("a change is {path, value}")
    path, text = change["path"], change["value"]
    if not isinstance(path, str) or not isinstance(text, str):
        raise SessionError("the path and the value of a change are texts")
    keys = keys_of(path)
    value = parse_literal(text)
    if keys[:2] == ["_G", "Memory"]:
        del keys[0]
    if keys[0] == "_G":
        raise SessionError("globals of the VM are changed one by one, by `set`")
    if len(keys) < _ENTRY_KEYS_MIN:
        raise SessionError(f"{path} is a table of its own; name an entry of it")
    place = {"table": path_text(keys[:-1]), "key": keys[-1]}
    return {"op": "delete", **place} if value is None else {"op": "set", **place, "value": value}


def _told(problem: Problem, changes: list[Any]) -> Json:
    """The change that a batch failed at; a batch counts from 1."""
    found = _OPERATION.search(problem.message)
    if found is None:
        return _failed(None, None, problem.message)
    index = int(found[1]) - 1
    return _failed(index, changes[index]["path"], problem.message[found.end() :])


def _failed(index: int | None, path: str | None, message: str) -> Json:
    return {
        "changed": 0,
        "failed": {"index": index, "path": path, "message": unicode_text(message)},
    }


SET_MANY = COMMANDS.add(
    "setMany",
    "Set Values",
    SetManyParams,
    set_many,
    "{changed, failed: {index|null, path|null, message}|null}",
)
