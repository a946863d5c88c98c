"""Changing data: entries, rows, batches, migrations. All of it can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lua_ls_persist.jsonable import Json, value_to_json
from lua_ls_persist.paths import keys_of, no_named_table, path_text, step_text
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.running import (
    TABLE_DOC,
    URI_DOC,
    ask,
    change,
    done,
    evaluation_json,
)
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

VALUE_DOC = 'a Lua literal: `42`, `"text"`, `{name = "Ann"}`'


@dataclass(frozen=True, slots=True, kw_only=True)
class SetParams:
    """A new value for an entry."""

    path: str = param("the path of the entry: `users.ann.age`; with `_G` in front, of a global")
    value: str = param(f"{VALUE_DOC}; `nil` removes the entry")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteParams:
    """An entry to remove."""

    path: str = param("the path of the entry: `users.ann`")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTableParams:
    """A named table to forget."""

    table: str = param("its name, as in `ext.table(name)`; not `Memory`, which is always there")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRowParams:
    """A new row."""

    table: str = param(f"{TABLE_DOC}; a named table is made if there is none")
    key: str | None = param(
        'its key, a Lua literal: `"ann"`, `3`; otherwise it follows the list in the table', None
    )
    value: str = param(VALUE_DOC, "{}")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchParams:
    """Operations to do together."""

    operations: list[Any] = param("up to 10,000 of what `ext.batch` takes: `{op, table, key, ...}`")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateParams:
    """A migration."""

    table: str = param(TABLE_DOC)
    version: int = param("each version is run once, in ascending order", at_least=1)
    source: str = param("Lua: `function(row, key) ... end`, or what such a function does")
    dry_run: bool = param("whether to undo it, and tell what would change", default=False)
    uri: str | None = param(URI_DOC, None)


async def set_value(server: LuaLanguageServer, params: SetParams) -> Json:
    """Sets an entry to a Lua literal; nothing is evaluated. Gives what was there before."""
    evaluation = await change(
        server,
        params.uri,
        f"Setting {params.path}",
        lambda session: done(session.set_literal(params.path, params.value)),
    )
    return {"previous": _previous(evaluation.values), "path": path_text(params.path)}


async def delete(server: LuaLanguageServer, params: DeleteParams) -> Json:
    """Removes an entry. Gives what was there before."""
    evaluation = await change(
        server,
        params.uri,
        f"Removing {params.path}",
        lambda session: done(session.set_literal(params.path, "nil")),
    )
    return {"previous": _previous(evaluation.values), "path": path_text(params.path)}


async def drop_table(server: LuaLanguageServer, params: DropTableParams) -> Json:
    """Forgets a named table, with its rows, indexes and schema; what others refer to stays."""
    name = params.table

    def drop(session: Session) -> str:
        """What is wrong: nothing, or there is no such table."""
        there_was = session.drop(name)
        return "" if there_was else no_named_table(name, [one.name for one in session.tables()])

    problem = await change(server, params.uri, f"Dropping {name}", drop)
    if problem:
        raise CommandError(problem)
    return {"dropped": name}


async def add_row(server: LuaLanguageServer, params: AddRowParams) -> Json:
    """Puts a new row into a table. Gives the path under which it is."""
    evaluation = await change(
        server,
        params.uri,
        f"Adding a row to {params.table}",
        lambda session: done(session.add_row(params.table, params.value, key=params.key)),
    )
    step = step_text(evaluation.values[0])
    path = path_text(keys_of(params.table))
    return {
        "previous": None,
        "path": None if step is None else path + step,
        "key": value_to_json(evaluation.values[0]),
    }


def _previous(values: tuple[Any, ...]) -> Json:
    return None if not values or values[0] is None else value_to_json(values[0])


async def batch(server: LuaLanguageServer, params: BatchParams) -> Json:
    """Does operations one after the other, all of them or none; the values are their results."""
    limit = server.workspace_of(params.uri).settings.time_limit_s
    evaluation = await ask(
        server,
        params.uri,
        f"Doing {len(params.operations)} operations",
        lambda session, report: session.batch(
            params.operations, time_limit_s=limit, on_progress=report
        ),
        changes=True,
    )
    return evaluation_json(evaluation, server.workspace_of(params.uri).places.uri_of)


async def migrate(server: LuaLanguageServer, params: MigrateParams) -> Json:
    """Brings the rows of a table to a version, once. Gives what an evaluation gives."""
    limit = server.workspace_of(params.uri).settings.time_limit_s

    def call(session: Session, report: Any) -> Any:
        return session.migrate(
            params.table,
            params.version,
            params.source,
            dry_run=params.dry_run,
            time_limit_s=limit,
            on_progress=report,
        )

    evaluation = await ask(server, params.uri, f"Migrating {params.table}", call, changes=True)
    return evaluation_json(evaluation, server.workspace_of(params.uri).places.uri_of)


SET = COMMANDS.add("set", "Set Value", SetParams, set_value, "{previous: Value|null, path}")
DELETE = COMMANDS.add(
    "delete", "Delete Value", DeleteParams, delete, "{previous: Value|null, path}"
)
DROP_TABLE = COMMANDS.add("dropTable", "Drop Table", DropTableParams, drop_table, "{dropped}")
ADD_ROW = COMMANDS.add(
    "addRow", "Add Row", AddRowParams, add_row, "{previous: null, path|null, key: Value}"
)
BATCH = COMMANDS.add("batch", "Run Batch", BatchParams, batch, "Evaluation")
MIGRATE = COMMANDS.add("migrate", "Migrate Table", MigrateParams, migrate, "Evaluation")
