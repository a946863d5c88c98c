"""From plain trees to questions; and what is said of trees that make no sense."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import (
    Class,
    Comparison,
    Group,
    Operand,
    Reference,
    parse_aggregate,
    parse_field,
    parse_query,
    parse_where,
)
from lua_ls_persist.query.model import CONDITIONS_MAX, DEPTH_MAX, LIMIT_MAX, VALUES_MAX

AGE = parse_field("age")


def numbers(*values: float) -> tuple[Operand, ...]:
    return tuple(Operand(Class.NUMBER, value) for value in values)


@pytest.mark.parametrize(
    ("where", "members"),
    [
        (None, ()),
        ([], ()),
        ((), ()),
        ({}, ()),
        (["age", ">", 25], (Comparison(AGE, ">", numbers(25)),)),
        (("age", ">", 25), (Comparison(AGE, ">", numbers(25)),)),
        ([b"age", b">", 25], (Comparison(AGE, ">", numbers(25)),)),
        ({1: "age", 2: ">", 3: 25}, (Comparison(AGE, ">", numbers(25)),)),
        ([["age", ">", 25]], (Comparison(AGE, ">", numbers(25)),)),
        (
            ["age", "between", 1, 2.5],
            (Comparison(AGE, "between", numbers(1, 2.5)),),
        ),
        (["age", "in", []], (Comparison(AGE, "in", ()),)),
        (["age", "in", {}], (Comparison(AGE, "in", ()),)),
        (["age", "not in", {1: 5, 2: 6}], (Comparison(AGE, "not in", numbers(5, 6)),)),
        (["age", "exists"], (Comparison(AGE, "exists", ()),)),
        (
            {"any": [["age", "=", 1], ["age", "=", 2]]},
            (
                Group(
                    "any",
                    (Comparison(AGE, "=", numbers(1)), Comparison(AGE, "=", numbers(2))),
                ),
            ),
        ),
        ({b"none": ["age", "=", 1]}, (Group("none", (Comparison(AGE, "=", numbers(1)),)),)),
        ([[["age", "=", 1]]], (Group("all", (Comparison(AGE, "=", numbers(1)),)),)),
    ],
)
def test_where(where: Any, members: tuple[Any, ...]) -> None:
    assert parse_where(where) == Group("all", members)


@pytest.mark.parametrize(
    ("value", "operand"),
    [
        (1, Operand(Class.NUMBER, 1)),
        (1.5, Operand(Class.NUMBER, 1.5)),
        (math.nan, Operand(Class.NAN, 0)),
        ("é", Operand(Class.STRING, b"\xc3\xa9")),
        (b"\xff", Operand(Class.STRING, b"\xff")),
        ("\udcff", Operand(Class.STRING, b"\xff")),
        (True, Operand(Class.BOOLEAN, 1)),
        (Reference("table", 7), Operand(Class.TABLE, 7)),
        (Reference("function", 7), Operand(Class.FUNCTION, 7)),
        (Reference("permanent", "print"), Operand(Class.FUNCTION, b"print")),
    ],
)
def test_values(value: Any, operand: Operand) -> None:
    (condition,) = parse_where(["age", "=", value]).members
    assert isinstance(condition, Comparison)
    (found,) = condition.operands
    assert (found, type(found.value)) == (operand, type(operand.value))


def test_places() -> None:
    where = parse_where([["age", "=", 1], {"any": [["b", "=", 1], {"none": [["c", "exists"]]}]}])
    first, group = where.members
    assert isinstance(first, Comparison)
    assert isinstance(group, Group)
    second, inner = group.members
    assert isinstance(second, Comparison)
    assert isinstance(inner, Group)
    (third,) = inner.members
    assert isinstance(third, Comparison)
    assert [node.place for node in (first, second, third)] == [
        "where[1]",
        "where[2].any[1]",
        "where[2].any[2].none[1]",
    ]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("age", 'where: expected a condition such as {"age", ">", 25}, or a group, got a string'),
        (5, 'where: expected a condition such as {"age", ">", 25}, or a group, got a number'),
        (
            [["age", ">", 1], 5],
            'where[2]: expected a condition such as {"age", ">", 25}, or a group, got a number',
        ),
        ({"age": 25}, "where: there is no age; there are all, any, none"),
        ({"an": []}, "where: there is no an; did you mean any?"),
        ({5: []}, "where: there is no 5; there are all, any, none"),
        (["age"], 'where: an operator is missing, as in {"age", ">", 25}'),
        (["age", 5, 5], "where[2]: expected an operator, got a number"),
        (["age", "==", 5], "where[2]: there is no operator ==; did you mean =?"),
        (["age", "~=", 5], "where[2]: there is no operator ~=; did you mean !=?"),
        (["age", "startswith", "a"], ("where[2]: there is no operator startswith; "
         "did you mean startsWith?")),
        (["age", "?", 5], ("where[2]: there is no operator ?; there are =, !=, <, <=, >, >=, "
         "startsWith, endsWith, contains, matches, in, not in, between, exists, missing")),
        ([["age", "=", 1], ["age", "="]], "where[2]: = takes one value, got none"),
        (["age", "=", 1, 2], "where: = takes one value, got 2"),
        (["age", "between", 1], "where: between takes two values, got 1"),
        (["age", "between", [1, 2]], "where: between takes two values, got 1"),
        (["age", "exists", True], "where: exists takes no value, got 1"),
        (["age", "=", None], "where[3]: nil is no value to compare with; use missing or exists"),
        (["age", "=", {"a": 1}], ("where[3]: a plain table equals no stored one; compare with a "
         "stored table, or with a field inside of it")),
        (["age", "=", object()], "where[3]: a object is no value of Lua"),
        (["age", "=", 2**63], ("where[3]: 9223372036854775808 is no integer of Lua, which have "
         "64 bits")),
        (["age", "in", 5], "where: in takes a list of values, got a number"),
        (["age", "in", [1, None]], ("where[3][2]: nil is no value to compare with; use missing or "
         "exists")),
        (["age", "in", {1: 1, 3: 1}], "where: in takes a list of values, got a table"),
        ({"any": [["age", "<", True]]}, ("where.any[1][3]: < takes a number or a string, got a "
         "boolean")),
        (["age", "startsWith", 5], "where[3]: startsWith takes a string, got a number"),
        (["age", "matches", math.nan], "where[3]: matches takes a string, got NaN"),
        (["age", "between", 1, "b"], ("where: between takes two numbers or two strings, got one of "
         "each")),
        (["a b", "=", 5], ('where: a b is no field. Write age, address.city or tags[1], and other '
         'names as ["a b"]')),
        (["", "=", 5], ('where: "" is no field. Write age, address.city or tags[1], and other '
         'names as [""]')),
        (["@keys", "=", 5], ('where: there is no @keys; a row has @key and @value. A field of that '
         'name is ["@keys"]')),
        ([b"\xff", "=", 5], "where: the name of a field is text, got bytes"),
        (["a" * 1001, "=", 5], "where: the name of a field has at most 1000 characters"),
        ([".".join("a" * 17), "=", 5], "where: a field has at most 16 steps"),
        (["a[9223372036854775808]", "=", 5], ("where: 9223372036854775808 is no integer of Lua, "
         "which have 64 bits")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_condition(where: Any, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_where(where)
    assert str(caught.value) == message


def test_limits() -> None:
    condition = ["age", "=", 1]
    parse_where([condition] * CONDITIONS_MAX)
    with pytest.raises(QueryError, match=r"where\[1001\]: a query has at most 1000 conditions"):
        parse_where([condition] * (CONDITIONS_MAX + 1))
    parse_where(["age", "in", [1] * VALUES_MAX])
    with pytest.raises(QueryError, match="where: in takes at most 10000 values"):
        parse_where(["age", "in", [1] * (VALUES_MAX + 1)])
    with pytest.raises(QueryError, match=r"where\[2\]: the conditions .* at most 10000 values"):
        parse_where([["age", "in", [1] * VALUES_MAX], condition])
    deep: Any = condition
    for _ in range(DEPTH_MAX):
        deep = {"any": [deep]}
    parse_where(deep)
    with pytest.raises(QueryError, match="groups nest at most 50 deep"):
        parse_where({"any": [deep]})
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(QueryError, match="groups nest at most 50 deep"):
        parse_where(endless)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (5, ("the query: expected a table of where, order_by, descending, limit, after, select, "
         "got a number")),
        ([5], ("the query: expected a table of where, order_by, descending, limit, after, select, "
         "got a list")),
        ({"orderby": "a"}, "the query: there is no orderby; did you mean order_by?"),
        ({"x": 1}, ("the query: there is no x; there are where, order_by, descending, limit, "
         "after, select")),
        ({"limit": 0}, f"limit: 0 is not between 1 and {LIMIT_MAX}"),
        ({"limit": LIMIT_MAX + 1}, f"limit: {LIMIT_MAX + 1} is not between 1 and {LIMIT_MAX}"),
        ({"limit": 1.5}, "limit: expected a whole number, got a number"),
        ({"limit": True}, "limit: expected a whole number, got a boolean"),
        ({"limit": "5"}, "limit: expected a whole number, got a string"),
        ({"descending": 1}, "descending: expected true or false, got a number"),
        ({"after": 1}, "after: expected a cursor (next of a page), got a number"),
        ({"order_by": 5}, "order_by: expected the name of a field, got a number"),
        ({"order_by": ["a", 5]}, "order_by[2]: expected the name of a field, got a number"),
        ({"order_by": ["a", {"descending": True}]}, "order_by[2]: the field is missing"),
        ({"order_by": {"field": "a", "desc": True}}, ("order_by: there is no desc; did you mean "
         "descending?")),
        ({"order_by": ["a", {"field": "a b"}]}, ("order_by[2].field: a b is no field. Write age, "
         'address.city or tags[1], and other names as ["a b"]')),
        ({"order_by": ["a", "b", "a"]}, "order_by[3]: a is there twice"),
        ({"order_by": [f"a{n}" for n in range(9)]}, ("order_by: rows are ordered by at most 8 "
         "fields")),
        ({"select": 5}, "select: expected a field or a list of fields, got a number"),
        ({"select": ["a", None]}, "select[2]: expected the name of a field, got nil"),
        ({"select": ["a.b", 'a["b"]']}, "select[2]: a.b is there twice"),
        ({"select": [f"a{n}" for n in range(257)]}, "select: there are at most 256 fields"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_query(spec: Any, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(spec)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "the aggregate asks for nothing: give count, sum, min, max or avg"),
        ({"count": False}, "the aggregate asks for nothing: give count, sum, min, max or avg"),
        ({"count": "age"}, "count: expected true or false, got a string"),
        ({"sum": True}, "sum: expected the name of a field, got a boolean"),
        ({"mean": "age"}, ("the aggregate: there is no mean; there are where, group_by, count, "
         "sum, min, max, avg")),
        ({"count": True, "group_by": [f"a{n}" for n in range(9)]}, ("group_by: there are at most 8 "
         "fields")),
        ({"count": True, "where": 5}, ('where: expected a condition such as {"age", ">", 25}, or a '
         "group, got a number")),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_aggregate(spec: Any, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_aggregate(spec)
    assert str(caught.value) == message


def test_orders() -> None:
    def orders(order_by: Any, *, descending: bool = False) -> tuple[list[tuple[str, bool]], bool]:
        query = parse_query({"order_by": order_by, "descending": descending})
        return [(o.field.text, o.descending) for o in query.order_by], query.key_descending

    down = {"field": "b", "descending": True}
    assert orders(None) == ([], False)
    assert orders(None, descending=True) == ([], True)
    assert orders("a") == ([("a", False)], False)
    assert orders("a", descending=True) == ([("a", True)], True)
    assert orders(down) == ([("b", True)], True)
    assert orders(down, descending=True) == ([("b", False)], False)
    assert orders(["a", down]) == ([("a", False), ("b", True)], True)
    assert orders([down, "a"]) == ([("b", True), ("a", False)], False)
    assert orders({1: "a", 2: b"c"}) == ([("a", False), ("c", False)], False)


def test_a_limit_may_be_a_float_as_lua_computes_them() -> None:
    assert parse_query({"limit": 10.0}).limit == 10
    assert parse_query({}).limit is None


def test_fields() -> None:
    spelled = {
        "age": ("age",),
        " address . city ": ("address", "city"),
        "tags[1]": ("tags", 1),
        "tags[ 1.0 ]": ("tags", 1),
        "[1.5][true]['a b'].c": (1.5, True, "a b", "c"),
        '["@key"]': ("@key",),
        '["end"]': ("end",),
        "[-1]": (-1,),
        '["\\"\\\\\\n"]': ('"\\\n',),
    }
    for text, steps in spelled.items():
        field = parse_field(text)
        assert field.steps == steps
        assert list(map(type, field.steps)) == list(map(type, steps))
    assert parse_field("@key").is_key
    assert parse_field("@value").is_value
    assert not parse_field('["@key"]').is_key


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans(),
        min_size=1,
        max_size=4,
    )
)
def test_a_field_s_text_leads_to_the_same_field(keys: list[Any]) -> None:
    from lua_ls_persist.query.fields import field_text

    text = field_text(tuple(keys))
    field = parse_field(text)
    assert list(field.steps) == keys
    again = parse_field(field.text)
    assert again == field
    assert again.steps == field.steps


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(
        max_size=5
    ) | st.sampled_from(["age", "=", "in", "any", "where", "order_by", "exists", "between"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["where", "any", "none", "order_by", "select", "limit", "field", "count"])
        | st.integers(1, 3) | st.text(max_size=3), inner, max_size=3,
    ),
)  # fmt: skip


@given(trees)
def test_any_tree_is_a_question_or_a_clear_error(tree: Any) -> None:
    for parse in (parse_query, parse_where, parse_aggregate):
        try:
            parse(tree)
        except QueryError as error:
            assert ":" in str(error)  # noqa: PT017
