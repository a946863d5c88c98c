"""The texts that are open in the editor, and how they change.

Owns `Document` (an immutable snapshot), `Edit` and `Documents`. Must not know LSP types or
sessions.

pygls has documents too, but it splits lines wherever `str.splitlines` does (form feeds, U+2028 and
others), which LSP does not: from there on every position would be wrong. Snapshots are immutable,
so that the session's thread may read an open buffer while the editor types into it.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from lua_ls_persist.server import uris
from lua_ls_persist.server.common_ends import common_prefix
from lua_ls_persist.server.positions import Encoding, Position, Range

EDITS_REMEMBERED_MAX = 10_000
"""Edits kept a document, to follow positions through what was typed during a long evaluation."""

CARRIED = ("tree", "scopes")
"""What derived things are kept for the next state; they must not hold on to their document."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


class ClientRange(NamedTuple):
    """A range as the client counts it: rows, and columns in units of the negotiated encoding."""

    start_row: int
    start_units: int
    end_row: int
    end_units: int


class Change(NamedTuple):
    """One change of a document: new text for a range, or for the whole document."""

    range: ClientRange | None
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that was made, in the coordinates from before (`old`) and after it (`new_end`)."""

    old: Range
    new_end: Position
    text: str


def split_lines(text: str) -> list[str]:
    """The lines of `text` as LSP counts them, each with its line end; the last one has none."""
    if "\r" not in text:
        parts = text.split("\n")
        last = parts.pop()
        lines = [part + "\n" for part in parts]
        lines.append(last)
        return lines
    lines = _LINE.findall(text)
    if not lines or lines[-1].endswith(("\r", "\n")):
        lines.append("")
    return lines


def well_formed(text: str) -> str:
    """`text` without lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


class Document:
    """One state of one text. Never changes; an edit gives another `Document`."""

    def __init__(
        self, uri: str, lines: Sequence[str], *, version: int | None = None, revision: int = 0
    ) -> None:
        self.uri = uri
        self.version = version
        self.revision = revision
        """Counts the edits since the document was opened; finer than the client's `version`."""
        self.derived: dict[str, object] = {}
        """What others made of the text, so that they need not make it again."""
        self.basis: dict[str, object] = {}
        """The newest of what they made of earlier states, for what can be brought up to date."""
        self._lines = lines

    @classmethod
    def of_text(cls, uri: str, text: str, *, version: int | None = None) -> Document:
        """A document with `text` as its content."""
        return cls(uri, split_lines(well_formed(text)), version=version)

    def bare(self) -> Document:
        """The same text without what others made of it.

        What is made of a document and goes on reading its text holds this: with the document
        itself it would be a circle, which is only found by looking through all objects.
        """
        return Document(self.uri, self._lines, version=self.version, revision=self.revision)

    @cached_property
    def path(self) -> Path | None:
        """Where the document lies on disk, if its URI says so."""
        return uris.path_of(self.uri)

    @property
    def content(self) -> str:
        """The whole text with the line ends that the editor has."""
        return "".join(self._lines)

    @cached_property
    def source(self) -> str:
        r"""The whole text with `\n` as every line end: so Lua counts lines as the editor does."""
        text = self.content
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    @property
    def row_count(self) -> int:
        """How many rows there are; at least one."""
        return len(self._lines)

    def row(self, row: int) -> str:
        """The text of a row without its line end; empty beyond the last row."""
        return self._lines[row].rstrip("\r\n") if 0 <= row < len(self._lines) else ""

    @property
    def rows(self) -> Iterator[str]:
        """All rows without their line ends."""
        return (line.rstrip("\r\n") for line in self._lines)

    def rows_with(self, text: str) -> Iterator[int]:
        """The numbers of the rows in which a text stands."""
        return (row for row, line in enumerate(self._lines) if text in line)

    @property
    def end(self) -> Position:
        """The place behind the last character."""
        return Position(self.row_count - 1, len(self.row(self.row_count - 1)))

    @property
    def range(self) -> Range:
        """All of it."""
        return Range(Position(0, 0), self.end)

    def clamp(self, position: Position) -> Position:
        """The nearest place that exists."""
        if position.row < 0:
            return Position(0, 0)
        if position.row >= self.row_count:
            return self.end
        return Position(position.row, max(0, min(position.column, len(self.row(position.row)))))

    def text(self, range_: Range) -> str:
        r"""The text of a range, with `\n` as line ends."""
        start, end = self.clamp(range_.start), self.clamp(range_.end)
        if start.row == end.row:
            return self.row(start.row)[start.column : end.column]
        rows = [self.row(row) for row in range(start.row, end.row + 1)]
        rows[0] = rows[0][start.column :]
        rows[-1] = rows[-1][: end.column]
        return "\n".join(rows)

    def position(self, encoding: Encoding, row: int, units: int) -> Position:
        """The place that a client calls `row` and `units`."""
        if row >= self.row_count:
            return self.end
        return Position(max(row, 0), encoding.index(self.row(row), units))

    def client_position(self, encoding: Encoding, position: Position) -> tuple[int, int]:
        """What a client calls `position`: row and code units."""
        row, column = position
        if 0 <= row < len(self._lines) and column >= 0:
            if column == 0:
                return row, 0
            text = self.row(row)
            if text.isascii():  # Long answers ask thousands of times.
                return row, min(column, len(text))
        row, column = self.clamp(position)
        return row, encoding.units(self.row(row)[:column])


class Documents:
    """The open documents by URI. Changed from the server's loop only, read from any thread."""

    def __init__(self, encoding: Encoding = Encoding.UTF16) -> None:
        self.encoding = encoding
        self._by_uri: dict[str, Document] = {}
        self._by_path: dict[str, str] = {}
        self._edits: dict[str, deque[Edit]] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(tuple(self._by_uri.values()))

    def get(self, uri: str) -> Document | None:
        """The open document of that URI, however the URI is escaped."""
        return self._by_uri.get(uris.key_of(uri))

    def at_path(self, path: str | os.PathLike[str]) -> Document | None:
        """The open document of the file `path`."""
        key = self._by_path.get(uris.path_key(path))
        return None if key is None else self._by_uri.get(key)

    def open_text(self, path: Path) -> str | None:
        """What the editor holds for the file `path`, or None when it is not open there."""
        document = self.at_path(path)
        return None if document is None else document.source

    def open(self, uri: str, text: str, version: int | None = None) -> Document:
        """Takes over a document that the editor opened."""
        document = Document.of_text(uri, text, version=version)
        key = uris.key_of(uri)
        self._by_uri[key] = document
        self._edits[key] = deque(maxlen=EDITS_REMEMBERED_MAX)
        if document.path is not None:
            self._by_path[uris.path_key(document.path)] = key
        return document

    def close(self, uri: str) -> None:
        """Forgets a document that the editor closed."""
        key = uris.key_of(uri)
        document = self._by_uri.pop(key, None)
        self._edits.pop(key, None)
        if document is not None and document.path is not None:
            self._by_path.pop(uris.path_key(document.path), None)

    def change(
        self, uri: str, version: int | None, changes: Iterable[Change]
    ) -> tuple[Document, list[Edit]]:
        """Applies changes in order, each in the coordinates that the one before it left.

        Raises:
            KeyError: the document is not open.
        """
        key = uris.key_of(uri)
        document = self._by_uri[key]
        lines = list(document._lines)
        edits = [self._apply(lines, change) for change in changes]
        revision = document.revision + len(edits)
        changed = Document(document.uri, lines, version=version, revision=revision)
        carried = {**document.basis, **document.derived}
        changed.basis = {name: carried[name] for name in CARRIED if name in carried}
        self._by_uri[key] = changed
        self._edits[key].extend(edits)
        return changed, edits

    def edits_since(self, uri: str, revision: int) -> list[Edit] | None:
        """What was changed after `revision`; None if that is not known any more."""
        key = uris.key_of(uri)
        document = self._by_uri.get(key)
        if document is None or revision > document.revision:
            return None
        missing = document.revision - revision
        edits = self._edits[key]
        if missing > len(edits):
            return None
        return list(edits)[len(edits) - missing :]

    def _apply(self, lines: list[str], change: Change) -> Edit:
        text = well_formed(change.text)
        if change.range is None:
            return _replace_all(lines, text)
        state = Document("", lines)
        wanted = change.range
        start = state.position(self.encoding, wanted.start_row, wanted.start_units)
        end = state.position(self.encoding, wanted.end_row, wanted.end_units)
        return _replace(lines, Range(start, max(start, end)), text)


def _replace(lines: list[str], old: Range, text: str) -> Edit:
    """Puts `text` in the place of the range `old`, in `lines` itself."""
    first, last = old.start.row, old.end.row
    merged = lines[first][: old.start.column] + text + lines[last][old.end.column :]
    if first > 0 and merged.startswith("\n") and lines[first - 1].endswith("\r"):
        first -= 1  # The two halves of one line end meet: they count as one from now on.
        merged = lines[first] + merged
    lines[first : last + 1] = split_lines(merged) if last + 1 == len(lines) else _inner(merged)
    inserted = split_lines(text)
    rows = len(inserted) - 1
    column = len(inserted[-1]) if rows else old.start.column + len(inserted[-1])
    return Edit(old, Position(old.start.row + rows, column), text)


def _inner(text: str) -> list[str]:
    """The lines of a text that ends with a line end and has more lines behind it."""
    lines = split_lines(text)
    lines.pop()
    return lines


def _replace_all(lines: list[str], text: str) -> Edit:
    """Makes `text` the whole content, and finds the part that differs, so that results stay put."""
    new = split_lines(text)
    old_count, new_count = len(lines), len(new)
    shortest = min(old_count, new_count)
    head = 0
    while head < shortest and lines[head] == new[head]:
        head += 1
    if head == old_count == new_count:
        end = Document("", lines).end
        return Edit(Range(end, end), end, "")
    head = min(head, shortest - 1)
    tail = 0
    while tail < shortest - 1 - head and lines[-1 - tail] == new[-1 - tail]:
        tail += 1
    old_rows, new_rows = lines[head : old_count - tail], new[head : new_count - tail]
    new_text = "".join(new_rows)
    prefix = common_prefix(old_rows[0].rstrip("\r\n"), new_rows[0].rstrip("\r\n"))
    old_end = _end_of(old_rows, head)
    new_end = _end_of(new_rows, head)
    lines[:] = new
    return Edit(Range(Position(head, prefix), old_end), new_end, new_text[prefix:])


def _end_of(rows: list[str], first_row: int) -> Position:
    """The place behind rows that start at `first_row`, and behind their last line end."""
    last = rows[-1]
    if last.endswith(("\r", "\n")):
        return Position(first_row + len(rows), 0)
    return Position(first_row + len(rows) - 1, len(last))
