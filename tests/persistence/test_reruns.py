"""A session commits in the middle of another's evaluation, or keeps the file locked for long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.model import OutputPiece
from lua_ls_persist.session import Session
from lua_ls_persist.session.runner import RERUNS_MAX
from lua_ls_persist.store import Store
from tests.persistence.evaluating import evaluated, persistence_problem, value
from tests.persistence.states import damage, seen

# -- one in the middle of the other's evaluation


class Hook:
    """Lua's `dofile("hook")` runs a function of the test in the middle of an evaluation."""

    def __init__(self) -> None:
        self.calls = 0
        self.function: Callable[[], object] = lambda: None

    def __call__(self, _: Path) -> str:
        self.calls += 1
        self.function()
        return ""


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def hooked(path: Path, hook: Hook) -> Iterator[tuple[Session, Session]]:
    """Two sessions; evaluations of the first call the hook."""
    with (
        Session.open(path, folders=[path.parent], open_buffers=hook) as first,
        Session.open(path) as second,
    ):
        evaluated(first, "Memory.x, Memory.y, Memory.n, Memory.t = 50, 50, 0, {}")
        evaluated(second, "return Memory.x, Memory.y")
        yield first, second


def test_an_evaluation_reads_one_state(hooked: tuple[Session, Session], hook: Hook) -> None:
    a, b = hooked
    evaluated(b, "Memory.x, Memory.y = 40, 60")
    hook.function = lambda: evaluated(b, "Memory.x, Memory.y = Memory.x - 1, Memory.y + 1")
    assert evaluated(a, "local x = Memory.x dofile('hook') return x, Memory.y") == (40, 60)
    assert hook.calls == 1, "who only reads need not run again"
    assert evaluated(a, "return Memory.x, Memory.y") == (39, 61)


def test_an_evaluation_that_lost_runs_again(hooked: tuple[Session, Session], hook: Hook) -> None:
    a, b = hooked

    def once() -> None:
        if hook.calls == 1:
            evaluated(b, "Memory.n = Memory.n + 10")

    hook.function = once
    told: list[OutputPiece] = []
    evaluation = a.evaluate(
        "counted = (counted or 0) + 1 print('before') dofile('hook') print('after') "
        "Memory.n = Memory.n + 1 return Memory.n, counted",
        on_output=told.append,
    )
    assert evaluation.values == (11, 1)
    assert hook.calls == 2
    assert evaluation.output_text == "before\nafter\n"
    assert "".join(piece.text for piece in told) == "before\nafter\n"
    assert evaluated(b, "return Memory.n") == (11,)


def test_output_that_differs_when_it_runs_again_is_told(
    hooked: tuple[Session, Session], hook: Hook
) -> None:
    a, b = hooked

    def twice() -> None:
        if hook.calls <= 2:
            evaluated(b, "Memory.n = Memory.n + 10")

    hook.function = twice
    told: list[OutputPiece] = []
    evaluation = a.evaluate(
        "print('begin') print('n is ' .. Memory.n) dofile('hook') print('end') Memory.n = 1",
        on_output=told.append,
    )
    assert evaluation.output_text == "begin\nn is 20\nend\n"
    assert "".join(piece.text for piece in told) == (
        "begin\nn is 0\nend\nn is 10\nend\nn is 20\nend\n"
    )


def test_reruns_are_bounded_and_then_one_waits(
    hooked: tuple[Session, Session], hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _ = hooked
    failed: list[str] = []
    # Another session that does not wait for long: it runs into the lock that the first one takes.
    monkeypatch.setitem(Store.open.__func__.__kwdefaults__, "busy_timeout_ms", 50)  # type: ignore[attr-defined]
    assert a.path is not None
    with Session.open(a.path) as hasty:

        def always() -> None:
            evaluation = hasty.evaluate("Memory.n = Memory.n + 10")
            if not evaluation.ok:
                failed.append(persistence_problem(evaluation))

        hook.function = always
        source = "dofile('hook') Memory.n = Memory.n + 1 return Memory.n"
        assert evaluated(a, source) == (10 * RERUNS_MAX + 1,)
        assert hook.calls == RERUNS_MAX + 1
        assert len(failed) == 1
        assert "is locked by another program" in failed[0]
        assert value(hasty, "Memory.n") == 10 * RERUNS_MAX + 1


def test_a_failing_evaluation_that_lost_fails_by_what_is_there(
    hooked: tuple[Session, Session], hook: Hook
) -> None:
    a, b = hooked
    hook.function = lambda: hook.calls > 1 or evaluated(b, "Memory.t.done = true")
    # In the state it began with it would have written, and lost; in the one there is, it raises.
    evaluation = a.evaluate(
        "local done = Memory.t.done dofile('hook') if done then error('done') end Memory.n = 5"
    )
    assert [problem.message for problem in evaluation.problems] == ["done"]
    assert hook.calls == 2
    assert value(b, "Memory.n") == 0


def test_a_fork_is_of_the_data_that_it_has_copied(
    hooked: tuple[Session, Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hooked
    evaluated(a, "t = Memory.t global = Memory.x")
    backup = Store.backup

    def late(store: Store, path: Path) -> None:
        evaluated(b, "Memory.x = 51 Memory.t.new = true")
        backup(store, path)

    monkeypatch.setattr(Store, "backup", late)
    with a.fork() as fork:
        assert evaluated(fork, "return global, Memory.x, t.new, t == Memory.t") == (
            50,
            51,
            True,
            True,
        )
        assert fork._life.runner.store.integrity() == []


# -- one that is in the way for long


def test_a_long_evaluation_lets_others_read_and_makes_them_wait(
    hooked: tuple[Session, Session], hook: Hook
) -> None:
    a, b = hooked
    inside, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        inside.set()
        assert go_on.wait(60)

    hook.function = pause
    # What looks at the store as a whole sends what was changed: the file is locked from then on.
    running = a.submit("Memory.n = 1 ext.tables() dofile('hook') Memory.n = Memory.n + 1")
    assert inside.wait(60)
    assert evaluated(b, "mine = 1 return Memory.n, Memory.x") == (0, 50)
    message = persistence_problem(b.evaluate("mine = 2 Memory.x = 51"))
    assert "is locked by another program" in message
    assert evaluated(b, "return Memory.x, mine") == (50, 1)
    waiting = b.submit("Memory.n = Memory.n + 100 return Memory.n")
    go_on.set()
    assert running.result().ok
    assert waiting.result().values == (102,)
    assert evaluated(a, "return Memory.n, Memory.x") == (102, 50)


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_file_that_another_program_has_locked(
    path: Path, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Store.open.__func__.__kwdefaults__, "busy_timeout_ms", 50)  # type: ignore[attr-defined]
    with ExitStack() as stack:
        session = stack.enter_context(Session.open(path))
        evaluated(
            session,
            "Memory.n, global = 1, 1 local count = 0 "
            "function Memory.f() count = count + 1 return count end",
        )
        foreign = stack.enter_context(closing(apsw.Connection(str(path))))
        foreign.execute(begin)
        before = seen(session)
        for source in (
            "global = 2 Memory.n = 2",
            "global = 2 Memory.f()",
            "global = 2 ext.transaction(function() Memory.n = 2 end)",
            "global = 2 pcall(function() Memory.n = 2 ext.tables() end)",
            "global = 2 ext.table('new').x = 1",
            "global = 2 ext.collect() Memory.n = 2",
        ):
            message = persistence_problem(session.evaluate(source))
            assert message == (
                f"{path} is locked by another program. Close that program, or try again later."
            )
        assert evaluated(session, "return Memory.n, global") == (1, 1)
        assert seen(session) == before
        foreign.execute("ROLLBACK")
        assert evaluated(session, "global = 3 Memory.n = 3 return Memory.f()") == (1,)
        assert evaluated(session, "return Memory.n, global") == (3, 3)
    assert damage(path) == []
