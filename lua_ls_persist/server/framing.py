"""Messages in a stream of bytes: headers, an empty line, a body.

The format is that of LSP's base protocol. pygls reads it too, but passes over a header that is
spelt otherwise and over a body that is no JSON without an answer; then a client waits for ever.
"""

from __future__ import annotations

import logging
import re
from typing import Final

HEADERS_BYTES_MAX: Final = 8 * 1024
BODY_BYTES_MAX: Final = 256 * 1024 * 1024

_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(
    rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)

logger = logging.getLogger(__name__)


class Frames:
    """The bodies in what is fed, piece by piece. What is no frame is passed over."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted: int | None = None
        """How long the body is whose headers have been read."""
        self._skipped = 0
        """How much of a body that is too long is still to come."""

    def feed(self, data: bytes) -> list[bytes]:
        """Takes what has arrived; the bodies that are complete with it."""
        self._buffer += data
        bodies: list[bytes] = []
        while self._advance(bodies):
            pass
        return bodies

    def _advance(self, bodies: list[bytes]) -> bool:
        """One step: past what is skipped, headers, or a body. False if more must arrive first."""
        if self._skipped:
            gone = min(self._skipped, len(self._buffer))
            del self._buffer[:gone]
            self._skipped -= gone
            return not self._skipped
        if self._wanted is None:
            return self._headers()
        if len(self._buffer) < self._wanted:
            return False
        bodies.append(bytes(self._buffer[: self._wanted]))
        del self._buffer[: self._wanted]
        self._wanted = None
        return True

    def _headers(self) -> bool:
        end = _END.search(self._buffer, 0, HEADERS_BYTES_MAX)
        if end is None:
            if len(self._buffer) < HEADERS_BYTES_MAX:
                return False
            logger.warning("Passed over %d bytes that are no headers", HEADERS_BYTES_MAX - 4)
            del self._buffer[: HEADERS_BYTES_MAX - 4]  # An end may have begun.
            return True
        length = _LENGTH.search(self._buffer, 0, end.start())
        if length is None:
            logger.warning("Passed over headers without a length")
        elif int(length[1]) > BODY_BYTES_MAX:
            logger.error("Passed over a message of %d bytes", int(length[1]))
            self._skipped = int(length[1])
        else:
            self._wanted = int(length[1])
        del self._buffer[: end.end()]
        return True
