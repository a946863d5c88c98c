"""Grids: rows by their number, sorted, filtered and searched, with totals. For people who scroll.

Where rows come in the order that is asked for by themselves (that of their keys, or an index's) and
nothing is left out, a row is found by stepping from the nearest place that is known: an end of the
table, or where somebody was before. Otherwise the keys of all rows that are shown are kept in their
order, in a temporary table, so that any page of them is at hand. What was counted, kept and noted
is good until something is written, by whomever.
"""

from __future__ import annotations

import dataclasses
import json
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias, cast

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Field, Group, OrderField, Position, Query
from lua_ls_persist.query.cursor import fingerprint
from lua_ls_persist.store.aggregates import Aggregates
from lua_ls_persist.store.backups import PageProgress
from lua_ls_persist.store.planner import Choice, Question, conjuncts, unpinned
from lua_ls_persist.store.query_pages import FoundRow, page_statement, position_of, row_of
from lua_ls_persist.store.query_sources import Rows
from lua_ls_persist.store.query_sql import ALWAYS, Builder, Column, order_text
from lua_ls_persist.store.query_values import Source
from lua_ls_persist.store.rows import (
    Native,
)
from lua_ls_persist.store.searching import EVERY_ROW, Search, search_condition

STEPS_BETWEEN_PLACES: Final = 16_384
"""Of the rows that are stepped over, the place of one in so many is noted."""
ORDERS_KEPT_MAX: Final = 4
"""So many orders of rows are kept at a time, each in a temporary table."""
GRID_LIMIT_MAX: Final = 1_000

Version: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """Which rows are shown: those of a query that have a text somewhere."""

    query: Query
    search: Search = EVERY_ROW


@dataclass(frozen=True, slots=True)
class FoundGrid:
    """Some of a grid's rows, and how many there are."""

    rows: list[FoundRow]
    total: int
    """All rows of the table."""
    filtered: int
    """The rows of the grid."""
    index: str | None
    examined: int
    """How many rows were looked at for this answer, those that were stepped over included."""


@dataclass(frozen=True, slots=True)
class InOrder:
    """How the keys of all rows of a grid are found, in its order."""

    sql: str
    builder: Builder
    """It has the statement's values."""
    rows: Rows
    choice: Choice


@dataclass(slots=True)
class _Walk:
    """What is known of an order that rows have by themselves."""

    count: int
    numbers: list[int] = dataclasses.field(default_factory=list)
    """Of the rows whose places are known, ascending, from 0."""
    places: list[Position] = dataclasses.field(default_factory=list)

    def note(self, number: int, place: Position) -> None:
        at = bisect_left(self.numbers, number)
        if at == len(self.numbers) or self.numbers[at] != number:
            self.numbers.insert(at, number)
            self.places.insert(at, place)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An order that is kept in a temporary table."""

    table: str
    count: int
    examined: int
    index: str | None


class Grids(Aggregates):
    """Shows the rows of tables."""

    @cached_property
    def _known(self) -> _Known:
        return _Known()

    def restore(self, path: Path, *, on_progress: PageProgress | None = None) -> None:
        """As it is; what was known of the rows is of no use any more."""
        super().restore(path, on_progress=on_progress)
        self._known.forget()

    def grid(self, table_id: int, grid: Grid, offset: int, limit: int) -> FoundGrid:
        """The rows of a grid from a number on, counted from 0.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        check_page(offset, limit)
        assert not self.in_transaction, "what is known is of committed data"
        try:
            with self.one_state(), self._asking(grid.query.where):
                return self._grid(table_id, grid, offset, limit)
        except BaseException:
            # A table that was made in the transaction is gone with it.
            self._known.forget()
            raise

    def _grid(self, table_id: int, grid: Grid, offset: int, limit: int) -> FoundGrid:
        self._settle_known()
        total = self._total(table_id)
        query = grid.query
        choice = self._chosen_walk(table_id, grid)
        if choice is not None:
            rows, count, examined = self._walked(table_id, query, choice, offset, limit)
            return FoundGrid(rows, total, count, choice.name, examined)
        kept, is_new = self._kept_order(table_id, grid)
        rows = self._kept_rows(table_id, query, kept.table, offset, limit)
        examined = kept.examined if is_new else len(rows)
        return FoundGrid(rows, total, kept.count, kept.index, examined)

    # What is known

    def _settle_known(self) -> None:
        """Forgets what is not of the present data."""
        version = (self._data_version(), self.state)
        if self._known.version != version:
            self._known.forget()
            self._known.version = version
        for table in self._known.doomed:
            self._connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
        self._known.doomed.clear()

    def _total(self, table_id: int) -> int:
        total = self._known.totals.get(table_id)
        if total is None:
            sql = "SELECT count(*) FROM entries WHERE table_id = ?"
            total = cast("int", self._connection.execute(sql, (table_id,)).get)
            self._known.totals[table_id] = total
        return total

    # Rows that are in order by themselves

    def _chosen_walk(self, table_id: int, grid: Grid) -> Choice | None:
        """How the rows are walked along, if they are in order by themselves."""
        query = grid.query
        question = Question(query.where, query.order_by, query.key_descending, limited=True)
        choice = self._choose(table_id, question)
        return choice if _is_walked(grid, choice) else None

    def _walked(
        self, table_id: int, query: Query, choice: Choice, offset: int, limit: int
    ) -> tuple[list[FoundRow], int, int]:
        """Rows, how many there are in all, and how many were looked at."""
        name = fingerprint(query, table_id)
        walk = self._known.walks.get(name)
        if walk is None:
            is_all = not conjuncts(query.where)
            count = self._total(table_id) if is_all else self.count(table_id, query.where)
            walk = self._known.walks[name] = _Walk(count)
        limit = min(limit, walk.count - offset)
        if limit <= 0:
            return [], walk.count, 0
        place, skip, backwards = self._nearest(walk, offset, limit)
        examined = skip + limit
        way = _turned(query) if backwards else query
        while skip >= STEPS_BETWEEN_PLACES:
            found = self._step(table_id, way, choice, place, STEPS_BETWEEN_PLACES - 1, 1)
            if not found:
                return [], walk.count, examined
            place = position_of(query, found[0])
            skip -= STEPS_BETWEEN_PLACES
            # Behind what is still to be skipped comes the page, from its other end if backwards.
            walk.note(offset + limit + skip if backwards else offset - skip - 1, place)
        found = self._step(table_id, way, choice, place, skip, limit)
        if backwards:
            found.reverse()
        if found:
            walk.note(offset, position_of(query, found[0]))
            walk.note(offset + len(found) - 1, position_of(query, found[-1]))
        return [row_of(query, row) for row in found], walk.count, examined

    @staticmethod
    def _nearest(walk: _Walk, offset: int, limit: int) -> tuple[Position | None, int, bool]:
        """From where a page is reached in the fewest steps: the place, the steps, and whether back.

        None is an end of the table.
        """
        at = bisect_left(walk.numbers, offset)
        before = walk.numbers[at - 1] if at else -1
        forwards = offset - before - 1
        end = offset + limit
        at_end = bisect_right(walk.numbers, end - 1)
        after = walk.numbers[at_end] if at_end < len(walk.numbers) else walk.count
        if after - end < forwards:
            place = walk.places[at_end] if at_end < len(walk.numbers) else None
            return place, after - end, True
        return (walk.places[at - 1] if at else None), forwards, False

    def _step(
        self,
        table_id: int,
        query: Query,
        choice: Choice,
        place: Position | None,
        skip: int,
        count: int,
    ) -> list[tuple[Native, ...]]:
        """So many rows after a place, behind those that are skipped."""
        conditions = conjuncts(query.where)
        orders = unpinned(query.order_by, conditions)
        sought = (orders[0].field, orders[0].descending) if place is not None and orders else None
        builder, rows = self._rows(table_id, choice, conditions, sought)
        page = page_statement(builder, rows, query, place, count - 1, choice, skip=skip)
        found = self._connection.execute(page.sql, page.parameters).fetchall()
        return cast("list[tuple[Native, ...]]", found)

    # Rows whose order is kept

    def _kept_order(self, table_id: int, grid: Grid) -> tuple[_Kept, bool]:
        """The order of the grid's rows, and whether it was made for this."""
        columns = [field.text for field in grid.search.columns] if grid.search else []
        name = json.dumps([fingerprint(grid.query, table_id), grid.search.text, columns])
        orders = self._known.orders
        kept = orders.get(name)
        if kept is not None:
            orders.move_to_end(name)
            return kept, False
        if len(orders) >= ORDERS_KEPT_MAX:
            _, old = orders.popitem(last=False)
            self._known.doomed.append(old.table)
        self._known.made += 1
        table = f"grid_{self._known.made}"
        self._known.doomed.append(table)  # until it is there
        orders[name] = kept = self._keep(table_id, grid, table)
        self._known.doomed.remove(table)
        return kept, True

    def _keep(self, table_id: int, grid: Grid, table: str) -> _Kept:
        found = self._all_in_order(table_id, grid)
        count = self._keep_keys(found, table)
        return _Kept(table, count, self._examined(found, self._total(table_id)), found.choice.name)

    def _keep_keys(self, found: InOrder, table: str) -> int:
        """Puts the keys that a statement finds into a temporary table; gives how many they are."""
        connection = self._connection
        connection.execute(f"CREATE TEMP TABLE {table} (number INTEGER PRIMARY KEY, key_kind, key)")
        sql = f"INSERT INTO temp.{table} (key_kind, key) {found.sql}"
        connection.execute(sql, found.builder.bound(sql))
        return cast("int", connection.execute(f"SELECT count(*) FROM temp.{table}").get)  # noqa: S608

    def _all_in_order(self, table_id: int, grid: Grid) -> InOrder:
        """The statement that finds the keys of all rows of a grid."""
        query = grid.query
        # Not for a page, for all of the rows: what leads to few of them, or has all that is asked.
        choice = self._choose(
            table_id, Question(query.where, fields=tuple(one.field for one in query.order_by))
        )
        conditions = conjuncts(query.where)
        builder, rows = self._rows(table_id, choice, conditions)
        source = rows.source
        joins, pairs = builder.classed([one.field for one in query.order_by], source, "order_by")
        columns = [
            Column(part, order.descending)
            for order, pair in zip(query.order_by, pairs, strict=True)
            if order in unpinned(query.order_by, conditions)
            for part in pair
        ]
        columns += [Column(key, query.key_descending) for key in (source.key_kind, source.key)]
        tests = [*source.conditions, builder.condition(Group("all", rows.conditions), source)]
        if grid.search:
            tests.append(search_condition(self._connection, builder, source, grid.search))
        sql = (
            f"SELECT {source.key_kind}, {source.key}"  # noqa: S608
            f" FROM {source.tables}{joins} WHERE {' AND '.join(tests)}"
            f" ORDER BY {order_text(columns)}"
        )
        return InOrder(sql, builder, rows, choice)

    def _examined(self, found: InOrder, total: int) -> int:
        """How many rows the source leads to, before the conditions that it does not decide.

        All of the table are `total`.
        """
        rows, builder, choice = found.rows, found.builder, found.choice
        source = rows.source
        if source.tables.startswith("full_entries"):
            return total
        tests = [*source.conditions]
        if len(choice.ways) == 1:
            # An ordered index has all rows; a range of it is found without looking at others.
            used = [node for node in choice.ways[0].used if node in rows.conditions]
            tests += [builder.condition(Group("all", tuple(used)), source)] if used else []
        sql = (
            f"SELECT count(*) FROM {source.tables}"  # noqa: S608
            f" WHERE {' AND '.join(tests) or ALWAYS}"
        )
        return cast("int", self._connection.execute(sql, builder.bound(sql)).get)

    def _kept_rows(
        self, table_id: int, query: Query, table: str, offset: int, limit: int
    ) -> list[FoundRow]:
        builder = self._builder(table_id)
        first, last = builder.add(offset + 1), builder.add(offset + limit)
        source = Source("", (), "o.key_kind", "o.key", "iif(r.kind = 7, r.value, NULL)")
        expressions = ["o.key_kind", "o.key", "r.kind", "r.value"]
        for field in query.select:
            expressions += builder.found(field, source)
        sql = (
            f"SELECT {', '.join(expressions)} FROM temp.{table} AS o"  # noqa: S608
            f" CROSS JOIN full_entries AS r ON r.table_id = {builder.table}"
            f" AND r.key_kind = o.key_kind AND r.key = o.key"
            f" WHERE o.number BETWEEN {first} AND {last} ORDER BY o.number"
        )
        found = self._connection.execute(sql, builder.bound(sql)).fetchall()
        bare = Query(select=query.select)
        return [row_of(bare, cast("tuple[Native, ...]", row)) for row in found]


class _Known:
    """What was found out about the rows of the present data."""

    def __init__(self) -> None:
        self.made = 0
        """How many temporary tables were made: names are never used again."""
        self.doomed: list[str] = []
        """Temporary tables of no use any more, which may be gone already."""
        self.version: Version | None = None
        self.totals: dict[int, int] = {}
        self.walks: dict[str, _Walk] = {}
        self.columns: dict[int, list[tuple[Field, dict[str, int]]]] = {}
        self.orders: OrderedDict[str, _Kept] = OrderedDict()

    def forget(self) -> None:
        """All of it."""
        self.version = None
        self.totals.clear()
        self.walks.clear()
        self.columns.clear()
        self.doomed += [kept.table for kept in self.orders.values()]
        self.orders.clear()


def _is_walked(grid: Grid, choice: Choice) -> bool:
    """Whether the rows that a way leads to are those of the grid, in its order."""
    conditions = conjuncts(grid.query.where)
    if grid.search or len(choice.ways) > 1:
        return False
    if not choice.ways:
        return not conditions and not grid.query.order_by
    (way,) = choice.ways
    return way.ordered and all(any(node is used for used in way.used) for node in conditions)


def _turned(query: Query) -> Query:
    """The same rows from the last to the first."""
    orders = tuple(OrderField(one.field, not one.descending) for one in query.order_by)
    return dataclasses.replace(query, order_by=orders, key_descending=not query.key_descending)


def check_page(offset: int, limit: int) -> None:
    """Whether rows can be asked for so.

    Raises:
        QueryError: they cannot.
    """
    if offset < 0:
        raise QueryError(f"offset is {offset}; it must be 0 or more")
    if not 1 <= limit <= GRID_LIMIT_MAX:
        raise QueryError(f"limit is {limit}; it must be between 1 and {GRID_LIMIT_MAX}")
