"""Reads the rows of a damaged SQLite file from its pages, without SQLite.

Follows the file format (https://www.sqlite.org/fileformat2.html). Trees are walked from their
roots; what is damaged is noted and passed over. Pages that no tree reaches any more, because a page
above them is damaged, are read as well: whose rows they hold is for the caller to tell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Final, TypeAlias

Column: TypeAlias = int | float | str | bytes | None

HEADER_BYTES: Final = 100
MAGIC: Final = b"SQLite format 3\0"
PAGE_BYTES_DEFAULT: Final = 4096

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13

_PAGE_SIZES = {512 << shift for shift in range(8)}


class DamagedError(Exception):
    """A page, or a part of it, is not what it should be."""


class DamagedText(bytes):
    """What a text has that is not UTF-8 any more, or never was."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it lies in a page; `rowid` is None in indexes and tables WITHOUT ROWID."""

    rowid: int | None
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, the pages below it, and what was damaged in it."""

    kind: int
    records: list[Record]
    children: list[int]
    damages: list[str]


class DatabaseFile:
    """The pages of a database file, whose write-ahead log was dealt with before."""

    def __init__(self, content: bytes | mmap) -> None:
        self._content = content
        self.header_is_sound = content[:16] == MAGIC
        self.format_version = int.from_bytes(content[60:64], "big") if self.header_is_sound else 0
        """`user_version`."""
        size = int.from_bytes(content[16:18], "big")
        size = 65536 if size == 1 else size
        self._page_bytes = size if size in _PAGE_SIZES else PAGE_BYTES_DEFAULT
        reserved = content[20] if self.header_is_sound else 0
        self._usable = self._page_bytes - reserved
        self.page_count = -(-len(content) // self._page_bytes)
        self.seen: set[int] = set()
        """The pages that were part of a tree, or free."""

    def walk(self, root: int) -> Iterator[tuple[int, Page | str]]:
        """The pages of a tree with their numbers; for a damaged one, what is wrong with it."""
        waiting = [root]
        while waiting:
            number = waiting.pop()
            if number in self.seen:
                yield number, "it is part of two trees"
                continue
            self.seen.add(number)
            try:
                page = self.page(number)
            except DamagedError as error:
                yield number, str(error)
                continue
            waiting.extend(reversed(page.children))
            yield number, page

    def skip_free(self) -> None:
        """Notes the free pages as seen: what they hold was deleted."""
        trunk = int.from_bytes(self._content[32:36], "big") if self.header_is_sound else 0
        while trunk and trunk not in self.seen and trunk <= self.page_count:
            self.seen.add(trunk)
            content = self._page_content(trunk)
            count = min(int.from_bytes(content[4:8], "big"), len(content) // 4 - 2)
            self.seen.update(
                int.from_bytes(content[at : at + 4], "big") for at in range(8, 8 + 4 * count, 4)
            )
            trunk = int.from_bytes(content[:4], "big")

    def rest(self) -> Iterator[tuple[int, Page]]:
        """The pages that are part of nothing and look as if they held rows."""
        for number in range(1, self.page_count + 1):
            if number not in self.seen:
                try:
                    page = self.page(number)
                except DamagedError:
                    continue
                yield number, page

    def page(self, number: int) -> Page:
        """What is in a page of a tree.

        Raises:
            DamagedError: it is none.
        """
        content = self._page_content(number)
        start = HEADER_BYTES if number == 1 else 0
        kind = content[start]
        if kind not in (INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF):
            raise DamagedError("it is no page of a table")
        interior = kind in (INDEX_INTERIOR, TABLE_INTERIOR)
        count = int.from_bytes(content[start + 3 : start + 5], "big")
        pointers = start + (12 if interior else 8)
        if pointers + 2 * count > len(content):
            raise DamagedError("it claims to have more rows than fit")
        page = Page(kind, [], [], [])
        for at in range(pointers, pointers + 2 * count, 2):
            cell = int.from_bytes(content[at : at + 2], "big")
            try:
                if cell < pointers + 2 * count:
                    raise DamagedError("a row begins where none can")
                self._read_cell(page, content, cell)
            except (DamagedError, IndexError, struct.error) as error:
                page.damages.append(str(error) or "a row is cut off")
        if interior:
            page.children.append(int.from_bytes(content[start + 8 : start + 12], "big"))
        return page

    def _page_content(self, number: int) -> bytes:
        if not 1 <= number <= self.page_count:
            raise DamagedError("it is beyond the end of the file")
        content = self._content[(number - 1) * self._page_bytes : number * self._page_bytes]
        if len(content) < self._page_bytes:
            raise DamagedError("it is cut off by the end of the file")
        return content[: self._usable]

    def _read_cell(self, page: Page, content: bytes, at: int) -> None:
        if page.kind in (INDEX_INTERIOR, TABLE_INTERIOR):
            page.children.append(int.from_bytes(content[at : at + 4], "big"))
            at += 4
            if page.kind == TABLE_INTERIOR:
                return
        size, at = _varint(content, at)
        rowid = None
        if page.kind == TABLE_LEAF:
            rowid, at = _varint(content, at)
            rowid = rowid - 2**64 if rowid >= 2**63 else rowid
        payload = self._payload(content, at, size, is_table=page.kind == TABLE_LEAF)
        page.records.append(Record(rowid, _columns(payload)))

    def _payload(self, content: bytes, at: int, size: int, *, is_table: bool) -> bytes:
        """A row's bytes, with those on overflow pages."""
        if size > len(self._content):
            raise DamagedError("a row claims to be larger than the file")
        usable = self._usable
        local_max = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if size <= local_max:
            return _slice(content, at, size)
        local_min = (usable - 12) * 32 // 255 - 23
        local = local_min + (size - local_min) % (usable - 4)
        local = local if local <= local_max else local_min
        parts = [_slice(content, at, local)]
        missing = size - local
        following = int.from_bytes(_slice(content, at + local, 4), "big")
        passed: set[int] = set()
        while missing > 0:
            if following in passed or following in self.seen:
                raise DamagedError("a long row goes on in a page of something else")
            passed.add(following)
            overflow = self._page_content(following)
            parts.append(overflow[4 : 4 + missing])
            missing -= len(parts[-1])
            following = int.from_bytes(overflow[:4], "big")
        self.seen |= passed
        return b"".join(parts)


def _columns(payload: bytes) -> tuple[Column, ...]:
    """The values of a record."""
    header_bytes, at = _varint(payload, 0)
    body = header_bytes
    columns: list[Column] = []
    while at < header_bytes:
        code, at = _varint(payload, at)
        value, body = _column(payload, body, code)
        columns.append(value)
    if body != len(payload):
        raise DamagedError("a row is longer or shorter than it says")
    return tuple(columns)


_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def _column(payload: bytes, at: int, code: int) -> tuple[Column, int]:
    if code == 0:
        return None, at
    if code in _INTEGER_BYTES:
        size = _INTEGER_BYTES[code]
        return int.from_bytes(_slice(payload, at, size), "big", signed=True), at + size
    if code == 7:
        return struct.unpack(">d", _slice(payload, at, 8))[0], at + 8
    if code in (8, 9):
        return code - 8, at
    if code < 12:
        raise DamagedError("a value is of an unknown type")
    size = (code - 12) // 2
    content = _slice(payload, at, size)
    if code % 2 == 0:
        return content, at + size
    try:
        return content.decode(), at + size
    except UnicodeDecodeError:
        # One bit is enough for that, and nearly all of the text may be as it was.
        return DamagedText(content), at + size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """An integer of variable length, and where it ends."""
    value = 0
    for position in range(at, at + 8):
        byte = content[position]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + 1
    return value << 8 | content[at + 8], at + 9


def _slice(content: bytes, at: int, size: int) -> bytes:
    found = content[at : at + size]
    if len(found) != size:
        raise DamagedError("a row is cut off")
    return found
