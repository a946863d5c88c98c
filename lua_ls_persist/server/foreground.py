"""What somebody waits for comes before what nobody waits for.

Python runs one thread at a time: what is computed beside an answer makes it come later. So whatever
reads whole documents in the background stops between two statements while requests are answered.
"""

from __future__ import annotations

import threading
from typing import Final, final

GIVES_WAY_S_MAX: Final = 0.25
"""At one place in the work; a client that never stops asking does not hold it up for ever."""


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

    def give_way(self) -> None:
        """Waits while requests are answered. Any thread but the loop's."""
        if self._answering:
            self._calm.wait(GIVES_WAY_S_MAX)
