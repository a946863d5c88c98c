"""What has changed, as far as the history tells: which tables are to be looked at again.

Owns the comparison of the history as it was with the history as it is. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lua_ls_persist.errors import SessionError
from lua_ls_persist.paths import keys_of

if TYPE_CHECKING:
    from lua_ls_persist.model import HistoryEntry

ENTRIES_LOOKED_AT: Final = 50
KEYS_TOLD_MAX: Final = 20
"""So many places an entry of the history tells; one that has as many may have changed others."""


@dataclass(frozen=True, slots=True)
class DataChange:
    """What is to be looked at again; `tables` are names, None: any of them."""

    tables: list[str] | None
    functions: bool


ANYTHING: Final = DataChange(None, functions=True)


class ChangedTables:
    """Tells which tables have changed since it was asked last."""

    def __init__(self) -> None:
        self._known: dict[int, HistoryEntry] | None = None
        """The newest evaluations; None: nobody has looked yet."""

    def look(self, entries: Sequence[HistoryEntry] | None) -> DataChange:
        """What has changed, by the newest entries of the history; None: they cannot be had."""
        known = self._known
        if entries is None:
            self._known = None
            return ANYTHING
        present = self._known = {entry.number: entry for entry in entries}
        if known is None:
            return ANYTHING
        changed = [
            entry
            for entry in entries
            if entry.number not in known or known[entry.number].undone is not entry.undone
        ]
        # Not in the history, more than was looked at, or forgotten: that may be anything.
        if not changed or (known and not known.keys() & present.keys()):
            return ANYTHING
        # What was undone is forgotten when something else is written.
        oldest = min(present)
        changed += [
            entry
            for number, entry in known.items()
            if number not in present and number > oldest and not entry.undone
        ]
        tables = _tables_of(changed)
        touches_functions = any(
            entry.functions_made or entry.entries_deleted or entry.upvalues_set or entry.undone
            for entry in changed
        )
        return DataChange(tables, functions=touches_functions or tables is None)


def _tables_of(entries: Sequence[HistoryEntry]) -> list[str] | None:
    names: set[str] = set()
    for entry in entries:
        if not entry.keys or len(entry.keys) >= KEYS_TOLD_MAX:
            return None
        for key in entry.keys:
            try:
                names.add(str(keys_of(key)[0]))
            except SessionError:  # words tell it: an upvalue, a table that no root reaches
                return None
    return sorted(names)
