"""Queries as lines, and which index would help."""

from __future__ import annotations

from typing import Any

import pytest

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import parse_query
from lua_ls_persist.query.advice import Advice, advice_for
from lua_ls_persist.query.line import parse_query_line


@pytest.mark.parametrize(
    ("line", "table", "question"),
    [
        ("users", "users", {}),
        (" Memory.users[3] limit 5", "Memory.users[3]", {"limit": 5}),
        ('ext.table("a where b")', 'ext.table("a where b")', {}),
        ("users where age > 25", "users", {"where": [["age", ">", 25]]}),
        (
            "users WHERE age between 20 and 30 and name = 'Ann and Bob' AND x exists",
            "users",
            {"where": [["age", "between", 20, 30], ["name", "=", "Ann and Bob"], ["x", "exists"]]},
        ),
        (
            "users where city in Rome, Oslo order by age desc, name",
            "users",
            {
                "where": [["city", "in", ["Rome", "Oslo"]]],
                "order_by": [{"field": "age", "descending": True}, {"field": "name"}],
            },
        ),
        ("users select name, address.city limit 1", "users",
         {"select": ["name", "address.city"], "limit": 1}),
        ("users order  by age ascending after abc", "users",
         {"order_by": [{"field": "age", "descending": False}], "after": "abc"}),
        ('users where {"any": [["a", "=", 1]]}', "users", {"where": [{"any": [["a", "=", 1]]}]}),
    ],
)  # fmt: skip
def test_lines(line: str, table: str, question: dict[str, Any]) -> None:
    assert parse_query_line(line) == (table, question)
    parse_query(question | {"after": None})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "a query begins with a table"),
        ("where a = 1", "a query begins with a table"),
        ("users limit many", "limit: expected a whole number, got many"),
        ("users limit", "limit: expected a whole number, got nothing"),
        ("users where a", "is no condition"),
        ("users limit 1 limit 2", "limit is there twice"),
    ],
)
def test_lines_that_make_no_sense(line: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_query_line(line)


@pytest.mark.parametrize(
    ("question", "advice"),
    [
        ({}, None),
        ({"where": ["age", ">", 5]}, Advice(("age",))),
        ({"where": [["age", ">", 5], ["city", "=", "x"]]}, Advice(("city", "age"))),
        (
            {"where": ["city", "=", "x"], "order_by": ["age", "name"]},
            Advice(("city", "age", "name")),
        ),
        ({"where": ["age", ">", 5], "order_by": "age"}, Advice(("age",))),
        ({"where": ["age", ">", 5], "order_by": "name"}, Advice(("age",))),
        ({"order_by": "name"}, Advice(("name",))),
        ({"where": ["tags", "contains", "x"]}, Advice(("tags",), each=True)),
        ({"where": ["text", "matches", "x"]}, Advice(("text",), kind="text")),
        ({"where": {"any": [["a", "=", 1]]}}, None),
        ({"where": {"all": [["a", "=", 1]]}}, Advice(("a",))),
        ({"where": ["@key", "=", 1]}, None),
        ({"where": ["a", "exists"]}, None),
    ],
)
def test_advice(question: dict[str, Any], advice: Advice | None) -> None:
    assert advice_for(parse_query(question)) == advice
