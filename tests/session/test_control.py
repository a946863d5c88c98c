"""Threads: who may call what when, the order of things, stopping, closing, starting over."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import CancelledError, Future

import pytest

from lua_ls_persist.errors import SessionClosedError, SessionError
from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session, looking
from tests.session.helpers import LONG_IN_C, problem, started, value, wait_until_evaluating

WITHIN_S = 0.1
"""So long may this process run on. What others run meanwhile on a busy machine does not count."""
TRIES = 6
"""Any of several threads may have to wait; the fastest of a few tries tells what is promised."""
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


# Closing.


def test_close_is_idempotent() -> None:
    session = Session.open()
    session.evaluate("1")
    session.close()
    session.close()
    with Session.open() as session:
        session.close()


def test_a_closed_session_refuses_everything() -> None:
    session = Session.open()
    session.close()
    for use in (
        lambda: session.evaluate("1"),
        lambda: session.submit("1"),
        session.memory,
        session.collect_garbage,
        session.fields,
        session.restart,
    ):
        with pytest.raises(SessionClosedError, match="the session is closed"):
            use()
    assert session.interrupt() is False
    assert session.evaluating is False


@pytest.mark.parametrize("source", ["while true do end", f"return ({LONG_IN_C})"])
def test_closing_while_it_evaluates(source: str) -> None:
    late_s = []
    for _ in range(TRIES):
        session = Session.open(time_limit_s=None)
        future = session.submit(source)
        waiting = [session.submit("while true do end") for _ in range(20)]
        wait_until_evaluating(session)
        begun = time.process_time()
        session.close()
        late_s.append(time.process_time() - begun)
        assert problem(future.result(1)).kind == "interrupt"
        for other in waiting:
            with pytest.raises(SessionClosedError, match="closed before this ran"):
                other.result(1)
        if late_s[-1] <= WITHIN_S:
            break
    assert min(late_s) <= WITHIN_S


def test_closing_at_random_moments() -> None:
    """Whatever was asked of it ends: with a result, or because the session was closed."""
    for number in range(40):
        session = Session.open(time_limit_s=None)
        futures = [
            session.submit("local n = 0 for i = 1, 10000 do n = n + 1 end return n")
            for _ in range(10)
        ]
        futures.append(session.submit("while true do end"))
        futures.append(session.submit("while true do end"))
        time.sleep(number * 0.0001)
        session.close()
        for future in futures:
            assert future.done()
            error = future.exception()
            assert error is None or isinstance(error, SessionClosedError)


def test_closing_from_another_thread_than_the_one_that_waits() -> None:
    session = Session.open(time_limit_s=None)
    results: list[Evaluation] = []
    waiter = threading.Thread(target=lambda: results.append(session.evaluate("while true do end")))
    waiter.start()
    wait_until_evaluating(session)
    session.close()
    waiter.join(10)
    assert problem(results[0]).kind == "interrupt"


def test_closing_from_many_threads_at_once() -> None:
    session = Session.open(time_limit_s=None)
    session.submit("while true do end")
    threads = [threading.Thread(target=session.close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_closing_from_a_listener() -> None:
    """On the session's own thread it cannot wait for its end; it ends all the same."""
    session = Session.open(time_limit_s=None)
    future = session.submit(
        "while true do print(('x'):rep(1000)) end", on_output=lambda _: session.close()
    )
    assert problem(future.result(10)).kind == "interrupt"
    session.close()
    with pytest.raises(SessionClosedError):
        session.evaluate("1")


def test_closing_while_garbage_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for the collection's time limit."""
    monkeypatch.setattr(looking, "COLLECT_TIME_LIMIT_S", None)
    session = Session.open()
    session.evaluate("setmetatable({}, { __gc = function() while true do end end })")
    errors: list[BaseException] = []

    def collect() -> None:
        try:
            session.collect_garbage()
        except SessionError as error:
            errors.append(error)

    thread = threading.Thread(target=collect)
    thread.start()
    wait_until_evaluating(session)
    session.close()
    thread.join(10)
    assert "it was interrupted" in str(errors[0])


def test_sessions_leave_no_threads() -> None:
    before = threading.active_count()
    for _ in range(20):
        with Session.open(time_limit_s=60) as session:
            session.evaluate("1")
            assert threading.active_count() > before
    assert threading.active_count() == before


# Starting over.


def test_restart(session: Session) -> None:
    session.evaluate("x = 1 string.y = 2")
    session.restart()
    assert session.evaluate("x, string.y").values == (None, None)
    session.evaluate("x = 2")
    assert value(session, "x") == 2


def test_restart_interrupts_what_runs_and_what_waits_runs_in_the_new_vm(session: Session) -> None:
    session.evaluate("x = 'old'")
    running = session.submit("x = 'never' while true do end", time_limit_s=None)
    waiting = [session.submit("x = (x or 0) + 1 return x") for _ in range(3)]
    wait_until_evaluating(session)
    session.restart()
    assert problem(running.result(10)).kind == "interrupt"
    assert [future.result(10).values for future in waiting] == [(1,), (2,), (3,)]


def test_restart_does_not_wait_for_what_waits(session: Session) -> None:
    """Nor does it interrupt it."""
    running = session.submit("while true do end", time_limit_s=None)
    waiting = session.submit("while true do end", time_limit_s=None)
    wait_until_evaluating(session)
    session.restart()
    assert problem(running.result(10)).kind == "interrupt"
    wait_until_evaluating(session)
    assert not waiting.done()
    assert session.interrupt()
    assert problem(waiting.result(10)).kind == "interrupt"


def test_restarts_at_once_and_at_random_moments(session: Session) -> None:
    futures: list[Future[Evaluation]] = []
    for number in range(30):
        futures += [session.submit("local n = 0 for i = 1, 20000 do n = n + i end return n")] * 1
        threads = [threading.Thread(target=session.restart) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(number * 0.0001)
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
    for future in futures:
        result = future.result(10)
        assert result.ok or problem(result).kind == "interrupt"
    assert value(session, "6 * 7") == 42


def test_restart_frees_the_code_that_only_the_vm_knew() -> None:
    with Session.open(history_limit_evaluations=0) as session:
        assert session.evaluate("function Memory.f() return 1 end").ok
        assert session.evaluate("function Memory.f() return 2 end").ok
        assert session.collect().codes == 0
        session.restart()
        assert session.collect().codes == 1
        assert session.evaluate("return Memory.f()").values == (2,)


def test_restart_keeps_limits_and_names() -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024, time_limit_s=0.05) as session:
        session.restart()
        assert session.memory().limit_bytes == 2 * 1024 * 1024
        assert problem(session.evaluate("while true do end")).kind == "timeout"
        found = problem(session.evaluate("error('x')", name="long/" * 100))
        assert found.chunk == "long/" * 100


def test_closing_while_it_restarts() -> None:
    for _ in range(10):
        session = Session.open()
        thread = threading.Thread(target=lambda session=session: _quietly(session))
        thread.start()
        session.close()
        thread.join(10)
        assert not thread.is_alive()


def _quietly(session: Session) -> None:
    with contextlib.suppress(SessionClosedError):
        session.restart()


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
