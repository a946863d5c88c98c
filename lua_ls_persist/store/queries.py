"""Queries: pages of rows, counts and aggregates, read by SQL that `query_sql` puts together.

Everything of one question is read from one state of the data. Pages are found by the values where
the one before ended, never by counting rows.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

import apsw

from lua_ls_persist.errors import QueryError
from lua_ls_persist.paths import Key
from lua_ls_persist.query import Comparison, Field, Group, Node, Position, Query
from lua_ls_persist.query.cursor import fingerprint, read_cursor, write_cursor
from lua_ls_persist.query.model import LIMIT_MAX
from lua_ls_persist.store.index_forms import STRINGS_HASH
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.planner import (
    SCAN,
    Access,
    Choice,
    Question,
    asks_for_words,
    choose,
    conjuncts,
    straight,
    unpinned,
)
from lua_ls_persist.store.prepared import Prepared
from lua_ls_persist.store.query_pages import (
    COUNTED,
    FoundRow,
    Statement,
    page_statement,
    position_of,
    row_of,
)
from lua_ls_persist.store.query_sources import Rows, first_rows, through, words
from lua_ls_persist.store.query_sql import (
    ALWAYS,
    Builder,
)
from lua_ls_persist.store.query_values import Source
from lua_ls_persist.store.rows import TABLE, Native, native_key
from lua_ls_persist.store.schemas import Schemas
from lua_ls_persist.store.searching import EVERY_ROW, Search, search_condition
from lua_ls_persist.store.sorted_rows import SortedRows

LIMIT_DEFAULT: Final = 256
"""How many rows a page has where nobody says: what is fetched at once by those who want all."""


@dataclass(frozen=True, slots=True)
class FoundRows:
    """A page of rows; `next` is the cursor of the page that follows, None at the end."""

    rows: list[FoundRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Explained:
    """How a page was found: through which index, if any, and after a look at how many rows."""

    index: str | None
    rows_examined: int
    rows_returned: int
    sql: str


_COUNTED_CONDITION: Final = re.compile(rf"{COUNTED}\([\w.]+\) AND ")


class Queries(Schemas):
    """Answers questions about the rows of a table."""

    use_indexes = True
    """Without, everything is read by scans. The answers are the same."""

    @cached_property
    def _prepared(self) -> Prepared:
        return Prepared()

    @cached_property
    def _sorted_rows(self) -> SortedRows:
        return SortedRows(
            lambda: self._connection,
            lambda: (self._data_version(), self._connection.total_changes(), self.state),
        )

    def _after_rollback(self) -> None:
        super()._after_rollback()
        self._sorted_rows.forget()

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
        position = None if query.after is None else read_cursor(query, table_id, query.after)
        with self.one_state(), self._asking(query.where):
            found = self._first_enough(self._pages(table_id, query, position, limit), limit)
        following = None
        if len(found) > limit:
            found.pop()
            following = write_cursor(query, table_id, position_of(query, found[-1]))
        return FoundRows([row_of(query, row) for row in found], following)

    def count(self, table_id: int, where: Group, search: Search = EVERY_ROW) -> int:
        """How many rows fulfil the conditions, and have a text.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        with self.one_state(), self._asking(where):
            builder = self._builder(table_id)
            tables, conditions, _ = self._all_rows(builder, where, search=search)
            sql = f"SELECT count(*) FROM {tables} WHERE {' AND '.join(conditions)}"  # noqa: S608
            return cast("int", self._connection.execute(sql, builder.bound(sql)).get)

    def explain(self, table_id: int, query: Query) -> Explained:
        """How the first page of a query is found, by finding it.

        Raises:
            QueryError: the question makes no sense for this table, or the cursor is another one's.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        limit = query.limit or LIMIT_DEFAULT
        position = None if query.after is None else read_cursor(query, table_id, query.after)
        examined = itertools.count()
        with self.one_state(), self._asking(query.where):
            self._connection.create_scalar_function(COUNTED, lambda *_: int(next(examined) >= 0), 1)
            statements: list[Statement] = []

            def pages() -> Iterator[Statement]:
                for page in self._pages(table_id, query, position, limit, counted=True):
                    statements.append(page)
                    yield page

            found = self._first_enough(pages(), limit)
            texts = []
            for statement in statements:
                cursor = self._connection.cursor()
                cursor.execute(statement.sql, statement.parameters, explain=2)
                texts.append(_COUNTED_CONDITION.sub("", cursor.expanded_sql))
                cursor.close()
        return Explained(
            index=statements[-1].choice.name,
            rows_examined=next(examined),
            rows_returned=min(len(found), limit),
            sql=";\n".join(texts),
        )

    def _first_enough(self, pages: Iterator[Statement], limit: int) -> list[tuple[Native, ...]]:
        """The rows of the first statement that finds enough, or of the last one."""
        found: list[tuple[Native, ...]] = []
        for statement in pages:
            # A cursor of its own: there may be many rows.
            rows = self._connection.execute(statement.sql, statement.parameters)
            found = cast("list[tuple[Native, ...]]", rows.fetchall())
            if len(found) > limit:
                break
        return found

    # Statements

    def _builder(self, table_id: int) -> Builder:
        return Builder(table_id, lambda node: self._text_index(table_id, node))

    def _text_index(self, table_id: int, node: Comparison) -> tuple[str, str]:
        for index in self.indexes(table_id):
            if index.kind == "text" and node.field in index.fields:
                return index.storage, words(index, node)
        field = json.dumps(node.field.text, ensure_ascii=False)
        raise QueryError(
            f"{node.place}: matches needs an index of words: "
            f'ext.index(table, {field}, {{ kind = "text" }})'
        )

    def _pages(
        self,
        table_id: int,
        query: Query,
        position: Position | None,
        limit: int,
        *,
        counted: bool = False,
    ) -> Iterator[Statement]:
        """The statements that find a page: the first that finds enough has found it."""
        assert 0 < limit <= LIMIT_MAX
        if position is None and not counted:
            prepared = self._prepared_page(table_id, query, limit)
            if prepared is not None:
                yield prepared
                return
        question = Question(query.where, query.order_by, query.key_descending, limited=True)
        choice = self._choose(table_id, question)
        conditions = conjuncts(query.where)
        orders = unpinned(query.order_by, conditions)
        is_sorted = choice.ways[0].ordered if choice.ways else not orders
        if not is_sorted and not counted:
            name = fingerprint(query, table_id)
            if position is not None:
                kept = self._sorted_rows.source(
                    name, query, orders, lambda: self._rows(table_id, choice, conditions)
                )
                if kept is not None:
                    builder = self._builder(table_id)
                    yield page_statement(builder, Rows(kept, ()), query, position, limit, SCAN)
                    return
            self._sorted_rows.asked(name)
        if choice.scan_first:
            builder = self._builder(table_id)
            source = first_rows(builder, position, descending=query.key_descending)
            rows = Rows(source, tuple(conditions))
            yield page_statement(builder, rows, query, position, limit, SCAN, counted=counted)
        sought = None
        if position is not None and orders and is_sorted:
            sought = (orders[0].field, orders[0].descending)
        builder, rows = self._rows(table_id, choice, conditions, sought)
        yield page_statement(builder, rows, query, position, limit, choice, counted=counted)

    def _prepared_page(self, table_id: int, query: Query, limit: int) -> Statement | None:
        """The statement of a first page that needs no thought about the values; None if it does."""
        if not self.use_indexes:
            return None
        indexes = self.indexes(table_id)

        def make(query: Query) -> Statement | None:
            question = Question(query.where, query.order_by, query.key_descending, limited=True)
            choice = straight(question, indexes)
            if choice is None or choice.ways[0].index.kind != "btree" or choice.ways[0].index.each:
                return None
            builder, rows = self._rows(table_id, choice, conjuncts(query.where))
            return page_statement(builder, rows, query, None, limit, choice)

        return self._prepared.statement(table_id, query, limit, indexes, make)

    def _rows(
        self,
        table_id: int,
        choice: Choice,
        conditions: Sequence[Node],
        sought: tuple[Field, bool] | None = None,
    ) -> tuple[Builder, Rows]:
        """What rows are read from in a statement of its own."""
        builder = self._builder(table_id)
        rows = through(
            builder,
            choice.ways,
            conditions,
            self._has_no_strings,
            both=choice.both,
            sought=sought,
        )
        return builder, rows

    def _all_rows(
        self,
        builder: Builder,
        where: Group,
        fields: Sequence[Field] = (),
        search: Search = EVERY_ROW,
    ) -> tuple[str, list[str], Source]:
        """Tables and conditions by which all rows that fulfil conditions and have a text are read.

        `fields` are what else is looked at in each row.
        """
        choice = self._choose(builder.table_id, Question(where, fields=tuple(fields)))
        rows = through(
            builder,
            choice.ways,
            conjuncts(where),
            self._has_no_strings,
            both=choice.both,
        )
        source = rows.source
        conditions = [
            *source.conditions,
            builder.condition(Group("all", rows.conditions), source),
        ]
        if search:
            conditions.append(search_condition(self._connection, builder, source, search))
        return source.tables, conditions, source

    # Choosing

    def _choose(self, table_id: int, question: Question) -> Choice:
        if not self.use_indexes:
            return SCAN
        indexes = self.indexes(table_id)
        if not indexes:
            return SCAN
        return choose(question, indexes, lambda way, most: self._estimate(table_id, way, most))

    def _estimate(self, table_id: int, way: Access, most: int) -> int:
        """To how many rows a way leads, of so many and one more."""
        builder = self._builder(table_id)
        rows = through(builder, [way], way.used, lambda _index: True)
        condition = builder.condition(Group("all", rows.conditions), rows.source)
        if way.index.kind == "hash":
            condition = ALWAYS  # the values themselves would have to be looked up
        conditions = " AND ".join([*rows.source.conditions, condition])
        sql = (
            f"SELECT count(*) FROM (SELECT 1 FROM {rows.source.tables}"  # noqa: S608
            f" WHERE {conditions} LIMIT {most + 1})"
        )
        return cast("int", self._connection.execute(sql, builder.bound(sql)).get)

    def _has_no_strings(self, index: Index) -> bool:
        """Whether an index of elements has no rows for what may be strings."""
        strings = f"hash = {STRINGS_HASH}" if index.kind == "hash" else "c1 = 0"
        sql = f"SELECT 1 FROM {index.storage} WHERE {strings} LIMIT 1"  # noqa: S608
        return self._connection.execute(sql).get is None

    # Reading

    def one_state(self) -> AbstractContextManager[None]:
        """The block in which all that is read is of one state of the data."""
        return nullcontext() if self.in_transaction else self.transaction(write=False)

    @contextmanager
    def _asking(self, where: Group) -> Iterator[None]:
        """The block in which SQLite's errors are explained, those about words as such."""
        with self._reading:
            try:
                yield
            except apsw.SQLError as error:
                if asks_for_words(where):
                    raise QueryError(f"matches: {error}") from error
                raise
