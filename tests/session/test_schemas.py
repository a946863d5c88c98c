"""Schemas inside the VM: assignments are checked before anything is written, at their line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from lua_ls_persist.errors import SchemaViolationError, StoreError
from lua_ls_persist.schema import Checker, Type, definition_of, key_text
from lua_ls_persist.session import Session
from tests.schema.types import types, values
from tests.session.helpers import problem, value
from tests.session.persistent import Restarted

TRIES = 6

USERS = """
ext.schema("users", {
  fields = {
    name = "string",
    age = { type = "integer", min = 0, max = 150 },
    role = { enum = { "admin", "user" }, default = "user" },
    home = { fields = { city = "string" }, optional = true },
    tags = "string[]?",
    settings = { extra = "boolean", default = {} },
  },
  extra = false,
})
"""
ANN = """
ext.table("users").ann = { name = "Ann", age = 41, home = { city = "Paris" }, tags = { "x" } }
"""


@pytest.fixture
def users(session: Session) -> Session:
    assert session.evaluate(USERS).ok
    assert session.evaluate(ANN).ok
    return session


def refused(session: Session, source: str, line: int | None = 1) -> str:
    """The message of an assignment that is refused, at a line; afterwards all is as before."""
    before = session.evaluate("return ext.table('users').ann").text
    found = problem(session.evaluate(source, name="users.lua"))
    assert found.kind == "runtime"
    assert (found.chunk, found.line) == ("users.lua", line)
    assert session.evaluate("return ext.table('users').ann").text == before
    return found.message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("users.eve = { name = 'Eve', age = 'old' }",
         'users.eve.age: expected integer, got string "old"'),
        ("users.eve = 3", "users.eve: expected table, got integer 3"),
        ("users.ann.age = 151", "users.ann.age: expected 0 to 150, got integer 151"),
        ("users.ann.age = nil", "users.ann.age: expected integer, got nil"),
        ("users.ann.shoes = 1", "users.ann.shoes: expected no such field, got integer 1"),
        ("users.ann.home.city = false", "users.ann.home.city: expected string, got boolean false"),
        ("users.ann.home = {}", "users.ann.home.city: expected string, got nil"),
        ("users.ann.tags[2] = 2", "users.ann.tags[2]: expected string, got integer 2"),
        ("users.ann.tags.x = 'y'",
         'users.ann.tags.x: expected integer keys from 1 on, got string "y"'),
        ("table.insert(users.ann.tags, 2)", "users.ann.tags[2]: expected string, got integer 2"),
        ("rawset(users.ann, 'age', 1.5)", "users.ann.age: expected integer, got number 1.5"),
        ("rawset(users, 'eve', 1)", "users.eve: expected table, got integer 1"),
        ("users.ann.settings.on = 1", "users.ann.settings.on: expected boolean, got integer 1"),
        ("users.ann.role = 'root'",
         'users.ann.role: expected one of "admin", "user", got string "root"'),
        ("users.a = { age = true }",
         "users.a.age: expected integer, got boolean true\nusers.a.name: expected string, got nil"),
        ("ext.transaction(function() users.ann.age = 1; users.ann.age = -1 end)",
         "users.ann.age: expected 0 to 150, got integer -1"),
        ("users[{}] = 1", "users[table]: expected table, got integer 1"),
        ("users[nil] = {}", "table index is nil"),
        ("users.eve = { name = 'E', age = 1, tags = coroutine.create(print) }",
         "users.eve.tags: expected table, got thread"),
    ],
)  # fmt: skip
def test_what_is_refused(users: Session, source: str, message: str) -> None:
    assert refused(users, f"local users = ext.table('users')\n{source}", 2) == message


def test_errors_can_be_caught(users: Session) -> None:
    source = """
        local users = ext.table("users")
        local ok, message = pcall(function()
          users.ann.age = "old"
        end)
        return ok, message, users.ann.age
    """
    ok, message, age = users.evaluate(source, name="a.lua").values
    assert (ok, age) == (False, 41)
    assert message == 'a.lua:4: users.ann.age: expected integer, got string "old"'


def test_what_is_right_is_assigned(users: Session) -> None:
    source = """
        local users = ext.table("users")
        users.bob = { name = "Bob", age = 0, role = "admin" }
        users.bob.home = { city = "Rome" }
        users.bob.tags = {}
        for n = 1, 3 do table.insert(users.bob.tags, "t" .. n) end
        users.bob.tags[3] = nil
        users.bob.home = nil
        users.ann = nil
        return #users.bob.tags, users.bob.home, users.ann
    """
    assert users.evaluate(source).text == "2, nil, nil"


def test_defaults_are_filled_in(users: Session) -> None:
    source = """
        local users = ext.table("users")
        local bob, eve = { name = "Bob", age = 0 }, { name = "Eve", age = 0 }
        users.bob, users.eve = bob, eve
        bob.settings.x = true
        bob.role = "admin"
        bob.role = nil
        return bob.role, bob.settings, eve.settings, bob == users.bob
    """
    assert users.evaluate(source).text == '"user", {x = true}, {}, true'


def test_rows_that_are_reached_otherwise(users: Session) -> None:
    assert users.evaluate("Memory.best = ext.table('users').ann").ok
    assert refused(users, "Memory.best.age = 'x'") == (
        'users.ann.age: expected integer, got string "x"'
    )
    # It is no row any more, and free.
    assert users.evaluate("ext.table('users').ann = nil Memory.best.age = 'x'").ok
    assert problem(users.evaluate("ext.table('users').bob = Memory.best")).message == (
        'users.bob.age: expected integer, got string "x"'
    )


@pytest.mark.parametrize("resume", [False, True])
def test_after_a_restart(stored: Restarted, resume: bool) -> None:
    stored.run(USERS)
    stored.run(ANN + "Memory.best = ext.table('users').ann Memory.tags = Memory.best.tags")
    session = stored.again(resume=resume)
    assert (
        refused(session, "Memory.tags[1] = 1")
        == "users.ann.tags[1]: expected string, got integer 1"
    )
    session = stored.again(resume=resume)
    assert refused(session, "Memory.best.age = 'x'") == (
        'users.ann.age: expected integer, got string "x"'
    )
    session = stored.again(resume=resume)
    assert refused(session, "ext.table('users').eve = {}").startswith("users.eve.age: expected")
    assert value(session, "ext.table('users').ann.role") == "user"


def test_many_rows_are_checked_as_they_are_loaded(stored: Restarted) -> None:
    source = "for n = 1, 2000 do ext.table('users')[n] = { name = 'n' .. n, age = n % 100 } end"
    stored.run(USERS + source)
    session = stored.again(resume=False)
    source = """
        local refused = 0
        for key, user in pairs(ext.table("users")) do
          if not pcall(function() user.age = "old" end) then refused = refused + 1 end
          user.age = user.age + 1
        end
        return refused
    """
    assert value(session, source) == 2000


def test_a_table_on_a_path(session: Session) -> None:
    source = "ext.schema('Memory.app.users', { fields = { age = 'integer' } })"
    assert session.evaluate(source).ok
    assert problem(session.evaluate("Memory.app = { users = { a = { age = 'x' } } }")).message == (
        'Memory.app.users.a.age: expected integer, got string "x"'
    )
    assert session.evaluate("Memory.app = { users = { a = { age = 1 } } } Memory.other = 1").ok
    assert problem(session.evaluate("Memory.app.users.a.age = 'x'")).message == (
        'Memory.app.users.a.age: expected integer, got string "x"'
    )
    assert problem(session.evaluate("Memory.app.users = { b = 3 }")).message == (
        "Memory.app.users.b: expected table, got integer 3"
    )
    assert session.evaluate("local old = Memory.app.users Memory.app.users = {} old.a = 3").ok
    assert problem(session.evaluate("Memory.app.users.b = 3")).line == 1


def test_setting_a_schema_reports_all_that_is_there(session: Session) -> None:
    assert session.evaluate("for n = 1, 30 do ext.table('t')[n] = { x = n } end").ok
    found = problem(session.evaluate("\next.schema('t', { fields = { x = 'string' } })"))
    assert found.line == 2
    lines = found.message.splitlines()
    assert lines[0] == "t[1].x: expected string, got integer 1"
    assert lines[-1] == "and 10 others"
    assert session.evaluate("ext.table('t')[1] = 'anything'").ok
    assert session.evaluate("return ext.schema('t')").text == "nil"


def test_definitions_that_make_no_sense(session: Session) -> None:
    source = "\next.schema('t', { fields = { x = 'strng' } })"
    found = problem(session.evaluate(source))
    assert found.line == 2
    assert found.message.startswith('fields.x: there is no type "strng"; there are string, integer')
    assert "bad argument #1 to 'schema'" in problem(session.evaluate("ext.schema(3)")).message
    assert problem(session.evaluate("ext.schema(ext.table(), {})")).message.startswith(
        "no named table"
    )


def test_a_schema_is_shown_and_dropped(users: Session) -> None:
    assert value(users, "return ext.schema(ext.table('users')).fields.tags") == "string[]?"
    assert value(users, "return ext.schema('users', false)") is True
    assert value(users, "return ext.schema('users')") is None
    assert users.evaluate("ext.table('users').ann.age = 'x' ext.table('users').b = 1").ok


def test_deriving(users: Session) -> None:
    assert users.evaluate("ext.schema('users', ext.derive_schema('users'))").ok
    assert refused(users, "ext.table('users').ann.age = 'x'") != ""
    found = problem(users.evaluate("ext.derive_schema('usrs')"))
    assert found.message == "there is no table usrs; did you mean users?"


def test_annotations_and_all_schemas(users: Session) -> None:
    source = """
        local text = ext.schema_annotations("users")
        local name = ext.set_schema_annotations("copies", text)
        ext.table("copies").ann = ext.table("users").ann
        local same = ext.schema_annotations("copies") == text
        local extra = ext.schemas().copies.extra
        return name, same, extra, #ext.check_schemas(), ext.schema_annotations("x")
    """
    assert users.evaluate(source).values == ("User", True, False, 0, None)
    assert users.evaluate("ext.table('copies').ann.age = 'x'").ok is False
    found = problem(users.evaluate("\next.set_schema_annotations('x', 'nothing')"))
    assert (found.line, found.message) == (2, "there is no ---@class in these annotations")


def test_schemas_roll_back_with_the_rest(users: Session) -> None:
    assert not users.evaluate("ext.schema('users', false) ext.table('users').x = 1 error('no')").ok
    assert refused(users, "ext.table('users').x = 1") != ""
    source = "pcall(ext.transaction, function() ext.schema('users', false) error('no') end)"
    assert users.evaluate(source).ok
    assert refused(users, "ext.table('users').x = 1") != ""


def test_undoing_and_redoing(users: Session) -> None:
    """What is expected of the data goes back and forth with them."""
    assert users.evaluate("ext.table('users').bob = { name = 'Bob', age = 1 }").ok
    assert users.evaluate("ext.table('users').bob = nil").ok
    users.undo()
    assert refused(users, "ext.table('users').bob.age = 'x'") != ""
    users.undo()
    users.redo()
    assert refused(users, "ext.table('users').bob.age = 'x'") != ""
    assert users.evaluate("Memory.x = ext.schema('users', false)").ok
    assert users.evaluate("ext.table('users').bob.age = 'x' Memory.y = 1").ok
    users.undo()
    assert value(users, "ext.table('users').bob.age") == 1
    assert users.evaluate("ext.table('users').bob.age = 'still free'").ok
    users.undo(2)
    assert refused(users, "ext.table('users').bob.age = 'x'") != ""
    users.redo(2)
    assert value(users, "ext.table('users').bob.age") == "still free"
    users.undo()
    users.set_schema("users", {"fields": {"age": "integer"}})
    assert users.redo().evaluations == ()
    assert users.check_schemas() == []


def test_redo_is_refused_where_another_session_expects_something_else(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session, Session.open(path) as other:
        assert session.evaluate("ext.table('users').bob = { age = 1 }").ok
        assert session.evaluate("ext.table('users').bob.age = 'x'").ok
        session.undo()
        other.set_schema("users", {"fields": {"age": "integer"}})
        with pytest.raises(StoreError, match=r"users\.bob\.age: expected integer") as refusal:
            session.redo()
        assert isinstance(refusal.value.__cause__, SchemaViolationError)
        assert session.check_schemas() == []
        other.undo()
        session.redo()
        assert value(session, "ext.table('users').bob.age") == "x"


def test_a_named_table_that_is_made_again(session: Session) -> None:
    assert session.evaluate("Memory.a = 1").ok
    assert session.evaluate("ext.schema('users', { fields = { age = 'integer' } })").ok
    assert session.evaluate("ext.table('users').ann = { age = 1 }").ok
    while session.undo().evaluations:
        pass
    assert session.schemas() == {}
    assert [table.name for table in session.tables()] == ["Memory"]
    session.redo(2)
    assert not session.evaluate("ext.table('users').ann = { age = 'x' }").ok
    assert session.evaluate("ext.table('users').ann = { age = 2 }").ok


def test_references(session: Session) -> None:
    source = """
        ext.table("teams").red = { name = "Red" }
        ext.schema("users", { fields = { team = { ref = "teams" } } })
        local users, teams = ext.table("users"), ext.table("teams")
        teams.blue = {}
        users.a = { team = "red" }
        users.b = { team = teams.blue }
        return pcall(function() users.c = { team = "green" } end)
    """
    assert session.evaluate(source, name="a.lua").values == (
        False, 'a.lua:8: users.c.team: expected a row of teams, got string "green"')  # fmt: skip


def test_another_session_s_schema(path: Path) -> None:
    with Session.open(path) as one, Session.open(path) as other:
        assert one.evaluate("ext.table('users').ann = { age = 1 } u = ext.table('users')").ok
        assert other.evaluate("ext.schema('users', { fields = { age = 'integer' } })").ok
        assert problem(one.evaluate("u.ann.age = 'x'")).message == (
            'users.ann.age: expected integer, got string "x"'
        )
        assert (
            other.evaluate("ext.schema('users', { fields = { age = 'string?' } }, 1)").ok is False
        )
        assert other.evaluate("ext.schema('users', false)").ok
        assert one.evaluate("u.ann.age = 'x'").ok


def test_what_puts_rows_there_in_other_ways(users: Session) -> None:
    users_ = "local users = ext.table('users') "
    proxy = "local t = setmetatable({}, { __newindex = users }) t.eve = { name = 1, age = 1 }"
    assert refused(users, users_ + proxy) == "users.eve.name: expected string, got integer 1"
    proxy = "setmetatable(Memory, { __newindex = users }) Memory.eve = 3"
    assert refused(users, users_ + proxy) == "users.eve: expected table, got integer 3"
    source = "table.move({ 1 }, 1, 1, 2, users.ann.tags)"
    assert refused(users, users_ + source) == "users.ann.tags[2]: expected string, got integer 1"
    source = "coroutine.wrap(function() users.ann.age = 'x' end)()"
    assert refused(users, users_ + source) == 'users.ann.age: expected integer, got string "x"'
    source = """
        local users = ext.table("users")
        setmetatable(users.ann, { __index = { kind = "user" } })
        for n = 1, 5 do users.ann.tags[n] = "t" .. 6 - n end
        table.sort(users.ann.tags)
        table.remove(users.ann.tags, 1)
        coroutine.wrap(function() users.ann.age = 1 end)()
        return users.ann.kind, table.concat(users.ann.tags, " "), users.ann.age
    """
    assert users.evaluate(source).text == '"user", "t2 t3 t4 t5", 1'


def test_a_schema_of_memory_itself(session: Session) -> None:
    assert session.evaluate("Memory.a = 1 ext.schema(Memory, 'integer') Memory.b = 2").ok
    found = problem(session.evaluate("Memory.c = 'x'"))
    assert found.message == 'Memory.c: expected integer, got string "x"'
    assert session.schemas() == {"Memory": "integer"}


@pytest.mark.parametrize("kilobytes", range(0, 400, 23))
def test_running_out_of_memory_leaves_what_follows_the_schema(kilobytes: int) -> None:
    source = """
        local users, kilobytes = ext.table("users"), ...
        local filling = {}
        for n = 1, 40 do
          filling[n] = ("x"):rep(kilobytes * 25) .. n
          pcall(function()
            users[n] = { name = "n" .. n, age = n, tags = { "a", "b" }, home = { city = "c" } }
          end)
          pcall(function() users[n].tags[1] = n end)
          pcall(function() users[n].age = "old" end)
        end
    """
    with Session.open(memory_limit_bytes=2**20, keep_error_effects=True) as session:
        assert session.evaluate(USERS).ok
        session.evaluate(source, arguments=[kilobytes])
        assert session.check_schemas() == []
        assert session.evaluate("ext.table('users').x = { name = 'X', age = 1 }").ok


def test_setting_a_schema_can_be_stopped(session: Session) -> None:
    rows = "for n = 1, 50000 do ext.table('t')[n] = { x = n } end"
    assert session.evaluate(rows, time_limit_s=None).ok
    source = "ext.schema('t', { fields = { x = { type = 'integer', min = 0 } } })"
    for _ in range(TRIES):
        with session.fork() as fork:
            result = fork.evaluate(source, time_limit_s=0.05)
            if not result.ok:  # Who looks at the clock may have to wait until it is set.
                assert problem(result).kind == "timeout"
                assert fork.schema("t") is None
                break
    assert not result.ok


def test_batches_name_the_operation(users: Session) -> None:
    source = "ext.batch { { op = 'set', table = 'users', key = 'x', value = { age = 1 } } }"
    assert "users.x.name: expected string, got nil" in refused(users, source)


def test_a_long_key_is_cut_where_it_stands_in_a_path(users: Session) -> None:
    for key, shown in (
        ("a" * 200, "." + "a" * 200),
        ("a" * 201, f'["{"a" * 40}"...]'),
        ("ä" * 10_000, f'["{"ä" * 19}"...]'),
    ):
        expected = f"users{shown}: expected table, got integer 1"
        source = "local users, key = ext.table('users'), ...\nusers[key] = 1"
        (found,) = users.evaluate(source, arguments=[key], name="a.lua").problems
        assert found.message == expected
        assert key_text(key) == shown, "the host says the same"


@pytest.fixture(scope="module")
def checking() -> Iterator[Session]:
    with Session.open() as session:
        yield session


@settings(max_examples=150)
@given(row=types(), tree=values())
def test_both_checkers_say_the_same(checking: Session, row: Type, tree: Any) -> None:
    source = """
        local definition, tree = ...
        ext.schema("t", false)
        ext.table("t").x = nil
        ext.schema("t", definition)
        local ok, message = pcall(function() ext.table("t").x = tree end)
        return ok, message
    """
    if tree is None:
        return
    ok, message = checking.evaluate(source, arguments=[definition_of(row), tree], name="c").values
    expected = sorted(str(one) for one in Checker().check(row, tree, "t.x"))
    assert ok is (expected == [])
    if expected:
        found = str(message).removeprefix("c:6: ")
        assert found.splitlines()[:20] == sorted(set(expected), key=str.encode)[:20]
