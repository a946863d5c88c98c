"""The order of a query's rows, kept from one page to the next where no index gives it.

Who goes through many rows in pieces would have all of them sorted for each piece. So from the
second page on, if nothing was written since the first, the order is kept: keys and the values that
order them, in a temporary table that SQLite moves to a file when it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, final

import apsw

from lua_ls_persist.query import Group, OrderField, Query
from lua_ls_persist.store.query_sources import Rows
from lua_ls_persist.store.query_sql import Builder
from lua_ls_persist.store.query_values import Classed, Source

TABLE: Final = "sorted_rows"

Identity: TypeAlias = tuple[str, tuple[int, ...]]
"""Which query, and which state of the data."""


@final
class SortedRows:
    """At most one order at a time, of the query that was asked last."""

    def __init__(
        self, connection: Callable[[], apsw.Connection], version: Callable[[], tuple[int, ...]]
    ) -> None:
        """`version` is another one after anything was written, by whomever."""
        self._connection = connection
        self._version = version
        self._asked: Identity | None = None
        """The page before had to be sorted for this."""
        self._kept: Identity | None = None

    def forget(self) -> None:
        """The data are others in a way that the version does not tell."""
        self._asked = self._kept = None

    def asked(self, query: str) -> None:
        """A page of this query is sorted now."""
        self._asked = (query, self._version())

    def source(
        self,
        name: str,
        query: Query,
        orders: Sequence[OrderField],
        rows: Callable[[], tuple[Builder, Rows]],
    ) -> Source | None:
        """All rows of a query in order; None unless the page before was one of it.

        `rows` puts together where they come from.
        """
        identity = (name, self._version())
        if self._kept != identity:
            if self._asked != identity:
                return None
            self._kept = None
            in_transaction = self._connection().in_transaction
            try:
                self._keep(query, orders, *rows())
            except (apsw.CantOpenError, apsw.FullError, apsw.IOError):
                # There is no room for temporary files: each page is sorted, as the first one was.
                if self._connection().in_transaction != in_transaction:
                    raise
                return None
            self._kept = (name, self._version())
        self._asked = self._kept
        fields = {
            order.field.text: Classed(f"o.c{number}", f"o.v{number}")
            for number, order in enumerate(query.order_by, 1)
        }
        return Source(f"temp.{TABLE} AS o", (), "o.key_kind", "o.key", "NULL", fields=fields)

    def _keep(
        self, query: Query, orders: Sequence[OrderField], builder: Builder, rows: Rows
    ) -> None:
        source = rows.source
        fields = [order.field for order in query.order_by]
        joins, pairs = builder.classed(fields, source, "order_by")
        names = ["key_kind", "key"]
        order_by = []
        for number, order in enumerate(query.order_by, 1):
            columns = [f"c{number}", f"v{number}"]
            names += columns
            if order in orders:
                order_by += [_directed(name, order.descending) for name in columns]
        order_by += [_directed(name, query.key_descending) for name in ("key_kind", "key")]
        expressions = [source.key_kind, source.key, *(part for pair in pairs for part in pair)]
        conditions = [*source.conditions, builder.condition(Group("all", rows.conditions), source)]
        sql = (
            f"INSERT INTO temp.{TABLE} SELECT {', '.join(expressions)}"  # noqa: S608
            f" FROM {source.tables}{joins} WHERE {' AND '.join(conditions)}"
        )
        connection = self._connection()
        connection.execute(f"DROP TABLE IF EXISTS temp.{TABLE}")
        connection.execute(
            f"CREATE TEMP TABLE {TABLE} ({', '.join(names)}, PRIMARY KEY ({', '.join(order_by)}))"
            " WITHOUT ROWID"
        )
        connection.execute(sql, builder.bound(sql))


def _directed(name: str, descending: bool) -> str:
    return f"{name} DESC" if descending else name
