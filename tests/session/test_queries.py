"""Queries from Python: paths, values as Python sees them, errors, interrupts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.errors import QueryError, SessionError
from lua_ls_persist.model import AggregateGroup, Preview, QueryPage, QueryRow
from lua_ls_persist.session import Session
from tests.session.helpers import wait_until_evaluating

DATA = """
local users = ext.table("users")
users.ann = { name = "Ann", age = 41, address = { city = "Rome" }, tags = { "admin", "ops" } }
users.bob = { name = "Bob", age = 25, address = { city = "Oslo" } }
users.cid = { name = "Cid" }
users[1] = "just text"
Memory.teams = { red = { users.ann, users.bob } }
"""


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as session:
        assert session.evaluate(DATA).ok
        yield session


def keys(page: QueryPage) -> list[Any]:
    return [row.key for row in page.rows]


def test_rows_are_as_python_sees_values(session: Session) -> None:
    page = session.query("users", where=("age", ">", 30))
    (row,) = page.rows
    assert row.key == "ann"
    assert isinstance(row.value, Preview)
    assert ("age", 41) in row.value.entries
    assert page.next is None
    assert session.query("users", where=["@value", "exists"], limit=1).rows == (
        QueryRow(1, "just text"),
    )


def test_select(session: Session) -> None:
    page = session.query("users", select=["name", "address.city", "@key", "tags[2]"])
    assert [row.value for row in page.rows] == [
        {"@key": 1},
        {"name": "Ann", "address.city": "Rome", "@key": "ann", "tags[2]": "ops"},
        {"name": "Bob", "address.city": "Oslo", "@key": "bob"},
        {"name": "Cid", "@key": "cid"},
    ]


def test_pages(session: Session) -> None:
    found = []
    after = None
    while True:
        page = session.query("users", order_by="age", descending=True, limit=1, after=after)
        found += keys(page)
        session.evaluate("ext.table('users').zoe = { age = 99 }")
        after = page.next
        if after is None:
            break
    assert found == ["ann", "bob", "cid", 1]


def test_pages_while_another_session_writes(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as reader, Session.open(path) as writer:
        assert writer.evaluate(
            "local t = ext.table('t') for i = 1, 100 do t[i] = { n = i % 10 } end"
        ).ok
        for index in (False, True):
            found: list[Any] = []
            after = None
            while True:
                page = reader.query("t", order_by="n", limit=7, after=after)
                found += keys(page)
                # Rows that are there already move and go; others come and go.
                assert writer.evaluate(
                    """
                    local t = ext.table('t')
                    t[5].n = (t[5].n + 7) % 10
                    t[101] = not t[101] and { n = 4 } or nil
                    t[6] = not t[6] and { n = 6 } or nil
                    """
                ).ok
                after = page.next
                if after is None:
                    break
            kept = [key for key in range(1, 101) if key not in (5, 6)]
            assert [found.count(key) for key in kept] == [1] * len(kept)
            if not index:
                assert writer.evaluate("ext.index('t', 'n')").ok


def test_what_others_have_indexed_is_used(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as first, Session.open(path) as second:
        assert first.evaluate("for i = 1, 9 do ext.table('t')[i] = { n = i } end").ok
        assert second.explain("t", where=["n", "=", 5]).index is None
        first.create_index("t", "n")
        assert second.explain("t", where=["n", "=", 5]).index == "t(n)"
        assert second.evaluate("ext.table('t')[10] = { n = 5 }").ok
        assert keys(first.query("t", where=["n", "=", 5])) == [5, 10]
        first.drop_index("t", "n")
        assert keys(second.query("t", where=["n", "=", 5])) == [5, 10]
        assert second.explain("t", where=["n", "=", 5]).index is None


def test_aggregate(session: Session) -> None:
    groups = session.aggregate("users", group_by="address.city", count=True, max="age")
    assert groups == [
        AggregateGroup({}, count=2),
        AggregateGroup({"address.city": "Oslo"}, count=1, max=25),
        AggregateGroup({"address.city": "Rome"}, count=1, max=41),
    ]
    (everything,) = session.aggregate("users", where=["age", "exists"], sum="age", avg="age")
    assert everything == AggregateGroup({}, sum=66, avg=33.0)
    with pytest.raises(QueryError, match="the aggregate asks for nothing"):
        session.aggregate("users")


def test_explain(session: Session) -> None:
    explanation = session.explain("users", where=["age", ">", 30], limit=5)
    assert (explanation.table, explanation.index) == ("users", None)
    assert (explanation.rows_examined, explanation.rows_returned) == (4, 1)
    assert str(explanation).startswith("users: no index, 4 rows examined, 1 returned\nWITH found")


def test_explain_where_a_look_at_the_first_rows_was_not_enough(session: Session) -> None:
    fill = "for i = 1, 4000 do ext.table('many')[i] = { n = i > 2500 and i or 0 } end"
    assert session.evaluate(f"{fill} ext.index('many', 'n')").ok
    explanation = session.explain("many", where=["n", ">", 9], limit=10)
    assert (explanation.index, explanation.rows_returned) == ("many(n)", 10)
    assert explanation.sql.count(";\n") == 1


def test_paths(session: Session) -> None:
    assert keys(session.query("Memory.teams.red", order_by="age")) == [2, 1]
    assert keys(session.query(["Memory", "teams", "red"], where=["age", "=", 25])) == [2]
    assert session.count("ext.table('users')") == 4
    for path in ("no", "Memory.no", "Memory.teams.red.blue"):
        with pytest.raises(QueryError, match=f"there is no table {path}"):
            session.query(path)
    with pytest.raises(SessionError, match="is no path"):
        session.count("users..x")


def test_count(session: Session) -> None:
    assert session.count("users") == 4
    assert session.count("users", ["age", "exists"]) == 2
    assert session.count("users", [["age", ">", 1], {"none": ["name", "=", "Ann"]}]) == 1


def test_a_question_that_makes_no_sense(session: Session) -> None:
    with pytest.raises(QueryError, match=r"where\[2\]: there is no operator ~"):
        session.query("users", where=["age", "~", 1])
    with pytest.raises(QueryError, match="limit: 0 is not between"):
        session.query("users", limit=0)
    with pytest.raises(QueryError, match=r"where\[1\]: matches needs an index of words"):
        session.count("users", [["name", "matches", "Ann"]])


def test_a_query_can_be_interrupted(session: Session) -> None:
    assert session.evaluate(
        "local t = {} for i = 1, 200000 do t[i] = ('x'):rep(100) end Memory.t = t"
    ).ok
    # Each row is compared a thousand times.
    where = [["@value", "endsWith", "y" * number] for number in range(1, 1000)]
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            session.count("Memory.t", {"any": where})
        except SessionError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until_evaluating(session)
    assert session.interrupt()
    thread.join(20)
    assert [str(failure) for failure in failures] == ["the count was interrupted"]
    assert session.count("Memory.t") == 200_000
    assert not session.interrupt()
    assert session.evaluate("1 + 1").values == (2,)
