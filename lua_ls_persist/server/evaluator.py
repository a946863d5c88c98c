"""Evaluations one after the other, without ever blocking the server's loop.

Owns one session: opens it at the first evaluation, hands it one piece of work at a time
(`jobs`), and says how it stands. Must not know LSP types or documents.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from lua_ls_persist import session as sessions
from lua_ls_persist.errors import LuaPersistError, SessionClosedError, SessionError
from lua_ls_persist.server.jobs import Job, Use, Work
from lua_ls_persist.server.watching import Watch

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation
    from lua_ls_persist.session import Session

GLANCE_S = 0.05
"""A look for a language feature is given up after this long: the source alone must do then."""

UNTRUSTED = (
    "This workspace is not trusted, so nothing is evaluated and nothing is changed in it. Stored "
    "data can be looked at. Trust the workspace, or set `luaPersist.trusted` to true."
)

State: TypeAlias = Literal["starting", "idle", "evaluating", "untrusted", "closed", "failed"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Evaluator:
    """The queue in front of a session. Used from the server's loop only."""

    def __init__(
        self,
        open_session: Callable[[], Session],
        settled: Callable[[], Awaitable[None]],
        time_limit_s: float | None,
        *,
        kept: Callable[[], bool],
        open_to_look: Callable[[], Session] | None = None,
        trusted: Callable[[], bool] = lambda: True,
        observe: Callable[[], None] = lambda: None,
    ) -> None:
        self._open_session = open_session
        self._settled = settled
        self._kept = kept
        """Whether there is a file that a session goes on from."""
        self._open_to_look = open_to_look or _in_memory
        """Opens that file without running anything."""
        self._trusted = trusted
        self._observe = observe
        """Called when the state is another one."""
        self._scratch: Session | None = None
        """Answers looks where nothing is kept, and in workspaces that are not trusted."""
        self._scratch_is_kept = False
        self.time_limit_s = time_limit_s
        """For the evaluations that start from now on."""
        self._session: Session | None = None
        self._turn = asyncio.Lock()
        self._work: list[Work] = []
        self._evaluating: Job | None = None
        self._opening = False
        self.failure = ""
        """Why the session could not be opened, when that was tried last."""
        self._closed = False
        self._watch: Watch | None = None
        # What blocks (opening, restarting, closing) runs here, outside of pygls' pool.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lua-persist-session")

    @property
    def opened(self) -> bool:
        """Whether there is a session yet."""
        return self._session is not None

    @property
    def session(self) -> Session | None:
        """The session, for what blocks nobody; None if there is none yet."""
        return self._session

    @property
    def busy(self) -> bool:
        """Whether something is done with the session at this moment, or waits for that."""
        return self._turn.locked()

    @property
    def evaluating(self) -> Job | None:
        """The evaluation that runs."""
        return self._evaluating

    @property
    def waiting(self) -> int:
        """How much waits or runs."""
        return len(self._work)

    @property
    def state(self) -> State:
        """How it stands, in a word."""
        if self._closed:
            return "closed"
        if not self._trusted():
            return "untrusted"
        if self._evaluating is not None:
            return "evaluating"
        if self._opening:
            return "starting"
        return "failed" if self.failure and self._session is None else "idle"

    async def evaluate(self, job: Job) -> Evaluation:
        """Runs a job when those before it are done.

        If the awaiting task is cancelled, the job is interrupted, and the cancellation goes on when
        the session is free again.

        Raises:
            LuaPersistError: the session could not be opened, or is closed; or nothing is evaluated.
        """
        self._check_trust()
        self._work.append(job)
        try:
            async with self._turn:
                session = await self._opened_session()
                if job.interrupted:
                    return job.never_started()
                self._evaluating, job.started_utc = job, datetime.now(timezone.utc)
                self._observe()
                try:
                    return await self._run(session, job)
                finally:
                    self._evaluating = None
                    self._observe()
        finally:
            self._work.remove(job)
            self._look_soon()

    async def use(self, call: Callable[[Session], T], *, creates: bool = False) -> T:
        """Runs `call` with the session, on another thread, when what was asked for before is done.

        Where nothing is kept yet and the call does not create anything, it gets a session in memory
        that is thrown away: to look must not make files. In a workspace that is not trusted it gets
        one that runs nothing. If the awaiting task is cancelled, what the session does is
        interrupted, and the cancellation goes on when it is free again.

        Raises:
            LuaPersistError: the session could not be opened, or is closed; the workspace is not
                trusted, and the call would change something; or as `call` does.
        """
        if creates:
            self._check_trust()
        return await self._use(Use(), call, creates=creates)

    async def _use(self, use: Use, call: Callable[[Session], T], *, creates: bool = False) -> T:
        self._work.append(use)
        try:
            async with self._turn:
                session = await self._session_for(creates=creates)
                if use.interrupted:
                    raise SessionError("interrupted before it started")
                running = asyncio.ensure_future(self._in_worker(lambda: call(session)))
                use.session, use.running = session, running
                try:
                    return await asyncio.shield(running)
                except asyncio.CancelledError:
                    use.interrupt()
                    while not running.done():
                        await asyncio.wait({running})
                    _forget(running)
                    raise
        finally:
            self._work.remove(use)
            if creates:
                self._look_soon()

    async def glance(
        self, call: Callable[[Session], T], *, timeout_s: float | None = None
    ) -> T | None:
        """As `use` for what cannot wait: None at once when the session is busy, or takes longer.

        Longer than `GLANCE_S`, where nothing else is said. Other glances do not make it busy: they
        are over soon. None also in a workspace that is not trusted: looking at live values may load
        stored code.
        """
        if self._closed or not self._trusted() or (self._turn.locked() and not self._only_glances):
            return None
        using = asyncio.ensure_future(self._use(Use(is_glance=True), call))
        timeout_s = GLANCE_S if timeout_s is None else timeout_s
        done, _ = await asyncio.wait({using}, timeout=timeout_s)
        if not done:
            # It goes on to its end: it is short, and what it was for may be asked again.
            using.add_done_callback(_forget)
            return None
        return using.result()

    @property
    def _only_glances(self) -> bool:
        """Whether nothing but glances is done with the session, or waits for that."""
        return bool(self._work) and all(
            isinstance(one, Use) and one.is_glance for one in self._work
        )

    async def open_kept(self) -> Session | None:
        """Opens the session if it has a file to go on from, and code may be run; else None."""
        if self._closed or not self._trusted():
            return None
        async with self._turn:
            if self._session is not None:
                return self._session
            try:
                await self._settled()
                # Also the settings may say that it is not.
                if self._trusted() and await self._in_worker(self._kept):
                    return await self._opened_session()
            except SessionClosedError:
                pass
            except LuaPersistError as error:
                logger.warning("The session could not be opened: %s", error)
        return None

    async def trust_changed(self) -> None:
        """Gives up the session that fitted until now."""
        if not self._trusted():
            self.interrupt()
        async with self._turn:
            for session in self._taken():
                await self._in_worker(session.close)
        self._observe()

    def interrupt(self) -> bool:
        """Ends the running evaluation and those that wait; true if there were any."""
        work = tuple(self._work)
        for one in reversed(work):  # Those that wait first, so that none of them starts.
            one.interrupt()
        return bool(work)

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
                return
            await self._in_worker(session.restart)
        self._observe()

    def watch(self, changed: Callable[[bool], None]) -> None:
        """From now on `changed` is called when something is other than before.

        With true when that is stored data, whoever changed them; with false when a program has run
        here and has stored nothing.
        """
        self._watch = Watch(self._present_data_state, changed)
        self._watch.begin()

    async def _present_data_state(self) -> int | None:
        session = self._session
        if session is None or self._turn.locked() or self._closed:
            return None
        try:
            return await self._in_worker(session.data_state)
        except LuaPersistError:  # The next evaluation will tell.
            return None

    async def close(self) -> None:
        """Ends everything. Idempotent."""
        self._closed = True
        if self._watch is not None:
            self._watch.end()
        self.interrupt()
        for session in self._taken():
            await self._in_worker(session.close)
        self._worker.shutdown(wait=False)
        self._observe()

    def close_now(self) -> None:
        """Like `close`, for when there is no loop any more."""
        self._closed = True
        for session in self._taken():
            session.close()
        self._worker.shutdown(wait=False)

    def _look_soon(self) -> None:
        if self._watch is not None and not self._turn.locked():
            self._watch.soon()

    def _check_trust(self) -> None:
        if not self._trusted():
            raise SessionError(UNTRUSTED)

    def _taken(self) -> list[Session]:
        """The sessions, which belong to the caller from now on."""
        taken = [one for one in (self._session, self._scratch) if one is not None]
        self._session = self._scratch = None
        if self._watch is not None:
            self._watch.know(None)
        return taken

    async def _session_for(self, *, creates: bool) -> Session:
        if self._session is None and not creates and not self._closed:
            await self._settled()
            kept = await self._in_worker(self._kept)
            if not kept or not self._trusted():
                return await self._scratch_session(kept=kept)
        return await self._opened_session()

    async def _scratch_session(self, *, kept: bool) -> Session:
        """A session that is for looking only."""
        if self._scratch is None or kept != self._scratch_is_kept:
            await self._drop_scratch()
            empty = partial(sessions.Session.open, runs_code=self._trusted())
            self._scratch = await self._in_worker(self._open_to_look if kept else empty)
            self._scratch_is_kept = kept
        return self._scratch

    async def _drop_scratch(self) -> None:
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            await self._in_worker(scratch.close)

    async def _opened_session(self) -> Session:
        if self._closed:
            raise SessionClosedError("the server is shutting down")
        if self._session is None:
            await self._settled()
            self._check_trust()
            self._opening, self.failure = True, ""
            self._observe()
            try:
                session = await self._in_worker(self._open_unless_closed)
                if self._watch is not None:
                    self._watch.know(await self._in_worker(session.data_state))
                self._session = session
                await self._drop_scratch()
            except SessionClosedError:
                raise
            except LuaPersistError as error:
                self.failure = str(error)
                raise
            finally:
                self._opening = False
                self._observe()
        return self._session

    def _open_unless_closed(self) -> Session:
        session = self._open_session()
        if self._closed:  # Opening took its time, and nobody waits for it any more.
            session.close()
            raise SessionClosedError("the server is shutting down")
        return session

    async def _run(self, session: Session, job: Job) -> Evaluation:
        done = asyncio.wrap_future(job.submit(session, self.time_limit_s))
        try:
            evaluation = await asyncio.shield(done)
        except asyncio.CancelledError:
            if done.cancelled():  # It was interrupted before the session took it up.
                return job.never_started()
            job.interrupt()
            # Whoever cancels once more gets the same cancellation, without what it came to.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({done})
                job.evaluation = done.result()
            raise
        job.evaluation = evaluation
        if job.source.code is not None and evaluation.ok:
            document = job.source.code.document
            try:
                job.locals = await self._in_worker(lambda: session.locals(document))
            except LuaPersistError:  # What was evaluated is done all the same.
                logger.warning("The locals of %s are not shown", document, exc_info=True)
        return evaluation

    async def _in_worker(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)


def _in_memory() -> Session:
    return sessions.Session.open()


def _forget(done: asyncio.Future[Any]) -> None:
    """Takes note of an error that nobody waits for any more: a fault of ours is logged.

    What a session says of itself (it was interrupted, its file is locked) is of no interest then.
    """
    error = None if done.cancelled() else done.exception()
    if error is not None and not isinstance(error, LuaPersistError):
        logger.error("Something failed that nobody waits for any more", exc_info=error)
