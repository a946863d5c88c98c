"""Queries of what is stored, from Python: the same questions that programs ask.

They see what the evaluations before them have committed, and run on the session's own thread. Each
counts as an evaluation for `evaluating` and `interrupt`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lua_ls_persist.model import AggregateGroup, Explanation, QueryPage, QueryRow, Value
from lua_ls_persist.paths import Path, told_path
from lua_ls_persist.query import Aggregate, Query, parse_aggregate, parse_query, parse_where
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.searching import search_of
from lua_ls_persist.session.shown import SCALARS, Shown, scalar
from lua_ls_persist.session.tables import table_id_at
from lua_ls_persist.store.aggregates import FoundGroup
from lua_ls_persist.store.grids import Grid
from lua_ls_persist.store.query_pages import FoundRow

_Found = TypeVar("_Found")

LIMIT_DEFAULT = 100
"""How many rows a page has where nobody says."""


class StoredQueries:
    """The part of a session that answers questions about its store."""

    _life: Life

    def query(
        self,
        table: Path,
        *,
        where: Any = (),
        order_by: Any = (),
        descending: bool = False,
        limit: int = LIMIT_DEFAULT,
        after: str | None = None,
        select: Any = (),
    ) -> QueryPage:
        """A page of the rows of a table that fulfil conditions, in order.

        Args:
            table: its path, such as `users` or `Memory.users`.
            where: a condition `("age", ">", 25)`, or a list of conditions and groups such as
                `{"any": [...]}`, all of which are to hold.
            order_by: a field, or a list of fields and `{"field": ..., "descending": True}`;
                otherwise the rows come in the order of their keys.
            descending: turns the order round.
            limit: how many rows the page has at most.
            after: the `next` of the page before.
            select: fields; rows then have these as their value, by name, and no others.

        Raises:
            QueryError: the question makes no sense, or there is no such table.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        query = _asked(where, order_by, descending, limit, after, select)

        def look(runner: Runner, table_id: int) -> QueryPage:
            found = runner.store.query(table_id, query)
            return QueryPage(tuple(_row(runner, query, row) for row in found.rows), found.next)

        return self._look(table, "the query", look)

    def count(self, table: Path, where: Any = ()) -> int:
        """How many rows of a table fulfil conditions; `where` is that of `query`.

        Raises:
            QueryError: the question makes no sense, or there is no such table.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        conditions = parse_where(where)

        def look(runner: Runner, table_id: int) -> int:
            return runner.store.count(table_id, conditions)

        return self._look(table, "the count", look)

    def aggregate(
        self,
        table: Path,
        *,
        where: Any = (),
        group_by: Any = (),
        count: bool = False,
        sum: str | None = None,  # noqa: A002  (as in Lua)
        min: str | None = None,  # noqa: A002
        max: str | None = None,  # noqa: A002
        avg: str | None = None,
        filter: str = "",  # noqa: A002
    ) -> list[AggregateGroup]:
        """Facts about groups of rows, in the order of the groups; without `group_by` about all.

        Args:
            table: its path, such as `users` or `Memory.users`.
            where: which rows; as in `query`.
            group_by: a field, or a list of fields.
            count: how many rows a group has.
            sum: a field, whose numbers are added: exactly, then rounded if it must be.
            min: a field, whose least number is told, or the least string if there is no number.
            max: a field, whose greatest string is told, or the greatest number.
            avg: a field, whose numbers' mean is told.
            filter: only rows that have this text, as in `rows`.

        Raises:
            QueryError: the question makes no sense, there is no such table, or too many groups.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        asked = {"count": count, "sum": sum, "min": min, "max": max, "avg": avg}
        aggregate = parse_aggregate({"where": where, "group_by": group_by, **asked})

        def look(runner: Runner, table_id: int) -> list[AggregateGroup]:
            search = search_of(runner, table_id, filter)
            found = runner.store.aggregate(table_id, aggregate, search)
            return [_group(runner, aggregate, group) for group in found]

        return self._look(table, "the aggregate", look)

    def explain(
        self,
        table: Path,
        *,
        where: Any = (),
        order_by: Any = (),
        descending: bool = False,
        limit: int = LIMIT_DEFAULT,
        after: str | None = None,
        select: Any = (),
        filter: str = "",  # noqa: A002
        grid: bool = False,
    ) -> Explanation:
        """How `query` finds the page that these arguments ask for, by finding it.

        With `filter` or `grid`, how `rows` finds what it shows: all rows that are like that (and
        have this text), put in order; or a page of them where they are in order by themselves.

        Raises:
            QueryError: the question makes no sense, or there is no such table.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        query = _asked(where, order_by, descending, limit, after, select)

        def look(runner: Runner, table_id: int) -> Explanation:
            search = search_of(runner, table_id, filter)
            if search or grid:
                found = runner.store.explain_grid(table_id, Grid(query, search))
            else:
                found = runner.store.explain(table_id, query)
            return Explanation(
                told_path(table), found.index, found.rows_examined, found.rows_returned, found.sql
            )

        return self._look(table, "the query", look)

    def _look(self, table: Path, what: str, look: Callable[[Runner, int], _Found]) -> _Found:
        """Looks into a table, given by its id, in one state of the store; `what` is for people."""

        def looked(runner: Runner) -> _Found:
            with runner.interruptible(what), runner.store.one_state():
                return look(runner, table_id_at(runner.store, table))

        return self._life.call(looked)


def _asked(
    where: Any,
    order_by: Any,
    descending: bool,
    limit: int,
    after: str | None,
    select: Any,
) -> Query:
    """The question that `query` and `explain` are asked."""
    return parse_query(
        {
            "where": where,
            "order_by": order_by,
            "descending": descending,
            "limit": limit,
            "after": after,
            "select": select,
        }
    )


def _group(runner: Runner, aggregate: Aggregate, found: FoundGroup) -> AggregateGroup:
    def shown(value: tuple[int, Any] | None) -> Value:
        return None if value is None else Shown(runner.store, runner.names).value(*value)

    return AggregateGroup(
        group={
            field.text: shown(value)
            for field, value in zip(aggregate.group_by, found.group, strict=True)
            if value is not None
        },
        count=found.count if aggregate.count else None,
        sum=shown(found.sum),
        min=shown(found.min),
        max=shown(found.max),
        avg=shown(found.avg),
    )


def _row(runner: Runner, query: Query, row: FoundRow) -> QueryRow:
    """A row as Python sees it; each is looked at for itself."""

    def shown(value: tuple[int, Any]) -> Value:
        if value[0] in SCALARS:
            return scalar(*value)
        return Shown(runner.store, runner.names).value(*value)

    if not query.select:
        return QueryRow(shown(row.key), shown(row.value))
    fields = {
        field.text: shown(value)
        for field, value in zip(query.select, row.fields, strict=True)
        if value is not None
    }
    return QueryRow(shown(row.key), fields)
