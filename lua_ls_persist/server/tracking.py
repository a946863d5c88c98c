"""How places in a text move when the text is edited.

Owns the rules of when an edit leaves a tracked range alone, shifts it, or ends it. Must not know
what is tracked. Calva and Julia for VS Code do the same: results above and below an edit stay,
those of the edited code go.
"""

from __future__ import annotations

from collections.abc import Iterable

from lua_ls_persist.server.documents import Edit
from lua_ls_persist.server.positions import Position, Range

_BREAKS = ("\n", "\r")


def moved_position(position: Position, edit: Edit) -> Position:
    """Where a place is after an edit; places inside the replaced text go to its new end."""
    if position < edit.old.start:
        return position
    if position <= edit.old.end:
        return edit.new_end
    rows = edit.new_end.row - edit.old.end.row
    if position.row != edit.old.end.row:
        return Position(position.row + rows, position.column)
    columns = edit.new_end.column - edit.old.end.column
    return Position(position.row + rows, position.column + columns)


def moved_range(range_: Range, edit: Edit) -> Range | None:
    """Where a range of code is after an edit, or None if the edit touched it.

    Text typed on the same row right before or behind the range touches it as well, because it may
    continue the code: `x = 1` becomes `x = 1 + y`. A line break typed there does not.
    """
    if edit.old.empty and not edit.text:
        return range_
    if edit.old.start >= range_.end:
        behind_it = edit.old.start.row == range_.end.row and not edit.text.startswith(_BREAKS)
        return None if behind_it else range_
    if edit.old.end <= range_.start:
        if edit.old.end.row == range_.start.row and not _leaves_row_start(edit):
            return None
        return Range(moved_position(range_.start, edit), moved_position(range_.end, edit))
    return None


def _leaves_row_start(edit: Edit) -> bool:
    """Whether what follows the edit on its last row is still preceded by nothing but blanks."""
    last = edit.text.replace("\r", "\n").rpartition("\n")
    if last[2].strip():
        return False
    return bool(last[1]) or edit.old.start.column == 0


def moved_row(row: int, edit: Edit) -> int | None:
    """Where a row is after an edit, or None if nothing of it is left."""
    if edit.old.start.row > row:
        return row
    if edit.old.end.row < row:
        return row + edit.new_end.row - edit.old.end.row
    if edit.old.end.row == row and (edit.old.end.column == 0 or edit.old.start.row < row):
        return edit.new_end.row
    if edit.old.start.row != row or (edit.old.start.column == 0 and edit.old.end.row > row):
        return None
    return row


def row_after(row: int, edits: Iterable[Edit]) -> int | None:
    """Where a row is after several edits, in order."""
    place: int | None = row
    for edit in edits:
        if place is None:
            return None
        place = moved_row(place, edit)
    return place
