"""Removing what nothing reaches any more: all at once, or step by step in idle time.

The roots are the named tables, what images and the history refer to, and what the caller adds (what
its VM holds).
Ids that are reached are marked in a temporary table, whose order is also the queue of what is still
to be looked into; then the ids without a mark are listed, then they are removed.

Step by step, evaluations run in between. Those of this session tell `_mark` of every reference that
they write, so what was looked into before needs no second look. When another session has changed
the data, the marks mean nothing, and the collection begins again. Nothing is removed except under
the write lock, after checking that the data are those the marks are of.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, cast

import apsw

from lua_ls_persist.store.images import Facts, Images, Piece
from lua_ls_persist.store.rows import Collected, Native, StoredImage

STEP_BUDGET_MS: Final = 20
"""How long a step lasts, roughly. A pause of 50 ms would be felt."""

DISTURBANCES_MAX: Final = 5
"""A collection that has to begin again more often is given up."""

IDS_AT_ONCE: Final = 500
ROWS_AT_ONCE: Final = 5_000
"""Limits of the smallest unit of work; it takes some milliseconds."""

Progress: TypeAlias = Callable[[str, int], None]
"""Called with what is being done ("marking", "listing", "removing") and how much of it is."""

_SQL_TEMPORARY = (
    "CREATE TEMP TABLE IF NOT EXISTS marked (position INTEGER PRIMARY KEY, id INTEGER UNIQUE)",
    "CREATE TEMP TABLE IF NOT EXISTS garbage (id INTEGER PRIMARY KEY)",
    "DELETE FROM temp.marked",
    "DELETE FROM temp.garbage",
)
_SQL_FORGET = "DELETE FROM temp.marked"
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
_SQL_BOUND = """
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

_KINDS: Final = ("tables", "functions", "cells")
_SQL_LIST_BOUND = {
    "tables": "SELECT id FROM tables WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?",
    "functions": "SELECT id FROM functions WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?",
    "cells": "SELECT id FROM cells WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?",
}
_SQL_LIST = {
    "tables": """
        INSERT OR IGNORE INTO temp.garbage SELECT id FROM tables
        WHERE id > ? AND id <= ? AND id NOT IN (SELECT id FROM temp.marked)
        """,
    "functions": """
        INSERT OR IGNORE INTO temp.garbage SELECT id FROM functions
        WHERE id > ? AND id <= ? AND id NOT IN (SELECT id FROM temp.marked)
        """,
    "cells": """
        INSERT OR IGNORE INTO temp.garbage SELECT id FROM cells
        WHERE id > ? AND id <= ? AND id NOT IN (SELECT id FROM temp.marked)
        """,
}
_ID_MAX: Final = 2**63 - 1

_SQL_GARBAGE = "SELECT id FROM temp.garbage ORDER BY id LIMIT ?"
_SQL_REVIVED = """
    SELECT 1 FROM temp.garbage WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1
    """
_SQL_REMOVE_RANGE = """
    DELETE FROM entries WHERE table_id = ? AND (key_kind, key) <= (?, ?)
    """
_SQL_REMOVE_ALL = (
    "DELETE FROM entries WHERE table_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM long_strings WHERE owner IN (SELECT value FROM json_each(?))",
    "DELETE FROM function_cells WHERE function_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM schema_tables WHERE table_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM compressions WHERE table_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM temp.garbage WHERE id IN (SELECT value FROM json_each(?))",
)
_SQL_REMOVE = (
    "DELETE FROM tables WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM functions WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM cells WHERE id IN (SELECT value FROM json_each(?))",
)
_SQL_REMOVE_CODE = """
    DELETE FROM code WHERE id NOT IN (SELECT code_id FROM functions)
        AND id NOT IN (SELECT value FROM json_each(?))
        AND id NOT IN (
            SELECT json_each.value FROM images,
                json_each(CASE WHEN json_valid(codes) THEN codes ELSE '[]' END))
    """
_SQL_REMOVE_SOURCES = "DELETE FROM sources WHERE id NOT IN (SELECT source_id FROM code)"
_SQL_COUNT = "UPDATE counters SET value = value + 1 WHERE name = 'collections'"
# An image of the data before is one of the data after, for all that it refers to is still there.
_SQL_MOVE_IMAGES = """
    UPDATE images SET state = state + 1
    WHERE state = (SELECT value FROM counters WHERE name = 'commits')
    """


@dataclass(slots=True)
class _Collection:
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
    removed: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*_KINDS, "codes"), 0))
    free_before: int = 0

    def result(self, free_bytes: int) -> Collected:
        """What was removed so far."""
        return Collected(**self.removed, bytes=max(0, free_bytes - self.free_before))


class Collect(Images):
    """Collects."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._collection: _Collection | None = None
        """One that goes on step by step."""
        self._disturbances = 0
        """How often it had to begin again because others had changed the data."""
        self._own_commit = 0
        """The state that the transaction will make, if it is one of this session's."""

    def collect(
        self, extra_roots: Iterable[int] = (), *, on_progress: Progress | None = None
    ) -> Collected:
        """Removes all that nothing reaches: in the transaction that is open, or in one of its own.

        `extra_roots` are the ids of the tables and functions that the VM holds.
        """
        if not self.in_transaction:
            with self.transaction():
                return self.collect(extra_roots, on_progress=on_progress)
        self._forget_collection()
        with self._written():
            collection = self._begin_collection()
            self._mark(set(extra_roots))
            for _ in self._marking_units(collection):
                _report(on_progress, "marking", collection.looked_into)
            for _ in self._listing_units(collection):
                _report(on_progress, "listing", collection.listed_to)
            for _ in self._removing_units(collection):
                _report(on_progress, "removing", sum(collection.removed.values()))
            if any(collection.removed.values()):
                self._change()
            self._cursor.execute(_SQL_FORGET)
            return collection.result(self._free_bytes())

    def collect_step(
        self, extra_roots: Callable[[], Iterable[int]], *, budget_ms: float = STEP_BUDGET_MS
    ) -> Collected | None:
        """A piece of a collection, outside of any transaction. None: there is more to do.

        `extra_roots` is asked when it is needed. The write lock is held for no longer than the
        budget, and only while something is removed; if somebody else has it, nothing is done. A
        collection that others disturb again and again ends without having removed anything.
        Where something was removed, `state` is another one afterwards, and images of the state
        before are images of this one.
        """
        assert not self.in_transaction
        until = time.monotonic() + budget_ms / 1000
        collection = self._collection
        if collection is not None and self.state != collection.state:
            collection = None
            self._disturbances += 1
        if self._disturbances > DISTURBANCES_MAX:
            self._forget_collection()
            return Collected()
        if collection is None:
            with self._reading:
                collection = self._collection = self._begin_collection()
            self._marking = True
        with self._reading:
            if collection.phase == "marking" and self._mark_until(collection, extra_roots, until):
                collection.phase = "listing"
            if collection.phase == "listing" and _exhausted(self._listing_units(collection), until):
                collection.phase = "removing"
        if collection.phase == "removing" and self._remove_until(collection, until):
            self._forget_collection()
            with self._reading:
                self._cursor.execute(_SQL_FORGET)
            return collection.result(self._free_bytes())
        return None

    def _forget_collection(self) -> None:
        self._collection = None
        self._marking = False
        self._disturbances = 0

    def _begin_collection(self) -> _Collection:
        for statement in _SQL_TEMPORARY:
            self._cursor.execute(statement)
        collection = _Collection(state=self.state, free_before=self._free_bytes())
        self._mark_roots(collection)
        return collection

    # Marking

    def _mark(self, ids: set[int]) -> None:
        listed = json.dumps(list(ids))
        collection = self._collection
        self._cursor.execute(_SQL_MARK, (listed,))
        if collection is None or collection.phase == "marking":
            return
        # The VM can only have what it had as roots. Should that be wrong, nothing is lost.
        if self._cursor.execute(_SQL_REVIVED, (listed,)).get is not None:
            self._forget_collection()

    def _mark_roots(self, collection: _Collection) -> None:
        # In this order: an image that comes in between is noticed before anything is removed.
        collection.newest_image = self._newest_image()
        self._cursor.execute(_SQL_MARK_ROOTS)
        # Where the history cannot be read, there is nothing in it to undo.
        with suppress(apsw.SQLError, apsw.CorruptError):
            self._cursor.execute(_SQL_MARK_HISTORY)

    def _mark_until(
        self,
        collection: _Collection,
        extra_roots: Callable[[], Iterable[int]],
        until: float,
    ) -> bool:
        """Marks until a moment, or until all is marked; whether it is."""
        while _exhausted(self._marking_units(collection), until):
            # Between two steps there may have come new ones.
            before = self._connection.total_changes()
            self._mark_roots(collection)
            self._mark(set(extra_roots()))
            if self._connection.total_changes() == before:
                return True
        return False

    def _marking_units(self, collection: _Collection) -> Iterator[None]:
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

    def _look_into_entries(self, collection: _Collection) -> None:
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
            _SQL_BOUND, (json.dumps(collection.waiting), ROWS_AT_ONCE - 1)
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

    # Listing

    def _listing_units(self, collection: _Collection) -> Iterator[None]:
        """Lists what is not marked; after each unit of work there may be a pause."""
        while collection.kind < len(_KINDS):
            kind = _KINDS[collection.kind]
            start = collection.listed_to
            bound = self._cursor.execute(_SQL_LIST_BOUND[kind], (start, ROWS_AT_ONCE - 1)).get
            end = _ID_MAX if bound is None else cast("int", bound)
            self._cursor.execute(_SQL_LIST[kind], (start, end))
            collection.listed_to = end
            if bound is None:
                collection.kind += 1
                collection.listed_to = 0
            yield

    # Removing

    def _remove_until(self, collection: _Collection, until: float) -> bool:
        """Removes under the write lock until a moment, or all; whether all is removed."""
        if not self._begin_at_once():
            return False
        try:
            if self.state != collection.state or self._newest_image() != collection.newest_image:
                self._collection = None
                self._disturbances += 1
                self.rollback()
                return False
            with self._written():
                before = sum(collection.removed.values())
                done = _exhausted(self._removing_units(collection), until)
                if sum(collection.removed.values()) != before:
                    self._cursor.execute(_SQL_MOVE_IMAGES)
                    self._change()
            self.commit()
        except BaseException:
            # What was counted is not removed, after all.
            self._forget_collection()
            self.rollback()
            raise
        return done

    def _removing_units(self, collection: _Collection) -> Iterator[None]:
        """Removes what is listed; after each unit of work there may be a pause."""
        self._cursor.execute(_SQL_COUNT)
        self._collections_made += 1
        while True:
            rows = self._cursor.execute(_SQL_GARBAGE, (IDS_AT_ONCE,)).fetchall()
            if not rows:
                break
            ids = [cast("int", row[0]) for row in rows]
            bound = self._cursor.execute(_SQL_BOUND, (json.dumps(ids), ROWS_AT_ONCE - 1)).get
            if bound is not None:
                self._cursor.execute(_SQL_REMOVE_RANGE, bound)
                ids = [garbage for garbage in ids if garbage < cast("int", bound[0])]
            self._remove(ids, collection)
            yield
        self._cursor.execute(_SQL_REMOVE_CODE, (json.dumps(list(self._codes_known)),))
        collection.removed["codes"] += self._connection.changes()
        self._cursor.execute(_SQL_REMOVE_SOURCES)

    def _remove(self, ids: list[int], collection: _Collection) -> None:
        listed = (json.dumps(ids),)
        for statement in _SQL_REMOVE_ALL:
            self._cursor.execute(statement, listed)
        for kind, statement in zip(_KINDS, _SQL_REMOVE, strict=True):
            self._cursor.execute(statement, listed)
            collection.removed[kind] += self._connection.changes()

    # With the other parts

    def _insert_image(
        self, image: StoredImage, facts: Facts, signature: bytes, pieces: list[Piece]
    ) -> None:
        collection = self._collection
        known = collection is not None and self._newest_image() == collection.newest_image
        super()._insert_image(image, facts, signature, pieces)
        if collection is not None and known:
            # It refers to what the VM holds, and what the VM holds is marked.
            collection.newest_image = self._newest_image()

    def _before_commit(self) -> None:
        super()._before_commit()
        collection = self._collection
        if collection is not None:
            self._own_commit = collection.state + 1 if self.state == collection.state else 0

    def _after_commit(self) -> None:
        super()._after_commit()
        if self._collection is not None and self._changed:
            if self._own_commit:
                self._collection.state = self._own_commit
            else:
                self._forget_collection()

    def _newest_image(self) -> int:
        with self._reading:
            newest = self._cursor.execute("SELECT max(id) FROM images").get
        return cast("int | None", newest) or 0

    def _free_bytes(self) -> int:
        with self._reading:
            pages = cast("int", self._cursor.execute("PRAGMA freelist_count").get)
            return pages * cast("int", self._cursor.execute("PRAGMA page_size").get)


def _exhausted(units: Iterable[None], until: float) -> bool:
    """Works until a moment, one unit at least; whether all was done."""
    return all(time.monotonic() < until for _ in units)


def _report(on_progress: Progress | None, phase: str, count: int) -> None:
    if on_progress is not None:
        on_progress(phase, count)
