"""Evaluations that use the store and end in another way than by their end: the session is closed or
restarted, whoever listens raises, an error is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from lua_ls_persist.errors import SessionClosedError
from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from tests.persistence.scenarios import SETUP
from tests.persistence.states import damage, seen, seen_afresh, stored

ENDLESS = """
global = 2
Memory.n = 2
Memory.up()
ext.drop("old")
ext.tables() -- what was changed is in the store's transaction now
io.write(("."):rep(20000))
while true do Memory.n = Memory.n + 1 Memory.up() end
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A file with something in it, which is whole at the end."""
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(SETUP + "Memory.n, global = 1, 1").ok
    yield path
    assert damage(path) == []


def running(session: Session) -> Future[Evaluation]:
    """An evaluation that has written and does not end."""
    begun = threading.Event()
    future = session.submit(ENDLESS, on_output=lambda _: begun.set(), time_limit_s=None)
    assert begun.wait(60)
    return future


def kinds(evaluation: Evaluation) -> list[str]:
    return [problem.kind for problem in evaluation.problems]


def test_closing_undoes_what_runs(path: Path) -> None:
    before = stored(path)
    with Session.open(path) as other:
        with Session.open(path) as session:
            future = running(session)
            waiting = session.submit("Memory.n = 3")
        assert kinds(future.result()) == ["interrupt"]
        with pytest.raises(SessionClosedError):
            waiting.result()
        assert stored(path) == before
        with Session.open(path) as session:
            assert session.resumed
            assert session.evaluate("return Memory.n, global, Memory.count()").values == (1, 1, 0)
        assert other.evaluate("Memory.n = Memory.n + 1 return Memory.n").values == (2,)


def test_restarting_undoes_what_runs(path: Path) -> None:
    before = stored(path)
    with Session.open(path) as other, Session.open(path) as session:
        future = running(session)
        waiting = session.submit("global = 5 Memory.n = Memory.n + 1 return Memory.n")
        session.restart()
        assert kinds(future.result()) == ["interrupt"]
        assert waiting.result().values == (2,), "what waited runs in the new VM"
        assert session.evaluate("return global, Memory.count()").values == (5, 0)
        assert other.evaluate("Memory.n = 1").ok
        assert stored(path) == before


def test_who_listens_may_raise(path: Path) -> None:
    def listen(_: object) -> None:
        raise ZeroDivisionError

    before = stored(path)
    with Session.open(path) as other, Session.open(path) as session:
        for source in (
            "global = 2 Memory.n = 2 Memory.up() ext.tables() print('now')",
            "global = 2 Memory.n = 2 print('now') ext.drop('old') pcall(ext.tables)",
            "ext.transaction(function() Memory.n = 2 print('now') end)",
            "pcall(ext.transaction, function() Memory.n = 2 print('now') error('undone') end)",
        ):
            with pytest.raises(ZeroDivisionError):
                session.evaluate(source, on_output=listen)
            assert stored(path) == before
            assert session.evaluate("return Memory.n, global, Memory.count()").values == (1, 1, 0)
            assert other.evaluate("Memory.other = true Memory.other = nil").ok


# -- sessions that keep what was done before an error


def test_what_was_done_before_an_error_is_kept(path: Path) -> None:
    with Session.open(path, keep_error_effects=True) as session:
        assert kinds(session.evaluate("Memory.n = 2 global = 2 Memory.up() error('x')")) == [
            "runtime"
        ]
        assert session.evaluate("return Memory.n, global, Memory.count()").values == (2, 2, 1)
        assert seen(session) == seen_afresh(path)


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("while true do end", "timeout"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(1e6) end", "memory"),
        ("Memory.set(coroutine.create(print)) error('x')", "persistence"),
        ("Memory.set(coroutine.create(print))", "persistence"),
    ],
)
def test_after_other_problems_nothing_is_kept(path: Path, end: str, kind: str) -> None:
    with Session.open(path, keep_error_effects=True, memory_limit_bytes=4 * 1024 * 1024) as session:
        assert session.evaluate("local v function Memory.set(value) v = value end").ok
        before, there = stored(path), seen(session)
        evaluation = session.evaluate(
            f"Memory.n = 2 global = 2 Memory.up() ext.tables() {end}", time_limit_s=1.0
        )
        assert kinds(evaluation) == [kind], evaluation.problems
        assert stored(path) == before
        assert seen(session) == there
        assert session.evaluate("return Memory.n, global, Memory.count()").values == (1, 1, 0)


def test_what_is_kept_after_an_error_counts_once(path: Path) -> None:
    calls = 0

    def interfere(_: Path) -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            assert other.evaluate("Memory.n = 10").ok
        return ""

    with (
        Session.open(path) as other,
        Session.open(
            path, keep_error_effects=True, folders=[path.parent], open_buffers=interfere
        ) as session,
    ):
        assert session.evaluate("return Memory.n").values == (1,)
        evaluation = session.evaluate(
            "global = global + 1 Memory.n = Memory.n + 1 Memory.up() dofile('hook') error('x')"
        )
        assert [problem.message for problem in evaluation.problems] == ["x"]
        assert calls == 2
        assert session.evaluate("return Memory.n, global, Memory.count()").values == (11, 2, 1)
        assert seen(session) == seen(other) == seen_afresh(path)
