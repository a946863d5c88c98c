"""What a repair has brought over, and nothing leads to: it gets a name, so that it is not lost.

Where the names of tables were damaged, all that was in these tables is there, but a session would
collect it as garbage in its first idle moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, cast

from lua_ls_persist.store.rows import FUNCTION, INTEGER, TABLE, Entry
from lua_ls_persist.store.store import Store

RECOVERED: Final = "recovered"

_SQL_LINKS: Final = """
    SELECT table_id, value FROM entries WHERE kind IN (5, 7)
    UNION ALL SELECT table_id, key FROM entries WHERE key_kind IN (5, 7)
    UNION ALL SELECT id, metatable FROM tables WHERE metatable IS NOT NULL
    UNION ALL SELECT function_id, cell_id FROM function_cells
    UNION ALL SELECT id, value FROM cells WHERE kind IN (5, 7)
    """
_SQL_WORTH_A_NAME: Final = """
    SELECT id, 7 FROM tables WHERE EXISTS (SELECT 1 FROM entries WHERE table_id = id)
    UNION ALL SELECT id, 5 FROM functions
    ORDER BY id
    """


def name_unreached(store: Store, lost: list[str]) -> None:
    """Puts what no named table reaches into one that is made for it, each under its number."""
    execute = store._connection.execute
    links: dict[int, list[int]] = defaultdict(list)
    for source, target in cast("Iterable[tuple[int, int]]", execute(_SQL_LINKS)):
        links[source].append(target)
    reached: set[int] = set()

    def reach(begin: Iterable[int]) -> None:
        waiting = list(begin)
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += links.get(one, ())

    reach(cast("int", row[0]) for row in execute("SELECT table_id FROM roots"))
    things = cast("list[tuple[int, int]]", execute(_SQL_WORTH_A_NAME).fetchall())
    left = [thing for thing in things if thing[0] not in reached]
    inner = {target for one, targets in links.items() if one not in reached for target in targets}
    tops: list[tuple[int, int]] = []
    # First what nothing refers to at all; of what is left then, a ring, any one of it will do.
    for thing in [*(one for one in left if one[0] not in inner), *left]:
        if thing[0] not in reached:
            tops.append(thing)
            reach([thing[0]])
    if not tops:
        return
    name = _free_name(store)
    table_id = store.root(name, create=True)
    assert {kind for _, kind in tops} <= {TABLE, FUNCTION}
    entries: list[Entry] = [(table_id, INTEGER, one, kind, one) for one, kind in tops]
    store.apply(entries)
    lost.append(f"what led to {len(tops)} tables and functions: they are in the table {name} now")


def _free_name(store: Store) -> str:
    name, number = RECOVERED, 1
    while store.root(name, create=False):
        number += 1
        name = f"{RECOVERED}_{number}"
    return name
