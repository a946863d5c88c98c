"""Looks at values of the VM: what they find, and that nothing is left of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session, inspection
from lua_ls_persist.session.data_look import LIBRARIES
from lua_ls_persist.session.sights import ANY, Question, Sight, Way


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    # What is found is asked here, not how soon on a machine that does other things, too.
    monkeypatch.setattr(inspection, "LOOK_TIME_LIMIT_S", 30.0)
    with Session.open() as session:
        yield session


def run(session: Session, source: str) -> None:
    result = session.evaluate(source, name="main.lua", mode="chunk")
    assert result.ok, result.problems


def look(session: Session, *steps: object, root: str | None = None, **wanted: object) -> Sight:
    question = Question(Way(steps, root), **wanted)  # type: ignore[arg-type]
    (found,) = session.look([question])
    assert found is not None
    return found


def nothing(session: Session, *steps: object, root: str | None = None) -> bool:
    return session.look([Question(Way(steps, root))]) == [None]  # type: ignore[arg-type]


def image(session: Session) -> bytes:
    return session._life.call(lambda runner: bytes(runner.machine.capture().content()))


# What is found


def test_values(session: Session) -> None:
    run(session, "a, b, c, d, e = 1, 1.5, 'text', true, coroutine.create(print)  t = {x = {y = 2}}")
    types = [look(session, name, value=True).type for name in "abcde"]
    assert types == ["integer", "float", "string", "boolean", "thread"]
    assert look(session, "a", value=True).value == 1
    assert look(session, "t", "x", "y", value=True).value == 2
    assert look(session, "c").value is None, "it was not wanted"
    assert nothing(session, "nope")
    assert nothing(session, "a", "b", "c")
    assert nothing(session, root="none")


def test_keys_through_metatables(session: Session) -> None:
    run(
        session,
        """
        Base = {greet = function(self, name) end, shared = 1}
        Derived = setmetatable({own = 'é', shared = 2}, {__index = Base})
        """,
    )
    found = {key.key: key for key in look(session, "Derived", keys=True).listed()}
    assert set(found) == {"own", "shared", "greet"}
    assert found["own"][1:] == ("string", "é", 0)
    assert found["shared"][1:] == ("number", "2", 0)
    assert found["greet"][1:] == ("function", ["self", "name"], 1)
    assert look(session, "Derived", "greet").function is not None
    assert [key.key for key in look(session, "Derived", keys=True).listed("OW")] == ["own"]


def test_methods_of_strings(session: Session) -> None:
    run(session, "text = 'abc'")
    keys = [key.key for key in look(session, "text", keys=True).listed()]
    assert set(LIBRARIES["string"].split()) == set(keys)
    function = look(session, "text", "format").function
    assert function is not None
    assert (function.c, function.name) == (True, "string.format")


def test_functions(session: Session) -> None:
    run(
        session,
        "\nfunction f(a, b, ...)\nend\ncalled = setmetatable({}, {__call = f})\ng = ext.query",
    )
    function = look(session, "f").function
    assert function is not None
    assert (function.source, function.line, function.last_line) == ("main.lua", 2, 3)
    assert function.signature == "a, b, ..."
    called = look(session, "called")
    assert called.is_called
    assert called.function == function
    builtin = look(session, "g").function
    assert builtin is not None
    assert builtin.name == "ext.query"


def test_external_tables(session: Session) -> None:
    run(
        session,
        """
        local users = ext.table('users')
        for i = 1, 300 do users['u' .. i] = {name = 'N' .. i, age = i, home = {city = 'X'}} end
        users[7] = {age = 1.5}
        ext.index('users', 'age')
        Memory.deep = {users = users}
        """,
    )
    found = look(session, root="users", keys=True, prefix="u29", fields="elements", stored=True)
    assert [key.key for key in found.listed()] == ["u29", *(f"u29{digit}" for digit in range(10))]
    assert found.complete
    assert found.stored is not None
    assert (found.stored.root, found.stored.rows) == ("users", 301)
    assert [index.name for index in found.stored.indexes] == ["users(age)"]
    assert found.records is not None
    by_name = {field.name: field for field in found.records.fields}
    assert set(by_name) == {"name", "age", "home"}
    assert by_name["age"].types == {"integer": 49, "float": 1}
    assert not look(session, root="users", keys=True).complete
    home = look(session, ANY, "home", root="users", fields="own")
    assert home.records is not None
    assert [field.name for field in home.records.fields] == ["city"]
    deep = look(session, "Memory", "deep", "users", "u5", "name", value=True)
    assert deep.value == "N5"


def test_names_of_named_tables(session: Session) -> None:
    run(
        session,
        """
        all, other, both = ext.table('users'), ext.table('two words'), ext.table('users')
        row, plain, anonymous = Memory, {}, ext.table()
        users = setmetatable({}, {__index = ext.table('users')})
        _G[1], _G["odd name"] = all, other
        """,
    )
    assert look(session, holders=True).holders == {
        "Memory": "Memory",
        "row": "Memory",
        "all": "users",
        "both": "users",
        "other": "two words",
        "odd name": "two words",
    }
    assert look(session, holders=False).holders == {}
    assert look(session, "all", holders=True).holders == {}


def test_fields_of_plain_records(session: Session) -> None:
    run(session, "list = {{a = 1}, {a = 'x', b = 2}, 3}")
    records = look(session, "list", fields="elements").records
    assert records is not None
    assert (records.sampled, records.records) == (3, 2)
    assert [(one.name, one.count, one.types) for one in records.fields] == [
        ("a", 2, {"integer": 1, "string": 1}),
        ("b", 1, {"integer": 1}),
    ]


# Hostile and odd values


HOSTILE = """
touched = 0
local function touch() touched = touched + 1 error('no') end
hostile = setmetatable({own = 1}, {
  __index = touch, __newindex = touch, __tostring = touch, __len = touch, __pairs = touch,
  __call = touch, __eq = touch, __gc = touch, __name = 'Hostile', __metatable = 'locked',
  __close = touch, __concat = touch, __lt = touch,
})
string.format, string.sub, table.concat = touch, touch, touch
next, type, rawget = touch, touch, touch
getmetatable('').__index = setmetatable({}, {__index = touch})
"""


def test_nothing_of_the_program_runs(session: Session) -> None:
    run(session, HOSTILE)
    found = look(session, "hostile", keys=True, value=True, fields="own")
    assert found.name == "Hostile"
    assert [key.key for key in found.listed()] == ["own"]
    assert nothing(session, "hostile", "missing")
    assert look(session, keys=True, holders=True).complete
    assert look(session, "touched", value=True).value == 0


def test_no_trace(session: Session) -> None:
    run(session, HOSTILE + "for i = 1, 5 do setmetatable({}, {__gc = touch}) end")
    run(session, "ext.table('rows')[1] = {a = 1}")
    before = image(session)
    for _ in range(3):
        look(session, keys=True, value=True, holders=True)
        look(session, root="rows", keys=True, fields="elements", stored=True, value=True)
    assert image(session) == before
    assert nothing(session, root="never_made")
    assert [table.name for table in session.tables()] == ["Memory", "rows"]


def test_a_hook_of_the_program(session: Session) -> None:
    run(session, "hooked = 0 debug.sethook(function() hooked = hooked + 1 end, 'crl', 1)")
    first = look(session, "hooked", value=True).value
    assert look(session, "hooked", value=True).value == first
    run(session, "debug.sethook()")


def test_cycles(session: Session) -> None:
    run(session, "a = {} a.__index = a setmetatable(a, a) b = {a = a} a.b = b Memory.m = b")
    assert {key.key for key in look(session, "a", keys=True, value=True).listed()} == {
        "__index",
        "b",
    }
    assert nothing(session, "a", "nothing")
    run(
        session,
        "local x, y = {}, {} setmetatable(x, {__index = y}) setmetatable(y, {__index = x}) l = x",
    )
    assert list(look(session, "l", keys=True).listed()) == []
    assert nothing(session, "l", "k")


def test_weird_keys(session: Session) -> None:
    run(
        session,
        r"""
        t = {[1] = 'a', [2.5] = 'b', [true] = 'c', [print] = 'd', [''] = 'e', ['a"b\\\n\0'] = 'f',
          ['\xff\xfe'] = 'g', ['é'] = 'h', [('x'):rep(1000)] = 'i', [-3] = 'j'}
        """,
    )
    found = look(session, "t", keys=True)
    by_key = {key.key: key.shown for key in found.listed()}
    assert by_key == {
        1: "a",  # and True: they are the same key for Python
        "": "e",
        'a"b\\\n\0': "f",
        "\\xff\\xfe": "g",
        "é": "h",
        -3: "j",
    } | {True: by_key[True]}
    assert found.chain[0].other == 3


def test_huge_tables(session: Session) -> None:
    run(
        session,
        """
        big, long = {}, {}
        for i = 1, 50000 do big['k' .. i] = i end
        for i = 1, 1e5 do long[i] = i end
        """,
    )
    found = look(session, "big", keys=True)
    assert not found.complete
    assert 10_000 < len(list(found.listed())) < 50_000
    assert look(session, "long", keys=True, value=True).length == 100_000


def test_long_strings_are_cut(session: Session) -> None:
    run(session, "t = {s = ('x'):rep(1e6)}")
    (key,) = look(session, "t", keys=True).listed()
    assert isinstance(key.shown, str)
    assert len(key.shown) < 100


# Remembered answers


def test_answers_are_kept_until_something_changes(session: Session) -> None:
    run(session, "x = 1")
    inspector = session._inspector
    for _ in range(3):
        assert look(session, "x", value=True).value == 1
    assert inspector.looks == 1
    run(session, "x = 2")
    assert look(session, "x", value=True).value == 2
    assert inspector.looks == 2
    session.evaluate("x = 3 error('undone')")
    assert look(session, "x", value=True).value == 2
    session.restart()
    assert nothing(session, "x")


def test_what_is_asked_again_and_again_is_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "ANSWERS_KEPT_MAX", 20)
    run(session, "for n = 1, 100 do _G['x' .. n] = n end")
    inspector = session._inspector
    for number in range(1, 41):
        assert look(session, f"x{number}", value=True).value == number
        assert look(session, "x100", value=True).value == 100
    assert inspector.looks == 40 + 1, "x100 was looked for once"
    assert look(session, "x1", value=True).value == 1
    assert inspector.looks == 40 + 2, "what was not is forgotten in the end"
    many = [Question(Way((f"x{number}",)), value=True) for number in range(1, 101)]
    for _ in range(2):
        values = [sight and sight.value for sight in session.look(many)]
        assert values == list(range(1, 101)), "more at once than are kept"


def test_undo_is_a_change(session: Session) -> None:
    run(session, "Memory.n = 1")
    run(session, "Memory.n = 2")
    assert look(session, "Memory", "n", value=True).value == 2
    session.undo()
    assert look(session, "Memory", "n", value=True).value == 1


def test_an_index_and_a_schema_are_changes(session: Session) -> None:
    run(session, "ext.table('users').ann = {age = 1}")

    def seen() -> tuple[int, bool]:
        stored = look(session, root="users", stored=True).stored
        assert stored is not None
        return len(stored.indexes), stored.schema is not None

    assert seen() == (0, False)
    session.create_index("users", "age")
    assert seen() == (1, False)
    session.set_schema("users", {"fields": {"age": "integer"}})
    assert seen() == (1, True)
    session.drop_index("users", "age")
    assert seen() == (0, True)
    looks = session._inspector.looks
    assert seen() == (0, True)
    assert session._inspector.looks == looks


def test_commits_of_others_are_a_change(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as one, Session.open(path) as other:
        run(one, "Memory.n = 1")
        assert look(one, "Memory", "n", value=True).value == 1
        run(other, "Memory.n = 2")
        assert look(one, "Memory", "n", value=True).value == 2


def test_where_nobody_vouches_for_the_code(tmp_path: Path) -> None:
    """Stored functions are not even loaded."""
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        run(session, "Memory.f = function(a) end Memory.t = {x = 1}")
    with Session.open(path, runs_code=False) as session:
        function = look(session, "Memory", "f").function
        assert function is not None
        assert (function.c, function.parameters) == (True, ())
        assert look(session, "Memory", "t", "x", value=True).value == 1
        assert [one.path for one in session.functions()] == ["Memory.f"]


def test_ways_as_text() -> None:
    assert str(Way(("a", "b c", 3, ANY))) == 'a["b c"][3][...]'
    assert str(Way(("x",), "users")) == "users.x"
    assert str(Way((), "a table")) == 'ext.table("a table")'


def test_the_libraries_are_those_of_the_core(session: Session) -> None:
    for library, names in LIBRARIES.items():
        source = f"""
            local t = {{}}
            for name, value in next, {library or "_G"} do
              if type(value) == 'function' then t[#t + 1] = name end
            end
            table.sort(t)
            return table.concat(t, ' ')
        """
        assert session.evaluate(source).values == (" ".join(sorted(names.split())),), library
