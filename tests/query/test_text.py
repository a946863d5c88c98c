"""Conditions as one types them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import parse_where
from lua_ls_persist.query.text import parse_condition_text


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("age > 25", ["age", ">", 25]),
        ("age>25", ["age", ">", 25]),
        ("age >= -2.5", ["age", ">=", -2.5]),
        ("age=1", ["age", "=", 1]),
        ("age = 1e3", ["age", "=", 1000.0]),
        ("active = true", ["active", "=", True]),
        ("name = Ann", ["name", "=", "Ann"]),
        ("name = Ann Smith", ["name", "=", "Ann Smith"]),
        ('name = "25"', ["name", "=", "25"]),
        ("name = '25'", ["name", "=", "25"]),
        (r"name = 'it\'s'", ["name", "=", "it's"]),
        ("name = NaN", ["name", "=", "NaN"]),
        ("name = nil", ["name", "=", None]),
        ("name =", ["name", "="]),
        ("name startsWith A", ["name", "startsWith", "A"]),
        ("name matches a OR b", ["name", "matches", "a OR b"]),
        ("name contains ,", ["name", "contains", ","]),
        ("name ~ 5", ["name", "~", 5]),
        ("name like A", ["name", "like", "A"]),
        ("address.city = Rome", ["address.city", "=", "Rome"]),
        ("tags[1] = x", ["tags[1]", "=", "x"]),
        ('["a b"].c = x', ['["a b"].c', "=", "x"]),
        ('["a]b"]=x', ['["a]b"]', "=", "x"]),
        ("[1] = 5", ["[1]", "=", 5]),
        ("@key = ann", ["@key", "=", "ann"]),
        ("age exists", ["age", "exists"]),
        (" age  missing ", ["age", "missing"]),
        ("age exists 5", ["age", "exists", 5]),
        ("age in 1, 2,3", ["age", "in", [1, 2, 3]]),
        ("age in (1, 2)", ["age", "in", [1, 2]]),
        ("age in [1, 2]", ["age", "in", [1, 2]]),
        ("age in", ["age", "in", []]),
        ("city not  in Rome, 'New, York'", ["city", "not in", ["Rome", "New, York"]]),
        ("age between 20 and 30", ["age", "between", 20, 30]),
        ("age between 20, 30", ["age", "between", 20, 30]),
        ("name between 'a and b' and c", ["name", "between", "a and b", "c"]),
        ("age between 20", ["age", "between", "20"]),
        ('["age", ">", 25]', ["age", ">", 25]),
        (' {"any": [["age", "<", 20]]}', {"any": [["age", "<", 20]]}),
    ],
)
def test_what_a_text_means(text: str, tree: Any) -> None:
    found = parse_condition_text(text)
    assert found == tree
    assert repr(found) == repr(tree)


@pytest.mark.parametrize("text", ["", "age", "25 > age", "> 25", "{", "age in 'x", "a b = 5"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(QueryError):
        parse_where(parse_condition_text(text))


@given(st.text(max_size=30) | st.from_regex(r"\A@?[a-z]{1,3} ?[=<>a-z]{1,3} [a-z0-9'\", ]{0,9}\Z"))
def test_any_text_is_a_condition_or_a_clear_error(text: str) -> None:
    try:
        parse_where(parse_condition_text(text))
    except QueryError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "age > 25 and city = Rome",
        "age > 25 AND age < 30",
        "name = Ann or name = Bob",
        "age between 20 and 30 and city exists",
        "city in Rome, Oslo and age not in 3, 4",
        "name = 'a' and age > 3",
    ],
)
def test_two_conditions_are_not_one_with_a_long_text(text: str) -> None:
    with pytest.raises(QueryError, match="reads like two conditions"):
        parse_condition_text(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("title = war and peace", "war and peace"),
        ("title = live and let die", "live and let die"),
        ("title = 'a = 1 and b = 2'", "a = 1 and b = 2"),
        ('title = "you and me in love"', "you and me in love"),
    ],
)
def test_texts_may_have_these_words(text: str, value: str) -> None:
    assert parse_condition_text(text) == ["title", "=", value]
