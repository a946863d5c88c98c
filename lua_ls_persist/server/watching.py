"""Noticing that stored data are other than before: changed by this server, or by another process.

Owns when that is looked at. To look costs next to nothing as long as nobody has committed anything
(`lua_ls_persist/store/walindex.py`), so it is done a few times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

WATCH_S = 0.4
"""How often it is looked for what others have done."""
BETWEEN_S = 0.2
"""After what this server has done itself it is looked at once, but not more often than so."""


class Watch:
    """Looks at a number that changes with the data. Used from the server's loop only."""

    def __init__(
        self, state: Callable[[], Awaitable[int | None]], changed: Callable[[bool], None]
    ) -> None:
        """`state` gives None when it cannot be looked at.

        `changed` is called when it differs, with true, and with false when it does not, but a
        program has run, which may have changed what is not stored.
        """
        self._state = state
        self._changed = changed
        self._seen: int | None = None
        self._ran = False
        self._looked_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def begin(self) -> None:
        """Looks from now on. Idempotent."""
        if self._timer is None and self._task is None and not self._ended:
            self._wait(0.0)

    def soon(self) -> None:
        """A program has run, or something was done that may have changed data."""
        self._ran = True
        if self._timer is not None:
            since_s = asyncio.get_running_loop().time() - self._looked_at_s
            self._timer.cancel()
            self._wait(max(0.0, BETWEEN_S - since_s))

    def know(self, state: int | None) -> None:
        """This is the number now; None: nobody knows, for another session comes next."""
        self._seen = state

    def end(self) -> None:
        """Looks no more. Idempotent."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start)

    def _start(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            state = await self._state()
            if state is None or self._ended:
                return
            seen, self._seen = self._seen, state
            ran, self._ran = self._ran, False
            is_other = seen is not None and state != seen
            if is_other or ran:
                self._changed(is_other)
        finally:
            self._task = None
            self._looked_at_s = asyncio.get_running_loop().time()
            if not self._ended:
                self._wait(WATCH_S)
