"""`python -m benchmarks`: measures everything in one run, prints ratios, judges by the bars."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import (
    bars,
    batches,
    bench_server,
    compression,
    compute,
    core,
    evaluate,
    history,
    indexes,
    language,
    persistence,
    queries,
)
from benchmarks.bars import Judgement, format_judgements
from benchmarks.compute import COMMANDS, NATIVE, OURS, WASMOON, Samples, compare, format_samples
from benchmarks.evaluate import OPEN_VM_CACHED, TRIVIAL, format_times
from benchmarks.measure import Sample
from benchmarks.native import compiler_version
from benchmarks.programs import OPERATIONS_FOLDER, Program, read_programs
from benchmarks.wasmoon import node_version
from benchmarks.workers import Run

ROUNDS_DEFAULT = 10
FIRST_RUN_ROUNDS_MAX = 3
LANGUAGE_ROUNDS_TIMES = 5
"""Of so many times as many rounds the slowest in twenty can be told."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure."""

    rounds: int
    clock: str
    large: bool = False

    def seconds_of(self, run: Run) -> float:
        """Return the time of a run by the chosen clock."""
        return run.cpu_s if self.clock == "cpu" else run.wall_s


@dataclass(frozen=True, slots=True)
class Result:
    """What a part measured."""

    text: str
    samples: Mapping[str, object]
    judgements: tuple[Judgement, ...] = ()


def report(message: str) -> None:
    """Tell what is left out, and why."""
    print(f"Note: {message}", file=sys.stderr, flush=True)


def run_compute(settings: Settings) -> Result:
    """All programs in all VMs, warm."""
    samples = _run(read_programs(), settings)
    lines = [format_samples(samples, unit_s=1e-3), ""]
    judgements: list[Judgement] = []
    for name in samples:
        if name != NATIVE and NATIVE in samples:
            ratio = compare(samples, name, NATIVE)
            lines.append(
                f"{name} / native, geometric mean: {ratio.mean_without_coroutines:.3f} "
                f"without coroutine switching, {ratio.mean:.3f} with it"
            )
    if NATIVE in samples:
        ratio = compare(samples, OURS, NATIVE)
        judgements += [
            Judgement(bars.COMPUTE, ratio.mean_without_coroutines),
            Judgement(bars.COMPUTE_WITH_COROUTINES, ratio.mean),
        ]
    if WASMOON in samples:
        ratios = compare(samples, OURS, WASMOON).ratios
        lines.append(_wasmoon_line(ratios))
        worst = max(ratios, key=lambda program: ratios[program])
        judgements.append(Judgement(bars.COMPUTE_TO_WASMOON, ratios[worst], note=worst))
    return Result("\n".join(lines), _plain_by_vm(samples), tuple(judgements))


def _wasmoon_line(ratios: Mapping[str, float]) -> str:
    behind = sorted((name for name in ratios if ratios[name] >= 1), key=lambda name: -ratios[name])
    if not behind:
        return "ours is ahead of wasmoon on every program"
    names = ", ".join(f"{name} ({ratios[name]:.2f} of its time)" for name in behind)
    return f"ours is behind wasmoon on {len(behind)} of {len(ratios)} programs: {names}"


def run_first(settings: Settings) -> Result:
    """All programs in all VMs, each run the first in its process."""
    samples = compute.first_runs(
        read_programs(), rounds=min(settings.rounds, FIRST_RUN_ROUNDS_MAX), report=report
    )
    lines = [format_samples(samples, unit_s=1e-3)]
    if WASMOON in samples:
        lines += ["", _wasmoon_line(compare(samples, OURS, WASMOON).ratios)]
    return Result("\n".join(lines), _plain_by_vm(samples))


def run_operations(settings: Settings) -> Result:
    """Single operations, in nanoseconds."""
    samples = _run(read_programs(OPERATIONS_FOLDER), settings)
    return Result(format_samples(samples, unit_s=1e-9), _plain_by_vm(samples))


def run_evaluate(settings: Settings) -> Result:
    """Evaluations from Python, small and large."""
    samples = evaluate.measure_evaluations(rounds=settings.rounds)
    judgement = Judgement(bars.EVALUATE, samples[TRIVIAL].best_s * 1e3)
    return Result(format_times(samples), _plain(samples), (judgement,))


def run_heaps(settings: Settings) -> Result:
    """Evaluations in sessions with a full heap."""
    samples = evaluate.measure_full_heaps(rounds=settings.rounds)
    return Result(format_times(samples), _plain(samples))


def run_opening(settings: Settings) -> Result:
    """Opening in fresh processes."""
    samples = evaluate.measure_opening(rounds=settings.rounds)
    judgement = Judgement(bars.OPEN_CACHED, samples[OPEN_VM_CACHED].best_s * 1e3)
    return Result(format_times(samples), _plain(samples), (judgement,))


def run_core(settings: Settings) -> Result:
    """Boundary crossings, images, the module's size."""
    samples = core.measure_core(rounds=settings.rounds)
    image_s = sum(
        samples[core.image_name(direction, evaluate.HEAP_SIZES_BYTES[0])].best_s
        for direction in (core.IMAGE_OUT, core.IMAGE_IN)
    )
    size_bytes = core.module_size_bytes()
    judgements = (
        Judgement(bars.IMAGE, image_s * 1e3),
        Judgement(bars.MODULE_SIZE, size_bytes / 1000),
    )
    text = f"{format_times(samples)}\n\nmodule: {size_bytes} bytes"
    return Result(text, _plain(samples) | {"module_size_bytes": size_bytes}, judgements)


def run_server(settings: Settings) -> Result:
    """Evaluations through the language server."""
    samples = bench_server.samples(settings.rounds)
    return Result(format_times(samples), _plain(samples), (bench_server.judge(samples),))


def run_persistence(settings: Settings) -> Result:
    """External tables, functions and sessions that are kept, against other stores."""
    measured = persistence.measure_persistence(rounds=settings.rounds, report=report)
    text = persistence.format_measured(measured)
    return Result(text, _plain(measured.samples()), persistence.judge(measured))


def run_batches(settings: Settings) -> Result:
    """Many operations in one transaction."""
    samples = batches.measure_batches(rounds=settings.rounds, report=report)
    return Result(batches.format_batches(samples), _plain(samples), batches.judge(samples))


def run_compression(settings: Settings) -> Result:
    """What compression saves on repetitive data, and what it costs."""
    measured = compression.measure_compression(rounds=settings.rounds)
    text = compression.format_compression(measured)
    plain = _plain(measured.samples) | {"file_bytes": dict(measured.file_bytes)}
    return Result(text, plain, compression.judge(measured))


def run_history(settings: Settings) -> Result:
    """What the history costs, and what undo takes."""
    samples = history.measure_history(rounds=settings.rounds)
    return Result(history.format_history(samples), _plain(samples), history.judge(samples))


def run_indexes(settings: Settings) -> Result:
    """What indexes cost: building them, and keeping them up to date."""
    measured = indexes.measure_indexes(
        rounds=settings.rounds,
        large=settings.large,
        clock=time.process_time if settings.clock == "cpu" else time.perf_counter,
    )
    samples = {f"insert, {name}": sample for name, sample in measured.inserts.items()}
    builds = {f"build, {name}, {size}": s for (size, name), s in measured.builds_s.items()}
    return Result(
        indexes.format_indexes(measured), _plain(samples) | builds, indexes.judge(measured)
    )


def run_language(settings: Settings) -> Result:
    """Language features right after an edit, from the client's side."""
    measured = language.measure_language(LANGUAGE_ROUNDS_TIMES * settings.rounds)
    plain = {
        f"{server}; {name}": sample
        for server, by_name in measured.features.items()
        for name, sample in by_name.items()
    }
    return Result(language.format_language(measured), _plain(plain), language.judge(measured))


def run_queries(settings: Settings) -> Result:
    """Questions about records, through indexes and by scans, against other stores."""
    samples = queries.measure_queries(rounds=settings.rounds, report=report)
    plain = {
        f"{key.contender}; {key.question}; {key.size} records": sample
        for key, sample in samples.items()
    }
    return Result(queries.format_queries(samples), _plain(plain), queries.judge(samples))


PARTS: Mapping[str, Callable[[Settings], Result]] = {
    "compute": run_compute,
    "first": run_first,
    "operations": run_operations,
    "evaluate": run_evaluate,
    "heaps": run_heaps,
    "opening": run_opening,
    "core": run_core,
    "server": run_server,
    "language": run_language,
    "persistence": run_persistence,
    "batches": run_batches,
    "compression": run_compression,
    "history": run_history,
    "indexes": run_indexes,
    "queries": run_queries,
}


def main() -> int:
    """Run the parts named on the command line, all by default."""
    options = _parse_arguments()
    settings = Settings(options.rounds, options.clock, options.large)
    machine = _machine()
    print(f"{machine}\n{settings.rounds} rounds, {settings.clock} time\n", flush=True)
    judgements: list[Judgement] = []
    samples: dict[str, object] = {}
    for name in options.parts or PARTS:
        start = time.perf_counter()
        result = PARTS[name](settings)
        print(f"## {name}: {_summary(PARTS[name])}\n\n{result.text}\n")
        print(f"({time.perf_counter() - start:.0f} s)\n", flush=True)
        samples[name] = result.samples
        judgements += result.judgements
    if judgements:
        print(f"## bars\n\n{format_judgements(judgements)}")
    if options.json is not None:
        judged = [asdict(judgement) | {"met": judgement.met} for judgement in judgements]
        document = {"machine": machine, "settings": asdict(settings), "bars": judged} | samples
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"what to run: {', '.join(PARTS)}; default: all"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=ROUNDS_DEFAULT,
        help="interleaved rounds; default: %(default)s",
    )
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="what to compare programs by; cpu suits a machine that is busy; default: %(default)s",
    )
    parser.add_argument(
        "--large", action="store_true", help="also build indexes of 1,000,000 records"
    )
    parser.add_argument("--json", type=Path, help="also write every round's times to this file")
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    if options.rounds < 1:
        parser.error("at least one round is needed")
    return options


def _run(programs: tuple[Program, ...], settings: Settings) -> Samples:
    with compute.open_workers(COMMANDS, report=report) as workers:
        return compute.run_programs(
            workers, programs, rounds=settings.rounds, seconds_of=settings.seconds_of
        )


def _summary(part: Callable[[Settings], Result]) -> str:
    text = (part.__doc__ or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _plain(samples: Mapping[str, Sample]) -> dict[str, object]:
    return {name: sample.rounds_s for name, sample in samples.items()}


def _plain_by_vm(samples: Samples) -> dict[str, object]:
    return {vm: _plain(by_program) for vm, by_program in samples.items()}


def _machine() -> str:
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, {load}; "
        f"Python {platform.python_version()}, {compiler_version()}, node {node_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


if __name__ == "__main__":
    sys.exit(main())
