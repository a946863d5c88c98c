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

OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs"}

# Numbers with leading zeros are mostly none: telephone numbers, postal codes.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf|nan", re.ASCII
)
_INTEGER_LENGTH_MAX: Final = 20
_BOOLEANS: Final = {"true": True, "false": False}

ColumnType: TypeAlias = Literal["", "boolean", "integer", "float", "string"]
"""What a column has; empty while nothing but empty fields were seen."""
OnWrong: TypeAlias = Callable[[InterchangeError], None]
_Keys: TypeAlias = tuple[Any, ...]


def read_csv(file: BinaryIO, name: str, reading: Reading, on_bytes: OnBytes) -> Iterator[Row]:
    """The rows. With `infer` the file is read twice, so it must be one that can be."""
    types: list[ColumnType] | None = None
    if reading.infer:
        start = file.tell()
        types = _infer(Records(Utf8Pieces(file, name)))
        file.seek(start)
    records = Records(Utf8Pieces(file, name, on_bytes))
    shape = Shape(records.columns, reading, name)
    for place, record in records:
        yield shape.row(place, record, types)


class Shape:
    """What becomes of the records of a file: which column goes where in a row."""

    def __init__(self, columns: list[str], reading: Reading, name: str) -> None:
        self._columns = columns
        self._paths = [
            _path(column, f"{name}:1", number) for number, column in enumerate(columns, 1)
        ]
        self._key_column = _key_column(columns, reading, name)
        for column in (*reading.text, *reading.skip):
            if column not in columns:
                raise InterchangeError(f"{name}:1: no column is called {column!r}")
        self._as_text = [column in reading.text for column in columns]
        self._skipped = [column in reading.skip for column in columns]

    @property
    def key_column(self) -> int | None:
        """The column with the keys; None: rows are numbered."""
        return self._key_column

    def values(self, record: list[str], types: list[ColumnType] | None) -> list[Any]:
        """What the fields are; None where they are empty."""
        return [
            _converted(text, None if types is None or self._as_text[column] else types[column])
            for column, text in enumerate(record)
        ]

    def row(self, place: str, record: list[str], types: list[ColumnType] | None) -> Row:
        """The row of a record.

        Raises:
            InterchangeError: it has no key, or its columns contradict each other.
        """
        values = self.values(record, types)
        key = None
        if self._key_column is not None:
            key = values[self._key_column]
            if key is None:
                column = self._columns[self._key_column]
                raise InterchangeError(f"{place}: column {column}, the key, is empty")
        kept = [
            None if skipped else value for value, skipped in zip(values, self._skipped, strict=True)
        ]
        return Row(key, _value(self._columns, self._paths, kept, place), place)


class Records:
    """The records below the header, each with its place; all have as many fields as the header.

    With `on_wrong` those that do not are told and passed over.
    """

    def __init__(self, pieces: Utf8Pieces, on_wrong: OnWrong | None = None) -> None:
        self._on_wrong = on_wrong
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
        self._check_separator(columns)
        for number, column in enumerate(columns, 1):
            if not column.strip():
                raise InterchangeError(f"{self._name}:1: column {number} has no name")
            if column in columns[: number - 1]:
                raise InterchangeError(f"{self._name}:1: two columns are called {column!r}")
        return columns

    def _check_separator(self, columns: list[str]) -> None:
        """Spreadsheets of half the world write semicolons: all of a row would be one field."""
        for separator, called in OTHER_SEPARATORS.items():
            if len(columns) == 1 and separator in columns[0]:
                raise InterchangeError(
                    f"{self._name}:1: the columns are separated by {called}, not by commas; save "
                    "the file with commas"
                )

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
                wrong = InterchangeError(
                    f"{self._name}:{line}: {len(record)} fields, where the first line names "
                    f"{len(self.columns)} columns"
                )
                if self._on_wrong is None:
                    raise wrong
                self._on_wrong(wrong)
                continue
            yield f"{self._name}:{line}", record

    def _error(self, error: csv.Error) -> InterchangeError:
        message = str(error)
        if message == "unexpected end of data":
            message = "the file ends inside of a quoted field"
        elif message.startswith("new-line character seen in unquoted field"):
            message = "lines end with CR alone; save the file with LF or CRLF"
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


def _infer(records: Records) -> list[ColumnType]:
    types: list[ColumnType] = [""] * len(records.columns)
    for _, record in records:
        note_types(types, record)
    return types


def note_types(types: list[ColumnType], record: list[str]) -> None:
    """Widens the types of columns to those of one more record."""
    for column, text in enumerate(record):
        if text and types[column] != "string":
            types[column] = _common(types[column], _type_of(text))


def _type_of(text: str) -> ColumnType:
    if text in _BOOLEANS:
        return "boolean"
    if (
        len(text) <= _INTEGER_LENGTH_MAX
        and _INTEGER.fullmatch(text)
        and INTEGER_MIN <= int(text) <= INTEGER_MAX
    ):
        return "integer"
    return "float" if _NUMBER.fullmatch(text) else "string"


def _common(known: ColumnType, found: ColumnType) -> ColumnType:
    if known in ("", found):
        return found
    return "float" if {known, found} == {"integer", "float"} else "string"


_CONVERSIONS: Final[dict[str, Callable[[str], Any]]] = {
    "boolean": _BOOLEANS.__getitem__,
    "integer": int,
    "float": float,
}


def _converted(text: str, kind: ColumnType | None) -> Any:
    """A field's value; None where it is empty: the row has no such field."""
    if not text:
        return None
    conversion = _CONVERSIONS.get(kind or "")
    return text if conversion is None else conversion(text)
