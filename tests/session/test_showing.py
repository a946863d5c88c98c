"""Looks into values page by page, and tables as grids: nothing of the program runs for it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from lua_ls_persist.errors import QueryError, SessionError
from lua_ls_persist.jsonable import (
    grid_to_json,
    inspected_to_json,
    profile_to_json,
    whole_to_json,
)
from lua_ls_persist.model import Inspected, Preview, Value
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.session import Session
from tests.session.helpers import problem

PEOPLE = """
local users = ext.table("users")
users.ann = { name = "Ann", age = 41, tags = { "admin" } }
users.bob = { name = "Bob", age = 25 }
users["x y"] = { name = "Xy" }
users[3] = "no table"
local n = 5
function Memory.hit() n = n + 1 return n end
Memory.deep = { { { { {} } } } }
"""
BOMB = "setmetatable(%s, { __index = error, __pairs = error, __len = error, __tostring = error })"


@pytest.fixture
def people(session: Session) -> Session:
    assert session.evaluate(PEOPLE).ok
    return session


def text(value: Value) -> Any:
    return value.text if isinstance(value, Preview) else value


def told(found: Inspected) -> list[tuple[Any, Any, str | None, bool]]:
    json.dumps(inspected_to_json(found), allow_nan=False)
    return [
        (text(entry.key), text(entry.value), entry.path, entry.expandable)
        for entry in found.entries
    ]


def test_a_stored_table(people: Session) -> None:
    found = people.inspect("users")
    assert told(found) == [
        (3, "no table", "users[3]", False),
        ("ann", '{age = 41, name = "Ann", tags = {...}}', "users.ann", True),
        ("bob", '{age = 25, name = "Bob"}', "users.bob", True),
        ("x y", '{name = "Xy"}', 'users["x y"]', True),
    ]
    assert (found.total, found.next_offset, found.metatable, found.live) == (4, None, None, False)
    for entry in found.entries:
        assert entry.path is not None
        assert people.inspect(entry.path).path == entry.path


def test_pages(people: Session) -> None:
    found = people.inspect("users", offset=1, limit=2)
    assert [entry.key for entry in found.entries] == ["ann", "bob"]
    assert (found.total, found.next_offset) == (4, 3)
    found = people.inspect("users", offset=3, limit=2)
    assert ([entry.key for entry in found.entries], found.next_offset) == (["x y"], None)
    assert people.inspect("users", offset=9).entries == ()


def test_scalars_and_functions(people: Session) -> None:
    found = people.inspect("users.ann.age")
    assert (found.value, found.entries, found.total) == (41, (), 0)
    found = people.inspect("Memory.hit")
    assert told(found) == [("n", 5, None, False)]
    people.evaluate("Memory.hit()")
    assert told(people.inspect("Memory.hit")) == [("n", 6, None, False)]
    assert people.inspect("Memory.hit", offset=1).entries == ()


def test_keys_that_no_text_leads_to(session: Session) -> None:
    session.evaluate(
        "local key = {} Memory[key] = {} Memory[1.5], Memory[true] = {}, {} Memory['\\255'] = {}"
    )
    found = session.inspect("Memory")
    assert sorted((entry.path or "", entry.expandable) for entry in found.entries) == [
        ("", False),
        ("", False),
        ("Memory[1.5]", True),
        ("Memory[true]", True),
    ]


def test_how_deep_is_settled_by_the_one_who_asks(people: Session) -> None:
    deep = [text(people.inspect("Memory.deep", depth=depth).entries[0].value) for depth in range(4)]
    assert deep == ["{...}", "{{...}}", "{{{...}}}", "{{{{...}}}}"]


def test_metatables_are_shown_and_not_asked(session: Session) -> None:
    session.evaluate(f"Memory.t = {{ 1 }} {BOMB % 'Memory.t'} g = {{ 2 }} {BOMB % 'g'}")
    stored, live = session.inspect("Memory.t"), session.inspect("_G.g")
    assert [entry.value for entry in stored.entries] == [1]
    assert [entry.value for entry in live.entries] == [2]
    for found in (stored, live):
        assert isinstance(found.metatable, Preview)
        assert "__index = <" in found.metatable.text


def test_globals(people: Session) -> None:
    people.evaluate("b, a = { x = { y = 1 } }, 'text' _ENV[3], _ENV[1] = 'three', 'one'")
    found = people.inspect(limit=2)
    assert (found.path, found.live) == ("_G", True)
    assert [entry.path for entry in found.entries] == ["_G[1]", "_G[3]"]
    assert found.next_offset == 2
    names = [entry.key for entry in people.inspect("_G", offset=2).entries]
    assert names[:2] == ["a", "b"]
    assert names[2:] == sorted(names[2:], key=str)
    assert {"string", "print"} <= set(names)
    assert told(people.inspect("_G.b")) == [("x", "{y = 1}", "_G.b.x", True)]
    assert people.inspect("_G.b.x.y").value == 1
    people.evaluate("u = ext.table('users')")
    assert told(people.inspect("_G.u.ann"))[0] == ("age", 41, "_G.u.ann.age", False)


def test_globals_that_every_session_has_come_last(session: Session) -> None:
    fresh = session.inspect("_G", limit=1000)
    assert fresh.given == fresh.total
    session.evaluate(
        "x, print, Memory, os, utf8, string.more = 1, nil, {}, nil, { len = utf8.len }, 'more'"
    )
    found = session.inspect("_G", limit=1000)
    assert inspected_to_json(found)["given"] == found.given
    keys = [entry.key for entry in found.entries]
    own = found.total - found.given
    assert keys[:own] == ["Memory", "utf8", "x"]
    lost = {"Memory", "os", "print", "utf8"}
    assert set(keys[own:]) == {entry.key for entry in fresh.entries} - lost
    assert "given" not in inspected_to_json(session.inspect("_G.string"))


def test_looking_at_globals_leaves_no_trace(session: Session) -> None:
    session.evaluate(
        "_G = nil  string = nil  t = setmetatable({}, { __gc = function() seen = true end })"
    )
    before = session.memory()
    assert session.inspect("_G", limit=1000).total > 30
    assert session.memory().lua_bytes == before.lua_bytes
    assert session.history() == []


def test_external_tables_among_globals_are_read_from_the_store(people: Session) -> None:
    people.evaluate("u = ext.table('users')")
    found = people.inspect("_G.u")
    assert (found.live, found.total) == (False, 4)
    assert found.entries[1].path == "_G.u.ann"
    assert people.inspect("_G.Memory").path == "Memory"


def test_long_strings_are_shown_by_their_beginning(session: Session) -> None:
    session.evaluate("s = ('x'):rep(1e6) Memory.s = s ext.table('t')[1] = { s = s }")
    for path in ("_G.s", "Memory.s"):
        value = session.inspect(path).value
        assert isinstance(value, Preview)
        assert (value.kind, value.length_bytes) == ("string", 1_000_000)
        assert len(value.text) < 1_100
    (row,) = session.rows("t").rows
    assert isinstance(row.cells[0], Preview)
    assert len(row.cells[0].text) < 250


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("users.nobody", {}, "there is nothing at users.nobody"),
        ("nothing", {}, "there is nothing at nothing"),
        ("_G.nothing", {}, "there is nothing at _G.nothing"),
        ("_G.string.x.y", {}, "there is nothing at _G.string.x.y"),
        ("users ann", {}, "is no path"),
        ("users", {"offset": -1}, "offset is -1; it must be 0 or more"),
        ("users", {"limit": 0}, "limit is 0; it must be between 1 and 1000"),
        ("users", {"depth": 4}, "depth is 4; it must be between 0 and 3"),
    ],
)
def test_what_makes_no_sense(
    people: Session, path: str, options: dict[str, int], message: str
) -> None:
    with pytest.raises((SessionError, QueryError), match=message):
        people.inspect(path, **options)


# Grids


def test_a_grid(people: Session) -> None:
    page = people.rows("users")
    json.dumps(grid_to_json(page), allow_nan=False)
    assert [(column.name, dict(column.types)) for column in page.columns] == [
        ("name", {"string": 3}),
        ("age", {"integer": 2}),
        ("@value", {"string": 1}),
        ("tags", {"table": 1}),
    ]
    assert [(row.key, row.path, *map(text, row.cells)) for row in page.rows] == [
        (3, "users[3]", None, None, "no table", None),
        ("ann", "users.ann", "Ann", 41, '{age = 41, name = "Ann", tags = {...}}', '{"admin"}'),
        ("bob", "users.bob", "Bob", 25, '{age = 25, name = "Bob"}', None),
        ("x y", 'users["x y"]', "Xy", None, '{name = "Xy"}', None),
    ]
    assert (page.total, page.filtered, page.index, page.rows_examined) == (4, 4, None, 4)


def test_which_rows_and_columns(people: Session) -> None:
    page = people.rows("users", columns=["tags[1]", "@key"], where=["age", "exists"])
    assert [row.cells for row in page.rows] == [("admin", "ann"), (None, "bob")]
    assert (page.total, page.filtered) == (4, 2)
    page = people.rows("users", filter="AN")
    assert [row.key for row in page.rows] == ["ann"]
    page = people.rows("users", order_by="age", descending=True, offset=1, limit=1)
    assert [row.key for row in page.rows] == ["bob"]
    people.create_index("users", "age")
    page = people.rows("users", where=["age", ">", 30])
    assert ([row.key for row in page.rows], page.index) == (["ann"], "users(age)")


def test_a_profile(people: Session) -> None:
    found = people.profile("users", "age")
    assert (found.count, found.missing, found.distinct, found.types) == (2, 2, 2, {"integer": 2})
    assert (found.min, found.max, found.avg) == (25, 41, 33.0)
    assert set(found.top) == {(25, 1), (41, 1)}
    assert sum(bar[2] for bar in found.histogram) == 2
    json.dumps(profile_to_json(found), allow_nan=False)
    found = people.profile("users", "name", where=["age", "<", 30])
    assert (found.min, found.max, found.avg, found.histogram) == ("Bob", "Bob", None, ())


def test_a_text_to_look_for_is_a_text(people: Session) -> None:
    with pytest.raises(QueryError, match=r"^filter: expected a text, got 5$"):
        people.rows("users", filter=5)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match=r"^filter: expected a text, got None$"):
        people.aggregate("users", filter=None, count=True)  # type: ignore[arg-type]


def test_a_text_leaves_out_the_same_rows_everywhere(people: Session) -> None:
    """In the grid, in profiles, in groups, in pictures, in files, and in the plan."""
    people.create_index("users", "age")
    for where, text, names in (
        ((), "an", ["ann"]),
        ((), "BO", ["bob"]),
        ((), "41", ["ann"]),
        (["age", "<", 30], "N", []),
        (["age", ">=", 25], "o", ["bob"]),
    ):
        page = people.rows("users", where=where, filter=text)
        assert ([row.key for row in page.rows], page.filtered) == (names, len(names))
        told = people.profile("users", "age", where=where, filter=text)
        assert told.count + told.missing == len(names)
        (group,) = people.aggregate("users", where=where, filter=text, count=True)
        assert group.count == len(names)
        found = people.points("users", "age", "age", where=where, filter=text)
        assert found.rows == len(names)
        for kind in ("csv", "json", "jsonl"):
            file = io.StringIO()
            written = people.export_data("users", file, format=kind, where=where, filter=text)
            assert written.rows == len(names)
        plan = people.explain("users", where=where, filter=text, order_by="name", limit=1)
        assert (plan.rows_returned, plan.index) == (len(names), page.index)
        assert plan.rows_examined == page.rows_examined


def test_the_plan_of_a_grid_is_what_the_grid_did(session: Session) -> None:
    """Also where a query would look for a page alone."""
    fill = "for i = 1, 5000 do ext.table('t')[i] = { n = i % 50, name = 'x' .. i % 7 } end"
    assert session.evaluate(fill).ok
    session.create_index("t", "n")
    for asked, index, returned in (
        ({"where": [["n", "<", 10], ["name", "=", "x1"]]}, "t(n)", 144),
        ({"where": ["name", "=", "x1"]}, None, 715),
        ({"order_by": "name"}, None, 5000),
        ({"order_by": "n", "limit": 20}, "t(n)", 20),
        ({"limit": 20}, None, 20),
    ):
        page = session.rows("t", **asked)
        plan = session.explain("t", grid=True, **asked)
        assert (plan.index, plan.rows_returned) == (index, returned)
        # A query looks whether there is one more.
        beyond = 1 if "limit" in asked else 0
        assert (page.index, page.rows_examined + beyond) == (index, plan.rows_examined)


def test_no_such_table(people: Session) -> None:
    for ask in (lambda: people.rows("users.nobody"), lambda: people.profile("nobody", "age")):
        with pytest.raises(QueryError, match="there is no table"):
            ask()


# Changing by literals


def test_a_literal_is_set(people: Session) -> None:
    assert people.set_literal("users.ann.age", "42").values == (41,)
    assert people.get("users.ann.age") == 42
    assert people.set_literal("users.new", "{name = 'New', tags = {1, 2}}").values == (None,)
    assert people.get("users.new.tags[2]") == 2
    assert people.set_literal("users.new", "nil").ok
    assert people.get("users.new") is None
    assert people.history()[0].source == "users.new = nil"
    people.undo()
    assert people.get("users.new.name") == "New"


def test_a_row_is_added(people: Session) -> None:
    assert people.add_row("users", "{name = 'Next'}").values == (1,)
    assert people.add_row("users", "{}", key='"eve"').values == ("eve",)
    found = problem(people.add_row("users", "{}", key='"eve"'))
    assert found.message == "there is a row users.eve already"
    assert people.add_row("others", "1").values == (1,)
    for arguments in ({"text": "nil"}, {"text": "1", "key": "{}"}, {"text": "os.exit()"}):
        with pytest.raises(SessionError, match=r"value:|key:"):
            people.add_row("users", **arguments)


def test_globals_are_set(people: Session) -> None:
    people.evaluate("t = { deep = {} } u = ext.table('users')")
    assert people.set_literal("_G.t.deep.x", "{1}").values == (None,)
    assert people.evaluate("t.deep.x[1]").values == (1,)
    assert people.set_literal("_G.word", "'new'").ok
    assert people.evaluate("word").values == ("new",)
    assert people.set_literal("_G.word", "nil").values == ("new",)
    assert people.set_literal("_G.Memory.n", "1").ok
    assert people.set_literal("_G.u.ann.age", "5").values == (41,)
    assert (people.get("Memory.n"), people.get("users.ann.age")) == (1, 5)
    assert people.add_row("_G.t.deep", "'row'").values == (1,)
    assert [table.name for table in people.tables()] == ["Memory", "users"]
    found = problem(people.set_literal("_G.t.nothing.x", "1"))
    assert found.message == "_G.t.nothing is nil, not a table"
    for path in ("_G.word.x.y", "_G.print.x"):
        assert "not a table" in problem(people.set_literal(path, "1")).message


def test_schemas_have_their_say(people: Session) -> None:
    people.drop("users")
    people.set_schema("strict", {"fields": {"age": "integer"}, "extra": False})
    found = problem(people.add_row("strict", "{age = 'old'}"))
    assert "expected integer, got string" in found.message
    assert people.add_row("strict", "{age = 1}").ok
    assert "expected integer" in problem(people.set_literal("strict[1].age", "'x'")).message


def test_what_was_examined_is_what_the_index_leads_to(session: Session) -> None:
    fill = 'for i = 1, 100 do ext.table("t")[i] = { n = i % 50, name = "n" .. i } end'
    assert session.evaluate(f'{fill} ext.index("t", "n")').ok
    where = [("n", "between", 40, 41), ("name", "endsWith", "1")]
    page = session.rows("t", where=where)
    assert (page.filtered, page.index, page.rows_examined) == (2, "t(n)", 4)
    assert session.explain("t", where=where).rows_examined == 4
    assert session.rows("t", where=[("name", "=", "n1")]).rows_examined == 100


def whole(session: Session, path: str) -> tuple[str, bool]:
    data = whole_to_json(session.whole(path))
    json.dumps(data, allow_nan=False)
    return str(data["text"]), bool(data["complete"])


def test_a_value_is_shown_whole(people: Session) -> None:
    assert whole(people, "users.ann.age") == ("41", True)
    source = 'Memory.long = ("line\\n"):rep(5000) Memory.bytes = "\\xff" Memory.f = print'
    assert people.evaluate(source).ok
    assert people.whole("Memory.long") == "line\n" * 5000
    assert whole(people, "Memory.bytes") == (r'"\xFF"', True)
    assert whole(people, "users.ann") == ('{age = 41, name = "Ann", tags = {"admin"}}', True)
    assert whole(people, "Memory.deep") == ("{{{{{}}}}}", True)
    assert whole(people, "Memory.f") == ("<print>", False)
    text, complete = whole(people, "Memory")
    assert "line" in text
    assert not complete, "a function is no source"


def test_of_what_is_too_long_there_is_the_beginning(session: Session) -> None:
    source = """
        Memory.long = ("x"):rep(1000001)
        Memory.round = {} Memory.round.self = Memory.round
        Memory.many = {} for i = 1, 10001 do Memory.many[i] = i end
    """
    assert session.evaluate(source).ok
    text, complete = whole(session, "Memory.long")
    assert (len(text), complete) == (1_000_000, False)
    assert text.endswith("(1000001 bytes)")
    assert whole(session, "Memory.round") == ("{self = <cycle>}", False)
    text, complete = whole(session, "Memory.many")
    assert text.endswith(" 10000,\n  ...\n}")
    assert not complete


def test_only_what_is_stored_is_shown_whole(people: Session) -> None:
    for path, reason in (
        ("users.nobody", "there is nothing at users.nobody"),
        ("_G.print", "is not stored; `inspect` looks at it in the VM"),
    ):
        with pytest.raises(SessionError, match=reason):
            people.whole(path)


def test_the_text_of_a_float_is_that_float() -> None:
    # A path leads back to its entry, and a cell that is edited and left as it was is as it was.
    with Session.open() as session:
        session.evaluate("Memory.t = { [0.1 + 0.2] = 'key', value = 0.1 + 0.2, large = 2^53 + 2 }")
        by_key, large, value = session.inspect("Memory.t").entries
        assert by_key.path == "Memory.t[0.30000000000000004]"
        assert session.inspect(by_key.path).value == "key"
        assert (large.value, value.value) == (2**53 + 2, 0.1 + 0.2)
        assert scalar_text(2.0**53 + 2) == "9007199254740994.0"
        session.set_literal("Memory.t.value", scalar_text(0.1 + 0.2))
        assert session.evaluate("Memory.t.value == 0.1 + 0.2").values == (True,)
