"""Processes that are killed at random moments while they evaluate: what was acknowledged is there,
and nothing is half there.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session, idle
from tests.persistence import ledger
from tests.persistence.evaluating import PATIENT, STORE_DEFAULTS
from tests.persistence.states import damage, seen, seen_afresh
from tests.persistence.zygote import Child, Process, Zygote

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

MEMORY_LIMIT_BYTES = 2 * 1024 * 1024
LIFE_S_MAX = 0.12
"""A child opens the file in about a third of this, and evaluates in the rest."""
LONGER_LIFE = 1.5
"""On a busy machine it comes to nothing in so short a time: then lives become longer."""
ROUNDS_EACH_FILE = 25


def always_idle() -> None:
    """Do in the shortest pause what a session does when nothing was asked of it for a while."""
    idle.IMAGE_AFTER_S = idle.COLLECT_AFTER_S = 0.0
    idle.IMAGE_TIMES_COST = idle.COLLECT_TIMES_COST = 0


def live(child: Child) -> None:
    """Evaluate until killed; acknowledge each evaluation."""
    path, worker, seed = (child.task[name] for name in ("path", "worker", "seed"))
    generator = random.Random(f"{seed}")
    STORE_DEFAULTS.update([PATIENT])
    if generator.random() < 0.5:
        always_idle()
    while True:
        with Session.open(
            str(path), memory_limit_bytes=MEMORY_LIMIT_BYTES, resume=generator.random() < 0.5
        ) as session:
            evaluation = session.evaluate(f"return Memory.done and Memory.done.{worker} or 0")
            assert evaluation.ok, evaluation.problems
            (done,) = evaluation.values
            assert isinstance(done, int)
            for step in range(done + 1, done + 1 + generator.randint(1, 60)):
                evaluation = session.evaluate(ledger.STEP, arguments=[str(worker), step])
                assert evaluation.ok, evaluation.problems
                child.say(step)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as zygote:
        yield zygote


def acknowledged(process: Process) -> int:
    """The last step that a child acknowledged; 0 if none."""
    last = 0
    for message in process.hear_all():
        assert isinstance(message, int), str(message)
        last = message
    return last


def kill_all(
    zygote: Zygote, path: Path, workers: int, generator: random.Random, life_s_max: float
) -> dict[str, int]:
    """Let some processes live on a file, kill each at some moment; what each acknowledged."""
    started = time.monotonic()
    lives = []
    for number in range(workers):
        worker = f"w{number}"
        seed = generator.getrandbits(32)
        process = zygote.start(f"{__name__}:live", path=str(path), worker=worker, seed=seed)
        end = started + generator.uniform(0, life_s_max * workers)
        lives.append((end, worker, process))
    for end, _, process in sorted(lives):
        process.wait_until(end)
        process.kill()
    return {worker: acknowledged(process) for _, worker, process in lives}


def check(path: Path, acknowledgements: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    """What is there is what was acknowledged, and at most one evaluation of each more."""
    with Session.open(path) as session:
        done = ledger.check(session)
        for worker, acknowledgement in acknowledgements.items():
            least = max(acknowledgement, before.get(worker, 0))
            assert done.get(worker, 0) in (least, least + 1)
        there = seen(session)
    assert damage(path) == []
    assert seen_afresh(path) == there
    return done


def run(zygote: Zygote, folder: Path, *, kills: int, workers: int, seed: int) -> None:
    generator = random.Random(seed)
    path = folder / "session.db"
    done: dict[str, int] = {}
    survived, life_s_max = 0, LIFE_S_MAX
    rounds = -(-kills // workers)
    for number in range(rounds):
        if number % ROUNDS_EACH_FILE == 0:
            # Files are killed while they are made, too.
            path, done = folder / f"session-{number}.db", {}
        try:
            lives = kill_all(zygote, path, workers, generator, life_s_max)
            after = check(path, lives, done)
        except AssertionError:
            print(f"seed {seed}, round {number}, {path}")
            raise
        survived += sum(after.values()) - sum(done.values())
        done = after
        if survived <= number:
            life_s_max *= LONGER_LIFE
    print(f"{rounds * workers} kills, {survived} evaluations")
    assert survived > rounds, "the children were killed before they could do anything"


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "kills"), [(1, 200), (2, 60), (3, 60)])
def test_killed_at_random_moments(zygote: Zygote, tmp_path: Path, workers: int, kills: int) -> None:
    run(zygote, tmp_path, kills=kills, workers=workers, seed=20261121 + workers)


@pytest.mark.soak
@pytest.mark.parametrize(("workers", "kills"), [(1, 1000), (2, 500), (3, 501)])
def test_killed_at_many_random_moments(
    zygote: Zygote, tmp_path: Path, workers: int, kills: int
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    run(zygote, tmp_path, kills=kills, workers=workers, seed=seed)
