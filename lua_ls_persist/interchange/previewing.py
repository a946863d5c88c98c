"""What a file of rows would bring, before anything is stored: columns, first rows, problems.

Unlike reading, it goes on behind a problem where the format allows that, and ends after a while:
who stores the rows reads all of them.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Any, BinaryIO, Final

from lua_ls_persist.errors import InterchangeError
from lua_ls_persist.interchange.csv_reading import ColumnType, Records, Shape, note_types
from lua_ls_persist.interchange.json_reading import read_json, row_of_line
from lua_ls_persist.interchange.model import VALUE_COLUMN, Reading, Row
from lua_ls_persist.interchange.texts import Lines, Utf8Pieces

BYTES_MAX: Final = 8 * 1024 * 1024
"""So much of a file is looked at."""
PROBLEMS_MAX: Final = 50
"""So many problems are told; they are all counted."""
COLUMNS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class PreviewedColumn:
    """A column or member of the rows."""

    name: str
    types: dict[str, int]
    """How many values there are of which type, as they would be stored."""
    inferred: ColumnType
    """Of CSV, the type that all values have in common; of JSON, nothing."""
    missing: int


@dataclass(frozen=True, slots=True)
class PreviewedRow:
    """One of the first rows: a value for each column, None where it has none."""

    line: int | None
    key: Any
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What would make an import fail."""

    message: str
    line: int | None
    column: int | None


@dataclass(frozen=True, slots=True)
class FilePreview:
    """What was found. `is_complete`: all of the file was looked at."""

    columns: tuple[PreviewedColumn, ...]
    rows: tuple[PreviewedRow, ...]
    rows_checked: int
    is_complete: bool
    problems: tuple[FileProblem, ...]
    problem_count: int


def preview_rows(
    file: BinaryIO,
    name: str,
    reading: Reading,
    *,
    limit: int,
    replace: bool = False,
    time_limit_s: float = math.inf,
) -> FilePreview:
    """Looks at a file: its first `limit` rows are shown, as many as `BYTES_MAX` has are checked.

    With `replace`, rows may have the same key. It ends earlier when it has taken too long.
    """
    found = _Found(name, limit, replace, time.monotonic() + time_limit_s)
    pieces = Utf8Pieces(file, name, found.note_bytes)
    # What is left out is shown as well, so that it can be taken in again.
    whole = replaced(reading, skip=())
    try:
        if reading.format == "csv":
            return _csv(pieces, reading, found)
        if reading.format == "json":
            for row in read_json(pieces, whole):
                found.take(row)
                found.look_at_clock()
                if found.is_cut:
                    break
        else:
            _json_lines(pieces, whole, found)
    except InterchangeError as error:
        found.end(error)
    return found.preview()


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    name: str
    limit: int
    replace: bool
    end_s: float
    checked: int = 0
    bytes_read: int = 0
    rows: list[Row] = field(default_factory=list)
    types: dict[str, Counter[str]] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)
    problem_count: int = 0
    keys: dict[Any, str] = field(default_factory=dict)
    is_broken: bool = False
    is_cut: bool = False

    def note_bytes(self, count: int) -> None:
        self.bytes_read = count

    def look_at_clock(self) -> None:
        """After each row: whether that is enough."""
        self.is_cut = self.bytes_read > BYTES_MAX or time.monotonic() > self.end_s

    def wrong(self, error: InterchangeError) -> None:
        """Notes a problem with its place, which its message begins with."""
        self.problem_count += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(_problem(str(error), self.name))

    def end(self, error: InterchangeError) -> None:
        """Notes a problem behind which nothing can be read."""
        self.is_broken = True
        self.wrong(error)

    def check_key(self, key: Any, place: str) -> None:
        """Rows with the same key would take each other's place."""
        if key is None or self.replace:
            return
        # To Python, true is 1.
        before = self.keys.setdefault((isinstance(key, bool), key), place)
        if before != place:
            line = _problem(before, self.name).line
            message = f"{place}: the key {key!r} is that of line {line} already"
            self.wrong(InterchangeError(message))

    def take(self, row: Row) -> None:
        """One more row of JSON."""
        self.checked += 1
        self.check_key(row.key, row.place)
        for name, value in _members(row.value).items():
            if name not in self.types and len(self.types) >= COLUMNS_MAX:
                continue
            self.types.setdefault(name, Counter())[_type(value)] += 1
        if len(self.rows) < self.limit:
            self.rows.append(row)

    def preview(self) -> FilePreview:
        """All of it, of JSON."""
        columns = [
            PreviewedColumn(name, dict(types.most_common()), "", self.checked - types.total())
            for name, types in self.types.items()
        ]
        rows = []
        for row in self.rows:
            members = _members(row.value)
            values = tuple(members.get(column.name) for column in columns)
            rows.append(PreviewedRow(_problem(row.place, self.name).line, row.key, values))
        return self.told(columns, rows)

    def told(self, columns: list[PreviewedColumn], rows: list[PreviewedRow]) -> FilePreview:
        """The preview with these columns and rows."""
        return FilePreview(
            tuple(columns),
            tuple(rows),
            self.checked,
            not self.is_cut and not self.is_broken,
            tuple(self.problems),
            self.problem_count,
        )


def _csv(pieces: Utf8Pieces, reading: Reading, found: _Found) -> FilePreview:
    records = Records(pieces, found.wrong)
    shape = Shape(records.columns, reading, pieces.name)
    types: list[ColumnType] = [""] * len(records.columns)
    missing = [0] * len(records.columns)
    first: list[tuple[str, list[str]]] = []
    try:
        for place, record in records:
            found.checked += 1
            note_types(types, record)
            for column, text in enumerate(record):
                missing[column] += not text
            try:
                found.check_key(shape.row(place, record, None).key, place)
            except InterchangeError as error:
                found.wrong(error)
            if len(first) < found.limit:
                first.append((place, record))
            found.look_at_clock()
            if found.is_cut:
                break
    except InterchangeError as error:
        found.end(error)
    known = types if reading.infer else None
    columns = []
    for number, name in enumerate(records.columns):
        is_text = known is None or name in reading.text
        count = found.checked - missing[number]
        stored = "string" if is_text else types[number]
        columns.append(
            PreviewedColumn(name, {stored: count} if count else {}, types[number], missing[number])
        )
    rows = []
    for place, record in first:
        values = shape.values(record, known)
        key = None if shape.key_column is None else values[shape.key_column]
        rows.append(PreviewedRow(_problem(place, pieces.name).line, key, tuple(values)))
    return found.told(columns, rows)


def _json_lines(pieces: Utf8Pieces, reading: Reading, found: _Found) -> None:
    for number, line in enumerate(Lines(pieces), 1):
        if not line.strip():
            continue
        try:
            found.take(row_of_line(line, number, pieces.name, reading))
        except InterchangeError as error:
            found.wrong(error)
        found.look_at_clock()
        if found.is_cut:
            break


def _members(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {name: member for name, member in value.items() if member is not None}
    return {VALUE_COLUMN: value}


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "float", str: "string"}
    return names.get(type(value), "table")


def _problem(message: str, name: str) -> FileProblem:
    """A message `file:7:12: ...`, or a place alone, taken apart."""
    found = re.match(rf"{re.escape(name)}:(\d+)(?::(\d+))?(?:: |$)", message)
    if found is None:
        return FileProblem(message, None, None)
    column = None if found[2] is None else int(found[2])
    return FileProblem(message[found.end() :], int(found[1]), column)
