"""Opening a session's file: whose it is, which format it has, and every way this can fail.

Nothing is written to a file before it is known to be ours, or empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import final

import apsw

from lua_ls_persist._version import __version__
from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.migrations import FORMAT_VERSION, MIGRATIONS

APPLICATION_ID = 0x4C756150
"""Marks the file as ours in its header: "LuaP"."""

_HEADER_BYTES = 100

BUSY_TIMEOUT_MS = 2_000
"""How long to wait for another program that holds the file's lock."""


def library_versions() -> dict[str, str]:
    """The versions of SQLite and of its binding, by name."""
    return {"SQLite": apsw.sqlite_lib_version(), "apsw": apsw.apsw_version()}


@final
class Store:
    """One session's database: open after `open`, closed after `close`, which may be called again.

    Used by one thread at a time, the session's own.
    """

    def __init__(self, connection: apsw.Connection, path: Path | None) -> None:
        """Takes over an open connection. Not for callers: use `Store.open`."""
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path | None, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Store:
        """Opens the file, creating it if there is none; `None` is a database in memory.

        A commit is durable when it returns: WAL with `synchronous=FULL`, so also after power loss.

        Raises:
            StoreError: the file cannot be used; the message names the file and the next step.
        """
        name = "the database in memory" if path is None else str(path)
        if path is not None:
            _check_place(path)
        with _explained(name):
            connection = _connect(path)
            try:
                connection.set_busy_timeout(busy_timeout_ms)
                _check_ours(connection, name)
                _configure(connection, name)
                _migrate(connection, name)
            except BaseException:
                connection.close(force=True)
                raise
        return cls(connection, path)

    @property
    def path(self) -> Path | None:
        """The file, or None for a database in memory."""
        return self._path

    @property
    def format_version(self) -> int:
        """The file's format, as its `user_version` says."""
        return _number(self._connection, "PRAGMA user_version")

    def meta(self) -> dict[str, str]:
        """Facts about the file, by name.

        `created_utc`, `created_by` (the package's version) and `created_format` are always there.
        """
        return dict(self._connection.execute("SELECT name, value FROM meta ORDER BY name"))

    def close(self) -> None:
        """Closes the file. Idempotent; an open transaction is rolled back."""
        self._connection.close(force=True)

    def __enter__(self) -> Store:
        """The store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self.close()


def _check_place(path: Path) -> None:
    """Says of a path what SQLite would only call `unable to open database file`."""
    try:
        if path.is_dir():
            raise StoreError(
                f"{path} is a folder, not a session's file. "
                f"Name a file inside it, such as {path / 'session.db'}."
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


def _connect(path: Path | None) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    # Absolute, so that no file name is taken for `:memory:` or a URI.
    return apsw.Connection(":memory:" if path is None else str(path.absolute()), flags=flags)


def _check_ours(connection: apsw.Connection, name: str) -> None:
    """Refuses what is not ours or too new, without having written anything."""
    with connection:  # one transaction: another process may be creating the file at this moment
        application = _number(connection, "PRAGMA application_id")
        found = _number(connection, "PRAGMA user_version")
        items = _number(connection, "SELECT count(*) FROM sqlite_schema")
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


def _configure(connection: apsw.Connection, name: str) -> None:
    if connection.readonly("main"):
        raise StoreError(
            f"{name} is read-only, and a session writes to its file. "
            "Make it writable, or name another file."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _migrate(connection: apsw.Connection, name: str) -> None:
    """Brings the file to the present format: all of it or nothing."""
    if _number(connection, "PRAGMA user_version") == FORMAT_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    with connection:  # a savepoint, rolled back by an exception
        _check_ours(connection, name)  # again: another process may have been here first
        found = _number(connection, "PRAGMA user_version")
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


def _number(connection: apsw.Connection, statement: str) -> int:
    number = connection.execute(statement).get
    assert isinstance(number, int), statement
    return number


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turns what SQLite raises into a message that says what to do."""
    try:
        yield
    except apsw.NotADBError as error:
        raise StoreError(
            f"{name} is not a SQLite file. Name another file for the session; "
            "this one was left as it is."
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreError(
            f"{name} is locked by another program. Close that program, or try again later."
        ) from error
    except apsw.ReadOnlyError as error:
        raise StoreError(
            f"{name} is read-only, and a session writes to its file. "
            "Make it writable, or name another file."
        ) from error
    except apsw.CantOpenError as error:
        raise StoreError(
            f"Cannot open {name}, or create it and the files beside it: {error}. "
            "Check the permissions of the file and its folder, or name another place."
        ) from error
    except apsw.CorruptError as error:
        raise StoreError(
            f"{name} is damaged: {error}. Bring back a copy, or name another file."
        ) from error
    except apsw.FullError as error:
        raise StoreError(
            f"{name} cannot be written: the disk is full. Free some space and try again."
        ) from error
    except apsw.Error as error:
        raise StoreError(f"{name} cannot be used: {error}.") from error
    except (UnicodeError, ValueError) as error:
        raise StoreError(f"{name!r} cannot be the name of a session's file: {error}.") from error
