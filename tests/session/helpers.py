"""What the tests of sessions share."""

from __future__ import annotations

import threading
import time

from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.session import Session

# A loop that takes long in C, so that it cannot be asked to stop.
LONG_IN_C = "('a'):rep(40):find(('a?'):rep(40) .. 'b')"


def value(session: Session, source: str) -> object:
    """The one value of an expression."""
    result = session.evaluate(source)
    assert result.ok, result.problems
    (only,) = result.values
    return only


def problem(result: Evaluation) -> Problem:
    """The one problem of an evaluation that failed."""
    assert not result.ok
    assert result.values == ()
    (only,) = result.problems
    return only


def wait_until_evaluating(session: Session) -> None:
    deadline = time.monotonic() + 10
    while not session.evaluating:
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def started(session: Session, source: str = "while true do end") -> threading.Event:
    """Submit `source`; return an event that is set as soon as it has begun to print."""
    begun = threading.Event()
    session.submit(
        # The first piece of output is told when there is enough of it.
        f"io.write(('.'):rep(20000)) {source}",
        on_output=lambda _: begun.set(),
        time_limit_s=None,
    )
    return begun
