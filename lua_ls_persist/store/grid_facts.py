"""Facts about the rows of a grid: their columns, whether they are a list, how they are found.

As with the rows themselves, what was found out is good until something is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeAlias, cast

from lua_ls_persist.query import Field, Group, Query
from lua_ls_persist.query.fields import VALUE, field_text
from lua_ls_persist.query.model import EVERYTHING, SELECT_FIELDS_MAX
from lua_ls_persist.store.grids import Grid, Grids
from lua_ls_persist.store.queries import Explained
from lua_ls_persist.store.query_pages import FoundRow
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    STRING,
    TABLE,
    Native,
    Pair,
    Value,
)
from lua_ls_persist.store.searching import Search

FoundPage: TypeAlias = Callable[[int, int], list[FoundRow]]
"""Rows from a number on, counted from 0, and so many."""
SAMPLE_ROWS: Final = 200
"""Columns are looked for in so many rows at each end of a table."""
SAMPLE_ENTRIES_MAX: Final = 20_000
SAMPLE_BYTES_MAX: Final = 4 * 1024 * 1024
COLUMNS_MAX: Final = SELECT_FIELDS_MAX
"""So many columns a grid has; later pages ask for them by their names."""
FIELDS_SAMPLED_MAX: Final = 1_000
"""So many entries of a row are looked at: an array with more is hardly a record."""
COLUMN_NAME_MAX: Final = 100
"""A longer key is hardly the name of a column."""
_TYPES: Final = {BOOLEAN: "boolean", INTEGER: "integer", FLOAT: "float", STRING: "string",
                 TABLE: "table"}  # fmt: skip


class GridFacts(Grids):
    """Tells what there is to know about a grid beside its rows."""

    def columns(self, table_id: int) -> list[tuple[Field, dict[str, int]]]:
        """The fields of a table's rows, the most frequent first, with types of their values.

        They are looked for in the rows at both ends. There may be more than a grid shows.
        """
        if self.in_transaction:
            # What is known is of committed data, and this may be others.
            with self._reading:
                return self._sampled(table_id)
        with self.one_state(), self._reading:
            self._settle_known()
            known = self._known.columns.get(table_id)
            if known is None:
                known = self._known.columns[table_id] = self._sampled(table_id)
        return known

    def is_list(self, table_id: int) -> bool:
        """Whether the keys of all rows are 1, 2, 3 and so on."""
        assert not self.in_transaction, "what is known is of committed data"
        with self.one_state(), self._reading:
            self._settle_known()
            total = self._total(table_id)
            sql = (
                "SELECT key_kind, key FROM entries WHERE table_id = ?"
                " ORDER BY key_kind {0}, key {0} LIMIT 1"
            )
            ends = [
                self._connection.execute(sql.format(order), (table_id,)).fetchone()
                for order in ("ASC", "DESC")
            ]
        # Keys come once, and those of one kind side by side.
        return total == 0 or ends == [(INTEGER, 1), (INTEGER, total)]

    @contextmanager
    def found_rows(
        self, table_id: int, where: Group, search: Search
    ) -> Iterator[tuple[int, FoundPage]]:
        """How many rows fulfil conditions and have a text; and pages of them, by their keys.

        They are looked for once: to begin anew behind each page takes long where they are many.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        query = Query(where)
        self._known.made += 1
        table = f"found_{self._known.made}"
        with self.one_state(), self._asking(where):
            try:
                count = self._keep_keys(self._all_in_order(table_id, Grid(query, search)), table)
                yield count, partial(self._kept_rows, table_id, query, table)
            finally:
                self._connection.execute(f"DROP TABLE IF EXISTS temp.{table}")

    def explain_grid(self, table_id: int, grid: Grid) -> Explained:
        """How all rows of a grid are found and put in order, by finding them.

        Where they are in order by themselves, nobody looks at all of them: how the first page is
        found.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        with self.one_state(), self._asking(grid.query.where):
            if self._chosen_walk(table_id, grid) is not None:
                return self.explain(table_id, grid.query)
            found = self._all_in_order(table_id, grid)
            cursor = self._connection.cursor()
            cursor.execute(found.sql, found.builder.bound(found.sql), explain=2)
            text = cursor.expanded_sql
            cursor.close()
            sql = f"SELECT count(*) FROM ({found.sql})"  # noqa: S608
            count = cast("int", self._connection.execute(sql, found.builder.bound(sql)).get)
            total = self.count(table_id, EVERYTHING)
            return Explained(found.choice.name, self._examined(found, total), count, text)

    def _sampled(self, table_id: int) -> list[tuple[Field, dict[str, int]]]:
        sql = (
            "SELECT key_kind, key, kind, value FROM full_entries WHERE table_id = ?"
            " ORDER BY key_kind {0}, key {0} LIMIT ?"
        )
        ends: dict[Value, Pair] = {}
        for order in ("ASC", "DESC"):
            found = self._connection.execute(sql.format(order), (table_id, SAMPLE_ROWS))
            ends |= {row[:2]: row for row in cast("list[Pair]", found.fetchall())}
        counts: dict[str, Counter[str]] = {}
        fields: dict[str, Field] = {}
        inner: list[int] = []
        for row in ends.values():
            if row[2] == TABLE:
                inner.append(cast("int", row[3]))
            else:
                fields[VALUE.text] = VALUE
                counts.setdefault(VALUE.text, Counter())[_type(row[2])] += 1
        for key_kind, key, kind in self._sampled_entries(inner):
            field = _column(key_kind, key)
            if field is not None:
                fields[field.text] = field
                counts.setdefault(field.text, Counter())[_type(kind)] += 1
        if inner and not counts:
            # Rows without a single field are shown whole: there must be something to see of them.
            fields[VALUE.text] = VALUE
            counts[VALUE.text] = Counter({_type(TABLE): len(inner)})
        by_frequency = sorted(counts, key=lambda text: (-counts[text].total(), _natural(text)))
        return [(fields[text], dict(counts[text])) for text in by_frequency]

    def _sampled_entries(self, tables: list[int]) -> Iterator[tuple[int, Native, int]]:
        """The entries of small tables, and the first ones of large ones, within bounds."""
        left = SAMPLE_ENTRIES_MAX
        small = self.nested(tables, entries_max=left, bytes_max=SAMPLE_BYTES_MAX)
        for table_id in tables:
            record = small.get(table_id)
            if record is not None:
                rows = [row[:3] for row in record.rows]
            else:
                sql = (
                    "SELECT key_kind, key, kind FROM full_entries WHERE table_id = ?"
                    " ORDER BY key_kind, key LIMIT ?"
                )
                found = self._connection.execute(sql, (table_id, min(FIELDS_SAMPLED_MAX, left)))
                rows = cast("list[tuple[int, Native, int]]", found.fetchall())
            yield from rows
            left -= len(rows)
            if left <= 0:
                return


def _type(kind: int) -> str:
    return _TYPES.get(kind, "function")


def _column(key_kind: int, key: Native) -> Field | None:
    """The field that a key of a row is; None if it is hardly one."""
    if key_kind == STRING and isinstance(key, str) and 0 < len(key) <= COLUMN_NAME_MAX:
        return Field(field_text((key,)), (key,))
    if key_kind == INTEGER and isinstance(key, int):
        return Field(field_text((key,)), (key,))
    return None


def _natural(text: str) -> str:
    """A text to sort by, such that `c2` comes before `c10`."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(COLUMN_NAME_MAX), text)
