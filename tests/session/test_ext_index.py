"""Indexes, aggregates and explanations, as programs ask for them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.session.filled import filled, session
from tests.session.helpers import message, problem, value

__all__ = ["filled", "session"]

TRIES = 6

FILL = """
    local users = ext.table("users")
    for i = 1, 1000 do
      users["u" .. i] = {
        name = "User " .. i, age = i % 50, email = "e" .. i,
        city = ({ "Rome", "Oslo", "Lima" })[i % 3 + 1], tags = { "t" .. i % 4, "x" },
      }
    end
"""


@pytest.fixture(scope="module")
def filling() -> str:
    return FILL


def names(session: Session, of: str = "") -> str:
    source = (
        f"local names = {{}} for place, index in ipairs(ext.indexes({of})) do"
        " names[place] = index.name end return table.concat(names, '; ')"
    )
    (text,) = session.evaluate(source).values
    assert isinstance(text, str)
    return text


# Making and dropping


def test_what_is_told_of_an_index(session: Session) -> None:
    result = session.evaluate(
        """
        local index = ext.index("users", { "city", "age" }, { unique = false })
        return index.name, index.table, index.kind, index.unique, index.each, #index.fields
        """
    )
    assert result.values == ("users(city, age)", "users", "btree", False, False, 2)


def test_list_and_drop(session: Session) -> None:
    session.evaluate(
        """
        ext.index("users", "age")
        ext.index("users", "email", { kind = "hash", unique = true })
        ext.index("users", "tags", { each = true })
        Memory.users = { { age = 3 } }
        ext.index("Memory", "users.age")
        ext.index(Memory.users, { "age", "name" })
        """
    )
    assert names(session) == (
        "Memory.users(age); Memory.users(age, name); users(age); users(email); users(tags)"
    )
    assert names(session, "'users'") == "users(age); users(email); users(tags)"
    assert names(session, "Memory.users") == "Memory.users(age); Memory.users(age, name)"
    assert names(session, "'Memory'") == ""
    session.evaluate(
        "ext.drop_index('users', 'age') ext.drop_index('Memory', 'users.age')"
        " ext.drop_index(Memory.users, 'Memory.users(age, name)') ext.drop_index('users', 'tags')"
    )
    assert names(session) == "users(email)"


def test_two_kinds_with_the_same_fields(session: Session) -> None:
    session.evaluate("ext.index('users', 'name') ext.index('users', 'name', { kind = 'hash' })")
    session.evaluate("ext.drop_index('users', 'name', { kind = 'hash' })")
    assert value(session, "ext.indexes('users')[1].kind") == "btree"
    session.evaluate("ext.index('users', 'name', { kind = 'hash' })")
    session.evaluate("ext.drop_index('users', 'name')")
    assert names(session) == ""


def test_rebuild(session: Session) -> None:
    session.evaluate("ext.index('users', 'age') ext.rebuild_index('users', 'age')")
    assert session.integrity() == []


def test_an_index_is_of_what_was_written_a_moment_ago(session: Session) -> None:
    result = session.evaluate(
        """
        local users = ext.table("users")
        users.new = { age = 999 }
        ext.index("users", "age")
        users.newer = { age = 999 }
        local found = ext.query("users", { where = { "age", "=", 999 }, limit = 9 })
        return #found, ext.explain("users", { where = { "age", "=", 999 } }).index
        """
    )
    assert result.values == (2, "users(age)")


def test_an_index_that_is_undone(session: Session) -> None:
    session.evaluate("pcall(ext.transaction, function() ext.index('users', 'age') error() end)")
    assert names(session) == ""
    assert not session.evaluate("ext.index('users', 'age') error('later')").ok
    assert names(session) == ""


def test_indexes_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        session.evaluate(FILL)
        session.evaluate("Memory.make = ext.index ext.index('users', 'age')")
    with Session.open(path, resume=False) as session:
        assert names(session) == "users(age)"
        assert value(session, "Memory.make == ext.index")
        assert value(session, "Memory.make('users', 'name').name") == "users(name)"
        session.evaluate("ext.drop('users')")
        assert names(session) == ""


# Unique


def test_unique_where_the_data_are_not(session: Session) -> None:
    """The index is not made, and what the evaluation did before stays."""
    result = session.evaluate(
        """
        Memory.before = 1
        local ok, text = pcall(ext.index, "users", "age", { unique = true })
        Memory.after = 2
        return ok, text, #ext.indexes("users")
        """,
        name="main.lua",
    )
    assert result.ok, result.problems
    ok, text, count = result.values
    assert not ok
    assert str(text).startswith("main.lua:3: The index users(age) is unique, and users.u")
    assert count == 0
    assert (session.get("Memory.before"), session.get("Memory.after")) == (1, 2)


def test_a_unique_index_that_goes_after_something_was_written(session: Session) -> None:
    result = session.evaluate(
        """
        local users = ext.table("users")
        ext.index("users", "email", { unique = true })
        users.u1.email = "another"
        ext.count("users")
        ext.drop_index("users", "email")
        users.u2.email = "another"
        pcall(ext.transaction, function()
          ext.index("users", "name", { unique = true })
          users.u1.name = "another"
          ext.count("users")
          error("undone")
        end)
        """
    )
    assert result.ok, result.problems
    assert names(session) == ""
    assert session.integrity() == []


def test_unique_in_a_batch(session: Session) -> None:
    session.evaluate("ext.index('users', 'email', { unique = true })")
    text = message(
        session,
        "ext.batch { { op = 'set', table = 'users', key = 'x', value = { email = 'e5' } } }",
    )
    assert text == (
        "batch operation 1 (set users.x): "
        'The index users(email) is unique, and users.u5 and users.x both have "e5". '
        "Change one of them."
    )
    assert session.get("users.x") is None
    found = problem(
        session.batch(
            [
                {"op": "update", "table": "users", "key": "u1", "value": {"email": "e2"}},
                {"op": "update", "table": "users", "key": "u2", "value": {"email": "e1"}},
                {"op": "update", "table": "users", "key": "u3", "value": {"email": "e4"}},
                {"op": "update", "table": "users", "key": "u4", "value": {"age": 3}},
                {"op": "get", "table": "users", "key": "u4"},
            ]
        )
    )
    assert found.message.startswith("batch operation 3 (update users.u3): The index users(email)")
    # A row without a key of its own is known by the one that it got.
    rows = [{"op": "insert", "table": "users", "value": {"email": mail}} for mail in ("new", "e1")]
    found = problem(session.batch([*rows, {"op": "get", "table": "users", "key": "u4"}]))
    assert found.message.startswith("batch operation 2 (insert users): The index users(email)")
    # In the middle of it they may.
    swap = [
        {"op": "update", "table": "users", "key": "u5", "value": {"email": "e6"}},
        {"op": "update", "table": "users", "key": "u6", "value": {"email": "e5"}},
    ]
    assert session.batch(swap).ok
    assert session.get("users.u6.email") == "e5"


def test_unique_at_the_end_of_an_evaluation(session: Session) -> None:
    session.evaluate("ext.index('users', 'email', { unique = true })")
    found = problem(session.evaluate("ext.table('users').u5.email = 'e6'"))
    assert found.kind == "persistence"
    assert "The index users(email) is unique" in found.message
    assert session.get("users.u5.email") == "e5"


def test_unique_in_a_migration(session: Session) -> None:
    session.evaluate("ext.index('users', 'email', { unique = true })")
    found = problem(session.migrate("users", 2, "row.email = 'same'"))
    assert found.message.startswith("The index users(email) is unique, and users.u")
    assert "(migrating users to version 2, row users.u" in found.message
    assert session.get("users.u5.email") == "e5"
    assert session.migrate("users", 2, "row.email = row.email .. '!'").values[0] is True


# What makes no sense


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            "index(3, 'a')",
            "bad argument #1 to 'index' (path or external table expected, got number)",
        ),
        (
            "index('users', 3)",
            "bad argument #2 to 'index' (field or list of fields expected, got number)",
        ),
        (
            "index('users', 'a', 3)",
            "bad argument #3 to 'index' (table of options expected, got number)",
        ),
        (
            "index('users', 'a', { uniqe = true })",
            "uniqe is no option of an index; there are kind, unique, each",
        ),
        ("index('users', 'a', { kind = 'x' })", "kind: an index is of kind btree, hash or text"),
        ("index('users', { 3 })", "fields[1]: expected the name of a field, got a number"),
        ("index('users', {})", "fields: an index has 1 to 8 fields"),
        ("index('nobody', 'a')", "there is no table nobody"),
        (
            "index(ext.table(), 'a')",
            "an index is of a table that a root reaches; this one is of none",
        ),
        (
            "index('Memory', { 'a.b', 'c.d' })",
            "fields: the fields of one index are those of one table",
        ),
        ("drop_index('users', 'age')", "there is no index users(age)"),
        ("rebuild_index('users', 'age')", "there is no index users(age)"),
        (
            "drop_index('users', 'age', 3)",
            "bad argument #3 to 'drop_index' (table of options expected, got number)",
        ),
        (
            "indexes(3)",
            "bad argument #1 to 'indexes' (path or external table expected, got number)",
        ),
        (
            "aggregate('users', {})",
            "the aggregate asks for nothing: give count, sum, min, max or avg",
        ),
        ("explain('nobody')", "there is no table nobody"),
        ("index('users', 'age', { 1 })", "the options of an index is no table of fields"),
    ],
)
def test_what_makes_no_sense(filled: Session, call: str, expected: str) -> None:
    assert message(filled, f"ext.{call}") == expected


# Aggregates and explanations


def test_aggregates(filled: Session) -> None:
    result = filled.evaluate(
        """
        local all = ext.aggregate("users", { count = true, sum = "age", min = "age", max = "name" })
        local cities = ext.aggregate("users", { group_by = "city", count = true, avg = "age" })
        local few = ext.aggregate("users", {
          group_by = { "city", "age" }, where = { "age", "<", 2 }, count = true,
        })
        return #all, all[1].count, all[1].sum, all[1].min, all[1].max, all[1].avg,
          #cities, cities[1].group.city, cities[1].count, #few, few[1].group.age
        """
    )
    assert result.ok, result.problems
    assert result.values == (1, 1000, 24500, 0, "User 999", None, 3, "Lima", 333, 6, 0)
    (group,) = filled.aggregate("users", count=True, sum="age")
    assert (group.count, group.sum) == (1000, 24500)


def test_explanations(session: Session) -> None:
    source = "ext.explain('users', { where = { 'age', '=', 3 }, limit = 10 })"
    assert value(session, f"{source}.index") is None
    session.evaluate("ext.index('users', 'age')")
    result = session.evaluate(
        f"local e = {source} print(e)"
        " return e.index, e.rows_examined, e.rows_returned, e.table, e.sql ~= ''"
    )
    assert result.values[0] == "users(age)"
    assert result.values[2:] == (10, "users", True)
    assert result.output_text.startswith("users: index users(age), ")
    assert value(session, "ext.explain(ext.table('users'), { limit = 1 }).table") == "users"


# Long ones


def test_making_an_index_can_be_interrupted(session: Session) -> None:
    session.evaluate("local t = ext.table('big') for i = 1, 60000 do t[i] = { n = i } end")
    for _ in range(TRIES):  # Whoever interrupts may have to wait until it is made.
        future = session.submit("ext.index('big', { 'n', 'm' })", time_limit_s=None)
        while not future.done():
            session.interrupt()
            threading.Event().wait(0.001)
        if not future.result().ok:
            break
        assert session.evaluate("ext.drop_index('big', { 'n', 'm' })").ok
    assert problem(future.result()).kind == "interrupt"
    assert names(session) == ""
    assert session.integrity() == []


def test_indexes_in_a_small_vm() -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024, time_limit_s=60) as session:
        assert session.evaluate(
            "local t = ext.table('t') for i = 1, 10000 do t[i] = { n = i } end"
        ).ok
        assert session.evaluate("ext.index('t', 'n')").ok
        assert session.evaluate("for i = 1, 10000 do ext.table('t')[i].n = -i end").ok
        assert value(session, "ext.query('t', { order_by = 'n', limit = 1 })[1].value.n") == -10000
        assert session.integrity() == []
