"""What an index has for a row: B-tree, hash and text, and the statements that write it.

A value is kept as its class and a native value that compares as Lua compares: numbers as they
are, strings as bytes, booleans as 0 and 1, tables and functions by their ids.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Final, Protocol, TypeAlias, cast

import apsw

from lua_ls_persist.query.model import Class
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.index_rows import Column, Plan, Rows
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Native,
    Value,
)
from lua_ls_persist.store.writing import write_rows

Item: TypeAlias = tuple[Native, ...]
"""What is stored for a row: a row of the index's own table."""
Classified: TypeAlias = tuple[int, Native]
"""(class, value)"""

HASH_BYTES: Final = 8
STRINGS_HASH: Final = int.from_bytes(
    hashlib.blake2b(b"", digest_size=HASH_BYTES).digest(), "little", signed=True
)
"""That of no fields. A hash index of elements has it for each row whose field is a string."""

_MISSING: Final[Classified] = (int(Class.MISSING), 0)
_EQUAL_TO_NOTHING: Final = (int(Class.MISSING), int(Class.NAN))
_NAN: Final[Classified] = (int(Class.NAN), 0)
_CLASSES: Final = {
    INTEGER: int(Class.NUMBER),
    STRING: int(Class.STRING),
    BOOLEAN: int(Class.BOOLEAN),
    TABLE: int(Class.TABLE),
    FUNCTION: int(Class.FUNCTION),
    FLOAT: int(Class.NUMBER),
    PERMANENT: int(Class.FUNCTION),
}
_TEXTUAL: Final = (STRING, PERMANENT)


def classified(value: Value | None) -> Classified:
    """A value as indexes keep it."""
    if value is None:
        return _MISSING
    kind, native = value
    if kind in _TEXTUAL:
        content = native.encode() if isinstance(native, str) else native
        return _CLASSES[kind], content
    if kind == FLOAT and isinstance(native, int):
        return _NAN
    return _CLASSES[kind], native


def _classified(column: Column) -> list[Classified]:
    """Many values; those that are most frequent without a call for each."""
    kinds = {0 if value is None else value[0] for value in column}
    if kinds == {INTEGER}:
        return [(_NUMBER, value[1]) for value in column]  # type: ignore[index]  # none is None
    if kinds == {STRING}:
        natives = [value[1] for value in column]  # type: ignore[index]
        return [(_STRING, one.encode() if type(one) is str else one) for one in natives]
    found: list[Classified] = []
    add = found.append
    for value in column:
        if value is None:
            add(_MISSING)
        elif value[0] == INTEGER:
            add((_NUMBER, value[1]))
        elif value[0] == STRING:
            native = value[1]
            add((_STRING, native.encode() if isinstance(native, str) else native))
        else:
            add(classified(value))
    return found


_NUMBER: Final = int(Class.NUMBER)
_STRING: Final = int(Class.STRING)


class Form(Protocol):
    """How one index stores rows."""

    def all_items(self, rows: Rows) -> list[Item]:
        """What is stored for these rows together."""

    def items(self, rows: Rows) -> list[tuple[Item, ...]]:
        """What is stored for each of these rows; not twice the same for one row."""

    def remove(self, connection: apsw.Connection, items: Sequence[Item]) -> None:
        """Removes what is stored."""

    def add(self, connection: apsw.Connection, items: Sequence[Item]) -> None:
        """Stores more."""

    def clear(self, connection: apsw.Connection) -> None:
        """Removes everything."""


def form_of(index: Index, plan: Plan, name: str | None = None) -> Form:
    """How this index, which is part of the plan, stores rows: in its own table, or in another."""
    form = _FORMS[index.kind]
    return form(index, plan, index.storage if name is None else name)


class _Fields:
    """The values of an index's fields."""

    def __init__(self, index: Index, plan: Plan) -> None:
        self.index = index
        self.columns = [None if part.is_key else plan.fields[part.text] for part in index.fields]

    def column(self, rows: Rows, number: int) -> Column:
        """One field of all rows."""
        steps = self.columns[number]
        return cast("Column", rows.keys) if steps is None else rows.columns[steps]

    def values(self, rows: Rows) -> list[list[Classified]]:
        """The fields of all rows, one after the other."""
        return [_classified(self.column(rows, number)) for number in range(len(self.columns))]

    def all_items(self, rows: Rows) -> list[Item]:
        """What is stored for these rows together."""
        return list(itertools.chain.from_iterable(self.items(rows)))

    def items(self, rows: Rows) -> list[tuple[Item, ...]]:
        """What is stored for each of these rows."""
        raise NotImplementedError

    def elements(self, rows: Rows) -> list[Sequence[Classified]]:
        """The elements of the one field of each row, no two of which are equal."""
        (steps,) = self.columns
        assert steps is not None
        return [
            # As keys of a dict 1 and 1.0 are equal, as they are in Lua; the first one stays.
            tuple(dict.fromkeys(map(classified, elements))) if elements else ()
            for elements in rows.elements[steps]
        ]


class _OwnRows(_Fields):
    """Rows of a table of the index's own; all but the last column of each tell it from others."""

    def __init__(self, index: Index, plan: Plan, name: str, keys: Sequence[str]) -> None:
        super().__init__(index, plan)
        found = " AND ".join(f"{key} = ?" for key in keys)
        self._remove = f"DELETE FROM {name} WHERE {found}"  # noqa: S608  (our own names)
        self._add = f"REPLACE INTO {name}"
        self._clear = f"DELETE FROM {name}"  # noqa: S608

    def remove(self, connection: apsw.Connection, items: Sequence[Item]) -> None:
        connection.executemany(self._remove, [item[:-1] for item in items])

    def add(self, connection: apsw.Connection, items: Sequence[Item]) -> None:
        write_rows(connection, self._add, _sorted(items))

    def clear(self, connection: apsw.Connection) -> None:
        connection.execute(self._clear)


class _BTree(_OwnRows):
    """Rows (c1, v1, ..., key_kind, key, row): each row of the table has one, or one an element."""

    def __init__(self, index: Index, plan: Plan, name: str) -> None:
        count = len(index.fields)
        columns = [f"{c}{number}" for number in range(1, count + 1) for c in "cv"]
        super().__init__(index, plan, name, (*columns, "key_kind", "key"))

    def all_items(self, rows: Rows) -> list[Item]:
        if self.index.each or len(self.columns) > 1:
            return super().all_items(rows)
        (values,) = self.values(rows)
        return [
            (kind, value, key[0], key[1], row)
            for (kind, value), key, row in zip(values, rows.keys, rows.row_ids(), strict=True)
        ]

    def items(self, rows: Rows) -> list[tuple[Item, ...]]:
        identities = zip(rows.keys, rows.row_ids(), strict=True)
        if self.index.each:
            return [
                tuple((*element, *key, row) for element in elements or (_MISSING,))
                for elements, (key, row) in zip(self.elements(rows), identities, strict=True)
            ]
        values = self.values(rows)
        if len(values) == 1:
            return [
                ((*value, *key, row),)
                for value, (key, row) in zip(values[0], identities, strict=True)
            ]
        chain = itertools.chain
        return [
            (tuple(chain(*pairs, key, (row,))),)
            for (key, row), *pairs in zip(identities, *values, strict=True)
        ]


class _Hash(_OwnRows):
    """Rows (hash, key_kind, key, row): for equality, so rows without the field have none.

    With an entry an element, those whose field is a string have one as well: a string, too, may
    contain what is looked for.
    """

    def __init__(self, index: Index, plan: Plan, name: str) -> None:
        super().__init__(index, plan, name, ("hash", "key_kind", "key"))

    def items(self, rows: Rows) -> list[tuple[Item, ...]]:
        identities = zip(rows.keys, rows.row_ids(), strict=True)
        if self.index.each:
            strings = self._string_hashes(rows)
            return [
                tuple(
                    dict.fromkeys(
                        (hashed, *key, row)
                        for hashed in (
                            *(hash_of((one,)) for one in elements if _has_equals((one,))),
                            *string,
                        )
                    )
                )
                for elements, string, (key, row) in zip(
                    self.elements(rows), strings, identities, strict=True
                )
            ]
        return [
            ((hash_of(values), *key, row),) if _has_equals(values) else ()
            for (key, row), *values in zip(identities, *self.values(rows), strict=True)
        ]

    def _string_hashes(self, rows: Rows) -> list[tuple[int, ...]]:
        """The hash of each row whose field is a string: any other may be in it."""
        if not self.index.has_strings:
            return [()] * len(rows.keys)
        return [
            (STRINGS_HASH,) if value is not None and value[0] == STRING else ()
            for value in self.column(rows, 0)
        ]

    def all_items(self, rows: Rows) -> list[Item]:
        if self.index.each or len(self.columns) > 1:
            return super().all_items(rows)
        (values,) = self.values(rows)
        found: list[Item] = []
        add, pack, blake2b, from_bytes = found.append, _HASHED.pack, hashlib.blake2b, int.from_bytes
        for value, key, row in zip(values, rows.keys, rows.row_ids(), strict=True):
            kind, content = value
            if kind == _STRING:  # `hash_of`, written out for what there is most of
                assert isinstance(content, bytes)
                hashed = blake2b(pack(kind, len(content)) + content, digest_size=HASH_BYTES)
                number = from_bytes(hashed.digest(), "little", signed=True)
                add((number, key[0], key[1], row))
            elif kind not in _EQUAL_TO_NOTHING:
                add((hash_of((value,)), key[0], key[1], row))
        return found


class _Text(_Fields):
    """A document a row of which any field is a string; items are (key_kind, key, row, texts...)."""

    def __init__(self, index: Index, plan: Plan, name: str) -> None:
        super().__init__(index, plan)
        columns = ", ".join(f"f{number}" for number in range(1, len(index.fields) + 1))
        self._last = f"SELECT max(id) FROM {name}_rows"  # noqa: S608
        self._find = f"DELETE FROM {name}_rows WHERE key_kind = ? AND key = ? RETURNING id"  # noqa: S608
        self._remove = f"DELETE FROM {name} WHERE rowid = ?"  # noqa: S608
        self._add_row = f"INSERT INTO {name}_rows"
        self._add = f"INSERT INTO {name} (rowid, {columns})"
        self._clear_rows = f"DELETE FROM {name}_rows"  # noqa: S608
        table = name.rpartition(".")[2]
        self._clear = f"INSERT INTO {name} ({table}) VALUES ('delete-all')"  # noqa: S608

    def items(self, rows: Rows) -> list[tuple[Item, ...]]:
        columns = [
            [_text(value) for value in self.column(rows, number)]
            for number in range(len(self.columns))
        ]
        return [
            ((*key, row, *texts),) if any(text is not None for text in texts) else ()
            for key, row, *texts in zip(rows.keys, rows.row_ids(), *columns, strict=True)
        ]

    def all_items(self, rows: Rows) -> list[Item]:
        if len(self.columns) > 1:
            return super().all_items(rows)
        return [
            (key[0], key[1], row, value[1] if type(value[1]) is str else _text(value))
            for value, key, row in zip(self.column(rows, 0), rows.keys, rows.row_ids(), strict=True)
            if value is not None and value[0] == STRING
        ]

    def remove(self, connection: apsw.Connection, items: Sequence[Item]) -> None:
        found = connection.executemany(self._find, [item[:2] for item in items]).fetchall()
        connection.executemany(self._remove, cast("Iterable[tuple[int]]", found))

    def add(self, connection: apsw.Connection, items: Sequence[Item]) -> None:
        try:
            numbered = self._numbered(connection, items)
        except apsw.ConstraintError:
            # Somebody has written by hand, so some of them are there already.
            self.remove(connection, items)
            numbered = self._numbered(connection, items)
        write_rows(connection, self._add, [(number, *item[3:]) for number, item in numbered])

    def _numbered(
        self, connection: apsw.Connection, items: Sequence[Item]
    ) -> list[tuple[int, Item]]:
        """The rows get numbers, by which their words are found."""
        first = cast("int | None", connection.execute(self._last).get) or 0
        numbered = list(enumerate(items, first + 1))
        write_rows(connection, self._add_row, [(number, *item[:3]) for number, item in numbered])
        return numbered

    def clear(self, connection: apsw.Connection) -> None:
        connection.execute(self._clear_rows)
        connection.execute(self._clear)


_FORMS: Final[dict[str, Callable[[Index, Plan, str], Form]]] = {
    "btree": _BTree,
    "hash": _Hash,
    "text": _Text,
}


def hash_of(values: Iterable[Classified]) -> int:
    """The hash of the fields of a row, which the same values always have: BLAKE2b, 64 bits.

    Of each field a byte, the length and the content are hashed. The byte is the class, or 7 for
    numbers that are no integers of 64 bits.
    """
    parts: list[bytes] = []
    for kind, value in values:
        if isinstance(value, float):
            if value.is_integer() and -(2.0**63) <= value < 2.0**63:
                value = int(value)
            else:
                kind = _FLOAT_HASHED
        content = value if isinstance(value, bytes) else _content(value)
        parts.append(_HASHED.pack(kind, len(content)))
        parts.append(content)
    digest = hashlib.blake2b(b"".join(parts), digest_size=HASH_BYTES).digest()
    return int.from_bytes(digest, "little", signed=True)


_FLOAT_HASHED = 7
_HASHED = struct.Struct("<BI")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")


def _content(value: Native) -> bytes:
    if isinstance(value, int):
        return _I64.pack(value)
    if isinstance(value, float):
        assert not math.isnan(value)
        return _F64.pack(value)
    return cast("bytes", value)


def _has_equals(values: Iterable[Classified]) -> bool:
    """Whether anything can be equal to it: not what is missing, and no NaN."""
    for kind, _ in values:  # noqa: SIM110  (twice as fast as `all`)
        if kind in _EQUAL_TO_NOTHING:
            return False
    return True


def _text(value: Value | None) -> str | None:
    if value is None or value[0] != STRING:
        return None
    native = value[1]
    return native if isinstance(native, str) else cast("bytes", native).decode("utf-8", "replace")


def _sorted(items: Sequence[Item]) -> Sequence[Item]:
    """In the order in which they will be stored, as far as Python can tell: that is faster."""
    if not items:
        return items
    try:
        return sorted(items, key=_SECOND if len(items[0]) > _HASH_COLUMNS else _FIRST)
    except TypeError:
        return items  # values of several classes


_FIRST, _SECOND = itemgetter(0), itemgetter(1)
_HASH_COLUMNS = 4
