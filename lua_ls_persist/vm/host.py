"""What a machine asks of whoever calls it, and what it raises when a call is stopped."""

from __future__ import annotations

from typing import Protocol

from lua_ls_persist.errors import CoreError, TrapError
from lua_ls_persist.vm.interrupt import Cause


class Host(Protocol):
    """What a call of the core may ask for while it runs. Called on the machine's thread.

    What a method raises stops the call and reaches whoever made it; it never passes through wasm.
    """

    def output(self, records: bytes, /) -> bool:
        """Take output records (see docs/wire-format.md). False: no more output is wanted.

        After a call was stopped in the middle of something, the last record may be cut; a
        `WireError` then is no error.
        """
        ...

    def open(self, name: bytes, /) -> bytes | None:
        """The content of the file that the program asks for; None if there is none."""
        ...

    def source(self, content: bytes, /) -> int:
        """The number by which the store will hear of this source text, an open file's content.

        0: the text is not kept.
        """
        ...

    def store(self, operation: int, request: bytes, /) -> bytes:
        """Answer a `StoreOperation` (see docs/wire-format.md).

        When this has answered `BEGIN` or `ROLLBACK`, the machine keeps or undoes the VM's state.
        """
        ...


class GivenUp(Exception):  # noqa: N818  (nothing is wrong)
    """Raised by a method of a host that takes long, when the call is to be stopped anyway."""


class NoHost:
    """Takes no output, and has neither files nor a store."""

    def output(self, _records: bytes, /) -> bool:
        """Drop it."""
        return False

    def open(self, _name: bytes, /) -> bytes | None:
        """Nothing is there."""
        return None

    def source(self, _content: bytes, /) -> int:
        """It is not kept."""
        return 0

    def store(self, _operation: int, _request: bytes, /) -> bytes:
        """There is none."""
        raise CoreError("the program asked for the store, and this call has none")


class Stopped(TrapError):  # noqa: N818  (nothing need be wrong: mostly somebody asked for it)
    """The call was stopped before its end, or the core trapped. Its memory must be restored.

    `cause` tells who stopped it (None: the core trapped by itself). `response` is what the core
    answered if it came to that; otherwise `trace` is its note of where Lua was (empty if unknown).
    Output not yet handed over went to the host.
    """

    def __init__(self, message: str, cause: Cause | None, *, response: bytes, trace: bytes) -> None:
        super().__init__(message)
        self.cause = cause
        self.response = response
        self.trace = trace
