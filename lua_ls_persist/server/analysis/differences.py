"""What two states of a text, or of a list, have in common at both ends: all between is edited.

Simpler than to follow each edit, and right whatever the client sends; comparing is a matter of
microseconds.
"""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T", str, bytes, list[int])


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


def common_suffix(one: T, other: T, longest: int) -> int:
    """How many characters or numbers two have in common at their end; at most `longest`."""
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
