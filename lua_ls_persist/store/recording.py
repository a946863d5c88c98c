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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, TypeAlias, final

import apsw

from lua_ls_persist.store.migrations import HISTORY
from lua_ls_persist.store.notes import Notes
from lua_ls_persist.store.rows import Key, Text, as_native
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
class Recorder(Notes):
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
        super().__init__(store)
        self._entries = store
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
        self._newest_table: int | None = None
        """The last one that there was before; None if nobody has asked yet."""
        self._empty: set[int] = set()
        """Tables that had no entries at some moment. What they had before is noted by then."""
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
        self._empty.clear()  # What was taken out of them is back, and its notes are gone.

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
            self._long_bytes = self._entries.long_bytes_written
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
            if self._newest_table is None:
                newest = self._execute(_SQL_NEWEST_TABLE).get
                self._newest_table = newest if isinstance(newest, int) else 0
            if min(ids, default=self._newest_table + 1) <= self._newest_table:
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
            self.note_entries(number, keys, self._empty)
        for table_id in changes.cleared:
            if table_id not in new:
                self._counts.entries_deleted += self.note_all(number, table_id)
        self.note_others(
            number,
            [row[1] for row in changes.metatables if row[1] not in new],
            known,
            [root[0] for root in changes.roots],
        )
        self.note_versions(number, changes.versions)
        self.note_definitions(number, changes.schemas, changes.indexes)
        self.hold_long_strings(number)

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
        size += self._entries.long_bytes_written - self._long_bytes
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
