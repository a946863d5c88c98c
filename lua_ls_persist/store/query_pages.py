"""The statement that finds one page of a query's rows, and what its rows say.

It finds keys and what orders them first, then the values and the selected fields of these few rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from lua_ls_persist.query import Group, Position, Query
from lua_ls_persist.store.planner import Choice, conjuncts, unpinned
from lua_ls_persist.store.query_sources import Rows
from lua_ls_persist.store.query_sql import Builder, Column, follows, order_text
from lua_ls_persist.store.query_values import Kinded, Source
from lua_ls_persist.store.rows import Native, Value

COUNTED: Final = "counted"
"""An SQL function that hears of each row that is looked at."""


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row: its key, its value, and the selected fields (None where missing)."""

    key: Value
    value: Value
    fields: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement ready to run."""

    sql: str
    parameters: tuple[Native, ...]
    choice: Choice


def page_statement(
    builder: Builder,
    rows: Rows,
    query: Query,
    position: Position | None,
    limit: int,
    choice: Choice,
    *,
    counted: bool = False,
    skip: int = 0,
) -> Statement:
    """The statement that finds a page: one row more than `limit`, after `skip` others."""
    source = rows.source
    fields = [order.field for order in query.order_by]
    joins, pairs = builder.classed(fields, source, "order_by")
    orders = unpinned(query.order_by, conjuncts(query.where))
    way = choice.ways[0] if choice.ways and choice.ways[0].ordered else None
    columns: list[Column] = []
    places: list[Native] = []
    for number, order in enumerate(query.order_by):
        if order not in orders:
            continue  # it is the same in all rows
        # Where an index has one class only, SQLite seeks by the value alone.
        parts = (1,) if way is not None and way.bounded and order is orders[0] else (0, 1)
        for part in parts:
            columns.append(Column(pairs[number][part], order.descending))
            if position is not None:
                places.append(position.values[number][part])
    columns.append(Column(source.key_kind, query.key_descending))
    columns.append(Column(source.key, query.key_descending))
    conditions = [*source.conditions, builder.condition(Group("all", rows.conditions), source)]
    if counted:
        conditions.insert(0, f"{COUNTED}({source.key_kind})")
    if position is not None:
        places += [position.key_kind, position.key]
        conditions.append(follows(columns, [builder.add(place) for place in places]))
    names = ["key_kind", "key", "row"]
    expressions = [source.key_kind, source.key, source.row_table]
    for number, pair in enumerate(pairs, 1):
        names += [f"c{number}", f"v{number}"]
        expressions += pair
    sql = (
        f"WITH found ({', '.join(names)}) AS NOT MATERIALIZED (\n"  # noqa: S608
        f"  SELECT {', '.join(expressions)}\n"
        f"  FROM {source.tables}{joins}\n"
        f"  WHERE {' AND '.join(conditions)}\n"
        f"  ORDER BY {order_text(columns)} LIMIT {builder.add(limit + 1)}"
        f"{f' OFFSET {builder.add(skip)}' if skip else ''}\n"
        f")\n{_outer(builder, query)}"
    )
    return Statement(sql, builder.bound(sql), choice)


def _outer(builder: Builder, query: Query) -> str:
    """The part of a statement that finds values and selected fields of the few rows found.

    A row is looked up only where it is not known to be a table: nothing is sought by NULL.
    """
    value = Kinded("iif(found.row IS NULL, r.kind, 7)", "ifnull(found.row, r.value)")
    row_table = "ifnull(found.row, iif(r.kind = 7, r.value, NULL))"
    rows = Source("", (), "found.key_kind", "found.key", row_table, value)
    columns = [
        Column(f"found.{part}{number}", order.descending)
        for number, order in enumerate(query.order_by, 1)
        for part in "cv"
    ]
    ends = [Column(f"found.{name}", query.key_descending) for name in ("key_kind", "key")]
    expressions = [column.expression for column in (*ends, *columns)] + [value.kind, value.value]
    joins, selected = builder.selected(query.select, rows)
    for pair in selected:
        expressions += pair
    return (
        f"SELECT {', '.join(expressions)}\n"
        f"FROM found LEFT JOIN full_entries AS r ON r.table_id = iif(found.row IS NULL,"
        f" {builder.table}, NULL) AND r.key_kind = found.key_kind AND r.key = found.key{joins}\n"
        f"ORDER BY {order_text([*columns, *ends])}"
    )


def position_of(query: Query, row: tuple[Native, ...]) -> Position:
    pairs = range(2, 2 + 2 * len(query.order_by), 2)
    values = tuple(cast("tuple[int, int | float | bytes]", row[at : at + 2]) for at in pairs)
    return Position(values, cast("int", row[0]), cast("int | float | str | bytes", row[1]))


def row_of(query: Query, row: tuple[Native, ...]) -> FoundRow:
    at = 2 + 2 * len(query.order_by)
    fields = tuple(
        [
            None if row[place] is None else cast("Value", row[place : place + 2])
            for place in range(at + 2, len(row), 2)
        ]
    )
    return FoundRow(cast("Value", row[:2]), cast("Value", row[at : at + 2]), fields)
