"""Looking into the VM without running anything: fields, memory; and collecting garbage."""

from __future__ import annotations

import logging
import time

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import Field
from lua_ls_persist.session import MEMORY_LIMIT_BYTES_DEFAULT, Session
from tests.session.helpers import line_of, problem, timed_out, value

MIB = 1024 * 1024


def names(session: Session, *path: str) -> list[str]:
    return [field.name for field in session.fields(path)]


def test_globals(session: Session) -> None:
    found = {field.name: field.type for field in session.fields()}
    assert found["print"] == "function"
    assert found["string"] == "table"
    assert found["_VERSION"] == "string"
    session.evaluate("x, y, z, w = 1, 'a', true, coroutine.create(print) v = io.stdout")
    found = {field.name: field.type for field in session.fields()}
    assert [found[name] for name in "xyzwv"] == [
        "number", "string", "boolean", "thread", "userdata",
    ]  # fmt: skip
    assert list(found) == sorted(found)


def test_paths(session: Session) -> None:
    session.evaluate("a = { b = { c = { d = 1, ['odd name'] = 2, [1] = 3, [true] = 4 } } }")
    assert session.fields(["a", "b", "c"]) == [Field("d", "number"), Field("odd name", "number")]
    assert names(session, "a") == ["b"]
    assert "rep" in names(session, "string")
    assert "string" in names(session, "_G", "_G", "package", "loaded")


@pytest.mark.parametrize(
    "path",
    [
        ["nothing"],
        ["nothing", "more"],
        ["print"],
        ["print", "x"],
        ["_VERSION", "nothing"],
        ["a\0b"],
        [""],
        ["x" * 5000],
        ["_G"] * 101,
        ["_G"] * 10_000,
        ["\ud83d"],
    ],
)
def test_paths_that_lead_nowhere(session: Session, path: list[str]) -> None:
    assert session.fields(path) == []


@pytest.mark.parametrize("length", [1, 10, 20, 50, 100])
def test_a_long_path(session: Session, length: int) -> None:
    for _ in range(10):
        assert "print" in names(session, *["_G"] * length)
    session.collect_garbage()
    assert value(session, "6 * 7") == 42


def test_names_in_any_bytes(session: Session) -> None:
    session.evaluate("t = { ['Käse'] = 1, ['\\xff'] = 2, ['a\\0b'] = 3, [''] = 4 }")
    assert set(names(session, "t")) == {"", "Käse", "\\xff", "a\0b"}
    session.evaluate("_G['Käse'] = { inner = 1 } _G['\\xff'] = { odd = 1 }")
    assert names(session, "Käse") == ["inner"]
    assert names(session, "\udcff") == ["odd"]


def test_methods(session: Session) -> None:
    """`__index` tables are followed, as an access would; a string has its library."""
    session.evaluate("""
        Class = { method = function() end }
        Class.__index = Class
        Derived = setmetatable({ extra = function() end }, Class)
        Derived.__index = Derived
        object = setmetatable({ own = 1 }, Derived)
        text = 'x'
    """)
    assert names(session, "object") == ["own"]
    assert "rep" in names(session, "text")
    assert session.fields(["object", "method"]) == []
    assert session.fields(["object", "__index"]) == session.fields(["Derived"])


def test_long_chains_of_index_tables(session: Session) -> None:
    session.evaluate("""
        class = { first = { found = 1 } }
        for level = 1, 12 do
          class.__index = class
          class = setmetatable({ ["own" .. level] = { [level] = 1, found = 2 } }, class)
        end
    """)
    for _ in range(10):
        assert names(session, "class", "first") == ["found"]
        assert names(session, "class", "own1") == ["found"]
        assert session.fields(["class", "own99"]) == []
    session.collect_garbage()
    assert value(session, "6 * 7") == 42


def test_no_code_runs(session: Session) -> None:
    session.evaluate("""
        local function no() error('this must not run') end
        trap = setmetatable({ own = 1 }, {
          __index = no, __pairs = no, __len = no, __eq = no, __name = 'Trap', __tostring = no,
        })
        circle = setmetatable({}, {})
        getmetatable(circle).__index = circle
    """)
    assert names(session, "trap") == ["own"]
    assert session.fields(["trap", "other"]) == []
    assert session.fields(["circle", "other"]) == []
    assert session.evaluate("return").ok


def test_many_fields(session: Session) -> None:
    session.evaluate("big = {} for i = 1, 30000 do big['name' .. i] = i end")
    found = session.fields(["big"])
    assert len(found) == 10_000
    assert {field.type for field in found} == {"number"}
    session.evaluate("list = {} for i = 1, 100000 do list[i] = i end list.only = 1")
    # Numbers come first in the table, and not everything is looked at.
    assert names(session, "list") in ([], ["only"])


def test_long_names(session: Session) -> None:
    session.evaluate("t = { [('n'):rep(200000)] = 1, short = 2 }")
    assert sorted(map(len, names(session, "t"))) == [5, 200_000]


def test_fields_when_there_is_no_memory_left() -> None:
    with Session.open(memory_limit_bytes=MIB) as session:
        session.evaluate(
            "full = {} pcall(function() for i = 1, 1e9 do full[i] = { i } end end) "
            "collectgarbage('stop')"
        )
        path = "n" * 4000
        for _ in range(5):
            assert session.fields([path]) == []
        assert session.memory().committed_bytes == MIB
        session.restart()
        assert value(session, "1 + 1") == 2


# Memory.


def test_memory(session: Session) -> None:
    before = session.memory()
    assert 0 < before.lua_bytes < before.used_bytes <= before.committed_bytes
    assert before.limit_bytes == MEMORY_LIMIT_BYTES_DEFAULT
    session.evaluate("blob = ('x'):rep(5000000)")
    during = session.memory()
    assert during.lua_bytes >= before.lua_bytes + 5_000_000
    assert during.committed_bytes >= 5_000_000
    session.evaluate("blob = nil")
    after = session.collect_garbage()
    assert after.lua_bytes < before.lua_bytes + 100_000
    assert after.used_bytes < during.used_bytes
    assert session.memory() == after


def test_small_vms() -> None:
    """The profile of 2 MiB: a fresh VM leaves nearly all of it to the program."""
    with Session.open(memory_limit_bytes=2 * MIB) as session:
        memory = session.memory()
        assert memory.limit_bytes == 2 * MIB
        assert memory.lua_bytes < 64 * 1024
        assert memory.used_bytes < 576 * 1024


def test_a_failed_evaluation_takes_no_memory(session: Session) -> None:
    session.evaluate("x = 1")
    before = session.memory()
    session.evaluate("t = {} for i = 1, 100000 do t[i] = { i } end error('x')")
    after = session.memory()
    assert (after.lua_bytes, after.used_bytes) == (before.lua_bytes, before.used_bytes)


# Garbage.


def test_finalizers_run(session: Session) -> None:
    session.evaluate("setmetatable({}, { __gc = function() gone = true end })")
    session.collect_garbage()
    assert value(session, "gone") is True


def test_a_finalizer_without_end(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from lua_ls_persist.session import looking as looking_code

    monkeypatch.setattr(looking_code, "COLLECT_TIME_LIMIT_S", 0.05)
    session.evaluate("x = 1 setmetatable({}, { __gc = function() x = 2 while true do end end })")
    started = time.process_time()  # What others run meanwhile does not count.
    with pytest.raises(SessionError) as caught:
        session.collect_garbage()
    assert time.process_time() - started < 2
    assert str(caught.value) == (
        "the garbage collection was stopped: a finalizer (__gc) did not end within 0.05 s; "
        "the VM is as it was before"
    )
    assert value(session, "x") == 1
    assert not session.evaluating


def test_a_finalizer_that_fails_or_prints(session: Session) -> None:
    session.evaluate("setmetatable({}, { __gc = function() print('x') error('y') end })")
    session.collect_garbage()
    result = session.evaluate("1 + 1")
    assert (result.values, result.output) == ((2,), ())


def test_a_finalizer_without_end_in_an_evaluation(session: Session) -> None:
    source = "setmetatable({}, { __gc = function()\n  while true do end\nend }) collectgarbage()"
    found = problem(timed_out(session, source, lambda it: line_of(it) == 2))
    assert (found.kind, found.chunk, found.line) == ("timeout", "main.lua", 2)


def test_a_finalizer_without_end_while_looking(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """To look takes a little memory, which may make the collector run what the program left."""
    from lua_ls_persist.session import looking as looking_code

    session.evaluate("t = { x = 1 } setmetatable({}, { __gc = function() while true do end end })")
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(looking_code, "FIELDS_TIME_LIMIT_S", 0.2)
        for number in range(300):
            assert session.fields(["t", f"{number}" + "n" * 4000]) == []
            if "could not be looked at" in caplog.text:
                break
        else:
            pytest.fail("the collector did not run")
    session.restart()
    assert session.fields(["t"]) == []
    assert "print" in names(session)
