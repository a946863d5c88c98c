"""The fast and the plain way across the boundary give the same results."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
import wasmtime

from lua_ls_persist.vm import CompiledCore, Machine, Stopped, fastcall
from tests.vm.helpers import Recorder, problem_of, response_of, run

PROGRAMS = [
    "return",
    "1, 2.5, 'three', nil, true",
    "string.rep('long ', 20000)",
    "{ 1, { 2, { 3 } }, x = { y = {} } }",
    "(function() local t = {} for i = 1, 5000 do t[i] = i * 1.5 end return table.unpack(t) end)()",
    "math.mininteger, math.maxinteger, -0.0, 1/0, -1/0",
    "error('no')",
    "error({ code = 7 })",
    "syntax error here",
    "local function f() return f() + 1 end return f()",
    "print('one') io.write('two', 3, '\\n') io.stderr:write('four') warn('five')",
    "for i = 1, 3000 do print(i, ('x'):rep(50)) end",
    "#require('module'), package.loaded.module",
    "pcall(require, 'nothing')",
    "coroutine.wrap(function() coroutine.yield(1) end)()",
]
FILES = {b"module.lua": b"return " + b"'" + b"z" * 9000 + b"'"}


def test_the_binding_has_what_the_fast_way_needs() -> None:
    """For the range of versions that the package accepts; without it everything is slower."""
    assert fastcall.available()


@pytest.fixture(params=["protection", "epoch"])
def any_core(
    request: pytest.FixtureRequest, core: CompiledCore, checked_core: CompiledCore
) -> CompiledCore:
    return core if request.param == "protection" else checked_core


@pytest.mark.parametrize("source", PROGRAMS)
def test_the_same_responses(any_core: CompiledCore, source: str) -> None:
    answers = []
    for fast in (True, False):
        host = Recorder(FILES)
        with Machine(any_core, fast=fast) as machine:
            response = response_of(machine, source, host=host)
            sizes = (machine.number("core_lua_bytes"), machine.used_bytes())
            answers.append((response, host.records, host.asked, sizes))
    assert answers[0] == answers[1]


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def machine(request: pytest.FixtureRequest, any_core: CompiledCore) -> Iterator[Machine]:
    with Machine(any_core, fast=request.param) as machine:
        yield machine


def test_a_source_in_pieces(machine: Machine) -> None:
    lines = [f"local v{n % 150} = {n}" for n in range(150)] + ["-- filling"] * 40_000
    source = "\n".join([*lines, "return v149"])
    assert len(source) > 5 * 65536
    assert run(machine, source) == (149,)


def test_the_clocks(machine: Machine) -> None:
    before = time.time()
    ((now, local_hours, utc_hours, clock),) = [
        run(machine, "os.time(), os.date('%H'), os.date('!%H'), os.clock()")
    ]
    assert isinstance(now, int)
    assert before - 1 <= now <= time.time() + 1
    offset_h = time.localtime(now).tm_gmtoff / 3600
    assert isinstance(local_hours, str)
    assert isinstance(utc_hours, str)
    difference = (int(local_hours) - int(utc_hours) - math.floor(offset_h)) % 24
    assert difference in (0, 1)
    assert isinstance(clock, float)
    assert 0 <= clock < 60


def test_times_beyond_the_platform_s_calendar(machine: Machine) -> None:
    """The host cannot tell local time there, so it is UTC; nothing is raised through the core."""
    assert run(machine, "os.date('*t', 2^40).year") == (36812,)
    assert run(machine, "pcall(os.date, '*t', math.maxinteger)")[0] is False


def test_stopped_by_a_time_limit(machine: Machine) -> None:
    image = machine.capture()
    with pytest.raises(Stopped) as caught:
        run(machine, "while true do end", time_limit_s=0.05)
    assert caught.value.cause == "timeout"
    machine.restore(image)
    # A thread that has to wait may come nowhere within the first limit.
    for limit_s in (0.05, 0.5, 5.0):
        with pytest.raises(Stopped) as caught:
            run(machine, "return ('a'):rep(40):find(('a?'):rep(40) .. 'b')", time_limit_s=limit_s)
        assert caught.value.cause == "timeout"
        machine.restore(image)
        if "wasm trap" in str(caught.value):
            break
    assert "wasm trap" in str(caught.value)
    assert run(machine, "6 * 7") == (42,)


def test_an_error_of_the_program(machine: Machine) -> None:
    problem = problem_of(response_of(machine, "local x\nreturn x.y"))
    assert (problem.message, problem.line) == ("attempt to index a nil value (local 'x')", 2)


@pytest.mark.parametrize("missing", ["wasmtime_func_call_unchecked", "wasmtime_func_t", "dll"])
def test_a_binding_without_the_private_names(
    core: CompiledCore, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """A new version of the binding makes things slower, not wrong."""
    from wasmtime import _ffi

    monkeypatch.delattr(_ffi, missing)
    assert not fastcall.available()
    with pytest.MonkeyPatch.context() as patch:
        # What wasmtime itself calls stays reachable to it.
        patch.setattr(fastcall, "available", lambda: False)
        monkeypatch.undo()
        with Machine(core) as machine:
            assert run(machine, "6 * 7") == (42,)


def test_a_binding_without_a_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(wasmtime.Store, "_context")
    assert not fastcall.available()
