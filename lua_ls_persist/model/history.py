"""The history: evaluations, what undo and redo did, what is not the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lua_ls_persist.model.evaluations import Value


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An evaluation that changed what is stored."""

    number: int
    """They only grow; not every number is that of an evaluation."""
    own: bool
    """Whether undo comes to it: this session made it, or it was there when this one was opened."""
    made_utc: str
    """When, as ISO 8601 has it."""
    name: str
    """What the chunk was called; in parentheses what was no chunk: `(call)`, `(drop)`."""
    source: str
    """Its source; the first 16 KiB of it."""
    source_bytes: int
    """How long the source was."""
    entries_set: int
    entries_deleted: int
    tables_made: int
    functions_made: int
    upvalues_set: int
    """What it did. Written twice is counted twice, where it was sent to the store in between."""
    keys: tuple[str, ...]
    """The first of the places that it changed: `Memory.users.ann`. What is inside of a table that
    it made itself is not among them."""
    bytes: int
    """What it makes the file larger, at most: notes of what was there, and what it wrote, which is
    kept while the history refers to it."""
    undoable: bool
    """Whether the history has all it takes to undo it."""
    undone: bool
    """Whether it is undone at present; `Session.redo` would bring it back."""


@dataclass(frozen=True, slots=True)
class Went:
    """What undo or redo did."""

    evaluations: tuple[HistoryEntry, ...]
    """The evaluations that were undone or redone, in the order in which that was done."""
    vm: Literal["restored", "fresh", "kept"]
    """`restored`: it is what it was. `fresh`: that was not known any more, so a new one went on
    from the stored data. `kept`: it stays as it is, for the VM had nothing to do with it."""
    text: str
    """All of this in a sentence."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is stored, at two points of the history."""

    place: str
    """A path, `Memory.users.ann`, or words where there is none."""
    before: Value
    after: Value
    """None: it was not there. A table, here, is as it is now."""
