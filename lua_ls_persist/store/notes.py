"""The notes of the history: how something was, in rows that undo can put back.

Each thing is noted once for an evaluation, whatever is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, cast

import apsw

from lua_ls_persist.store.rows import Key, Native
from lua_ls_persist.store.transactions import Transactions
from lua_ls_persist.store.watching import IndexKey

ENTRY: Final = 0
METATABLE: Final = 1
CELL: Final = 2
ROOT: Final = 3
VERSION: Final = 4
SCHEMA: Final = 5
INDEX: Final = 6
SWAPPED_OWNER: Final = -(2**62)
"""Of long strings that are noted under a negative number, which is that of no evaluation."""
_IS_INDEX: Final = (
    "path = json_extract(?2, '$[0]') AND fields = json_extract(?2, '$[1]')"
    " AND kind = json_extract(?2, '$[2]')"
)
_INDEX_OPTIONS: Final = (
    "json_object('unique', json(iif(is_unique, 'true', 'false')),"
    " 'each', json(iif(each, 'true', 'false')))"
)
# Keys that JSON has, many at once: three times as fast as one by one.
_SQL_NOTE_KEYS = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 0, ?2, ?3, named.value, coalesce(entry.kind, 0), entry.value
    FROM json_each(?4) AS named LEFT JOIN entries AS entry
        ON entry.table_id = ?2 AND entry.key_kind = ?3 AND entry.key = named.value
    """
# Of a table without entries, which need not be looked for.
_SQL_NOTE_ABSENT = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 0, ?2, ?3, named.value, 0, NULL FROM json_each(?4) AS named
    """
_SQL_HAS_ENTRIES = "SELECT EXISTS (SELECT 1 FROM entries WHERE table_id = ?)"
_SQL_NOTE_TABLES = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 0, named.value, ?2, ?3, coalesce(entry.kind, 0), entry.value
    FROM json_each(?4) AS named LEFT JOIN entries AS entry
        ON entry.table_id = named.value AND entry.key_kind = ?2 AND entry.key = ?3
    """
_SQL_NOTE_KEY = """
    INSERT OR IGNORE INTO history_changes
    VALUES (?1, 0, ?2, ?3, ?4,
        coalesce((SELECT kind FROM entries WHERE table_id = ?2 AND key_kind = ?3 AND key = ?4), 0),
        (SELECT value FROM entries WHERE table_id = ?2 AND key_kind = ?3 AND key = ?4))
    """
_SQL_NOTE_ALL = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 0, table_id, key_kind, key, kind, value FROM entries WHERE table_id = ?2
    """
_SQL_NOTE_METATABLE = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 1, id, 0, '', iif(metatable IS NULL, 0, 7), metatable
    FROM tables WHERE id = ?2
    """
_SQL_NOTE_CELL = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 2, id, 0, '', iif(value IS NULL, 0, kind), value FROM cells WHERE id = ?2
    """
_SQL_NOTE_ROOT = """
    INSERT OR IGNORE INTO history_changes
    VALUES (?1, 3, 0, 4, ?2,
        iif(EXISTS (SELECT 1 FROM roots WHERE name = ?2), 7, 0),
        (SELECT table_id FROM roots WHERE name = ?2))
    """
_SQL_NOTE_VERSION = """
    INSERT OR IGNORE INTO history_changes
    VALUES (?1, 4, ?3, 4, ?2,
        iif(EXISTS (SELECT 1 FROM table_versions WHERE path = ?2 AND version = ?3), 4, 0),
        (SELECT migrated_utc FROM table_versions WHERE path = ?2 AND version = ?3))
    """
# Definitions are noted by what they are about, and as a text that an export has, too.
_SQL_NOTE_SCHEMA = """
    INSERT OR IGNORE INTO history_changes
    VALUES (?1, 5, 0, 4, ?2,
        iif(EXISTS (SELECT 1 FROM schemas WHERE path = ?2), 4, 0),
        (SELECT definition FROM schemas WHERE path = ?2))
    """
_SQL_NOTE_INDEX = f"""
    INSERT OR IGNORE INTO history_changes
    VALUES (?1, 6, 0, 4, ?2,
        iif(EXISTS (SELECT 1 FROM indexes WHERE {_IS_INDEX}), 4, 0),
        (SELECT {_INDEX_OPTIONS} FROM indexes WHERE {_IS_INDEX}))
    """  # noqa: S608
SQL_SCHEMA: Final = "SELECT definition FROM schemas WHERE path = ?2"
SQL_INDEX: Final = f"SELECT {_INDEX_OPTIONS} FROM indexes WHERE {_IS_INDEX}"  # noqa: S608
"""How a definition would be noted at present; its key is the second value."""
_SQL_HAS_LONG = "SELECT 1 FROM long_strings LIMIT 1"
_SQL_LONG = """
    SELECT target, history_changes.id, key_kind, key, value FROM history_changes
    JOIN long_strings ON long_strings.id = value
    WHERE evaluation = ? AND kind = 20 AND owner > 0
    """
_SQL_COPY_LONG = """
    INSERT INTO long_strings (owner, content, method, plain_bytes)
    SELECT ?, content, method, plain_bytes FROM long_strings WHERE id = ? RETURNING id
    """
_SQL_HOLD_LONG = """
    UPDATE history_changes SET value = ?
    WHERE evaluation = ? AND target = ? AND id = ? AND key_kind = ? AND key = ?
    """
_JSON_KEYS: Final = frozenset({1, 2, 5, 7})
"""Kinds of keys that are integers in the store, exactly those that JSON has."""
_TEXT_KEYS: Final = frozenset({4, 6})
_MANY: Final = 8


def index_key_text(key: IndexKey) -> str:
    """What an index is told apart by, as a note has it."""
    return json.dumps(key)


def index_key_of(text: str) -> IndexKey:
    """The other way round."""
    path, fields, kind = json.loads(text)
    return path, fields, kind


class Notes:
    """Writes notes of how things are."""

    def __init__(self, store: Transactions) -> None:
        self._store = store

    def note_entries(self, number: int, keys: Sequence[Key], empty: set[int] | None = None) -> None:
        """Notes entries as they are, or that they are not, unless they were noted before.

        Of the tables in `empty` all that there was has been noted; those that have no entries
        before they get many are added to it.
        """
        if len(keys) < _MANY:
            self._execute_many(_SQL_NOTE_KEY, [(number, *key) for key in keys])
            return
        by_table: dict[tuple[int, int], list[object]] = {}
        by_key: dict[tuple[int, Native], list[object]] = {}
        others: list[Key] = []
        for key in keys:
            kind, native = key[1], key[2]
            if kind in _JSON_KEYS or (kind in _TEXT_KEYS and isinstance(native, str)):
                by_table.setdefault((key[0], kind), []).append(native)
            else:
                others.append(key)
        for (table_id, kind), natives in by_table.items():
            if len(natives) >= _MANY:
                statement = _SQL_NOTE_KEYS
                if empty is not None and (table_id in empty or not self._has_entries(table_id)):
                    empty.add(table_id)
                    statement = _SQL_NOTE_ABSENT
                self._execute(statement, (number, table_id, kind, json.dumps(natives)))
                continue
            for native in cast("list[Native]", natives):  # mostly a field of many records
                by_key.setdefault((kind, native), []).append(table_id)
        for (kind, native), tables in by_key.items():
            if len(tables) >= _MANY:
                self._execute(_SQL_NOTE_TABLES, (number, kind, native, json.dumps(tables)))
            else:
                others += [(cast("int", table_id), kind, native) for table_id in tables]
        if others:
            self._execute_many(_SQL_NOTE_KEY, [(number, *key) for key in others])

    def _has_entries(self, table_id: int) -> bool:
        return bool(self._execute(_SQL_HAS_ENTRIES, (table_id,)).get)

    def note_others(
        self, number: int, tables: Iterable[int], cells: Iterable[int], roots: Iterable[str]
    ) -> None:
        """Notes the metatables of tables, the values of cells, and what roots are."""
        for statement, ids in (
            (_SQL_NOTE_METATABLE, tables),
            (_SQL_NOTE_CELL, cells),
            (_SQL_NOTE_ROOT, roots),
        ):
            rows = [(number, identity) for identity in ids]
            if rows:
                self._execute_many(statement, rows)

    def note_versions(self, number: int, versions: Sequence[tuple[str, int]]) -> None:
        """Notes whether tables are migrated to these versions."""
        if versions:
            self._execute_many(_SQL_NOTE_VERSION, [(number, *version) for version in versions])

    def note_definitions(
        self, number: int, schemas: Iterable[str], indexes: Iterable[IndexKey]
    ) -> None:
        """Notes the definitions of schemas and indexes, or that there are none."""
        for statement, keys in (
            (_SQL_NOTE_SCHEMA, schemas),
            (_SQL_NOTE_INDEX, map(index_key_text, indexes)),
        ):
            for key in keys:
                self._execute(statement, (number, key))

    def hold_long_strings(self, number: int) -> None:
        """The long strings that are noted get copies that belong to the history."""
        if self._execute(_SQL_HAS_LONG).get is None:
            return
        for *where, long_id in self._execute(_SQL_LONG, (number,)).fetchall():
            owner = -number if number > 0 else SWAPPED_OWNER
            copy = self._execute(_SQL_COPY_LONG, (owner, long_id)).get
            self._execute(_SQL_HOLD_LONG, (copy, number, *where))

    def note_all(self, number: int, table_id: int) -> int:
        """Notes all entries of a table; how many were not noted before."""
        self._execute(_SQL_NOTE_ALL, (number, table_id))
        return self._store._connection.changes()

    # For statements that are not those of an evaluation

    def _execute(self, statement: str, values: Sequence[object] = ()) -> apsw.Cursor:
        return self._store._cursor.execute(statement, tuple(values))

    def _execute_many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._store._cursor.executemany(statement, rows)
