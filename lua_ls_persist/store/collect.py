"""Removing what nothing reaches any more: all at once, or step by step in idle time.

The roots are the named tables, what images and the history refer to, and what the caller adds (what
its VM holds). What is reached is marked (`marking`); then the ids without a mark are listed, then
they are removed.

Step by step, evaluations run in between. Those of this session tell `_mark` of every reference that
they write, so what was looked into before needs no second look. When another session has changed
the data, the marks mean nothing, and the collection begins again. Nothing is removed except under
the write lock, after checking that the data are those the marks are of.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias, cast

from lua_ls_persist.model import Collected
from lua_ls_persist.store.images import Facts, Piece
from lua_ls_persist.store.marking import (
    IDS_AT_ONCE,
    KINDS,
    ROWS_AT_ONCE,
    SQL_BOUND,
    Collection,
    Marking,
    exhausted,
)
from lua_ls_persist.store.rows import StoredImage

STEP_BUDGET_MS: Final = 20
"""How long a step lasts, roughly. A pause of 50 ms would be felt."""

DISTURBANCES_MAX: Final = 5
"""A collection that has to begin again more often is given up."""

Progress: TypeAlias = Callable[[str, int], None]
"""Called with what is being done ("marking", "listing", "removing") and how much of it is."""

_SQL_FORGET = "DELETE FROM temp.marked"

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


class Collect(Marking):
    """Collects."""

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
                self._go_on()
                _report(on_progress, "marking", collection.looked_into)
            for _ in self._listing_units(collection):
                self._go_on()
                _report(on_progress, "listing", collection.listed_to)
            for _ in self._removing_units(collection):
                self._go_on()
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
            if collection.phase == "listing" and exhausted(self._listing_units(collection), until):
                collection.phase = "removing"
        if collection.phase == "removing" and self._remove_until(collection, until):
            self._forget_collection()
            with self._reading:
                self._cursor.execute(_SQL_FORGET)
            return collection.result(self._free_bytes())
        return None

    # Listing

    def _listing_units(self, collection: Collection) -> Iterator[None]:
        """Lists what is not marked; after each unit of work there may be a pause."""
        while collection.kind < len(KINDS):
            kind = KINDS[collection.kind]
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

    def _remove_until(self, collection: Collection, until: float) -> bool:
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
                done = exhausted(self._removing_units(collection), until)
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

    def _removing_units(self, collection: Collection) -> Iterator[None]:
        """Removes what is listed; after each unit of work there may be a pause."""
        self._cursor.execute(_SQL_COUNT)
        self._collections_made += 1
        while True:
            rows = self._cursor.execute(_SQL_GARBAGE, (IDS_AT_ONCE,)).fetchall()
            if not rows:
                break
            ids = [cast("int", row[0]) for row in rows]
            bound = self._cursor.execute(SQL_BOUND, (json.dumps(ids), ROWS_AT_ONCE - 1)).get
            if bound is not None:
                self._cursor.execute(_SQL_REMOVE_RANGE, bound)
                ids = [garbage for garbage in ids if garbage < cast("int", bound[0])]
            self._remove(ids, collection)
            yield
        self._cursor.execute(_SQL_REMOVE_CODE, (json.dumps(list(self._codes_known)),))
        collection.removed["codes"] += self._connection.changes()
        self._cursor.execute(_SQL_REMOVE_SOURCES)

    def _remove(self, ids: list[int], collection: Collection) -> None:
        listed = (json.dumps(ids),)
        for statement in _SQL_REMOVE_ALL:
            self._cursor.execute(statement, listed)
        for kind, statement in zip(KINDS, _SQL_REMOVE, strict=True):
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


def _report(on_progress: Progress | None, phase: str, count: int) -> None:
    if on_progress is not None:
        on_progress(phase, count)
