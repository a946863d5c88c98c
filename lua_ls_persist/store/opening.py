"""Opening a session's file: whose it is, which format it has, and every way this can fail.

Nothing is written to a file before it is known to be ours, or empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeAlias

import apsw

from lua_ls_persist._version import __version__
from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.migrations import FORMAT_VERSION, MIGRATIONS
from lua_ls_persist.store.paths import FILE_NAME, FOLDER_NAME
from lua_ls_persist.store.read_only import Untouched, may_not_write_beside, open_to_look

APPLICATION_ID = 0x4C756150
"""Marks the file as ours in its header: "LuaP"."""

MEMORY_NAME = "the database in memory"

_HEADER_BYTES = 100
_RETRY_AFTER_S = 0.005

Prepare: TypeAlias = Callable[[apsw.Connection], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection to a file of ours, of the present format."""

    connection: apsw.Connection
    is_read_only: bool = False
    untouched: Untouched | None = None
    """Where the file may be read only as long as nobody writes to it."""


def library_versions() -> dict[str, str]:
    """The versions of SQLite and of its binding, by name."""
    return {"SQLite": apsw.sqlite_lib_version(), "apsw": apsw.apsw_version()}


def open_connection(path: Path | None, *, busy_timeout_ms: int) -> Opened:
    """A connection to the file, which is ours and of the present format from now on.

    One that cannot be written, or that no files can be made beside, is opened to look at it.
    Raises what apsw raises, and `StoreError` for what SQLite would not notice.
    """
    name = MEMORY_NAME if path is None else str(path)
    if path is not None:
        check_place(path)
    # SQLite does not wait by itself where others create the file at this moment, change its
    # journal mode, or recover it.
    give_up = time.monotonic() + busy_timeout_ms / 1000
    while True:
        try:
            return _open(path, name, busy_timeout_ms)
        except apsw.BusyError:
            if time.monotonic() >= give_up:
                raise
            time.sleep(_RETRY_AFTER_S)


def _open(path: Path | None, name: str, busy_timeout_ms: int) -> Opened:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE

    def prepare(connection: apsw.Connection) -> None:
        connection.set_busy_timeout(busy_timeout_ms)
        check_ours(connection, name)
        _configure(connection)
        _migrate(connection, name)

    connection = _writable(path, flags, prepare)
    if connection is not None:
        return Opened(connection)
    assert path is not None, "memory can be written"
    connection, untouched = open_to_look(path)
    connection.set_busy_timeout(busy_timeout_ms)
    _prepared(connection, lambda connection: _check_present(connection, name))
    return Opened(connection, is_read_only=True, untouched=untouched)


def open_source(path: Path) -> apsw.Connection:
    """A connection to a file that is read and stays as it is; ours, of any format up to this one.

    Raises what `open_connection` raises.
    """

    def prepare(connection: apsw.Connection) -> None:
        check_ours(connection, str(path))

    connection = _writable(path, apsw.SQLITE_OPEN_READWRITE, prepare)
    return _prepared(open_to_look(path)[0], prepare) if connection is None else connection


def _writable(path: Path | None, flags: int, prepare: Prepare) -> apsw.Connection | None:
    """A connection that may write; None where that cannot be, and the file only be looked at."""
    # Absolute, so that no file name is taken for `:memory:` or a URI.
    place = ":memory:" if path is None else str(path.absolute())
    try:
        connection = apsw.Connection(place, flags=flags)
    except (UnicodeError, ValueError) as error:
        raise StoreError(f"{place!r} cannot be the name of a session's file: {error}.") from error
    if connection.readonly("main"):
        connection.close(force=True)
        return None
    try:
        return _prepared(connection, prepare)
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        if path is None or not may_not_write_beside(path):
            raise
    return None


def _prepared(connection: apsw.Connection, prepare: Prepare) -> apsw.Connection:
    try:
        prepare(connection)
    except BaseException:
        connection.close(force=True)
        raise
    return connection


def _check_present(connection: apsw.Connection, name: str) -> None:
    """Refuses what is not of the present format, where nothing can be brought up to date."""
    check_ours(connection, name)
    found = number(connection, "PRAGMA user_version")
    if found != FORMAT_VERSION:
        what = f"has format {found}" if found else "is empty"
        raise StoreError(
            f"{name} is read-only and {what}, so it cannot be brought to format "
            f"{FORMAT_VERSION}. Make it and its folder writable, or copy it elsewhere."
        )
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)


def check_place(path: Path) -> None:
    """Says of a path what SQLite would only call `unable to open database file`."""
    try:
        if path.is_dir():
            inside = path / FOLDER_NAME / FILE_NAME
            such = inside if inside.exists() else path / FILE_NAME
            raise StoreError(
                f"{path} is a folder, not a session's file. Name a file inside it, such as {such}."
            )
        if path.exists():
            # SQLite takes a file too short for its header for an empty one, and writes over it.
            if 0 < path.stat().st_size < _HEADER_BYTES:
                raise StoreError(
                    f"{path} is not a SQLite file. Name another file for the session; "
                    "this one was left as it is."
                )
            return
        parent = path.absolute().parent
        if parent.exists() and not parent.is_dir():
            raise StoreError(
                f"Cannot create {path}: {parent} is a file, not a folder. Name another place."
            )
        if not parent.exists():
            raise StoreError(
                f"Cannot create {path}: the folder {parent} does not exist. "
                "Create the folder first, or name another place."
            )
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise StoreError(f"{path!s} cannot be a session's file: {error}.") from error


def check_ours(connection: apsw.Connection, name: str) -> None:
    """Refuses what is not ours or too new, without having written anything."""
    with connection:  # one transaction: another process may be creating the file at this moment
        application = number(connection, "PRAGMA application_id")
        found = number(connection, "PRAGMA user_version")
        items = number(connection, "SELECT count(*) FROM sqlite_schema")
    if application == found == items == 0:
        return  # a new file
    if application != APPLICATION_ID:
        raise StoreError(
            f"{name} is a SQLite file of another program, not a session's file. "
            "Name another file for the session; this one was left as it is."
        )
    if found > FORMAT_VERSION:
        raise StoreError(
            f"{name} has format {found}, made by a newer lua-ls-persist; version {__version__} "
            f"reads formats up to {FORMAT_VERSION}. Update lua-ls-persist, or name another file."
        )


def _configure(connection: apsw.Connection) -> None:
    # A file may come from anywhere: what is defined in it calls nothing that could do harm.
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _migrate(connection: apsw.Connection, name: str) -> None:
    """Brings the file to the present format: all of it or nothing."""
    if number(connection, "PRAGMA user_version") == FORMAT_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # a savepoint, rolled back by an exception
        check_ours(connection, name)  # again: another process may have been here first
        found = number(connection, "PRAGMA user_version")
        for statements in MIGRATIONS[found:]:
            for statement in statements:
                connection.execute(statement)
        if found == 0:
            _describe_creation(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    connection.execute("COMMIT")


def _describe_creation(connection: apsw.Connection) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    facts = {
        "created_utc": now,
        "created_by": __version__,
        "created_format": str(FORMAT_VERSION),
    }
    connection.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", facts.items())


def number(connection: apsw.Connection, statement: str) -> int:
    """The one integer that a statement gives."""
    value = connection.execute(statement).get
    assert isinstance(value, int), statement
    return value
