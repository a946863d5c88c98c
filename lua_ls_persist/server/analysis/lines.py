"""Offsets of a text and positions in it: the tree counts in the ones, documents in the others."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, count
from operator import add

from lua_ls_persist.server.positions import Encoding, Position, Range


class Lines:
    """Where the lines of a text begin."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._is_ascii = source.isascii()
        ends = accumulate(map(len, source.split("\n")), initial=0)
        # Each line end is a code point, too.
        self._starts: list[int] = list(map(add, ends, count()))

    def offset(self, position: Position) -> int:
        """How many code points lie before a position."""
        row = max(0, min(position.row, len(self._starts) - 2))
        end = self._starts[row + 1] - 1
        return max(self._starts[row], min(self._starts[row] + position.column, end))

    def position(self, offset: int) -> Position:
        """The position behind so many code points."""
        offset = max(0, min(offset, len(self._source)))
        row = bisect_right(self._starts, offset) - 1
        return Position(row, offset - self._starts[row])

    def place(self, offset: int, encoding: Encoding) -> tuple[int, int]:
        """Row and column of an offset as a client counts them."""
        row = bisect_right(self._starts, offset) - 1
        start = self._starts[row]
        if self._is_ascii:
            return row, offset - start
        return row, encoding.units(self._source[start:offset])

    def rows_between(self, start: int, end: int) -> bool:
        """Whether a line ends between two offsets."""
        return self._source.find("\n", start, end) >= 0

    def range(self, start: int, end: int) -> Range:
        """The range between two offsets."""
        return Range(self.position(start), self.position(end))
