"""Lua's patterns in Python find what Lua finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.schema import LuaPattern
from lua_ls_persist.session import Session

_ITEMS = ["a", "b", ".", "%a", "%D", "%s", "%%", "[ab]", "[^a]", "[%d-]", "[]]", "[a-c]", "%p",
          "%w",          "%f[%w]", "%b()", "%x", "%u", "%c", "%g", "-", "é", "[^%s@]"]  # fmt: skip
_PIECES = st.builds(
    lambda item, suffix: item + suffix,
    st.sampled_from(_ITEMS),
    st.sampled_from(["", "*", "+", "-", "?"]),
)
_PATTERNS = st.builds(
    lambda start, one, two, end, around: start + (f"({one})%1{two}" if around else one + two) + end,
    st.sampled_from(["", "^"]),
    st.lists(_PIECES, max_size=3).map("".join),
    st.lists(_PIECES, max_size=3).map("".join),
    st.sampled_from(["", "$"]),
    st.booleans(),
)
_TEXTS = st.text("ab(c)1 -]@é\n%", max_size=8)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open() as session:
        yield session


@settings(max_examples=200)
@given(pattern=_PATTERNS, texts=st.lists(_TEXTS, min_size=1, max_size=6))
def test_as_lua_does(session: Session, pattern: str, texts: list[str]) -> None:
    source = """
        local pattern, texts = ...
        local found = ""
        for _, text in ipairs(texts) do
          local ok, start = pcall(string.find, text, pattern)
          if not ok then return start end
          found = found .. (start and "1" or "0")
        end
        return found
    """
    (expected,) = session.evaluate(source, arguments=[pattern, texts]).values
    try:
        found = LuaPattern(pattern.encode())
    except ValueError:
        assert (
            "malformed" in str(expected) or "invalid" in str(expected) or "missing" in str(expected)
        )
        return
    assert "".join("01"[found.found_in(text.encode())] for text in texts) == expected


@pytest.mark.parametrize(
    "pattern", ["%", "a%", "[", "[a", "[^", "[]", "[%", "(", "(a", ")", "a)", "%b", "%ba", "%f",
                "%fa", "%1", "(%1)", "(a)%2", "()" * 33],
)  # fmt: skip
def test_malformed(pattern: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (each has a message of its own)
        LuaPattern(pattern.encode())


def test_what_takes_too_long_is_no_match() -> None:
    assert not LuaPattern(b"a?" * 40 + b"b").found_in(b"a" * 40)


def test_too_deep_is_no_match() -> None:
    assert not LuaPattern(b"(" * 1 + b"a?" * 250 + b")").found_in(b"a" * 250)
