"""Compressing a table by an explicit action: with a dictionary made of its own strings.

Alone a short string cannot be compressed; together with many like it it can. So the strings of a
table, and of the tables inside of it, are looked through twice: some of them, evenly taken, train a
dictionary; then each is written anew. All of it is one transaction and changes no data: neither the
history nor an image notices, nor another session. What is written afterwards is plain again until
this is done once more, so writing stays as fast as it is.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final, TypeAlias, cast

from lua_ls_persist.model import TableCompression
from lua_ls_persist.store.entries import LONG_STRING_LENGTH
from lua_ls_persist.store.packing import (
    DICTIONARY_MIN,
    PLAIN,
    ZSTD,
    DamagedStringError,
    StringPacker,
    as_bytes,
    method_of,
    trained,
)
from lua_ls_persist.store.points import Points
from lua_ls_persist.store.rows import STRING, Key, Native, Text
from lua_ls_persist.store.unpacking import LONG_STRING, PACKED_STRING

SHORT_BYTES_MIN: Final = 32
"""Shorter strings stay as they are: what they take is mostly their row."""

SAMPLE_BYTES_MAX: Final = 2 * 1024 * 1024
"""So much is a dictionary made of, at most; of a long string its beginning."""
SAMPLE_STRING_BYTES_MAX: Final = 4 * 1024
TRIED_MAX: Final = 1_000
"""With so many strings it is tried which dictionary is the best."""

_HALF: Final = 0.5

DICTIONARY_BYTES_MAX: Final = 32 * 1024
DICTIONARY_PART: Final = 32
"""A dictionary has at most one part in so many of the sample."""

ROWS_AT_ONCE: Final = 2_000
BYTES_AT_ONCE: Final = 4 * 1024 * 1024

Progress: TypeAlias = Callable[[int, int], None]
"""How many strings of how many; 0 where nobody knows yet how many there are."""

_SQL_TEMPORARY = (
    "CREATE TEMP TABLE IF NOT EXISTS compressing (id INTEGER PRIMARY KEY, root INTEGER NOT NULL)",
    "DELETE FROM temp.compressing",
)
# A table with a name of its own is compressed as such.
_SQL_INSIDE = """
    WITH RECURSIVE inside (id) AS (
        VALUES (?1)
        UNION
        SELECT value FROM inside CROSS JOIN entries ON table_id = id
        WHERE kind = 7 AND value NOT IN (SELECT table_id FROM roots)
    )
    INSERT OR IGNORE INTO temp.compressing SELECT id, ?1 FROM inside
    """
_SQL_STRINGS = f"""
    SELECT table_id, key_kind, key, kind, value, method, content FROM entries
    LEFT JOIN long_strings ON kind = {LONG_STRING} AND long_strings.id = value
    WHERE (table_id, key_kind, key) > (?1, ?2, ?3) AND table_id <= ?4
        AND (kind >= {LONG_STRING} OR (kind = {STRING} AND length(value) >= ?6))
        AND +table_id IN (SELECT id FROM temp.compressing WHERE root = ?5)
    ORDER BY table_id, key_kind, key
    """  # noqa: S608
_SQL_BOUNDS = "SELECT min(id), max(id) FROM temp.compressing WHERE root = ?"
_SQL_SET = """
    UPDATE entries SET kind = ?, value = ? WHERE table_id = ? AND key_kind = ? AND key = ?
    """
_SQL_SET_LONG = """
    UPDATE long_strings SET content = ?, method = ?, plain_bytes = ? WHERE id = ?
    """
_SQL_DROP_LONG = "DELETE FROM long_strings WHERE id = ?"
_SQL_PLAIN_LONG = """
    SELECT id, content FROM long_strings WHERE method = 0 AND id > ? ORDER BY id LIMIT 100
    """
_SQL_LAST = "SELECT dictionary FROM compressions WHERE table_id = ?"
_SQL_NEW_DICTIONARY = "INSERT INTO dictionaries VALUES (?, ?, ?, ?)"
_SQL_NEXT_DICTIONARY = "SELECT 1 + coalesce(max(id), ?) FROM dictionaries"
_SQL_DICTIONARY_BYTES = "SELECT coalesce(sum(length(content)), 0) FROM dictionaries WHERE id = ?"
_SQL_RECORD = "REPLACE INTO compressions VALUES (?, ?, ?, ?, ?, ?, ?)"
_SQL_RECORDED = """
    SELECT strings, compressed, plain_bytes, stored_bytes
        + (SELECT coalesce(sum(length(content)), 0) FROM dictionaries WHERE id = dictionary)
    FROM compressions WHERE table_id = ?
    """

_Row: TypeAlias = tuple[int, int, Native, int, Native, int | None, Native]
"""(table, key's kind, key, kind, value, method of a long string, its content)"""


@dataclass(slots=True)
class _Sample:
    """Some of the strings, and how many there are.

    Taken by chance, for every second one might always be the same field; but with the same seed.
    """

    strings: list[bytes] = field(default_factory=list)
    count: int = 0
    plain_bytes: int = 0
    _bytes: int = 0
    _part: float = 1.0
    _rng: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311

    def add(self, plain: bytes) -> None:
        if self._rng.random() < self._part:
            self.strings.append(plain[:SAMPLE_STRING_BYTES_MAX])
            self._bytes += len(self.strings[-1])
            if self._bytes > SAMPLE_BYTES_MAX:
                self.strings = [kept for kept in self.strings if self._rng.random() < _HALF]
                self._bytes = sum(map(len, self.strings))
                self._part *= _HALF
        self.count += 1
        self.plain_bytes += len(plain)

    def estimate(self, packer: StringPacker) -> float:
        """How much all strings would take, roughly."""
        tried = self.strings[:: 1 + len(self.strings) // TRIED_MAX]
        plain = sum(map(len, tried))
        packed = sum(len(packer.pack_short(string) or string) for string in tried)
        return self.plain_bytes * packed / plain if plain else 0.0


@dataclass(slots=True)
class _Written:
    """What is to be written of some strings, and what came of them."""

    entries: list[tuple[int, Native, int, int, Native]] = field(default_factory=list)
    long: list[tuple[Native, int, int | None, Native]] = field(default_factory=list)
    dropped: list[tuple[Native]] = field(default_factory=list)


class Compression(Points):
    """Compresses tables."""

    def compress(
        self, table_id: int | None = None, *, on_progress: Progress | None = None
    ) -> list[tuple[int, TableCompression]]:
        """Compresses a table, or all named ones: in the transaction that is open, or in its own.

        The ids of the tables, and what came of each. `on_progress` hears how far it is with the
        strings of a table; what it raises ends the work, and nothing is left of it.

        Raises:
            StoreError: a compressed string cannot be read, or the file cannot be written.
        """
        if not self.in_transaction:
            with self.transaction():
                return self.compress(table_id, on_progress=on_progress)
        tables = [root.table_id for root in self.roots()] if table_id is None else [table_id]
        with self._written():
            for statement in _SQL_TEMPORARY:
                self._cursor.execute(statement)
            found = [(root, self._compress(root, on_progress)) for root in tables]
            if table_id is None:
                self._compress_others(on_progress)
            self._cursor.execute(_SQL_TEMPORARY[1])
        return found

    def compression(self, table_id: int) -> TableCompression | None:
        """What came of compressing a table when that was last done; None if it never was."""
        with self._reading:
            row = self._cursor.execute(_SQL_RECORDED, (table_id,)).get
        return None if row is None else TableCompression(*cast("tuple[int, int, int, int]", row))

    def _compress(self, table_id: int, on_progress: Progress | None) -> TableCompression:
        self._cursor.execute(_SQL_INSIDE, (table_id,))
        sample = _Sample()
        for piece in self._pieces(table_id):
            for row in piece:
                sample.add(self._plain(row))
            _report(on_progress, sample.count, 0)
        packer = self._best_packer(table_id, sample)
        done = compressed = stored_bytes = 0
        for piece in self._pieces(table_id):
            written = _Written()
            for row in piece:
                size, is_compressed = self._rewrite(row, packer, written)
                stored_bytes += size
                compressed += is_compressed
            self._cursor.executemany(_SQL_SET, written.entries)
            self._cursor.executemany(_SQL_SET_LONG, written.long)
            self._cursor.executemany(_SQL_DROP_LONG, written.dropped)
            done += len(piece)
            _report(on_progress, done, sample.count)
        self._cursor.execute(
            _SQL_RECORD,
            (
                table_id,
                _now(),
                packer.method,
                sample.count,
                compressed,
                sample.plain_bytes,
                stored_bytes,
            ),
        )
        found = self.compression(table_id)
        assert found is not None
        return found

    def _pieces(self, table_id: int) -> Iterator[list[_Row]]:
        """The strings of a table and of those inside of it, some at a time."""
        bounds = self._cursor.execute(_SQL_BOUNDS, (table_id,)).get
        first, last = cast("tuple[int | None, int | None]", bounds)
        if first is None:
            return  # all of it is inside of a table that was before
        after: Key = (first, -1, 0)
        while True:
            piece: list[_Row] = []
            size = 0
            values = (*after, last, table_id, SHORT_BYTES_MIN)
            # A cursor of its own, which ends before anything is written.
            for row in self._connection.execute(_SQL_STRINGS, values):
                piece.append(cast("_Row", row))
                size += len(as_bytes(row[6] if row[3] == LONG_STRING else row[4]))
                if len(piece) == ROWS_AT_ONCE or size >= BYTES_AT_ONCE:
                    break
            if not piece:
                return
            after = piece[-1][:3]
            yield piece

    def _plain(self, row: _Row) -> bytes:
        """The string of a row as it is without compression."""
        _, _, _, kind, value, method, content = row
        try:
            if kind == PACKED_STRING:
                return as_bytes(self._unpack_in_row(value))
            if kind == LONG_STRING:
                return as_bytes(self._unpack_apart(content, method) if method else content)
        except DamagedStringError as error:
            raise self._unreadable(self._place_in_words(*row[:3]), error) from error
        return as_bytes(value)

    def _best_packer(self, table_id: int, sample: _Sample) -> StringPacker:
        """With a new dictionary, with the one of the last time, or with none."""
        best = self._string_packer(ZSTD)
        least = sample.estimate(best)
        last = self._cursor.execute(_SQL_LAST, (table_id,)).get
        if isinstance(last, int) and last >= DICTIONARY_MIN:
            packer = self._string_packer(last)
            estimate = sample.estimate(packer)
            if estimate < least:
                best, least = packer, estimate
        size = sum(map(len, sample.strings)) // DICTIONARY_PART
        dictionary = trained(sample.strings, min(size, DICTIONARY_BYTES_MAX))
        if dictionary is not None:
            number = self._cursor.execute(_SQL_NEXT_DICTIONARY, (DICTIONARY_MIN - 1,)).get
            assert isinstance(number, int)
            packer = StringPacker(number, dictionary)
            if sample.estimate(packer) + len(dictionary) < least:
                digest = hashlib.sha256(dictionary).digest()
                self._cursor.execute(_SQL_NEW_DICTIONARY, (number, _now(), digest, dictionary))
                return packer
        return best

    def _rewrite(self, row: _Row, packer: StringPacker, written: _Written) -> tuple[int, bool]:
        """How much the string of a row will take, and whether it will be compressed."""
        table_id, key_kind, key, kind, value, method, content = row
        if kind == PACKED_STRING and method_of(as_bytes(value))[0] == packer.method:
            return len(as_bytes(value)), True
        plain = self._plain(row)
        short = packer.pack_short(plain)
        if short is not None and len(short) <= LONG_STRING_LENGTH:
            written.entries.append((PACKED_STRING, short, table_id, key_kind, key))
            if kind == LONG_STRING:
                written.dropped.append((value,))
            return len(short), True
        if kind == LONG_STRING:
            packed = packer.pack(plain) if method != packer.method else None
            stored = len(as_bytes(content))
            if packed is not None and len(packed) < stored:
                written.long.append((packed, packer.method, len(plain), value))
                return len(packed), True
            return stored, method != PLAIN
        if kind == PACKED_STRING:  # with a dictionary that was good for it
            return len(as_bytes(value)), True
        return len(plain), False

    def _compress_others(self, on_progress: Progress | None) -> None:
        """Long strings that belong to no named table: of upvalues, and of the history."""
        packer, after, done = self._string_packer(ZSTD), 0, 0
        while rows := self._cursor.execute(_SQL_PLAIN_LONG, (after,)).fetchall():
            for string_id, content in cast("list[tuple[int, Text]]", rows):
                plain = as_bytes(content)
                packed = packer.pack(plain)
                if packed is not None:
                    self._cursor.execute(_SQL_SET_LONG, (packed, ZSTD, len(plain), string_id))
                after = string_id
            done += len(rows)
            _report(on_progress, done, 0)


def _report(on_progress: Progress | None, done: int, total: int) -> None:
    if on_progress is not None:
        on_progress(done, total)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
