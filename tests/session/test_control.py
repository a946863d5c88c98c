"""Threads: who may call what when, the order of things, and stopping."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.session import Session
from tests.session.helpers import (
    LONG_IN_C,
    TRIES,
    WITHIN_S,
    problem,
    started,
    value,
    wait_until_evaluating,
)

CLOCK_TRIES = 40
"""By the clock, more of them have to wait."""


# Time limits.


def test_the_session_s_limit_and_that_of_one_evaluation() -> None:
    endless = "while true do end"
    with Session.open(time_limit_s=0.03) as session:
        assert problem(session.evaluate(endless)).message == "stopped after 0.03 s: the time limit"
        found = problem(session.evaluate(endless, time_limit_s=0.06))
        assert found.message == "stopped after 0.06 s: the time limit"
        busy = "local t = os.clock() while os.clock() - t < ... do end return 1"
        assert session.evaluate(busy, arguments=[0.1], time_limit_s=None).values == (1,)
        assert session.evaluate(busy, arguments=[0.1], time_limit_s=60).values == (1,)
        # A program that ends before anybody looks at the clock was quick enough.
        assert problem(session.evaluate(busy, arguments=[60])).kind == "timeout"


@pytest.mark.parametrize("limit_s", [0, 0.0, -1, float("-inf"), float("nan")])
def test_limits_that_make_no_sense(session: Session, limit_s: float) -> None:
    with pytest.raises(SessionError, match=r"it must be more than 0 seconds, or None for no limit"):
        session.evaluate("1", time_limit_s=limit_s)
    with pytest.raises(SessionError, match=r"it must be more than 0 seconds, or None for no limit"):
        Session.open(time_limit_s=limit_s)


@pytest.mark.parametrize("limit_s", [1e9, 1e15, float("inf")])
def test_very_long_limits(session: Session, limit_s: float) -> None:
    assert session.evaluate("6 * 7", time_limit_s=limit_s).values == (42,)
    begun = started(session)
    assert begun.wait(10)
    assert session.interrupt()
    assert session.evaluate("6 * 7", time_limit_s=limit_s).values == (42,)


def test_a_collection_of_the_store_ends_at_the_time_limit(session: Session) -> None:
    assert session.evaluate("for i = 1, 30000 do Memory[i] = { { i } } end").ok
    assert session.evaluate("for i = 1, 30000 do Memory[i] = nil end").ok
    session.forget_history()
    for _ in range(TRIES):
        with session.fork() as fork:
            stopped = fork.evaluate("ext.collect()", time_limit_s=0.001)
            if not stopped.ok:  # Who looks at the clock may have to wait until it is done.
                collected = fork.evaluate("return ext.collect().tables", time_limit_s=None)
                break
    assert [problem.kind for problem in stopped.problems] == ["timeout"]
    assert collected.values == (60000,), "what was stopped has removed nothing"


# Interrupts.


@pytest.mark.parametrize("source", ["while true do end", f"return ({LONG_IN_C})"])
def test_an_interrupt_ends_it_soon(session: Session, source: str) -> None:
    late_s = []
    for _ in range(TRIES):
        future = session.submit(source, time_limit_s=None)
        wait_until_evaluating(session)
        asked = time.process_time()
        while not session.interrupt():
            assert not future.done()
        assert problem(future.result(10)).kind == "interrupt"
        late_s.append(time.process_time() - asked)
        if late_s[-1] <= WITHIN_S:
            break
    assert min(late_s) <= WITHIN_S


@pytest.mark.parametrize("source", ["while true do end", f"return ({LONG_IN_C})"])
def test_an_interrupt_ends_it_soon_by_the_clock(session: Session, source: str) -> None:
    """Nothing on the way only waits: on a busy machine, one of many tries has all its turns."""
    late_s = [float("inf")]
    while late_s[-1] > WITHIN_S and len(late_s) <= CLOCK_TRIES:
        future = session.submit(source, time_limit_s=None)
        wait_until_evaluating(session)
        asked = time.perf_counter()
        while not session.interrupt():
            assert not future.done()
        assert problem(future.result(10)).kind == "interrupt"
        late_s.append(time.perf_counter() - asked)
    assert min(late_s) <= WITHIN_S


def test_an_interrupt_says_so(session: Session) -> None:
    begun = threading.Event()
    future = session.submit(
        "io.write(('x'):rep(20000))\n\nwhile true do end",
        name="main.lua",
        line=4,
        time_limit_s=None,
        on_output=lambda _: begun.set(),
    )
    assert begun.wait(10)
    assert session.evaluating
    assert session.interrupt()
    found = problem(future.result(10))
    assert (found.kind, found.message) == ("interrupt", "interrupted")
    assert (found.chunk, found.line) == ("main.lua", 7)
    assert future.result().output_text == "x" * 20_000


def test_with_nothing_to_interrupt(session: Session) -> None:
    assert session.interrupt() is False
    assert not session.evaluating
    session.evaluate("x = 1")
    assert session.interrupt() is False
    assert session.evaluate("while x do x = nil end return 'ran'").values == ("ran",)


def test_an_interrupt_hits_one_evaluation_only(session: Session) -> None:
    first = session.submit("while true do end", time_limit_s=None)
    others = [session.submit(f"return {number}") for number in range(20)]
    wait_until_evaluating(session)
    assert session.interrupt()
    assert problem(first.result(10)).kind == "interrupt"
    assert [other.result(10).values for other in others] == [(number,) for number in range(20)]


def test_interrupts_from_many_threads(session: Session) -> None:
    begun = started(session)
    assert begun.wait(10)
    threads = [threading.Thread(target=session.interrupt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(session, "6 * 7") == 42


def test_interrupts_at_random_moments(session: Session) -> None:
    """Also between evaluations, before they have begun and after they have ended."""
    session.evaluate("count = 0")
    stop = threading.Event()

    def interrupt() -> None:
        while not stop.wait(0.0007):
            session.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    succeeded = 0
    for number in range(300):
        source = f"count = count + 1 local n = 0 for i = 1, {number * 100} do n = n + i end"
        result = session.evaluate(source)
        succeeded += result.ok
        assert result.ok or problem(result).kind == "interrupt"
    stop.set()
    thread.join()
    assert value(session, "count") == succeeded


# The order of things.


def test_in_the_order_they_were_submitted(session: Session) -> None:
    session.evaluate("order = {}")
    futures = [session.submit(f"order[#order + 1] = {number}") for number in range(50)]
    assert value(session, "#order") == 50
    assert all(future.result(10).ok for future in futures)
    assert value(session, "table.concat(order, ' ')") == " ".join(map(str, range(50)))


def test_a_queued_evaluation_may_be_cancelled(session: Session) -> None:
    begun = started(session)
    futures = [session.submit(f"x{number} = true") for number in range(4)]
    assert begun.wait(10)
    assert futures[1].cancel()
    assert futures[3].cancel()
    session.interrupt()
    assert futures[0].result(10).ok
    assert futures[2].result(10).ok
    assert session.evaluate("x0, x1, x2, x3").values == (True, None, True, None)
    with pytest.raises(CancelledError):
        futures[1].result(10)
    assert not futures[0].cancel(), "it has run"


def test_a_running_evaluation_cannot_be_cancelled_but_interrupted(session: Session) -> None:
    future = session.submit("while true do end", time_limit_s=None)
    wait_until_evaluating(session)
    assert not future.cancel()
    assert session.interrupt()
    assert problem(future.result(10)).kind == "interrupt"


def test_mistakes_in_a_call_are_raised_at_once(session: Session) -> None:
    with pytest.raises(SessionError):
        session.submit("1", line=-1)
    with pytest.raises(SessionError, match="the source is a NoneType; it can be text or bytes"):
        session.submit(None)  # type: ignore[arg-type]


def test_from_many_threads(session: Session) -> None:
    session.evaluate("count = 0")
    results: list[object] = []

    def work(number: int) -> None:
        for round_number in range(25):
            session.evaluate("count = count + 1")
            results.append(value(session, f"{number} * 1000 + {round_number}"))
            session.memory()
            session.fields(["string"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(session, "count") == 150
    assert sorted(results) == [n * 1000 + r for n in range(6) for r in range(25)]  # type: ignore[type-var]


def test_many_sessions_at_once() -> None:
    results: dict[int, list[object]] = {}

    def work(number: int) -> None:
        with Session.open(memory_limit_bytes=4 * 1024 * 1024) as session:
            session.evaluate(f"n = {number}")
            results[number] = [value(session, "n * 2")]
            results[number].append(
                problem(session.evaluate("while true do end", time_limit_s=0.03)).kind
            )
            results[number].append(value(session, "n"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [number * 2, "timeout", number] for number in range(12)}
