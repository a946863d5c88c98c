"""Names that are nearly known ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.server.live.spelling import distance, nearest

WORDS = st.text(alphabet="abc", max_size=7)


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("nmae", ["name", "age"], "name"),
        ("naem", ["name"], "name"),
        ("nam", ["name"], "name"),
        ("names", ["name"], "name"),
        ("cuonter", ["counter", "country"], "counter"),
        ("age", ["name"], None),
        ("ag", ["age"], None),
        ("size", ["sine", "side"], "side"),
        ("total", ["label"], None),
        ("balanse", ["balance"], "balance"),
    ],
)
def test_nearest(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected


@given(WORDS, WORDS)
def test_distance_is_symmetric(one: str, other: str) -> None:
    assert distance(one, other, 10) == distance(other, one, 10)
    assert (distance(one, other, 10) == 0) == (one == other)


@given(WORDS, st.integers(0, 5))
def test_a_swap_is_one_slip(word: str, place: int) -> None:
    swapped = word[:place] + word[place : place + 2][::-1] + word[place + 2 :]
    assert distance(word, swapped, 10) <= 1


@given(WORDS, WORDS, st.integers(0, 3))
def test_the_limit(one: str, other: str, limit: int) -> None:
    exact = distance(one, other, 100)
    found = distance(one, other, limit)
    assert found == exact if exact <= limit else found > limit


@given(WORDS, WORDS)
def test_as_by_trying_every_way(one: str, other: str) -> None:
    def least(left: str, right: str) -> int:
        if not left or not right:
            return len(left) + len(right)
        ways = [
            least(left[1:], right) + 1,
            least(left, right[1:]) + 1,
            least(left[1:], right[1:]) + (left[0] != right[0]),
        ]
        if left[:2] == right[1::-1] and len(left) > 1:
            ways.append(least(left[2:], right[2:]) + 1)
        return min(ways)

    assert distance(one[:5], other[:5], 10) == least(one[:5], other[:5])
