"""Writing rows, whatever the format."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO, TypeAlias, final

from lua_ls_persist.interchange.model import KEY_COLUMN, VALUE_COLUMN, Format
from lua_ls_persist.query.fields import field_text

LEFT_OUT_MAX: Final = 100
"""So many places of what was left out are told."""

Rows: TypeAlias = Callable[[], Iterator[tuple[Any, Any]]]
"""The rows as (key, value), from the first one, as often as it is called."""
_Keys: TypeAlias = tuple[Any, ...]

_LEFT_OUT: Final = object()


@final
class Opaque:
    """A value that no file of rows can hold: a function, for instance. `text` tells what it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


@final
class RowWriter:
    """Writes the rows of one table into one file.

    What the format has no form for is left out and told in `left_out`: functions; strings that are
    no UTF-8; in JSON the numbers that are none, and infinities; in CSV empty tables and strings.
    """

    def __init__(self, file: TextIO, kind: Format, table: str) -> None:
        self._file = file
        self._format = kind
        self._table = table
        self.rows = 0
        """How many were written."""
        self.left_out_count = 0
        self.left_out: list[str] = []
        """The places of what was left out and what it is, up to `LEFT_OUT_MAX`."""

    def write(self, rows: Rows) -> None:
        """Write all rows; they are gone through twice.

        Raises:
            OSError: the file cannot be written.
        """
        if self._format == "csv":
            self._write_csv(rows)
        elif self._format == "json":
            self._write_json(rows)
        else:
            self._write_json_lines(rows)

    # -- JSON

    def _write_json(self, rows: Rows) -> None:
        by_name, numbered = _kinds_of_keys(rows)
        write = self._file.write
        write("{" if by_name else "[")
        for key, value in rows():
            plain = self._json_row(key, value)
            if plain is _LEFT_OUT:
                continue
            write(",\n" if self.rows else "\n")
            if by_name:
                write(f"{json.dumps(key, ensure_ascii=False)}: ")
            elif not numbered:
                plain = _with_key(key, plain)
            write(_dumped(plain))
            self.rows += 1
        write("\n}\n" if by_name else "\n]\n")

    def _write_json_lines(self, rows: Rows) -> None:
        _, numbered = _kinds_of_keys(rows)
        for key, value in rows():
            plain = self._json_row(key, value)
            if plain is _LEFT_OUT:
                continue
            self._file.write(_dumped(plain if numbered else _with_key(key, plain)) + "\n")
            self.rows += 1

    def _json_row(self, key: Any, value: Any) -> Any:
        """The value of a row, or `_LEFT_OUT`, also because of its key."""
        if isinstance(key, (bytes, Opaque)) or (isinstance(key, float) and not math.isfinite(key)):
            return self._leave_out((key,), "its key")
        return self._plain(value, (key,))

    def _plain(self, value: Any, path: _Keys) -> Any:
        """A value as the json module writes it, or `_LEFT_OUT`."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else self._leave_out(path, str(value))
        if isinstance(value, Mapping):
            return self._object(value, path)
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            items = [self._plain(item, (*path, place)) for place, item in enumerate(value, 1)]
            return [None if item is _LEFT_OUT else item for item in items]
        return self._leave_out(path, _described(value))

    def _object(self, value: Mapping[Any, Any], path: _Keys) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in value.items():
            inner = (*path, key)
            if isinstance(key, (bytes, Opaque)):
                self._leave_out(inner, "its key")
            elif not isinstance(key, str) and _text_of(key) in value:
                self._leave_out(inner, f"there is the key {_text_of(key)!r}, too")
            else:
                plain = self._plain(item, inner)
                if plain is not _LEFT_OUT:
                    found[_text_of(key)] = plain
        return found

    def _leave_out(self, path: _Keys, what: str) -> Any:
        self.left_out_count += 1
        if len(self.left_out) < LEFT_OUT_MAX:
            steps = [step if isinstance(step, (str, int, float)) else "?" for step in path]
            separator = "" if field_text(tuple(steps)).startswith("[") else "."
            self.left_out.append(f"{self._table}{separator}{field_text(tuple(steps))}: {what}")
        return _LEFT_OUT

    # -- CSV

    def _write_csv(self, rows: Rows) -> None:
        columns: dict[str, None] = {}
        numbered = True
        told = self.left_out_count, list(self.left_out)
        for place, (key, value) in enumerate(rows(), 1):
            numbered = numbered and type(key) is int and key == place
            columns.update(dict.fromkeys(self._cells(key, value)))
        if not numbered:
            columns = {KEY_COLUMN: None, **columns}
        self.left_out_count, self.left_out = told  # the second time tells it again
        writer = csv.writer(self._file, lineterminator="\n")
        writer.writerow(columns)
        for key, value in rows():
            cells = self._cells(key, value)
            if not numbered:
                if isinstance(key, (bytes, Opaque)):
                    self._leave_out((key,), "its key")
                    continue
                cells[KEY_COLUMN] = _text_of(key)
            writer.writerow([cells.get(column, "") for column in columns])
            self.rows += 1

    def _cells(self, key: Any, value: Any) -> dict[str, str]:
        cells: dict[str, str] = {}
        if isinstance(value, (Mapping, Sequence)) and not isinstance(value, (str, bytes)):
            self._fill(cells, value, (key,), ())
        else:
            self._cell(cells, VALUE_COLUMN, value, (key,))
        return cells

    def _fill(self, cells: dict[str, str], value: Any, path: _Keys, steps: _Keys) -> None:
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value, 1)
        empty = True
        for key, item in pairs:
            empty = False
            inner = (*path, key)
            if isinstance(key, (bytes, Opaque)):
                self._leave_out(inner, "its key")
            elif isinstance(item, (Mapping, Sequence)) and not isinstance(item, (str, bytes)):
                self._fill(cells, item, inner, (*steps, key))
            else:
                self._cell(cells, field_text((*steps, key)), item, inner)
        if empty and steps:
            self._leave_out(path, "an empty table")

    def _cell(self, cells: dict[str, str], column: str, value: Any, path: _Keys) -> None:
        if isinstance(value, (bytes, Opaque)):
            self._leave_out(path, _described(value))
        elif value == "":
            self._leave_out(path, "an empty string")
        else:
            cells[column] = value if isinstance(value, str) else _text_of(value)


def _kinds_of_keys(rows: Rows) -> tuple[bool, bool]:
    """Whether all keys are strings of text, and whether they are 1, 2, 3 and so on."""
    by_name = numbered = True
    count = 0
    for count, (key, _) in enumerate(rows(), 1):
        by_name = by_name and isinstance(key, str)
        numbered = numbered and type(key) is int and key == count
        if not by_name and not numbered:
            break
    return by_name and count > 0, numbered


def _with_key(key: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {KEY_COLUMN: key, **value}
    return {KEY_COLUMN: key, VALUE_COLUMN: value}


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _described(value: Any) -> str:
    if isinstance(value, Opaque):
        return value.text
    return "a string that is no UTF-8"
