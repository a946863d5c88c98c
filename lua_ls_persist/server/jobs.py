"""What waits in front of a session: evaluations that were asked for, and other uses of it.

Owns how each of them is handed to the session, and how exactly this one is ended, wherever it
stands. Must not know LSP types or documents.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.session.documents import DocumentCode
from lua_ls_persist.session.output import OnOutput
from lua_ls_persist.wire import Encodable

if TYPE_CHECKING:
    from lua_ls_persist.model import Local
    from lua_ls_persist.session import Session

RETRY_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Source:
    """Lua source and where it comes from."""

    text: str
    name: str
    line: int = 0
    """How many lines stand before it in its document."""
    arguments: Sequence[Encodable] = ()
    """What it finds in `...`."""
    code: DocumentCode | None = None
    """What is to be known about the locals of its document; None: it is evaluated as it stands."""


class Work(Protocol):
    """What can be interrupted: it waits, or runs."""

    def interrupt(self) -> bool:
        """Ends it; true if it was running."""


class Job:
    """One evaluation that was asked for: waiting, running or done."""

    def __init__(self, source: Source, *, id_: str = "") -> None:
        self.source = source
        self.id = id_
        """By this the client knows what belongs together."""
        self.on_output: OnOutput | None = None
        """Hears what it prints, on the session's thread."""
        self.interrupted = False
        """Whether somebody asked for its end."""
        self.started_utc: datetime | None = None
        self.evaluation: Evaluation | None = None
        """What came of it; stays None if it never ran."""
        self.locals: tuple[Local, ...] = ()
        """What is known of the locals of its document afterwards."""
        self._future: Future[Evaluation] | None = None
        self._session: Session | None = None

    def submit(self, session: Session, time_limit_s: float | None) -> Future[Evaluation]:
        """Gives it to a session that has nothing else to do."""
        source = self.source
        if source.code is None:
            future = session.submit(
                source.text,
                name=source.name,
                line=source.line,
                arguments=source.arguments,
                time_limit_s=time_limit_s,
                on_output=self.on_output,
            )
        else:
            future = session.submit_document(
                source.text,
                source.code,
                name=source.name,
                line=source.line,
                time_limit_s=time_limit_s,
                on_output=self.on_output,
            )
        self._session, self._future = session, future
        return future

    def never_started(self) -> Evaluation:
        """What is said of it if it was interrupted while it waited."""
        problem = Problem(
            kind="interrupt",
            message="interrupted before it started",
            chunk=self.source.name,
            line=self.source.line + 1,
        )
        return Evaluation(ok=False, problems=(problem,))

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


class Use:
    """Something that is done with the session and is no evaluation of a document."""

    def __init__(self, *, is_glance: bool = False) -> None:
        self.interrupted = False
        self.is_glance = is_glance
        """It is over soon: others may wait for it."""
        self.session: Session | None = None
        self.running: asyncio.Future[Any] | None = None

    def interrupt(self) -> bool:
        self.interrupted = True
        if self.running is None or self.session is None or self.running.done():
            return False
        self.session.interrupt()
        # It may be between two steps; and not everything can be interrupted.
        asyncio.get_running_loop().call_later(RETRY_S, self.interrupt)
        return True
