"""Reading strings that are compressed: by a function of SQL, in views that everything reads from.

The file has views `full_entries` and `full_cells` that any SQLite tool can use; these say only that
a string is compressed. A session's connection has temporary views of the same names, which come
first. So no other part knows how strings are kept, except those that write, move or repair them.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.failures import damaged
from lua_ls_persist.store.packing import (
    DICTIONARY_MIN,
    ZSTD,
    DamagedStringError,
    StringPacker,
    as_bytes,
    method_of,
)
from lua_ls_persist.store.place_text import key_text
from lua_ls_persist.store.rows import Native, Text
from lua_ls_persist.store.transactions import Transactions

LONG_STRING: Final = 20
"""The kind of an entry or cell whose string is a row of `long_strings`. Not seen outside."""

PACKED_STRING: Final = 21
"""The kind of an entry whose string lies compressed in its row. Not seen outside."""

PLAIN_KIND: Final = "CASE WHEN kind < 20 THEN kind WHEN kind < 22 THEN 4 ELSE kind END"
"""The kind as everybody is told it."""

_LONG_CONTENT: Final = """
    (SELECT CASE method WHEN 0 THEN content ELSE unpacked_long(content, method, long_strings.id) END
        FROM long_strings WHERE long_strings.id = value)
    """
_SQL_DICTIONARY = "SELECT hash, content FROM dictionaries WHERE id = ?"
_SQL_PACKED = "SELECT table_id, key_kind, key, value FROM entries WHERE kind = 21"
_SQL_PACKED_LONG = (
    "SELECT id, owner, method, content, plain_bytes FROM long_strings WHERE method <> 0"
)
_SQL_REFERRER = """
    SELECT table_id, key_kind, key FROM entries
    WHERE table_id = (SELECT owner FROM long_strings WHERE id = ?1) AND kind = 20 AND value = ?1
    """


def plain_value(table: str) -> str:
    """An expression for the string, or what else is there; `table` is the column of the table."""
    return (
        f"CASE WHEN kind < 20 THEN value WHEN kind = 20 THEN {_LONG_CONTENT} "
        f"WHEN kind = 21 THEN unpacked_here(value, {table}, key_kind, key) ELSE value END"
    )


_SQL_VIEWS: Final = (
    f"""
    CREATE TEMP VIEW full_entries AS
        SELECT table_id, key_kind, key, {PLAIN_KIND} AS kind, {plain_value("table_id")} AS value
        FROM main.entries
    """,  # noqa: S608
    f"""
    CREATE TEMP VIEW full_cells AS
        SELECT id, {PLAIN_KIND} AS kind,
            CASE kind WHEN 20 THEN {_LONG_CONTENT} ELSE value END AS value
        FROM main.cells
    """,  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A compressed string that cannot be read, and why.

    It is number `long_id` of the long strings, and `owner`'s; or that is 0, and it lies in the row
    with this key of the table `owner`.
    """

    why: str
    owner: int
    long_id: int = 0
    key_kind: int = 0
    key: Native = None


class Unpacking(Transactions):
    """Reads compressed strings."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._string_packers: dict[int, StringPacker] = {}
        """By method. A number may mean another dictionary after a rollback, or when somebody has
        brought a backup back."""
        self._string_packers_version = 0
        """SQLite's data version that they are of."""

    def _on_open(self, connection: apsw.Connection) -> None:
        super()._on_open(connection)
        store = weakref.proxy(self)  # SQLite keeps the functions, we keep SQLite

        def unpacked_long(*arguments: Any) -> Text:
            return cast("Text", store._unpacked_long(*arguments))

        def unpacked_here(*arguments: Any) -> Text:
            return cast("Text", store._unpacked_here(*arguments))

        connection.create_scalar_function("unpacked_long", unpacked_long, 3, deterministic=True)
        connection.create_scalar_function("unpacked_here", unpacked_here, 4, deterministic=True)
        for statement in _SQL_VIEWS:
            connection.execute(statement)

    def _after_rollback(self) -> None:
        super()._after_rollback()
        self._string_packers.clear()

    def rollback_to(self) -> None:
        super().rollback_to()
        self._string_packers.clear()

    def unreadable_strings(self) -> Iterator[Unreadable]:
        """All compressed strings that cannot be read. Reads everything."""
        with self._reading:
            for row in self._connection.execute(_SQL_PACKED):
                table_id, key_kind, key, value = cast("tuple[int, int, Native, Native]", row)
                try:
                    self._unpack_in_row(value)
                except DamagedStringError as error:
                    yield Unreadable(str(error), table_id, 0, key_kind, key)
            for row in self._connection.execute(_SQL_PACKED_LONG):
                string_id, owner, method, content, size = cast(
                    "tuple[int, int, int, Native, int | None]", row
                )
                try:
                    plain = self._unpack_apart(content, method)
                    if len(as_bytes(plain)) != size:
                        raise DamagedStringError(f"it is not {size} bytes long")
                except DamagedStringError as error:
                    yield Unreadable(str(error), owner, string_id)

    def damaged_dictionaries(self) -> Iterator[int]:
        """Those whose content is not what strings were compressed with."""
        with self._reading:
            for row in self._connection.execute("SELECT id, hash, content FROM dictionaries"):
                number, expected, content = cast("tuple[int, bytes, bytes]", row)
                if hashlib.sha256(content).digest() != expected:
                    yield number

    def _unpacked_long(self, content: Native, method: int, string_id: int) -> Text:
        try:
            return self._unpack_apart(content, method)
        except DamagedStringError as error:
            row = self._connection.execute(_SQL_REFERRER, (string_id,)).get
            place = self._place_in_words(*row) if isinstance(row, tuple) else ""
            raise self._unreadable(place or f"number {string_id}", error) from error

    def _unpacked_here(self, value: Native, table_id: int, key_kind: int, key: Native) -> Text:
        try:
            return self._unpack_in_row(value)
        except DamagedStringError as error:
            place = self._place_in_words(table_id, key_kind, key)
            raise self._unreadable(place, error) from error

    def _unpack_apart(self, content: Native, method: int) -> Text:
        """A compressed string of `long_strings`.

        Raises:
            DamagedStringError: it cannot be read.
        """
        if not isinstance(content, bytes):
            raise DamagedStringError("it is no bytes")
        return self._string_packer(method).unpack(content)

    def _unpack_in_row(self, value: Native) -> Text:
        """A compressed string of `entries`.

        Raises:
            DamagedStringError: it cannot be read.
        """
        if not isinstance(value, bytes):
            raise DamagedStringError("it is no bytes")
        method, frame = method_of(value)
        return self._string_packer(method).unpack_short(frame)

    def _string_packer(self, method: int) -> StringPacker:
        """What compresses and reads with this method.

        Raises:
            DamagedStringError: its dictionary is not there.
        """
        version = self._version_snapshot if self._begun else self._fresh_data_version()
        if version != self._string_packers_version:
            self._string_packers.clear()
            self._string_packers_version = version
        packer = self._string_packers.get(method)
        if packer is None:
            packer = self._string_packers[method] = self._new_string_packer(method)
        return packer

    def _new_string_packer(self, method: int) -> StringPacker:
        if method == ZSTD:
            return StringPacker()
        row = None
        if method >= DICTIONARY_MIN:
            row = self._connection.execute(_SQL_DICTIONARY, (method,)).get
        if not isinstance(row, tuple):
            raise DamagedStringError(f"its dictionary {method} is missing")
        expected, content = row
        if not isinstance(content, bytes) or hashlib.sha256(content).digest() != expected:
            raise DamagedStringError(f"its dictionary {method} is damaged")
        return StringPacker(method, content)

    def _fresh_data_version(self) -> int:
        # Not the shared cursor: a statement may be under way on it, and this is a part of that.
        version = self._connection.execute("PRAGMA data_version").get
        assert isinstance(version, int)
        return version

    def _place_in_words(self, table_id: int, key_kind: int, key: Native) -> str:
        """Where an entry is; for a part that knows paths to say it better."""
        return f"table {table_id}" + key_text(key_kind, key)

    def _unreadable(self, place: str, error: DamagedStringError) -> StoreError:
        why = f"the compressed string {place} cannot be read, because {error}"
        return StoreError(damaged(self._name, why))
