"""What the tests of sessions share."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.session import Session
from lua_ls_persist.session.persistence import Persistence

WITHIN_S = 0.1
"""So long may this process run on. What others run meanwhile on a busy machine does not count."""
TRIES = 6
"""Any of several threads may have to wait; the fastest of a few tries tells what is promised."""
# A loop that takes long in C, so that it cannot be asked to stop.
LONG_IN_C = "('a'):rep(40):find(('a?'):rep(40) .. 'b')"
TIME_LIMITS_S = (0.03, 0.3, 3.0)
"""A program whose thread has to wait for a processor may come nowhere within the first."""


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


def timed_out(
    session: Session, source: str, came: Callable[[Evaluation], object], *, line: int = 0
) -> Evaluation:
    """An endless program at its time limit: at one that has let it come as far as is wanted."""
    for limit_s in TIME_LIMITS_S:
        result = session.evaluate(source, name="main.lua", line=line, time_limit_s=limit_s)
        found = problem(result)
        assert (found.kind, found.message) == (
            "timeout",
            f"stopped after {limit_s:g} s: the time limit",
        )
        if came(result):
            break
    return result


def line_of(result: Evaluation) -> int | None:
    """The line of its one problem."""
    return problem(result).line


def message(session: Session, source: str, *, calls_ours: bool = True) -> str:
    """What a failing line raises, at its line; of what it calls of ours, one function is shown."""
    found = problem(session.evaluate(f"\n\n{source}", name="main.lua"))
    assert (found.chunk, found.line) == ("main.lua", 3)
    chunks = [frame.chunk for frame in found.traceback]
    assert chunks[-1] == "main.lua"
    assert set(chunks) <= {"main.lua", "[C]"}
    assert chunks.count("[C]") == (1 if calls_ours else 0), "ours are not shown"
    return found.message


@contextmanager
def failing_at(nth: int) -> Iterator[None]:
    """The block in which the nth question to the store fails."""
    real, asked = Persistence.serve, itertools.count(1)

    def serve(self: Persistence, operation: int, request: bytes) -> bytes:
        if next(asked) == nth:
            raise StoreError("planned")
        return real(self, operation, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Persistence, "serve", serve)
        yield


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


def entries(session: Session, name: str) -> int:
    """How many a named table has; 0 also where there is none."""
    info = session.info(name)
    return 0 if info is None else info.entries
