"""Checking syntax with Lua's own compiler, in a small VM of its own that no program keeps busy."""

from __future__ import annotations

import threading
from typing import final

from lua_ls_persist.errors import CoreError, SessionClosedError
from lua_ls_persist.model import Problem, ProblemKind
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session.names import ChunkNames
from lua_ls_persist.session.problems import read_problem
from lua_ls_persist.session.request import PreviewLimits, evaluation_request, prepare_source
from lua_ls_persist.vm import Image, Machine, Stopped, load_core
from lua_ls_persist.wire import Decoder

MEMORY_LIMIT_BYTES = 256 * 1024 * 1024
TIME_LIMIT_S = 20.0


@final
class SyntaxChecker:
    """Compiles source without running it. Any thread may use it; one check runs at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._names = ChunkNames()
        self._machine = Machine(load_core(), memory_limit_bytes=MEMORY_LIMIT_BYTES)
        self._image = self._machine.capture(Image())

    def check(
        self, source: str | bytes, *, name: str = "(check)", line: int = 0
    ) -> tuple[Problem, ...]:
        """The problem that keeps `source` from being compiled, or nothing.

        `line` is the number of lines before the source in its document.

        Raises:
            SessionClosedError: the checker is closed.
        """
        content = prepare_source(source)
        request = evaluation_request(
            content,
            self._names.source_of(name),
            line=line,
            expression=False,
            arguments=(),
            limits=PreviewLimits(),
        )
        with self._lock:
            if self._closed:
                raise SessionClosedError("the syntax checker is closed")
            try:
                response = self._machine.call(
                    "core_compile", request, payload=content, time_limit_s=TIME_LIMIT_S
                )
            except Stopped as stop:
                response = b""
                message = f"the source could not be checked within {TIME_LIMIT_S:g} s"
                if stop.cause is None:
                    message = f"the source could not be checked: {stop}"
                problem = Problem("internal", message, name, None)
            finally:
                # Every check starts from the same small state.
                self._machine.restore(self._image)
        if not response:
            return (problem,)
        decoder = Decoder(response)
        outcome = decoder.u8()
        if outcome == Outcome.OK:
            return ()
        if outcome == Outcome.REQUEST:
            raise CoreError(decoder.text().decode("utf-8", "replace"))
        kind: ProblemKind = "memory" if outcome == Outcome.MEMORY else "syntax"
        return (read_problem(decoder, kind, self._names.name_of),)

    def close(self) -> None:
        """Give the VM back. Idempotent."""
        with self._lock:
            self._closed = True
            self._machine.close()

    def __enter__(self) -> SyntaxChecker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
