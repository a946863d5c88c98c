"""Virtual documents: their URIs, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.model import Difference, Evaluation
from lua_ls_persist.server.parameters import CommandError
from lua_ls_persist.server.virtual import (
    FOLLOWED_MAX,
    KINDS,
    Followed,
    Place,
    function_page,
    history_page,
    place_of,
    result_page,
    table_page,
)
from lua_ls_persist.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as session:
        yield session


names = st.text(min_size=1).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))


@given(
    st.sampled_from(KINDS),
    names,
    st.integers(0, 2**40),
    st.integers(1, 1000),
    st.none() | names.map(lambda text: f"file:///{text}"),
)
def test_a_uri_leads_back_to_its_place(
    kind: str, what: str, offset: int, limit: int, folder: str | None
) -> None:
    place = Place(kind, what, offset, limit, folder)  # type: ignore[arg-type]
    assert place_of(place.uri) == place


def test_uris_are_for_people_too() -> None:
    assert Place("table", "users").uri == "lua-persist:/table/users.lua"
    assert Place("table", "Memory.a[3]", 400).uri == (
        "lua-persist:/table/Memory.a%5B3%5D.lua?offset=400"
    )
    assert place_of("lua-persist:/table/Memory.a[3].lua?offset%3D400").offset == 400
    assert place_of("lua-persist:///history/12.diff") == Place("history", "12")


@pytest.mark.parametrize(
    "uri", ["file:///a.lua", "lua-persist:/", "lua-persist:/tables/users.lua", "lua-persist:/table"]
)
def test_what_is_none(uri: str) -> None:
    with pytest.raises(CommandError, match="there is no document"):
        place_of(uri)


def test_a_table(session: Session) -> None:
    session.evaluate(
        "local t = ext.table('t') t.name = 'Ann' t['a b'] = { 1, { 2 } } t[1] = true t[2.5] = print"
        " setmetatable(t, { __name = 'T' })"
    )
    place = Place("table", "t")
    text = table_page(place, session.inspect("t", depth=3))
    assert text == (
        "-- t: 4 entries\n"
        '-- metatable: {__name = "T"}\n'
        "return {\n"
        "  [1] = true,\n"
        "  [2.5] = <print>,\n"
        '  ["a b"] = {1, {2}},\n'
        '  name = "Ann",\n'
        "}\n"
    )


def test_pages_lead_to_their_neighbours(session: Session) -> None:
    session.evaluate("for i = 1, 5 do ext.table('t')[i] = i end")
    place = Place("table", "t", offset=2, limit=2)
    text = table_page(place, session.inspect("t", offset=2, limit=2))
    assert text == (
        "-- t: entries 3 to 4 of 5\n"
        "-- before: lua-persist:/table/t.lua?limit=2\n"
        "-- next: lua-persist:/table/t.lua?offset=4&limit=2\n"
        "return {\n  [3] = 3,\n  [4] = 4,\n}\n"
    )
    text = table_page(Place("table", "t", offset=9), session.inspect("t", offset=9))
    assert text == "-- t has 5 entries, none behind 9.\nreturn {\n}\n"


def test_pages_are_lua_where_they_can_be(session: Session) -> None:
    session.evaluate("local t = ext.table('t') t.a = { x = { 1, 2 }, ['end'] = 'q\"' } t[7] = -0.0")
    text = table_page(Place("table", "t"), session.inspect("t", depth=3))
    assert session.evaluate(text).values[0] is not None


def test_a_value_that_is_no_table(session: Session) -> None:
    session.evaluate("Memory.n = 42")
    assert table_page(Place("table", "Memory.n"), session.inspect("Memory.n")) == "return 42\n"


def test_a_function_s_lines_are_those_of_its_definition(session: Session) -> None:
    session.evaluate("local n = 1\nfunction Memory.f(a)\n  return n + a\nend", name="f.lua")
    (function,) = session.functions()
    assert function_page(function) == (
        "function Memory.f(a)\n  return n + a\nend\n\n-- Memory.f, stored from f.lua:2\n-- n = 1\n"
    )


def test_the_last_result(session: Session) -> None:
    assert result_page(None) == "-- Nothing was evaluated yet.\n"
    assert result_page(Evaluation(ok=True)) == "-- No values.\n"
    assert result_page(session.evaluate("print('one\\ntwo') return 1, 'x'")) == (
        '-- one\n-- two\nreturn 1, "x"\n'
    )
    page = result_page(session.evaluate("local function f() error('no') end\nf()", name="e.lua"))
    assert page.startswith("-- e.lua:1: no\n--   [C]:None: in function 'error'\n--   e.lua:1: in")


def test_what_an_evaluation_changed() -> None:
    differences = [Difference("users.a", 1, 2), Difference("users.b", None, "x")]
    assert history_page(7, "users.a = 2\nusers.b = 'x'", differences) == (
        "# Evaluation 7\n# users.a = 2\n# users.b = 'x'\n"
        '@@ users.a @@\n-1\n+2\n@@ users.b @@\n+"x"\n'
    )
    assert history_page(8, "", []) == "# Evaluation 8\n# Nothing is different.\n"


def test_only_so_many_are_followed() -> None:
    followed = Followed()
    for number in range(FOLLOWED_MAX + 5):
        followed.add(str(number), Place("table", str(number)))
        followed.add("0", Place("table", "0"))
    assert len(followed.places) == FOLLOWED_MAX
    assert "0" in followed.places
    assert "5" not in followed.places
