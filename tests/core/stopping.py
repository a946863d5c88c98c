"""Sessions whose programs are stopped, and how long that takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from lua_ls_persist.vm import Image
from lua_ls_persist.vm.interrupt import StopKind

MIB = 1024 * 1024
SEED = 20240707
MEMORY_LIMIT_BYTES = 256 * MIB

LATENCY_S_MAX = 5.0
"""Promised are 0.1 s; on a machine with more to do than it can, threads wait for their turn."""
WAIT_S_MAX = 60.0
"""A program that has not ended by then never will."""


@dataclass
class Latencies:
    """The longest time from asking to the end, and where."""

    longest_s: float = 0.0
    where: str = ""
    all_s: list[float] = field(default_factory=list)

    def note(self, seconds: float, where: str) -> None:
        self.all_s.append(seconds)
        if seconds > self.longest_s:
            self.longest_s, self.where = seconds, where
        assert seconds < LATENCY_S_MAX, f"{where} ended {seconds:.3f} s after it was asked to"

    def __str__(self) -> str:
        late = sum(seconds > 0.1 for seconds in self.all_s)
        return (
            f"{len(self.all_s)} stops: longest {self.longest_s * 1000:.1f} ms ({self.where}), "
            f"{late} above 100 ms"
        )


class Runner:
    """A session, and what is needed to know that a program in it has started."""

    def __init__(self, kind: StopKind) -> None:
        self.kind = kind
        self.latencies = Latencies()
        self._started = threading.Event()
        self.on_open: Callable[[str], str | None] = lambda _name: None
        self.session = Session.open(
            memory_limit_bytes=MEMORY_LIMIT_BYTES,
            time_limit_s=None,
            folders=["."],
            open_buffers=self._open,
        )
        setup = """
            function started() loadfile("started") end
            state = {1, 2, {x = "y"}, f = function() return state end}
            counter = coroutine.wrap(function() for i = 1, 1e9 do coroutine.yield(i) end end)
            counter()
        """
        assert self.session.evaluate(setup).ok
        assert self.session._life.runner.machine.stop_kind == kind
        self.before = self.image()

    def _open(self, path: Path) -> str | None:
        if path.name == "started":
            self._started.set()
            return None
        return self.on_open(path.name)

    def image(self) -> bytes:
        """All of the VM's memory that counts."""
        session = self.session

        def capture() -> bytes:
            image = session._life.runner.machine.capture(Image())
            return bytes(image._buffer)[: image.size_bytes]

        return session._life.owner.call(capture)

    def start(self, program: str, *, time_limit_s: float | None = None) -> Future[Evaluation]:
        """Start a program; without a time limit, it has called `started` when this returns."""
        self._started.clear()
        source = f"started()\n{program}"
        future = self.session.submit(
            source, name="endless", mode="chunk", time_limit_s=time_limit_s
        )
        if time_limit_s is None:
            assert self._started.wait(WAIT_S_MAX)
        return future

    def let_run(self, seconds: float) -> None:
        """Wait until the program has run for so long: its thread may have to wait for its turn."""
        thread_id = self.session._life.owner._thread.ident
        assert thread_id is not None
        clock_of = getattr(time, "pthread_getcpuclockid", None)

        def run_s() -> float:
            return time.process_time() if clock_of is None else time.clock_gettime(clock)

        clock = 0 if clock_of is None else clock_of(thread_id)
        until_s = run_s() + seconds
        while run_s() < until_s:
            threading.Event().wait(0.001)

    def interrupt(self, future: Future[Evaluation], where: str) -> Evaluation:
        """Interrupt the program and wait for its end."""
        asked = time.perf_counter()
        assert self.session.interrupt()
        evaluation = future.result(WAIT_S_MAX)
        self.latencies.note(time.perf_counter() - asked, where)
        return evaluation

    def check_stopped(self, evaluation: Evaluation, kind: str = "interrupt") -> None:
        """The evaluation was stopped and nothing is left of it."""
        assert [problem.kind for problem in evaluation.problems] == [kind], evaluation
        assert evaluation.values == ()
        assert self.image() == self.before, "the VM is not as it was before"

    def check_idle(self) -> None:
        """Nothing runs; afterwards images are compared with this moment."""
        assert not self.session.evaluating
        self.before = self.image()
        self.check_works()

    def check_works(self) -> None:
        """The VM runs, goes on with a coroutine from before, and forgets a failed evaluation."""
        evaluation = self.session.evaluate(
            "assert(#state == 3 and state.f() == state and counter() == 2); error('all is well', 0)"
        )
        assert [problem.message for problem in evaluation.problems] == ["all is well"]
        assert self.image() == self.before
