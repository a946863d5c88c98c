"""Questions of programs that make no sense, or are asked where memory or the store fails."""

from __future__ import annotations

import pytest

from lua_ls_persist.session import Session
from tests.session.helpers import failing_at, message, problem, value

# What makes no sense


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "bad argument #1 to 'query' (path or external table expected, got nil)"),
        ("{}", "bad argument #1 to 'query' (path or external table expected, got table)"),
        ("'users', 3", "bad argument #2 to 'query' (table expected, got number)"),
        ("'nobody'", "there is no table nobody"),
        ("'users.u1.name'", "there is no table users.u1.name"),
        ("'users', { limt = 3 }", "the query: there is no limt; did you mean limit?"),
        (
            "'users', { where = { 'a', '=', coroutine.create(print) } }",
            "a thread that is not stored cannot be used here",
        ),
        (
            "'users', { where = (function() local t = {} t[1] = t return t end)() }",
            "tables are nested too deeply",
        ),
        ("'users', { [{}] = 1 }", "a plain table cannot be a key here"),
        (
            "'users', { 1 }",
            "the query: there is no 1; there are where, order_by, descending, limit, after, select",
        ),
        ("'\\xff'", "a question is about a table or a path"),
    ],
)
def test_what_makes_no_sense(filled: Session, arguments: str, expected: str) -> None:
    assert message(filled, f"return ext.query({arguments})") == expected


def test_errors_name_the_place_in_the_question(filled: Session) -> None:
    text = message(
        filled, "ext.query('users', { where = { { 'age', '>', 1 }, { 'age', '~', 2 } } })"
    )
    assert text.startswith("where[2]")
    assert message(filled, "ext.count('users', { limit = 3 })") == (
        "limit is no part of a count; it takes where alone"
    )
    assert "cursor" in message(filled, "ext.query('users', { after = 'nonsense' })")


def test_the_message_of_a_program_that_catches_it(filled: Session) -> None:
    result = filled.evaluate("\nreturn select(2, pcall(ext.query, 'nobody'))", name="main.lua")
    assert result.values == ("main.lua:2: there is no table nobody",)


def test_it_can_be_done_in_a_coroutine(filled: Session) -> None:
    result = filled.evaluate(
        "return coroutine.wrap(function()"
        " for _, row in ipairs(ext.query('users', { order_by = 'age', limit = 3 })) do"
        " coroutine.yield(row.key) end end)()",
        name="main.lua",
    )
    assert result.values == ("u100",)


# When something fails


def test_every_memory_limit_gives_an_answer_or_a_problem() -> None:
    """Where memory runs out in the middle of a query, the session goes on as before."""
    source = """
        local room = ...
        local filler = {}
        for i = 1, room do filler[i] = ("x"):rep(1000) .. i end
        local rows = ext.query("t", { where = { "n", ">", 0 }, order_by = "n", limit = 200 })
        local sum = 0
        for _, row in ipairs(rows) do sum = sum + row.value.n + #row.value.list end
        return sum
    """
    outcomes = set()
    with Session.open(memory_limit_bytes=1024 * 1024 + 512 * 1024) as session:
        session.evaluate(
            "local t = ext.table('t') for i = 1, 300 do t[i] = { n = i, list = { i, i } } end"
        )
        expected = 200 * 201 // 2 + 400
        for room in range(0, 1200, 25):
            with session.fork() as fork:
                result = fork.evaluate(source, arguments=[room])
                outcomes.add(result.ok)
                if result.ok:
                    assert result.values == (expected,)
                else:
                    assert "not enough memory" in problem(result).message
                assert fork.evaluate(source, arguments=[0]).values == (expected,)
    assert outcomes == {True, False}


def test_the_nth_question_to_the_store_fails() -> None:
    for nth in range(1, 20):
        with Session.open() as session:
            session.evaluate("local t = ext.table('t') for i = 1, 20 do t[i] = { n = i } end")
            source = "#ext.query('t', { where = { 'n', '>', 5 }, limit = 100 })"
            with failing_at(nth):
                result = session.evaluate(source)
            if result.ok:
                break
            assert problem(result).message == "planned"
            assert value(session, source) == 15
    assert 2 < nth < 19
