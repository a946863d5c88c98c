"""Rows of JSON: an array of them, an object of them by key, or one a line. Streamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from lua_ls_persist.errors import InterchangeError
from lua_ls_persist.interchange.model import KEY_COLUMN, VALUE_COLUMN, Reading, Row
from lua_ls_persist.interchange.texts import Lines, Utf8Pieces
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN

VALUE_CHARACTERS_MAX: Final = 1 << 28
"""One row may be so long."""

_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_THE_END: Final = 16
"""An error so near to the end of what has been read may be one of what has not been read yet."""


class _NotTakenError(ValueError):
    """Python's json module would take it, but it is ambiguous or no JSON."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _NotTakenError(f"the name {name!r} occurs twice in one object")
            seen.add(name)
    return found


def _constant(name: str) -> Any:
    raise _NotTakenError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


class _Text:
    """What has been read of a text and not been used yet."""

    def __init__(self, pieces: Utf8Pieces, line: int = 1) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = line
        self._column = 1

    def place(self, at: int | None = None) -> str:
        """Where something stands: file, line and column."""
        used = self._text[: self._at if at is None else at]
        line = self._line + used.count("\n")
        start = used.rfind("\n") + 1
        column = len(used) - start + (1 if start else self._column)
        return f"{self._pieces.name}:{line}:{column}"

    def error(self, message: str, at: int | None = None) -> InterchangeError:
        return InterchangeError(f"{self.place(at)}: {message}")

    def _more(self) -> bool:
        """Read on; what has been used is forgotten."""
        if self._ended:
            return False
        used = self._text[: self._at]
        start = used.rfind("\n") + 1
        self._column = len(used) - start + (1 if start else self._column)
        self._line += used.count("\n")
        # As much again, so that a long value is not tried from its beginning too often.
        parts = [self._text[self._at :]]
        wanted = max(1, len(parts[0]))
        while wanted > 0:
            piece = self._pieces.read()
            if not piece:
                self._ended = True
                break
            wanted -= len(piece)
            parts.append(piece)
        self._text, self._at = "".join(parts), 0
        return True

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Past the character that `peek` gave."""
        self._at += 1

    def value(self) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                may_be_cut = error.pos + _NEAR_THE_END >= len(self._text) or error.msg.startswith(
                    "Unterminated string"
                )
                if may_be_cut and self._room_for_more():
                    continue
                raise self.error(_lower(error.msg), error.pos) from None
            except _NotTakenError as error:
                raise self.error(str(error)) from None
            except RecursionError:
                raise self.error("the value is nested too deeply") from None
            # A number may go on in what comes next; `1e+` is one that does.
            may_go_on = isinstance(value, (int, float)) and end + len("e+") >= len(self._text)
            if may_go_on and self._room_for_more():
                continue
            self._check(value)
            self._at = end
            return value

    def _room_for_more(self) -> bool:
        if len(self._text) - self._at > VALUE_CHARACTERS_MAX:
            raise self.error(f"a value is longer than {VALUE_CHARACTERS_MAX} characters")
        return self._more()

    def _check(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, int):
                if not INTEGER_MIN <= value <= INTEGER_MAX:
                    raise self.error(f"{value} does not fit into 64 bits")
            elif isinstance(value, str):
                self._check_text(value)
            elif isinstance(value, list):
                waiting += value
            elif isinstance(value, dict):
                waiting += value.values()
                for name in value:
                    self._check_text(name)

    def _check_text(self, text: str) -> None:
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise self.error("an escape stands for half a character") from None


def read_json(pieces: Utf8Pieces, reading: Reading) -> Iterator[Row]:
    """The rows of an array, or of an object by its names."""
    text = _Text(pieces)
    opening = text.peek()
    if opening not in ("[", "{"):
        raise text.error("expected an array or an object of rows")
    closing = "]" if opening == "[" else "}"
    text.skip()
    first = True
    while text.peek() != closing or not first:
        if not first:
            found = text.peek()
            if found == closing:
                break
            if found != ",":
                raise text.error(f"expected , or {closing}")
            text.skip()
            text.peek()
        first = False
        place = text.place()
        key: Any = None
        if opening == "{":
            if text.peek() != '"':
                raise text.error("expected the name of a row")
            key = text.value()
            if text.peek() != ":":
                raise text.error("expected :")
            text.skip()
        yield _row(text.value(), key, place, reading, by_name=opening == "{")
    text.skip()
    if text.peek():
        raise text.error("there is something after the rows")


def read_json_lines(pieces: Utf8Pieces, reading: Reading) -> Iterator[Row]:
    """A row on each line; empty lines are passed over."""
    for number, line in enumerate(Lines(pieces), 1):
        if line.strip():
            yield row_of_line(line, number, pieces.name, reading)


def row_of_line(line: str, number: int, name: str, reading: Reading) -> Row:
    """The row on a line of JSON Lines.

    Raises:
        InterchangeError: it is none.
    """
    text = _Text(_OneLine(line.rstrip("\r\n"), name), number)
    value = text.value()
    if text.peek():
        raise text.error("there is something after the row")
    return _row(value, None, f"{name}:{number}", reading, by_name=False)


class _OneLine(Utf8Pieces):
    """One line that has been read already."""

    def __init__(self, line: str, name: str) -> None:
        self.name = name
        self._waiting = line

    def read(self) -> str:
        line, self._waiting = self._waiting, ""
        return line


def _row(value: Any, key: Any, place: str, reading: Reading, *, by_name: bool) -> Row:
    if isinstance(value, dict) and not by_name:
        if reading.key is not None:
            key = value.get(reading.key)
            if key is None:
                raise InterchangeError(f"{place}: the row has no {reading.key}, which is its key")
        elif KEY_COLUMN in value:
            key = value.pop(KEY_COLUMN)
        if isinstance(key, (list, dict)):
            raise InterchangeError(f"{place}: an array or object cannot be a key")
    elif reading.key is not None and not by_name:
        raise InterchangeError(f"{place}: the row is no object, so it has no {reading.key}")
    if isinstance(value, dict):
        for name in reading.skip:
            value.pop(name, None)
    if isinstance(value, dict) and set(value) == {VALUE_COLUMN}:
        value = value[VALUE_COLUMN]
    if value is None:
        raise InterchangeError(f"{place}: null is no row")
    return Row(key, value, place)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].removesuffix(" starting at")
