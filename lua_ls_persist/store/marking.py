"""Marking for collection: what named tables, images, the history and the VM reach.

Ids that are reached are marked in a temporary table, whose order is also the queue of what is still
to be looked into. Evaluations may run between two units of work: they tell `_mark` of every
reference that they write.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import apsw

from lua_ls_persist.model import Collected
from lua_ls_persist.store.images import Images
from lua_ls_persist.store.rows import Native

logger = logging.getLogger(__name__)

IDS_AT_ONCE: Final = 500
ROWS_AT_ONCE: Final = 5_000
"""Limits of the smallest unit of work; it takes some milliseconds."""
_SQL_TEMPORARY = (
    "CREATE TEMP TABLE IF NOT EXISTS marked (position INTEGER PRIMARY KEY, id INTEGER UNIQUE)",
    "CREATE TEMP TABLE IF NOT EXISTS garbage (id INTEGER PRIMARY KEY)",
    "DELETE FROM temp.marked",
    "DELETE FROM temp.garbage",
)
_SQL_MARK = "INSERT OR IGNORE INTO temp.marked (id) SELECT value FROM json_each(?)"
_SQL_MARK_ROOTS = """
    INSERT OR IGNORE INTO temp.marked (id)
    SELECT table_id FROM roots
    UNION ALL
    SELECT json_each.value FROM images,
        json_each(CASE WHEN json_valid(refers_to) THEN refers_to ELSE '[]' END)
    """
# What the history tells was there: undoing and redoing bring it back. A long string is no id of
# anything, and a key of text is none either.
_SQL_MARK_HISTORY = """
    INSERT OR IGNORE INTO temp.marked (id)
    SELECT value FROM history_changes
        WHERE (kind IN (5, 7) OR key_kind IN (5, 7)) AND kind IN (5, 7)
    UNION ALL
    SELECT key FROM history_changes
        WHERE (kind IN (5, 7) OR key_kind IN (5, 7)) AND key_kind IN (5, 7)
    """
_SQL_QUEUE = "SELECT position, id FROM temp.marked WHERE position > ? ORDER BY position LIMIT ?"
# Everything but entries that the ids refer to, whatever they are ids of.
_SQL_MARK_FROM = """
    INSERT OR IGNORE INTO temp.marked (id)
    SELECT metatable FROM tables WHERE id IN (SELECT value FROM json_each(?1))
        AND metatable IS NOT NULL
    UNION ALL
    SELECT cell_id FROM function_cells WHERE function_id IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT value FROM cells WHERE id IN (SELECT value FROM json_each(?1)) AND kind IN (5, 7)
    """
_SQL_MARK_FROM_ENTRIES = """
    INSERT OR IGNORE INTO temp.marked (id)
    SELECT value FROM entries WHERE table_id IN (SELECT value FROM json_each(?1))
        AND kind IN (5, 7)
    UNION ALL
    SELECT key FROM entries WHERE table_id IN (SELECT value FROM json_each(?1))
        AND key_kind IN (5, 7)
    """
_SQL_MARK_FROM_RANGE = """
    INSERT OR IGNORE INTO temp.marked (id)
    SELECT value FROM entries WHERE table_id = ?1
        AND (key_kind, key) > (?2, ?3) AND (key_kind, key) <= (?4, ?5) AND kind IN (5, 7)
    UNION ALL
    SELECT key FROM entries WHERE table_id = ?1
        AND (key_kind, key) > (?2, ?3) AND (key_kind, key) <= (?4, ?5) AND key_kind IN (5, 7)
    """
# The last of the first so many entries of these tables, or of one of them after a key.
SQL_BOUND = """
    SELECT table_id, key_kind, key FROM entries
    WHERE table_id IN (SELECT value FROM json_each(?))
    ORDER BY table_id, key_kind, key LIMIT 1 OFFSET ?
    """
_SQL_BOUND_AFTER = """
    SELECT table_id, key_kind, key FROM entries
    WHERE table_id = ? AND (key_kind, key) > (?, ?)
    ORDER BY key_kind, key LIMIT 1 OFFSET ?
    """
_SQL_LAST_KEY = """
    SELECT table_id, key_kind, key FROM entries WHERE table_id = ?
    ORDER BY key_kind DESC, key DESC LIMIT 1
    """
_BEFORE_ALL: Final = (-1, 0)
"""A key's kind and key that are less than any."""
KINDS: Final = ("tables", "functions", "cells")
_SQL_REVIVED = """
    SELECT 1 FROM temp.garbage WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1
    """


@dataclass(slots=True)
class Collection:
    """A collection that is under way."""

    state: int
    """Of which state of the data the marks are."""
    phase: str = "marking"
    looked_into: int = 0
    """The last position of the queue that is done with."""
    waiting: list[int] = field(default_factory=list)
    """Ids taken from the queue, in ascending order, whose entries are not all looked at."""
    after: tuple[int, Native] = _BEFORE_ALL
    """In the first of them, the entries up to this key are."""
    kind: int = 0
    listed_to: int = 0
    newest_image: int = 0
    removed: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, "codes"), 0))
    free_before: int = 0

    def result(self, free_bytes: int) -> Collected:
        """What was removed so far."""
        return Collected(**self.removed, bytes=max(0, free_bytes - self.free_before))


class Marking(Images):
    """Marks."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._collection: Collection | None = None
        """One that goes on step by step."""
        self._disturbances = 0
        """How often it had to begin again because others had changed the data."""
        self._own_commit = 0
        """The state that the transaction will make, if it is one of this session's."""

    def _forget_collection(self) -> None:
        self._collection = None
        self._marking = False
        self._disturbances = 0

    def _begin_collection(self) -> Collection:
        for statement in _SQL_TEMPORARY:
            self._cursor.execute(statement)
        collection = Collection(state=self.state, free_before=self._free_bytes())
        self._mark_roots(collection)
        return collection

    def _mark(self, ids: set[int]) -> None:
        listed = json.dumps(list(ids))
        collection = self._collection
        self._cursor.execute(_SQL_MARK, (listed,))
        if collection is None or collection.phase == "marking":
            return
        # The VM can only have what it had as roots. Should that be wrong, nothing is lost.
        if self._cursor.execute(_SQL_REVIVED, (listed,)).get is not None:
            self._forget_collection()

    def _mark_roots(self, collection: Collection) -> None:
        # In this order: an image that comes in between is noticed before anything is removed.
        collection.newest_image = self._newest_image()
        self._cursor.execute(_SQL_MARK_ROOTS)
        try:
            self._cursor.execute(_SQL_MARK_HISTORY)
        except (apsw.SQLError, apsw.CorruptError) as error:
            # Where the history cannot be read, there is nothing in it to undo.
            logger.warning("the history of %s is damaged and keeps nothing: %s", self._name, error)

    def _mark_until(
        self,
        collection: Collection,
        extra_roots: Callable[[], Iterable[int]],
        until: float,
    ) -> bool:
        """Marks until a moment, or until all is marked; whether it is."""
        while exhausted(self._marking_units(collection), until):
            # Between two steps there may have come new ones.
            before = self._connection.total_changes()
            self._mark_roots(collection)
            self._mark(set(extra_roots()))
            if self._connection.total_changes() == before:
                return True
        return False

    def _marking_units(self, collection: Collection) -> Iterator[None]:
        """Looks into what is marked; after each unit of work there may be a pause."""
        while True:
            if not collection.waiting:
                queue = self._cursor.execute(
                    _SQL_QUEUE, (collection.looked_into, IDS_AT_ONCE)
                ).fetchall()
                if not queue:
                    return
                ids = sorted(cast("int", row[1]) for row in queue)
                self._cursor.execute(_SQL_MARK_FROM, (json.dumps(ids),))
                collection.waiting = ids
                collection.looked_into = cast("int", queue[-1][0])
            self._look_into_entries(collection)
            yield

    def _look_into_entries(self, collection: Collection) -> None:
        """Marks what a limited number of entries of the waiting tables refer to."""
        first, *others = collection.waiting
        if collection.after != _BEFORE_ALL:  # in the middle of a large table
            bound = self._bound_after(first, collection.after)
            self._mark_range(first, collection.after, bound or self._last_key(first))
            collection.after = bound or _BEFORE_ALL
            if bound is None:
                collection.waiting = others
            return
        row = self._cursor.execute(
            SQL_BOUND, (json.dumps(collection.waiting), ROWS_AT_ONCE - 1)
        ).get
        if row is None:
            self._cursor.execute(_SQL_MARK_FROM_ENTRIES, (json.dumps(collection.waiting),))
            collection.waiting = []
            return
        table_id, key_kind, key = cast("tuple[int, int, Native]", row)
        before = [waiting for waiting in collection.waiting if waiting < table_id]
        self._cursor.execute(_SQL_MARK_FROM_ENTRIES, (json.dumps(before),))
        self._mark_range(table_id, _BEFORE_ALL, (key_kind, key))
        collection.waiting = collection.waiting[len(before) :]
        collection.after = (key_kind, key)

    def _mark_range(
        self, table_id: int, after: tuple[int, Native], to: tuple[int, Native] | None
    ) -> None:
        if to is not None:
            self._cursor.execute(_SQL_MARK_FROM_RANGE, (table_id, *after, *to))

    def _bound_after(self, table_id: int, after: tuple[int, Native]) -> tuple[int, Native] | None:
        row = self._cursor.execute(_SQL_BOUND_AFTER, (table_id, *after, ROWS_AT_ONCE - 1)).get
        return None if row is None else cast("tuple[int, Native]", row[1:])

    def _last_key(self, table_id: int) -> tuple[int, Native] | None:
        row = self._cursor.execute(_SQL_LAST_KEY, (table_id,)).get
        return None if row is None else cast("tuple[int, Native]", row[1:])

    def _newest_image(self) -> int:
        with self._reading:
            newest = self._cursor.execute("SELECT max(id) FROM images").get
        return cast("int | None", newest) or 0

    def _free_bytes(self) -> int:
        with self._reading:
            pages = cast("int", self._cursor.execute("PRAGMA freelist_count").get)
            return pages * cast("int", self._cursor.execute("PRAGMA page_size").get)


def exhausted(units: Iterable[None], until: float) -> bool:
    """Works until a moment, one unit at least; whether all was done."""
    return all(time.monotonic() < until for _ in units)
