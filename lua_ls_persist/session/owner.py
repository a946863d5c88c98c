"""The thread that owns a session's VM and database. Everybody else hands it work."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from lua_ls_persist.errors import SessionClosedError, SessionError

T = TypeVar("T")

WAKE_EVERY_S = 0.1 if os.name == "nt" else -1
"""Who waits is woken so often to hear of Ctrl-C: on Windows nothing else does that. -1: never."""

logger = logging.getLogger(__name__)


class _Call(Generic[T]):
    """Work whose result somebody waits for. A bare lock wakes a waiter faster than a Future."""

    __slots__ = ("_done", "_error", "_function", "_result")

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._done = threading.Lock()
        self._done.acquire()
        self._error: BaseException | None = None
        self._result: T | None = None

    def run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # noqa: BLE001  (handed to the caller)
            self._error = error
        finally:
            self._done.release()

    def refuse(self, error: BaseException) -> None:
        self._error = error
        self._done.release()

    def result(self) -> T:
        while not self._done.acquire(timeout=WAKE_EVERY_S):
            pass
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # set when there is no error


class _Submission(Generic[T]):
    """Work that gives a Future."""

    __slots__ = ("_function", "future")

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self.future: Future[T] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001  (handed to whoever holds the future)
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def refuse(self, error: BaseException) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


class Owner:
    """One thread that runs what it is given, in order, and something else when there is nothing.

    `idle` is run when `rest` said so, after what was asked for until then.
    """

    def __init__(self, name: str, idle: Callable[[], None] | None = None) -> None:
        self._idle = idle
        self._idle_at_s: float | None = None
        """When to run it, in the clock of `time.monotonic`."""
        self._queue: SimpleQueue[_Call[Any] | _Submission[Any] | None] = SimpleQueue()
        self._urgent: deque[_Call[Any]] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while True:
            timeout_s = None
            if self._idle_at_s is not None:
                timeout_s = max(self._idle_at_s - time.monotonic(), 0.0)
            try:
                work = self._queue.get(timeout=timeout_s)
            except Empty:
                self._run_idle()
                continue
            if self._urgent:
                self._run_urgent()
            if work is None:
                return
            work.run()

    def rest(self, after_s: float | None) -> None:
        """Run `idle` so long from now, when nothing else is to be done; None: do not.

        On the thread.
        """
        self._idle_at_s = None if after_s is None else time.monotonic() + after_s

    def has_work(self) -> bool:
        """Whether something is waiting to be run."""
        return not self._queue.empty()

    def _run_idle(self) -> None:
        self._idle_at_s = None
        assert self._idle is not None
        try:
            self._idle()
        except Exception:  # nobody waits for it, and the session goes on without
            logger.exception("what a session does in idle time failed")

    def _run_urgent(self) -> None:
        while True:
            with self._lock:
                if not self._urgent:
                    return
                call = self._urgent.popleft()
            call.run()

    def _put(self, work: _Call[Any] | _Submission[Any], *, urgent: bool = False) -> None:
        with self._lock:
            if self._closed:
                raise SessionClosedError("the session is closed")
            if urgent and isinstance(work, _Call):
                self._urgent.append(work)
                work = _Call(_nothing)  # wakes the thread
            self._queue.put(work)

    def _check_thread(self) -> None:
        if threading.get_ident() == self._thread.ident:
            raise SessionError("a session cannot be used from inside its own evaluation")

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` on the thread and return its result, or raise what it raised."""
        self._check_thread()
        call = _Call(function)
        self._put(call)
        return call.result()

    def put_first(self, function: Callable[[], T]) -> _Call[T]:
        """Run `function` before all that waits; its `result()` is for the caller to wait for."""
        self._check_thread()
        call = _Call(function)
        self._put(call, urgent=True)
        return call

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Run `function` on the thread some time; do not wait."""
        submission = _Submission(function)
        self._put(submission)
        return submission.future

    def close(self, last: Callable[[], None]) -> None:
        """Refuse new work and what has not begun, run `last`, and end the thread. Idempotent."""
        with self._lock:
            first = not self._closed
            self._closed = True
            if first:
                for work in self._waiting():
                    work.refuse(SessionClosedError("the session was closed before this ran"))
                self._queue.put(_Call(last))
                self._queue.put(None)
        if threading.get_ident() != self._thread.ident:
            self._thread.join()

    def _waiting(self) -> list[_Call[Any] | _Submission[Any]]:
        """Take all that has not begun. Holds the lock."""
        waiting: list[_Call[Any] | _Submission[Any]] = list(self._urgent)
        self._urgent.clear()
        while True:
            try:
                work = self._queue.get_nowait()
            except Empty:  # the thread takes from it at the same time
                return waiting
            if work is not None:
                waiting.append(work)


def _nothing() -> None:
    pass
