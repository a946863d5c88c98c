"""Tables, entries and cells: what evaluations read and write, in pieces.

The canonical order of a table's entries is that of the primary key: by the key's kind, then by the
key. Strings that are text come before those that are bytes, each bytewise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, cast

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.failures import damaged
from lua_ls_persist.store.packing import PLAIN, ZSTD, as_bytes
from lua_ls_persist.store.rows import (
    NIL,
    STRING,
    Entry,
    Key,
    Native,
    Nested,
    Page,
    Pair,
    Value,
)
from lua_ls_persist.store.unpacking import LONG_STRING
from lua_ls_persist.store.watching import Changes, Watched
from lua_ls_persist.store.writing import write_rows

LONG_STRING_LENGTH: Final = 900
"""Strings longer than this are kept apart. A row of 1000 bytes no longer fits into its page."""

NESTED_TABLE_ENTRIES_MAX: Final = 64
"""Tables with more entries never come along with the page that refers to them."""

_SQL_SET = "REPLACE INTO entries (table_id, key_kind, key, kind, value)"
_SQL_DELETE = "DELETE FROM entries WHERE table_id = ? AND key_kind = ? AND key = ?"
_SQL_NEW_TABLE = "INSERT OR IGNORE INTO tables (id) VALUES (?)"
_SQL_METATABLE = "UPDATE tables SET metatable = ? WHERE id = ?"
_SQL_CELL = "REPLACE INTO cells (id, kind, value) VALUES (?, ?, ?)"
_SQL_CLEAR = "DELETE FROM entries WHERE table_id = ?"
_SQL_CLEAR_LONG = "DELETE FROM long_strings WHERE owner = ?"

_SQL_HAS_LONG = "SELECT 1 FROM long_strings LIMIT 1"
_SQL_OWNERS = """
    SELECT value FROM json_each(?)
    WHERE EXISTS (SELECT 1 FROM long_strings WHERE owner = json_each.value)
    """
_SQL_NEW_LONG = """
    INSERT INTO long_strings (owner, content, method, plain_bytes) VALUES (?, ?, ?, ?) RETURNING id
    """
_SQL_DROP_LONG = """
    DELETE FROM long_strings WHERE id = (
        SELECT value FROM entries
        WHERE table_id = ? AND key_kind = ? AND key = ? AND kind = 20)
    """

_SQL_PAGE = """
    SELECT key_kind, key, kind, value FROM full_entries
    WHERE table_id = ? ORDER BY key_kind, key LIMIT ?
    """
_SQL_PAGE_AFTER = """
    SELECT key_kind, key, kind, value FROM full_entries
    WHERE table_id = ? AND (key_kind, key) > (?, ?) ORDER BY key_kind, key LIMIT ?
    """
_SQL_NESTED = """
    SELECT table_id, key_kind, key, kind, value FROM full_entries
    WHERE table_id IN (SELECT value FROM json_each(?))
    ORDER BY table_id, key_kind, key LIMIT ?
    """
_SQL_GET = """
    SELECT kind, value FROM full_entries WHERE table_id = ? AND key_kind = ? AND key = ?
    """
_SQL_LENGTH = """
    SELECT max(key) FROM entries WHERE table_id = ? AND key_kind = 2 AND key >= 1
    """
_SQL_METATABLES = """
    SELECT id, metatable FROM tables
    WHERE id IN (SELECT value FROM json_each(?)) AND metatable IS NOT NULL
    """
_SQL_CELLS = """
    SELECT id, kind, value FROM full_cells WHERE id IN (SELECT value FROM json_each(?))
    """


class Entries(Watched):
    """Reads and writes entries, tables and cells."""

    long_bytes_written = 0
    """How long all strings were that were kept apart since the file was opened."""

    def apply(
        self,
        sets: Sequence[Entry] = (),
        deletes: Sequence[Key] = (),
        new_tables: Sequence[tuple[int]] = (),
        metatables: Sequence[tuple[int | None, int]] = (),
        cells: Sequence[tuple[int, int, Native]] = (),
    ) -> None:
        """Writes what an evaluation changed; an entry is in `sets` or in `deletes`, once.

        `new_tables` may be known already. `metatables` are (metatable's id or None, table's id),
        `cells` are (id, kind, native).

        Raises:
            StoreChangedError: somebody else committed since the transaction began.
            StoreError: the file cannot be written.
        """
        with (
            self._change(),
            self._watching(lambda: Changes(sets, deletes, new_tables, metatables, cells)),
        ):
            many = self._cursor.executemany
            self._note_writes(sets, new_tables, metatables, cells)
            if new_tables:
                many(_SQL_NEW_TABLE, new_tables)
            if self._cursor.execute(_SQL_HAS_LONG).get is not None:
                self._drop_long(sets, deletes, cells)
            if deletes:
                many(_SQL_DELETE, deletes)
            if sets:
                write_rows(self._cursor, _SQL_SET, self._without_long(sets))
            if metatables:
                many(_SQL_METATABLE, metatables)
            if cells:
                many(_SQL_CELL, map(self._stored_cell, cells))

    def clear_table(self, table_id: int) -> None:
        """Deletes all entries of a table."""
        with self._change(), self._watching(lambda: Changes(cleared=(table_id,))):
            self._cursor.execute(_SQL_CLEAR_LONG, (table_id,))
            self._cursor.execute(_SQL_CLEAR, (table_id,))

    def page(
        self, table_id: int, after: tuple[int, Native] | None, entries_max: int, bytes_max: int
    ) -> Page:
        """The entries that follow a key, or the first ones; at least one, if there is one.

        The key need not be there any more. `bytes_max` bounds the strings, roughly: the entry
        that exceeds it still comes.
        """
        assert entries_max > 0
        with self._reading:
            # A cursor of its own: it ends with this call, also when rows are left.
            cursor = (
                self._connection.execute(_SQL_PAGE, (table_id, entries_max + 1))
                if after is None
                else self._connection.execute(
                    _SQL_PAGE_AFTER, (table_id, after[0], after[1], entries_max + 1)
                )
            )
            rows: list[Pair] = []
            for row in cast("Iterable[Pair]", cursor):
                if len(rows) == entries_max or bytes_max <= 0:
                    return Page(rows, complete=False)
                rows.append(row)
                if row[2] == STRING:
                    bytes_max -= self._length(row[3])
                if row[0] == STRING:
                    bytes_max -= self._length(row[1])
        return Page(rows, complete=True)

    def nested(
        self, table_ids: Iterable[int], *, entries_max: int, bytes_max: int
    ) -> dict[int, Nested]:
        """Tables with few entries, whole; empty ones, too. The others are left out.

        `entries_max` and `bytes_max` bound the sum: when they are used up, tables with higher ids
        are left out.
        """
        found: dict[int, Nested] = {}
        waiting = sorted(set(table_ids))
        metatables = self.metatables(waiting)
        while waiting:
            groups, left_out, sizes = self._small(waiting, entries_max, bytes_max)
            for table_id in waiting:
                if table_id == left_out:
                    break
                rows = groups.get(table_id, [])
                found[table_id] = Nested(metatables.get(table_id, 0), rows, complete=True)
                entries_max -= len(rows)
                bytes_max -= sizes.get(table_id, 0)
            if left_out is None or len(groups[left_out]) < NESTED_TABLE_ENTRIES_MAX:
                break
            waiting = waiting[waiting.index(left_out) + 1 :]
        return found

    def _small(
        self, table_ids: Sequence[int], entries_max: int, bytes_max: int
    ) -> tuple[dict[int, list[Pair]], int | None, dict[int, int]]:
        """The entries of tables, up to the first table that is too large or too much, and this.

        And how long the strings of each are.
        """
        groups: dict[int, list[Pair]] = {}
        sizes: dict[int, int] = {}
        current = 0
        rows: list[Pair] = []
        with self._reading:
            cursor = self._connection.execute(
                _SQL_NESTED, (json.dumps(table_ids), max(entries_max, 0) + 1)
            )
            for table_id, key_kind, key, kind, value in cast("Iterable[Entry]", cursor):
                if table_id != current:
                    rows = groups[table_id] = []
                    sizes[table_id] = 0
                    current = table_id
                if len(rows) == NESTED_TABLE_ENTRIES_MAX or entries_max <= 0 or bytes_max <= 0:
                    return groups, table_id, sizes
                rows.append((key_kind, key, kind, value))
                entries_max -= 1
                size = len(key) if key_kind == STRING else 0  # type: ignore[arg-type]
                if kind == STRING:
                    size += self._length(value)
                sizes[table_id] += size
                bytes_max -= size
        return groups, None, sizes

    def metatables(self, table_ids: Iterable[int]) -> dict[int, int]:
        """The metatables' ids of those tables that have one."""
        with self._reading:
            rows = self._cursor.execute(_SQL_METATABLES, (json.dumps(list(table_ids)),))
            return dict(cast("Iterable[tuple[int, int]]", rows))

    def get(self, table_id: int, key_kind: int, key: Native) -> Value | None:
        """An entry's value, or None."""
        with self._reading:
            row = self._cursor.execute(_SQL_GET, (table_id, key_kind, key)).get
        if row is not None and row[1] is None:
            raise self._long_string_missing()
        return cast("Value | None", row)

    def length(self, table_id: int) -> int:
        """The greatest integer key from 1 on; 0 if there is none."""
        with self._reading:
            greatest = self._cursor.execute(_SQL_LENGTH, (table_id,)).get
        return cast("int | None", greatest) or 0

    def cells(self, cell_ids: Iterable[int]) -> dict[int, Value]:
        """The values of those cells that there are."""
        with self._reading:
            rows = self._cursor.execute(_SQL_CELLS, (json.dumps(list(cell_ids)),))
            cells = cast("list[tuple[int, int, Native]]", rows.fetchall())
        for _, kind, value in cells:
            if value is None and kind != NIL:
                raise self._long_string_missing()
        return {cell_id: (kind, value) for cell_id, kind, value in cells}

    # Long strings

    def _drop_long(
        self,
        sets: Sequence[Entry],
        deletes: Sequence[Key],
        cells: Sequence[tuple[int, int, Native]],
    ) -> None:
        """Deletes the long strings of what is about to be replaced or deleted.

        A trigger would cost every write half its time again. So entries are looked at only in
        tables that have a long string, and mostly there are none.
        """
        written = {row[0] for row in sets}
        written.update(row[0] for row in deletes)
        found = self._cursor.execute(_SQL_OWNERS, (json.dumps(list(written)),))
        owners = {row[0] for row in found}
        if owners:
            keys: list[Key] = [row[:3] for row in sets if row[0] in owners]
            keys.extend(row for row in deletes if row[0] in owners)
            self._cursor.executemany(_SQL_DROP_LONG, keys)
        if cells:
            self._cursor.executemany(_SQL_CLEAR_LONG, [(cell[0],) for cell in cells])

    def _without_long(self, sets: Sequence[Entry]) -> Sequence[Entry]:
        """The entries with references in the place of long strings, which are written now."""
        if not [1 for row in sets if row[3] == STRING and len(row[4]) > LONG_STRING_LENGTH]:  # type: ignore[arg-type]  # a string; the hottest line here
            return sets
        return [
            (row[0], row[1], row[2], LONG_STRING, self._long_string(row[0], row[4]))
            if _is_long(row[3], row[4])
            else row
            for row in sets
        ]

    def _stored_cell(self, cell: tuple[int, int, Native]) -> tuple[int, int, Native]:
        if _is_long(cell[1], cell[2]):
            return cell[0], LONG_STRING, self._long_string(cell[0], cell[2])
        return cell

    def _long_string(self, owner: int, content: Native) -> int:
        self.long_bytes_written += len(cast("str | bytes", content))
        plain = as_bytes(content)
        packed = self._string_packer(ZSTD).pack(plain)
        # Not the shared cursor: this one may be in the middle of an `executemany`.
        string_id = self._connection.execute(
            _SQL_NEW_LONG,
            (owner, content, PLAIN, None) if packed is None else (owner, packed, ZSTD, len(plain)),
        ).get
        assert isinstance(string_id, int)
        return string_id

    def _length(self, string: Native) -> int:
        """The length of a string, which may be missing only in a damaged file."""
        if string is None:
            raise self._long_string_missing()
        return len(cast("str | bytes", string))

    def _long_string_missing(self) -> StoreError:
        return StoreError(damaged(self._name, "a long string is missing"))


def _is_long(kind: int, value: Native) -> bool:
    return kind == STRING and len(cast("str | bytes", value)) > LONG_STRING_LENGTH
