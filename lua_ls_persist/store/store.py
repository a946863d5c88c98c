"""A session's file with all its operations, put together from the parts that own them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import final

from lua_ls_persist.store.compression import Compression
from lua_ls_persist.store.opening import number
from lua_ls_persist.store.transactions import BUSY_TIMEOUT_MS


@final
class Store(Compression):
    """One session's database: open after `open`, closed after `close`, which may be called again.

    Used by one thread at a time, the session's own. Each part of the operations is a class in a
    file of its own, built on the one before.
    """

    @classmethod
    def open(cls, path: Path | None, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Store:
        """Opens the file, creating it if there is none; `None` is a database in memory.

        A commit is durable when it returns: WAL with `synchronous=FULL`, so also after power loss.

        Raises:
            StoreError: the file cannot be used; the message names the file and the next step.
        """
        store = cls(path, busy_timeout_ms=busy_timeout_ms)
        if path is not None:
            store._connect()
        return store

    @property
    def format_version(self) -> int:
        """The file's format, as its `user_version` says."""
        return number(self._connection, "PRAGMA user_version")

    def meta(self) -> dict[str, str]:
        """Facts about the file, by name.

        `created_utc`, `created_by` (the package's version) and `created_format` are always there.
        """
        with self._reading:
            return dict(self._connection.execute("SELECT name, value FROM meta ORDER BY name"))

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
