"""Times what a caller of the library waits for: evaluations, large texts, full heaps, opening."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial

from benchmarks.measure import Sample, Subject, format_table, format_time, measure
from benchmarks.programs import FOLDER
from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from lua_ls_persist.vm.module import CACHE_ENVIRONMENT_VARIABLE

KIB, MIB = 1 << 10, 1 << 20
HEAP_SIZES_BYTES = (2 * MIB, 16 * MIB, 64 * MIB)
HEAP_MEMORY_LIMIT_BYTES = 96 * MIB
LARGE_TEXT_BYTES = 1 * MIB
TRIVIAL = "evaluate: return 1"
OPEN_VM_CACHED = "open a VM, module cached"
SMALL_REPEATS = 200
FULL_HEAP_REPEATS = 5

# Strings of 1 KiB each, all different, until the collector counts as many bytes as asked for.
FILL_HEAP = """
ballast = {}
while collectgarbage("count") < %d do
  ballast[#ballast + 1] = #ballast .. ("."):rep(1000)
end
"""

CHANGE_HEAP = "for i = 1, #ballast, 100 do ballast[i] = 'new ' .. i end"


def check(evaluation: Evaluation) -> None:
    """Fail loudly: the time of an evaluation that went wrong says nothing."""
    if not evaluation.ok:
        raise RuntimeError("; ".join(map(str, evaluation.problems)))


def measure_evaluations(*, rounds: int) -> dict[str, Sample]:
    """Time small evaluations in a fresh session, and large sources, results and outputs."""
    with Session.open() as fresh, Session.open() as laden:
        check(fresh.evaluate("function outer() local function f() error('no') end f() end"))
        check(laden.evaluate(f"text = ('x'):rep({LARGE_TEXT_BYTES})"))
        check(laden.evaluate("list = {} for i = 1, 10000 do list[i] = { id = i } end"))
        return measure([*_small_subjects(fresh), *_large_subjects(laden)], rounds=rounds)


def _small_subjects(session: Session) -> Iterator[Subject]:
    evaluate = session.evaluate
    submitted: list[Future[Evaluation]] = []

    def drain() -> None:
        for future in submitted:
            check(future.result())
        submitted.clear()

    def of(source: str) -> Callable[[], object]:
        return lambda: evaluate(source)

    for name, action in (
        (TRIVIAL, of("return 1")),
        ("evaluate: 1 + 1", of("1 + 1")),
        ("evaluate: x = 5", of("x = 5")),
        ("evaluate: print('hello')", of("print('hello')")),
        ("evaluate: {1, 2, 3}", of("{1, 2, 3}")),
        ("evaluate: return 1, no time limit", lambda: evaluate("return 1", time_limit_s=None)),
        ("submit and wait for the result", lambda: session.submit("return 1").result()),
        ("evaluate: a syntax error", of("x = = 1")),
        ("evaluate: an error, rolled back", of("y = 1 error('no')")),
        ("evaluate: an error three calls deep", of("outer()")),
    ):
        yield Subject(name, action, SMALL_REPEATS)
    yield Subject(
        "submit, until it returns",
        lambda: submitted.append(session.submit("return 1")),
        SMALL_REPEATS,
        prepare=drain,
    )


def _large_subjects(session: Session) -> Iterator[Subject]:
    statement = "x = (x or 0) + 1\n"
    for name, source in (
        ("source of 1 MiB, a comment", f"--[[{'x' * LARGE_TEXT_BYTES}]] return 1"),
        ("source of 1 MiB, statements", statement * (LARGE_TEXT_BYTES // len(statement))),
        ("string of 1 MiB as the result", "return text"),
        ("table of 10,000 tables as the result", "return list"),
        ("output of 1 MiB at once", "io.write(text)"),
        ("output of 10,000 lines", "for i = 1, 10000 do print(i) end"),
    ):
        yield Subject(name, partial(session.evaluate, source))


def measure_full_heaps(*, rounds: int) -> dict[str, Sample]:
    """Time evaluations in sessions whose heap is full of live strings: what the pre-image costs."""
    with ExitStack() as stack:
        subjects = []
        for size_bytes in HEAP_SIZES_BYTES:
            session = stack.enter_context(Session.open(memory_limit_bytes=HEAP_MEMORY_LIMIT_BYTES))
            check(session.evaluate(FILL_HEAP % (size_bytes // KIB)))
            suffix = f", {size_bytes // MIB} MiB in use"
            for name, source in (
                ("evaluate: return 1", "return 1"),
                ("evaluate: an error, rolled back", "y = 1 error('no')"),
                ("evaluate: every 100th entry changed", CHANGE_HEAP),
                ("evaluate: the same, rolled back", CHANGE_HEAP + " error('no')"),
            ):
                action = partial(session.evaluate, source)
                subjects.append(Subject(name + suffix, action, FULL_HEAP_REPEATS))
        return measure(subjects, rounds=rounds)


def measure_opening(*, rounds: int) -> dict[str, Sample]:
    """Time opening in fresh processes, with the module's cache empty and filled."""
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="lua-ls-persist-benchmark-") as kept:
        _probe(kept)  # fills the cache
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="lua-ls-persist-benchmark-") as empty:
                for name, seconds in (*_probe(empty, "no cache"), *_probe(kept, "module cached")):
                    taken.setdefault(name, []).append(seconds)
    return {name: Sample(tuple(values)) for name, values in taken.items()}


def _probe(cache: str, state: str = "") -> list[tuple[str, float]]:
    """Run `open_probe` with a cache folder of its own; return what it measured."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.open_probe"],
        cwd=FOLDER.parent,
        env=os.environ | {CACHE_ENVIRONMENT_VARIABLE: cache},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    times: dict[str, float] = json.loads(result.stdout)
    return [(f"{name}, {state}", seconds) for name, seconds in times.items()]


def format_times(samples: dict[str, Sample]) -> str:
    """Return a table: a row a subject, with the best round and the median."""
    return format_table(
        ["what", "best", "median"],
        [
            [name, format_time(sample.best_s), format_time(sample.median_s)]
            for name, sample in samples.items()
        ],
    )
