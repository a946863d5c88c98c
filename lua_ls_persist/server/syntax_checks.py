"""Syntax errors while the user types.

Owns the compiler that checks and its thread, the delay after a key press, and the one note a
document may have. Lua's own compiler decides, so that what is shown is exactly what an evaluation
would say.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from lua_ls_persist import session as sessions
from lua_ls_persist.server import uris
from lua_ls_persist.server.board import Note, Related, moved_note
from lua_ls_persist.server.columns import syntax_place
from lua_ls_persist.server.documents import Document, Documents, Edit
from lua_ls_persist.server.positions import Range
from lua_ls_persist.server.tracking import moved_position

if TYPE_CHECKING:
    from lua_ls_persist.session import SyntaxChecker

DELAY_S = 0.01
"""From the last key press to the check: what arrives together is checked once."""
REST_PER_CHECK = 1.0
"""After a check the compiler rests, this many times as long as it took: while somebody types in a
file that takes long, it works half of the time at most."""
GIVES_WAY_S_MAX = 0.05
"""So long a check waits while requests are answered, which it would make slower."""
LOOK_AGAIN_S = 0.002
"""Meanwhile, from one look at whether there still are any to the next."""

logger = logging.getLogger(__name__)


class SyntaxChecks:
    """The syntax note of each open document. Used from the server's loop, except `fails_at`."""

    def __init__(
        self,
        documents: Documents,
        publish: Callable[[str], None],
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._documents = documents
        self._publish = publish
        self._is_busy = is_busy
        """Whether requests are being answered."""
        self._notes: dict[str, Note] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running: set[str] = set()
        self._outdated: set[str] = set()
        """Those of them whose text has changed since."""
        self._checker: SyntaxChecker | None = None
        self._rests_until_s = 0.0
        self._closed = False
        self._compiler = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lua-persist-syntax")
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lua-persist-texts")
        """For other work on a whole text that would delay the editor: checks do not wait for it."""

    def note(self, uri: str) -> Note | None:
        """The syntax error of an open document, where it is now."""
        return self._notes.get(uris.key_of(uri))

    def opened(self, uri: str) -> None:
        """Checks a document that was opened, at once."""
        self._schedule(uri, 0.0)

    def edited(self, uri: str, edits: list[Edit]) -> None:
        """Shifts the note of a document, and checks it soon."""
        key = uris.key_of(uri)
        note = self._notes.get(key)
        if note is not None:
            self._notes[key] = _moved(note, key, edits)
        self._schedule(uri, self._delay_s)

    def closed(self, uri: str) -> None:
        """Forgets a document."""
        key = uris.key_of(uri)
        self._notes.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def fails_at(self, source: str) -> str | None:
        """The compiler's message about a source; None without one, or without a compiler yet."""
        checker = self._checker
        if checker is None or self._closed:
            return None
        problems = checker.check(source, name="")
        return problems[0].message if problems else None

    def close(self) -> None:
        """Ends the thread and the compiler. Idempotent."""
        if self._closed:
            return
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._compiler.submit(self._close_checker)
        self._compiler.shutdown(wait=False)
        self.worker.shutdown(wait=False)

    @property
    def _delay_s(self) -> float:
        return max(DELAY_S, self._rests_until_s - time.monotonic())

    def _schedule(self, uri: str, delay_s: float) -> None:
        if self._closed:
            return
        key = uris.key_of(uri)
        timer = self._timers.get(key)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(delay_s, self._start, uri)

    def _start(self, uri: str, waited_s: float = 0.0) -> None:
        key = uris.key_of(uri)
        self._timers.pop(key, None)
        if waited_s < GIVES_WAY_S_MAX and self._is_busy():
            self._timers[key] = asyncio.get_running_loop().call_later(
                LOOK_AGAIN_S, self._start, uri, waited_s + LOOK_AGAIN_S
            )
            return
        document = self._documents.get(uri)
        if document is None or self._closed:
            return
        if key in self._running:
            self._outdated.add(key)
            return
        self._running.add(key)
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._compiler, self._check, document)
        future.add_done_callback(lambda done: self._done(document, done))

    def _done(self, document: Document, future: asyncio.Future[Note | None]) -> None:
        key = uris.key_of(document.uri)
        self._running.discard(key)
        if self._closed or future.cancelled():
            return
        if key in self._outdated:
            self._outdated.discard(key)
            self._schedule(document.uri, self._delay_s)
        error = future.exception()
        if error is not None:
            logger.error("Cannot check the syntax of %s: %s", document.uri, error)
            return
        edits = self._documents.edits_since(document.uri, document.revision)
        if edits is None:  # It was closed in the meantime.
            return
        note = future.result()
        if note is None:
            self._notes.pop(key, None)
        else:
            self._notes[key] = _moved(note, key, edits)
        self._publish(document.uri)

    def _check(self, document: Document) -> Note | None:
        """Compiles a document. On the worker's thread."""
        if self._checker is None:
            self._checker = sessions.SyntaxChecker()
        started_s = time.monotonic()
        problems = self._checker.check(document.source, name="")
        note: Note | None = None
        if problems and problems[0].kind != "syntax":  # It was too much for the compiler.
            logger.warning("Cannot check the syntax of %s: %s", document.uri, problems[0].message)
        elif problems:
            problem = problems[0]
            row = (problem.line or 1) - 1
            place = syntax_place(document, problem.message, row, self.fails_at)
            related = (
                (Related(document.uri, place.opening, place.opening_text),)
                if place.opening is not None
                else ()
            )
            note = Note("error", "syntax", problem.message, place.range, related)
        now_s = time.monotonic()
        self._rests_until_s = now_s + REST_PER_CHECK * (now_s - started_s)
        return note

    def _close_checker(self) -> None:
        checker, self._checker = self._checker, None
        if checker is not None:
            checker.close()


def _moved(note: Note, key: str, edits: list[Edit]) -> Note:
    for edit in edits:
        start = moved_position(note.range.start, edit)
        end = max(start, moved_position(note.range.end, edit))
        note = replace(moved_note(note, key, edit), range=Range(start, end))
    return note
