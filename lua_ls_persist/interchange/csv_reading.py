"""Rows of CSV: the first line names the columns, `address.city` and `tags[1]` among them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, Literal, TypeAlias

from lua_ls_persist.errors import InterchangeError, QueryError
from lua_ls_persist.interchange.model import KEY_COLUMN, VALUE_COLUMN, Reading, Row
from lua_ls_persist.interchange.texts import Lines, OnBytes, Utf8Pieces
from lua_ls_persist.query.fields import parse_field
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN

FIELD_CHARACTERS_MAX: Final = 1 << 28
"""One field may be so long."""

# Numbers with leading zeros are mostly none: telephone numbers, postal codes.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf|nan", re.ASCII
)
_INTEGER_LENGTH_MAX: Final = 20
_BOOLEANS: Final = {"true": True, "false": False}

_Type: TypeAlias = Literal["", "boolean", "integer", "float", "string"]
_Keys: TypeAlias = tuple[Any, ...]


def read_csv(file: BinaryIO, name: str, reading: Reading, on_bytes: OnBytes) -> Iterator[Row]:
    """The rows. With `infer` the file is read twice, so it must be one that can be."""
    types: list[_Type] | None = None
    if reading.infer:
        start = file.tell()
        types = _infer(_Records(Utf8Pieces(file, name)))
        file.seek(start)
    records = _Records(Utf8Pieces(file, name, on_bytes))
    columns = records.columns
    paths = [_path(column, f"{name}:1", number) for number, column in enumerate(columns, 1)]
    key_column = _key_column(columns, reading, name)
    for place, record in records:
        values = [
            _converted(text, None if types is None else types[column])
            for column, text in enumerate(record)
        ]
        key = None
        if key_column is not None:
            key = values[key_column]
            if key is None:
                raise InterchangeError(f"{place}: column {columns[key_column]}, the key, is empty")
        yield Row(key, _value(columns, paths, values, place), place)


class _Records:
    """The records below the header, each with its place; all have as many fields as the header."""

    def __init__(self, pieces: Utf8Pieces) -> None:
        self._name = pieces.name
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        self._reader = csv.reader(Lines(pieces), strict=True)
        self.columns = self._header()

    def _header(self) -> list[str]:
        try:
            columns = next(self._reader, None)
        except csv.Error as error:
            raise self._error(error) from None
        if not columns:
            raise InterchangeError(f"{self._name}:1: the first line must name the columns")
        for number, column in enumerate(columns, 1):
            if not column.strip():
                raise InterchangeError(f"{self._name}:1: column {number} has no name")
            if column in columns[: number - 1]:
                raise InterchangeError(f"{self._name}:1: two columns are called {column!r}")
        return columns

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        while True:
            line = self._reader.line_num + 1
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._error(error) from None
            if not record:
                continue  # an empty line
            if len(record) != len(self.columns):
                raise InterchangeError(
                    f"{self._name}:{line}: {len(record)} fields, where the first line names "
                    f"{len(self.columns)} columns"
                )
            yield f"{self._name}:{line}", record

    def _error(self, error: csv.Error) -> InterchangeError:
        message = str(error)
        if message == "unexpected end of data":
            message = "the file ends inside of a quoted field"
        return InterchangeError(f"{self._name}:{self._reader.line_num}: {message}")


def _path(column: str, place: str, number: int) -> _Keys:
    if column in (KEY_COLUMN, VALUE_COLUMN):
        return ()
    try:
        return parse_field(column).steps
    except QueryError:
        if column.startswith("@"):
            raise InterchangeError(
                f"{place}: column {number}: there is no {column}; there are @key and @value"
            ) from None
        return (column,)  # a name such as "First name"


def _key_column(columns: list[str], reading: Reading, name: str) -> int | None:
    if reading.key is not None:
        if reading.key not in columns:
            raise InterchangeError(f"{name}:1: no column is called {reading.key!r}")
        return columns.index(reading.key)
    return columns.index(KEY_COLUMN) if KEY_COLUMN in columns else None


def _value(columns: list[str], paths: list[_Keys], values: list[Any], place: str) -> Any:
    row: dict[Any, Any] = {}
    for column, path, value in zip(columns, paths, values, strict=True):
        if value is None or column == KEY_COLUMN:
            continue
        if column == VALUE_COLUMN:
            return value
        table = row
        for step in path[:-1]:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                raise InterchangeError(
                    f"{place}: column {column} is inside of another one that has a value"
                )
        if path[-1] in table:
            raise InterchangeError(f"{place}: column {column} is also a table of other columns")
        table[path[-1]] = value
    return row


def _infer(records: _Records) -> list[_Type]:
    types: list[_Type] = [""] * len(records.columns)
    for _, record in records:
        for column, text in enumerate(record):
            if text and types[column] != "string":
                types[column] = _common(types[column], _type_of(text))
    return types


def _type_of(text: str) -> _Type:
    if text in _BOOLEANS:
        return "boolean"
    if (
        len(text) <= _INTEGER_LENGTH_MAX
        and _INTEGER.fullmatch(text)
        and INTEGER_MIN <= int(text) <= INTEGER_MAX
    ):
        return "integer"
    return "float" if _NUMBER.fullmatch(text) else "string"


def _common(known: _Type, found: _Type) -> _Type:
    if known in ("", found):
        return found
    return "float" if {known, found} == {"integer", "float"} else "string"


_CONVERSIONS: Final[dict[str, Callable[[str], Any]]] = {
    "boolean": _BOOLEANS.__getitem__,
    "integer": int,
    "float": float,
}


def _converted(text: str, kind: _Type | None) -> Any:
    """A field's value; None where it is empty: the row has no such field."""
    if not text:
        return None
    conversion = _CONVERSIONS.get(kind or "")
    return text if conversion is None else conversion(text)
