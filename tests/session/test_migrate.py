"""Migrations: once per version, in order, all rows or none."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.model import Preview
from lua_ls_persist.session import Session
from tests.session.helpers import failing_at, message, problem, value

ROWS = 1000
FILL = f"local t = ext.table('users') for i = 1, {ROWS} do t[i] = {{ age = i }} end"
OLDER = "function(row) row.age = row.age + 1 end"
SUM = (
    "(function() local n = 0 for _, row in pairs(ext.table('users')) do n = n + row.age end"
    " return n end)()"
)
BEFORE, AFTER = ROWS * (ROWS + 1) // 2, ROWS * (ROWS + 1) // 2 + ROWS


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as opened:
        opened.evaluate(FILL)
        yield opened


def versions(session: Session) -> tuple[object, ...]:
    """Which of the versions 1 to 9 are done."""
    source = """
        local done = {}
        for version = 9, 1, -1 do
          local options = { dry_run = true }
          local ok, result = pcall(ext.migrate, "users", version, function() end, options)
          if ok and not result.changed then done[#done + 1] = version end
        end
        return table.unpack(done)
    """
    result = session.evaluate(source)
    assert result.ok, result.problems
    return result.values


def test_each_version_runs_once(session: Session) -> None:
    source = f"ext.migrate('users', 2, {OLDER})"
    assert value(session, f"({source}).rows") == ROWS
    assert value(session, SUM) == AFTER
    assert value(session, f"({source}).ran") is False
    assert value(session, SUM) == AFTER
    assert versions(session) == (2,)


def test_later_versions_and_earlier_ones(session: Session) -> None:
    assert value(session, f"ext.migrate('users', 3, {OLDER}).ran")
    assert value(session, f"ext.migrate('users', 7, {OLDER}).ran")
    assert message(session, f"ext.migrate('users', 5, {OLDER})") == (
        "version 5 comes too late: the table is at version 7 already"
    )
    assert versions(session) == (7, 3)
    assert value(session, SUM) == AFTER + ROWS


def test_what_the_function_returns_takes_the_place(session: Session) -> None:
    session.evaluate("local t = ext.table('numbers') t.a, t.b, t.c = 1, 2, 3")
    session.evaluate(
        "ext.migrate('numbers', 1, function(n, k) if k ~= 'b' then return n * 10 end end)"
    )
    assert [session.get(f"numbers.{key}") for key in "abc"] == [10, 2, 30]


def test_rows_may_go(session: Session) -> None:
    source = (
        "ext.migrate('users', 2, function(row, key)"
        " if key % 2 == 0 then ext.table('users')[key] = nil end end).rows"
    )
    assert value(session, source) == ROWS
    assert value(session, "ext.info('users').entries") == ROWS // 2


def test_a_table_by_its_path_and_by_itself(session: Session) -> None:
    session.evaluate("Memory.shop = { orders = { { n = 1 } } }")
    assert value(session, "ext.migrate(Memory.shop.orders, 2, function(o) o.n = 2 end).rows") == 1
    assert value(session, "ext.migrate('Memory.shop.orders', 2, error).ran") is False
    assert value(session, "ext.migrate(ext.table('users'), 2, function() end).rows") == ROWS
    assert value(session, "ext.migrate('users', 2, error).ran") is False


def test_a_table_that_is_not_there_is_new(session: Session) -> None:
    assert value(session, "ext.migrate('new', 4, error).rows") == 0
    assert value(session, "ext.info('new').entries") == 0
    assert value(session, "ext.migrate('new', 4, error).ran") is False


def test_versions_go_with_the_name(session: Session) -> None:
    session.evaluate(f"ext.migrate('users', 2, {OLDER})")
    session.drop("users")
    session.evaluate(FILL)
    assert value(session, f"ext.migrate('users', 2, {OLDER}).rows") == ROWS


VERSION = "bad argument #2 to 'migrate' (a version is a whole number from 1 on)"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", VERSION),
        ("'users', 0, print", VERSION),
        ("'users', 1.5, print", VERSION),
        ("'users', 1", "bad argument #3 to 'migrate' (function expected, got nil)"),
        (
            "'users', 1, print, 1",
            "bad argument #4 to 'migrate' (table of options expected, got number)",
        ),
        (
            "{}, 1, print",
            "bad argument #1 to 'migrate' (path or external table expected, got table)",
        ),
        ("ext.table(), 1, print", "no named table leads to this table, so it has no path"),
        ("'Memory.nobody', 1, print", "there is no table Memory.nobody"),
        (
            "'a b', 1, print",
            "'a b' is no path. Write one as Memory.users[3].name, or ext.table('a name').field.",
        ),
    ],
)
def test_what_makes_no_sense(session: Session, arguments: str, expected: str) -> None:
    assert message(session, f"ext.migrate({arguments})") == expected


# All rows or none


def test_a_failure_in_the_last_row(session: Session) -> None:
    source = f"""
        local calls = 0
        return pcall(ext.migrate, "users", 2, function(row)
          calls = calls + 1
          row.age = row.age + 1
          if calls == {ROWS} then error("the last") end
        end)
    """
    ok, text = session.evaluate(source, name="main.lua").values
    assert not ok
    assert text == f"main.lua:6: the last (migrating users to version 2, row users[{ROWS}])"
    assert value(session, SUM) == BEFORE
    assert versions(session) == ()
    assert value(session, f"ext.migrate('users', 2, {OLDER}).rows") == ROWS


def test_the_problem_is_at_the_line_of_the_function(session: Session) -> None:
    source = "ext.migrate('users', 2, function(row)\n\nrow.age = row.nothing + 1 end)"
    found = problem(session.evaluate(source, name="main.lua"))
    assert (found.chunk, found.line) == ("main.lua", 3)
    assert found.message == (
        "attempt to perform arithmetic on a nil value (field 'nothing') "
        "(migrating users to version 2, row users[1])"
    )


def test_what_cannot_be_stored(session: Session) -> None:
    text = message(
        session, "ext.migrate('users', 2, function(row) row.co = coroutine.create(print) end)"
    )
    assert text == (
        "users[1].co: cannot persist a coroutine (migrating users to version 2, row users[1])"
    )
    assert value(session, SUM) == BEFORE


def test_other_error_values_come_through(session: Session) -> None:
    source = "select(2, pcall(ext.migrate, 'users', 2, function() error({ code = 7 }) end)).code"
    assert value(session, source) == 7


def test_nested_in_transactions(session: Session) -> None:
    result = session.evaluate(
        f"""
        local outcome = pcall(ext.transaction, function()
          ext.migrate("users", 2, {OLDER})
          error("outer")
        end)
        ext.transaction(function()
          ext.migrate("users", 3, {OLDER})
          pcall(ext.migrate, "users", 4, function(row, key)
            row.age = 0
            if key == 500 then error("inner") end
          end)
        end)
        return outcome, {SUM}
        """
    )
    assert result.values == (False, AFTER)
    assert versions(session) == (3,)


def test_an_evaluation_that_fails_later_takes_it_along(session: Session) -> None:
    assert not session.evaluate(f"ext.migrate('users', 2, {OLDER}) error('later')").ok
    assert value(session, SUM) == BEFORE
    assert versions(session) == ()


# Dry runs


def test_a_dry_run(session: Session) -> None:
    result = session.evaluate(
        """
        local users, calls = ext.table("users"), 0
        users[3].deep = { list = { 1, 2 } }
        local plan = ext.migrate("users", 2, function(row, key)
          calls = calls + 1
          if key <= 2 then row.age = nil end
          if key == 3 then row.deep.list[2] = "two" end
          if key == 4 then users[4] = nil end
          if key == 5 then return "five" end
          if key == 6 then row.age = row.age end
          row = nil
        end, { dry_run = true })
        local told = {}
        for _, change in ipairs(plan.changes) do told[change.key] = change end
        return plan.ran, plan.rows, plan.changed, #plan.changes, calls,
          told[1].before.age, told[1].after.age,
          told[3].before.deep.list[2], told[3].after.deep.list[2],
          told[4].after, told[5].after, getmetatable(told[3].after), users[3].deep.list[2]
        """
    )
    assert result.ok, result.problems
    assert result.values == (False, ROWS, 5, 5, 0, 1, None, 2, "two", None, "five", None, 2)
    assert value(session, SUM) == BEFORE
    assert versions(session) == ()


def test_a_dry_run_tells_what_differs_as_it_is_stored(session: Session) -> None:
    session.evaluate(
        """
        ext.table("t").a = { same = 0/0, yes = false, number = 1 }
        ext.table("t").b = { same = 0/0, yes = false, number = 1.0 }
        """
    )
    source = "function(row) row.number = 1.0 end"
    dry = f"ext.migrate('t', 1, {source}, {{ dry_run = true }})"
    result = session.evaluate(f"local done = {dry} return done.changed, done.changes[1]")
    changed, change = result.values
    assert changed == 1
    assert isinstance(change, Preview)
    assert [(key, getattr(side, "text", side)) for key, side in change.entries] == [
        ("after", "{number = 1.0, same = 0/0, yes = false}"),
        ("before", "{number = 1, same = 0/0, yes = false}"),
        ("key", "a"),
    ]


def test_a_dry_run_makes_no_table(session: Session) -> None:
    assert value(session, f"ext.migrate('new', 1, {OLDER}, {{ dry_run = true }}).changed") == 0
    assert session.info("new") is None
    assert session.migrate("new", 1, OLDER).values[:2] == (True, 0)


def test_a_dry_run_of_many_changes_shows_some(session: Session) -> None:
    source = f"ext.migrate('users', 2, {OLDER}, {{ dry_run = true }})"
    assert value(session, f"({source}).changed") == ROWS
    assert value(session, f"#({source}).changes") == 100
    assert value(session, SUM) == BEFORE


def test_a_dry_run_that_fails(session: Session) -> None:
    source = (
        "ext.migrate('users', 2, function(row) row.age = 0 error('no') end, { dry_run = true })"
    )
    assert message(session, source) == "no (migrating users to version 2, row users[1])"
    assert value(session, SUM) == BEFORE


def test_a_dry_run_of_what_was_run(session: Session) -> None:
    session.evaluate(f"ext.migrate('users', 2, {OLDER})")
    assert value(session, "#ext.migrate('users', 2, error, { dry_run = true }).changes") == 0


# From Python


def test_from_python(session: Session) -> None:
    heard: list[tuple[int, int]] = []
    result = session.migrate("users", 2, OLDER, on_progress=lambda *both: heard.append(both))
    assert result.values == (True, ROWS, None)
    assert heard[0] == (250, ROWS)
    assert heard[-1] == (ROWS, ROWS)
    assert value(session, SUM) == AFTER
    assert session.migrate("users", 2, OLDER).values == (False, 0, None)


def test_statements_as_the_source(session: Session) -> None:
    assert session.migrate("users", 2, "row.age = row.age + 1\nreturn nil -- all").ok
    assert value(session, SUM) == AFTER


def test_a_dry_run_from_python(session: Session) -> None:
    ran, rows, changes = session.migrate("users", 2, OLDER, dry_run=True).values
    assert (ran, rows) == (False, ROWS)
    assert isinstance(changes, Preview)
    assert value(session, SUM) == BEFORE


def test_problems_from_python_are_in_the_source(session: Session) -> None:
    found = problem(session.migrate("users", 2, "\n\nrow.age = row.no + 1", name="m.lua"))
    assert (found.chunk, found.line) == ("m.lua", 3)
    found = problem(session.migrate("users", 2, "\nrow.age = ] + 1", name="m.lua"))
    assert (found.chunk, found.line) == ("m.lua", 2)
    assert found.message == "unexpected symbol near ']'"
    found = problem(session.migrate("users", 2, "3"))
    assert found.message == "the source gives a number, not a function"


def test_it_can_be_interrupted(session: Session) -> None:
    begun: list[int] = []

    def heard(done: int, total: int) -> None:
        begun.append(done)

    future = session.submit_migrate(
        "users", 2, "if key == 300 then while true do end end row.age = 0", on_progress=heard
    )
    while not begun:
        time.sleep(0.001)
    while not future.done():
        session.interrupt()
        time.sleep(0.005)
    assert problem(future.result()).kind == "interrupt"
    assert value(session, SUM) == BEFORE
    assert versions(session) == ()


# Restarts


def test_a_restart_in_between(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    for resume in (False, True, False):
        with Session.open(path, resume=resume) as session:
            session.evaluate(f"if not ext.info('users') then {FILL} end")
            session.evaluate(f"ext.migrate('users', 2, {OLDER})")
            assert value(session, SUM) == AFTER
    with Session.open(path, resume=False) as session:
        assert session.migrate("users", 3, OLDER).values[0] is True
        assert versions(session) == (3, 2)


def test_exports_have_versions(tmp_path: Path) -> None:
    file = io.StringIO()
    with Session.open() as session:
        session.evaluate(f"{FILL} Memory.a = {{}}")
        session.evaluate(f"ext.migrate('users', 3, {OLDER}) ext.migrate('users', 2 + 2, {OLDER})")
        session.evaluate("ext.migrate('Memory.a', 9, print)")
        session.export_lines(file)
    with Session.open() as session:
        session.import_lines(io.StringIO(file.getvalue()))
        assert versions(session) == (4, 3)
        assert value(session, "ext.migrate('Memory.a', 9, error).ran") is False
    broken = file.getvalue().replace("[3,4]", "[0]").replace("[3, 4]", "[0]")
    assert broken != file.getvalue()
    with Session.open() as session, pytest.raises(StoreError, match="makes no sense"):
        session.import_lines(io.StringIO(broken))


KILLED = f"""
import sys
from lua_ls_persist.session import Session
with Session.open(sys.argv[1]) as session:
    session.evaluate("if not ext.info('users') then {FILL} end")
    print("ready", flush=True)
    def told(done, total):
        print(done, flush=True)
        sys.stdin.readline()
    session.migrate("users", 2, "{OLDER}", on_progress=told, time_limit_s=None)
"""


@pytest.mark.skipif(os.name == "nt", reason="kills a process")
@pytest.mark.parametrize("reports", [1, 3, 5])
def test_a_killed_process(tmp_path: Path, reports: int) -> None:
    """In the middle of it, and when all rows are done but not committed."""
    path = tmp_path / "session.db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(reports):
        assert process.stdout.readline()
        process.stdin.write("\n" if _ < reports - 1 else "")
        process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    with Session.open(path) as session:
        assert value(session, SUM) == BEFORE
        assert session.integrity() == []
        assert session.migrate("users", 2, OLDER).values[:2] == (True, ROWS)
        assert value(session, SUM) == AFTER


# When something fails


def test_large_tables_in_a_small_vm(tmp_path: Path) -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024, time_limit_s=60) as session:
        session.evaluate("local t = ext.table('users') for i = 1, 20000 do t[i] = { age = i } end")
        result = session.migrate("users", 2, OLDER)
        assert result.ok, result.problems
        assert result.values[1] == 20000
        assert value(session, SUM) == 20000 * 20001 // 2 + 20000


def test_every_memory_limit_gives_all_or_nothing() -> None:
    source = """
        local room = ...
        local filler = {}
        for i = 1, room do filler[i] = ("x"):rep(1000) .. i end
        return ext.migrate("users", 2, function(row) row.text = ("y"):rep(100) .. row.age end).rows
    """
    outcomes = set()
    with Session.open(memory_limit_bytes=1024 * 1024 + 512 * 1024) as session:
        session.evaluate("local t = ext.table('users') for i = 1, 100 do t[i] = { age = i } end")
        with session.fork() as fork:
            assert fork.evaluate(source, arguments=[0]).values == (100,)
        for room in range(200, 1200, 20):
            with session.fork() as fork:
                result = fork.evaluate(source, arguments=[room])
                outcomes.add(result.ok)
                count = value(
                    fork,
                    "(function() local n = 0 for _, row in pairs(ext.table('users')) do"
                    " n = n + (row.text and 1 or 0) end return n end)()",
                )
                assert count == (100 if result.ok else 0)
                assert versions(fork) == ((2,) if result.ok else ())
    assert outcomes == {True, False}


def test_the_nth_question_to_the_store_fails() -> None:
    for nth in range(1, 80):
        with Session.open() as session:
            session.evaluate("local t = ext.table('users') for i = 1, 20 do t[i] = { age = i } end")
            with failing_at(nth):
                result = session.evaluate(f"ext.migrate('users', 2, {OLDER})")
            assert value(session, SUM) == (230 if result.ok else 210)
            if result.ok:
                break
            assert problem(result).message == "planned"
            assert versions(session) == ()
    assert 5 < nth < 79
