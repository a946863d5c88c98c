"""Named tables, facts about tables, and by which path a root reaches something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from lua_ls_persist.errors import StoreError
from lua_ls_persist.paths import no_table
from lua_ls_persist.protocol import MEMORY_TABLE_ID
from lua_ls_persist.store.entries import Entries
from lua_ls_persist.store.rows import Root, TableInfo
from lua_ls_persist.store.watching import Changes

MEMORY: Final = "Memory"
"""The root that is always there."""

_SQL_ROOT = "SELECT table_id FROM roots WHERE name = ?"
_SQL_ROOTS = """
    SELECT name, table_id, (SELECT count(*) FROM entries WHERE entries.table_id = roots.table_id)
    FROM roots ORDER BY name
    """
_SQL_INFO = """
    SELECT metatable, (SELECT count(*) FROM entries WHERE table_id = tables.id),
        (SELECT name FROM roots WHERE table_id = tables.id)
    FROM tables WHERE id = ?
    """


class Roots(Entries):
    """Finds tables by name, and names by table."""

    def root(self, name: str, *, create: bool) -> int:
        """The id of the table of that name; 0 if there is none and none is to be made."""
        if name == MEMORY:
            return MEMORY_TABLE_ID
        if not _is_text(name):
            raise StoreError(f"{name!r} cannot name a table: names are UTF-8 text.")
        with self._reading:
            found = self._cursor.execute(_SQL_ROOT, (name,)).get
        if found is not None:
            return cast("int", found)
        if not create:
            return 0
        table_id = self.reserve(1)
        self.apply(new_tables=[(table_id,)])
        with self._change(), self._watching(lambda: Changes(roots=((name, table_id),))):
            self._cursor.execute(
                "INSERT INTO roots (name, table_id) VALUES (?, ?)", (name, table_id)
            )
        return table_id

    def no_table(self, path: str) -> str:
        """The message that there is none at a path, with the name that may have been meant."""
        return no_table(path, [root.name for root in self.roots()])

    def roots(self) -> list[Root]:
        """All named tables, by name."""
        with self._reading:
            rows = cast("Iterable[tuple[str, int, int]]", self._cursor.execute(_SQL_ROOTS))
            return [Root(*row) for row in rows]

    def drop_root(self, name: str) -> bool:
        """Takes the name from a table; whether there was one.

        The table and what it holds are removed by the next collection, unless something else
        reaches them.
        """
        if name == MEMORY:
            raise StoreError(f"{MEMORY} cannot be dropped: it is always there. Empty it instead.")
        if not self.root(name, create=False):
            return False
        with self._change(), self._watching(lambda: Changes(roots=((name, 0),))):
            self._cursor.execute("DELETE FROM roots WHERE name = ?", (name,))
        return True

    def table_info(self, table_id: int) -> TableInfo:
        """Facts about a table."""
        with self._reading:
            row = self._cursor.execute(_SQL_INFO, (table_id,)).get
        if row is None:
            return TableInfo(exists=False, metatable=0, entries=0, root="")
        metatable, entries, root = cast("tuple[int | None, int, str | None]", row)
        return TableInfo(exists=True, metatable=metatable or 0, entries=entries, root=root or "")


def _is_text(name: str) -> bool:
    """Whether all characters are whole ones: Python has halves, too, SQLite does not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
