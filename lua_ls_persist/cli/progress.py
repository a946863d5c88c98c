"""How far something has come, on standard error, once it has taken longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

SHOWN_AFTER_S = 1.0
COUNT_EVERY_S = 0.1


class Progress:
    """Shows nothing for a second, then a bar or a count; nothing at all where nobody looks."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown_from_s = time.monotonic() + SHOWN_AFTER_S
        self._visible = sys.stderr.isatty()
        self._bar: Any = None
        self._counted = False

    def part(self, done: int, total: int) -> None:
        """So much of so much is done."""
        if not self._is_due():
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr)
        self._bar.length = total
        self._bar.update(done - self._bar.pos)

    def count(self, done: int, what: str = "") -> None:
        """So much is done, and nobody knows of how much."""
        if not self._is_due():
            return
        self._shown_from_s = time.monotonic() + COUNT_EVERY_S
        self._counted = True
        sys.stderr.write(f"\r{self._label}{f', {what}' if what else ''}: {done} \x1b[K")
        sys.stderr.flush()

    def _is_due(self) -> bool:
        return self._visible and time.monotonic() >= self._shown_from_s

    def end(self) -> None:
        """Takes away what was shown of it."""
        if self._bar is not None:
            self._bar.render_finish()
        if self._counted:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def waited(label: str) -> Iterator[None]:
    """Shows how long the block takes, after a second: for work that cannot tell how far it is."""
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(label, ended), daemon=True)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


def _watch(label: str, ended: threading.Event) -> None:
    begun_s = time.monotonic()
    is_shown = False
    while not ended.wait(SHOWN_AFTER_S):
        is_shown = True
        sys.stderr.write(f"\r{label}: {time.monotonic() - begun_s:.0f} s \x1b[K")
        sys.stderr.flush()
    if is_shown:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


@contextmanager
def shown(label: str) -> Iterator[Progress]:
    """Progress of what is done in the block."""
    progress = Progress(label)
    try:
        yield progress
    finally:
        progress.end()
