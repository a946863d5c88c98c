"""The central property: it makes no difference where a program is interrupted by a restart.

A random program (programs.py) runs as one session, with a restart after every step that goes on
from an image, with a fresh VM after every step, with caches that hold next to nothing, and with
plain tables in place of external ones. All runs must show the same.
"""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from lua_ls_persist.session import Session, steering
from tests.persistence.programs import (
    EXAMPLE,
    OBSERVE,
    PLAIN_SET_UP,
    SET_UP,
    TEMPLATES,
    Step,
    programs,
)

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
    before = steering.CACHED_ENTRIES_MAX
    steering.CACHED_ENTRIES_MAX = TINY_CACHE_ENTRIES if tiny else before
    try:
        yield
    finally:
        steering.CACHED_ENTRIES_MAX = before


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


def difference(program: list[Step], way: type[Run], expected: list[str], folder: Path) -> str:
    """Where a way of running a program shows something else than what is expected; or nothing."""
    seen = shown(way, program, folder)
    for number, (this, that) in enumerate(zip(seen, expected, strict=True), 1):
        if this != that:
            where = f"step {number}" if number <= len(program) else "what is left"
            lines = difflib.unified_diff(that.split("\n"), this.split("\n"), lineterm="", n=2)
            return "\n".join([f"{way.__name__} differs in {where}:", *list(lines)[2:]])
    return ""


def reduced(program: list[Step], way: type[Run], folder: Path) -> list[Step]:
    """A part of a program that makes a difference, too, and of which no step can be left out."""
    number = len(program)
    while number > 0:
        number -= 1
        shorter = program[:number] + program[number + 1 :]
        if difference(shorter, way, shown(PlainTables, shorter, folder), folder):
            program, number = shorter, len(shorter)
    return program


def check(program: list[Step], folder: Path) -> None:
    expected = shown(PlainTables, program, folder)
    for way in WAYS[1:]:
        if difference(program, way, expected, folder):
            program = reduced(program, way, folder)
            expected = shown(PlainTables, program, folder)
            lines = [repr(step) for step in program]
            lines.append(difference(program, way, expected, folder))
            pytest.fail("\n".join(lines), pytrace=False)


def check_random(part: int, programs_max: int, folder: Path) -> None:
    """Run random programs, always the same ones for the same part."""

    @seed(part)
    @settings(
        max_examples=programs_max,
        database=None,
        # `reduced` knows better what is worth trying.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def run(program: list[Step]) -> None:
        check(program, folder)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_restarts_make_no_difference(part: int, tmp_path: Path) -> None:
    check_random(part, 25, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(100, 130))
def test_restarts_make_no_difference_to_many_programs(part: int, tmp_path: Path) -> None:
    check_random(part, 100, tmp_path)


def test_a_difference_is_found_and_reduced(tmp_path: Path) -> None:
    """What is not stored is lost in a restart: a program that relies on it is told from others."""
    program = [
        Step("tab(0).a = 1"),
        Step("lost = 1"),
        Step("tab(0).b = 2"),
        Step("print(lost)"),
        Step("tab(0).c = 3"),
    ]
    assert shown(WithImages, program, tmp_path) == shown(PlainTables, program, tmp_path)
    with pytest.raises(pytest.fail.Exception) as caught:
        check(program, tmp_path)
    assert str(caught.value).split("\n") == [
        "Step('lost = 1')",
        "Step('print(lost)')",
        "FreshEachTime differs in step 2:",
        "@@ -1,2 +1,2 @@",
        "-1",
        "+nil",
        " ",
    ]


@pytest.mark.slow
def test_every_step_runs(tmp_path: Path) -> None:
    """No step is spoiled by a mistake in it: each can go well, on its own."""
    for name, template in TEMPLATES.items():
        body = template.substitute(EXAMPLE)
        steps = [Step("add({ 1, 2, a = 3 }) add(function() return 1 end)"), Step(body)]
        seen = shown(OneSession, steps, tmp_path)
        assert "runtime" not in seen[1], f"{name}: {seen[1]}"
        assert "syntax" not in seen[1], f"{name}: {seen[1]}"
