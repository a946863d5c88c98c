"""Files that can be read but not written: how SQLite is made to read them, and when it must not.

To read a file in WAL mode SQLite makes two files beside it. Where it cannot, because the folder or
the whole medium is read-only, it reads all the same if it is told that nobody changes the file
(`immutable`). That is said only where nobody does: no other session has it open, and nothing is
left in a write-ahead log, which would be overlooked. Should somebody begin to write afterwards,
`Untouched` notices.

It is said of read-only files in writable folders as well, for the two files would stay there,
read-only themselves, and be in the way when the file can be written again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from lua_ls_persist.errors import StoreError

READ_ONLY: Final = "{} is read-only: it can be looked at, but nothing can be stored in it."
NEXT_STEP: Final = "To store something, make it and its folder writable, or copy it elsewhere."

_FLAGS: Final = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
_EFFECTIVE: Final = os.access in os.supports_effective_ids


@dataclass(frozen=True, slots=True)
class Untouched:
    """A file that nobody was writing to when it was opened, as it was then."""

    path: Path
    size: int
    changed_ns: int

    @classmethod
    def now(cls, path: Path) -> Untouched:
        """The file as it is."""
        status = path.stat()
        return cls(path, status.st_size, status.st_mtime_ns)

    def check(self) -> None:
        """Raises if somebody has written to it since: what is read would make no sense.

        Raises:
            StoreError: it is not what it was.
        """
        try:
            same = Untouched.now(self.path) == self and not _size(self.path, "-wal")
        except OSError:
            same = False
        if not same:
            raise StoreError(
                f"{self.path} was read-only and has changed since it was opened. Open it again."
            )


def may_not_write_beside(path: Path) -> bool:
    """Whether the file is there, and no file can be made beside it."""
    folder = path.absolute().parent
    return path.is_file() and not os.access(folder, os.W_OK, effective_ids=_EFFECTIVE)


def open_to_look(path: Path) -> tuple[apsw.Connection, Untouched | None]:
    """A connection that only reads, and writes no file; with what tells when it must not be used.

    Raises what apsw raises, and:

    Raises:
        StoreError: a part of what was stored is beside the file, where it cannot be read.
    """
    place = path.absolute()
    if _size(path, "-journal"):
        raise _left_beside(path, "-journal")
    if _size(path, "-shm") and _size(path, "-wal") is not None:
        # Somebody writes to it at this moment, or was killed.
        return apsw.Connection(f"{place.as_uri()}?mode=ro", flags=_FLAGS), None
    if _size(path, "-wal"):
        raise _left_beside(path, "-wal")
    untouched = Untouched.now(path)
    return apsw.Connection(f"{place.as_uri()}?immutable=1", flags=_FLAGS), untouched


def _size(path: Path, suffix: str) -> int | None:
    try:
        return path.with_name(path.name + suffix).stat().st_size
    except FileNotFoundError:
        return None


def _left_beside(path: Path, suffix: str) -> StoreError:
    return StoreError(
        f"{path} is read-only, and the last changes to it are in {path.name}{suffix}, where they "
        f"cannot be read. Copy both files to a place that can be written, and open the copy."
    )
