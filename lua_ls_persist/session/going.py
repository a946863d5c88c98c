"""Undo and redo of store and VM together.

The store goes by what its history has noted. The VM becomes what it was, where this session still
has that in memory; otherwise a fresh one goes on from the store, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from lua_ls_persist.errors import (
    SchemaViolationError,
    SessionError,
    StoreError,
    UniqueViolationError,
)
from lua_ls_persist.model import HistoryEntry, Went
from lua_ls_persist.session.points import State
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.store import Recorded, Store
from lua_ls_persist.vm import Image

_Move: TypeAlias = Callable[[int, "State | None"], "State | None"]


def undo(runner: Runner, count: int) -> tuple[Went, Image | None]:
    """Undo in the store; what happened, and what the VM is to be, unless it stays or is fresh."""
    return _go(runner, count, Store.undo, runner.points.undone, "undone", "undo")


def redo(runner: Runner, count: int) -> tuple[Went, Image | None]:
    """The same for redo."""
    return _go(runner, count, Store.redo, runner.points.redone, "redone", "redo")


def _go(
    runner: Runner,
    count: int,
    step: Callable[[Store], int | None],
    move: _Move,
    done: str,
    name: str,
) -> tuple[Went, Image | None]:
    if count < 1:
        raise SessionError(f"count is {count}; it must be 1 or more")
    numbers: list[int] = []
    entries: list[HistoryEntry] = []
    with (
        _named_refusal(numbers, done),
        runner.persistence.own_transaction(changes_entries=True) as store,
    ):
        before = {row.number: row for row in store.history(limit=-1, keys_max=0)}
        while len(numbers) < count:
            number = step(store)
            if number is None:
                break
            numbers.append(number)
            entries.append(entry_of(before[number]))
    if not numbers:
        return Went((), "kept", f"There is nothing to {name}."), None
    collections = runner.store.collections
    present = State(0, collections, runner.machine.capture())
    current: State | None = present
    for number in numbers:
        current = move(number, current)
        if current is not None and current.collections != collections:
            current = None
    what = f"Evaluation {numbers[0]} was {done}"
    if len(numbers) > 1:
        what = f"{len(numbers)} evaluations were {done}, from {numbers[0]} to {numbers[-1]}"
    if current is None:
        why = "the VM was begun anew from the stored data, for what it was is not known any more"
        return Went(tuple(entries), "fresh", f"{what}; {why}."), None
    if current is present:
        return Went(tuple(entries), "kept", f"{what}; the VM has nothing to do with it."), None
    return Went(tuple(entries), "restored", f"{what}; the VM is what it was."), current.image


@contextmanager
def _named_refusal(numbers: list[int], done: str) -> Iterator[None]:
    """Says what is in the way: a schema or an index that was defined since."""
    try:
        yield
    except (SchemaViolationError, UniqueViolationError) as error:
        which = f"Evaluation {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} evaluations"
        way = (
            "what was there does not follow a schema that was set later. Take that schema away, or "
            "change it, then try again"
            if isinstance(error, SchemaViolationError)
            else "what was there does not fit an index that was made later. Drop that index, then "
            "try again"
        )
        raise StoreError(f"{which} cannot be {done}: {way}.\n{error}") from error


def entry_of(row: Recorded) -> HistoryEntry:
    """An entry of the history as Python sees it."""
    return HistoryEntry(
        number=row.number,
        own=row.own,
        made_utc=row.made_utc,
        name=row.name,
        source=row.source
        if isinstance(row.source, str)
        else row.source.decode("utf-8", "backslashreplace"),
        source_bytes=row.source_bytes,
        entries_set=row.entries_set,
        entries_deleted=row.entries_deleted,
        tables_made=row.tables_made,
        functions_made=row.functions_made,
        upvalues_set=row.upvalues_set,
        keys=row.keys,
        bytes=row.bytes,
        undoable=row.is_whole,
        undone=row.is_undone,
    )
