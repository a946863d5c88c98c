"""Times every program in every VM, in interleaved rounds of one run, and compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.measure import Sample, format_table, geometric_mean
from benchmarks.native import PeerUnavailableError, build_native
from benchmarks.programs import COROUTINE_PROGRAM, Program
from benchmarks.wasmoon import wasmoon_command
from benchmarks.workers import Run, Worker, session_command

NATIVE, OURS, WASMOON = "native", "ours", "wasmoon"
WARM_UP_RUNS = 2

COMMANDS: Mapping[str, Callable[[], Sequence[str]]] = {
    NATIVE: lambda: [str(build_native())],
    OURS: session_command,
    WASMOON: wasmoon_command,
}

Samples = dict[str, dict[str, Sample]]
"""By VM, then by program."""


@contextmanager
def open_workers(
    commands: Mapping[str, Callable[[], Sequence[str]]], *, report: Callable[[str], object]
) -> Iterator[list[Worker]]:
    """Start one process a VM; a peer that cannot be had is reported and left out."""
    with ExitStack() as stack:
        workers = []
        for name, make_command in commands.items():
            try:
                command = make_command()
            except PeerUnavailableError as error:
                report(str(error))
                continue
            workers.append(stack.enter_context(Worker(name, command)))
        yield workers


def run_programs(
    workers: Sequence[Worker],
    programs: Sequence[Program],
    *,
    rounds: int,
    seconds_of: Callable[[Run], float] = lambda run: run.wall_s,
) -> Samples:
    """Run all programs in all VMs, `rounds` times, in turn; the first runs only warm the VMs up."""
    taken: dict[str, dict[str, list[float]]] = {
        worker.name: {program.name: [] for program in programs} for worker in workers
    }
    for program in programs:
        for worker in workers:
            worker.load(program)
            for _ in range(WARM_UP_RUNS):
                worker.run(program)
    for _ in range(rounds):
        for program in programs:
            for worker in workers:
                seconds = seconds_of(worker.run(program))
                taken[worker.name][program.name].append(seconds / program.count)
    for program in programs:
        for worker in workers:
            worker.unload(program)
    return _samples(taken)


def first_runs(
    programs: Sequence[Program], *, rounds: int, report: Callable[[str], object]
) -> Samples:
    """Time the first run of each program in a fresh process, in turn: no VM is warm."""
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for program in programs:
            for name, command in COMMANDS.items():
                with open_workers({name: command}, report=report) as workers:
                    for worker in workers:
                        worker.load(program)
                        times = taken.setdefault(name, {}).setdefault(program.name, [])
                        times.append(worker.run(program).wall_s)
    return _samples(taken)


def _samples(taken: Mapping[str, Mapping[str, Sequence[float]]]) -> Samples:
    return {
        name: {program: Sample(tuple(values)) for program, values in by_program.items()}
        for name, by_program in taken.items()
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much longer one VM takes than another: ratios of the best rounds, by program."""

    ratios: Mapping[str, float]

    @property
    def mean(self) -> float:
        """The geometric mean over all programs."""
        return geometric_mean(self.ratios.values())

    @property
    def mean_without_coroutines(self) -> float:
        """The geometric mean over all programs but the one that only switches coroutines."""
        return geometric_mean(
            ratio for program, ratio in self.ratios.items() if program != COROUTINE_PROGRAM
        )


def compare(samples: Samples, vm: str, base: str) -> Comparison:
    """Return how `vm` stands to `base`."""
    return Comparison(
        {
            program: sample.best_s / samples[base][program].best_s
            for program, sample in samples[vm].items()
        }
    )


def format_samples(samples: Samples, *, unit_s: float) -> str:
    """Return a table: a row a program; best, median, and the ratio of the best to native's."""
    names = list(samples)
    header = ["program"]
    for name in names:
        header += [name, "median"] + (["ratio"] if name != NATIVE and NATIVE in samples else [])
    rows = []
    for program in samples[names[0]]:
        row = [program]
        for name in names:
            sample = samples[name][program]
            row += [f"{sample.best_s / unit_s:.1f}", f"{sample.median_s / unit_s:.1f}"]
            if name != NATIVE and NATIVE in samples:
                row.append(f"{sample.best_s / samples[NATIVE][program].best_s:.2f}")
        rows.append(row)
    return format_table(header, rows)
