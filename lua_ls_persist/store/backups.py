"""Copies of the file while it is in use: made by SQLite, never by copying the file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias, cast

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.exchange import Exchange
from lua_ls_persist.store.failures import Explained
from lua_ls_persist.store.opening import (
    check_ours,
    check_place,
    number,
    open_connection,
    open_source,
)

PAGES_AT_ONCE: Final = 1_000

IDS_SKIPPED: Final = 1_000_000
"""By a restore: other sessions may hold ids that were given out since the backup was made."""

_SQL_FOLLOW_ON = """
    UPDATE counters SET value = value + 1 + max(
        0, ? - (SELECT value FROM counters WHERE name = 'commits'))
    WHERE name = 'followed'
    """

PageProgress: TypeAlias = Callable[[int, int], None]
"""Called with how many pages are done, and how many there are."""


class Backups(Exchange):
    """Makes backups and brings them back."""

    def backup(self, path: Path, *, on_progress: PageProgress | None = None) -> None:
        """Writes a copy of everything, as of now, to a file of its own. Not in a transaction.

        Other sessions may go on writing. The file appears when it is complete; a session's file
        that is there already is replaced, any other file is left alone.

        Raises:
            StoreError: the copy cannot be written, or something else is in its place.
        """
        assert not self.in_transaction
        check_place(path)
        present = self.path is not None and self.path.exists()
        if present and path.exists() and path.samefile(cast("Path", self.path)):
            raise StoreError(f"{path} is the session's file itself. Name another file.")
        _check_replaceable(path)
        part = path.with_name(path.name + ".part")
        with Explained(str(path)):
            try:
                _remove(part)
                target = apsw.Connection(str(part.absolute()))
                try:
                    with self.transaction(write=False):  # a snapshot: others' writes do not disturb
                        _copy(self._connection, target, self._go_on, on_progress)
                    # A file that stands for itself, without others beside it.
                    target.execute("PRAGMA journal_mode = DELETE")
                finally:
                    target.close(force=True)
                part.replace(path)
            except OSError as error:
                raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
            finally:
                _remove(part)

    def restore(self, path: Path, *, on_progress: PageProgress | None = None) -> None:
        """Puts the content of a backup in the place of what is here. Not in a transaction.

        What is here now is lost: make a backup of it first. The backup is left as it is. Whatever
        a VM holds of the old content means nothing any more, in this session and in others, which
        see that the file has changed.

        Raises:
            StoreError: the backup is none, or damaged; nothing was changed.
        """
        assert not self.in_transaction
        if not path.is_file():
            raise StoreError(f"There is no file {path} to restore from.")
        self._check_writable()
        check_place(path)
        folder = None if self.path is None else self.path.absolute().parent
        try:
            with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as name:
                copy = Path(name) / "copy.db"
                with Explained(str(path)):
                    self._prepare(path, copy)
                source = apsw.Connection(str(copy))
                try:
                    with self._reading:
                        _copy(source, self._connection, self._go_on, on_progress)
                finally:
                    source.close(force=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be restored: {error.strerror or error}.") from error
        self._codes_known.clear()
        self._string_packers.clear()
        self._forget_collection()
        self._forget_indexes()

    def _prepare(self, path: Path, place: Path) -> None:
        """Makes a copy of the backup in the present format, with counters that go on from ours."""
        source = open_source(path)
        try:
            if number(source, "PRAGMA user_version") == 0:
                raise StoreError(f"{path} is empty, not a backup. Name another file.")
            target = apsw.Connection(str(place))
            try:
                _copy(source, target, self._go_on, None)
            finally:
                target.close(force=True)
        finally:
            source.close(force=True)
        copy = open_connection(place, busy_timeout_ms=0).connection
        try:
            if copy.execute("PRAGMA quick_check(1)").get != "ok":
                raise StoreError(f"{path} is damaged. Repair it first, or name another backup.")
            copy.execute("DELETE FROM images")
            copy.execute("DELETE FROM image_pieces")
            # The history goes on as if nothing had come in between.
            copy.execute(_SQL_FOLLOW_ON, (self._counter("commits"),))
            for counter, step in (("commits", 1), ("collections", 1), ("next_id", IDS_SKIPPED)):
                copy.execute(
                    "UPDATE counters SET value = max(value, ?) + ? WHERE name = ?",
                    (self._counter(counter), step, counter),
                )
        finally:
            copy.close(force=True)


def _copy(
    source: apsw.Connection,
    target: apsw.Connection,
    go_on: Callable[[], None],
    on_progress: PageProgress | None,
) -> None:
    # What is not copied to its end, SQLite takes back.
    with target.backup("main", source, "main") as backup:
        while not backup.done:
            go_on()
            backup.step(PAGES_AT_ONCE)
            if on_progress is not None:
                on_progress(backup.page_count - backup.remaining, backup.page_count)


def _check_replaceable(path: Path) -> None:
    """Refuses to replace a file that is not a session's."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with Explained(str(path)):
        connection = apsw.Connection(str(path.absolute()), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            check_ours(connection, str(path))
        finally:
            connection.close(force=True)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
