"""How parts of the store follow what evaluations write: indexes, schemas, the history.

A watcher sees each batch of changes twice, before and after it is written, and each commit before
it is made, all inside of the transaction. What it raises fails the write, and so the evaluation.
Nothing is called for while no part watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

from lua_ls_persist.store.references import References
from lua_ls_persist.store.rows import Entry, Key, Native

IndexKey: TypeAlias = tuple[str, str, str]
"""What an index is told apart by: its path, its fields, as the store keeps them, and its kind."""


@dataclass(frozen=True, slots=True)
class Changes:
    """One batch; see `Entries.apply`. `cleared` are tables that lose all their entries."""

    sets: Sequence[Entry] = ()
    deletes: Sequence[Key] = ()
    new_tables: Sequence[tuple[int]] = ()
    metatables: Sequence[tuple[int | None, int]] = ()
    cells: Sequence[tuple[int, int, Native]] = ()
    cleared: Sequence[int] = ()
    functions: Sequence[int] = ()
    roots: Sequence[tuple[str, int]] = ()
    """(name, table's id, or 0 where the name goes)"""
    versions: Sequence[tuple[str, int]] = ()
    """(path, version), which a table is migrated to, or forgotten to be"""
    schemas: Sequence[str] = ()
    """The paths, as the store keeps them, of schemas that are set or removed"""
    indexes: Sequence[IndexKey] = ()
    """Indexes that are made or dropped"""


class Watcher(Protocol):
    """A part that follows what is written."""

    def before(self, changes: Changes) -> None:
        """These changes are about to be written; the data are as they were."""

    def after(self, changes: Changes) -> None:
        """They have been written."""

    def committing(self) -> None:
        """The transaction is about to be committed, and has changed data."""

    def ended(self, *, committed: bool) -> None:
        """The transaction has ended."""

    def savepoint(self) -> None:
        """An inner transaction begins."""

    def released(self) -> None:
        """The innermost transaction is kept."""

    def rolled_back(self) -> None:
        """The innermost transaction is undone."""


class Watched(References):
    """Calls the watchers."""

    @cached_property
    def _watchers(self) -> list[Watcher]:
        return []

    def watch(self, watcher: Watcher) -> None:
        """From now on this one is called, after those that came before."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """It is not called any more."""
        self._watchers.remove(watcher)

    def _watching(self, changes: Callable[[], Changes]) -> AbstractContextManager[None]:
        """The block in which changes are written; nobody is told of them if nobody watches."""
        return self._told(changes()) if self._watchers else nullcontext()

    @contextmanager
    def _told(self, changes: Changes) -> Iterator[None]:
        for watcher in self._watchers:
            watcher.before(changes)
        yield
        for watcher in self._watchers:
            watcher.after(changes)

    def _before_commit(self) -> None:
        for watcher in self._watchers:
            watcher.committing()
        super()._before_commit()

    def _after_commit(self) -> None:
        super()._after_commit()
        for watcher in self._watchers:
            watcher.ended(committed=True)

    def _after_rollback(self) -> None:
        super()._after_rollback()
        for watcher in self._watchers:
            watcher.ended(committed=False)

    def savepoint(self) -> None:
        """Begins an inner transaction; they nest."""
        super().savepoint()
        for watcher in self._watchers:
            watcher.savepoint()

    def release(self) -> None:
        """Ends the innermost savepoint and keeps what was done."""
        super().release()
        for watcher in self._watchers:
            watcher.released()

    def rollback_to(self) -> None:
        """Ends the innermost savepoint and undoes what was done since."""
        super().rollback_to()
        for watcher in self._watchers:
            watcher.rolled_back()
