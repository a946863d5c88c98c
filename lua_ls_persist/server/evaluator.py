"""Evaluations one after the other, without ever blocking the server's loop.

Owns the server's session: opens it at the first evaluation, hands it one evaluation at a time, and
interrupts exactly the one that is meant. Must not know LSP types or documents.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from lua_ls_persist.errors import SessionClosedError
from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.session import Session

RETRY_S = 0.005
GLANCE_S = 0.05
"""A look for a language feature is given up after this long: the source alone must do then."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Lua source and where it comes from."""

    text: str
    name: str
    line: int = 0
    """How many lines stand before it in its document."""


class Job:
    """One evaluation that was asked for: waiting, running or done."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.interrupted = False
        """Whether somebody asked for its end."""
        self.evaluation: Evaluation | None = None
        """What came of it; stays None if it never ran."""
        self._future: Future[Evaluation] | None = None
        self._session: Session | None = None

    def interrupt(self) -> bool:
        """Ends it, wherever it stands; true if it was running."""
        self.interrupted = True
        if self._future is None or self._session is None or self._future.done():
            return False
        # The session has nothing else: only one job is given to it at a time.
        if not self._future.cancel() and not self._session.interrupt():
            # It was taken up and does not run yet, or has just ended.
            asyncio.get_running_loop().call_later(RETRY_S, self.interrupt)
        return True


class Evaluator:
    """The queue in front of a session. Used from the server's loop only."""

    def __init__(
        self,
        open_session: Callable[[], Session],
        settled: Callable[[], Awaitable[None]],
        time_limit_s: float | None,
        *,
        kept: Callable[[], bool],
    ) -> None:
        self._open_session = open_session
        self._settled = settled
        self._kept = kept
        """Whether there is a file that a session goes on from."""
        self._scratch: Session | None = None
        """Answers looks as long as there is no session and nothing is kept."""
        self.time_limit_s = time_limit_s
        """For the evaluations that start from now on."""
        self._session: Session | None = None
        self._turn = asyncio.Lock()
        self._jobs: list[Job] = []
        self._closed = False
        # What blocks (opening, restarting, closing) runs here, outside of pygls' pool.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lua-persist-session")

    @property
    def opened(self) -> bool:
        """Whether there is a session yet."""
        return self._session is not None

    async def evaluate(self, job: Job) -> Evaluation:
        """Runs a job when those before it are done.

        If the awaiting task is cancelled, the job is interrupted, and the cancellation goes on when
        the session is free again.

        Raises:
            LuaPersistError: the session could not be opened, or is closed.
        """
        self._jobs.append(job)
        try:
            async with self._turn:
                session = await self._opened_session()
                if job.interrupted:
                    return _never_started(job)
                return await self._run(session, job)
        finally:
            self._jobs.remove(job)

    async def use(self, call: Callable[[Session], T], *, creates: bool = False) -> T:
        """Runs `call` with the session, on another thread, when what was asked for before is done.

        Where nothing is kept yet and the call does not create anything, it gets a session in memory
        that is thrown away: to look must not make files. If the awaiting task is cancelled, what
        the session does is interrupted, and the cancellation goes on when it is free again.

        Raises:
            LuaPersistError: the session could not be opened, or is closed; or as `call` does.
        """
        async with self._turn:
            session = await self._session_for(creates=creates)
            running = asyncio.ensure_future(self._in_worker(lambda: call(session)))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                while not running.done():
                    session.interrupt()
                    await asyncio.wait({running}, timeout=RETRY_S)
                with contextlib.suppress(Exception):
                    running.result()
                raise

    async def glance(
        self, call: Callable[[Session], T], *, timeout_s: float = GLANCE_S
    ) -> T | None:
        """As `use` for what cannot wait: None at once when the session is busy, or takes longer."""
        if self._closed or self._turn.locked():
            return None
        using = asyncio.ensure_future(self.use(call))
        done, _ = await asyncio.wait({using}, timeout=timeout_s)
        if not done:
            # It goes on to its end: it is short, and what it was for may be asked again.
            using.add_done_callback(_forget)
            return None
        return using.result()

    def interrupt(self) -> bool:
        """Ends the running evaluation and those that wait; true if there were any."""
        jobs = tuple(self._jobs)
        for job in reversed(jobs):  # Those that wait first, so that none of them starts.
            job.interrupt()
        return bool(jobs)

    async def restart(self, *, reopen: bool) -> None:
        """Ends all evaluations and gives a fresh VM; with `reopen`, a session with new settings."""
        self.interrupt()
        async with self._turn:
            session = self._session
            if session is None:
                return
            if reopen:
                self._session = None
                await self._in_worker(session.close)
            else:
                await self._in_worker(session.restart)

    async def close(self) -> None:
        """Ends everything. Idempotent."""
        self._closed = True
        self.interrupt()
        for session in self._taken():
            await self._in_worker(session.close)
        self._worker.shutdown(wait=False)

    def close_now(self) -> None:
        """Like `close`, for when there is no loop any more."""
        self._closed = True
        for session in self._taken():
            session.close()
        self._worker.shutdown(wait=False)

    def _taken(self) -> list[Session]:
        """The sessions, which belong to the caller from now on."""
        sessions = [one for one in (self._session, self._scratch) if one is not None]
        self._session = self._scratch = None
        return sessions

    async def _session_for(self, *, creates: bool) -> Session:
        if self._session is None and not creates and not self._closed:
            await self._settled()
            if not await self._in_worker(self._kept):
                if self._scratch is None:
                    self._scratch = await self._in_worker(Session.open)
                return self._scratch
        return await self._opened_session()

    async def _opened_session(self) -> Session:
        if self._closed:
            raise SessionClosedError("the server is shutting down")
        if self._session is None:
            await self._settled()
            self._session = await self._in_worker(self._open_unless_closed)
            scratch, self._scratch = self._scratch, None
            if scratch is not None:
                await self._in_worker(scratch.close)
        return self._session

    def _open_unless_closed(self) -> Session:
        session = self._open_session()
        if self._closed:  # Opening took its time, and nobody waits for it any more.
            session.close()
            raise SessionClosedError("the server is shutting down")
        return session

    async def _run(self, session: Session, job: Job) -> Evaluation:
        source = job.source
        future = session.submit(
            source.text, name=source.name, line=source.line, time_limit_s=self.time_limit_s
        )
        job._session, job._future = session, future
        done = asyncio.wrap_future(future)
        try:
            evaluation = await asyncio.shield(done)
        except asyncio.CancelledError:
            if done.cancelled():  # It was interrupted before the session took it up.
                return _never_started(job)
            job.interrupt()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({done})
                job.evaluation = done.result()
            raise
        job.evaluation = evaluation
        return evaluation

    async def _in_worker(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)


def _forget(done: asyncio.Future[Any]) -> None:
    """Takes note of an error that nobody waits for any more."""
    if not done.cancelled():
        done.exception()


def _never_started(job: Job) -> Evaluation:
    problem = Problem(
        kind="interrupt",
        message="interrupted before it started",
        chunk=job.source.name,
        line=job.source.line + 1,
    )
    return Evaluation(ok=False, problems=(problem,))
