"""Places in a text, and how the three position encodings of LSP count them.

Owns `Position`, `Range` and `Encoding`. Must not know LSP types or documents.

A `row` is 0-based, as tree-sitter and LSP count, and a `column` counts code points. Lua's own line
numbers are 1-based and are always called `line`, so the two cannot be taken for each other.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

# Tuples, for a long document has thousands of them in one answer: they are made and compared in a
# third of the time that frozen dataclasses take.


class Position(NamedTuple):
    """A place between two characters."""

    row: int
    column: int


class Range(NamedTuple):
    """The text from `start` up to, and without, `end`."""

    start: Position
    end: Position

    @classmethod
    def of(cls, row: int, column: int, end_row: int, end_column: int) -> Range:
        """A range from four plain numbers."""
        return cls(Position(row, column), Position(end_row, end_column))

    @property
    def empty(self) -> bool:
        """Whether nothing lies between the two ends."""
        return self.start >= self.end

    def holds(self, position: Position) -> bool:
        """Whether `position` lies inside or on one of the ends."""
        return self.start <= position <= self.end

    def meets(self, other: Range) -> bool:
        """Whether the two have at least one place in common."""
        return self.start <= other.end and other.start <= self.end


class Encoding(Enum):
    """What a client counts in the `character` of a position."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"

    def units(self, text: str) -> int:
        """The length of `text` in this encoding's code units."""
        if self is Encoding.UTF32 or text.isascii():
            return len(text)
        if self is Encoding.UTF8:
            return len(text.encode())
        return len(text.encode("utf-16-le")) // 2

    def index(self, text: str, units: int) -> int:
        """How many code points of `text` lie before the place that is `units` code units into it.

        A place inside a character counts as the place before it, one beyond the end as the end.
        """
        if units <= 0:
            return 0
        if self is Encoding.UTF32 or text.isascii():
            return min(units, len(text))
        if self is Encoding.UTF8:
            return len(text.encode()[:units].decode(errors="ignore"))
        return len(text.encode("utf-16-le")[: units * 2].decode("utf-16-le", errors="ignore"))
