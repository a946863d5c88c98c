"""Looking: tables, values level by level, rows as a grid, what is in a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lua_ls_persist.jsonable import (
    Json,
    grid_to_json,
    inspected_to_json,
    profile_to_json,
    table_to_json,
    whole_to_json,
)
from lua_ls_persist.paths import root_path
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.running import (
    FILTER_DOC,
    TABLE_DOC,
    URI_DOC,
    WHERE_DOC,
    ask,
    conditions,
    look,
)
from lua_ls_persist.server.features.progress import Report
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

ROWS_MAX = 1_000
DEPTH_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParams:
    """A session."""

    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectParams:
    """A value and a page of what is in it."""

    path: str = param("where it is: `Memory.users[3]`; one that begins with `_G` is in the VM")
    offset: int = param("how many entries to leave out", 0)
    limit: int = param("how many entries at most", 100, at_least=1, at_most=ROWS_MAX)
    depth: int = param("how deep to look into the entries", 1, at_most=DEPTH_MAX)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeParams:
    """A stored value."""

    path: str = param("where it is: `Memory.users[3].name`")
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsParams:
    """A rectangle of a table."""

    table: str = param(TABLE_DOC)
    columns: list[str] | None = param("fields; otherwise the most frequent ones, up to 256", None)
    where: Any = param(WHERE_DOC, None)
    filter: str = param("a text that a shown cell or the key has", "", may_be_empty=True)
    order_by: Any = param("a field, or a list of fields and `{field, descending}`", None)
    descending: bool = param("whether to turn the order round", default=False)
    offset: int = param("how many rows to leave out", 0)
    limit: int = param("how many rows at most", 100, at_least=1, at_most=ROWS_MAX)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileParams:
    """A column of a table."""

    table: str = param(TABLE_DOC)
    column: str = param("a field: `age`, `address.city`, `@value`")
    where: Any = param(WHERE_DOC, None)
    filter: str = param(FILTER_DOC, "", may_be_empty=True)
    uri: str | None = param(URI_DOC, None)


async def tables(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Lists the named tables."""

    def call(session: Session) -> list[Json]:
        names = [index.table for index in session.indexes()]
        schemas = session.schemas()
        return [
            {
                **table_to_json(table),
                "path": root_path(table.name),
                "indexes": names.count(root_path(table.name)),
                "has_schema": root_path(table.name) in schemas,
            }
            for table in session.tables()
        ]

    return {"tables": await look(server, params.uri, call)}


async def inspect(server: LuaLanguageServer, params: InspectParams) -> Json:
    """Shows a value and a page of its entries; nothing of the program runs for it.

    Of the globals (`_G`), those that every session has come last: the last `given` ones.
    """
    return inspected_to_json(
        await look(
            server,
            params.uri,
            lambda session: session.inspect(
                params.path, offset=params.offset, limit=params.limit, depth=params.depth
            ),
        )
    )


async def whole(server: LuaLanguageServer, params: WholeParams) -> Json:
    """Shows a stored value whole, up to a megabyte of a string and 10,000 entries of tables.

    `complete` tells whether `text` is Lua source that gives an equal value: nothing is left out,
    and no function is in it.
    """
    value = await look(server, params.uri, lambda session: session.whole(params.path))
    return {"path": params.path, **whole_to_json(value)}


async def rows(server: LuaLanguageServer, params: RowsParams) -> Json:
    """Shows rows of a table by their number: sorted, filtered, with totals. For grids."""
    where = conditions(params.where)

    def call(session: Session, _: Report) -> Json:
        page = session.rows(
            params.table,
            columns=params.columns,
            where=where,
            filter=params.filter,
            order_by=params.order_by or (),
            descending=params.descending,
            offset=params.offset,
            limit=params.limit,
        )
        return {**grid_to_json(page), "read_only": session.read_only != ""}

    return await ask(server, params.uri, f"Reading rows of {params.table}", call)


async def profile(server: LuaLanguageServer, params: ProfileParams) -> Json:
    """Tells what there is in a column: types, extremes, frequent values, a histogram."""
    where = conditions(params.where)

    def call(session: Session, _: Report) -> Json:
        return profile_to_json(
            session.profile(params.table, params.column, where=where, filter=params.filter)
        )

    return await ask(server, params.uri, f"Looking at {params.column} of {params.table}", call)


TABLES = COMMANDS.add(
    "tables",
    "List Tables",
    SessionParams,
    tables,
    "{tables: [{name, path, entries, id, indexes, has_schema}]}",
)
INSPECT = COMMANDS.add(
    "inspect",
    "Inspect",
    InspectParams,
    inspect,
    "{path, value: Value, entries: [{key: Value, value: Value, path|null, expandable}], total, "
    "next_offset|null, metatable?: Value, live, given?}",
)
WHOLE = COMMANDS.add(
    "whole",
    "Show Whole Value",
    WholeParams,
    whole,
    "{path, value: Value, text, complete}",
)
ROWS = COMMANDS.add(
    "rows",
    "Show Rows",
    RowsParams,
    rows,
    "{table, columns: [{name, types: {type: count}}], columns_left_out, "
    "rows: [{key: Value, path|null, cells: [Value|null]}], total, filtered, is_list, offset, "
    "explain: {index|null, examined}, read_only}",
)
PROFILE = COMMANDS.add(
    "profile",
    "Profile Column",
    ProfileParams,
    profile,
    "{count, missing, distinct, types: {type: count}, min: Value, max: Value, avg: Value, "
    "top: [{value: Value, count}], histogram: [{from, to, count}]}",
)
