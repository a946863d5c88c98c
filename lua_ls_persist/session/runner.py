"""Running programs: the VM, its pre-image, and the store's transaction, which go forward together.

One evaluation is one transaction over both: it happens in the VM and in the store, or in neither.
Everything here runs on the session's own thread, except where it says otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, final

from lua_ls_persist.errors import (
    CoreError,
    SessionError,
    StoreChangedError,
    StoreError,
)
from lua_ls_persist.model import Evaluation, Problem, ProblemKind, Value
from lua_ls_persist.pretty import with_values_text
from lua_ls_persist.protocol import (
    EVALUATE_FLAG_KEEP,
    EVALUATE_FLAG_STALE,
    Outcome,
)
from lua_ls_persist.session.host import EvaluationHost
from lua_ls_persist.session.jobs import Job, Settings
from lua_ls_persist.session.names import ChunkNames
from lua_ls_persist.session.output import OnOutput, OutputCollector, ToldOnce
from lua_ls_persist.session.persistence import Persistence
from lua_ls_persist.session.points import Points
from lua_ls_persist.session.problems import memory_problem, read_problem, stop_note, stop_problem
from lua_ls_persist.session.request import (
    PreviewLimits,
    evaluation_request,
    prelude_request,
    with_flag,
)
from lua_ls_persist.session.sources import SourceTexts
from lua_ls_persist.session.steering import SteeredMachine
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store import Description, Store
from lua_ls_persist.vm import Image, Stopped
from lua_ls_persist.wire import Decoder

T = TypeVar("T")

RERUNS_MAX = 5
"""So often an evaluation that lost a race runs again; then it waits for the others first."""
REFRESH_TIME_LIMIT_S = 10.0
"""What a VM may take to forget what it has cached."""
FINALIZERS = ("(finalizers)", b"")
"""What the history tells of what finalizers do between two evaluations."""


@final
class Runner(SteeredMachine):
    """A VM and a store, and what is run in them."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.names = ChunkNames()
        self.sources = SourceTexts()
        self.persistence = Persistence(store, self.sources, lambda: self.machine.stopping)
        self.persistence.keep_history(settings.history)
        if not settings.runs_code:
            self.persistence.load_no_code()
        self.points = Points(settings.undo_memory_limit_bytes)
        self.evaluations = 0
        """How many have been kept, in this VM and the images it goes back to."""
        self.changes = 0
        """Grows whenever the VM has changed, except by going back to an image."""
        self._before = Image()
        super().__init__(settings)
        try:
            self.persistence.attach()
        except BaseException:
            self.machine.close()
            raise

    # -- evaluations

    def evaluate(self, job: Job) -> Evaluation:
        """Run a program to its end, again if somebody else changed what it had read."""
        started = time.perf_counter()
        told = None if job.on_output is None else ToldOnce(job.on_output)
        self.begin()
        services = self.persistence.services
        services.arguments, services.on_progress = job.arguments, job.on_progress
        services.rows = job.rows
        try:
            for _ in range(RERUNS_MAX):
                evaluation = self._attempt(job, told, started, wait=False)
                if evaluation is not None:
                    return evaluation
                self.go_on()
            evaluation = self._attempt(job, told, started, wait=True)
            assert evaluation is not None
            return evaluation
        finally:
            services.forget()
            self.end()

    def _attempt(
        self, job: Job, told: ToldOnce | None, started: float, *, wait: bool
    ) -> Evaluation | None:
        """Run it once. None: it lost a race, and nothing of it is left."""
        if told is not None:
            told.again()
        collector = self.collector(told)
        self.machine.capture(self._before)
        doing = job.payload if job.doing is None else job.doing
        self.persistence.doing = (job.name, doing)
        values: tuple[Value, ...] = ()
        problems: tuple[Problem, ...] = ()
        try:
            response = self._call(
                job, self.host(collector), stale=self.persistence.begin(wait=wait)
            )
            values, problems = self.read(response)
            if not problems or self._are_kept(problems):
                # The last of the output is told before it is too late to undo what it is about.
                collector.finish()
                self._commit()
                self.evaluations += 1
            else:
                self.undo()
        except Stopped as stop:
            problems = (self._stop_problem(stop, job),)
            self.undo()
        except StoreError as error:
            self.undo()
            if isinstance(error, StoreChangedError) and not wait:
                return None
            problems = (*problems, self._store_problem(error, job))
        except BaseException:
            # A bug of ours or an on_output that raised: the evaluation did not happen.
            self.undo()
            raise
        duration_s = time.perf_counter() - started
        if problems:
            return Evaluation(
                False, output=collector.finish(), problems=problems, duration_s=duration_s
            )
        return with_values_text(
            Evaluation(True, values, output=collector.finish(), duration_s=duration_s)
        )

    def _call(self, job: Job, host: EvaluationHost, *, stale: bool) -> bytes:
        request = job.request
        if self.settings.keep_error_effects:
            request = with_flag(request, EVALUATE_FLAG_KEEP)
        if stale:
            request = with_flag(request, EVALUATE_FLAG_STALE)
        return self.machine.call(
            job.export, request, payload=job.payload, host=host, time_limit_s=job.time_limit_s
        )

    def read(self, response: bytes) -> tuple[tuple[Value, ...], tuple[Problem, ...]]:
        """What a response says: values, or a problem."""
        decoder = Decoder(response)
        outcome = decoder.u8()
        if outcome == Outcome.OK:
            return tuple(decoder.value() for _ in range(decoder.count(1))), ()
        if outcome == Outcome.REQUEST:
            raise CoreError(decoder.text().decode("utf-8", "replace"))
        if outcome == Outcome.MEMORY:
            problem = read_problem(decoder, "memory", self.names.name_of)
            return (), (memory_problem(problem, self.machine.memory_limit_bytes),)
        return (), (read_problem(decoder, _KINDS[outcome], self.names.name_of),)

    def _are_kept(self, problems: tuple[Problem, ...]) -> bool:
        """Whether what was done before these problems stays: after plain errors it may."""
        kept = self.settings.keep_error_effects
        return kept and all(problem.kind in ("syntax", "runtime") for problem in problems)

    def _stop_problem(self, stop: Stopped, job: Job) -> Problem:
        name_of = self.names.name_of
        note = stop_note(stop, self.names.source_of(job.name), name_of)
        return stop_problem(stop, note, job.time_limit_s, name_of)

    def _store_problem(self, error: StoreError, job: Job) -> Problem:
        """The place is where the program was; of a commit there is none."""
        stop = self.machine.failure
        if stop is None:
            return Problem("persistence", str(error), job.name, None)
        name_of = self.names.name_of
        note = stop_note(stop, self.names.source_of(job.name), name_of)
        return Problem(
            "persistence", str(error), name_of(note.source), note.line or None, note.frames
        )

    # -- parts of it, for what is no evaluation

    def collector(self, on_output: OnOutput | None = None) -> OutputCollector:
        """Takes output, up to the session's limit."""
        return OutputCollector(self.settings.output_limit_bytes, self.names.name_of, on_output)

    def host(self, collector: OutputCollector) -> EvaluationHost:
        """Answers what a program asks for."""
        return EvaluationHost(collector, self.settings.files, self.sources, self.persistence.serve)

    def atomically(self, body: Callable[[EvaluationHost], T]) -> T:
        """Do something with the VM that lasts, unless it raises. It is no evaluation of its own.

        The VM has forgotten what is stale when it begins.
        """
        try:
            with self._atomic(wait=False) as host:
                return body(host)
        except StoreChangedError:
            with self._atomic(wait=True) as host:
                return body(host)

    @contextmanager
    def _atomic(self, *, wait: bool) -> Iterator[EvaluationHost]:
        self.machine.capture(self._before)
        self.persistence.doing = FINALIZERS
        try:
            stale = self.persistence.begin(wait=wait)
            host = self.host(self.collector())
            if stale:
                self.refresh(host)
            yield host
            self._commit()
        except BaseException:
            self.undo()
            raise

    def look(self, body: Callable[[EvaluationHost], T], *, leaves_traces: bool = False) -> T:
        """Do something with the VM of which nothing is left.

        What asks the store nothing leaves no trace, unless it is said here that it does.
        """
        self.machine.capture(self._before)
        try:
            stale = self.persistence.begin(wait=False)
            host = self.host(self.collector())
            if stale:
                self.refresh(host)
            result = body(host)
        except BaseException:
            self.undo()
            raise
        if leaves_traces or self.persistence.used:
            self.undo()
        return result

    def peek(
        self, function: str, arguments: Tree, limits: PreviewLimits, time_limit_s: float
    ) -> tuple[Value, ...]:
        """What a function of the prelude gives that only looks; nothing of it is left.

        Raises:
            SessionError: it failed, or there is no memory left to look.
            Stopped: it took too long.
        """
        request = prelude_request(function, limits=limits)
        services = self.persistence.services

        def call(host: EvaluationHost) -> bytes:
            services.arguments = arguments
            return self.machine.call("core_evaluate", request, host=host, time_limit_s=time_limit_s)

        try:
            values, problems = self.read(self.look(call, leaves_traces=True))
        finally:
            services.forget()
        if problems:
            raise SessionError(problems[0].message)
        return values

    def refresh(self, host: EvaluationHost) -> None:
        """The VM forgets what it has cached of the store. Inside of a transaction."""
        request = evaluation_request(
            b"", b"=refresh", line=0, expression=False, arguments=(), limits=PreviewLimits()
        )
        response = self.machine.call(
            "core_evaluate",
            with_flag(request, EVALUATE_FLAG_STALE),
            host=host,
            time_limit_s=REFRESH_TIME_LIMIT_S,
        )
        _, problems = self.read(response)
        if problems:
            raise StoreError(f"the VM cannot read what others have stored: {problems[0].message}")

    def flush(self, host: EvaluationHost) -> None:
        """What has changed outside of an evaluation goes to the store. Inside of a transaction."""
        response = self.machine.call("core_flush", host=host, time_limit_s=REFRESH_TIME_LIMIT_S)
        _, problems = self.read(response)
        if problems:
            raise StoreError(problems[0].message)

    def _commit(self) -> None:
        """What was done lasts, in the store and in the VM."""
        self.changes += 1
        number = self.persistence.commit()
        if number:
            collections = self.persistence.collections_before
            self._before = self.points.recorded(number, self._before, collections)
            self.points.forget(self.store.forgotten)

    @contextmanager
    def recorded_outside(self, doing: Description, *, changes_entries: bool) -> Iterator[Store]:
        """A transaction of the session itself, which the history tells and undo takes back.

        With `changes_entries` the VM's caches are stale afterwards.
        """
        own = self.persistence.own_transaction(changes_entries=changes_entries, doing=doing)
        with own as store:
            yield store
        self.points.recorded_outside(self.store.recorded)

    def undo(self) -> None:
        """Store and VM are as they were before this evaluation."""
        try:
            self.persistence.rollback()
        finally:
            self.machine.restore(self._before)

    # -- life

    def restart(self) -> None:
        """Go on with a fresh VM."""
        self.exchange_machine()
        self.evaluations = 0
        self.changes += 1
        self.persistence.attach()

    def close(self) -> None:
        """Give the VM and the store back."""
        self.machine.close()
        self.store.close()


_KINDS: dict[int, ProblemKind] = {
    Outcome.SYNTAX: "syntax",
    Outcome.RUNTIME: "runtime",
    Outcome.PERSISTENCE: "persistence",
}
