"""What an evaluation is about to change is noted before it does: the history's undo data.

Only what was there before the evaluation is noted, each thing once, as it was at its beginning.
Tables, functions and cells that the evaluation itself makes need no notes: undoing it unlinks them.
So writing many new records costs one note for each record, whatever they are made of.

The notes are rows, so that inner transactions take them back with everything else, and collection
finds what they refer to. Where they cannot be written because the history itself is broken, it
begins anew; no evaluation fails for that.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, TypeAlias, cast, final

import apsw

from lua_ls_persist.store.migrations import HISTORY
from lua_ls_persist.store.rows import Key, Native, Text, as_native
from lua_ls_persist.store.watching import Changes

if TYPE_CHECKING:
    from lua_ls_persist.store.collect import Collect

logger = logging.getLogger(__name__)

SOURCE_BYTES_MAX: Final = 16 * 1024
"""So much of an evaluation's source is kept with it."""

CHANGE_BYTES: Final = 40
"""What a note takes in the file, beside its key and its value; roughly; also in SQL."""

TRIM_PARTS: Final = 16
"""The history is trimmed when it may have grown by one part in so many of its limits."""

SWAPPED_OWNER: Final = -(2**62)
"""Of long strings that are noted under a negative number, which is that of no evaluation."""

ENTRY: Final = 0
METATABLE: Final = 1
CELL: Final = 2
ROOT: Final = 3
VERSION: Final = 4

Description: TypeAlias = tuple[str, bytes]
"""The name of what runs, and its source."""

_SQL_STATE = """
    SELECT (SELECT value FROM counters WHERE name = 'commits'),
        (SELECT value FROM counters WHERE name = 'followed')
    """
_SQL_FOLLOWED = "UPDATE counters SET value = value + 1 WHERE name = 'followed'"
_SQL_KNOWN_TABLES = "SELECT id FROM tables WHERE id IN (SELECT value FROM json_each(?))"
_SQL_KNOWN_CELLS = "SELECT id FROM cells WHERE id IN (SELECT value FROM json_each(?))"
_SQL_NEWEST_TABLE = "SELECT max(id) FROM tables"

# Keys that JSON has, many at once: three times as fast as one by one.
_SQL_NOTE_KEYS = """
    INSERT OR IGNORE INTO history_changes
    SELECT ?1, 0, ?2, ?3, named.value, coalesce(entry.kind, 0), entry.value
    FROM json_each(?4) AS named LEFT JOIN entries AS entry
        ON entry.table_id = ?2 AND entry.key_kind = ?3 AND entry.key = named.value
    """
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
_SQL_BYTES = """
    SELECT coalesce(sum(40 + length(key) + coalesce(length(value), 0)), 0) + (
        SELECT coalesce(sum(length(content)), 0) FROM long_strings WHERE owner = -?1)
    FROM history_changes WHERE evaluation = ?1
    """
_SQL_RECORD = """
    INSERT INTO history (
        id, session, made_utc, name, source, source_bytes, entries_set, entries_deleted,
        tables_made, functions_made, upvalues_set, created, bytes, unknown, is_whole, is_undone
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
    """
_SQL_UNDONE = """
    SELECT json_group_array(id) FROM history WHERE is_undone AND (session = ? OR id <= ?)
    """
_SQL_TOO_MANY = "SELECT id FROM history ORDER BY id DESC LIMIT 1 OFFSET ?"
_SQL_TOO_MUCH = """
    SELECT max(id) FROM (SELECT id, sum(bytes) OVER (ORDER BY id DESC) AS bytes FROM history)
    WHERE bytes > ? AND id < (SELECT max(id) FROM history)
    """
_SQL_UP_TO = "SELECT json_group_array(id) FROM history WHERE id <= ?"
_SQL_FORGET = (
    "DELETE FROM long_strings WHERE owner IN (SELECT -value FROM json_each(?))",
    "DELETE FROM history_changes WHERE evaluation IN (SELECT value FROM json_each(?))",
    "DELETE FROM history WHERE id IN (SELECT value FROM json_each(?))",
)
_SQL_BEGIN_ANEW = (
    "DROP TABLE IF EXISTS history_changes",
    "DROP TABLE IF EXISTS history",
    "DELETE FROM long_strings WHERE owner < 0",
    "INSERT OR IGNORE INTO counters (name, value) VALUES ('followed', 0)",
    *(statement for statement in HISTORY if statement.lstrip().startswith("CREATE")),
)

_JSON_KEYS: Final = frozenset({1, 2, 5, 7})
"""Kinds of keys that are integers in the store, exactly those that JSON has."""
_TEXT_KEYS: Final = frozenset({4, 6})
_MANY: Final = 8
_RESOURCES = (
    apsw.FullError,
    apsw.IOError,
    apsw.NoMemError,
    apsw.InterruptError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
)
"""What says nothing about the history: the evaluation cannot go on either."""


@dataclass(frozen=True, slots=True)
class HistoryLimits:
    """How much is kept. Without evaluations there is no history."""

    evaluations: int = 1_000
    bytes: int = 64 * 1024 * 1024


@dataclass(slots=True)
class _Counts:
    entries_set: int = 0
    entries_deleted: int = 0
    upvalues_set: int = 0
    functions: int = 0
    tables: int = 0


@final
class Recorder:
    """Watches the writes of one session, and notes what they change."""

    def __init__(
        self,
        store: Collect,
        *,
        session: str,
        limits: HistoryLimits,
        describe: Callable[[], Description],
        opened: int,
    ) -> None:
        """`describe` is asked, once for each recorded transaction, what it is.

        `opened` is the state of the data from which on others' evaluations are not this session's.
        """
        self._store = store
        self.session = session
        self.limits = limits
        self._describe = describe
        self.opened = opened
        self.recorded = 0
        """The number of the evaluation that the last transaction was recorded as; 0: as none."""
        self.forgotten = 0
        """Evaluations up to this number were too many, or too much."""
        self.silent = False
        """While the history itself writes."""
        self._untrimmed = HistoryLimits(TRIM_PARTS * limits.evaluations, TRIM_PARTS * limits.bytes)
        """What was recorded since the last trimming, at most: at first nobody knows."""
        self._reset()

    def _reset(self) -> None:
        self._number = 0
        """Of the evaluation that is being recorded; 0 before it has changed anything."""
        self._unknown = 0
        self._long_bytes = 0
        """How much the store had written of long strings before."""
        self._new: set[int] = set()
        """What was made by this transaction. Ids that it gave up are new as well."""
        self._counts = _Counts()
        self._at_savepoints: list[_Counts] = []
        self._notes = 0
        self._is_whole = True
        self._broken = False

    # What the store tells

    def before(self, changes: Changes) -> None:
        if self.silent or self._broken or not self.limits.evaluations:
            return
        try:
            self._begin()
            self._count(changes)
            if self._is_whole:
                self._note(changes)
        except _RESOURCES:
            raise
        except apsw.Error as error:
            self._begin_anew(error)

    def after(self, changes: Changes) -> None:
        pass

    def savepoint(self) -> None:
        self._at_savepoints.append(replace(self._counts))

    def released(self) -> None:
        self._at_savepoints.pop()

    def rolled_back(self) -> None:
        self._counts = self._at_savepoints.pop()

    def committing(self) -> None:
        if self._broken:
            return
        try:
            if not self.limits.evaluations:
                self._forget_all()
                return
            if self._number:
                self._record()
            self._execute(_SQL_FOLLOWED)
        except _RESOURCES:
            raise
        except apsw.Error as error:
            self._begin_anew(error)

    def ended(self, *, committed: bool) -> None:
        self.recorded = self._number if committed and not self._broken else 0
        self._reset()

    # Notes

    def _begin(self) -> None:
        if not self._number:
            row = self._execute(_SQL_STATE).get
            assert isinstance(row, tuple)
            state, followed = row
            if not isinstance(followed, int) or not isinstance(state, int):
                raise apsw.SQLError("the counters are not there")
            self._number = state + 1
            self._long_bytes = self._store.long_bytes_written
            self._unknown = state - followed

    def _count(self, changes: Changes) -> None:
        counts = self._counts
        counts.entries_set += len(changes.sets)
        counts.entries_deleted += len(changes.deletes)
        counts.upvalues_set += len(changes.cells)
        counts.functions += len(changes.functions)
        self._new.update(changes.functions)
        if changes.new_tables:
            ids = {row[0] for row in changes.new_tables} - self._new
            newest = self._execute(_SQL_NEWEST_TABLE).get
            if isinstance(newest, int) and min(ids, default=newest + 1) <= newest:
                ids -= self._known(_SQL_KNOWN_TABLES, ids)
            self._new |= ids
            counts.tables += len(ids)

    def _known(self, statement: str, ids: Iterable[int]) -> set[int]:
        rows = self._execute(statement, (json.dumps(list(ids)),))
        return {row[0] for row in rows}

    def _note(self, changes: Changes) -> None:
        """Notes how everything is that these changes are about to change."""
        new, number = self._new, self._number
        keys: list[Key] = [row[:3] for row in changes.sets if row[0] not in new]
        keys += [row for row in changes.deletes if row[0] not in new]
        cells = {cell[0] for cell in changes.cells} - new
        known = self._known(_SQL_KNOWN_CELLS, cells) if cells else cells
        new |= cells - known
        self._notes += len(keys) + len(known)
        if self._notes * CHANGE_BYTES > self.limits.bytes:
            self._give_up()
            return
        if keys:
            self.note_entries(number, keys)
        for table_id in changes.cleared:
            if table_id not in new:
                self._execute(_SQL_NOTE_ALL, (number, table_id))
                self._counts.entries_deleted += self._store._connection.changes()
        self.note_others(
            number,
            [row[1] for row in changes.metatables if row[1] not in new],
            known,
            [root[0] for root in changes.roots],
        )
        self.note_versions(number, changes.versions)
        self.hold_long_strings(number)

    def note_entries(self, number: int, keys: Sequence[Key]) -> None:
        """Notes entries as they are, or that they are not, unless they were noted before."""
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
                self._execute(_SQL_NOTE_KEYS, (number, table_id, kind, json.dumps(natives)))
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

    def hold_long_strings(self, number: int) -> None:
        """The long strings that are noted get copies that belong to the history."""
        if self._execute(_SQL_HAS_LONG).get is None:
            return
        for *where, long_id in self._execute(_SQL_LONG, (number,)).fetchall():
            owner = -number if number > 0 else SWAPPED_OWNER
            copy = self._execute(_SQL_COPY_LONG, (owner, long_id)).get
            self._execute(_SQL_HOLD_LONG, (copy, number, *where))

    def _give_up(self) -> None:
        """It changes more than the history may hold: it is told, and cannot be undone."""
        self._is_whole = False
        listed = json.dumps([self._number])
        for statement in _SQL_FORGET[:2]:
            self._execute(statement, (listed,))

    # At the end

    def _record(self) -> None:
        number, counts, limits = self._number, self._counts, self.limits
        name, source = self._describe()
        size = self._execute(_SQL_BYTES, (number,)).get
        assert isinstance(size, int)
        kept = source[:SOURCE_BYTES_MAX]
        if size > limits.bytes:
            self._give_up()
            size = 0
        # What it wrote may become garbage that only the history refers to.
        size += len(kept) + CHANGE_BYTES * (counts.entries_set + counts.upvalues_set)
        size += self._store.long_bytes_written - self._long_bytes
        undone = self._execute(_SQL_UNDONE, (self.session, self.opened)).get
        if undone != "[]":  # what was undone cannot be redone any more
            self.forget(str(undone))
        row = (
            number,
            self.session,
            datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            name,
            _shown(kept),
            len(source),
            counts.entries_set,
            counts.entries_deleted,
            counts.tables,
            counts.functions,
            counts.upvalues_set,
            json.dumps(_ranges(self._new)),
            size,
            self._unknown,
            self._is_whole,
        )
        self._execute(_SQL_RECORD, row)
        before = self._untrimmed
        self._untrimmed = HistoryLimits(before.evaluations + 1, before.bytes + size)
        if (
            self._untrimmed.evaluations * TRIM_PARTS > limits.evaluations
            or self._untrimmed.bytes * TRIM_PARTS > limits.bytes
        ):
            self._trim()

    def _trim(self) -> None:
        """Forgets the oldest evaluations, as far as there are more than the limits say."""
        limits = self.limits
        oldest = [
            self._execute(_SQL_TOO_MANY, (limits.evaluations,)).get,
            self._execute(_SQL_TOO_MUCH, (limits.bytes,)).get,
        ]
        last = max(number for number in (0, *oldest) if isinstance(number, int))
        if last:
            self.forgotten = last
            self.forget(str(self._execute(_SQL_UP_TO, (last,)).get))
        self._untrimmed = HistoryLimits(0, 0)

    def forget(self, numbers: str) -> None:
        """Forgets evaluations: a JSON list of their numbers."""
        for statement in _SQL_FORGET:
            self._execute(statement, (numbers,))

    def _forget_all(self) -> None:
        """Without a limit above zero nothing is kept, not even what there is."""
        if self._execute("SELECT 1 FROM history LIMIT 1").get is not None:
            self.forget(str(self._execute("SELECT json_group_array(id) FROM history").get))

    def _begin_anew(self, error: apsw.Error) -> None:
        """The history is broken. What can be done for it is done now; this is not recorded."""
        self._broken = True
        logger.warning("the history of %s is damaged and begins anew: %s", self._store._name, error)
        try:
            for statement in _SQL_BEGIN_ANEW:
                self._execute(statement)
        except _RESOURCES:
            raise
        except apsw.Error as again:
            logger.warning("the history of %s cannot be repaired: %s", self._store._name, again)

    # For statements that are not those of an evaluation

    def _execute(self, statement: str, values: Sequence[object] = ()) -> apsw.Cursor:
        return self._store._cursor.execute(statement, tuple(values))

    def _execute_many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._store._cursor.executemany(statement, rows)


def _ranges(ids: Iterable[int]) -> list[list[int]]:
    """Ids as the first and the last of each run of them."""
    found: list[list[int]] = []
    for identity in sorted(ids):
        if found and found[-1][1] == identity - 1:
            found[-1][1] = identity
        else:
            found.append([identity, identity])
    return found


def _shown(source: bytes) -> Text:
    """A source as SQLite keeps it; a character that was cut at its end is left out."""
    for cut in range(min(4, len(source) + 1)):
        native = as_native(source[: len(source) - cut])
        if isinstance(native, str):
            return native
    return source
