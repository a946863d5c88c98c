"""Columns in the three encodings, against Python's own codecs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.server.positions import Encoding, Position, Range

TEXT = 'x = "a😀é漢" -- 𝄞'


@pytest.mark.parametrize(
    ("encoding", "units"),
    [(Encoding.UTF8, 24), (Encoding.UTF16, 17), (Encoding.UTF32, 15)],
)
def test_units(encoding: Encoding, units: int) -> None:
    assert encoding.units(TEXT) == units
    assert encoding.index(TEXT, units) == len(TEXT)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 40))
def test_there_and_back(text: str, index: int) -> None:
    index = min(index, len(text))
    for encoding in Encoding:
        assert encoding.index(text, encoding.units(text[:index])) == index


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(-3, 100))
def test_any_number_of_units_is_a_place(text: str, units: int) -> None:
    for encoding in Encoding:
        index = encoding.index(text, units)
        assert 0 <= index <= len(text)
        assert encoding.units(text[:index]) <= max(units, 0)


@pytest.mark.parametrize(
    ("encoding", "units"), [(Encoding.UTF8, 6), (Encoding.UTF8, 8), (Encoding.UTF16, 6)]
)
def test_inside_a_character_is_before_it(encoding: Encoding, units: int) -> None:
    assert encoding.index('x = "😀"'[4:], units - 4) == 1


def test_ranges() -> None:
    range_ = Range.of(1, 2, 3, 4)
    assert range_.holds(Position(1, 2))
    assert range_.holds(Position(3, 4))
    assert not range_.holds(Position(3, 5))
    assert range_.meets(Range.of(3, 4, 9, 9))
    assert not range_.meets(Range.of(3, 5, 9, 9))
    assert Range.of(1, 1, 1, 1).empty
