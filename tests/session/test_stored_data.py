"""What a session has stored, seen from Python: tables, and the file."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, cast

import pytest

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.model import Preview, StoredTable
from lua_ls_persist.paths import Key, keys_of
from lua_ls_persist.paths import Path as Path_
from lua_ls_persist.session import Session
from tests.session.helpers import problem, value
from tests.session.library import filled
from tests.session.persistent import Restarted

__all__ = ["filled"]

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
    assert found.message == f"bad argument #1 to '{function}' (a table's name is UTF-8 text)"
    caught = session.evaluate(rf"return (pcall(ext.{function}, '\xff'))")
    assert caught.values == (False,)
    assert [table.name for table in session.tables()] == ["Memory", r"\xff"]


def test_what_is_wrong_with_the_name_of_a_permanent(session: Session) -> None:
    found = problem(session.evaluate("ext.permanent('', print)"))
    assert found.message == (
        "bad argument #1 to 'permanent' (a permanent's name has 1 to 1000 bytes, none of them zero)"
    )


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


@pytest.mark.parametrize("key", [None, float("nan")])
def test_keys_that_no_entry_has(session: Session, key: Any) -> None:
    for path in (["Memory", key], ["Memory", key, "x"]):
        with pytest.raises(SessionError, match="None and NaN are no keys"):
            session.set(path, 1)


@pytest.mark.parametrize("key", [[1], {}, object(), 1j])
def test_what_is_no_key(session: Session, key: Any) -> None:
    kind = type(key).__name__
    for use in (session.get, session.inspect, session.whole, session.delete):
        with pytest.raises(SessionError, match=f"strings, numbers and booleans, no {kind}$"):
            use(["Memory", key])
    with pytest.raises(SessionError, match=r"^5 is no path: give a text, or a list of keys$"):
        session.get(cast("Any", 5))


def test_keys_that_are_no_text(session: Session) -> None:
    path = cast("Any", ["Memory", b"\xff"])
    session.set(path, 1)
    assert session.get(path) == session.get(["Memory", "\udcff"]) == 1
    assert session.evaluate(r"return Memory['\xff']").values == (1,)
    assert session.delete(path).ok
    assert session.get(path) is None


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_keys_that_are_no_integers_of_lua(session: Session, number: int) -> None:
    paths: list[Path_] = [f"Memory[{number}]", ["Memory", number]]
    for path in paths:
        with pytest.raises(SessionError, match=f"^{number} is no integer of Lua"):
            session.get(path)
        with pytest.raises(SessionError, match=f"^{number} is no integer of Lua"):
            session.compress(path)


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
