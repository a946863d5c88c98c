"""The history: what evaluations changed, one by one, and going back and forth in it.

The notes that `recording` makes are what was there before. Undoing an evaluation puts that back
and notes what it found instead; so redoing is the same once more. The present data, and the notes
of all evaluations since, tell how things were at any point in between.

Several sessions may write to one file. A session undoes what it did itself, and what had been done
when it was opened; it is refused where others have changed the same things since.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.backups import PageProgress
from lua_ls_persist.store.differences import Differences, NoteRow, Target
from lua_ls_persist.store.notes import (
    CELL,
    ENTRY,
    INDEX,
    METATABLE,
    ROOT,
    SCHEMA,
    VERSION,
    index_key_of,
)
from lua_ls_persist.store.recording import Description, HistoryLimits, Recorder
from lua_ls_persist.store.rows import (
    NIL,
    Entry,
    Key,
    Native,
    Recorded,
)
from lua_ls_persist.store.unpacking import PLAIN_KIND, plain_value
from lua_ls_persist.store.watching import Changes

CHANGES_AT_ONCE: Final = 5_000

KEYS_TOLD_MAX: Final = 20
"""So many of the places that an evaluation has changed are told."""


_SQL_LIST = """
    SELECT id, session = ?1 OR id <= ?2, made_utc, name, source, source_bytes, entries_set,
        entries_deleted, tables_made, functions_made, upvalues_set, bytes, is_whole, is_undone
    FROM history ORDER BY id DESC LIMIT ?3
    """
_SQL_TARGETS = """
    SELECT target, id, key_kind, key FROM history_changes WHERE evaluation = ?
    ORDER BY target, id, key_kind, key LIMIT ?
    """
# What undo and redo take next: the newest that is not undone, the oldest that is.
_SQL_NEXT = {
    False: """
        SELECT id, unknown, is_whole, created FROM history
        WHERE NOT is_undone AND (session = ? OR id <= ?) ORDER BY id DESC LIMIT 1
        """,
    True: """
        SELECT id, unknown, is_whole, created FROM history
        WHERE is_undone AND (session = ? OR id <= ?) ORDER BY id LIMIT 1
        """,
}
_SQL_UNKNOWN = """
    SELECT (SELECT value FROM counters WHERE name = 'commits')
        - (SELECT value FROM counters WHERE name = 'followed')
    """
# Later evaluations, which are others', that changed the same.
_SQL_CONFLICT = """
    SELECT later.evaluation, later.target, later.id, later.key_kind, later.key
    FROM history AS other
    CROSS JOIN history_changes AS mine ON mine.evaluation = ?1
    CROSS JOIN history_changes AS later ON later.evaluation = other.id
        AND later.target = mine.target AND later.id = mine.id
        AND later.key_kind = mine.key_kind AND later.key = mine.key
    WHERE other.id > ?1 AND NOT other.is_undone LIMIT 1
    """
# Later evaluations that changed what this one had made.
_SQL_CONFLICT_INSIDE = """
    SELECT later.evaluation, later.target, later.id, later.key_kind, later.key
    FROM history AS other CROSS JOIN history_changes AS later ON later.evaluation = other.id
    JOIN json_each(?2) AS range
        ON later.id BETWEEN json_extract(range.value, '$[0]') AND json_extract(range.value, '$[1]')
    WHERE other.id > ?1 AND NOT other.is_undone LIMIT 1
    """
_SQL_WHOLE = "SELECT 1 FROM history WHERE id > ? AND NOT is_undone AND NOT is_whole LIMIT 1"
# Changes to what is no longer there are left out: nothing reached it, then or now.
_SQL_CHANGES = f"""
    SELECT target, id, key_kind, key, {PLAIN_KIND}, {plain_value("id")}
    FROM history_changes AS change
    WHERE evaluation = ?1 AND (target, id, key_kind, key) > (?2, ?3, ?4, ?5)
        AND target < 5 AND CASE WHEN target >= 3 THEN 1
            WHEN target = 2 THEN EXISTS (SELECT 1 FROM cells WHERE id = change.id)
            ELSE EXISTS (SELECT 1 FROM tables WHERE id = change.id) END
    ORDER BY target, id, key_kind, key LIMIT ?6
    """  # noqa: S608
_SQL_DEFINITIONS = """
    SELECT target, key, value FROM history_changes WHERE evaluation = ? AND target >= 5
    """
# While it is swapped, what is found belongs to the negative number.
_SQL_SWAPPED = (
    "DELETE FROM long_strings WHERE owner = -?1",
    "DELETE FROM history_changes WHERE evaluation = ?1",
    "UPDATE long_strings SET owner = -?1 WHERE owner = -4611686018427387904",
    "UPDATE history_changes SET evaluation = ?1 WHERE evaluation = -?1",
    "UPDATE history SET is_undone = NOT is_undone WHERE id = ?1",
)
_SQL_SET_ROOT = "REPLACE INTO roots (name, table_id) VALUES (?, ?)"
_SQL_SET_VERSION = {
    True: "REPLACE INTO table_versions (version, path, migrated_utc) VALUES (?1, ?2, ?3)",
    False: "DELETE FROM table_versions WHERE version = ?1 AND path = ?2 AND ?3 IS NULL",
}
_SQL_DROP_ROOT = "DELETE FROM roots WHERE name = ?"

_SQL_IS_WHOLE = "SELECT is_whole FROM history WHERE id = ?"


_BEFORE_ALL: Final = (-1, 0, 0, 0)


class History(Differences):
    """Reads the history, and goes back and forth in it."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._recorder: Recorder | None = None

    def keep_history(
        self, *, session: str, limits: HistoryLimits, describe: Callable[[], Description]
    ) -> None:
        """From now on what changes the data is recorded, as of this session.

        `describe` tells what runs: its name and its source.
        """
        # A database in memory is nobody else's, and is not opened for this.
        opened = 0 if self.path is None else self.state
        self._recorder = Recorder(
            self, session=session, limits=limits, describe=describe, opened=opened
        )
        self.watch(self._recorder)

    @property
    def recorded(self) -> int:
        """The number of the evaluation that the last transaction was recorded as; 0: as none."""
        return 0 if self._recorder is None else self._recorder.recorded

    @property
    def forgotten(self) -> int:
        """Evaluations up to this number have been forgotten since the file was opened, at least."""
        return 0 if self._recorder is None else self._recorder.forgotten

    def history(self, limit: int, *, keys_max: int) -> list[Recorded]:
        """The newest evaluations that changed the data, the newest first; undone ones, too."""
        session, opened = self._scope()
        with self._in_history():
            rows = self._cursor.execute(_SQL_LIST, (session, opened, limit)).fetchall()
            found: list[tuple[Any, list[Target]]] = [
                (row, self._targets(cast("int", row[0]), keys_max)) for row in rows
            ]
        words = self._words_for(target for _, targets in found for target in targets)
        facts: list[tuple[Any, ...]] = [
            (
                row[0],
                row[1] == 1,
                *row[2:12],
                row[12] == 1,
                row[13] == 1,
                tuple(map(words, targets)),
            )
            for row, targets in found
        ]
        return [Recorded(*fact) for fact in facts]

    def undo(self) -> int | None:
        """Undoes the newest evaluation of this session, in the transaction that is open.

        Its number; None if there is none.

        Raises:
            StoreError: others have changed the same since, or it cannot be known.
        """
        return self._go(undone=False)

    def redo(self) -> int | None:
        """Redoes the evaluation that was undone last, in the transaction that is open."""
        return self._go(undone=True)

    def forget_history(self) -> int:
        """Forgets all evaluations, in the transaction that is open; how many."""
        recorder = self._known_recorder()
        with self._written(), self._in_history():
            count = self._cursor.execute("SELECT count(*) FROM history").get
            recorder.forget(
                cast("str", self._cursor.execute("SELECT json_group_array(id) FROM history").get)
            )
        return cast("int", count)

    def restore(self, path: Path, *, on_progress: PageProgress | None = None) -> None:
        super().restore(path, on_progress=on_progress)
        if self._recorder is not None:  # the history is the backup's, from before this session
            self._recorder.opened = self.state

    # Going

    def _go(self, *, undone: bool) -> int | None:
        recorder = self._known_recorder()
        with self._change(), self._in_history():
            found = self._cursor.execute(_SQL_NEXT[undone], self._scope()).get
            if found is None:
                return None
            number, unknown, is_whole, created = cast("tuple[int, int, int, str]", found)
            self._check(number, unknown, is_whole, created, "redone" if undone else "undone")
            recorder.silent = True
            try:
                self._swap(number)
            finally:
                recorder.silent = False
        return number

    def _check(self, number: int, unknown: int, is_whole: int, created: str, done: str) -> None:
        """Raises unless this evaluation can be undone or redone as if nothing came after it."""
        if not is_whole:
            raise StoreError(
                f"Evaluation {number} cannot be {done}: it changed more than the history keeps "
                "(see history_limit_bytes)."
            )
        if self._cursor.execute(_SQL_UNKNOWN).get != unknown:
            raise StoreError(
                f"Evaluation {number} cannot be {done}: the data were changed since by a program "
                "that keeps no history."
            )
        conflict = self._cursor.execute(_SQL_CONFLICT, (number,)).get
        if conflict is None and done == "undone":
            conflict = self._cursor.execute(_SQL_CONFLICT_INSIDE, (number, created)).get
        if conflict is not None:
            other, *target = cast("tuple[int, int, int, int, Native]", conflict)
            where = self._words(cast("Target", tuple(target)))
            raise StoreError(
                f"Evaluation {number} cannot be {done}: another session has changed {where} since "
                f"(evaluation {other})."
            )
        if self._cursor.execute(_SQL_WHOLE, (number,)).get is not None:
            raise StoreError(
                f"Evaluation {number} cannot be {done}: another session has changed more since "
                "than the history keeps, so what it was is not known."
            )

    def _swap(self, number: int) -> None:
        """Puts back what was noted, and notes what was there instead."""
        definitions = cast(
            "list[tuple[int, str, str | None]]",
            self._cursor.execute(_SQL_DEFINITIONS, (number,)).fetchall(),
        )
        if definitions:
            self._take_away(number, definitions)
        after: tuple[Native, ...] = _BEFORE_ALL
        while True:
            rows = cast(
                "list[NoteRow]",
                self._cursor.execute(_SQL_CHANGES, (number, *after, CHANGES_AT_ONCE)).fetchall(),
            )
            if rows:
                self._put_back(number, rows)
            if len(rows) < CHANGES_AT_ONCE:
                break
            after = rows[-1][:4]
        for target, key, text in definitions:
            if target == SCHEMA:
                self._put_schema_back(key, text)
            elif text is not None:
                self._put_index_back(index_key_of(key), json.loads(text))
        for statement in _SQL_SWAPPED:
            self._cursor.execute(statement, (number,))

    def _take_away(self, number: int, definitions: list[tuple[int, str, str | None]]) -> None:
        """Notes the definitions that there are, and drops those indexes that are not to be.

        So nothing is kept up to date in vain while the data change.
        """
        indexes = [
            (index_key_of(key), None if text is None else json.loads(text))
            for target, key, text in definitions
            if target == INDEX
        ]
        self._known_recorder().note_definitions(
            -number,
            [key for target, key, _ in definitions if target == SCHEMA],
            [key for key, _ in indexes],
        )
        for key, options in indexes:
            self._drop_unlike(key, options)

    def _put_schema_back(self, path: str, definition: str | None) -> None:
        """For the part that knows schemas: this one is set again, or removed again."""
        raise NotImplementedError

    def _put_back(self, number: int, rows: list[NoteRow]) -> None:
        recorder = self._known_recorder()
        keys: list[Key] = [row[1:4] for row in rows if row[0] == ENTRY]
        metatables = [(cast("int | None", row[5]), row[1]) for row in rows if row[0] == METATABLE]
        cells = [(row[1], row[4], row[5]) for row in rows if row[0] == CELL]
        roots = [(cast("str", row[3]), cast("int", row[5] or 0)) for row in rows if row[0] == ROOT]
        recorder.note_entries(-number, keys)
        recorder.note_others(
            -number,
            [row[1] for row in metatables],
            [row[0] for row in cells],
            [r[0] for r in roots],
        )
        versions = [row for row in rows if row[0] == VERSION]
        recorder.note_versions(-number, [(cast("str", row[3]), row[1]) for row in versions])
        recorder.hold_long_strings(-number)
        sets: list[Entry] = [row[1:] for row in rows if row[0] == ENTRY and row[4] != NIL]
        deletes: list[Key] = [row[1:4] for row in rows if row[0] == ENTRY and row[4] == NIL]
        for version in versions:
            self._cursor.execute(_SQL_SET_VERSION[version[4] != NIL], (*version[1:4:2], version[5]))
        if roots:
            with self._watching(lambda: Changes(roots=roots)):
                # A table has one name: the old ones go first.
                self._cursor.executemany(_SQL_DROP_ROOT, [(name,) for name, _ in roots])
                self._cursor.executemany(_SQL_SET_ROOT, [root for root in roots if root[1]])
        self.apply(sets, deletes, (), metatables, cells)

    # Helpers

    def _targets(self, number: int, limit: int) -> list[Target]:
        rows = self._connection.execute(_SQL_TARGETS, (number, limit)).fetchall()
        return cast("list[Target]", rows)

    def _scope(self) -> tuple[str, int]:
        recorder = self._recorder
        return ("", 0) if recorder is None else (recorder.session, recorder.opened)

    def _known_recorder(self) -> Recorder:
        if self._recorder is None or not self._recorder.limits.evaluations:
            raise StoreError("This session keeps no history.")
        return self._recorder
