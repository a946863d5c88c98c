"""Batches: in order, all of it or nothing, the failing operation named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.session.helpers import entries, failing_at, message, problem, value

OPERATIONS_MAX = 10_000


# What operations do


def test_results_are_in_order(session: Session) -> None:
    result = session.evaluate(
        """
        local results = ext.batch {
          { op = "set", table = "users", key = "ann", value = { name = "Ann" } },
          { op = "get", table = "users", key = "ann" },
          { op = "get", table = "users", key = "bob" },
          { op = "update", table = "users", key = "ann", value = { age = 41 } },
          { op = "update", table = "users", key = "bob", value = { age = 41 } },
          { op = "delete", table = "users", key = "bob" },
          { op = "delete", table = "users", key = "ann" },
          { op = "get", table = "users", key = "ann" },
        }
        return results.n, results[1], results[2].age, table.unpack(results, 3, 8)
        """
    )
    assert result.values == (8, True, 41, None, True, False, False, True, None)


def test_tables_by_path_and_by_value(session: Session) -> None:
    assert value(
        session,
        """
        (function()
          Memory.shop = { orders = {} }
          local own = ext.table()
          Memory.own = own
          ext.batch {
            { op = "set", table = "Memory.shop.orders", key = 1, value = "tea" },
            { op = "set", table = 'ext.table("a name")', key = true, value = 0.5 },
            { op = "set", table = own, key = own, value = print },
            { op = "set", table = "Memory", key = "list", value = { 1, 2 } },
          }
          return Memory.shop.orders[1] == "tea" and ext.table("a name")[true] == 0.5
            and own[own] == print and #Memory.list == 2
        end)()
        """,
    )


def test_rows_are_put_where_nothing_was(session: Session) -> None:
    """Behind the list, where they have no keys of their own."""
    session.evaluate("ext.table('log')[1] = 'first'")
    result = session.batch(
        [
            {"op": "insert", "table": "log", "value": "second"},
            {"op": "insert", "table": "log", "key": "x", "value": {}},
            {"op": "insert", "table": "log", "value": {"n": 3}},
            {"op": "insert", "table": "fresh", "value": False},
        ]
    )
    assert result.values == (2, "x", 3, 1)
    assert (session.get("log[2]"), session.get("log[3].n")) == ("second", 3)
    assert session.get("fresh[1]") is False


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"key": "ann", "value": 1}, "(insert users.ann): there is a row users.ann already"),
        ({"key": "new"}, "(insert users.new): it has no value"),
        ({}, "(insert users): it has no value"),
    ],
)
def test_a_row_that_is_not_put(
    session: Session, operation: dict[str, object], expected: str
) -> None:
    session.set("users.ann", {"age": 41})
    put = {"op": "insert", "table": "users", "key": "bob", "value": 1}
    found = problem(session.batch([put, {"op": "insert", "table": "users", **operation}]))
    assert found.message == f"batch operation 2 {expected}"
    assert entries(session, "users") == 1


def test_results_are_the_live_tables(session: Session) -> None:
    session.set("users.ann", {"age": 41})
    assert (
        value(
            session,
            """
        (function()
          local row = ext.batch({ { op = "get", table = "users", key = "ann" } })[1]
          row.age = 42
          return ext.table("users").ann.age
        end)()
        """,
        )
        == 42
    )


def test_metamethods_are_asked(session: Session) -> None:
    session.evaluate(
        "setmetatable(ext.table('log'),"
        " { __newindex = function(t, k, v) rawset(t, k, v .. '!') end })"
    )
    session.evaluate("ext.batch { { op = 'set', table = 'log', key = 1, value = 'a' } }")
    assert session.get("log[1]") == "a!"


def test_an_empty_batch(session: Session) -> None:
    assert value(session, "ext.batch({}).n") == 0
    assert session.batch([]).values == ()


def test_the_batch_may_be_a_stored_one(session: Session) -> None:
    session.evaluate("Memory.batch = { { op = 'set', table = 'Memory', key = 'x', value = 1 } }")
    assert value(session, "ext.batch(Memory.batch)[1]") is True
    assert session.get("Memory.x") == 1


# What it refuses


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("3", "(a number): an operation is a table"),
        (
            "{}",
            (
                "(no operation table): "
                "op is not one of set, insert, get, delete, update, query and count"
            ),
        ),
        ("{ op = 'get' }", "(get table): its table is a nil, not a path or an external table"),
        (
            "{ op = 'get', table = {} }",
            "(get table): its table is a table, not a path or an external table",
        ),
        ("{ op = 'get', table = 'u' }", "(get u): it has no key"),
        ("{ op = 'get', table = 'nobody', key = 1 }", "(get nobody[1]): there is no table nobody"),
        (
            "{ op = 'set', table = 'u', key = 1 }",
            "(set u[1]): it has no value; the operation delete takes an entry away",
        ),
        (
            "{ op = 'set', table = 'u.v', key = 1, value = 1 }",
            "(set u.v[1]): there is no table u.v",
        ),
        (
            "{ op = 'set', table = 'u.n', key = 1, value = 1 }",
            "(set u.n[1]): u.n is a number, not a table",
        ),
        ("{ op = 'set', table = 'u', key = 0/0, value = 1 }", "(set u[-nan]): table index is NaN"),
        (
            "{ op = 'set', table = 'u', key = 'a b', value = coroutine.create(print) }",
            '(set u["a b"]): u["a b"]: cannot persist a coroutine',
        ),
        (
            "{ op = 'update', table = 'u', key = 'n', value = {} }",
            "(update u.n): the row is a number, not a table",
        ),
        (
            "{ op = 'update', table = 'u', key = 'n', value = 3 }",
            "(update u.n): its value is a number, not a table of fields",
        ),
        (
            "{ op = 'get', table = '1', key = 1 }",
            (
                "(get 1[1]): '1' is no path. Write one as Memory.users[3].name,"
                " or ext.table('a name').field."
            ),
        ),
    ],
)
def test_operations_that_make_no_sense(session: Session, operation: str, expected: str) -> None:
    session.set("u.n", 3)
    source = f"ext.batch {{ {{ op = 'set', table = 'u', key = 'kept', value = 1 }}, {operation} }}"
    assert message(session, source) == f"batch operation 2 {expected}"
    assert session.get("u.kept") is None


def test_what_is_no_batch(session: Session) -> None:
    assert message(session, "ext.batch(3)") == (
        "bad argument #1 to 'batch' (list of operations expected, got number)"
    )
    assert message(
        session, f"local t = {{}} for i = 1, {OPERATIONS_MAX + 1} do t[i] = {{}} end ext.batch(t)"
    ) == (f"a batch has at most {OPERATIONS_MAX} operations; this one has {OPERATIONS_MAX + 1}")


def test_the_message_of_a_program_that_catches_it(session: Session) -> None:
    result = session.evaluate("\nreturn select(2, pcall(ext.batch, { 1 }))", name="main.lua")
    assert result.values == ("main.lua:2: batch operation 1 (a number): an operation is a table",)


def test_errors_of_metamethods_keep_their_place(session: Session) -> None:
    session.evaluate(
        "setmetatable(ext.table('m'), { __newindex = function() error('not me') end })",
        name="m.lua",
    )
    text = message(session, "ext.batch { { op = 'set', table = 'm', key = 'x', value = 1 } }")
    assert text == "batch operation 1 (set m.x): m.lua:1: not me"


def test_other_error_values_come_through(session: Session) -> None:
    session.evaluate(
        "setmetatable(ext.table('m'), { __newindex = function() error({ code = 7 }) end })"
    )
    source = "select(2, pcall(ext.batch, { { op = 'set', table = 'm', key = 1, value = 1 } })).code"
    assert value(session, source) == 7


# All or nothing


def test_nothing_is_kept_of_a_batch_that_fails(session: Session) -> None:
    result = session.evaluate(
        """
        Memory.before, plain = 1, { n = 0 }
        setmetatable(ext.table("m"), { __newindex = function(t, k, v) plain.n = v end })
        local ok = pcall(ext.batch, {
          { op = "set", table = "Memory", key = "before", value = 2 },
          { op = "set", table = "made", key = "x", value = {} },
          { op = "set", table = "m", key = 1, value = 5 },
          { op = "delete", table = "Memory", key = "before" },
          { op = "oops" },
        })
        return ok, Memory.before, ext.info("made"), plain.n
        """
    )
    assert result.values == (False, 1, None, 0)


def test_inside_of_a_transaction(session: Session) -> None:
    result = session.evaluate(
        """
        pcall(ext.transaction, function()
          ext.batch { { op = "set", table = "Memory", key = "a", value = 1 } }
          error("outer")
        end)
        ext.transaction(function()
          ext.batch { { op = "set", table = "Memory", key = "b", value = 1 } }
          pcall(ext.batch, { { op = "set", table = "Memory", key = "c", value = 1 }, 1 })
        end)
        return Memory.a, Memory.b, Memory.c
        """
    )
    assert result.values == (None, 1, None)


def test_as_many_as_there_may_be(session: Session) -> None:
    heard: list[tuple[int, int]] = []
    operations = [
        {"op": "set", "table": "users", "key": number, "value": {"n": number}}
        for number in range(1, OPERATIONS_MAX + 1)
    ]
    result = session.batch(operations, on_progress=lambda *both: heard.append(both))
    assert result.ok, result.problems
    assert result.values == (True,) * OPERATIONS_MAX
    assert heard == [(done, OPERATIONS_MAX) for done in range(500, OPERATIONS_MAX + 1, 500)]
    assert entries(session, "users") == OPERATIONS_MAX


# When something fails


def test_it_runs_in_a_small_vm() -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024) as session:
        for start in range(0, 5000, 500):
            operations = [
                {"op": "set", "table": "users", "key": start + n, "value": {"name": f"n{n}"}}
                for n in range(500)
            ]
            result = session.batch(operations)
            assert result.ok, result.problems
        assert entries(session, "users") == 5000


def test_every_memory_limit_gives_all_or_nothing() -> None:
    """Where memory runs out in the middle of it, nothing is there, and the session goes on."""
    source = """
        local room = ...
        local filler = {}
        for i = 1, room do filler[i] = ("x"):rep(1000) .. i end
        local operations = {}
        for i = 1, 50 do
          local row = { name = "n" .. i, list = { i } }
          operations[i] = { op = "set", table = "u", key = i, value = row }
        end
        return ext.batch(operations).n
    """
    outcomes = set()
    for room in range(200, 1200, 20):
        with Session.open(memory_limit_bytes=1024 * 1024 + 512 * 1024) as session:
            result = session.evaluate(source, arguments=[room])
            outcomes.add(result.ok)
            assert entries(session, "u") == (50 if result.ok else 0)
            if not result.ok:
                assert "not enough memory" in problem(result).message
                assert session.evaluate(
                    "ext.batch { { op = 'set', table = 'u', key = 1, value = 1 } }"
                ).ok
    assert outcomes == {True, False}


def test_the_nth_question_to_the_store_fails(tmp_path: Path) -> None:
    """Then it is a problem, and as if nothing had been asked."""
    for nth in range(1, 60):
        with Session.open(tmp_path / f"{nth}.db") as session:
            with failing_at(nth):
                result = session.evaluate(
                    "ext.batch { { op = 'set', table = 'u', key = 1, value = { 1 } },"
                    " { op = 'update', table = 'u', key = 1, value = { 2 } } }"
                )
            if result.ok:
                break
            assert problem(result).message == "planned"
            assert session.info("u") is None
            assert session.batch([{"op": "set", "table": "u", "key": 1, "value": 1}]).ok
    assert 5 < nth < 59
