"""The commands about the history: looking at it, and going back and forth in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.progress import waited
from lua_ls_persist.cli.stored import opened, opened_to_look, print_json, told
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.jsonable import difference_to_json, entry_to_json, went_to_json
from lua_ls_persist.pretty import one_line

if TYPE_CHECKING:
    from lua_ls_persist.model import HistoryEntry

SOURCE_LENGTH_MAX = 60
"""So much of a source is shown on its line."""
KEYS_SHOWN_MAX = 5


def show(db: Path | None, limit: int, *, with_source: bool, as_json: bool) -> int:
    """Lists the newest evaluations."""
    with opened_to_look(db) as session:
        found = session.history(limit)
    if as_json:
        return print_json([entry_to_json(entry) for entry in found])
    terminal = Terminal()
    for entry in found:
        _show_entry(entry, terminal, with_source=with_source)
    if not found:
        terminal.write_error("The history has no evaluations.\n")
    return exits.SUCCESS


def _show_entry(entry: HistoryEntry, terminal: Terminal, *, with_source: bool) -> None:
    time = entry.made_utc[:19].replace("T", " ")
    undone = "  (undone)" if entry.undone else ""
    terminal.write(f"{entry.number}  {time}  {entry.name}  {changes_text(entry)}{undone}\n")
    keys = list(entry.keys[:KEYS_SHOWN_MAX])
    if len(entry.keys) > KEYS_SHOWN_MAX:
        keys.append("...")
    if keys:
        terminal.write(f"  {', '.join(keys)}\n", style="faint")
    if with_source:
        terminal.lua(f"{entry.source}\n")
        return
    line = " ".join(entry.source.split())
    if len(line) > SOURCE_LENGTH_MAX:
        line = line[:SOURCE_LENGTH_MAX] + "..."
    if line:
        terminal.lua(f"  {line}\n")


def changes_text(entry: HistoryEntry) -> str:
    """What an evaluation did, in numbers: `3 set, 1 deleted, 2 tables`; keys tell the rest."""
    parts = (
        (entry.entries_set, "set"),
        (entry.entries_deleted, "deleted"),
        (entry.tables_made, "tables made"),
        (entry.functions_made, "functions made"),
        (entry.upvalues_set, "upvalues set"),
    )
    return ", ".join(f"{count} {what}" for count, what in parts if count) or "other changes"


def forget(db: Path | None, *, as_json: bool) -> int:
    """Forgets the history."""
    with opened(db) as session:
        count = session.forget_history()
    return told({"forgotten": count}, f"{count} evaluations were forgotten.", as_json=as_json)


def go(db: Path | None, count: int, *, undone: bool, as_json: bool) -> int:
    """Undoes or redoes evaluations."""
    doing = "Undoing" if undone else "Redoing"
    with opened(db) as session, waited(doing):
        went = session.undo(count) if undone else session.redo(count)
    if as_json:
        return print_json(went_to_json(went))
    Terminal().write(f"{went.text}\n")
    return exits.SUCCESS


def diff(db: Path | None, before: int, after: int | None, limit: int, *, as_json: bool) -> int:
    """Shows what differs between two points."""
    with opened_to_look(db) as session, waited("Comparing"):
        found = session.diff(before, after, limit=limit)
    if as_json:
        return print_json([difference_to_json(difference) for difference in found])
    terminal = Terminal()
    for difference in found:
        old, new = one_line(difference.before), one_line(difference.after)
        terminal.write(f"{difference.place}: {old} -> {new}\n")
    if not found:
        terminal.write_error("Nothing differs.\n")
    return exits.SUCCESS
