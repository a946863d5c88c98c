"""A session: one VM and one store, opened together and closed together."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Literal, TypeAlias, final

from lua_ls_persist.errors import CoreError, SessionClosedError, SessionError
from lua_ls_persist.model import Evaluation, Field, MemoryStats, Problem
from lua_ls_persist.pretty import pretty_values
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session.host import EvaluationHost
from lua_ls_persist.session.modules import ModuleFiles, OpenBuffers
from lua_ls_persist.session.names import ChunkNames
from lua_ls_persist.session.output import OnOutput, OutputCollector
from lua_ls_persist.session.owner import Owner
from lua_ls_persist.session.problems import memory_problem, read_problem, stop_note, stop_problem
from lua_ls_persist.session.request import (
    PreviewLimits,
    evaluation_request,
    fields_request,
    prepare_source,
)
from lua_ls_persist.store import Store
from lua_ls_persist.vm import Image, Machine, Stopped, load_core
from lua_ls_persist.wire import Decoder, Encodable

MEMORY_LIMIT_BYTES_DEFAULT: Final = 256 * 1024 * 1024
TIME_LIMIT_S_DEFAULT: Final = 10.0
OUTPUT_LIMIT_BYTES_DEFAULT: Final = 1024 * 1024
COLLECT_TIME_LIMIT_S: Final = 5.0
FIELDS_TIME_LIMIT_S: Final = 1.0

Mode: TypeAlias = Literal["auto", "chunk"]


class _UseSessionLimit:
    """The type of `SESSION_LIMIT`."""


SESSION_LIMIT: Final = _UseSessionLimit()
"""For `time_limit_s` of an evaluation: the session's own limit. (None is no limit.)"""


@final
class Session:
    """Evaluates Lua in one persistent VM. Any thread may use it; evaluations run one by one.

    Open one with `Session.open`, close it with `close` or by leaving a `with` block.
    """

    def __init__(
        self,
        store: Store,
        *,
        memory_limit_bytes: int,
        time_limit_s: float | None,
        output_limit_bytes: int,
        keep_error_effects: bool,
        allow_bytecode: bool,
        files: ModuleFiles,
    ) -> None:
        """Use `Session.open`."""
        self._store = store
        self._memory_limit_bytes = memory_limit_bytes
        self._time_limit_s = time_limit_s
        self._output_limit_bytes = output_limit_bytes
        self._keep_error_effects = keep_error_effects
        self._allow_bytecode = allow_bytecode
        self._files = files
        self._names = ChunkNames()
        self._limits = PreviewLimits()
        self._before = Image()
        self._state_lock = threading.Lock()
        self._evaluating = False
        self._closing = False
        self._owner = Owner("lua-session")
        try:
            self._machine = self._owner.call(self._new_machine)
        except BaseException:
            self._owner.close(store.close)
            raise

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES_DEFAULT,
        time_limit_s: float | None = TIME_LIMIT_S_DEFAULT,
        output_limit_bytes: int = OUTPUT_LIMIT_BYTES_DEFAULT,
        keep_error_effects: bool = False,
        allow_bytecode: bool = False,
        folders: Sequence[str | os.PathLike[str]] = (),
        open_buffers: OpenBuffers | None = None,
    ) -> Session:
        """Open a session.

        Args:
            path: the session's SQLite file, made if it is not there; None: in memory.
            memory_limit_bytes: the VM's cap, from 1 MiB to 4 GiB; 2 MiB is enough for small work.
            time_limit_s: how long an evaluation may take, in seconds; None: for ever.
            output_limit_bytes: so much of an evaluation's output is kept.
            keep_error_effects: keep what an evaluation did before a plain Lua error ended it, as a
                REPL does; otherwise a failed evaluation leaves no trace.
            allow_bytecode: let programs load binary chunks. They can crash the VM (and are undone).
            folders: where `require` looks for `?.lua` and `?/init.lua`.
            open_buffers: asked first for each candidate file: an editor's text of it, or None.

        Raises:
            StoreError: the file cannot be used; the message says why and what to do.
            CoreError: the WebAssembly core is missing or cannot run here.
            SessionError: a limit makes no sense.
        """
        _check_time_limit(time_limit_s)
        if output_limit_bytes < 0:
            raise SessionError(f"output_limit_bytes is {output_limit_bytes}; it cannot be negative")
        if isinstance(folders, (str, bytes)):
            raise SessionError("folders is a list of folders, not the path of one")
        load_core()
        store = Store.open(None if path is None else Path(path))
        return cls(
            store,
            memory_limit_bytes=memory_limit_bytes,
            time_limit_s=time_limit_s,
            output_limit_bytes=output_limit_bytes,
            keep_error_effects=keep_error_effects,
            allow_bytecode=allow_bytecode,
            files=ModuleFiles([Path(folder) for folder in folders], open_buffers),
        )

    def _new_machine(self) -> Machine:
        machine = Machine(load_core(), memory_limit_bytes=self._memory_limit_bytes)
        machine.allow_bytecode(self._allow_bytecode)
        return machine

    # -- evaluation

    def evaluate(
        self,
        source: str | bytes,
        *,
        name: str = "(eval)",
        line: int = 0,
        mode: Mode = "auto",
        arguments: Sequence[Encodable] = (),
        time_limit_s: float | _UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Evaluation:
        """Run Lua source and wait for what comes of it.

        A Lua error is no exception: it is in the result's `problems`, and the VM is as it was
        before (see `keep_error_effects`).

        Args:
            source: text, or bytes in any encoding that Lua takes.
            name: what to call it in problems and output; for a file its path.
            line: how many lines stand before the source in its document, so that lines are right.
            mode: `auto` takes an expression (`1 + 1`) as well as statements; `chunk` statements
                only.
            arguments: what the source finds in `...`; lists and dicts become tables.
            time_limit_s: instead of the session's limit; None: no limit.
            on_output: hears of output as it becomes available, on the VM's thread; it must not
                use the session. What it raises ends the evaluation and is raised here.

        Raises:
            SessionClosedError: the session is closed, or was before this ran.
            SessionError: an argument of this call makes no sense.
            WireError: an argument that Lua has no value for.
        """
        run = self._prepare(source, name, line, mode, arguments, time_limit_s, on_output)
        return self._owner.call(run)

    def submit(
        self,
        source: str | bytes,
        *,
        name: str = "(eval)",
        line: int = 0,
        mode: Mode = "auto",
        arguments: Sequence[Encodable] = (),
        time_limit_s: float | _UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Future[Evaluation]:
        """As `evaluate`, without waiting: evaluations run in the order they were submitted."""
        run = self._prepare(source, name, line, mode, arguments, time_limit_s, on_output)
        return self._owner.submit(run)

    def _prepare(
        self,
        source: str | bytes,
        name: str,
        line: int,
        mode: Mode,
        arguments: Sequence[Encodable],
        time_limit_s: float | _UseSessionLimit | None,
        on_output: OnOutput | None,
    ) -> Callable[[], Evaluation]:
        limit = self._time_limit_s
        if not isinstance(time_limit_s, _UseSessionLimit):
            _check_time_limit(time_limit_s)
            limit = time_limit_s
        if mode not in ("auto", "chunk"):
            raise SessionError(f"mode is {mode!r}; it can be 'auto' or 'chunk'")
        content = prepare_source(source)
        request = evaluation_request(
            content,
            self._names.source_of(name),
            line=line,
            expression=mode == "auto",
            live=on_output is not None,
            arguments=arguments,
            limits=self._limits,
        )
        return lambda: self._evaluate(content, request, name, limit, on_output)

    def _evaluate(
        self,
        source: bytes,
        request: bytes,
        name: str,
        time_limit_s: float | None,
        on_output: OnOutput | None,
    ) -> Evaluation:
        machine = self._machine
        collector = OutputCollector(self._output_limit_bytes, self._names.name_of, on_output)
        self._begin(machine)
        started = time.perf_counter()
        try:
            machine.capture(self._before)
            try:
                response = machine.call(
                    "core_evaluate",
                    request,
                    payload=source,
                    host=EvaluationHost(collector, self._files),
                    time_limit_s=time_limit_s,
                )
                return self._finish(machine, response, collector, started)
            except Stopped as stop:
                note = stop_note(stop, self._names.source_of(name), self._names.name_of)
                problem = stop_problem(stop, note, time_limit_s, self._names.name_of)
                machine.restore(self._before)
                return self._failed(problem, collector, started)
            except BaseException:
                # A bug of ours or an on_output that raised: the evaluation did not happen.
                machine.restore(self._before)
                raise
        finally:
            self._end()

    def _begin(self, machine: Machine) -> None:
        with self._state_lock:
            if self._closing:
                raise SessionClosedError("the session was closed before this ran")
            self._evaluating = True
            machine.expect_call()

    def _end(self) -> None:
        with self._state_lock:
            self._evaluating = False

    def _finish(
        self, machine: Machine, response: bytes, collector: OutputCollector, started: float
    ) -> Evaluation:
        decoder = Decoder(response)
        outcome = decoder.u8()
        if outcome == Outcome.OK:
            values = tuple(decoder.value() for _ in range(decoder.count(1)))
            duration_s = time.perf_counter() - started
            text = pretty_values(values) if values else ""
            return Evaluation(True, values, text, collector.finish(), (), duration_s)
        if outcome == Outcome.REQUEST:
            raise CoreError(decoder.text().decode("utf-8", "replace"))
        kind: Literal["syntax", "runtime", "memory"] = "runtime"
        if outcome == Outcome.SYNTAX:
            kind = "syntax"
        elif outcome == Outcome.MEMORY:
            kind = "memory"
        problem = read_problem(decoder, kind, self._names.name_of)
        if outcome == Outcome.MEMORY:
            problem = memory_problem(problem, machine.memory_limit_bytes)
        if not (self._keep_error_effects and outcome != Outcome.MEMORY):
            machine.restore(self._before)
        return self._failed(problem, collector, started)

    def _failed(self, problem: Problem, collector: OutputCollector, started: float) -> Evaluation:
        return Evaluation(
            False,
            output=collector.finish(),
            problems=(problem,),
            duration_s=time.perf_counter() - started,
        )

    # -- control

    @property
    def evaluating(self) -> bool:
        """Whether an evaluation runs at this moment."""
        return self._evaluating

    def interrupt(self) -> bool:
        """Stop the evaluation that runs, within 100 ms. Any thread. False if none runs."""
        with self._state_lock:
            return self._evaluating and self._machine.interrupt()

    def restart(self) -> None:
        """Start over with a fresh VM; what runs is interrupted, what waits runs in the new one."""
        old = self._machine
        restarted = self._owner.put_first(self._restart)
        with self._state_lock:
            if self._evaluating and self._machine is old:
                old.interrupt()
        restarted.result()

    def _restart(self) -> None:
        old = self._machine
        machine = self._new_machine()
        with self._state_lock:
            self._machine = machine
        old.close()

    # -- looking

    def memory(self) -> MemoryStats:
        """Where the VM's memory stands."""
        return self._owner.call(self._memory_stats)

    def _memory_stats(self) -> MemoryStats:
        machine = self._machine
        return MemoryStats(
            lua_bytes=machine.number("core_lua_bytes"),
            used_bytes=machine.used_bytes(),
            committed_bytes=machine.memory_bytes(),
            limit_bytes=machine.memory_limit_bytes,
        )

    def collect_garbage(self) -> MemoryStats:
        """Run a full collection; finalizers of the program run, within a time limit.

        Counts as an evaluation for `evaluating` and `interrupt`.

        Raises:
            SessionError: it was interrupted, or a finalizer did not end; the VM is as before.
        """
        return self._owner.call(self._collect_garbage)

    def _collect_garbage(self) -> MemoryStats:
        machine = self._machine
        self._begin(machine)
        try:
            machine.capture(self._before)
            machine.number("core_collect", time_limit_s=COLLECT_TIME_LIMIT_S)
        except Stopped as stop:
            machine.restore(self._before)
            why = f"the VM stopped ({stop})"
            if stop.cause == "interrupt":
                why = "it was interrupted"
            elif stop.cause == "timeout":
                why = f"a finalizer (__gc) did not end within {COLLECT_TIME_LIMIT_S:g} s"
            raise SessionError(
                f"the garbage collection was stopped: {why}; the VM is as it was before"
            ) from stop
        finally:
            self._end()
        return self._memory_stats()

    def fields(self, path: Sequence[str] = ()) -> list[Field]:
        """The string keys of the table that `path` leads to from `_G`, sorted; for completion.

        Reads without running Lua code; follows `__index` tables. A path that leads to no table
        gives an empty list.
        """
        request = fields_request(path)
        return [] if request is None else self._owner.call(lambda: self._fields(request))

    def _fields(self, request: bytes) -> list[Field]:
        machine = self._machine
        machine.capture(self._before)
        try:
            response = machine.call("core_fields", request, time_limit_s=FIELDS_TIME_LIMIT_S)
        except Stopped:
            # To look takes a little memory, and taking memory may run a finalizer.
            machine.restore(self._before)
            return []
        decoder = Decoder(response)
        if decoder.u8() != Outcome.OK:
            return []  # there is no memory left to look
        found = []
        for _ in range(decoder.count(8)):
            name, type_name = decoder.text(), decoder.text().decode()
            found.append(Field(name.decode("utf-8", "backslashreplace"), type_name))
        return sorted(found, key=lambda field: field.name)

    # -- life

    def close(self) -> None:
        """Interrupt what runs, refuse what waits, close the VM and the store. Idempotent."""
        with self._state_lock:
            self._closing = True
            if self._evaluating:
                self._machine.interrupt()
        self._owner.close(self._close)

    def _close(self) -> None:
        self._machine.close()
        self._store.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_time_limit(time_limit_s: float | None) -> None:
    if time_limit_s is not None and not time_limit_s > 0:
        raise SessionError(
            f"time_limit_s is {time_limit_s}; it must be more than 0 seconds, or None for no limit"
        )
