"""Evaluations that are interrupted, or run out of time, at random moments while they use the store:
each happened whole or not at all. And finalizers, which run at any moment as well.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.persistence import ledger
from tests.persistence.scenarios import SCENARIOS, SETUP, attempt, prepare
from tests.persistence.states import damage, seen, seen_afresh, stored

MOMENT_S_MAX = 0.006
"""About as long as an evaluation of these takes."""
LATER_AFTER = 8
"""So many stops in a row mean that it takes longer, as on a busy machine."""


@contextmanager
def interrupted(session: Session, after_s: float) -> Iterator[None]:
    """Interrupt what is evaluated in this block, so long after it has begun."""
    ended = threading.Event()

    def interrupt() -> None:
        while not session.evaluating:
            if ended.is_set():
                return
        moment = time.perf_counter() + after_s
        while time.perf_counter() < moment:
            pass
        session.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run_ledger(path: Path, *, seed: int, steps: int, how: str) -> None:
    generator = random.Random(seed)
    done = stopped = in_a_row = 0
    with Session.open(path) as session:
        for number in range(steps):
            moment_s = generator.uniform(0, MOMENT_S_MAX) * (1 + in_a_row // LATER_AFTER)
            if how == "interrupt":
                with interrupted(session, moment_s):
                    evaluation = session.evaluate(ledger.STEP, arguments=["w0", done + 1])
            else:
                evaluation = session.evaluate(
                    ledger.STEP, arguments=["w0", done + 1], time_limit_s=moment_s + 1e-6
                )
            if evaluation.ok:
                done += 1
                in_a_row = 0
            else:
                (problem,) = evaluation.problems
                assert problem.kind == how, problem
                stopped += 1
                in_a_row += 1
            if number % 10 == 0:
                assert ledger.check(session) == ({"w0": done} if done else {})
            if number % 30 == 15:
                session.restart()
            if number % 30 == 0:
                assert seen(session) == seen_afresh(path)
        assert ledger.check(session) == {"w0": done}
        assert seen(session) == seen_afresh(path)
    assert damage(path) == []
    print(f"{done} done, {stopped} stopped")
    assert done > 0
    assert stopped > 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["interrupt", "timeout"])
def test_stopped_at_random_moments(tmp_path: Path, how: str) -> None:
    run_ledger(tmp_path / "session.db", seed=20261121, steps=300, how=how)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["interrupt", "timeout"])
def test_stopped_at_many_random_moments(tmp_path: Path, how: str) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    run_ledger(tmp_path / "session.db", seed=seed, steps=5_000, how=how)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_stopped(tmp_path: Path, name: str) -> None:
    prepared = prepare(tmp_path, name)
    generator = random.Random(name)
    counts, in_a_row = {"done": 0, "stopped": 0}, 0
    while min(counts.values()) < 8:
        path = prepared.copy(tmp_path)
        with Session.open(path, resume=False) as session:
            while True:
                later = 1 + in_a_row // LATER_AFTER
                with interrupted(session, generator.uniform(0, MOMENT_S_MAX) * later):
                    evaluation = attempt(session, prepared.source)
                if evaluation.ok:
                    in_a_row = 0
                    break
                counts["stopped"] += 1
                in_a_row += 1
                (problem,) = evaluation.problems
                assert problem.kind == "interrupt", problem
                assert stored(path) == prepared.before
                assert seen(session) == prepared.seen_before
                if counts["stopped"] % 2:
                    session.restart()
            counts["done"] += 1
            assert stored(path) == prepared.after
            assert seen(session) == prepared.seen_after
        assert sum(counts.values()) < 1_000, counts
    assert damage(path) == []


FINALIZERS = """
-- A collection at nearly every allocation, and finalizers that use everything.
collectgarbage("incremental", 10, 1000, 1)
finalized, made = 0, setmetatable({}, { __mode = "k" })
local function finalize(object)
  finalized = finalized + 1
  local number = object.number
  Memory.finalized = (Memory.finalized or 0) + 1
  Memory.users.u1.age = number
  Memory.made[number % 7] = { number, { number }, function() return number end }
  if number % 5 == 0 then ext.table("f" .. number % 3).x = number end
  if number % 11 == 0 then for index in pairs(Memory.list) do number = index end end
  if number % 13 == 0 then Memory.object(1) end
  if number % 17 == 0 then pcall(ext.transaction, function() Memory.up() error("undone") end) end
end
function litter(number)
  made[setmetatable({ number = number }, { __gc = finalize })] = true
end
Memory.made = {}
"""

LITTERED = """
local step = ...
for number = 1, 40 do
  litter(number)
  if number % 4 == 0 then Memory.users["u" .. number % 8 + 1].tags = { number, { number } } end
  if number % 4 == 1 then for _, user in pairs(Memory.users) do user.age = user.age end end
  if number % 4 == 2 then Memory.f = function() return number, Memory.up end end
  if number % 4 == 3 then Memory.list[#Memory.list + 1] = { number } end
  local _ = ("x"):rep(200) .. number
end
"""


@pytest.mark.slow
@pytest.mark.parametrize("cached_entries", [60, 100_000])
def test_finalizers_that_use_the_store_run_at_any_moment(
    tmp_path: Path, cached_entries: int
) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(SETUP).ok
        assert session.evaluate(FINALIZERS).ok
        for step in range(40):
            session._life.call(lambda runner: runner.machine.limit_cache(cached_entries))
            evaluation = session.evaluate(LITTERED, arguments=[step])
            assert evaluation.ok, evaluation.problems
            if step % 5 == 0:
                assert seen(session) == seen_afresh(path)
        session.collect_garbage()
        (finalized, counted) = session.evaluate("return finalized, Memory.finalized").values
        assert finalized == counted == 40 * 40
        assert seen(session) == seen_afresh(path)
    assert damage(path) == []
