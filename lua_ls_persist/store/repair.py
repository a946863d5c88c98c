"""Repair: a new file with everything that can still be read of a damaged one.

The damaged file is never written to. Rows are read from its pages (`salvage`), put into a new
store, and what they miss is replaced or left out, so that the new store is sound; the report says
what that was.
"""

from __future__ import annotations

import mmap
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.index_model import KINDS
from lua_ls_persist.store.migrations import FORMAT_VERSION
from lua_ls_persist.store.rows import Native, Repaired
from lua_ls_persist.store.salvage import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_LEAF,
    Column,
    DatabaseFile,
    Page,
    Record,
)
from lua_ls_persist.store.store import Store

FORMATS_MAX: Final = 1_000

LOST_MAX: Final = 1_000
"""The report does not list more."""

PATHS_MAX: Final = 50
"""For more losses no path is searched."""

_LONG = 900
_KINDS = frozenset((0, 1, 2, 3, 4, 5, 6, 7, 20, 21))

# What is brought over, and in how many columns. Images and what indexes hold are made again. Rows
# from before a table had more columns are shorter.
_COLUMNS: Final[dict[str, tuple[int, ...]]] = {
    "meta": (2,),
    "counters": (2,),
    "roots": (2,),
    "tables": (2,),
    "entries": (5,),
    "long_strings": (3, 5),
    "dictionaries": (4,),
    "cells": (3,),
    "functions": (2,),
    "function_cells": (3,),
    "sources": (6,),
    "code": (14,),
    "indexes": (7,),
    "schemas": (4,),
}
_INSERT: Final = {
    "meta": "INSERT OR REPLACE INTO meta VALUES (?, ?)",
    "counters": """
        UPDATE counters SET value = max(value, ?2)
        WHERE name = ?1 AND typeof(?2) = 'integer'
        """,
    "roots": "INSERT OR IGNORE INTO roots VALUES (?, ?)",
    "tables": "INSERT INTO tables VALUES (?1, ?2) ON CONFLICT DO UPDATE SET metatable = ?2",
    "entries": "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?)",
    "long_strings": "INSERT OR IGNORE INTO long_strings VALUES (?1, ?2, ?3, coalesce(?4, 0), ?5)",
    "dictionaries": "INSERT OR IGNORE INTO dictionaries VALUES (?, ?, ?, ?)",
    "cells": "INSERT OR IGNORE INTO cells VALUES (?, ?, ?)",
    "functions": "INSERT OR IGNORE INTO functions VALUES (?, ?)",
    "function_cells": "INSERT OR IGNORE INTO function_cells VALUES (?, ?, ?)",
    "sources": "INSERT OR IGNORE INTO sources VALUES (?, ?, ?, ?, ?, ?)",
    "code": "INSERT OR IGNORE INTO code VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "indexes": "INSERT OR IGNORE INTO indexes VALUES (?, ?, ?, ?, ?, ?, ?)",
    "schemas": "INSERT OR IGNORE INTO schemas VALUES (?, ?, ?, ?)",
}

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


def repair(source: Path, target: Path) -> Repaired:
    """Reads what can be read of a damaged session's file into a new one.

    No other program may have the damaged file open. It stays as it is.

    Raises:
        StoreError: there is no such file, the target is there already, or cannot be written.
    """
    if not source.is_file():
        raise StoreError(f"There is no file {source} to repair.")
    if target.exists():
        raise StoreError(f"{target} is there already. Name a new file for what can be repaired.")
    lost: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix=".repair-", dir=target.absolute().parent) as folder:
            copy = _copied(source, Path(folder), lost)
            store = Store.open(target)
            try:
                with store, copy.open("rb") as file:
                    if copy.stat().st_size == 0:
                        raise StoreError(f"{source} is empty: there is nothing to repair.")
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                        return _repaired(DatabaseFile(content), store, lost)
            except BaseException:
                _remove(target)
                raise
    except OSError as error:
        raise StoreError(
            f"{source} cannot be repaired into {target}: {error.strerror or error}."
        ) from error


def _copied(source: Path, folder: Path, lost: list[str]) -> Path:
    """A copy of the file with its write-ahead log in it, if that can be read."""
    copy = folder / "copy.db"
    shutil.copyfile(source, copy)
    log = source.with_name(source.name + "-wal")
    if log.exists():
        shutil.copyfile(log, folder / "copy.db-wal")
        try:
            connection = apsw.Connection(str(copy))
            try:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            finally:
                connection.close(force=True)
        except apsw.Error as error:
            lost.append(f"what was written last and stood in {log.name} only: {error}")
            shutil.copyfile(source, copy)
    return copy


def _repaired(file: DatabaseFile, store: Store, lost: list[str]) -> Repaired:
    # A number that no version will ever have is damage itself.
    if FORMAT_VERSION < file.format_version < FORMATS_MAX:
        raise StoreError(
            f"The file has format {file.format_version}, made by a newer lua-ls-persist. "
            "Update lua-ls-persist to repair it."
        )
    with store.transaction():
        connection = store._connection
        for table, record in _rows(file, lost):
            columns = record.columns
            if record.rowid is not None:
                columns = (record.rowid, *columns[1:])
            if len(columns) in _COLUMNS[table]:
                columns += (None,) * (_COLUMNS[table][-1] - len(columns))
                # Of a row that is there twice the first one stays: it came from the table's tree.
                with suppress(apsw.Error):
                    connection.execute(_INSERT[table], columns)
        _drop_unreadable(store)
        _mend(store, lost)
        lost += store.bring_indexes_back()
        lost += store.bring_schemas_back()
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('repaired_utc', strftime('%FT%TZ', 'now'))"
        )
        connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'commits'")
    sizes = store.sizes()
    lost += store.integrity()
    return Repaired(sizes.tables, sizes.entries, sizes.functions, tuple(lost[:LOST_MAX]))


def _rows(file: DatabaseFile, lost: list[str]) -> Iterator[tuple[str, Record]]:
    """All rows that can be read, with the table they belong to."""
    roots: dict[str, int] = {}
    others: list[int] = []
    for number, page in file.walk(1):
        if isinstance(page, str):
            lost.append(f"page {number}, a part of the file's table of contents: {page}")
            continue
        lost.extend(f"a row of the table of contents: {damage}" for damage in page.damages)
        for record in page.records:
            _note_tree(record.columns, roots, others)
    for table, root in roots.items():
        for number, page in file.walk(root):
            if isinstance(page, str):
                lost.append(f"page {number} of the table {table}: {page}")
                continue
            lost.extend(f"in page {number} of the table {table}: {it}" for it in page.damages)
            for record in page.records:
                yield table, record
    for root in others:
        for _ in file.walk(root):
            pass
    file.skip_free()
    for _, page in file.rest():
        guessed = _guessed(page)
        if guessed is not None:
            for record in page.records:
                yield guessed, record


def _note_tree(columns: tuple[Column, ...], roots: dict[str, int], others: list[int]) -> None:
    """A row of the file's table of contents: type, name, table's name, root page, statement."""
    if len(columns) != 5:
        return
    kind, name, _, root, _ = columns
    if not isinstance(root, int) or root == 0:
        return
    if kind == "table" and isinstance(name, str) and name in _COLUMNS:
        roots[name] = root
    else:
        others.append(root)


def _guessed(page: Page) -> str | None:
    """To which table a page belongs, by what its rows look like; None if they could be anything."""
    if page.kind in (INDEX_LEAF, INDEX_INTERIOR):
        guesses = Counter(map(_guessed_index, page.records))
    elif page.kind == TABLE_LEAF:
        guesses = Counter(map(_guessed_row, page.records))
    else:
        return None
    # One row that is damaged, or looks like something else, does not decide.
    return guesses.most_common(1)[0][0] if guesses else None


def _guessed_index(record: Record) -> str | None:
    """A row without a row id: of a table without, or of an index."""
    columns = record.columns
    if len(columns) == 5 and isinstance(columns[0], int) and columns[1] in _KINDS - {0, 20}:
        return "entries" if columns[3] in _KINDS else None
    if len(columns) == 3 and all(isinstance(column, int) for column in columns):
        return "function_cells"
    if len(columns) == 2 and isinstance(columns[0], str) and isinstance(columns[1], int):
        return "counters" if columns[0] in ("collections", "commits", "next_id") else "roots"
    return None


def _guessed_row(record: Record) -> str | None:
    """A row with a row id, which stands in the place of the first column."""
    columns = record.columns
    size = len(columns)
    if size == 14:
        return "code"
    if size == 6:
        return "sources"
    if size == 7:
        return "indexes" if columns[4] in KINDS else None
    if size == 4 and isinstance(columns[3], bytes):
        return "dictionaries"
    if size == 4:
        return "schemas" if str(columns[1]).startswith('["') else None
    if size == 5 and isinstance(columns[1], int):
        return "long_strings" if isinstance(columns[2], (str, bytes)) else None
    if size == 3 and isinstance(columns[1], int):
        content = columns[2]
        if isinstance(content, (str, bytes)) and len(content) > _LONG:
            return "long_strings"
        return "cells" if columns[1] in _KINDS else None
    if size == 2 and columns[1] is None:
        return "tables"
    return "functions" if size == 2 and isinstance(columns[1], int) else None


def _drop_unreadable(store: Store) -> None:
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


def _mend(store: Store, lost: list[str]) -> None:
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


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
