"""One evaluation is one transaction over the VM and the store: both advance or neither does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.model import OutputPiece
from lua_ls_persist.session import Session
from lua_ls_persist.store import Store
from tests.session.helpers import problem, value
from tests.session.persistent import Restarted

STATE = """
Memory.x, Memory.list = 1, { 1, 2, 3 }
local n = 0
function Memory.up() n = n + 1 return n end
function Memory.n() return n end
plain = 1
"""
SPOIL = """
Memory.x, Memory.new, Memory.list[2], Memory.list[4] = 2, {}, nil, { deep = {} }
Memory.up() Memory.up()
plain = 2
ext.table("made").x = 1
function Memory.another() return Memory.x end
setmetatable(Memory.list, { __index = { y = 1 } })
"""
LOOK = "Memory.x, Memory.new, Memory.list, Memory.n(), plain, #ext.tables(), Memory.another"
AS_BEFORE = "1, nil, {1, 2, 3}, 0, 1, 1, nil"
AFTER_RESTART = "1, nil, {1, 2, 3}, 0, nil, 1, nil"

WAYS_TO_FAIL = {
    "an error": ("error('x')", "runtime"),
    "an error after all was sent": ("for i = 1, 5000 do Memory[i] = i end error('x')", "runtime"),
    "a value that cannot be stored": ("Memory.c = coroutine.create(print)", "runtime"),
    "a time limit": ("while true do end", "timeout"),
    "a time limit while writing": ("while true do Memory.x = Memory.x + 1 end", "timeout"),
    "a time limit while loading": (
        "while true do for k in pairs(Memory) do Memory[k .. 'x'] = k end end",
        "timeout",
    ),
    "out of memory": ("local t = {} while true do t[#t + 1] = { t } end", "memory"),
    "out of memory while adopting": (
        (
            "local t, all = {}, {} Memory.t = t "
            "while true do t[#t + 1] = { {} } t = t[#t] all[#all + 1] = t end"
        ),
        "memory",
    ),
    "syntax": ("end", "syntax"),
}


@pytest.fixture
def state(stored: Restarted) -> Restarted:
    stored.settings["memory_limit_bytes"] = 8 * 1024 * 1024
    stored.again(resume=False)
    stored.run(STATE)
    return stored


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_a_failed_evaluation_leaves_nothing(state: Restarted, way: str) -> None:
    failing, kind = WAYS_TO_FAIL[way]
    for _ in range(2):
        limit_s = 0.1 if kind == "timeout" else 20.0
        found = problem(state.evaluate(SPOIL + failing, time_limit_s=limit_s))
        assert found.kind == kind
        assert state.text(LOOK) == AS_BEFORE
    state.again(resume=False)
    assert state.text(LOOK) == AFTER_RESTART
    assert state.session.integrity() == []


def test_nothing_is_left_after_an_interrupt(state: Restarted) -> None:
    future = state.session.submit(
        SPOIL + "io.write(('x'):rep(20000)) while true do Memory.x = Memory.x + 1 end",
        time_limit_s=None,
        on_output=lambda _: state.session.interrupt(),
    )
    assert problem(future.result(10)).kind == "interrupt"
    assert state.text(LOOK) == AS_BEFORE


def test_what_on_output_raises_undoes_it(state: Restarted) -> None:
    def listener(_: OutputPiece) -> None:
        raise ZeroDivisionError

    for source in (SPOIL + "print('x')", SPOIL + "io.write('\\xe2')"):
        with pytest.raises(ZeroDivisionError):
            state.evaluate(source, on_output=listener)
        assert state.text(LOOK) == AS_BEFORE


def test_effects_of_an_error_may_be_kept(path: Path) -> None:
    with Session.open(path, keep_error_effects=True) as session:
        session.evaluate(STATE)
        assert problem(session.evaluate("Memory.x = 5 plain = 6 error('x')")).kind == "runtime"
        assert session.evaluate("Memory.x, plain").values == (5, 6)
        problem(session.evaluate("Memory.x = 7 while true do end", time_limit_s=0.05))
        assert session.evaluate("Memory.x").values == (5,)
    with Session.open(path, resume=False) as session:
        assert value(session, "Memory.x") == 5


# ext.transaction


def test_a_transaction_that_ends_well(state: Restarted) -> None:
    assert state.run(
        "return ext.transaction(function(a, b) Memory.x = a plain = b return a + b, nil end, 2, 3)"
    ) == (5, None)
    assert state.run("Memory.x, plain") == (2, 3)


def test_a_transaction_that_fails(state: Restarted) -> None:
    source = f"""
    local inner = 1
    local ok, message = pcall(ext.transaction, function() inner = 2 {SPOIL} error("no", 0) end)
    return ok, message, inner
    """
    assert state.run(source) == (False, "no", 1)
    assert state.text(LOOK) == AS_BEFORE
    state.again(resume=False)
    assert state.text(LOOK) == AFTER_RESTART


def test_the_error_of_a_transaction_goes_on(state: Restarted) -> None:
    found = problem(
        state.evaluate(
            "Memory.x = 9\next.transaction(function()\n  error('no')\nend)", name="t.lua"
        )
    )
    assert (found.message, found.chunk, found.line) == ("no", "t.lua", 3)
    assert state.run("Memory.x") == (1,)


@pytest.mark.parametrize("error", ["'text'", "42", "1.5", "true", "nil", "{ code = 7 }"])
def test_error_values_survive_a_transaction(state: Restarted, error: str) -> None:
    expected = "v.code" if "code" in error else "v"
    wanted = "7" if "code" in error else error
    assert state.run(
        f"local ok, v = pcall(ext.transaction, function() error({error}, 0) end) "
        f"return ok, {expected} == {wanted}"
    ) == (False, True)


def test_transactions_nest(state: Restarted) -> None:
    source = """
    local t = ext.transaction
    t(function()
      Memory.x = 10
      pcall(t, function()
        Memory.x = 20
        t(function() Memory.x = 30 Memory.list[1] = "kept?" end)
        error("no")
      end)
      Memory.y = Memory.x
      pcall(t, function() Memory.z = 1 error("no") end)
    end)
    return Memory.x, Memory.y, Memory.z, Memory.list[1]
    """
    assert state.run(source) == (10, 10, None, 1)
    state.again(resume=False)
    assert state.run("Memory.x, Memory.y, Memory.z, Memory.list[1]") == (10, 10, None, 1)


def test_a_transaction_in_a_coroutine(state: Restarted) -> None:
    source = """
    local co = coroutine.wrap(function()
      local ok = pcall(ext.transaction, function() Memory.x = 2 plain = 2 error() end)
      coroutine.yield(ok, Memory.x, plain)
      ext.transaction(function() Memory.x = 3 plain = 3 end)
      return Memory.x, plain
    end)
    local ok, x, p = co()
    return ok, x, p, co()
    """
    assert state.run(source) == (False, 1, 1, 3, 3)


def test_output_of_a_transaction_that_fails_was_printed(state: Restarted) -> None:
    result = state.evaluate(
        "io.write('a') pcall(ext.transaction, function() io.write('b') error() end) io.write('c')"
    )
    assert (result.ok, result.output_text) == (True, "abc")


def test_a_transaction_that_is_stopped(state: Restarted) -> None:
    for source in (
        "ext.transaction(function() Memory.x = 2 while true do end end)",
        "while true do pcall(ext.transaction, function() Memory.x = 2 error() end) end",
    ):
        assert problem(state.evaluate(source, time_limit_s=0.1)).kind == "timeout"
        assert state.text(LOOK) == AS_BEFORE


def test_many_transactions_in_one_evaluation(state: Restarted) -> None:
    source = """
    for i = 1, 300 do
      pcall(ext.transaction, function() Memory.x = Memory.x + 1 if i % 3 == 0 then error() end end)
    end
    return Memory.x
    """
    assert state.run(source) == (201,)


def test_too_many_transactions_inside_of_each_other(state: Restarted) -> None:
    found = problem(
        state.evaluate(
            "local function nest() Memory.x = Memory.x + 1 ext.transaction(nest) end nest()"
        )
    )
    assert found.kind in ("runtime", "persistence")
    assert state.text(LOOK) == AS_BEFORE


# A store that fails.


class Failing:
    """Makes the store of a session fail at its n-th operation of a kind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.left = 0

    def at(self, name: str, number: int, message: str) -> None:
        original: Callable[..., object] = getattr(Store, name)
        self.left = number

        def failing(store: Store, *arguments: object, **named: object) -> object:
            self.left -= 1
            if self.left == 0:
                raise StoreError(message)
            return original(store, *arguments, **named)

        self._monkeypatch.setattr(Store, name, failing)

    def end(self) -> None:
        self._monkeypatch.undo()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    return Failing(monkeypatch)


@pytest.mark.parametrize(
    ("name", "number"),
    [("begin", 1), ("apply", 1), ("apply", 3), ("commit", 1), ("define_code", 1), ("roots", 1)],
)
def test_a_store_that_fails(state: Restarted, failing: Failing, name: str, number: int) -> None:
    failing.at(name, number, "session.db cannot be written: the disk is full.")
    found = problem(
        state.evaluate(f"for i = 1, 5000 do Memory['k' .. i] = i end {SPOIL} ext.tables()")
    )
    failing.end()
    assert found.kind == "persistence"
    assert found.message == "session.db cannot be written: the disk is full."
    assert state.text(LOOK) == AS_BEFORE
    assert state.session.integrity() == []


def test_the_line_where_the_store_failed(state: Restarted, failing: Failing) -> None:
    failing.at("roots", 1, "it is gone")
    found = problem(state.evaluate("local x = 1\n\next.tables()\n", name="demo.lua", line=4))
    assert (found.chunk, found.line, found.message) == ("demo.lua", 7, "it is gone")
    failing.at("commit", 1, "it is gone")
    found = problem(state.evaluate("Memory.x = 2", name="demo.lua"))
    assert (found.chunk, found.line) == ("demo.lua", None)


def test_pcall_does_not_hide_that_the_store_failed(state: Restarted, failing: Failing) -> None:
    failing.at("roots", 1, "it is gone")
    found = problem(state.evaluate("pcall(ext.tables) Memory.x = 2 while true do end"))
    assert (found.kind, found.message) == ("persistence", "it is gone")
    failing.end()
    assert state.text(LOOK) == AS_BEFORE


def test_a_kept_error_that_cannot_be_stored(path: Path, failing: Failing) -> None:
    with Session.open(path, keep_error_effects=True) as session:
        session.evaluate("Memory.x = 1")
        failing.at("commit", 1, "it is gone")
        result = session.evaluate("Memory.x = 2 error('x')")
        assert [found.kind for found in result.problems] == ["runtime", "persistence"]
        failing.end()
        assert value(session, "Memory.x") == 1


def test_another_program_holds_the_lock(stored: Restarted, path: Path) -> None:
    stored.run("Memory.x = 1")
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN IMMEDIATE")
    assert stored.run("Memory.x") == (1,), "reading goes on"
    found = problem(stored.evaluate("Memory.x = 2"))
    assert found.kind == "persistence"
    assert "locked by another program" in found.message
    connection.close()
    stored.run("Memory.x = 3")
    assert stored.run("Memory.x") == (3,)


def test_a_finalizer_that_writes(stored: Restarted) -> None:
    stored.run("setmetatable({}, { __gc = function() Memory.gone = true end })")
    stored.session.collect_garbage()
    stored.again(resume=False)
    assert stored.run("Memory.gone") == (True,)


def test_a_finalizer_that_writes_when_the_store_fails(stored: Restarted, failing: Failing) -> None:
    stored.run("setmetatable({}, { __gc = function() Memory.gone = true end })")
    failing.at("apply", 1, "it is gone")
    with pytest.raises(SessionError, match="could not be stored: it is gone"):
        stored.session.collect_garbage()
    failing.end()
    assert stored.run("Memory.gone") == (None,)
    stored.session.collect_garbage()
    assert stored.run("Memory.gone") == (True,)


def test_a_question_that_takes_long_ends_with_the_evaluation(stored: Restarted) -> None:
    stored.run("for i = 1, 100000 do Memory[i] = { i } end function Memory.f() end")
    for question in ("ext.functions()", "ext.collect()"):
        source = f"Memory.x = 1 while true do {question} end"
        found = problem(stored.evaluate(source, time_limit_s=0.1))
        assert (found.kind, found.line) == ("timeout", 1)
        assert stored.run("Memory.x") == (None,)
