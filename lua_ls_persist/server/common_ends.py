"""What two states of a text, or of a list, have in common at both ends: all between is edited.

Simpler than to follow each edit, and right whatever the client sends; comparing is a matter of
microseconds.
"""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T", str, bytes, list[int])


def common_ends(one: T, other: T) -> tuple[int, int]:
    """How many characters or numbers two have in common at their start, and behind it at their end.

    The two do not overlap: what lies between them was taken out, or put in.
    """
    head = common_prefix(one, other)
    return head, _common_suffix(one, other, min(len(one), len(other)) - head)


def common_prefix(one: T, other: T) -> int:
    """How many characters or numbers two have in common at their start."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(one: T, other: T, longest: int) -> int:
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
