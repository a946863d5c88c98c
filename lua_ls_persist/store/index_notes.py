"""What a transaction's writes to a table with indexes mean for these, until it is settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lua_ls_persist.store.index_forms import Form, Item
from lua_ls_persist.store.index_rows import Plan, RowKey
from lua_ls_persist.store.rows import Value


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored for a row: for each of the indexes, and the tables that it consists of."""

    items: tuple[tuple[Item, ...], ...]
    members: tuple[int, ...]


NOTHING: Final = Stored((), ())


@dataclass(slots=True)
class Kept:
    """The indexes of one table, and what was noted about it."""

    plan: Plan
    forms: tuple[Form, ...]
    before: dict[RowKey, tuple[Value, Stored]] = field(default_factory=dict)
    """Of each row that was there and was written to, its value and what is stored."""
    after: dict[RowKey, Value | None] = field(default_factory=dict)
    """The values of rows that come or get another one; None of those that go."""
    cleared: bool = False
    """All rows that the indexes know are gone."""
    is_new: bool | None = None
    """Whether the table had no rows when it was first written to."""
    known: set[RowKey] | None = None
    """The rows that it had then, if they are few and many are written."""
    last_integer: int | None = None
    """The greatest integer that was a row's key then."""

    @property
    def has_notes(self) -> bool:
        return bool(self.before or self.after or self.cleared)

    def forget(self) -> None:
        self.before.clear()
        self.after.clear()
        self.cleared = False
        self.is_new = self.known = self.last_integer = None


def same_items(old: tuple[Item, ...], new: tuple[Item, ...]) -> bool:
    """Whether items are the same to the bit: 1 is not 1.0 here."""
    if old != new:
        return False
    if not any(isinstance(part, float) for items in (old, new) for item in items for part in item):
        return True
    return repr(old) == repr(new)
