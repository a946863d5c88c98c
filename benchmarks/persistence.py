"""Times what persistence costs and gives: everything about external tables, in one part.

`access` has the operations inside the VM, `records` the comparison with other stores, `functions`
closures, and `keeping` whole sessions; here they are put together and judged.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import access, bars, functions, keeping, records
from benchmarks.access import EXTERNAL, PLAIN, AccessSamples, Key
from benchmarks.bars import Judgement
from benchmarks.evaluate import format_times
from benchmarks.measure import Sample, format_table, format_time
from benchmarks.native import BUILD_FOLDER


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    loop: int = 200_000
    records: int = 10_000
    tables: tuple[int, ...] = (1000, 10_000, 1_000_000)
    """In rising order."""
    functions: int = 500


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was measured, by topic."""

    sizes: Sizes
    loops: AccessSamples
    scans: AccessSamples
    inserts: Mapping[str, Sample]
    commits: Mapping[str, Sample]
    functions: Mapping[str, Sample]
    evaluations: Mapping[str, Sample]
    openings: Mapping[str, Sample]

    def samples(self) -> dict[str, Sample]:
        """All of it, each under one name."""
        inside = self.loops | self.scans
        samples = {f"{key.name}; {key.kind}, {key.profile}": inside[key] for key in inside}
        for topic, group in (("insert", self.inserts), ("commit", self.commits)):
            samples |= {f"{topic}; {name}": sample for name, sample in group.items()}
        return samples | {**self.functions, **self.evaluations, **self.openings}


def measure_persistence(
    *, rounds: int, report: Callable[[str], object], sizes: Sizes | None = None
) -> Measured:
    """Measure everything, with files on the disk that this package is on."""
    sizes = sizes or Sizes()
    # The system's folder for temporary files may be memory, where a commit costs nothing.
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="persistence-", dir=BUILD_FOLDER) as name:
        folder = Path(name)
        return Measured(
            sizes=sizes,
            loops=access.measure_loops(folder, count=sizes.loop, rounds=rounds),
            scans=access.measure_scans(folder, sizes.tables, rounds=rounds),
            inserts=records.measure_inserts(folder, sizes.records, rounds=rounds, report=report),
            # Peers that are missing have been reported by then.
            commits=records.measure_commits(folder, rounds=rounds, report=lambda _: None),
            functions=functions.measure_functions(folder, sizes.functions, rounds=rounds),
            evaluations=keeping.measure_evaluations(folder, sizes.functions, rounds=rounds),
            openings=keeping.measure_openings(
                folder, access.large_path(folder, "default"), sizes.tables[-1], rounds=rounds
            ),
        )


def format_measured(measured: Measured) -> str:
    """Return the tables, each under a heading."""
    count = f"{measured.sizes.records:,}"
    parts = {
        "Inside the VM": access.format_accesses(measured.loops | measured.scans),
        f"{count} records of three fields, committed": _format_ratios(measured.inserts),
        "A change of one entry, committed": _format_ratios(measured.commits),
        "Functions, each": format_times(dict(measured.functions)),
        "Evaluations": format_times(dict(measured.evaluations)),
        "Opening and closing": format_times(dict(measured.openings)),
    }
    return "\n\n".join(f"### {heading}\n\n{table}" for heading, table in parts.items())


def _format_ratios(samples: Mapping[str, Sample]) -> str:
    raw_s = samples[records.RAW].best_s
    return format_table(
        ["what", "best", "median", "to raw rows"],
        [
            [
                name,
                format_time(sample.best_s),
                format_time(sample.median_s),
                f"{sample.best_s / raw_s:.2f}",
            ]
            for name, sample in samples.items()
        ],
    )


def judge(measured: Measured) -> tuple[Judgement, ...]:
    """Hold the measured against the bars; what has several forms is judged by the slowest."""
    loops = measured.loops
    read, write = access.slowest(loops, access.READS), access.slowest(loops, access.WRITES)
    ratios = {key: _to_plain(loops, key) for key in loops if key.name in access.READS}
    far = max(ratios, key=lambda key: ratios[key])
    inserts, kept = measured.inserts, measured.functions
    evaluations = measured.evaluations
    openings = {
        name: sample.best_s
        for name, sample in measured.openings.items()
        if name in _opening_names(measured.sizes)
    }
    opening = max(openings, key=lambda name: openings[name])
    persist = max(
        (functions.PERSIST_NEW_CODE, functions.PERSIST_KNOWN_CODE), key=lambda n: kept[n].best_s
    )
    overhead = evaluations[keeping.USED_FILE].best_s / evaluations[keeping.NEVER_USED].best_s
    return (
        Judgement(bars.CACHED_READ, loops[read].best_s * 1e9, note=_note(read)),
        Judgement(bars.CACHED_READ_TO_PLAIN, ratios[far], note=_note(far)),
        Judgement(bars.LOGGED_WRITE, loops[write].best_s * 1e9, note=_note(write)),
        Judgement(bars.INSERT_TO_RAW, inserts[records.OURS].best_s / inserts[records.RAW].best_s),
        Judgement(bars.PERSIST_CLOSURE, kept[persist].best_s * 1e6, note=persist),
        Judgement(bars.RESTORE_CLOSURE, kept[functions.RESTORE].best_s * 1e6),
        Judgement(bars.COMMIT, measured.commits[records.OURS].best_s * 1e3),
        Judgement(bars.OPEN_LARGE, openings[opening] * 1e3, note=opening),
        Judgement(bars.UNUSED_PERSISTENCE, overhead),
    )


def _opening_names(sizes: Sizes) -> set[str]:
    names = (keeping.OPEN_WITH_IMAGE, keeping.OPEN_WITHOUT_IMAGE)
    return {name.format(sizes.tables[-1]) for name in names}


def _to_plain(loops: AccessSamples, key: Key) -> float:
    """How much longer an operation takes on an external table than on a plain one."""
    external, plain = (loops[Key(key.profile, key.name, kind)] for kind in (EXTERNAL, PLAIN))
    return external.best_s / plain.best_s


def _note(key: Key) -> str:
    return f"{key.name}, {key.profile}"
