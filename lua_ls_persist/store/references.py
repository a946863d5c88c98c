"""Which ids are referred to by what is written: for collection, here and in other sessions.

Collection removes what no root reaches and no image refers to. A session's program may still hold
such a table, and store it again. This part notices: nothing that refers to what is gone is ever
committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.failures import damaged
from lua_ls_persist.store.rows import FUNCTION, TABLE, Entry, Native
from lua_ls_persist.store.unpacking import Unpacking

_SQL_COLLECTIONS = "SELECT value FROM counters WHERE name = 'collections'"
_SQL_GONE = """
    SELECT value FROM json_each(?)
    WHERE value NOT IN (SELECT id FROM tables) AND value NOT IN (SELECT id FROM functions)
        AND value NOT IN (SELECT id FROM cells)
    LIMIT 1
    """


_REFERENCES = (FUNCTION, TABLE)


def referred_to(
    sets: Iterable[Entry],
    metatables: Iterable[tuple[int | None, int]],
    cells: Iterable[tuple[int, int, Native]],
) -> set[int]:
    """The ids of tables and functions that these rows refer to."""
    ids: set[Native] = set()
    for _, key_kind, key, kind, value in sets:
        if kind in _REFERENCES:
            ids.add(value)
        if key_kind in _REFERENCES:
            ids.add(key)
    ids.update(metatable for metatable, _ in metatables)
    ids.update(value for _, kind, value in cells if kind in _REFERENCES)
    return {value for value in ids if isinstance(value, int)}


class References(Unpacking):
    """Watches references while that is necessary, which is seldom."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._collections_seen = 0
        self._collections_made = 0
        """By the present transaction."""
        self._collected_by_others = False
        """Somebody else has removed something since we opened the file."""
        self._marking = False
        """A collection of our own is under way, and must hear of every reference."""
        self._referred_to: set[int] = set()
        """What the transaction's writes refer to, while that matters."""
        self._at_savepoints: list[tuple[set[int], int]] = []
        """That, and the collections made, when each savepoint was begun."""

    @property
    def collections(self) -> int:
        """How many collections there have been in this file, as far as this session has noticed.

        It notices whenever it writes.
        """
        return self._collections_seen

    def _on_open(self, connection: apsw.Connection) -> None:
        super()._on_open(connection)
        self._collections_seen = self._collections(connection)

    def _on_upgrade(self) -> None:
        super()._on_upgrade()
        # Nobody else can collect from here to the end of the transaction.
        collections = self._collections(self._connection)
        if collections != self._collections_seen:
            self._collections_seen = collections
            self._collected_by_others = True

    def savepoint(self) -> None:
        super().savepoint()
        self._at_savepoints.append((set(self._referred_to), self._collections_made))

    def release(self) -> None:
        super().release()
        self._at_savepoints.pop()

    def rollback_to(self) -> None:
        super().rollback_to()
        self._referred_to, self._collections_made = self._at_savepoints.pop()

    def _after_commit(self) -> None:
        super()._after_commit()
        self._collections_seen += self._collections_made
        self._forget_transaction()

    def _after_rollback(self) -> None:
        super()._after_rollback()
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self._collections_made = 0
        self._referred_to.clear()
        self._at_savepoints.clear()

    def _note_writes(
        self,
        sets: Sequence[Entry],
        new_tables: Sequence[tuple[int]],
        metatables: Sequence[tuple[int | None, int]],
        cells: Sequence[tuple[int, int, Native]],
    ) -> None:
        """Called with whatever an evaluation writes."""
        if self._collected_by_others or self._marking:
            ids = referred_to(sets, metatables, cells)
            if self._marking:
                self._mark(ids.union(row[0] for row in new_tables))
            if self._collected_by_others:
                # What is written into must be there, too.
                self._referred_to.update(ids, (row[0] for row in sets))

    def _note_function(self, function_id: int, cells: Iterable[int]) -> None:
        """Called with each function that is defined, before its cells may be there."""
        if self._marking:
            self._mark({function_id, *cells})

    def _mark(self, ids: set[int]) -> None:
        """For collection: these must not be removed, whatever it has seen so far."""

    def _before_commit(self) -> None:
        super()._before_commit()
        if self._referred_to:
            gone = self._connection.execute(_SQL_GONE, (json.dumps(list(self._referred_to)),)).get
            if gone is not None:
                raise StoreError(
                    f"A table or function (number {gone}) is no longer in {self._name}: only this "
                    "session's program held it, and another session removed what nothing stored "
                    "refers to. Store a copy instead."
                )

    def _collections(self, connection: apsw.Connection) -> int:
        count = connection.execute(_SQL_COLLECTIONS).get
        if not isinstance(count, int):
            raise StoreError(damaged(self._name, "the counter collections is missing"))
        return count
