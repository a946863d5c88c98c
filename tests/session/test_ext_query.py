"""Questions of programs: what they mean, live rows, pieces, cursors, errors at their lines."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.session import Session
from lua_ls_persist.session.services import PREPARED_BYTES_MAX, PREPARED_MAX, DataServices
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store import Store
from tests.session.helpers import failing_at, message, problem, value

FILL = """
    local users = ext.table("users")
    for i = 1, 1000 do
      users["u" .. i] = {
        name = "User " .. i, age = i % 50, score = i % 7 == 0 and i / 2 or nil,
        city = ({ "Rome", "Oslo", "Lima" })[i % 3 + 1], address = { zip = i % 10 },
        tags = { "t" .. i % 4, i % 5 },
      }
    end
"""


@pytest.fixture(scope="module")
def filled() -> Iterator[Session]:
    """Not changed by the tests that use it."""
    with Session.open() as opened:
        assert opened.evaluate(FILL).ok
        yield opened


@pytest.fixture
def session(filled: Session) -> Iterator[Session]:
    with filled.fork() as fork:
        yield fork


def lua(tree: Any) -> str:
    """A question as Lua writes it."""
    if tree is None:
        return "nil"
    if isinstance(tree, dict):
        return "{" + ", ".join(f"[{lua(key)}] = {lua(part)}" for key, part in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        return "{" + ", ".join(map(lua, tree)) + "}"
    return json.dumps(tree)


def keys(session: Session, spec: dict[str, Any], table: str = "'users'") -> tuple[Any, ...]:
    """The keys of the rows that a program finds, and the cursor."""
    result = session.evaluate(
        f"""
        local page = ext.query({table}, {lua(spec)})
        local keys = {{}}
        for place, row in ipairs(page) do keys[place] = row.key end
        return table.concat(keys, " "), page.next
        """
    )
    assert result.ok, result.problems
    return result.values


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


# Without a limit


def test_rows_come_in_pieces(session: Session) -> None:
    result = session.evaluate(
        """
        local rows = ext.query("users", { order_by = "name" })
        local names, order = {}, true
        for place, row in ipairs(rows) do
          names[place] = row.value.name
          order = order and (place == 1 or names[place - 1] < names[place])
        end
        local again = 0
        for place, row in pairs(rows) do
          assert(names[place] == row.value.name)
          again = again + 1
        end
        return #names, order, again, #rows, rows[1000].value.name == names[1000], rows[1001],
          rows[1].value.name == names[1], rows[600].value.name == names[600],
          rows[257.0].value.name == names[257], tostring(rows):match("^query: ") ~= nil,
          rows[0], rows[1.5], rows.next, rows.x, rows[-1], rows[5000]
        """
    )
    assert result.ok, result.problems
    expected = (1000, True, 1000, 1000, True, None, True, True, True, True)
    assert result.values == (*expected, None, None, None, None, None, None)


def test_exactly_as_many_as_a_piece_has(session: Session) -> None:
    for count in (0, 1, 255, 256, 257, 512):
        session.evaluate(f"Memory.t = {{}} for i = 1, {count} do Memory.t[i] = i end")
        source = (
            "local n = 0 for i, row in ipairs(ext.query('Memory.t')) do n = n + row.value end"
            " return n"
        )
        assert session.evaluate(source).values == (count * (count + 1) // 2,)


def test_rows_that_come_and_go_meanwhile(session: Session) -> None:
    """Those that stay are all met, once."""
    result = session.evaluate(
        """
        local users, seen = ext.table("users"), {}
        for place, row in ipairs(ext.query("users", { where = { "age", "<", 40 } })) do
          assert(not seen[row.key])
          seen[row.key] = true
          if place % 50 == 0 then
            users["z" .. place] = { age = 1 }
            users["a" .. place] = { age = 1 }
            users[row.key] = nil
          end
        end
        local missed = 0
        for key, user in pairs(users) do
          if user.age < 40 and key:sub(1, 1) == "u" and not seen[key] then missed = missed + 1 end
        end
        return missed
        """
    )
    assert result.values == (0,)


def test_they_need_little_memory() -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024, time_limit_s=60) as session:
        for start in range(0, 20_000, 5_000):
            assert session.evaluate(
                f"local t = ext.table('t') for i = {start + 1}, {start + 5_000} do"
                " t[i] = { n = i, text = ('x'):rep(100) } end"
            ).ok
        result = session.evaluate(
            "local n = 0 for _, row in ipairs(ext.query('t', { where = { 'n', '>', 0 } })) do"
            " n = n + #row.value.text end return n"
        )
        assert result.ok, result.problems
        assert result.values == (2_000_000,)


def test_rows_of_a_query_are_no_place_for_data(session: Session) -> None:
    assert message(session, "ext.query('users')[1] = 2", calls_ours=False) == (
        "the rows of a query cannot be assigned"
    )
    text = message(session, "Memory.rows = ext.query('users')")
    assert text.startswith("Memory.rows (metatable).__")
    assert text.endswith(": cannot persist a C function that has no name (see ext.permanent)")
    assert session.evaluate("Memory.page = ext.query('users', { limit = 2 })").ok
    assert session.get("Memory.page[2].value.age") == session.get("users.u10.age")


def test_the_functions_of_rows_stay_hidden(session: Session) -> None:
    """A program may have them, but not what they consist of."""
    result = session.evaluate(
        """
        local index = debug.getmetatable(ext.query("users")).__index
        local own = 1
        local function mine() return own end
        return type(index), debug.getupvalue(index, 1), debug.setupvalue(index, 1, 2),
          debug.upvalueid(index, 1), pcall(debug.upvaluejoin, mine, 1, index, 1),
          debug.getinfo(index, "S").what, debug.getlocal(index, 1)
        """
    )
    assert result.ok, result.problems
    assert result.values[:5] == ("function", None, None, None, False)
    assert (
        session.evaluate(
            "local f = debug.getmetatable(ext.query('users')).__index"
            " return pcall(load, string.dump(f), 'x', 'b')"
        ).values[1]
        is None
    )


# Pages


@pytest.mark.parametrize("select", ["nil", "{ 'name' }"])
def test_pages_end_to_end(session: Session, select: str) -> None:
    result = session.evaluate(
        f"""
        local seen, count, after = {{}}, 0, nil
        repeat
          local page = ext.query("users", {{
            order_by = {{ "city", "age" }}, limit = 64, after = after, select = {select},
          }})
          for _, row in ipairs(page) do
            assert(not seen[row.key])
            seen[row.key], count = true, count + 1
          end
          after = page.next
        until not after
        return count
        """
    )
    assert result.values == (1000,)


def test_a_cursor_without_a_limit(session: Session) -> None:
    result = session.evaluate(
        "local page = ext.query('users', { order_by = 'name', limit = 300 })"
        " local rest = ext.query('users', { order_by = 'name', after = page.next })"
        " local n = 0 for _ in ipairs(rest) do n = n + 1 end"
        " return n, rest[1].value.name > page[300].value.name"
    )
    assert result.values == (700, True)


def test_a_cursor_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        session.evaluate(FILL)
        cursor = value(session, "ext.query('users', { order_by = 'age', limit = 10 }).next")
    with Session.open(path, resume=False) as session:
        result = session.evaluate(
            "return ext.query('users', { order_by = 'age', limit = 1, after = ... })[1].value.age",
            arguments=[str(cursor)],
        )
        assert result.values == (0,)


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


# In batches


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
