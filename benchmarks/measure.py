"""Repeats measurements in interleaved rounds, sums them up and prints them.

Interleaved: every subject is measured once a round, so that a machine that is slow for a while is
slow for all of them. The best of the rounds is the least disturbed one; the median tells how
disturbed the others were.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """The seconds that one subject took in each round."""

    rounds_s: tuple[float, ...]

    @property
    def best_s(self) -> float:
        """The least of them."""
        return min(self.rounds_s)

    @property
    def median_s(self) -> float:
        """The middle one."""
        return statistics.median(self.rounds_s)


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to be repeated: `action` is called `repeats` times in a row each round."""

    name: str
    action: Callable[[], object]
    repeats: int = 1
    prepare: Callable[[], object] | None = None
    """Called before each round, outside the measured time."""


def measure(
    subjects: Sequence[Subject],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Sample]:
    """Return the seconds per call of each subject, in interleaved rounds after one to warm up."""
    taken: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    assert len(taken) == len(subjects), "names of subjects are unique"
    for round_number in range(rounds + 1):
        for subject in subjects:
            seconds = measure_once(subject, clock)
            if round_number > 0:
                taken[subject.name].append(seconds)
    return {name: Sample(tuple(values)) for name, values in taken.items()}


def measure_once(subject: Subject, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds per call of one round."""
    if subject.prepare is not None:
        subject.prepare()
    action = subject.action
    # As `timeit` does: Python's own collector comes at moments that are not the subject's doing.
    collector_was_on = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for _ in range(subject.repeats):
            action()
        return (clock() - start) / subject.repeats
    finally:
        if collector_was_on:
            gc.enable()


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean of positive numbers.

    Raises:
        ValueError: there is no number.
    """
    logarithms = [math.log(ratio) for ratio in ratios]
    if not logarithms:
        raise ValueError("A mean needs at least one number.")
    return math.exp(math.fsum(logarithms) / len(logarithms))


def format_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, the first column aligned to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def join(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *others]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([join(lines[0]), join(rule), *map(join, lines[1:])])


def format_time(seconds: float) -> str:
    """Return a duration with three significant digits, in the unit that suits it."""
    for unit, size_s in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        # A value that would be rounded up to 1000 of the smaller unit is one of this unit.
        if seconds >= size_s * 0.9995:
            return f"{seconds / size_s:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
