"""What somebody waits for comes before what nobody waits for.

Python runs one thread at a time: what is computed beside an answer makes it come later. So whatever
reads whole documents in the background stops between two statements while requests are answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, final

GIVES_WAY_S_MAX: Final = 1.0
"""A client that never stops asking does not hold a piece of work up for longer."""


@final
class Foreground:
    """How many requests are being answered."""

    def __init__(self) -> None:
        self._answering = 0
        self._calm = threading.Event()
        self._calm.set()

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits."""
        return self._answering > 0

    def begin(self) -> None:
        """A request has come. On the loop."""
        self._answering += 1
        self._calm.clear()

    def end(self) -> None:
        """It has been answered. On the loop."""
        self._answering -= 1
        if not self._answering:
            self._calm.set()

    def giving_way(self) -> Callable[[], None]:
        """What a piece of work calls again and again: it waits while requests are answered.

        In all calls together for `GIVES_WAY_S_MAX`. From any thread but the loop's.
        """
        left_s = GIVES_WAY_S_MAX

        def give_way() -> None:
            nonlocal left_s
            if self._answering and left_s > 0:
                started = time.monotonic()
                self._calm.wait(left_s)
                left_s -= time.monotonic() - started

        return give_way
