"""Several sessions on one file: each evaluation sees one state, and none is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.model import OutputPiece
from lua_ls_persist.session import Session
from lua_ls_persist.session.runner import RERUNS_MAX
from tests.session.helpers import value
from tests.session.persistent import Restarted


@pytest.fixture
def other(path: Path, stored: Restarted) -> Iterator[Session]:
    with Session.open(path, resume=False) as session:
        yield session


def test_each_sees_what_the_other_has_committed(stored: Restarted, other: Session) -> None:
    stored.run("Memory.x, Memory.t = 1, { 'a' }")
    assert other.evaluate("Memory.x, Memory.t[1]").values == (1, "a")
    for number in range(5):
        other.evaluate(f"Memory.x = {number} Memory.t[{number}] = {number}")
        assert stored.run(f"Memory.x, Memory.t[{number}]") == (number, number)
        stored.run(f"Memory.x = Memory.x + 100 Memory.t[{number}] = nil")
        assert other.evaluate(f"Memory.x, Memory.t[{number}]").values == (number + 100, None)


def test_cells_are_read_again(stored: Restarted, other: Session) -> None:
    stored.run("local n = 0 function Memory.up() n = n + 1 return n end up = Memory.up")
    assert value(other, "Memory.up()") == 1
    assert stored.run("up()") == (2,)
    assert value(other, "Memory.up()") == 3
    assert stored.run("up(), Memory.up == up") == (4, True)


def test_a_program_keeps_its_own_globals(stored: Restarted, other: Session) -> None:
    stored.run("x = 1 t = { Memory }")
    other.evaluate("Memory.y = 5 x = 2")
    assert stored.run("x, t[1].y") == (1, 5)


def test_a_read_that_turns_into_a_write_is_run_again(
    stored: Restarted, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the read of the cache and the write, somebody else has committed."""
    stored.run("Memory.x = 1")
    runs: list[int] = []

    def listener(piece: OutputPiece) -> None:
        if not runs:
            assert other.evaluate("Memory.x = 10").ok
        runs.append(len(piece.text))

    result = stored.evaluate(
        "local x = Memory.x io.write('.') io.flush() Memory.x = x + 1 return Memory.x",
        on_output=listener,
    )
    assert (result.values, result.output_text) == ((11,), ".")
    assert value(other, "Memory.x") == 11


def test_a_loser_runs_again_without_a_trace(stored: Restarted, other: Session) -> None:
    stored.run("Memory.x = 0 runs = 0")
    done: list[int] = []

    def listener(_: OutputPiece) -> None:
        if len(done) < 3:
            assert other.evaluate("Memory.x = Memory.x + 10").ok
        done.append(1)

    # Each run says something else, so the listener hears of each.
    result = stored.evaluate(
        "runs = runs + 1 Memory.y = 1 local x = Memory.x io.write(x) io.flush() "
        "for i = 1, 2000 do Memory[i] = i end Memory.x = x + 1 return runs, Memory.x",
        on_output=listener,
    )
    assert result.ok
    assert result.values[0] == 1, "what was lost did not happen"
    assert value(other, "Memory.x") == result.values[1]


def test_one_that_always_loses_waits_in_the_end(
    stored: Restarted, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.run("Memory.x = 0")
    others = 0

    def listener(_: OutputPiece) -> None:
        nonlocal others
        # In the last run it holds the lock, and this fails: the file is busy.
        others += other.evaluate("Memory.x = Memory.x + 1").ok

    result = stored.evaluate(
        "local x = Memory.x io.write(x, ' ') io.flush() Memory.x = x + 1000 return Memory.x",
        on_output=listener,
    )
    assert result.ok
    assert others == RERUNS_MAX
    assert result.values == (others + 1000,)


def test_python_s_own_changes_are_seen(stored: Restarted) -> None:
    stored.run("ext.table('users').ann = 1 users = ext.table('users')")
    assert stored.session.drop("users") is True
    assert stored.run("ext.table('users').ann") == (None,)
    with pytest.raises(StoreError, match="Memory cannot be dropped"):
        stored.session.drop("Memory")


def test_evaluations_of_many_threads(stored: Restarted, other: Session) -> None:
    stored.run("Memory.n = 0")
    failed: list[object] = []

    def work(session: Session) -> None:
        for _ in range(15):
            result = session.evaluate("Memory.n = Memory.n + 1", time_limit_s=60)
            if not result.ok:
                failed.append(result.problems)

    threads = [
        threading.Thread(target=work, args=(session,))
        for session in (stored.session, other, stored.session, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert stored.run("Memory.n") == (60,)
