"""Which keys of a large table are listed for what was typed."""

from __future__ import annotations

from lua_ls_persist.session.sights import KeyList, Sight


def keys(typed: str, limit: int, *names: str | int) -> list[object]:
    sight = Sight("table", chain=(KeyList(names, "s" * len(names), ()),))
    return [key.key for key in sight.fitting(typed, limit)]


def test_what_was_typed_is_in_them_in_order() -> None:
    assert keys("ab", 9, "cab", "a_b", "ABC", "ba", 1) == ["cab", "a_b", "ABC"]


def test_what_begins_so_stays_where_there_are_too_many() -> None:
    assert keys("a", 2, "ba", "_a", "ab", "Aa") == ["Aa", "ab"]
    assert keys("", 2, "_z", "y", "x") == ["x", "y"]


def test_what_was_typed_is_no_pattern() -> None:
    assert keys(".*", 9, "a", "x.y*") == ["x.y*"]
