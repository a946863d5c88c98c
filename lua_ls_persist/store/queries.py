"""Queries: pages of rows, counts and aggregates, read by SQL that `query_sql` puts together.

Everything of one question is read from one state of the data. Pages are found by the values where
the one before ended, never by counting rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, cast

import apsw

from lua_ls_persist.errors import QueryError
from lua_ls_persist.paths import Key
from lua_ls_persist.query import Comparison, Group, Position, Query
from lua_ls_persist.query.cursor import read_cursor, write_cursor
from lua_ls_persist.query.model import LIMIT_MAX
from lua_ls_persist.store.query_sql import (
    Builder,
    Column,
    Source,
    class_of,
    follows,
    order_text,
    ordered,
)
from lua_ls_persist.store.rows import TABLE, Native, Value, native_key
from lua_ls_persist.store.schemas import Schemas

LIMIT_DEFAULT: Final = 256
"""How many rows a page has where nobody says: what is fetched at once by those who want all."""


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row: its key, its value, and the selected fields (None where missing)."""

    key: Value
    value: Value
    fields: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class FoundRows:
    """A page of rows; `next` is the cursor of the page that follows, None at the end."""

    rows: list[FoundRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement ready to run."""

    sql: str
    parameters: tuple[Native, ...]
    index: str | None
    """How the index is called that it reads from; None: it scans."""


class Queries(Schemas):
    """Answers questions about the rows of a table."""

    def table_at(self, name: str, keys: Sequence[Key] = ()) -> int | None:
        """The id of the table that a path leads to from a root; None if there is none."""
        with self.one_state():
            table_id = self.root(name, create=False)
            for key in keys:
                found = self.get(table_id, *native_key(key)) if table_id else None
                table_id = cast("int", found[1]) if found is not None and found[0] == TABLE else 0
        return table_id or None

    def query(self, table_id: int, query: Query) -> FoundRows:
        """A page of the rows that fulfil the conditions, in order.

        Raises:
            QueryError: the question makes no sense for this table, or the cursor is another one's.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        limit = query.limit or LIMIT_DEFAULT
        position = None
        if query.after is not None:
            position = read_cursor(query, table_id, query.after)
        with self.one_state(), self._asking():
            statement = self._page_statement(table_id, query, position, limit)
            # A cursor of its own: there may be many rows.
            rows = self._connection.execute(statement.sql, statement.parameters)
            found = cast("list[tuple[Native, ...]]", rows.fetchall())
        following = None
        if len(found) > limit:
            found.pop()
            following = write_cursor(query, table_id, _position(query, found[-1]))
        return FoundRows([_row(query, row) for row in found], following)

    def count(self, table_id: int, where: Group) -> int:
        """How many rows fulfil the conditions.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        with self.one_state(), self._asking():
            builder = self._builder(table_id)
            source = builder.scan()
            conditions = [*source.conditions, builder.condition(where, source)]
            sql = f"SELECT count(*) FROM {source.tables} WHERE {' AND '.join(conditions)}"  # noqa: S608
            return cast("int", self._connection.execute(sql, tuple(builder.parameters)).get)

    # Statements

    def _builder(self, table_id: int) -> Builder:
        return Builder(table_id, _no_text_index)

    def _page_statement(
        self, table_id: int, query: Query, position: Position | None, limit: int
    ) -> Statement:
        assert 0 < limit <= LIMIT_MAX
        builder = self._builder(table_id)
        source = builder.scan()
        joins, values = builder.joined_fields(
            [order.field for order in query.order_by], source, "order_by"
        )
        pairs = [(class_of(*value), ordered(*value)) for value in values]
        columns = [
            Column(expression, order.descending)
            for order, pair in zip(query.order_by, pairs, strict=True)
            for expression in pair
        ]
        columns.append(Column(source.key_kind, query.key_descending))
        columns.append(Column(source.key, query.key_descending))
        conditions = [*source.conditions, builder.condition(query.where, source)]
        if position is not None:
            conditions.append(follows(columns, _places(builder, position)))
        names = ["key_kind", "key"]
        expressions = [source.key_kind, source.key]
        for number, pair in enumerate(pairs, 1):
            names += [f"c{number}", f"v{number}"]
            expressions += pair
        sql = (
            f"WITH found ({', '.join(names)}) AS NOT MATERIALIZED (\n"  # noqa: S608
            f"  SELECT {', '.join(expressions)}\n"
            f"  FROM {source.tables}{joins}\n"
            f"  WHERE {' AND '.join(conditions)}\n"
            f"  ORDER BY {order_text(columns)} LIMIT {builder.add(limit + 1)}\n"
            f")\n{_outer(builder, query, names)}"
        )
        return Statement(sql, tuple(builder.parameters), None)

    # Reading

    def one_state(self) -> AbstractContextManager[None]:
        """The block in which all that is read is of one state of the data."""
        return nullcontext() if self.in_transaction else self.transaction(write=False)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """The block in which SQLite's errors are explained, those about the question as such."""
        with self._reading:
            try:
                yield
            except apsw.SQLError as error:
                message = str(error).removeprefix("SQLError: ")
                if message.startswith("fts5: ") or "unterminated string" in message:
                    raise QueryError(f"matches: {message.removeprefix('fts5: ')}") from error
                raise


def _outer(builder: Builder, query: Query, names: Sequence[str]) -> str:
    """The part of a statement that finds values and selected fields of the few rows found."""
    rows = Source(
        "",
        (),
        "found.key_kind",
        "found.key",
        "iif(r.kind = 7, r.value, NULL)",
        "r.kind",
        "r.value",
    )
    expressions = [f"found.{name}" for name in names]
    expressions += ["r.kind", "r.value"]
    for field in query.select:
        expressions += builder.found(field, rows)
    columns = [
        Column(f"found.{part}{number}", order.descending)
        for number, order in enumerate(query.order_by, 1)
        for part in "cv"
    ]
    columns += [Column(f"found.{name}", query.key_descending) for name in ("key_kind", "key")]
    return (
        f"SELECT {', '.join(expressions)}\n"
        f"FROM found CROSS JOIN full_entries AS r ON r.table_id = {builder.table}"
        f" AND r.key_kind = found.key_kind AND r.key = found.key\n"
        f"ORDER BY {order_text(columns)}"
    )


def _places(builder: Builder, position: Position) -> list[str]:
    """Parameters for where the page before ended."""
    values: list[Native] = [part for pair in position.values for part in pair]
    return [builder.add(value) for value in (*values, position.key_kind, position.key)]


def _position(query: Query, row: tuple[Native, ...]) -> Position:
    pairs = range(2, 2 + 2 * len(query.order_by), 2)
    values = tuple(cast("tuple[int, int | float | bytes]", row[at : at + 2]) for at in pairs)
    return Position(values, cast("int", row[0]), cast("int | float | str | bytes", row[1]))


def _row(query: Query, row: tuple[Native, ...]) -> FoundRow:
    at = 2 + 2 * len(query.order_by)
    fields = tuple(
        None if row[place] is None else cast("Value", row[place : place + 2])
        for place in range(at + 2, len(row), 2)
    )
    return FoundRow(cast("Value", row[:2]), cast("Value", row[at : at + 2]), fields)


def _no_text_index(node: Comparison) -> int:
    field = json.dumps(node.field.text, ensure_ascii=False)
    raise QueryError(
        f"{node.place}: matches needs an index of words: "
        f'ext.index(table, {field}, {{ kind = "text" }})'
    )
