"""The questions that a document asks, and how they would be answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.live.questions import mentions_in, path_of, plan, question_of
from lua_ls_persist.session import Session
from tests.server.marks import document

SETUP = """
local users = ext.table("users")
for i = 1, 100 do users[i] = { age = i, name = "N" .. i } end
ext.index("users", "age")
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open() as session:
        assert session.evaluate(SETUP).ok
        yield session


def test_mentions() -> None:
    scopes = scopes_of(
        document(
            'local u = ext.table("users")\n'
            'ext.query(u, { where = { "age", ">", 3 } })\n'
            'ext.count("users")\n'
            "ext.info('users')\n"
            "local function f(t) return ext.query(t, {}) end\n"
            "do local ext = {} ext.table('x') end\n"
        )
    )
    found = mentions_in(scopes, None)
    assert [(one.function, path_of(one.table), one.question) for one in found] == [
        ("table", "users", ""),
        ("query", "users", '{ where = { "age", ">", 3 } }'),
        ("count", "users", ""),
    ]


def test_mentions_by_other_names() -> None:
    scopes = scopes_of(
        document(
            "local ext, e = ext, ext\n"
            "local query, count = e.query, ext.count\n"
            'ext.table("a") e.table("b") query("c", { limit = 1 })\n'
            'local function f(query) query("d") return count("e") end\n'
            "count = query\n"
            'do local e = {} e.table("f") end\n'
            'local later = query("g") later("h") e("i")\n'
        )
    )
    found = mentions_in(scopes, None)
    assert [(one.function, path_of(one.table), one.question) for one in found] == [
        ("table", "a", ""),
        ("table", "b", ""),
        ("query", "c", "{ limit = 1 }"),
        ("query", "g", ""),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ where = { "age", ">", 3 }, limit = 5 }', {"where": ["age", ">", 3]}),
        ('{ where = { "age", ">", minimum } }', {"where": ["age", ">", 0]}),
        ('{ where = { "age", "=", f(x, 2) }, limit = n }', {"where": ["age", "=", 0]}),
        ('{ order_by = "age", descending = true }', {"order_by": "age", "descending": True}),
        ("{ where = conditions }", None),
        ("question", None),
        ("{ where = ", None),
    ],
)
def test_questions(text: str, expected: object) -> None:
    assert question_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ where = { "age", ">", 30 } }', "users(age)"),
        ('{ order_by = "age" }', "users(age)"),
        ('{ where = { "name", "=", "N1" } }', "scan of 100, name"),
        ('{ where = { { "name", "=", "N1" }, { "age", ">", 1 } } }', "users(age)"),
        ('{ where = { "name", "endsWith", "1" } }', "scan of 100, nothing helps"),
        ('{ where = { "nmae", "=", "N1" } }', "scan of 100, nothing helps"),
        ('{ where = { "city", "=", "Rome" } }', "scan of 100, city"),
        ("{ limit = 5 }", "None"),
        ('{ where = { "name", "unheard of", 1 } }', "None"),
    ],
)
def test_plans(session: Session, text: str, expected: str) -> None:
    question = question_of(text)
    assert question is not None
    found = plan(session, "users", question)
    shown = "None"
    if found is not None and found.index is not None:
        shown = found.index
    elif found is not None:
        advice = ", ".join(found.advice.fields) if found.advice else "nothing helps"
        shown = f"scan of {found.rows}, {advice}"
    assert shown == expected


def test_a_table_that_is_not_there(session: Session) -> None:
    assert plan(session, "nobody", {"where": ["a", "=", 1]}) is None
