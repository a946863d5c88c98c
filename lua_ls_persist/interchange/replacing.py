"""Files that are there with all of their content, or as they were before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TextIO

from lua_ls_persist.errors import InterchangeError


def written_file(target: str | os.PathLike[str] | TextIO) -> AbstractContextManager[TextIO]:
    """The file to write to: the one that is open, or one that takes the place of a path."""
    if isinstance(target, (str, os.PathLike)):
        return replaced_file(target)
    return nullcontext(target)


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    """A text file of UTF-8 to write to, which takes the place of `path` when the block is left.

    If the block raises, what was at `path` stays. A link stays a link, permissions stay what they
    were, and what is no plain file, such as a pipe or `/dev/stdout`, is written to as it is.

    Raises:
        InterchangeError: it cannot be written, whether at first or when the disk is full.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        place = Path(os.path.realpath(target))
        # Its permissions are those of any new file; those of `tempfile` are for secrets.
        beside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        with beside.open("x", encoding="utf-8", newline="") as file:
            try:
                yield file
                file.close()  # what is still in its buffer may not fit on the disk
                if place.exists():
                    beside.chmod(place.stat().st_mode)
                beside.replace(place)
            except BaseException:
                with suppress(OSError):  # the same once more; a file that is open cannot always go
                    file.close()
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InterchangeError(f"{target} cannot be written: {error.strerror or error}") from error
