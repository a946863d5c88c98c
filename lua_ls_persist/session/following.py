"""Which stored functions a stored function gets to: what a call hierarchy is made of.

Raw keys and metatables in the store, without the VM: nothing of a program is loaded or run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lua_ls_persist.session.sights import StoredWay
from lua_ls_persist.store.rows import FUNCTION, STRING, TABLE, native_key
from lua_ls_persist.store.rows import Value as Native

if TYPE_CHECKING:
    from lua_ls_persist.session.runner import Runner
    from lua_ls_persist.store import Store

METATABLES_MAX: Final = 10


def functions_at(runner: Runner, ways: Sequence[StoredWay]) -> list[str | None]:
    """The paths of the stored functions that are there; None where there is none."""
    store = runner.store
    rows = store.functions()
    path_of = {row.id: row.path for row in rows}
    upvalues = {
        (row.path, name): (kind, native) for row in rows for name, kind, native in row.upvalues
    }
    found = []
    for way in ways:
        value: Native | None
        if way.root:
            table_id = store.root(way.root, create=False)
            value = (TABLE, table_id) if table_id else None
        else:
            value = upvalues.get((way.function, way.upvalue))
        for key in way.keys:
            value = None if value is None else _field(store, value, native_key(key))
        is_function = value is not None and value[0] == FUNCTION
        found.append(path_of.get(value[1]) if is_function and value is not None else None)  # type: ignore[arg-type]  # an id
    return found


def _field(store: Store, value: Native, key: Native) -> Native | None:
    """A field of a table, or of those that it inherits from."""
    for _ in range(METATABLES_MAX):
        kind, table_id = value
        if kind != TABLE or not isinstance(table_id, int):
            return None
        found = store.get(table_id, *key)
        if found is not None:
            return found
        metatable = store.metatables([table_id]).get(table_id)
        above = None if metatable is None else store.get(metatable, STRING, "__index")
        if above is None:
            return None
        value = above
    return None
