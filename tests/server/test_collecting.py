"""Garbage is looked for while nobody waits, and not while somebody does."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from lua_ls_persist.server import collecting
from lua_ls_persist.server.collecting import OLDER_AFTER, YOUNG_MIN, IdleCollector

WAIT_S = 0.02
"""Longer than the tests' `IDLE_S`."""


class Generations:
    """Stands for Python's collector: tests say how much there is to collect."""

    def __init__(self) -> None:
        self.counts = [0, 0, 0]
        self.collected: asyncio.Queue[int] = asyncio.Queue()
        """The generations, one after the other."""

    def collect(self, generation: int = 2) -> int:
        self.collected.put_nowait(generation)
        self.counts[: generation + 1] = [0] * (generation + 1)
        return 0


@pytest.fixture
def generations(monkeypatch: pytest.MonkeyPatch) -> Generations:
    found = Generations()
    monkeypatch.setattr(collecting, "IDLE_S", 0.001)
    monkeypatch.setattr(gc, "collect", found.collect)
    monkeypatch.setattr(gc, "get_count", lambda: tuple(found.counts))
    return found


async def test_the_youngest_are_collected_when_the_client_is_silent(
    generations: Generations,
) -> None:
    collector = IdleCollector(lambda: False)
    generations.counts = [YOUNG_MIN + 1, 0, 0]
    await asyncio.sleep(WAIT_S)
    assert generations.collected.empty()
    collector.touch()
    assert generations.collected.empty()
    assert await generations.collected.get() == 0
    generations.counts = [YOUNG_MIN + 1, OLDER_AFTER + 1, 0]
    collector.touch()
    assert await generations.collected.get() == 1


async def test_nothing_is_collected_while_somebody_waits(generations: Generations) -> None:
    answered = asyncio.Event()
    asked = asyncio.Queue[None]()

    def is_busy() -> bool:
        asked.put_nowait(None)
        return not answered.is_set()

    collector = IdleCollector(is_busy)
    generations.counts = [YOUNG_MIN + 1, 0, 0]
    collector.touch()
    for _ in range(4):
        await asked.get()
    assert generations.collected.empty()
    answered.set()
    assert await generations.collected.get() == 0


async def test_messages_put_it_off(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "IDLE_S", 60.0)
    collector = IdleCollector(lambda: False)
    generations.counts = [YOUNG_MIN + 1, 0, 0]
    collector.touch()
    # As if almost a minute had passed since the last message.
    monkeypatch.setattr(collector, "_touched_s", collector._touched_s - 59.95)
    collector._look()
    assert generations.collected.empty()
    assert await generations.collected.get() == 0


async def test_nothing_is_collected_after_the_end(generations: Generations) -> None:
    collector = IdleCollector(lambda: False)
    generations.counts = [YOUNG_MIN + 1, 0, 0]
    collector.touch()
    collector.close()
    collector.close()
    await asyncio.sleep(WAIT_S)
    assert generations.collected.empty()


async def test_all_are_collected_when_it_is_still_for_long(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "STILL_S", 60.0)
    collector = IdleCollector(lambda: False)
    generations.counts = [YOUNG_MIN + 1, 0, OLDER_AFTER + 1]
    collector.touch()
    await asyncio.sleep(WAIT_S)
    assert generations.collected.empty()  # Not long enough yet.
    monkeypatch.setattr(collector, "_touched_s", collector._touched_s - 61)
    collector._look()
    assert generations.collected.get_nowait() == 2
    collector.close()


async def test_little_garbage_is_left_alone(generations: Generations) -> None:
    collector = IdleCollector(lambda: False)
    generations.counts = [YOUNG_MIN, OLDER_AFTER + 1, OLDER_AFTER]
    collector.touch()
    await asyncio.sleep(WAIT_S)
    assert generations.collected.empty()
    generations.counts[0] = YOUNG_MIN + 1
    collector.touch()
    assert await generations.collected.get() == 1


async def test_a_circle_is_gone() -> None:
    class Circle:
        itself: Circle

    thresholds = gc.get_threshold()
    gc.set_threshold(*collecting.THRESHOLDS)
    try:
        gc.collect()
        one = Circle()
        one.itself = one
        gone = asyncio.Event()
        weakref.finalize(one, gone.set)
        del one
        many = [[number] for number in range(YOUNG_MIN + 100)]
        assert not gone.is_set()
        IdleCollector(lambda: False).touch()
        await gone.wait()
        assert len(many) > YOUNG_MIN
    finally:
        gc.set_threshold(*thresholds)
