"""A look at the WAL index: whether anybody has committed, without asking SQLite.

In WAL mode all processes that have a database open share a mapping of its `-shm` file. It begins
with a header of 48 bytes that every commit changes, and by which SQLite itself decides, at the
beginning of each reading transaction, whether what it has cached is still good (SQLite, "WAL-mode
File Format", section 2). As long as these bytes are the same, nobody has committed.

The file is neither opened nor mapped here: closing it would drop the locks that SQLite holds on
it. The address of SQLite's own mapping is found in the process's list of mappings, so this is for
Linux; elsewhere, and wherever something is not as expected, SQLite is asked.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

HEADER_BYTES: Final = 48
_MAPPINGS: Final = Path("/proc/self/maps")

ReadHeader: TypeAlias = Callable[[], bytes]


def header_reader(path: Path) -> ReadHeader | None:
    """What reads the header of this database's WAL index; None if its mapping is not to be found.

    A connection in this process must have read from the database in WAL mode, and the reader must
    not be used any more when that is closed.
    """
    address = _mapping_of(os.path.realpath(path) + "-shm")
    if address is None:
        return None
    return lambda: ctypes.string_at(address, HEADER_BYTES)


def _mapping_of(name: str) -> int | None:
    """The address of the only mapping of this file's beginning."""
    try:
        mappings = _MAPPINGS.read_text(errors="surrogateescape").split("\n")
        inode = os.stat(name).st_ino  # noqa: PTH116  (what is at hand is a string)
    except OSError:
        return None
    found = []
    for mapping in mappings:
        fields = mapping.split(maxsplit=5)
        if len(fields) == 6 and fields[5] == name and int(fields[2], 16) == 0:
            found.append(fields)
    # Of two, one belongs to another copy of SQLite in this process, which may unmap it at any time.
    if len(found) != 1 or int(found[0][4]) != inode or not found[0][1].startswith("r"):
        return None
    return int(found[0][0].partition("-")[0], 16)
