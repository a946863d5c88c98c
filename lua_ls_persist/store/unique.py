"""Unique indexes: no two rows have the same value, at the end of a batch and of a transaction.

In between they may: two rows can exchange their values. So what was written is noted, and looked up
at the end. What is missing, and NaN, is the same as nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias, cast, final

import apsw

from lua_ls_persist.errors import UniqueViolationError
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.query.model import Class
from lua_ls_persist.store.index_forms import STRINGS_HASH, Classified, Item, classified
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.index_rows import Fresh, Plan, Reader, RowKey, Rows
from lua_ls_persist.store.place_text import key_text
from lua_ls_persist.store.rows import Native, as_native

NOTED_MAX: Final = 100_000
"""Of more values none is noted: then the whole index is looked through."""

MANY: Final = 100
WHOLE_RATIO: Final = 5
"""Looking a value up takes as long as going over so many; see `NOTED_MAX` for what is noted."""

VALUE_LENGTH_MAX: Final = 60
"""Longer texts are cut in messages."""

_Values: TypeAlias = tuple[Native, ...]
"""The columns of an index before those of the row."""


@final
class Unique:
    """Notes what unique indexes get, and checks it."""

    def __init__(self, connection: Callable[[], apsw.Connection], reader: Reader) -> None:
        self._connection = connection
        self._reader = reader
        self._noted: dict[int, tuple[Index, set[_Values] | None]] = {}
        """Of each index, what it got; None: so much that all of it is to be looked at."""

    def note(self, index: Index, items: Sequence[Item]) -> None:
        """An index has got these."""
        noted = self._noted.setdefault(index.id, (index, set()))[1]
        if noted is not None:
            # Strings have no elements, so of those nothing is the same.
            noted.update([item[:-3] for item in items if item[0] != STRINGS_HASH])
            if len(noted) > NOTED_MAX:
                self._noted[index.id] = (index, None)

    def note_all(self, index: Index) -> None:
        """An index has got everything anew."""
        self._noted[index.id] = (index, None)

    def keep(self, indexes: Iterable[Index]) -> None:
        """There are these indexes; what was noted of others is no matter any more."""
        ids = {index.id for index in indexes}
        self._noted = {
            index_id: noted for index_id, noted in self._noted.items() if index_id in ids
        }

    def forget(self) -> None:
        """Nothing is noted any more."""
        self._noted.clear()

    def check(self) -> None:
        """What was noted is there once.

        Raises:
            UniqueViolationError: two rows have the same value; the message names the index, the
                value and both rows.
        """
        for index, noted in list(self._noted.values()):
            all_of_it = noted is not None and self._are_most(index, len(noted))
            self.check_index(index, None if all_of_it else noted)
        self._noted.clear()

    def _are_most(self, index: Index, count: int) -> bool:
        """Whether so many values are so large a part of an index that all is looked through."""
        if count < MANY:
            return False
        more = f"SELECT 1 FROM {index.storage} LIMIT 1 OFFSET {count * WHOLE_RATIO}"  # noqa: S608
        return self._connection().execute(more).get is None

    def check_index(self, index: Index, values: Iterable[_Values] | None = None) -> None:
        """In an index that is unique these values, or all, are there once. Raises as `check`."""
        if not index.unique:
            return
        cursor = self._connection().cursor()
        try:
            for found in self._twice(cursor, index, values):
                if index.kind == "btree" and not _is_nothing(found):
                    raise _conflict(index, _pairs(found), self._keys(index, found)[:2])
                if index.kind == "hash" and found != (STRINGS_HASH,):
                    self._check_hash(index, found)
        finally:
            # A statement that is not at its end keeps tables locked.
            cursor.close(force=True)

    def _twice(
        self, cursor: apsw.Cursor, index: Index, values: Iterable[_Values] | None
    ) -> Iterable[_Values]:
        """What more than one row has."""
        columns = _columns(index)
        if values is None:
            names = ", ".join(columns)
            statement = f"SELECT {names} FROM {index.storage} GROUP BY {names} HAVING count(*) > 1"  # noqa: S608
            return cast("Iterable[_Values]", cursor.execute(statement))
        places = ", ".join(f"?{number}" for number in range(1, len(columns) + 1))
        condition = " AND ".join(f"{name} = ?{n}" for n, name in enumerate(columns, 1))
        statement = f"SELECT {places} FROM {index.storage} WHERE {condition} LIMIT 1 OFFSET 1"  # noqa: S608
        return cast("Iterable[_Values]", cursor.executemany(statement, values))

    def _keys(self, index: Index, values: _Values) -> list[RowKey]:
        condition = " AND ".join(f"{name} = ?" for name in _columns(index))
        statement = f"SELECT key_kind, key FROM {index.storage} WHERE {condition}"  # noqa: S608
        return cast("list[RowKey]", self._connection().execute(statement, values).fetchall())

    def _check_hash(self, index: Index, values: _Values) -> None:
        """The rows may have different values with the same hash."""
        keys = self._keys(index, values)
        plan = Plan(index.table_id, [index])
        stored = self._reader.values(index.table_id, keys)
        present = list(stored)
        rows = self._reader.rows(plan, present, list(stored.values()), Fresh())
        seen: dict[tuple[Classified, ...], RowKey] = {}
        for number, key in enumerate(present):
            for row in _rows_of(index, plan, rows, number):
                other = seen.setdefault(row, key)
                if other != key and not _is_nothing([part for pair in row for part in pair]):
                    raise _conflict(index, list(row), [other, key])


def _rows_of(index: Index, plan: Plan, rows: Rows, number: int) -> list[tuple[Classified, ...]]:
    """The values of one row: those of its fields together, or of each element."""
    if index.each:
        steps = plan.fields[index.fields[0].text]
        return [(classified(element),) for element in rows.elements[steps][number]]
    key = rows.keys[number]
    return [
        tuple(
            classified(key if part.is_key else rows.columns[plan.fields[part.text]][number])
            for part in index.fields
        )
    ]


def _columns(index: Index) -> list[str]:
    if index.kind == "hash":
        return ["hash"]
    return [f"{c}{number}" for number in range(1, len(index.fields) + 1) for c in "cv"]


def _pairs(values: Sequence[Native]) -> list[Classified]:
    return [
        (cast("int", kind), value) for kind, value in zip(values[::2], values[1::2], strict=True)
    ]


def _is_nothing(values: Sequence[Native]) -> bool:
    """Whether any of the fields is equal to nothing."""
    return any(kind in (Class.MISSING, Class.NAN) for kind, _ in _pairs(values))


def _conflict(
    index: Index, pairs: Sequence[Classified], keys: Sequence[RowKey]
) -> UniqueViolationError:
    shown = ", ".join(map(_shown, pairs))
    one, other = (f"{index.table}{key_text(*key)}" for key in sorted(keys, key=repr))
    return UniqueViolationError(
        f"The index {index.name} is unique, and {one} and {other} both have {shown}. "
        "Change one of them.",
        table_id=index.table_id,
        keys=keys,
        parts=[field.steps[0] for field in index.fields if field.steps],
    )


def _shown(pair: Classified) -> str:
    """A value as Lua would write it."""
    kind, value = pair
    if kind == Class.STRING:
        text = as_native(cast("bytes", value))
        short = text[:VALUE_LENGTH_MAX]
        return scalar_text(short) + ("..." if len(short) < len(text) else "")
    if kind == Class.BOOLEAN:
        return scalar_text(bool(value))
    if kind == Class.NUMBER:
        return scalar_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{'the table' if kind == Class.TABLE else 'the function'} {value}"
