"""Closing a session and starting it over, whatever it is doing."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import Future

import pytest

from lua_ls_persist.errors import SessionClosedError, SessionError
from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session, looking
from tests.session.helpers import LONG_IN_C, TRIES, WITHIN_S, problem, value, wait_until_evaluating

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
