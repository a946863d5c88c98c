"""Where a text is looked for: in the same places, whatever is asked of the rows that have it."""

from __future__ import annotations

from lua_ls_persist.session.runner import Runner
from lua_ls_persist.store.grid_facts import COLUMNS_MAX
from lua_ls_persist.store.searching import EVERY_ROW, Search


def search_of(runner: Runner, of_table: int, text: str) -> Search:
    """Where a text is looked for: in the key, and in the columns that `rows` shows by itself."""
    if text == "":
        return EVERY_ROW
    return Search(text, tuple(field for field, _ in runner.store.columns(of_table)[:COLUMNS_MAX]))
