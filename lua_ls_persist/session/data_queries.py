"""Questions of programs about the rows of a table, for the prelude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from lua_ls_persist.errors import QueryError, WireError
from lua_ls_persist.model import Explanation
from lua_ls_persist.query import (
    Aggregate,
    Query,
    Reference,
    parse_aggregate,
    parse_query,
    parse_where,
)
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.tables import table_id_at
from lua_ls_persist.session.trees import Stored, Tree, table_of
from lua_ls_persist.store.aggregates import FoundGroup
from lua_ls_persist.store.query_pages import FoundRow
from lua_ls_persist.store.rows import FUNCTION, PERMANENT, TABLE

_Arguments = Mapping[Any, Tree]
_KINDS: Final[dict[int, Literal["table", "function", "permanent"]]] = {
    TABLE: "table",
    FUNCTION: "function",
    PERMANENT: "permanent",
}


def table_in(services: DataServices, arguments: _Arguments) -> int:
    """The id of the table that is asked about: an external one, or the one at a path.

    Raises:
        QueryError: there is none at this path.
        SessionError: it is no path.
    """
    table = arguments.get("table")
    if isinstance(table, Stored) and table.kind == TABLE:
        return cast("int", table.native)
    if not isinstance(table, str):
        raise WireError("a question is about a table or a path")
    return table_id_at(services.store, table)


def spec_in(arguments: _Arguments) -> Any:
    """The question itself, as `lua_ls_persist.query` takes it."""
    return _plain(table_of(arguments.get("spec"), "the question"))


def _plain(tree: Any) -> Any:
    if isinstance(tree, Stored):
        return Reference(_KINDS[tree.kind], cast("int | str", tree.native))
    if isinstance(tree, Mapping):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(value) for value in tree]
    return tree


def _question(arguments: _Arguments) -> _Arguments:
    """The arguments with the question as it is understood."""
    return {
        "table": arguments.get("table"),
        "question": cast("Any", parse_query(spec_in(arguments))),
    }


def _query(services: DataServices, arguments: _Arguments) -> Tree:
    table_id = table_in(services, arguments)
    query = cast("Query", arguments["question"])
    found = services.store.query(table_id, query)
    return {"rows": [_row(query, row) for row in found.rows], "next": found.next}


def _row(query: Query, row: FoundRow) -> Tree:
    if not query.select:
        return {"key": Stored(*row.key), "value": Stored(*row.value)}
    fields = {
        field.text: Stored(*value)
        for field, value in zip(query.select, row.fields, strict=True)
        if value is not None
    }
    return {"key": Stored(*row.key), "value": fields}


def _count(services: DataServices, arguments: _Arguments) -> Tree:
    table_id = table_in(services, arguments)
    return services.store.count(table_id, parse_where(_only_where(spec_in(arguments))))


def _only_where(spec: Mapping[str, Any]) -> Any:
    unknown = [key for key in spec if key != "where"]
    if unknown:
        raise QueryError(f"{unknown[0]} is no part of a count; it takes where alone")
    return spec.get("where")


def _aggregate(services: DataServices, arguments: _Arguments) -> Tree:
    table_id = table_in(services, arguments)
    aggregate = parse_aggregate(spec_in(arguments))
    return [_group(aggregate, group) for group in services.store.aggregate(table_id, aggregate)]


def _group(aggregate: Aggregate, found: FoundGroup) -> Tree:
    fields = {
        field.text: Stored(*value)
        for field, value in zip(aggregate.group_by, found.group, strict=True)
        if value is not None
    }
    told: dict[str, Tree] = {"group": fields}
    if aggregate.count:
        told["count"] = found.count
    for name in ("sum", "min", "max", "avg"):
        value = getattr(found, name)
        if value is not None:
            told[name] = Stored(*value)
    return told


def _explain(services: DataServices, arguments: _Arguments) -> Tree:
    table_id = table_in(services, arguments)
    found = services.store.explain(table_id, parse_query(spec_in(arguments)))
    table = arguments.get("table")
    path = table if isinstance(table, str) else services.store.path_of(table_id)
    explained = Explanation(
        path or f"table {table_id}",
        found.index,
        found.rows_examined,
        found.rows_returned,
        found.sql,
    )
    return {
        "table": explained.table,
        "index": explained.index,
        "rows_examined": explained.rows_examined,
        "rows_returned": explained.rows_returned,
        "sql": explained.sql,
        "text": str(explained),
    }


OPERATIONS: Final = {
    "query": DataOperation(_query, prepare=_question),
    "count": DataOperation(_count),
    "aggregate": DataOperation(_aggregate),
    "explain": DataOperation(_explain),
}
