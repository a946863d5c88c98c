"""Times what the history costs: sessions that keep one against sessions that do not."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import bars
from benchmarks.bars import Judgement
from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, format_table, format_time, measure
from benchmarks.native import BUILD_FOLDER
from lua_ls_persist.session import Session

RECORDS = 10_000
INSERT: Final = "insert {:,} records of 3 fields, committed"
ONE: Final = "store one entry, committed"
UPDATE: Final = "change a field of {:,} records, committed"
NOTHING: Final = "return 1, beside stored data"
UNDO: Final = "undo and redo of one entry"
KEPT, NOT_KEPT = "with a history", "without"
SMALL_REPEATS = 20

_INSERT = """
local users = Memory.users
for i = 1, COUNT do users["u" .. i] = { name = "name " .. i, age = i, city = "city " .. i % 50 } end
"""
_UPDATE = "for _, user in pairs(Memory.users) do user.age = user.age + 1 end"


def measure_history(*, rounds: int) -> dict[str, Sample]:
    """Time evaluations, each in a session of its own, on the disk of this package."""
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="history-", dir=BUILD_FOLDER) as name,
        ExitStack() as up,
    ):
        folder = Path(name)
        subjects = [
            subject
            for kept, evaluations in ((KEPT, 1_000), (NOT_KEPT, 0))
            for subject in _subjects(up, folder, kept, evaluations)
        ]
        return measure(subjects, rounds=rounds)


def _subjects(up: ExitStack, folder: Path, kept: str, evaluations: int) -> list[Subject]:
    numbers = itertools.count()

    def opened(source: str) -> Session:
        path = folder / f"{kept}{next(numbers)}.db"
        session = up.enter_context(Session.open(path, history_limit_evaluations=evaluations))
        check(session.evaluate(source))
        return session

    insert = _INSERT.replace("COUNT", str(RECORDS))
    empty = "Memory.users = {} collectgarbage()"
    bulk, one, nothing = opened(empty), opened("Memory.n = 0"), opened("Memory.n = 0")
    changed = opened(f"Memory.users = {{}} {insert}")
    subjects = [
        Subject(
            f"{INSERT.format(RECORDS)}, {kept}",
            lambda: check(bulk.evaluate(insert)),
            prepare=lambda: check(bulk.evaluate(empty)),
        ),
        Subject(f"{UPDATE.format(RECORDS)}, {kept}", lambda: check(changed.evaluate(_UPDATE))),
        Subject(
            f"{ONE}, {kept}",
            lambda: check(one.evaluate("Memory.n = Memory.n + 1")),
            SMALL_REPEATS,
        ),
        Subject(f"{NOTHING}, {kept}", lambda: check(nothing.evaluate("return 1")), SMALL_REPEATS),
    ]
    if evaluations:
        undone = opened("Memory.n = 0")
        check(undone.evaluate("Memory.n = 1"))

        def back_and_forth() -> None:
            undone.undo()
            undone.redo()

        subjects.append(Subject(f"{UNDO}, {kept}", back_and_forth))
    return subjects


def ratio(samples: Mapping[str, Sample], what: str) -> float:
    """How many times as long something takes with a history."""
    return samples[f"{what}, {KEPT}"].best_s / samples[f"{what}, {NOT_KEPT}"].best_s


def format_history(samples: Mapping[str, Sample]) -> str:
    """Return a table of times, and of how many times as long it takes with a history."""
    rows = []
    for name, sample in samples.items():
        what, _, kept = name.rpartition(", ")
        paired = kept == KEPT and f"{what}, {NOT_KEPT}" in samples
        times = [format_time(sample.best_s), format_time(sample.median_s)]
        rows.append([name, *times, f"{ratio(samples, what):.2f}" if paired else ""])
    return format_table(["what", "best", "median", "times as long"], rows)


def judge(samples: Mapping[str, Sample]) -> tuple[Judgement, ...]:
    """Hold the measured against the bars."""
    return (
        Judgement(bars.HISTORY_INSERT, ratio(samples, INSERT.format(RECORDS))),
        Judgement(bars.HISTORY_ONE, samples[f"{ONE}, {KEPT}"].best_s * 1e3),
    )
