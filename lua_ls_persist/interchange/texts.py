"""Text that is read in pieces from bytes, with the place that is being read."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeAlias

from lua_ls_persist.errors import InterchangeError

PIECE_BYTES: Final = 1 << 16

OnBytes: TypeAlias = Callable[[int], None]
"""Hears how many bytes have been read."""


class Utf8Pieces:
    """UTF-8, with or without a byte order mark, in pieces. Says where it is none."""

    def __init__(self, file: BinaryIO, name: str, on_bytes: OnBytes | None = None) -> None:
        self._file = file
        self.name = name
        self._on_bytes = on_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._bytes = 0
        self._lines = 1

    def read(self) -> str:
        """The next piece; empty at the end.

        Raises:
            InterchangeError: it is not UTF-8, or cannot be read.
        """
        while True:
            try:
                content = self._file.read(PIECE_BYTES)
            except OSError as error:
                reason = error.strerror or error
                raise InterchangeError(f"{self.name} cannot be read: {reason}") from error
            try:
                text = self._decoder.decode(content, final=not content)
            except UnicodeDecodeError as error:
                line = self._lines + error.object[: error.start].count(b"\n")
                raise InterchangeError(
                    f"{self.name}:{line}: the bytes are no UTF-8; save the file as UTF-8"
                ) from None
            self._lines += content.count(b"\n")
            self._bytes += len(content)
            if self._on_bytes is not None:
                self._on_bytes(self._bytes)
            if text or not content:
                return text


class Lines:
    """The same, line by line with their endings, as the csv module wants them."""

    def __init__(self, pieces: Utf8Pieces) -> None:
        self._pieces = pieces
        self._rest = ""
        self._at = 0

    def __iter__(self) -> Iterator[str]:
        """All lines that follow."""
        return iter(self._line, "")

    def _line(self) -> str:
        """The next line; empty at the end."""
        while True:
            end = self._rest.find("\n", self._at)
            if end >= 0:
                line = self._rest[self._at : end + 1]
                self._at = end + 1
                return line
            piece = self._pieces.read()
            self._rest, self._at = self._rest[self._at :] + piece, 0
            if not piece:
                line, self._rest = self._rest, ""
                return line
