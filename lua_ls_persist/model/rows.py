"""Rows of tables: as queries find them, as grids show them, and counted; a look at any value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lua_ls_persist.model.evaluations import Value


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A row that a query has found: an entry of the table."""

    key: Value
    value: Value | Mapping[str, Value]
    """What `Session.get` would give; with `select`, the selected fields by name."""


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Some of the rows that a query finds, in order."""

    rows: tuple[QueryRow, ...]
    next: str | None
    """The cursor of the page that follows, for `after`; None if nothing does."""


@dataclass(frozen=True, slots=True)
class AggregateGroup:
    """What is known of a group of rows; what was not asked for is None."""

    group: Mapping[str, Value]
    """The values of the fields to group by, by name; those that are missing are not there."""
    count: int | None = None
    """How many rows the group has."""
    sum: Value = None
    """An integer if all are and it fits into 64 bits; otherwise exact, and rounded once."""
    min: Value = None
    """The least number; without any number, the least string."""
    max: Value = None
    """The greatest string; without any string, the greatest number."""
    avg: Value = None
    """A float, or None where there is no number."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the first page of a query was found. As text, it is for people."""

    table: str
    index: str | None
    """The index, `users(age)`, or several of them; None: the rows were looked through."""
    rows_examined: int
    """How many rows, or entries of the index, were looked at."""
    rows_returned: int
    """How many the first page has."""
    sql: str
    """The statements that found them, with their values: they can be run in any SQLite tool."""

    def __str__(self) -> str:
        way = "no index" if self.index is None else f"index {self.index}"
        return (
            f"{self.table}: {way}, {self.rows_examined} rows examined, "
            f"{self.rows_returned} returned\n{self.sql}"
        )


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A field of a table's rows, and the types that it has in some of them, with counts."""

    name: str
    """As queries name it: `age`, `[1]`, `@value`."""
    types: Mapping[str, int]
    """`integer`, `string`, `table` ..., and in how many of the rows that were looked at."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row, with its cells in the order of the columns that were asked for."""

    key: Value
    path: str | None
    """The path of its entry; None where no text leads to it."""
    cells: tuple[Value, ...]
    """Bounded looks; None is a field that is missing."""


@dataclass(frozen=True, slots=True)
class GridPage:
    """Rows of a table by their number, as a person who scrolls wants them."""

    table: str
    columns: tuple[GridColumn, ...]
    columns_left_out: int
    """So many other fields were found in rows."""
    rows: tuple[GridRow, ...]
    offset: int
    total: int
    """All rows of the table."""
    filtered: int
    """The rows that fulfil the conditions and have the text."""
    index: str | None
    """The index through which they were found."""
    rows_examined: int
    is_list: bool
    """Whether the keys of all rows of the table are 1, 2, 3 and so on, so that new ones follow."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What there is in a column of a table's rows."""

    count: int
    """Of rows in which the field is there."""
    missing: int
    """Of rows in which it is not."""
    distinct: int
    """How many different values there are; 1 and 1.0 are one."""
    types: Mapping[str, int]
    """`integer`, `string`, `table` ..., and how many of each."""
    min: Value
    """The least number; without any number, the least string."""
    max: Value
    avg: float | None
    top: tuple[tuple[Value, int], ...]
    """The most frequent scalars, and how frequent they are."""
    histogram: tuple[tuple[float, float, int], ...]
    """Of the finite numbers: from, to (the last one with its end), how many."""


@dataclass(frozen=True, slots=True)
class Points:
    """Numbers that go together in the rows of a table."""

    points: tuple[tuple[float, float], ...]
    """Ascending; perhaps only some, chosen evenly among the rows."""
    rows: int
    """All rows that fulfil the conditions."""
    pairs: int
    """The rows that have a finite number in both fields."""


@dataclass(frozen=True, slots=True)
class InspectedEntry:
    """An entry of a table that is inspected, or an upvalue of a function."""

    key: Value
    value: Value
    path: str | None
    """By which it is inspected itself; None where no text leads to it."""
    expandable: bool
    """Whether there is anything in it."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A look at a value and at some of what is in it."""

    path: str
    value: Value
    entries: tuple[InspectedEntry, ...]
    total: int
    """How many entries there are."""
    next_offset: int | None
    """Where the next page begins; None if this is the last one."""
    metatable: Value
    """A look at its metatable; None if it has none."""
    live: bool
    """It was looked up in the VM, not in the store."""
    given: int = 0
    """Of the globals: how many every session has, such as `string` and `ext`. They come last."""
