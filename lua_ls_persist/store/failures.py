"""Every way SQLite can fail, as a message that names the file, the reason and the next step."""

from __future__ import annotations

from types import TracebackType

import apsw

from lua_ls_persist.errors import StoreError


def explained(error: BaseException, name: str) -> StoreError | None:
    """What an exception of reading from SQLite means; None for any other exception."""
    if isinstance(error, UnicodeDecodeError):  # SQLite does not look at what is in a text
        found = f"a text in it is not UTF-8 ({error.object[:40]!r})"
        return StoreError(damaged(name, found))
    message = _explanation(error, name)
    return None if message is None else StoreError(message)


def damaged(name: str, why: str) -> str:
    """The message about a file whose content makes no sense, with the ways out."""
    quoted = f'"{name}"' if " " in name else name
    return (
        f"{name} is damaged: {why}. Bring back a copy, or save what can still be read into a new "
        f"file: lua-ls-persist doctor --db {quoted} --repair NEW"
    )


class Explained:
    """In this block, what SQLite raises becomes a `StoreError`.

    A class, because entering and leaving a generator would cost more than a small statement does.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Explains."""
        if error is not None:
            explanation = explained(error, self._name)
            if explanation is not None:
                raise explanation from error


def _explanation(error: BaseException, name: str) -> str | None:
    if not isinstance(error, apsw.Error):
        return None
    if isinstance(error, apsw.NotADBError):
        return (
            f"{name} is not a SQLite file. Name another file for the session; "
            "this one was left as it is."
        )
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return f"{name} is locked by another program. Close that program, or try again later."
    if isinstance(error, apsw.ReadOnlyError):
        return (
            f"{name} is read-only, and a session writes to its file. "
            "Make it writable, or name another file."
        )
    if isinstance(error, apsw.CantOpenError):
        return (
            f"Cannot open {name}, or create it and the files beside it: {error}. "
            "Check the permissions of the file and its folder, or name another place."
        )
    if isinstance(error, apsw.CorruptError):
        return damaged(name, str(error))
    if isinstance(error, apsw.FullError):
        return f"{name} cannot be written: the disk is full. Free some space and try again."
    if isinstance(error, apsw.IOError):
        return (
            f"{name} cannot be read or written: {error}. "
            "Check the disk and the connection to it, then try again."
        )
    if isinstance(error, apsw.TooBigError):
        return (
            f"{name} cannot take a value of this size: a string in a SQLite file has at most "
            "1,000,000,000 bytes. Store it in parts."
        )
    if isinstance(error, apsw.ConnectionClosedError):
        return f"{name} is closed. Open it again."
    return f"{name} cannot be used: {error}."
