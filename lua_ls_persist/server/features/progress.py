"""Work-done progress for what takes long, with a way to cancel it, and with percentages."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from lsprotocol import types

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

DELAY_S = 0.3
"""What takes less is not announced."""
BETWEEN_S = 0.2
"""Percentages are not told more often than so."""

Report: TypeAlias = Callable[[int, int], None]
"""Hears how much of how much is done, on any thread; 0 where nobody knows how much there is."""


@contextmanager
def progress(
    server: LuaLanguageServer,
    title: str,
    cancel: Callable[[], object],
    token: types.ProgressToken | None,
) -> Iterator[Report]:
    """Announces the work in the block if it takes long, under the client's token or our own."""
    loop = asyncio.get_running_loop()
    work = _Work(server, title, cancel, token)
    timer = loop.call_later(DELAY_S, work.announce)

    def report(done: int, total: int) -> None:
        """Only notes it: whoever calls this has other things to do."""
        work.noted = (done, total)

    try:
        yield report
    finally:
        timer.cancel()
        work.end()


class _Work:
    """One piece of work as the client sees it: unknown, asked for, begun, ended."""

    def __init__(
        self,
        server: LuaLanguageServer,
        title: str,
        cancel: Callable[[], object],
        token: types.ProgressToken | None,
    ) -> None:
        self.noted: tuple[int, int] | None = None
        """How much of how much is done; written by the thread that does it."""
        self._server = server
        self._title = title
        self._cancel = cancel
        self._token = token
        self._begun = False
        self._ended = False
        self._told: tuple[int, int] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def announce(self) -> None:
        window = self._server.client_capabilities.window
        if self._token is not None:
            self._begin(self._token)
        elif window is not None and window.work_done_progress:
            token = f"lua-persist-{uuid.uuid4()}"
            # A callback, not an await: a cancelled task must not wait for the client's answer.
            self._server.protocol.send_request(
                types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.WorkDoneProgressCreateParams(token)
            ).add_done_callback(lambda answer: self._created(token, answer))

    def end(self) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._begun and self._token is not None:
            self._server.progress_cancels.pop(self._token, None)
            self._send(types.WorkDoneProgressEnd())

    def _created(self, token: types.ProgressToken, answer: Future[Any]) -> None:
        refused = answer.cancelled() or answer.exception() is not None
        if not refused and not self._ended:
            self._token = token
            self._begin(token)

    def _begin(self, token: types.ProgressToken) -> None:
        self._begun = True
        self._server.progress_cancels[token] = self._cancel
        self._told = self.noted
        self._send(
            types.WorkDoneProgressBegin(
                title=self._title,
                cancellable=True,
                message=_message(self.noted),
                # Only what begins with a percentage may have one later.
                percentage=_percentage(self.noted),
            )
        )
        self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(BETWEEN_S, self._tell)

    def _tell(self) -> None:
        if self.noted != self._told:
            self._told = self.noted
            self._send(
                types.WorkDoneProgressReport(
                    message=_message(self.noted), percentage=_percentage(self.noted)
                )
            )
        self._wait()

    def _send(
        self,
        value: types.WorkDoneProgressBegin
        | types.WorkDoneProgressReport
        | types.WorkDoneProgressEnd,
    ) -> None:
        assert self._token is not None
        self._server.protocol.notify(types.PROGRESS, types.ProgressParams(self._token, value))


def _percentage(noted: tuple[int, int] | None) -> int | None:
    if noted is None or noted[1] <= 0:
        return None
    return min(100 * noted[0] // noted[1], 100)


def _message(noted: tuple[int, int] | None) -> str | None:
    if noted is None:
        return None
    done, total = noted
    return f"{done:,} of {total:,}" if total > 0 else f"{done:,}"
