"""Answers that are JSON already, for those that are long.

lsprotocol checks each number that goes into one of its objects, cattrs takes every object apart
again, and json looks at each part once more: of an answer about a whole document, that takes longer
than to find out what is in it. Here the text of what is alike is made once, with holes for places.
Must not know LSP types or documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final, NamedTuple

HOLE: Final = object()
"""Stands for a whole number in the data of a pattern."""
PLACE: Final = {"line": HOLE, "character": HOLE}
"""A position whose numbers are still to come."""
RANGE: Final = {"start": PLACE, "end": PLACE}


class Encoded(NamedTuple):
    """An answer that goes out as it is."""

    text: str


def listed(parts: Iterable[str]) -> Encoded:
    """A list of values that are encoded."""
    return Encoded(f"[{','.join(parts)}]")


def pattern(data: object) -> str:
    """A text that `%` fills with whole numbers, in the order in which the data has holes."""
    mark, holes = "\0", 0

    def fill(_: object) -> str:
        nonlocal holes
        holes += 1
        return mark

    text = json.dumps(data, default=fill)
    while text.count(json.dumps(mark)) != holes:  # Some text in the data is just this.
        mark, holes = mark + "\0", 0
        text = json.dumps(data, default=fill)
    return text.replace("%", "%%").replace(json.dumps(mark), "%d")


class Placed(NamedTuple):
    """A pattern about a part of a text, and the places that go into it.

    They count from where the part begins, so that they hold wherever it comes to stand.
    """

    pattern: str
    places: tuple[tuple[int, int], ...]
    """Rows and columns; a column counts from the part's beginning on its first row only."""

    def at(self, row: int, column: int) -> str:
        """The text where the part begins at a place."""
        numbers: list[int] = []
        for rows, columns in self.places:
            numbers += (row + rows, columns if rows else column + columns)
        return self.pattern % tuple(numbers)
