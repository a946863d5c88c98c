"""Texts of sources by number: where the text of a function that is stored comes from.

The core compiles a source and remembers its number in every function it makes; the texts stay here.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TypeAlias, final

from lua_ls_persist.store.rows import Text, as_native

TEXTS_BYTES_MAX = 64 * 1024 * 1024
"""Texts that were not used for the longest are forgotten beyond this."""
KEPT_BYTES_MAX = 4 * 1024 * 1024
"""So much of the newest texts goes into an image."""
LINES_BEFORE_MAX = 1_000_000
"""A source that stands further down in its document is kept without its text."""
UNKNOWN = 0
"""The number of what has no text."""

_Source: TypeAlias = "tuple[bytes, int]"


@final
class SourceTexts:
    """The texts that were evaluated in a session, or read by it. Any thread may add one.

    The same text has one number; a number is never used for two texts, also not in a session that
    goes on from an image of this one.
    """

    def __init__(self, limit_bytes: int = TEXTS_BYTES_MAX) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._numbers: dict[_Source, int] = {}
        self._sources: dict[int, _Source] = {}
        self._bytes = 0
        self._next = UNKNOWN + 1

    def number_of(self, content: bytes, line: int = 0) -> int:
        """The number of a source with so many lines before it in its document.

        `UNKNOWN` if it cannot be kept.
        """
        if line > LINES_BEFORE_MAX or len(content) > self._limit_bytes:
            return UNKNOWN
        source = (content, line)
        with self._lock:
            number = self._numbers.pop(source, None)
            if number is None:
                number = self._next
                self._next += 1
                self._bytes += len(content)
                self._sources[number] = source
            self._numbers[source] = number  # the newest comes last
            if self._bytes > self._limit_bytes:
                self._forget_oldest()
            return number

    def _forget_oldest(self) -> None:
        while self._bytes > self._limit_bytes:
            source = next(iter(self._numbers))
            del self._sources[self._numbers.pop(source)]
            self._bytes -= len(source[0])

    def text(self, number: int) -> Text | None:
        """The text with this number, with an empty line for each line before it; None if gone.

        So a line of it has the number that it has in its document, and can be compiled as it is.
        """
        with self._lock:
            source = self._sources.get(number)
        return None if source is None else as_native(b"\n" * source[1] + source[0])

    # -- images

    def kept(self) -> tuple[dict[int, Text], int]:
        """The newest texts, for an image, and the number from which on numbers are free."""
        with self._lock:
            newest = reversed(self._numbers.items())
            left_bytes = KEPT_BYTES_MAX
            numbers = []
            for (content, line), number in newest:
                left_bytes -= len(content) + line
                if left_bytes < 0:
                    break
                numbers.append(number)
            free = self._next
        texts = {number: self.text(number) for number in reversed(numbers)}
        return {number: text for number, text in texts.items() if text is not None}, free

    def take_over(self, texts: Mapping[int, Text], free: int) -> None:
        """Know what the session knew that an image is of. Before anything else is added."""
        with self._lock:
            for number, text in texts.items():
                source = (text.encode() if isinstance(text, str) else text, 0)
                self._numbers[source] = number
                self._sources[number] = source
                self._bytes += len(source[0])
            self._next = max([free, *(number + 1 for number in texts)])
