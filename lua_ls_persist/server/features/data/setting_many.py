"""Changing many entries and adding many rows at once, as a grid does: all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lua_ls_persist.errors import SessionError
from lua_ls_persist.jsonable import Json, unicode_text
from lua_ls_persist.literals import parse_key, parse_literal
from lua_ls_persist.paths import keys_of, path_text, step_text
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.running import TABLE_DOC, URI_DOC, ask
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
    """New values for many entries, and new rows."""

    changes: list[Any] = param(
        "up to 10,000 of `{path, value}`: the path of an entry and a Lua literal; `nil` removes it"
    )
    table: str | None = param(
        f"of the new rows: {TABLE_DOC}; a named table is made if there is none", None
    )
    rows: list[Any] | None = param(
        "new rows, up to 10,000 together with the changes: `{value}` or `{key, value}`, Lua "
        "literals as in `addRow`",
        None,
    )
    uri: str | None = param(URI_DOC, None)


async def set_many(server: LuaLanguageServer, params: SetManyParams) -> Json:
    """Sets entries to Lua literals and adds rows: all of it or nothing, as one evaluation.

    When something is refused, nothing is changed, and `failed` tells what it was and why: `index`
    is the number of the change, `row` that of the new row, from 0. `added` has the paths of the new
    rows.
    """
    wanted = [*params.changes, *(params.rows or ())]
    changed = len(params.changes)
    if len(wanted) > CHANGES_MAX:
        raise CommandError(
            f"`changes` and `rows` have at most {CHANGES_MAX} members; these are {len(wanted)}"
        )
    if not wanted:
        return {"changed": 0, "added": [], "failed": None}
    operations = []
    for number, one in enumerate(wanted):
        try:
            operations.append(_change(one) if number < changed else _row(params.table, one))
        except SessionError as error:
            return _failed(params, number, str(error))
    limit = server.workspace_of(params.uri).settings.time_limit_s
    evaluation = await ask(
        server,
        params.uri,
        f"Setting {changed:,} entries" if changed else f"Adding {len(wanted):,} rows",
        lambda session, report: session.batch(operations, time_limit_s=limit, on_progress=report),
        changes=True,
    )
    if evaluation.ok:
        table = path_text(params.table or "") if len(wanted) > changed else ""
        steps = [step_text(key) for key in evaluation.values[changed:]]
        added: list[Json] = [None if step is None else unicode_text(table + step) for step in steps]
        return {"changed": changed, "added": added, "failed": None}
    errors = [problem for problem in evaluation.problems if problem.severity == "error"]
    return _told(params, errors[0].message if errors else "it failed")


def _change(change: Any) -> dict[str, Any]:
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
        raise SessionError(f"{path} is a table of its own; name an entry of it, or drop all of it")
    place = {"table": path_text(keys[:-1]), "key": keys[-1]}
    return {"op": "delete", **place} if value is None else {"op": "set", **place, "value": value}


def _row(table: str | None, row: Any) -> dict[str, Any]:
    """What a batch takes for a new row.

    Raises:
        SessionError: it makes no sense.
    """
    if table is None:
        raise SessionError("rows need a `table`")
    if not isinstance(row, Mapping) or not {"value"} <= set(row) <= {"key", "value"}:
        raise SessionError("a row is {value} or {key, value}")
    if not all(isinstance(text, str) for text in row.values()):
        raise SessionError("the key and the value of a row are texts")
    keys = keys_of(table)
    if keys[0] == "_G":
        raise SessionError("rows of globals are added one by one, by `addRow`")
    value = parse_literal(row["value"])
    if value is None:
        raise SessionError("value: a row is not nil")
    operation = {"op": "insert", "table": path_text(keys), "value": value}
    return operation if "key" not in row else {**operation, "key": parse_key(row["key"])}


def _told(params: SetManyParams, message: str) -> Json:
    """What a batch failed at; it counts from 1."""
    found = _OPERATION.search(message)
    if found is None:
        return _failed(params, None, message)
    return _failed(params, int(found[1]) - 1, message[found.end() :])


def _failed(params: SetManyParams, number: int | None, message: str) -> Json:
    """What was refused: one of the changes, one of the rows behind them, or all of it together."""
    index = row = path = None
    if number is not None and number >= len(params.changes):
        row = number - len(params.changes)
    elif number is not None:
        index, change = number, params.changes[number]
        path = change.get("path") if isinstance(change, Mapping) else None
    failed: dict[str, Json] = {
        "index": index,
        "row": row,
        "path": path if isinstance(path, str) else None,
        "message": unicode_text(message),
    }
    return {"changed": 0, "added": [], "failed": failed}


SET_MANY = COMMANDS.add(
    "setMany",
    "Set Values",
    SetManyParams,
    set_many,
    "{changed, added: [path|null], failed: {index|null, row|null, path|null, message}|null}",
)
