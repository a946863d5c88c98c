"""Which known name somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lua_ls_persist.server.common_ends import common_ends

LENGTH_MIN: Final = 3
"""Shorter names are too alike."""
SHORT_LENGTH_MAX: Final = 5
"""Up to here one slip is allowed, beyond two."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is nearly this one; None if none is near enough."""
    if len(word) < LENGTH_MIN:
        return None
    allowed = 1 if len(word) <= SHORT_LENGTH_MAX else 2
    best: tuple[int, str] | None = None
    for candidate in known:
        if len(candidate) < LENGTH_MIN or abs(len(candidate) - len(word)) > allowed:
            continue
        slips = distance(word, candidate, allowed)
        if slips <= allowed and (best is None or (slips, candidate) < best):
            best = (slips, candidate)
    return None if best is None else best[1]


def distance(one: str, other: str, limit: int) -> int:
    """How many letters are wrong, missing, too many or swapped; anything above the limit if more.

    The optimal string alignment variant of Damerau's and Levenshtein's distance.
    """
    # What is alike at both ends needs no looking at, and that is most of most names.
    head, tail = common_ends(one, other)
    one, other = one[head : len(one) - tail], other[head : len(other) - tail]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        two_before, before = before, row
        row = [place]
        for at, wanted in enumerate(other, 1):
            slips = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != wanted))
            is_swapped = (
                place > 1 and at > 1 and letter == other[at - 2] and one[place - 2] == wanted
            )
            if is_swapped and letter != wanted:
                slips = min(slips, two_before[at - 2] + 1)
            row.append(slips)
        if min(row) > limit:
            return limit + 1
    return row[-1]
