"""From where a session reads what it has stored: what a test sets is looked at in all these ways.

In the same session with next to no cache, after a restart that goes on from an image, in a fresh
VM, and in a fresh VM with next to no cache.
"""

from __future__ import annotations

from pathlib import Path

from tests.session.persistent import Restarted

TINY_CACHE_ENTRIES = 20

WAYS = ("next to no cache", "an image", "a fresh VM", "a fresh VM with next to no cache")


class Place(Restarted):
    """A session that reads from somewhere else what it reads next."""

    def __init__(self, path: Path, way: str) -> None:
        super().__init__(path)
        self.way = way

    def move(self) -> None:
        if self.way == "an image":
            self.again(resume=True)
            assert self.session.resumed
        elif self.way != WAYS[0]:
            self.again(resume=False)

    def check(self, program: str, look: str, *expected: str) -> None:
        """Run a program, and the look as often as something is expected of it."""
        self.run(program)
        for text in expected:
            self.move()
            assert self.text(look) == text
