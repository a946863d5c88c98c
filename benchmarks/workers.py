"""Drives the processes that run the programs: one a VM, all with the same line protocol.

The protocol is described in `native_runner.c`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from benchmarks.programs import FOLDER, Program

if TYPE_CHECKING:
    from typing_extensions import Self

STOP_TIMEOUT_S = 10.0


class WorkerError(Exception):
    """A VM's process failed, or a program did not return what it must."""


@dataclass(frozen=True, slots=True)
class Run:
    """One timed run of one program."""

    wall_s: float
    cpu_s: float
    """Processor time of the whole process: compiler and other threads of the VM included."""
    result: str


class Worker:
    """A process that holds one VM a program. Each program is compiled once and run many times."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command,
            cwd=FOLDER.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def load(self, program: Program) -> None:
        """Give the program a fresh VM and compile it there."""
        self._ask("load", program.name, str(program.path))

    def run(self, program: Program) -> Run:
        """Time one call of a loaded program and check its result.

        Raises:
            WorkerError: the program failed or returned something else than it must.
        """
        wall, cpu, result = self._ask("run", program.name)
        if result != program.expect:
            raise WorkerError(
                f"{self.name}: {program.name} returned {result!r} instead of {program.expect!r}."
            )
        return Run(float(wall), float(cpu), result)

    def unload(self, program: Program) -> None:
        """Close the program's VM."""
        self._ask("close", program.name)

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, *fields: str) -> list[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write("\t".join(fields) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError as error:
            raise WorkerError(f"{self.name}: the process is gone: {error}.") from error
        status, *answer = line.rstrip("\n").split("\t")
        if status != "ok":
            reason = " ".join(answer) or f"no answer, exit status {self._process.poll()}"
            raise WorkerError(f"{self.name}: {' '.join(fields[:2])}: {reason}")
        return answer


def session_command(core: Path | None = None) -> list[str]:
    """Return the command that runs programs in sessions of this project.

    `core` is another WebAssembly module than the one in the package.
    """
    command = [sys.executable, "-m", "benchmarks.session_runner"]
    return command if core is None else [*command, str(core.resolve())]
