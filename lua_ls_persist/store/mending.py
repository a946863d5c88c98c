"""Mending what a repair has brought over: what rows miss is replaced, or they are left out.

Afterwards everything fits together, and what that has cost is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from lua_ls_persist.store.rows import Native
from lua_ls_persist.store.store import Store

LOST_MAX: Final = 1_000
"""The report does not list more."""

PATHS_MAX: Final = 50
"""For more losses no path is searched."""

_NOTHING: Final = "SELECT 1 WHERE 0"

# In this order: what is to be said, which rows it is about, and what is done with them.
_MENDING: Final[tuple[tuple[str, str, str], ...]] = (
    # A damaged id may be that of something else.
    (
        "",
        _NOTHING,
        """
        DELETE FROM tables WHERE id NOT IN (SELECT table_id FROM roots)
            AND id NOT IN (SELECT table_id FROM entries)
            AND id IN (SELECT id FROM functions UNION SELECT id FROM cells)
        """,
    ),
    (
        "{path}: it belongs to no table",
        """
        SELECT table_id, key_kind, key FROM entries WHERE table_id NOT IN (SELECT id FROM tables)
            AND table_id IN (SELECT id FROM functions UNION SELECT id FROM cells)
        """,
        """
        DELETE FROM entries WHERE table_id NOT IN (SELECT id FROM tables)
            AND table_id IN (SELECT id FROM functions UNION SELECT id FROM cells)
        """,
    ),
    (
        "{path}: it refers to no table",
        """
        SELECT table_id, key_kind, key FROM entries
        WHERE (kind = 7 AND value IN (SELECT id FROM functions UNION SELECT id FROM cells))
            OR (key_kind = 7 AND key IN (SELECT id FROM functions UNION SELECT id FROM cells))
        """,
        """
        DELETE FROM entries
        WHERE (kind = 7 AND value IN (SELECT id FROM functions UNION SELECT id FROM cells))
            OR (key_kind = 7 AND key IN (SELECT id FROM functions UNION SELECT id FROM cells))
        """,
    ),
    (
        "function {}: its id is that of something else",
        """
        SELECT id FROM functions WHERE id IN (SELECT id FROM tables UNION SELECT id FROM cells)
        """,
        """
        DELETE FROM functions WHERE id IN (SELECT id FROM tables UNION SELECT id FROM cells)
        """,
    ),
    (
        "function {}: the id of its upvalue is that of something else",
        """
        SELECT DISTINCT function_id FROM function_cells
        WHERE cell_id IN (SELECT id FROM tables UNION SELECT id FROM functions)
        """,
        """
        DELETE FROM functions WHERE id IN (
            SELECT function_id FROM function_cells
            WHERE cell_id IN (SELECT id FROM tables UNION SELECT id FROM functions))
        """,
    ),
    ("", _NOTHING, "DELETE FROM cells WHERE id IN (SELECT id FROM tables)"),
    (
        "",
        _NOTHING,
        """
        INSERT OR IGNORE INTO tables (id)
        SELECT table_id FROM roots UNION SELECT table_id FROM entries
        """,
    ),
    (
        "the code of function {}: it is left out",
        "SELECT id FROM functions WHERE code_id NOT IN (SELECT id FROM code)",
        "DELETE FROM functions WHERE code_id NOT IN (SELECT id FROM code)",
    ),
    (
        "the source of code {}",
        "SELECT id FROM code WHERE source_id NOT IN (SELECT id FROM sources)",
        """
        INSERT INTO sources SELECT DISTINCT source_id, CAST('lost ' || source_id AS BLOB), '=?',
            NULL, 0, 0
        FROM code WHERE source_id NOT IN (SELECT id FROM sources)
        """,
    ),
    (
        "",
        _NOTHING,
        "DELETE FROM function_cells WHERE function_id NOT IN (SELECT id FROM functions)",
    ),
    (
        "{path}: it is of no known kind",
        """
        SELECT table_id, key_kind, key FROM entries
        WHERE kind NOT IN (1, 2, 3, 4, 5, 6, 7, 20, 21) OR key_kind NOT IN (1, 2, 3, 4, 5, 6, 7)
        """,
        """
        DELETE FROM entries
        WHERE kind NOT IN (1, 2, 3, 4, 5, 6, 7, 20, 21) OR key_kind NOT IN (1, 2, 3, 4, 5, 6, 7)
        """,
    ),
    (
        "{path}: its string is gone",
        """
        SELECT table_id, key_kind, key FROM entries
        WHERE kind = 20 AND value NOT IN (SELECT id FROM long_strings)
        """,
        """
        DELETE FROM entries WHERE kind = 20 AND value NOT IN (SELECT id FROM long_strings)
        """,
    ),
    (
        "{path}: its function is gone",
        """
        SELECT table_id, key_kind, key FROM entries
        WHERE (kind = 5 AND value NOT IN (SELECT id FROM functions))
            OR (key_kind = 5 AND key NOT IN (SELECT id FROM functions))
        """,
        """
        DELETE FROM entries
        WHERE (kind = 5 AND value NOT IN (SELECT id FROM functions))
            OR (key_kind = 5 AND key NOT IN (SELECT id FROM functions))
        """,
    ),
    (
        "the content of {path}, if there was any: it is an empty table now",
        """
        SELECT table_id, key_kind, key FROM entries
        WHERE (kind = 7 AND value NOT IN (SELECT id FROM tables))
            OR (key_kind = 7 AND key NOT IN (SELECT id FROM tables))
        """,
        """
        INSERT INTO tables (id)
        SELECT value FROM entries WHERE kind = 7 AND value NOT IN (SELECT id FROM tables)
        UNION
        SELECT key FROM entries WHERE key_kind = 7 AND key NOT IN (SELECT id FROM tables)
        """,
    ),
    (
        "the metatable of table {}",
        """
        SELECT id FROM tables
        WHERE metatable IS NOT NULL AND metatable NOT IN (SELECT id FROM tables)
        """,
        """
        UPDATE tables SET metatable = NULL WHERE metatable NOT IN (SELECT id FROM tables)
        """,
    ),
    (
        "an upvalue of function {}: it is nil now",
        "SELECT function_id FROM function_cells WHERE cell_id NOT IN (SELECT id FROM cells)",
        """
        INSERT INTO cells SELECT DISTINCT cell_id, 0, NULL FROM function_cells
        WHERE cell_id NOT IN (SELECT id FROM cells)
        """,
    ),
    (
        "the value of upvalue cell {}: it is nil now",
        """
        SELECT id FROM cells WHERE CASE kind
            WHEN 5 THEN value NOT IN (SELECT id FROM functions)
            WHEN 7 THEN value NOT IN (SELECT id FROM tables)
            WHEN 20 THEN value NOT IN (SELECT id FROM long_strings)
            ELSE kind NOT IN (0, 1, 2, 3, 4, 6) END
        """,
        """
        UPDATE cells SET kind = 0, value = NULL WHERE CASE kind
            WHEN 5 THEN value NOT IN (SELECT id FROM functions)
            WHEN 7 THEN value NOT IN (SELECT id FROM tables)
            WHEN 20 THEN value NOT IN (SELECT id FROM long_strings)
            ELSE kind NOT IN (0, 1, 2, 3, 4, 6) END
        """,
    ),
    (
        "",
        _NOTHING,
        """
        DELETE FROM long_strings WHERE id NOT IN (
            SELECT value FROM entries WHERE kind = 20
            UNION ALL SELECT value FROM cells WHERE kind = 20)
        """,
    ),
    (
        "",
        _NOTHING,
        """
        UPDATE counters SET value = max(value, 1 + (SELECT max(id) FROM (
            SELECT max(id) AS id FROM tables UNION ALL SELECT max(id) FROM functions
            UNION ALL SELECT max(id) FROM cells)))
        WHERE name = 'next_id'
        """,
    ),
)


def drop_unreadable(store: Store) -> None:
    """What is compressed and cannot be read counts as gone; what refers to it is told of that."""
    for string in list(store.unreadable_strings()):
        if string.long_id:
            statement = "DELETE FROM long_strings WHERE id = ?"
            store._connection.execute(statement, (string.long_id,))
        else:
            statement = """
                UPDATE entries SET kind = 20, value = 0
                WHERE table_id = ? AND key_kind = ? AND key = ?
                """
            store._connection.execute(statement, (string.owner, string.key_kind, string.key))
    for number in list(store.damaged_dictionaries()):
        store._connection.execute("DELETE FROM dictionaries WHERE id = ?", (number,))


def mend(store: Store, lost: list[str]) -> None:
    """Makes the rows fit together."""
    connection = store._connection
    for message, query, statement in _MENDING:
        rows = cast("Iterable[tuple[Native, ...]]", connection.execute(query).fetchall())
        for row in rows:
            if len(lost) < LOST_MAX:
                path = ""
                if "{path}" in message:
                    table_id, key_kind, key = cast("tuple[int, int, Native]", row)
                    # Searching a path reads all entries.
                    few = len(lost) < PATHS_MAX
                    path = store.entry_path(table_id, key_kind, key, search=few)
                lost.append(message.format(*row, path=path))
        connection.execute(statement)
