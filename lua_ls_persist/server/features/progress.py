"""Work-done progress for evaluations that take long, with a way to cancel them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lsprotocol import types

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

DELAY_S = 0.3
"""What takes less is not announced."""


@contextmanager
def progress(
    server: LuaLanguageServer,
    title: str,
    cancel: Callable[[], object],
    token: types.ProgressToken | None,
) -> Iterator[None]:
    """Announces the work in the block if it takes long, under the client's token or our own."""
    work = _Work(server, title, cancel, token)
    timer = asyncio.get_running_loop().call_later(DELAY_S, work.announce)
    try:
        yield
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
        self._server = server
        self._title = title
        self._cancel = cancel
        self._token = token
        self._begun = False
        self._ended = False

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
        if self._begun and self._token is not None:
            self._server.progress_cancels.pop(self._token, None)
            self._report(types.WorkDoneProgressEnd())

    def _created(self, token: types.ProgressToken, answer: Future[Any]) -> None:
        refused = answer.cancelled() or answer.exception() is not None
        if not refused and not self._ended:
            self._token = token
            self._begin(token)

    def _begin(self, token: types.ProgressToken) -> None:
        self._begun = True
        self._server.progress_cancels[token] = self._cancel
        self._report(types.WorkDoneProgressBegin(title=self._title, cancellable=True))

    def _report(self, value: types.WorkDoneProgressBegin | types.WorkDoneProgressEnd) -> None:
        assert self._token is not None
        self._server.protocol.notify(types.PROGRESS, types.ProgressParams(self._token, value))
