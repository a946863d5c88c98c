"""The central property: it makes no difference where a program is interrupted by a restart.

A random program (programs.py) runs as one session, with a restart after every step that goes on
from an image, with a fresh VM after every step, with caches that hold next to nothing, and with
plain tables in place of external ones. All runs must show the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from lua_ls_persist.session import Session, runner
from tests.persistence.programs import OBSERVE, PLAIN_SET_UP, SET_UP, Step, programs

MEMORY_LIMIT_BYTES = 16 * 1024 * 1024
TINY_CACHE_ENTRIES = 20


class Run:
    """One way to run a program: a session that begins again in some way after each step."""

    tiny_cache = False

    def __init__(self, folder: Path) -> None:
        self.path = folder / "session.db"
        self.session = self.opened()

    def opened(self) -> Session:
        return Session.open(self.path, memory_limit_bytes=MEMORY_LIMIT_BYTES)

    def set_up(self) -> None:
        self.evaluate(SET_UP, "set_up")

    def evaluate(self, source: str, name: str) -> str:
        """All that can be seen of an evaluation, as text."""
        result = self.session.evaluate(source, name=name, mode="chunk")
        return result.output_text + "".join(
            f"{problem.kind}: {problem}" for problem in result.problems
        )

    def between(self) -> None:
        """What happens after each step."""

    def close(self) -> None:
        self.session.close()


class OneSession(Run):
    pass


class WithImages(Run):
    def between(self) -> None:
        self.session.close()
        self.session = self.opened()
        assert self.session.resumed, self.session.started


class FreshEachTime(Run):
    def between(self) -> None:
        self.session.restart()
        assert not self.session.resumed


class TinyCache(Run):
    tiny_cache = True


class TinyCacheFreshEachTime(FreshEachTime):
    tiny_cache = True


class PlainTables(Run):
    def opened(self) -> Session:
        return Session.open(memory_limit_bytes=MEMORY_LIMIT_BYTES)

    def set_up(self) -> None:
        assert self.evaluate(PLAIN_SET_UP, "plain") == ""
        super().set_up()


WAYS: tuple[type[Run], ...] = (
    PlainTables,
    OneSession,
    WithImages,
    FreshEachTime,
    TinyCache,
    TinyCacheFreshEachTime,
)


@contextmanager
def cache_limit(tiny: bool) -> Iterator[None]:
    before = runner.CACHED_ENTRIES_MAX
    runner.CACHED_ENTRIES_MAX = TINY_CACHE_ENTRIES if tiny else before
    try:
        yield
    finally:
        runner.CACHED_ENTRIES_MAX = before


def shown(way: type[Run], program: list[Step], folder: Path) -> list[str]:
    """What a program shows, step by step, and at last all that is left of it."""
    folder = folder / way.__name__
    folder.mkdir()
    try:
        with cache_limit(way.tiny_cache):
            run = way(folder)
            try:
                run.set_up()
                seen = []
                for number, step in enumerate(program, 1):
                    seen.append(run.evaluate(step.source, f"step{number}"))
                    run.between()
                # Twice: what the first look has loaded is what the second finds.
                seen += [run.evaluate(OBSERVE, "observe"), run.evaluate(OBSERVE, "observe")]
            finally:
                run.close()
    finally:
        shutil.rmtree(folder)
    return seen


def check(program: list[Step], folder: Path) -> None:
    expected = shown(PlainTables, program, folder)
    assert expected[-1] == expected[-2]
    for way in WAYS[1:]:
        seen = shown(way, program, folder)
        for number, (this, that) in enumerate(zip(seen, expected, strict=True), 1):
            what = f"step {number}" if number <= len(program) else "what is left"
            assert this == that, f"{way.__name__}, {what}"


def check_random(part: int, programs_max: int, folder: Path) -> None:
    @seed(part)
    @settings(
        max_examples=programs_max,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def run(program: list[Step]) -> None:
        check(program, folder)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_restarts_make_no_difference(part: int, tmp_path: Path) -> None:
    check_random(part, 25, tmp_path)
