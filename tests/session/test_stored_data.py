"""What a session has stored, seen from Python."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import SessionError, StoreError, WireError
from lua_ls_persist.model import Preview, StoredTable, Upvalue
from lua_ls_persist.paths import Key, keys_of
from lua_ls_persist.session import Session
from tests.session.helpers import problem, value
from tests.session.persistent import Restarted

SETUP = """
local calls, seen = 0, { "first" }
function Memory.calculate(x, y, ...)
  calls = calls + 1
  seen[calls + 1] = { x, y }
  return x * y + 100
end
Memory.lib = { deep = { fail = function(message)
  error(message)
end } }
Memory.echo = function(...) return ... end
Memory.callable = setmetatable({}, { __call = function(_, x) return x end })
"""


@pytest.fixture(params=["on a file", "in memory"])
def filled(request: pytest.FixtureRequest, path: Path) -> Iterator[Session]:
    with Session.open(path if request.param == "on a file" else None) as session:
        assert session.evaluate(SETUP, name="lib.lua", line=10).ok
        yield session


# Tables


def test_tables(session: Session) -> None:
    assert session.tables() == [StoredTable("Memory", 0, 1)]
    session.evaluate("ext.table('users').ann = 1 ext.table('a b') Memory.x = 1")
    assert [(table.name, table.entries) for table in session.tables()] == [
        ("Memory", 1),
        ("a b", 0),
        ("users", 1),
    ]
    assert session.info("users") == session.tables()[2]
    assert session.info() == session.tables()[0]
    assert session.info("none") is None


@pytest.mark.parametrize("function", ["table", "drop"])
def test_names_are_utf8(session: Session, function: str) -> None:
    # In other words than its own it would be the name of another table.
    session.evaluate(r"ext.table('\\xff').mine = 1")
    found = problem(session.evaluate(rf"return ext.{function}('\xff')"))
    assert found.message == r"b'\xff' cannot name a table: names are UTF-8 text."
    assert [table.name for table in session.tables()] == ["Memory", r"\xff"]


def test_get(filled: Session) -> None:
    filled.evaluate(
        """
        Memory.t = { 1, 2.5, "three", true, [-1] = "minus", [1.5] = "half", [true] = "yes" }
        Memory.t["a b"] = { ["c\\"d"] = "\\xff" }
        Memory.nan, Memory.inf = 0/0, math.huge
        ext.table("my users").ann = print
        """
    )
    for path, expected in {
        "Memory.t[1]": 1,
        "Memory.t[2]": 2.5,
        "Memory.t[3]": "three",
        "Memory.t[4]": True,
        "Memory.t[-1]": "minus",
        "Memory.t[1.5]": "half",
        "Memory.t[1.0]": 1,
        "Memory.t[true]": "yes",
        'Memory.t["a b"]["c\\"d"]': b"\xff",
        "Memory.inf": math.inf,
        "Memory.none": None,
        "Memory.none.deeper": None,
        "Memory.t[1].deeper": None,
        "none.x": None,
    }.items():
        assert filled.get(path) == expected, path
    nan = filled.get("Memory.nan")
    assert isinstance(nan, float)
    assert math.isnan(nan)
    assert filled.get(["Memory", "t", 3]) == "three"
    function = filled.get("ext.table('my users').ann")
    assert isinstance(function, Preview)
    assert (function.kind, function.text) == ("function", "<print>")


def test_a_look_at_a_table_is_bounded(filled: Session) -> None:
    filled.evaluate(
        """
        Memory.cycle = { 1 } Memory.cycle.self = Memory.cycle
        Memory.deep = { { { { { "bottom" } } } } }
        Memory.many = {} for i = 1, 1000 do Memory.many[i] = i end
        """
    )
    cycle, deep, many = (filled.get(f"Memory.{name}") for name in ("cycle", "deep", "many"))
    assert isinstance(cycle, Preview)
    assert isinstance(deep, Preview)
    assert isinstance(many, Preview)
    assert cycle.text == "{1, self = <cycle>}"
    assert deep.text == "{{{{...}}}}"
    assert many.omitted
    assert 10 < len(many.entries) < 100
    assert many.entries[0] == (1, 1)


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("Memory", ["Memory"]),
        (" Memory . x ", ["Memory", "x"]),
        ("users[1][-2]", ["users", 1, -2]),
        ("users[1.5][1e3]", ["users", 1.5, 1000.0]),
        ("users['it\\'s'][\"x\\ty\"]", ["users", "it's", "x\ty"]),
        ("ext.table('a b').c", ["a b", "c"]),
        ('ext.table("x")', ["x"]),
        ("ext.tables", ["ext", "tables"]),
        ("M[true][false]", ["M", True, False]),
    ],
)
def test_paths(path: str, keys: list[Key]) -> None:
    assert keys_of(path) == keys
    assert keys_of(keys) == keys


@pytest.mark.parametrize(
    "path",
    ["", ".x", "1", "Memory.", "Memory[", "Memory[]", "Memory[x]", "Memory.1", "a b", "a.b c"],
)
def test_what_is_no_path(path: str, session: Session) -> None:
    with pytest.raises(SessionError, match="is no path"):
        session.get(path)


def test_keys_that_are_no_path(session: Session) -> None:
    with pytest.raises(SessionError, match="begins with the name of a table"):
        session.get([])
    with pytest.raises(SessionError, match="begins with the name of a table"):
        session.get([1, 2])


def test_drop(filled: Session) -> None:
    filled.evaluate("ext.table('users').ann = { x = 1 }")
    assert filled.drop("users") is True
    assert filled.drop("users") is False
    assert filled.info("users") is None
    assert value(filled, "ext.table('users').ann") is None
    filled.evaluate("collectgarbage()")
    assert filled.collect().tables == 0  # it could be undone
    filled.forget_history()
    assert filled.collect().tables == 2


# Functions


def test_functions(filled: Session) -> None:
    filled.evaluate("Memory.calculate(1, 2)")
    functions = {function.path: function for function in filled.functions()}
    assert set(functions) == {
        "Memory.calculate",
        "Memory.lib.deep.fail",
        "Memory.echo",
        "getmetatable(Memory.callable).__call",
    }
    calculate = functions["Memory.calculate"]
    assert (calculate.name, calculate.signature) == ("calculate", "x, y, ...")
    assert (calculate.parameters, calculate.is_vararg) == (("x", "y"), True)
    assert (calculate.location, calculate.line, calculate.last_line) == ("lib.lua:13", 13, 17)
    assert calculate.text.startswith("function Memory.calculate(x, y, ...)\n  calls = calls + 1\n")
    assert calculate.text.endswith("\nend")
    assert calculate.size_bytes > 50
    assert calculate.problem == ""
    calls, seen = calculate.upvalues
    assert calls == Upvalue("calls", 1)
    assert isinstance(seen.value, Preview)
    assert (seen.name, seen.value.text) == ("seen", '{"first", {1, 2}}')
    fail = functions["Memory.lib.deep.fail"]
    assert (fail.name, fail.signature, fail.line) == ("fail", "message", 18)
    assert fail.upvalues[0].name == "_ENV"


def test_functions_whose_source_is_text(session: Session) -> None:
    session.evaluate("Memory.f = load('local a = ...\\nreturn function(b) return a + b end')(1)")
    (function,) = session.functions()
    assert function.chunk == '[string "local a = ......"]'
    assert (function.line, function.text) == (2, "return function(b) return a + b end")


def test_no_functions(session: Session) -> None:
    session.evaluate("Memory.f = print function g() end")
    assert session.functions() == []


# Calls


def test_call(filled: Session) -> None:
    result = filled.call("Memory.calculate", 3, 4)
    assert (result.ok, result.values, result.text) == (True, (112,), "112")
    assert filled.call("Memory.echo", None, [1, {"a": b"\xff"}], None).text == (
        'nil, {1, {a = "\\xFF"}}, nil'
    )
    assert filled.call(["Memory", "echo"]).values == ()
    assert filled.call("Memory.callable", 5).values == (5,)
    assert filled.submit_call("Memory.calculate", 1, 1).result(10).values == (101,)
    assert value(filled, "select(2, debug.getupvalue(Memory.calculate, 1))") == 2


def test_a_call_is_an_evaluation(filled: Session) -> None:
    filled.evaluate("function Memory.bad() Memory.x = 1 error('no') end")
    filled.evaluate("function Memory.loop() while true do end end")
    assert problem(filled.call("Memory.bad")).message == "no"
    assert value(filled, "Memory.x") is None
    assert problem(filled.call("Memory.loop", time_limit_s=0.05)).kind == "timeout"
    printed: list[str] = []
    filled.evaluate("function Memory.say(...) print(...) end")
    result = filled.call("Memory.say", "hi", 1, on_output=lambda piece: printed.append(piece.text))
    assert (result.output_text, "".join(printed)) == ("hi\t1\n", "hi\t1\n")


def test_the_traceback_of_a_call(filled: Session) -> None:
    found = problem(filled.call("Memory.lib.deep.fail", "planned"))
    assert (found.message, found.chunk, found.line) == ("planned", "lib.lua", 19)
    assert [(frame.chunk, frame.line, frame.function) for frame in found.traceback] == [
        ("[C]", None, "function 'error'"),
        ("lib.lua", 19, "function 'Memory.lib.deep.fail'"),
    ]


@pytest.mark.parametrize(
    ("called", "message"),
    [
        ("Memory.none", "Memory.none is nil, not a function"),
        ("Memory.none.x.y", "Memory.none.x.y is nil, not a function"),
        ("Memory.lib", "Memory.lib is a table, not a function"),
        ("none", "none is nil, not a function"),
        ("none.f", "none.f is nil, not a function"),
    ],
)
def test_a_call_of_no_function(filled: Session, called: str, message: str) -> None:
    found = problem(filled.call(called))
    assert (found.kind, found.message, found.chunk) == ("runtime", message, "")
    assert [table.name for table in filled.tables()] == ["Memory"], "no table was made"


def test_arguments_of_a_call_that_make_no_sense(filled: Session) -> None:
    with pytest.raises(SessionError, match="is no path"):
        filled.call("not a path")
    with pytest.raises(WireError):
        filled.call("Memory.echo", 2**64)
    with pytest.raises(SessionError, match="time_limit_s"):
        filled.call("Memory.echo", time_limit_s=0)


# Code that is refused


def altered(path: Path) -> None:
    """Change a byte in each piece of bytecode, as somebody with the file could."""
    connection = apsw.Connection(str(path))
    for code_id, code in connection.execute("SELECT id, bytecode FROM code").fetchall():
        assert isinstance(code, bytes)
        changed = code[:-1] + bytes((code[-1] ^ 1,))
        connection.execute("UPDATE code SET bytecode = ? WHERE id = ?", (changed, code_id))
    connection.close()


def test_altered_code_is_refused_and_compiled_again(stored: Restarted) -> None:
    stored.evaluate(SETUP, name="lib.lua", line=10)
    stored.run("Memory.calculate(1, 1)")
    stored.session.close()
    altered(stored.path)
    stored.session = session = Session.open(stored.path, resume=False)
    found = problem(session.call("Memory.calculate", 3, 4))
    assert "lib.lua:13 was not signed by you, or was altered" in found.message
    assert stored.run("type(Memory.calculate), Memory.lib.deep.fail ~= nil") == ("function", True)
    functions = {function.path: function for function in session.functions()}
    assert functions["Memory.calculate"].problem == "its code was not signed by you, or was altered"
    session.recompile("Memory.calculate")
    assert session.call("Memory.calculate", 3, 4).values == (112,)
    (calls, _) = next(
        function for function in session.functions() if function.name == "calculate"
    ).upvalues
    assert calls.value == 2, "the cells are the same"
    assert session.call("Memory.lib.deep.fail", "x").ok is False
    stored.again(resume=False)
    assert stored.session.call("Memory.calculate", 3, 4).values == (112,)


def test_recompiling_every_kind_of_function(stored: Restarted) -> None:
    source = """
    local up = 1
    function Memory.a(x) return x + up end
    Memory.t = { b = function(...) local function inner() return up end return inner, ... end }
    Memory.inner = Memory.t.b()
    Memory.c = load("local y = 5 return function() y = y + 1 return y end")()
    Memory.d = load("return 7")
    return (function(z) Memory.e = function() return z, up end end)(9)
    """
    look = "Memory.a(1), Memory.inner(), Memory.c(), Memory.d(), select('#', Memory.t.b(1, 2))"
    stored.evaluate(source, name="all.lua", line=3)
    stored.evaluate("(function() Memory.f = function() return 'f' end end)()")
    assert stored.run(look) == (2, 1, 6, 7, 3)
    stored.session.close()
    altered(stored.path)
    stored.session = Session.open(stored.path, resume=False)
    for function in stored.session.functions():
        assert function.problem, function.path
        stored.session.recompile(function.path)
    assert [function.problem for function in stored.session.functions() if function.problem] == []
    assert stored.run(look) == (2, 1, 7, 7, 3)
    assert stored.run("Memory.e()") == (9, 1)
    assert stored.run("Memory.f()") == ("f",)
    assert stored.session.integrity() == []


def test_what_cannot_be_compiled_again(stored: Restarted) -> None:
    stored.run("function Memory.f(a) return a end")
    with pytest.raises(SessionError, match=r"there is no stored function Memory\.g"):
        stored.session.recompile("Memory.g")
    stored.session.close()
    connection = apsw.Connection(str(stored.path))
    for text, message in {
        "'function Memory.f(b) return b, b end function g() end'": "",
        "'function Memory.f() end'": "defines another function",
        "'local x = 1'": "fewer functions than it had",
        "'this is not Lua'": "cannot be compiled",
        "NULL": "is not stored",
    }.items():
        connection.execute(f"UPDATE sources SET text = {text}, compressed = 0")
        with Session.open(stored.path, resume=False) as session:
            if message:
                with pytest.raises(StoreError, match=message):
                    session.recompile("Memory.f")
            else:
                session.recompile("Memory.f")
    connection.close()


# The file


def test_collect_and_vacuum(filled: Session) -> None:
    filled.evaluate("for i = 1, 2000 do Memory[i] = { ('x'):rep(200) .. i } end")
    filled.evaluate("for i = 1, 2000 do Memory[i] = nil end")
    filled.evaluate("collectgarbage()")
    filled.forget_history()
    seen: list[tuple[str, int]] = []
    removed = filled.collect(on_progress=lambda what, done: seen.append((what, done)))
    assert removed.tables == 2000
    assert {what for what, _ in seen} <= {"marking", "listing", "removing"}
    assert filled.collect().tables == 0
    if filled.path is not None:
        before = filled.sizes().file_bytes
        smaller = filled.vacuum()
        assert smaller > 0
        assert filled.path.stat().st_size == before - smaller
    assert filled.call("Memory.calculate", 1, 1).values == (101,)
    assert filled.integrity() == []


def test_what_the_vm_holds_is_not_collected(filled: Session) -> None:
    filled.evaluate("Memory.t = { x = { 1 } } held = Memory.t Memory.t = nil")
    filled.evaluate("function Memory.f() end f = Memory.f Memory.f = nil")
    assert filled.collect().tables == 0
    filled.evaluate("Memory.again, Memory.f = held, f")
    assert filled.get("Memory.again.x[1]") == 1
    assert filled.integrity() == []


def test_sizes(filled: Session) -> None:
    sizes = filled.sizes()
    assert sizes.functions == 4
    assert sizes.tables == 6
    assert sizes.entries > 6
    filled.evaluate("Memory.x = { 1, 2, 3 }")
    assert filled.sizes().entries == sizes.entries + 4


def test_backup_and_restore(filled: Session, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    pages: list[tuple[int, int]] = []
    filled.backup(backup, on_progress=lambda done, total: pages.append((done, total)))
    assert pages[-1][0] == pages[-1][1] > 0
    filled.evaluate("Memory.calculate = nil x = 1 Memory.new = { 1 } new = Memory.new")
    filled.restore(backup)
    assert filled.started == "The session was restored from a backup."
    assert filled.evaluate("Memory.new, x").values == (None, None)
    assert filled.call("Memory.calculate", 1, 2).values == (102,)
    with Session.open(backup) as copy:
        assert copy.call("Memory.calculate", 1, 2).values == (102,)
    with pytest.raises(StoreError, match="no file"):
        filled.restore(tmp_path / "none.db")


def test_another_session_sees_what_was_restored(stored: Restarted, tmp_path: Path) -> None:
    stored.run("Memory.x = 1")
    stored.session.backup(tmp_path / "b.db")
    with Session.open(stored.path, resume=False) as other:
        other.evaluate("Memory.x = 2 t = Memory")
        stored.session.restore(tmp_path / "b.db")
        assert other.evaluate("Memory.x, t.x").values == (1, 1)


def test_export_and_import(filled: Session) -> None:
    filled.evaluate("Memory.t = { 1, 2.0, '\\xff', [true] = 0/0 } Memory.t.self = Memory.t")
    text = io.StringIO()
    lines = filled.export_lines(text)
    assert text.getvalue().count("\n") == lines
    with Session.open() as other:
        text.seek(0)
        assert other.import_lines(text) == lines
        assert other.call("Memory.calculate", 1, 2).values == (102,)
        assert value(other, "Memory.t == Memory.t.self") is True
        assert other.get("Memory.t[2]") == 2.0
        assert other.integrity() == []
        text.seek(0)
        with pytest.raises(StoreError):
            other.import_lines(text)
        with pytest.raises(StoreError):
            other.import_lines(["nonsense"])


def test_a_vm_that_has_looked_sees_what_is_imported(session: Session) -> None:
    with Session.open() as other:
        other.evaluate("Memory.x = 1")
        text = io.StringIO()
        other.export_lines(text)
    assert value(session, "Memory.x") is None
    session.import_lines(text.getvalue().splitlines())
    assert value(session, "Memory.x") == 1


def test_memory_and_the_collector_of_the_vm_know_nothing_of_it(filled: Session) -> None:
    before = filled.sizes()
    filled.collect_garbage()
    assert filled.sizes() == before
