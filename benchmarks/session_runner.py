"""Runs benchmark programs in sessions of this project, one session a program, and times them.

The requests and answers are those of `native_runner.c`. A run is timed around `Session.evaluate` as
anybody would call it: with the time limit that sessions have by default, the pre-image taken, and
the way to the VM's thread and back.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from lua_ls_persist.vm import module

_sessions: dict[str, Session] = {}


def load(name: str, path: str) -> list[str]:
    source = Path(path).read_text(encoding="utf-8")
    session = Session.open()
    _sessions[name] = session
    # The long bracket keeps the source as it is, whatever brackets it contains.
    level = "=" * next(n for n in range(100) if f"]{'=' * n}]" not in source)
    _check(
        session.evaluate(
            f"bench_program = assert(load([{level}[\n{source}]{level}], '={name}'))", mode="chunk"
        )
    )
    return ["ok"]


def run(name: str) -> list[str]:
    session = _sessions[name]
    session.collect_garbage()
    wall, cpu = time.perf_counter(), time.process_time()
    evaluation = session.evaluate("return bench_program()", mode="chunk")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    _check(evaluation)
    return ["ok", f"{wall:.9f}", f"{cpu:.9f}", str(evaluation.values[0])]


def close(name: str) -> list[str]:
    _sessions.pop(name).close()
    return ["ok"]


def _check(evaluation: Evaluation) -> None:
    if not evaluation.ok:
        raise RuntimeError("; ".join(map(str, evaluation.problems)))


def main() -> None:
    if len(sys.argv) > 1:
        # For tuning: another core than the one that the package holds.
        core = Path(sys.argv[1])
        module.wasm_path = lambda: core
    verbs: dict[str, Callable[..., list[str]]] = {"load": load, "run": run, "close": close}
    for line in sys.stdin:
        verb, *operands = line.rstrip("\n").split("\t")
        try:
            answer = verbs[verb](*operands)
        except Exception as error:  # noqa: BLE001 - the answer tells, and the process lives on
            answer = ["error", " ".join(f"{type(error).__name__}: {error}".split())]
        print("\t".join(answer), flush=True)


if __name__ == "__main__":
    main()
