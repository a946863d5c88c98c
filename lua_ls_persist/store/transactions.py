"""Transactions on the session's file: begun, nested, committed, rolled back, and who else writes.

The other parts of the store stand on this one: `Transactions` owns the connection. It knows no
tables but the counters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final

import apsw

from lua_ls_persist.errors import StoreChangedError, StoreError
from lua_ls_persist.store.failures import Explained, damaged, explained
from lua_ls_persist.store.opening import MEMORY_NAME, number, open_connection
from lua_ls_persist.store.read_only import NEXT_STEP, READ_ONLY, Untouched
from lua_ls_persist.store.walindex import ReadHeader, header_reader

BUSY_TIMEOUT_MS = 2_000
"""How long to wait for another program that holds the file's lock."""

STEPS_BETWEEN_LOOKS: Final = 100_000
"""After so many steps of SQLite's machine, which take a few milliseconds, `stopping` is asked."""

LOOKS_BEFORE_HEADER: Final = 3
"""How often SQLite is asked whether somebody has committed before a quicker way is looked for."""

SAVEPOINTS_MAX: Final = 200
"""How deep transactions nest. SQLite's own cost grows with the depth."""

_SQL_COUNTER = "SELECT value FROM counters WHERE name = ?"
_SQL_RESERVE = "UPDATE counters SET value = value + ?1 WHERE name = 'next_id' RETURNING value - ?1"
# Touches the row so that the transaction becomes a writing one, whatever is written afterwards.
_SQL_UPGRADE = "UPDATE counters SET value = value WHERE name = 'commits'"
_SQL_COMMITS = "UPDATE counters SET value = value + 1 WHERE name = 'commits'"


class Transactions:
    """The connection and the transaction it is in. Used by one thread at a time."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        self._path = path
        self._name = MEMORY_NAME if path is None else str(path)
        self._absolute = "" if path is None else str(path.absolute())
        self._busy_timeout_ms = busy_timeout_ms
        self._closed = False
        self._reading = Explained(self._name)
        self._writing = _Writing(self)
        self._begun = False
        self._upgraded = False
        """Whether the transaction holds the write lock."""
        self._changed = False
        """Whether the transaction changed data: the state will be another one."""
        self._broken = False
        """A statement failed: nothing but `rollback` is allowed."""
        self._savepoints: list[bool] = []
        """For each savepoint, `_changed` as it was."""
        self._place: tuple[int, int] | None = None
        """Which file it is that was opened: its device and its number there."""
        self._version_told = 0
        """SQLite's data version when the caller was last told whether others committed."""
        self._version_snapshot = 0
        self._read_header: ReadHeader | None = None
        self._header: bytes | None = None
        """The WAL index's header before the caller was last told, outside of a transaction."""
        self._looks = 0
        self._stopping: Callable[[], bool] | None = None
        self._read_only = ""
        self._untouched: Untouched | None = None

    @cached_property
    def _connection(self) -> apsw.Connection:
        """Opened when it is first used: most sessions in memory never use theirs."""
        with self._reading:
            if self._closed:
                raise apsw.ConnectionClosedError("closed")
            opened = open_connection(self._path, busy_timeout_ms=self._busy_timeout_ms)
            connection = opened.connection
            self._untouched = opened.untouched
            if opened.is_read_only:
                self._read_only = READ_ONLY.format(self._name)
            self._on_open(connection)
            if self._stopping is not None:
                connection.set_progress_handler(self._stopping, STEPS_BETWEEN_LOOKS)
        return connection

    @cached_property
    def _cursor(self) -> apsw.Cursor:
        """For statements whose rows are fetched before the next one runs."""
        return self._connection.cursor()

    def _connect(self) -> None:
        """Opens the file now, so that what is wrong with it is said now."""
        assert self._connection is not None

    def stop_when(self, stopping: Callable[[], bool]) -> None:
        """From now on a statement that takes long fails when `stopping` says so.

        It is asked every few milliseconds.
        """
        self._stopping = stopping
        if "_connection" in self.__dict__:
            self._connection.set_progress_handler(stopping, STEPS_BETWEEN_LOOKS)

    def _go_on(self) -> None:
        """Asked between statements none of which takes long.

        Raises:
            StoreError: what runs is to stop.
        """
        if self._stopping is not None and self._stopping():
            raise StoreError("It was stopped, and nothing was changed.")

    @property
    def path(self) -> Path | None:
        """The file, or None for a database in memory."""
        return self._path

    @property
    def read_only(self) -> str:
        """The sentence that nothing can be stored in this file; empty where it can be written."""
        return self._read_only

    def close(self) -> None:
        """Closes the file. Idempotent; an open transaction is rolled back."""
        self._closed = True
        self._begun = False
        self._read_header = None
        if "_connection" in self.__dict__:
            self._connection.close(force=True)

    # Transactions

    @property
    def in_transaction(self) -> bool:
        """Whether `begin` was called, and neither `commit` nor `rollback` after it."""
        return self._begun

    def begin(self, *, write: bool = False) -> None:
        """Begins a transaction: from now on the data are as they are at this moment.

        Without `write` nothing is locked until something is written. That first write fails with
        `StoreChangedError` if somebody else committed since, or is writing now. With `write`,
        this call waits for the lock, and no later write can lose a race.

        Raises:
            StoreError: the lock was not to be had within the busy timeout; or the file is
                read-only, and `write` is asked for.
        """
        assert not self._begun, "transactions nest by savepoint"
        if write:
            self._check_writable()
        with self._reading:
            if self._connection.in_transaction:  # see `rollback`
                self._cursor.execute("ROLLBACK")
            self._cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            self._begun = True
            self._upgraded = self._changed = self._broken = False
            self._savepoints.clear()
            try:
                # Reading anything takes the snapshot, and this says which one it is.
                self._version_snapshot = self._data_version()
                if write:
                    self._on_upgrade()
                    self._upgraded = True
            except BaseException:
                self.rollback()
                raise

    def commit(self) -> bool:
        """Makes the transaction durable; True if it changed data, and `state` with it.

        After an exception nothing was committed, and `rollback` is still to be called.
        """
        assert self._begun, "there is no transaction"
        if self._broken:
            raise self._broken_error()
        with self._writing:
            if self._changed:
                self._before_commit()
                self._cursor.execute(_SQL_COMMITS)
            self._cursor.execute("COMMIT")
        self._begun = False
        self._after_commit()
        return self._changed

    def rollback(self) -> None:
        """Undoes the transaction. Never raises; without a transaction it does nothing."""
        self._begun = self._upgraded = self._changed = self._broken = False
        self._savepoints.clear()
        self._after_rollback()
        if "_connection" not in self.__dict__ or self._closed:
            return
        # SQLite may have rolled back by itself, for instance when the disk was full.
        if self._connection.in_transaction:
            # There may be no memory for this statement. The next `begin` tries again; until then
            # nothing is committed.
            with suppress(apsw.Error, MemoryError):
                self._cursor.execute("ROLLBACK")

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """A block that is one transaction: committed at its end, rolled back by an exception."""
        self.begin(write=write)
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def savepoint(self) -> None:
        """Begins an inner transaction; they nest."""
        assert self._begun, "there is no transaction"
        depth = len(self._savepoints)
        if depth == SAVEPOINTS_MAX:
            raise StoreError(f"Transactions nest at most {SAVEPOINTS_MAX} deep.")
        self._execute_inner(f"SAVEPOINT s{depth}")
        self._savepoints.append(self._changed)

    def release(self) -> None:
        """Ends the innermost savepoint and keeps what was done."""
        assert self._savepoints, "there is no savepoint"
        self._savepoints.pop()
        self._execute_inner(f"RELEASE s{len(self._savepoints)}")

    def mend(self) -> None:
        """What was refused in the innermost savepoint has broken nothing: it is undone next."""
        if self._connection.in_transaction:
            self._broken = False

    def rollback_to(self) -> None:
        """Ends the innermost savepoint and undoes what was done since."""
        assert self._savepoints, "there is no savepoint"
        changed = self._savepoints.pop()
        depth = len(self._savepoints)
        self._execute_inner(f"ROLLBACK TO s{depth}")
        self._execute_inner(f"RELEASE s{depth}")
        self._changed = changed

    # Counters

    def changed_by_others(self) -> bool:
        """Whether somebody else committed since this was last asked (or since opening).

        In a transaction the answer is about what this transaction sees, so that nothing can come
        in between: ask after `begin`. A transaction that sees changes which its caller was not
        told of cannot write, unless it was begun to write.
        """
        if self._begun:
            version = self._version_snapshot
        else:
            header = None if self._read_header is None else self._read_header()
            if header is not None and header == self._header:
                return False  # nobody has committed, nor have we, since the version was asked for
            with self._reading:
                version = self._data_version()
            self._remember(header)
        told, self._version_told = self._version_told, version
        return version != told

    def _remember(self, header: bytes | None) -> None:
        """The version was asked for after this header was read."""
        self._header = header
        if self._read_header is None and self._path is not None:
            self._looks += 1
            if self._looks == LOOKS_BEFORE_HEADER:  # sessions that end soon need not search for it
                self._read_header = header_reader(self._path)

    @property
    def rows_written(self) -> int:
        """Grows whenever this connection writes, be it only definitions; costs nothing to ask."""
        return self._connection.total_changes() if "_connection" in self.__dict__ else 0

    @property
    def state(self) -> int:
        """How many transactions changed the data of this file, ever."""
        return self._counter("commits")

    def reserve(self, count: int) -> int:
        """Takes ids for tables, functions and cells; the first of so many, one after another.

        They belong to the caller once the transaction is committed.
        """
        assert count > 0
        with self._written():
            first = self._cursor.execute(_SQL_RESERVE, (count,)).get
        assert isinstance(first, int)
        return first

    def _counter(self, name: str) -> int:
        with self._reading:
            value = self._cursor.execute(_SQL_COUNTER, (name,)).get
        if not isinstance(value, int):
            raise StoreError(damaged(self._name, f"the counter {name} is missing"))
        return value

    def _check_writable(self) -> None:
        if self._read_only:
            raise StoreError(f"{self._read_only} {NEXT_STEP}")

    def _data_version(self) -> int:
        if self._untouched is not None:
            self._untouched.check()
        version = self._cursor.execute("PRAGMA data_version").get
        assert isinstance(version, int)
        return version

    # For the parts that stand on this one

    def _on_open(self, connection: apsw.Connection) -> None:
        """For parts that look at something when the file is opened."""
        self._version_told = number(connection, "PRAGMA data_version")
        self._place = self._present_place()

    def _written(self) -> _Writing:
        """The block in which something is written that is not data."""
        if not self._upgraded or self._broken:
            self._upgrade()
        return self._writing

    def _change(self) -> _Writing:
        """The block in which data are written."""
        if not self._upgraded or self._broken:
            self._upgrade()
        self._changed = True
        return self._writing

    def _upgrade(self) -> None:
        """Takes the write lock, or says that the transaction came too late."""
        assert self._begun, "writing takes a transaction"
        if self._broken:
            raise self._broken_error()
        self._check_writable()
        if self._version_snapshot != self._version_told:
            self._broken = True
            raise StoreChangedError(_CHANGED.format(self._name))
        try:
            with self._writing:
                self._cursor.execute(_SQL_UPGRADE)
                self._on_upgrade()
        except StoreError as error:
            if isinstance(error.__cause__, apsw.BusyError):
                raise StoreChangedError(_CHANGED.format(self._name)) from error.__cause__
            raise
        self._upgraded = True

    def _on_upgrade(self) -> None:
        """For parts that look at something when a transaction begins to write."""
        # SQLite does not notice, and goes on writing to a file that nobody will ever find.
        if self._present_place() != self._place:
            raise StoreError(
                f"{self._name} was deleted, moved or replaced while it was open, so nothing more "
                "can be stored in it. Save what this session has by a backup, then open it again."
            )

    def _present_place(self) -> tuple[int, int] | None:
        """Which file has the name at this moment; None if there is none."""
        if self._path is None:
            return None
        try:
            status = os.stat(self._absolute)  # noqa: PTH116  (in every transaction: the fast way)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _before_commit(self) -> None:
        """For parts that check what was written; what they raise stops the commit."""

    def _after_commit(self) -> None:
        """For parts that remember something about what is committed."""

    def _after_rollback(self) -> None:
        """For parts that remember something about the transaction."""

    def _execute_inner(self, statement: str) -> None:
        if self._broken:
            raise self._broken_error()
        with self._writing:
            self._cursor.execute(statement)

    def _broken_error(self) -> StoreError:
        return StoreError(
            f"An earlier statement on {self._name} failed, so this transaction can only be "
            "rolled back."
        )


_CHANGED = "{} was changed by another session since this transaction began. Begin again."


class _Writing:
    """In this block the store is written to: an exception breaks the transaction."""

    __slots__ = ("_store",)

    def __init__(self, store: Transactions) -> None:
        self._store = store

    def __enter__(self) -> None:
        """Makes sure that SQLite has not rolled back, or each statement would commit itself."""
        store = self._store
        if not store._connection.in_transaction:
            store._broken = True
            raise store._broken_error()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Notes that the transaction is broken, and explains."""
        if error is not None:
            store = self._store
            store._broken = True
            explanation = explained(error, store._name)
            if explanation is not None:
                raise explanation from error
