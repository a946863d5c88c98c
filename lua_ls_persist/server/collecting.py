"""Python's garbage is looked for while nobody waits for an answer.

Answers are made of many small objects. To look through 50,000 of them takes 10 ms and more, which
whoever asks just then would wait for; between two key presses there is the time. Python itself
looks only where there is none for long.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Final, final

THRESHOLDS: Final = (50_000, 20, 20)
"""How many more objects there are before Python itself looks through the youngest; then how many
times that. With its own numbers, collecting takes longer than making answers."""
IDLE_S: Final = 0.03
"""After the last message of the client, or the last answer."""
STILL_S: Final = 2.0
"""The same before all objects are looked through."""
YOUNG_MIN: Final = 2_000
"""With fewer new objects it is not worth it."""
OLDER_AFTER: Final = 20
"""After so many collections of a generation, the next one is due."""


@final
class IdleCollector:
    """Collects when the loop has been idle. On the loop."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._timer: asyncio.TimerHandle | None = None
        self._touched_s = 0.0

    def touch(self) -> None:
        """Something goes on: a message has come, or an answer has gone."""
        self._touched_s = time.monotonic()
        if self._timer is None:
            self._wait(IDLE_S)

    def close(self) -> None:
        """Collects no more until the next message. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, delay_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._is_busy():
            self.touch()
            return
        idle_s = time.monotonic() - self._touched_s
        if idle_s < IDLE_S:
            self._wait(IDLE_S - idle_s)
            return
        young, middle, old = gc.get_count()
        if old > OLDER_AFTER:
            if idle_s < STILL_S:
                self._wait(STILL_S - idle_s)
                return
            gc.collect()
        elif young > YOUNG_MIN:
            gc.collect(1 if middle > OLDER_AFTER else 0)
