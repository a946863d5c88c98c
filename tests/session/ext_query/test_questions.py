"""Questions of programs: what they mean, in batches and transactions, too; which are remembered."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from lua_ls_persist.session import Session
from lua_ls_persist.session.services import PREPARED_BYTES_MAX, PREPARED_MAX, DataServices
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store import Store
from tests.session.ext_query.asking import keys, lua
from tests.session.helpers import message, value

CONDITIONS: list[Any] = [
    [],
    ["age", "=", 7],
    ["age", ">", 45],
    [["age", ">=", 20], ["age", "<", 25]],
    ["age", "in", [1, 2, 3]],
    ["age", "not in", [1, 2, 3]],
    ["age", "between", 3, 5],
    ["age", "!=", 0],
    ["name", "startsWith", "User 99"],
    ["name", "endsWith", "7"],
    ["name", "contains", "11"],
    ["tags", "contains", 3],
    ["tags[1]", "=", "t2"],
    ["address.zip", "<=", 1],
    ["score", "exists"],
    ["score", "missing"],
    ["@key", "startsWith", "u10"],
    [{"any": [["age", "=", 1], ["city", "=", "Rome"]]}, {"none": [["address.zip", "=", 1]]}],
    {"all": [["age", "<", 10], {"any": [["score", ">", 100], ["city", "=", "Oslo"]]}]},
]


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
def test_programs_and_python_find_the_same(filled: Session, where: Any) -> None:
    """Which is what a plain model finds (tests/store/test_queries.py)."""
    randomness = random.Random(str(where))
    spec: dict[str, Any] = {
        "where": where,
        "order_by": randomness.choice(["age", ["city", "age"], [{"field": "score"}], []]),
        "descending": randomness.random() < 0.5,
        "limit": 40,
    }
    page = filled.query("users", **spec)
    found, cursor = keys(filled, spec)
    assert found.split() == [row.key for row in page.rows]
    assert cursor == page.next
    assert value(filled, f"ext.count('users', {{ where = {lua(where)} }})") == filled.count(
        "users", where
    )


def test_rows_are_live(session: Session) -> None:
    result = session.evaluate(
        """
        local row = ext.query("users", { where = { "@key", "=", "u7" }, limit = 1 })[1]
        row.value.age = 77
        row.value.extra = { deep = true }
        return row.value == ext.table("users").u7, ext.table("users").u7.extra.deep
        """
    )
    assert result.values == (True, True)
    assert session.get("users.u7.age") == 77


def test_what_was_changed_a_moment_ago_is_found(session: Session) -> None:
    result = session.evaluate(
        """
        local users = ext.table("users")
        users.new = { age = 1000 }
        users.u1.age = 1001
        users.u2 = nil
        local found = ext.query("users", { where = { "age", ">=", 1000 }, limit = 10 })
        return #found, found[1].key, found[2].key, ext.count("users")
        """
    )
    assert result.values == (2, "new", "u1", 1000)


def test_tables_by_path_and_by_value(session: Session) -> None:
    session.evaluate("Memory.shop = { orders = { { n = 1 }, { n = 2 } } }")
    spec = {"where": ["n", ">", 1], "limit": 5}
    assert keys(session, spec, "'Memory.shop.orders'") == ("2", None)
    assert keys(session, spec, "Memory.shop.orders") == ("2", None)
    source = (
        "local t = ext.table() t.a, t.b = 1, 2"
        " return ext.count(t, { where = { '@value', '>', 1 } })"
    )
    assert session.evaluate(source).values == (1,)


def test_tables_functions_and_permanents_as_values(session: Session) -> None:
    session.evaluate("Memory.t = { f = function() end } Memory.other = {} Memory.p = print")
    session.evaluate(
        "Memory.rows = { a = { v = Memory.t }, b = { v = Memory.t.f }, c = { v = print },"
        " d = { v = Memory.other } }"
    )
    for expression, key in (("Memory.t", "a"), ("Memory.t.f", "b"), ("print", "c")):
        source = f"ext.query('Memory.rows', {{ where = {{ 'v', '=', {expression} }}, limit = 9 }})"
        assert value(session, f"{source}[1].key") == key
        assert value(session, f"{source}[1].value.v == {expression}")
        assert value(session, f"#{source}") == 1


def test_functions_in_what_is_selected(session: Session) -> None:
    session.evaluate("Memory.rows = { a = { f = function(n) return n + 1 end, g = { 1 } } }")
    session.restart()
    result = session.evaluate(
        "local value = ext.query('Memory.rows', { select = { 'f', 'g' }, limit = 1 })[1].value"
        " return value.f(1), value.f == Memory.rows.a.f, value.g == Memory.rows.a.g,"
        " getmetatable(value),"
        " next(ext.query('Memory.rows', { where = { 'f', 'missing' }, limit = 1 }))"
    )
    assert result.ok, result.problems
    assert result.values == (2, True, True, None, None)


def test_functions_and_tables_as_keys(session: Session) -> None:
    result = session.evaluate(
        """
        local f, t = function() return "called" end, {}
        Memory.rows = { [f] = { n = 1 }, [t] = { n = 2 }, [true] = { n = 3 }, [1.5] = { n = 4 } }
        local seen = {}
        for _, row in ipairs(ext.query("Memory.rows", { order_by = "n", limit = 10 })) do
          seen[#seen + 1] = row.key
        end
        return seen[1] == f, seen[2] == t, seen[3], seen[4], seen[1]()
        """
    )
    assert result.values == (True, True, True, 1.5, "called")


def test_exact_values_come_back(session: Session) -> None:
    result = session.evaluate(
        r"""
        Memory.rows = { { v = -0.0 }, { v = 0/0 }, { v = 1/0 }, { v = "\xff\0" }, { v = 2.0 } }
        local found = ext.query("Memory.rows", { select = "v", limit = 10 })
        return 1 / found[1].value.v, found[2].value.v ~= found[2].value.v, found[3].value.v,
          found[4].value.v == "\xff\0", math.type(found[5].value.v)
        """
    )
    assert result.values == (float("-inf"), True, float("inf"), True, "float")


def test_questions_may_be_stored_ones(session: Session) -> None:
    session.evaluate(
        """
        Memory.spec = {
          where = { { "age", "in", { 1, 2 } }, { any = { { "city", "=", "Rome" } } } },
          order_by = { { field = "age", descending = true }, "name" },
          limit = 5, select = { "age" },
        }
        """
    )
    plain = {
        "where": [["age", "in", [1, 2]], {"any": [["city", "=", "Rome"]]}],
        "order_by": [{"field": "age", "descending": True}, "name"],
        "limit": 5,
        "select": ["age"],
    }
    found = value(
        session,
        "(function() local k = {} for i, row in ipairs(ext.query('users', Memory.spec)) do"
        " k[i] = row.key end return table.concat(k, ' ') end)()",
    )
    assert found == keys(session, plain)[0]


# In batches and transactions


def test_in_batches(session: Session) -> None:
    result = session.evaluate(
        """
        local results = ext.batch {
          { op = "count", table = "users", where = { "age", "=", 3 } },
          { op = "set", table = "users", key = "new", value = { age = 3 } },
          { op = "count", table = "users", where = { "age", "=", 3 } },
          { op = "query", table = "users", where = { "age", "=", 3 }, limit = 1 },
          { op = "query", table = "users" },
        }
        return results[1], results[3], results[4][1].key, #results[5], results[5].next ~= nil
        """
    )
    assert result.values == (20, 21, "new", 100, True)
    assert message(
        session, "ext.batch { { op = 'query', table = 'users', where = 3 } }"
    ).startswith("batch operation 1 (query users): where")
    assert session.batch([{"op": "count", "table": "users"}]).values == (1001,)


def test_in_transactions(session: Session) -> None:
    result = session.evaluate(
        """
        local users = ext.table("users")
        pcall(ext.transaction, function()
          users.gone = { age = 999 }
          assert(ext.count("users", { where = { "age", "=", 999 } }) == 1)
          error("undone")
        end)
        return ext.count("users", { where = { "age", "=", 999 } })
        """
    )
    assert result.values == (0,)


def test_a_question_that_is_remembered_is_answered_anew(session: Session) -> None:
    source = """
      local t = ext.table("remembered")
      t.a, t.b = { n = 1 }, { n = 2 }
      local function ask()
        return #ext.query("remembered", { where = { "n", ">", 0 }, limit = 9 })
      end
      local before = ask()
      t.c = { n = 3 }
      local after = ask()
      ext.index("remembered", "n")
      local indexed = ask()
      ext.drop("remembered")
      local ok, message = pcall(ask)
      ext.table("remembered").x = { n = 1 }
      return before, after, indexed, ok, message:match("there is no table remembered"), ask()
    """
    evaluation = session.evaluate(source)
    assert evaluation.ok, evaluation.problems
    assert evaluation.values == (2, 3, 3, False, "there is no table remembered", 1)


def test_only_so_many_questions_are_remembered() -> None:
    made: list[bytes] = []

    def prepare(request: bytes) -> Mapping[Any, Tree]:
        def understood() -> Mapping[Any, Tree]:
            made.append(request)
            return {"n": len(made)}

        return services.prepared(request, understood)

    with Store.open(None) as store:
        services = DataServices(store, lambda: False)
        assert prepare(b"a") is prepare(b"a")
        for number in range(PREPARED_MAX - 1):
            prepare(b"%d" % number)
        prepare(b"a")  # asked again, so it is not the one that goes
        prepare(b"new")
        assert prepare(b"a") == {"n": 1}
        assert prepare(b"0") != {"n": 2}
        long = bytes(PREPARED_BYTES_MAX + 1)
        assert prepare(long) is not prepare(long)
