"""`python -m benchmarks.wasm_quick A.wasm B.wasm ...`: compares builds of the core, for tuning it.

Prints each program's ratio to native for every module given (and for the package's own, named
`ours`), measured as by `python -m benchmarks compute`.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from benchmarks.compute import COMMANDS, NATIVE, OURS, compare, open_workers, run_programs
from benchmarks.measure import format_table
from benchmarks.programs import (
    COROUTINE_PROGRAM,
    OPERATIONS_FOLDER,
    PROGRAMS_FOLDER,
    read_programs,
)
from benchmarks.workers import session_command


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wasm_quick", description=__doc__)
    parser.add_argument("modules", nargs="*", type=Path, help="WebAssembly modules of the core")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--programs", help="names, separated by commas; default: all")
    parser.add_argument(
        "--operations", action="store_true", help="time single operations instead of programs"
    )
    parser.add_argument(
        "--cpu", action="store_true", help="compare processor time: for a machine that is busy"
    )
    options = parser.parse_args()
    programs = read_programs(OPERATIONS_FOLDER if options.operations else PROGRAMS_FOLDER)
    if options.programs:
        programs = tuple(p for p in programs if p.name in options.programs.split(","))
    commands = {NATIVE: COMMANDS[NATIVE], OURS: COMMANDS[OURS]}
    commands |= {path.stem: partial(session_command, path) for path in options.modules}
    with open_workers(commands, report=print) as workers:
        samples = run_programs(
            workers,
            programs,
            rounds=options.rounds,
            seconds_of=lambda run: run.cpu_s if options.cpu else run.wall_s,
        )
    compared = {name: compare(samples, name, NATIVE) for name in samples if name != NATIVE}
    rows = [
        [
            program.name,
            *(f"{comparison.ratios[program.name]:.2f}" for comparison in compared.values()),
        ]
        for program in programs
    ]
    rows.append(["geometric mean", *(f"{comparison.mean:.3f}" for comparison in compared.values())])
    if {program.name for program in programs} > {COROUTINE_PROGRAM}:
        means = [comparison.mean_without_coroutines for comparison in compared.values()]
        rows.append(["without coroutines", *(f"{mean:.3f}" for mean in means)])
    print(format_table(["ratio to native", *compared], rows))


if __name__ == "__main__":
    main()
