"""Rows as indexes see them: the fields that they are about, and the tables these are read from.

A `Plan` says which fields all indexes of one table need. Rows are read many at once, field by
field, into columns; nothing here writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast, final

import apsw

from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE, Native, Value, native_key

RowKey: TypeAlias = Value
"""(the key's kind, the key): which row of the table it is."""
Steps: TypeAlias = tuple[Value, ...]
"""Keys from the row's table on."""
Column: TypeAlias = "Sequence[Value | None]"

VALUE: Final[Steps] = ()
"""The column of the rows' own values."""

_SQL_ROWS = {
    kind: f"""
    SELECT entry.key, entry.kind, entry.value
    FROM json_each(?) AS wanted CROSS JOIN full_entries AS entry
    WHERE entry.table_id = ? AND entry.key_kind = {kind} AND entry.key = wanted.value
    """  # noqa: S608  (a number)
    for kind in (INTEGER, STRING)
}
_SQL_ROW = """
    SELECT key_kind, key, kind, value FROM full_entries
    WHERE table_id = ? AND key_kind = ? AND key = ?
    """
FEW: Final = 16
"""For no more ids, a statement each takes less time than one for a list of them."""

_SQL_ONE_STEP = """
    SELECT table_id, kind, value FROM full_entries WHERE table_id = ? AND key_kind = ? AND key = ?
    """
_SQL_ONE_MEMBER = """
    SELECT key_kind, key, member FROM index_members WHERE table_id = ? AND member = ?
    """
_SQL_STEP = """
    SELECT entry.table_id, entry.kind, entry.value
    FROM json_each(?) AS wanted CROSS JOIN full_entries AS entry
    WHERE entry.table_id = wanted.value AND entry.key_kind = ? AND entry.key = ?
    """
_SQL_ELEMENTS = """
    SELECT entry.table_id, entry.kind, entry.value
    FROM json_each(?) AS wanted CROSS JOIN full_entries AS entry
    WHERE entry.table_id = wanted.value AND entry.key_kind = 2
    ORDER BY entry.table_id, entry.key
    """
_SQL_MEMBERS = """
    SELECT members.key_kind, members.key, members.member
    FROM json_each(?) AS wanted CROSS JOIN index_members AS members
    WHERE members.table_id = ? AND members.member = wanted.value
    """


@final
class Plan:
    """The indexes of one table, and what of its rows they need."""

    def __init__(self, table_id: int, indexes: Iterable[Index]) -> None:
        self.table_id = table_id
        self.indexes = tuple(indexes)
        steps: dict[Steps, None] = {}
        containers: dict[Steps, None] = {}
        arrays: dict[Steps, None] = {}
        self.fields: dict[str, Steps] = {}
        """Of each field but the row's key, its column."""
        for index in self.indexes:
            for part in index.fields:
                path = tuple(map(native_key, part.steps))
                self.fields[part.text] = path
                for length in range(len(path)):
                    containers[path[:length]] = None
                    steps[path[: length + 1]] = None
                if index.each:
                    containers[path] = arrays[path] = None
        self.steps = tuple(sorted(steps, key=len))
        """All columns but the rows' own values, those that others are read from first."""
        self.containers = tuple(sorted(containers, key=len))
        """The columns whose tables are looked into."""
        self.arrays = tuple(arrays)
        """The columns of which each element counts."""
        self.keys = frozenset(path[-1][1] for path in self.steps)
        """Entries of rows with other keys are of no interest."""


@dataclass(slots=True)
class Rows:
    """Rows of one table, column by column; None where a row has no such field."""

    keys: Sequence[RowKey]
    columns: dict[Steps, Column]
    elements: dict[Steps, list[Sequence[Value]]] = field(default_factory=dict)
    _ids: list[int] | None = None

    def members(self, plan: Plan) -> list[tuple[int, ...]]:
        """Of each row, the tables that its fields are read from; each of them once."""
        columns = [self.columns[steps] for steps in plan.containers]
        if len(columns) == 1:
            return [
                (cast("int", value[1]),) if value is not None and value[0] == TABLE else ()
                for value in columns[0]
            ]
        return [
            tuple({cast("int", v[1]): 0 for v in values if v is not None and v[0] == TABLE})
            for values in zip(*columns, strict=True)
        ] or [() for _ in self.keys]

    def all_members(self, plan: Plan) -> list[tuple[int, int, int, Native]]:
        """The same as rows of `index_members`, of all rows together."""
        if plan.containers == (VALUE,):
            return [
                (plan.table_id, row, key[0], key[1])
                for row, key in zip(self.row_ids(), self.keys, strict=True)
                if row
            ]
        return [
            (plan.table_id, member, key[0], key[1])
            for key, members in zip(self.keys, self.members(plan), strict=True)
            for member in members
        ]

    def row_ids(self) -> list[int]:
        """The ids of the rows' tables; 0 where the value is none."""
        if self._ids is None:
            self._ids = [
                value[1] if value is not None and value[0] == TABLE else 0  # type: ignore[misc]  # an id
                for value in self.columns[VALUE]
            ]
        return self._ids


@final
class Fresh:
    """Tables that the present transaction made: all that counts of them is in memory."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.steps: dict[Value, dict[int, Value]] = {}
        self.elements: dict[int, dict[Native, Value]] = {}
        self.size = 0


@final
class Reader:
    """Reads rows from the store."""

    def __init__(self, connection: Callable[[], apsw.Connection]) -> None:
        self._connection = connection

    def values(self, table_id: int, keys: Sequence[RowKey]) -> dict[RowKey, Value]:
        """The values of those rows that there are."""
        found: dict[RowKey, Value] = {}
        others: list[tuple[int, int, Native]] = []
        by_kind: dict[int, list[Native]] = {INTEGER: [], STRING: []}
        if len(keys) <= FEW:
            others = [(table_id, *key) for key in keys]
            keys = ()
        for key in keys:
            if key[0] == INTEGER or (key[0] == STRING and isinstance(key[1], str)):
                by_kind[key[0]].append(key[1])
            else:
                others.append((table_id, *key))
        execute = self._connection().execute
        for kind, natives in by_kind.items():
            if natives:
                rows = execute(_SQL_ROWS[kind], (json.dumps(natives), table_id))
                for native, value_kind, value in cast("Iterable[tuple[Native, int, Native]]", rows):
                    found[kind, native] = (value_kind, value)
        for row in self._connection().executemany(_SQL_ROW, others) if others else ():
            kind, native, value_kind, value = cast("tuple[int, Native, int, Native]", row)
            found[kind, native] = (value_kind, value)
        return found

    def rows(self, plan: Plan, keys: Sequence[RowKey], values: Column, fresh: Fresh) -> Rows:
        """The rows with these keys and values."""
        rows = Rows(keys, {VALUE: values})
        tables: dict[Steps, set[int]] = {}
        for steps in plan.steps:
            above = rows.columns[steps[:-1]]
            if steps[:-1] not in tables:
                tables[steps[:-1]] = _tables(above)
            found = self._step(steps[-1], tables[steps[:-1]], fresh)
            rows.columns[steps] = [
                found.get(value[1]) if value is not None and value[0] == TABLE else None  # type: ignore[arg-type]  # an id; no call in a hot line
                for value in above
            ]
        for steps in plan.arrays:
            above = rows.columns[steps]
            arrays = self._elements(_tables(above), fresh)
            rows.elements[steps] = [
                arrays.get(cast("int", value[1]), ())
                if value is not None and value[0] == TABLE
                else ()
                for value in above
            ]
        return rows

    def rows_with(self, table_id: int, members: Collection[int]) -> list[tuple[int, Native, int]]:
        """The rows that read from these tables, as the indexes have it: keys, and the tables."""
        connection = self._connection()
        if len(members) <= FEW:
            pairs = [(table_id, member) for member in members]
            found = connection.executemany(_SQL_ONE_MEMBER, pairs)
        else:
            found = connection.execute(_SQL_MEMBERS, (json.dumps(list(members)), table_id))
        return cast("list[tuple[int, Native, int]]", found.fetchall())

    def _step(self, step: Value, ids: set[int], fresh: Fresh) -> dict[int, Value]:
        made = fresh.steps.get(step, {})
        if ids <= fresh.ids:
            return made
        stored = ids - fresh.ids
        rows = (
            self._connection().executemany(_SQL_ONE_STEP, [(one, *step) for one in stored])
            if len(stored) <= FEW
            else self._connection().execute(_SQL_STEP, (json.dumps(list(stored)), *step))
        )
        found = {
            table_id: (kind, value)
            for table_id, kind, value in cast("Iterable[tuple[int, int, Native]]", rows)
        }
        if len(stored) != len(ids):
            found.update({table_id: made[table_id] for table_id in ids & made.keys()})
        return found

    def _elements(self, ids: set[int], fresh: Fresh) -> dict[int, list[Value]]:
        found: dict[int, list[Value]] = {
            table_id: list(elements.values())
            for table_id in ids & fresh.ids
            if (elements := fresh.elements.get(table_id)) is not None
        }
        stored = ids - fresh.ids
        if stored:
            rows = self._connection().execute(_SQL_ELEMENTS, (json.dumps(list(stored)),))
            for table_id, kind, value in cast("Iterable[tuple[int, int, Native]]", rows):
                found.setdefault(table_id, []).append((kind, value))
        return found


def _tables(column: Column) -> set[int]:
    return {value[1] for value in column if value is not None and value[0] == TABLE}  # type: ignore[misc]  # ids
