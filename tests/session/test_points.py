"""Pairs of numbers for pictures: all of them, or some that stand for all."""

from __future__ import annotations

import pytest

from lua_ls_persist import QueryError, Session

MIXED = """
local t = ext.table("t")
t[1] = { x = 3, y = 1.5 }
t[2] = { x = 1, y = -2 }
t[3] = { x = "3", y = 4 }
t[4] = { x = 5 }
t[5] = { x = 0/0, y = 1 }
t[6] = { x = 1/0, y = 1 }
t[7] = { x = 2^60, y = 7, deep = { z = 10 } }
t.name = { x = 9, y = 9 }
t[9] = 12
"""


@pytest.fixture
def mixed(session: Session) -> Session:
    assert session.evaluate(MIXED).ok
    return session


def test_only_finite_numbers_count_and_all_rows_are_told(mixed: Session) -> None:
    found = mixed.points("t", "x", "y")
    assert found.points == ((1.0, -2.0), (3.0, 1.5), (9.0, 9.0), (2.0**60, 7.0))
    assert (found.rows, found.pairs) == (9, 4)
    found = mixed.points("t", "x", "y", where=[("y", ">", 1)])
    assert (found.rows, found.pairs) == (4, 3)


def test_keys_nested_fields_and_the_same_field_twice(mixed: Session) -> None:
    assert mixed.points("t", "@key", "y").points == (
        (1.0, 1.5), (2.0, -2.0), (3.0, 4.0), (5.0, 1.0), (6.0, 1.0), (7.0, 7.0)
    )  # fmt: skip
    assert mixed.points("t", "@key", "deep.z").points == ((7.0, 10.0),)
    assert mixed.points("t", "y", "y").pairs == 7
    assert mixed.points("t", "@key", "@value").points == ((9.0, 12.0),)
    assert mixed.points("t", "nothing", "y").points == ()


def test_some_stand_for_all_and_are_always_the_same(session: Session) -> None:
    fill = "for i = 1, 10000 do ext.table('t')[i] = { n = i, five = i % 5 } end"
    assert session.evaluate(fill).ok
    found = session.points("t", "n", "five", limit=500)
    assert (len(found.points), found.rows, found.pairs) == (500, 10_000, 10_000)
    assert found == session.points("t", "n", "five", limit=500)
    assert list(found.points) == sorted(found.points)
    # Evenly from one end to the other, and none of what repeats is preferred.
    tenths = [sum(1 for x, _ in found.points if x // 1000 == tenth) for tenth in range(10)]
    assert all(40 <= count <= 60 for count in tenths)
    remainders = [sum(1 for _, y in found.points if y == rest) for rest in range(5)]
    assert all(80 <= count <= 120 for count in remainders)
    assert session.evaluate("ext.index('t', 'n')").ok
    assert session.points("t", "n", "five", limit=500).pairs == 10_000


def test_what_is_refused(mixed: Session) -> None:
    with pytest.raises(QueryError, match="there is no table nobody"):
        mixed.points("nobody", "x", "y")
    with pytest.raises(QueryError, match="limit is 0"):
        mixed.points("t", "x", "y", limit=0)
    with pytest.raises(QueryError, match="x"):
        mixed.points("t", "a b", "y")
