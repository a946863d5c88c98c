"""Which table a path leads to."""

from __future__ import annotations

from lua_ls_persist.errors import QueryError
from lua_ls_persist.paths import Path, keys_of, told_path
from lua_ls_persist.store import Store


def table_id_at(store: Store, table: Path) -> int:
    """The id of the table at a path.

    Raises:
        SessionError: it is no path.
        QueryError: there is no such table; the message names the one that may have been meant.
    """
    name, *keys = keys_of(table)
    table_id = store.table_at(str(name), keys)
    if table_id is None:
        raise QueryError(store.no_table(told_path(table)))
    return table_id
