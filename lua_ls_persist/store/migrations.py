"""How the file's format came to be, step by step.

Append only: a step that was released is never edited, because files made by it exist. The file's
`user_version` is the number of steps it has been through. Every table is STRICT.
"""

from __future__ import annotations

_META = (
    # Facts about the file itself, one a row, readable in any SQLite tool.
    """
    CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_META,)
"""The steps in order; each is the SQL statements of one transaction."""

FORMAT_VERSION = len(MIGRATIONS)
"""What `user_version` says of a file of the present format."""
