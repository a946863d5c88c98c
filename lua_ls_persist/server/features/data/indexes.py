"""Indexes: listed, made, dropped, made anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json, index_to_json
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.running import TABLE_DOC, URI_DOC, ask, change, look
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

KINDS = ("btree", "hash", "text")
FIELDS_DOC = "one field or several: `age`, `[city, age]`"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexesParams:
    """Whose indexes."""

    table: str | None = param(f"{TABLE_DOC}; otherwise all indexes", None)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIndexParams:
    """An index to make."""

    table: str = param(TABLE_DOC)
    fields: str | list[str] = param(FIELDS_DOC)
    kind: str = param("what it is good for", "btree", choices=KINDS)
    unique: bool = param("whether no two rows may have the same", default=False)
    each: bool = param("whether it has each element of the field, an array", default=False)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexParams:
    """An index that is there: all kinds of it, unless one is named."""

    table: str = param("the path of the table; or, without fields, the index's name: `users(age)`")
    fields: str | list[str] | None = param(FIELDS_DOC, None)
    kind: str | None = param("of which kind; otherwise all there are", None, choices=KINDS)
    uri: str | None = param(URI_DOC, None)


async def indexes(server: LuaLanguageServer, params: IndexesParams) -> Json:
    """Lists indexes."""
    found = await look(server, params.uri, lambda session: session.indexes(params.table))
    return {"indexes": [index_to_json(index) for index in found]}


async def create_index(server: LuaLanguageServer, params: CreateIndexParams) -> Json:
    """Makes an index of a table; one that is there already is left as it is."""
    made = await ask(
        server,
        params.uri,
        f"Making an index of {params.table}",
        lambda session, report: session.create_index(
            params.table,
            params.fields,
            kind=params.kind,
            unique=params.unique,
            each=params.each,
            on_progress=report,
        ),
        changes=True,
    )
    return index_to_json(made)


async def drop_index(server: LuaLanguageServer, params: IndexParams) -> Json:
    """Removes an index."""
    await change(
        server,
        params.uri,
        "Removing an index",
        lambda session: session.drop_index(params.table, params.fields, kind=params.kind),
    )
    return {"dropped": _named(params)}


async def rebuild_index(server: LuaLanguageServer, params: IndexParams) -> Json:
    """Makes an index anew from the data."""
    await ask(
        server,
        params.uri,
        f"Making {_named(params)} anew",
        lambda session, report: session.rebuild_index(
            params.table, params.fields, kind=params.kind, on_progress=report
        ),
        changes=True,
    )
    return {"rebuilt": _named(params)}


def _named(params: IndexParams) -> str:
    if params.fields is None:
        return params.table
    fields = [params.fields] if isinstance(params.fields, str) else params.fields
    return f"{params.table}({', '.join(fields)})"


INDEX = "{name, table, fields, kind, unique, each, rows}"
INDEXES = COMMANDS.add("indexes", "List Indexes", IndexesParams, indexes, f"{{indexes: [{INDEX}]}}")
CREATE_INDEX = COMMANDS.add("createIndex", "Create Index", CreateIndexParams, create_index, INDEX)
DROP_INDEX = COMMANDS.add("dropIndex", "Drop Index", IndexParams, drop_index, "{dropped}")
REBUILD_INDEX = COMMANDS.add(
    "rebuildIndex", "Rebuild Index", IndexParams, rebuild_index, "{rebuilt}"
)
