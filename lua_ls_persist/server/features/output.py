"""What programs print, on its way to the client while they run.

Owns how often and in what pieces `luaPersist/output` is sent. A program may print faster than
anybody can read, so text is gathered; but it is never lost, reordered, or sent after the evaluation
that printed it was reported as done. The session's limit bounds how much there is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lua_ls_persist.jsonable import Json
from lua_ls_persist.model import OutputPiece

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace

OUTPUT_NOTIFICATION: Final = "luaPersist/output"
BETWEEN_S: Final = 0.05
"""At most so often is something sent: 20 times a second."""
CHARACTERS_MAX: Final = 64 * 1024
"""At most so much of it at once."""


class OutputStream:
    """The output of one evaluation. Taken on the session's thread, sent on the server's loop."""

    def __init__(self, server: LuaLanguageServer, workspace: Workspace, id_: str) -> None:
        self._id = id_
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pieces: list[OutputPiece] = []
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at_s = 0.0
        self._uris: dict[str, str | None] = {}
        self._uri_of: Callable[[str], str | None] = workspace.places.uri_of
        self._server = server

    def take(self, piece: OutputPiece) -> None:
        """The program printed this. On the session's thread."""
        with self._lock:
            last = self._pieces[-1] if self._pieces else None
            if last is not None and _is_same_place(last, piece):
                text = last.text + piece.text
                piece = OutputPiece(text, last.stream, last.chunk, last.line)
                self._pieces.pop()
            self._pieces.append(piece)
            if self._scheduled:
                return
            self._scheduled = True
        self._loop.call_soon_threadsafe(self._schedule)

    def finish(self) -> None:
        """Sends what is left: the evaluation has ended."""
        if self._timer is not None:
            self._timer.cancel()
        while self._send():
            pass

    def _schedule(self) -> None:
        wait_s = max(0.0, self._sent_at_s + BETWEEN_S - self._loop.time())
        self._timer = self._loop.call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._send()
        with self._lock:
            self._scheduled = bool(self._pieces)
        if self._scheduled:
            self._schedule()

    def _send(self) -> bool:
        """Sends as much as may be sent at once; whether there was anything."""
        taken = self._take_some()
        if not taken:
            return False
        self._sent_at_s = self._loop.time()
        pieces: list[Json] = [
            {
                "text": piece.text,
                "stream": piece.stream,
                "chunk": piece.chunk,
                "line": piece.line,
                "uri": self._uri(piece.chunk),
            }
            for piece in taken
        ]
        self._server.protocol.notify(OUTPUT_NOTIFICATION, {"id": self._id, "pieces": pieces})
        return True

    def _take_some(self) -> list[OutputPiece]:
        taken: list[OutputPiece] = []
        room = CHARACTERS_MAX
        with self._lock:
            while self._pieces and room > 0:
                piece = self._pieces.pop(0)
                if len(piece.text) > room:
                    rest = OutputPiece(piece.text[room:], piece.stream, piece.chunk, piece.line)
                    self._pieces.insert(0, rest)
                    piece = OutputPiece(piece.text[:room], piece.stream, piece.chunk, piece.line)
                room -= len(piece.text)
                taken.append(piece)
        return taken

    def _uri(self, chunk: str) -> str | None:
        if chunk not in self._uris:
            self._uris[chunk] = self._uri_of(chunk)
        return self._uris[chunk]


def _is_same_place(one: OutputPiece, other: OutputPiece) -> bool:
    return (one.stream, one.chunk, one.line) == (other.stream, other.chunk, other.line)
