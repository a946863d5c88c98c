"""Running one evaluation to its end while Ctrl-C and a vanished reader can end it early."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from lua_ls_persist.cli import exits

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation, OutputPiece
    from lua_ls_persist.session import Session

POLL_INTERVAL_S = 0.02
FORCE_AFTER_S = 2.0
"""A second Ctrl-C this long after the first one ends the process, whatever it is doing."""


@dataclass(frozen=True, slots=True)
class Run:
    """How an evaluation went."""

    evaluation: Evaluation
    interrupted: bool
    """Whether Ctrl-C was pressed while it ran."""


def run(
    session: Session,
    source: str | bytes,
    *,
    name: str,
    line: int = 0,
    on_output: Callable[[OutputPiece], None] | None = None,
    unwanted: Callable[[], bool] = lambda: False,
) -> Run:
    """Evaluates the source. Ctrl-C interrupts it, and so does `unwanted` turning true."""
    return run_submitted(
        session,
        lambda: session.submit(source, name=name, line=line, on_output=on_output),
        unwanted=unwanted,
    )


def run_submitted(
    session: Session,
    submit: Callable[[], Future[Evaluation]],
    *,
    unwanted: Callable[[], bool] = lambda: False,
) -> Run:
    """Submits an evaluation and waits for it. Ctrl-C interrupts it, and so does `unwanted`."""
    with _interrupts() as pressed:
        future = submit()
        # The signal handler only takes a note, because what it interrupts may hold any lock. An
        # evaluation that has not begun cannot be interrupted yet: so ask until it has ended.
        while not concurrent.futures.wait([future], POLL_INTERVAL_S).done:
            if pressed() or unwanted():
                session.interrupt()
        return Run(future.result(), interrupted=pressed())


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C raises nothing; the given function says whether it was pressed."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread can have a signal's handler
        return
    first_s: float | None = None

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal first_s
        now_s = time.monotonic()
        if first_s is None:
            first_s = now_s
        elif now_s - first_s > FORCE_AFTER_S:
            os._exit(exits.INTERRUPTED)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: first_s is not None
    finally:
        signal.signal(signal.SIGINT, before)
