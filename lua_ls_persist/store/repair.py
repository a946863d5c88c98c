"""Repair: a new file with everything that can still be read of a damaged one.

The damaged file is never written to. Rows are read from its pages (`salvage`), put into a new
store, and what they miss is replaced or left out, so that the new store is sound; the report says
what that was.
"""

from __future__ import annotations

import mmap
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.mending import LOST_MAX, drop_unreadable, mend
from lua_ls_persist.store.migrations import FORMAT_VERSION
from lua_ls_persist.store.rows import Repaired
from lua_ls_persist.store.salvage import DamagedText, DatabaseFile, Record
from lua_ls_persist.store.salvaged_rows import COLUMNS, salvaged_rows
from lua_ls_persist.store.store import Store
from lua_ls_persist.store.unreached import name_unreached

FORMATS_MAX: Final = 1_000
SHOWN_BYTES: Final = 40
"""Of a text that is told; enough to find it by."""

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
    "indexes": "INSERT OR IGNORE INTO indexes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(?8, 1))",
    "schemas": "INSERT OR IGNORE INTO schemas VALUES (?, ?, ?, ?)",
}


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
        with store._change():
            for table, record in salvaged_rows(file, lost):
                _insert(connection, table, record, lost)
        drop_unreadable(store)
        mend(store, lost)
        if lost:
            name_unreached(store, lost)
        lost += store.bring_indexes_back()
        lost += store.bring_schemas_back()
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('repaired_utc', strftime('%FT%TZ', 'now'))"
        )
        connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'commits'")
    sizes = store.sizes()
    lost += store.integrity()
    return Repaired(sizes.tables, sizes.entries, sizes.functions, tuple(lost[:LOST_MAX]))


def _insert(connection: apsw.Connection, table: str, record: Record, lost: list[str]) -> None:
    columns = record.columns
    if record.rowid is not None:
        columns = (record.rowid, *columns[1:])
    if len(columns) not in COLUMNS[table]:
        return
    columns += (None,) * (COLUMNS[table][-1] - len(columns))
    # Of a row that is there twice the first one stays: it came from the table's tree. What is
    # wrong with the new file, a full disk for one, ends the repair.
    try:
        connection.execute(_INSERT[table], columns)
    except (apsw.ConstraintError, apsw.MismatchError) as error:
        lost.append(f"a row of the table {table} that makes no sense: {error}")
        return
    lost.extend(
        f"a text of the table {table}, which is bytes now: {bytes(column[:SHOWN_BYTES])!r}"
        for column in columns
        if isinstance(column, DamagedText)
    )


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
