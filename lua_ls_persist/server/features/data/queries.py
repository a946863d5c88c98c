"""Questions: pages of rows, counts, facts about groups, and how rows are found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lua_ls_persist.jsonable import Json, group_to_json, page_to_json
from lua_ls_persist.query import parse_query
from lua_ls_persist.query.advice import advice_for
from lua_ls_persist.query.groups import greatest_first
from lua_ls_persist.query.line import parse_query_line
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.running import (
    FILTER_DOC,
    TABLE_DOC,
    URI_DOC,
    WHERE_DOC,
    ask,
    conditions,
)
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

ROWS_MAX = 10_000
ORDER_DOC = "a field, or a list of fields and `{field, descending}`; otherwise that of the keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParams:
    """A page of the rows that fulfil conditions."""

    table: str = param(TABLE_DOC)
    where: Any = param(WHERE_DOC, None)
    order_by: Any = param(ORDER_DOC, None)
    descending: bool = param("whether to turn the order round", default=False)
    limit: int = param("how many rows at most", 100, at_least=1, at_most=ROWS_MAX)
    after: str | None = param("the `next` of the page before", None)
    select: list[str] | None = param("fields; rows then have these and no others", None)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainParams(QueryParams):
    """The same, or all rows that have a text."""

    filter: str = param(
        f"{FILTER_DOC}: then all rows are meant, in order, as a grid finds them",
        "",
        may_be_empty=True,
    )
    grid: bool = param("whether a grid is meant, also without a text", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTextParams:
    """A query as a line."""

    text: str = param("the line: `users where age > 25 and city = Rome order by age desc limit 10`")
    limit: int = param(
        "how many rows at most, where the line does not say", 100, at_least=1, at_most=ROWS_MAX
    )
    after: str | None = param("the `next` of the page before", None)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountParams:
    """Rows to count."""

    table: str = param(TABLE_DOC)
    where: Any = param(WHERE_DOC, None)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateParams:
    """What is to be known of groups of rows."""

    table: str = param(TABLE_DOC)
    where: Any = param(WHERE_DOC, None)
    group_by: str | list[str] | None = param("fields; otherwise all rows are one group", None)
    count: bool = param("whether to count the rows of each group", default=False)
    sum: str | None = param("a field whose numbers are added", None)
    min: str | None = param("a field whose least value is told", None)
    max: str | None = param("a field whose greatest value is told", None)
    avg: str | None = param("a field whose mean is told", None)
    filter: str = param(FILTER_DOC, "", may_be_empty=True)
    limit: int | None = param(
        "how many groups at most, those with the greatest result first; otherwise all, in the "
        "order of their values",
        None,
        at_least=1,
    )
    uri: str | None = param(URI_DOC, None)


def _question(params: QueryParams) -> dict[str, Any]:
    return {
        "where": conditions(params.where),
        "order_by": params.order_by or (),
        "descending": params.descending,
        "limit": params.limit,
        "after": params.after,
        "select": params.select or (),
    }


async def query(server: LuaLanguageServer, params: QueryParams) -> Json:
    """Finds a page of the rows that fulfil conditions, in order."""
    question = _question(params)
    page = await ask(
        server,
        params.uri,
        f"Asking {params.table}",
        lambda session, _: session.query(params.table, **question),
    )
    return page_to_json(page)


async def query_text(server: LuaLanguageServer, params: QueryTextParams) -> Json:
    """Does a query that is written as a line."""
    table, question = parse_query_line(params.text)
    question = {"limit": params.limit, "after": params.after} | question
    page = await ask(
        server, params.uri, f"Asking {table}", lambda session, _: session.query(table, **question)
    )
    return {"table": table, **page_to_json(page)}


async def count(server: LuaLanguageServer, params: CountParams) -> Json:
    """Counts the rows that fulfil conditions."""
    where = conditions(params.where)
    rows = await ask(
        server,
        params.uri,
        f"Counting rows of {params.table}",
        lambda session, _: session.count(params.table, where),
    )
    return {"count": rows}


async def aggregate(server: LuaLanguageServer, params: AggregateParams) -> Json:
    """Counts, adds and compares the values of groups of rows."""
    where = conditions(params.where)
    groups = await ask(
        server,
        params.uri,
        f"Reading rows of {params.table}",
        lambda session, _: session.aggregate(
            params.table,
            where=where,
            group_by=params.group_by or (),
            count=params.count,
            sum=params.sum,
            min=params.min,
            max=params.max,
            avg=params.avg,
            filter=params.filter,
        ),
    )
    shown = groups if params.limit is None else greatest_first(groups)[: params.limit]
    return {"groups": [group_to_json(group) for group in shown], "total": len(groups)}


async def explain(server: LuaLanguageServer, params: ExplainParams) -> Json:
    """Tells how the rows of a query are found, and which index would help."""
    question = _question(params)
    found = await ask(
        server,
        params.uri,
        f"Asking {params.table}",
        lambda session, _: session.explain(
            params.table, filter=params.filter, grid=params.grid, **question
        ),
    )
    data: dict[str, Json] = asdict(found)
    if params.filter:
        # All rows are looked at and sorted: an index can only lead to those of the conditions.
        question["order_by"] = ()
    advice = None if found.index is not None else advice_for(parse_query(question))
    if advice is not None:
        data["suggestion"] = {
            "fields": list(advice.fields),
            "kind": advice.kind,
            "each": advice.each,
        }
    return data


PAGE = "{rows: [{key: Value, value: Value} | {key: Value, fields: {name: Value}}], next|null}"
QUERY = COMMANDS.add("query", "Query", QueryParams, query, PAGE)
QUERY_TEXT = COMMANDS.add(
    "queryText", "Query as a Line", QueryTextParams, query_text, f"{{table, ...}} and {PAGE}"
)
COUNT = COMMANDS.add("count", "Count Rows", CountParams, count, "{count}")
AGGREGATE = COMMANDS.add(
    "aggregate",
    "Aggregate Rows",
    AggregateParams,
    aggregate,
    "{groups: [{group: {field: Value}, count?, sum?: Value, min?: Value, max?: Value, "
    "avg?: Value}], total}",
)
EXPLAIN = COMMANDS.add(
    "explain",
    "Explain Query",
    ExplainParams,
    explain,
    "{table, index|null, rows_examined, rows_returned, sql, suggestion?: {fields, kind, each}}",
)
