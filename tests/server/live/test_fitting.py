"""Which keys of a large table are listed for what was typed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.session.sights import KeyList, Sight


def keys(typed: str, limit: int, *names: str | int) -> list[object]:
    sight = Sight("table", chain=(KeyList(names, "s" * len(names), ()),))
    return [key.key for key in sight.fitting(typed, limit)]


def test_what_was_typed_is_in_them_in_order() -> None:
    assert keys("ab", 9, "cab", "a_b", "ABC", "ba", 1) == ["ABC", "a_b", "cab"]


def test_what_begins_so_stays_where_there_are_too_many() -> None:
    assert keys("a", 2, "ba", "_a", "ab", "Aa") == ["Aa", "ab"]
    assert keys("", 2, "_z", "y", "x") == ["x", "y"]


def test_what_was_typed_is_no_pattern() -> None:
    assert keys(".*", 9, "a", "x.y*") == ["x.y*"]


def fits(typed: str, name: str) -> bool:
    letters = iter(name)
    return all(letter in letters for letter in typed)


NAMES = st.text("ab_AB\n.^]-É", max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    names=st.lists(NAMES, unique=True),
    typed=st.text("abAé_^]-.", max_size=4),
    limit=st.integers(1, 9),
)
def test_as_by_looking_at_each(names: list[str], typed: str, limit: int) -> None:
    folded = typed.lower()

    def order(name: str) -> tuple[bool, bool, str]:
        label = name.lower()
        return not label.startswith(folded), label.startswith("_"), label

    wanted = sorted((name for name in names if fits(folded, name.lower())), key=order)
    found = keys(typed, limit, *names)
    assert [str(one).lower() for one in found] == [one.lower() for one in wanted[:limit]]
    assert len(set(found)) == len(found)
