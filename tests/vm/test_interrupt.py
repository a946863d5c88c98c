"""Stopping a VM that runs: whatever it does, soon, from any thread, and without a crash."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from lua_ls_persist.session.problems import stop_note
from lua_ls_persist.vm import CompiledCore, Machine, Stopped, interrupt
from tests.vm.helpers import MIB, Recorder, python, run, wait_until_running

WITHIN_S = 0.1
"""So long may this process run on. What others run meanwhile on a busy machine does not count."""
TRIES = 6
"""Of several threads any may have to wait; the fastest of a few tries tells what the VM does."""
CLOCK_TRIES = 40
"""By the clock, more of them have to wait."""
LIMITS_S = (0.03, 0.3, 3.0)
"""A program whose thread has to wait may come nowhere within the first."""

ENDLESS = {
    "loop": "while true do end",
    "for": "for i = 1, math.huge do end",
    "goto": "::again:: goto again",
    "calls": "local function f() end while true do f() end",
    "recursion": "local function f() return f() end return f()",
    "pcall": "while true do pcall(error) end",
    "pcall that swallows": "while true do pcall(function() while true do end end) end",
    "nested pcall": "local function f() while true do pcall(f) end end f()",
    "recursion that swallows": "local function f() pcall(f) pcall(f) end while true do f() end",
    "xpcall with an endless handler": """
        while true do
          xpcall(function() while true do end end, function() while true do end end)
        end
    """,
    "close variables": """
        while true do
          pcall(function()
            local c <close> = setmetatable({}, { __close = function() while true do end end })
            error('x')
          end)
        end
    """,
    "coroutine": "local f = coroutine.wrap(function() while true do coroutine.yield() end end) "
    "while true do f() end",
    "coroutine that swallows": """
        while true do coroutine.resume(coroutine.create(function() while true do end end)) end
    """,
    "hook taken away": "while true do debug.sethook() pcall(debug.sethook) end",
    "own hook": "debug.sethook(function() end, '', 1) while true do end",
    "metamethods": """
        local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
        while true do pcall(function() return t[1] end) end
    """,
    "string.rep again and again": "while true do local s = ('x'):rep(1 << 20) end",
    "find": "return ('a'):rep(40):find(('a?'):rep(40) .. 'b')",
    "match": "return ('a'):rep(60000):match('.-.-.-b')",
    "gsub": "return (('a'):rep(60000):gsub('.-.-.-b', ''))",
    "gmatch": "for _ in ('a'):rep(60000):gmatch('.-.-.-b') do end",
    "gsub with a function": "while true do (('a'):rep(1000)):gsub('a', function() end) end",
    "sort": """
        local t = {}
        for i = 1, 100000 do t[i] = i end
        while true do table.sort(t, function(a, b) return a > b end) end
    """,
    "sort without a function": """
        local t = {}
        for i = 1, 200000 do t[i] = (i * 7919) % 200003 end
        while true do table.sort(t) t[1], t[200000] = t[200000], t[1] end
    """,
    "concat": "local t = {} for i = 1, 200000 do t[i] = i end while true do table.concat(t) end",
    "concat of what is not there": """
        table.concat(setmetatable({}, { __index = function() return '' end }), '', 1, 1 << 60)
    """,
    "move": "table.move({}, 1, 1 << 60, 2)",
    "insert": "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, nil)",
    "unpack": "while true do local a = { table.unpack({}, 1, 100000) } end",
    "load": "load(function() return ' ' end)",
    "compiling": "local s = 'local x = 1 ' while true do load(s:rep(10000)) end",
    "tostring": "while true do pcall(tostring, setmetatable({}, { __tostring = error })) end",
    "finalizer": "setmetatable({}, { __gc = function() while true do end end }) collectgarbage()",
    "finalizer in C": """
        setmetatable({}, { __gc = function() table.move({}, 1, 1 << 60, 2) end }) collectgarbage()
    """,
    "output": "while true do print('x') end",
    "warnings": "while true do warn('x') end",
    "modules": "while true do pcall(require, 'nothing') end",
    "clock": "while true do os.clock() end",
    "garbage": "while true do local t = {} for i = 1, 100 do t[i] = {} end end",
    "memory errors": "while true do pcall(string.rep, 'x', 1 << 40) end",
    "real memory errors": """
        while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end
    """,
}


@pytest.fixture(params=["protection", "epoch"])
def any_core(
    request: pytest.FixtureRequest, core: CompiledCore, checked_core: CompiledCore
) -> CompiledCore:
    return core if request.param == "protection" else checked_core


@pytest.fixture
def machine(any_core: CompiledCore) -> Iterator[Machine]:
    with Machine(any_core, memory_limit_bytes=32 * MIB) as machine:
        yield machine


def test_how_calls_are_stopped(core: CompiledCore, checked_core: CompiledCore) -> None:
    with Machine(core) as one, Machine(checked_core) as other:
        assert (one.stop_kind, other.stop_kind) == ("protection", "epoch")


@pytest.mark.parametrize("program", ENDLESS)
def test_time_limits(machine: Machine, program: str) -> None:
    limit_s = 0.03
    run(machine, "kept = 'state'")
    image = machine.capture()
    late_s = []
    for _ in range(TRIES):
        started = time.process_time()
        with pytest.raises(Stopped) as caught:
            run(machine, ENDLESS[program], host=Recorder(), time_limit_s=limit_s)
        late_s.append(time.process_time() - started - limit_s)
        assert caught.value.cause == "timeout"
        machine.restore(image)
        assert run(machine, "kept, #('x'):rep(5)") == ("state", 5)
        if late_s[-1] <= WITHIN_S:
            break
    assert min(late_s) <= WITHIN_S


@pytest.mark.parametrize("program", ["loop", "pcall that swallows", "find", "output"])
def test_time_limits_by_the_clock(machine: Machine, program: str) -> None:
    """Nothing on the way only waits: on a busy machine, one of many tries has all its turns."""
    limit_s = 0.03
    late_s = [float("inf")]
    while late_s[-1] > WITHIN_S and len(late_s) <= CLOCK_TRIES:
        started = time.perf_counter()
        with pytest.raises(Stopped):
            run(machine, ENDLESS[program], host=Recorder(), time_limit_s=limit_s)
        late_s.append(time.perf_counter() - started - limit_s)
    assert min(late_s) <= WITHIN_S


def test_a_loop_that_touches_no_memory_is_none(machine: Machine) -> None:
    """What is stopped by its next load or store must have one: this would be the exception."""
    assert run(machine, "#(''):rep(1 << 60), #(''):rep(1 << 60, '')", time_limit_s=5) == (0, 0)


@pytest.mark.parametrize("program", ["loop", "pcall that swallows", "find", "finalizer", "output"])
def test_interrupts_from_another_thread(machine: Machine, program: str) -> None:
    image = machine.capture()
    late_s = []
    for _ in range(TRIES):
        asked: list[float] = []

        def ask(asked: list[float] = asked) -> None:
            wait_until_running(machine)
            asked.append(time.process_time())
            assert machine.interrupt() is True

        thread = threading.Thread(target=ask)
        thread.start()
        with pytest.raises(Stopped) as caught:
            run(machine, ENDLESS[program], host=Recorder(), time_limit_s=None)
        late_s.append(time.process_time() - asked[0])
        thread.join()
        assert caught.value.cause == "interrupt"
        machine.restore(image)
        if late_s[-1] <= WITHIN_S:
            break
    assert min(late_s) <= WITHIN_S
    assert machine.interrupt() is False, "nothing runs now"
    assert run(machine, "6 * 7") == (42,)


def test_an_interrupt_that_comes_early_is_not_lost(machine: Machine) -> None:
    """A caller that has announced its call can be interrupted before the call has begun."""
    image = machine.capture()
    for _ in range(20):
        assert machine.interrupt() is False
        machine.expect_call()
        assert machine.interrupt() is True
        with pytest.raises(Stopped) as caught:
            run(machine, "while true do end", time_limit_s=None)
        assert caught.value.cause == "interrupt"
        machine.restore(image)


def test_an_interrupt_of_what_ends_at_that_moment(machine: Machine) -> None:
    """Either it was stopped or it came to its end; the VM is usable in both cases."""
    image = machine.capture()
    stops = []
    for number in range(200):
        thread = threading.Thread(target=machine.interrupt)
        try:
            machine.expect_call()
            thread.start()
            run(machine, f"local n = 0 for i = 1, {number * 50} do n = n + i end return n")
        except Stopped as stop:
            stops.append(stop.cause)
        thread.join()
        machine.restore(image)
        assert run(machine, "6 * 7") == (42,)
    assert set(stops) <= {"interrupt"}


def test_many_interrupts_at_random_moments(machine: Machine) -> None:
    """Wherever it is stopped, what was before comes back."""
    run(machine, "count = 0 text = 'kept' function add() count = count + 1 return count end add()")
    image = machine.capture()
    program = """
        local t = {}
        for i = 1, math.huge do
          add()
          t[i % 50] = { ('x'):rep(i % 700), add, coroutine.wrap(function() coroutine.yield(i) end) }
          if i % 7 == 0 then pcall(error, t) end
          if i % 11 == 0 then table.sort(t, function(a, b) return #a[1] < #b[1] end) end
          if i % 13 == 0 then collectgarbage('step') end
        end
    """
    for number in range(60):
        with pytest.raises(Stopped):
            run(machine, program, time_limit_s=0.0005 + number * 0.00013)
        machine.restore(image)
        assert run(machine, "count, text, add()") == (1, "kept", 2)
        machine.restore(image)


@pytest.mark.parametrize("limit_s", [1e9, 1e12, float("inf")])
def test_time_limits_longer_than_anyone_waits(machine: Machine, limit_s: float) -> None:
    image = machine.capture()
    assert run(machine, "6 * 7", time_limit_s=limit_s) == (42,)

    def interrupt() -> None:
        wait_until_running(machine)
        machine.interrupt()

    timer = threading.Thread(target=interrupt)
    timer.start()
    with pytest.raises(Stopped) as caught:
        run(machine, "while true do end", time_limit_s=limit_s)
    timer.join()
    assert caught.value.cause == "interrupt"
    machine.restore(image)
    # The watchdog is still there.
    with pytest.raises(Stopped) as caught:
        run(machine, "while true do end", time_limit_s=0.02)
    assert caught.value.cause == "timeout"


def test_what_was_printed_is_not_lost(machine: Machine) -> None:
    image = machine.capture()
    for limit_s in LIMITS_S:
        host = Recorder()
        with pytest.raises(Stopped):
            run(machine, "print('before') while true do end", host=host, time_limit_s=limit_s)
        machine.restore(image)
        if host.text:
            break
    assert host.text == b"before\n"


def test_where_it_was_stopped_is_known(machine: Machine) -> None:
    image = machine.capture()
    for limit_s in LIMITS_S:
        with pytest.raises(Stopped) as caught:
            run(machine, "local x = 1\n\nwhile true do\n  x = x + 1\nend", time_limit_s=limit_s)
        machine.restore(image)
        if caught.value.response:
            break
    assert caught.value.response != b"", "Lua code raised the error it was asked for"
    source = "local s = ('a'):rep(40)\ns:find(('a?'):rep(40) .. 'b')"
    for limit_s in LIMITS_S:
        with pytest.raises(Stopped) as caught:
            run(machine, source, time_limit_s=limit_s)
        machine.restore(image)
        if caught.value.trace:
            break
    assert caught.value.trace != b"", "the core told after it had been stopped"


def test_a_stop_while_an_interrupt_is_on_its_way(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked and stopped at once, as on a busy machine: the place of the interrupt is told."""
    monkeypatch.setattr(interrupt, "GRACE_S", 0.0)
    monkeypatch.setattr(interrupt, "RUN_S_MIN", 0.0)
    image = machine.capture()

    def ask() -> None:
        wait_until_running(machine)
        time.sleep(0.002)
        assert machine.interrupt() is True

    for _ in range(50):
        thread = threading.Thread(target=ask)
        thread.start()
        with pytest.raises(Stopped) as caught:
            run(machine, "print('on')\nwhile true do end", host=Recorder())
        thread.join()
        note = stop_note(caught.value, b"", lambda source: source.decode())
        assert (note.source, note.line) in {(b"@test.lua", 1), (b"@test.lua", 2)}
        machine.restore(image)


def test_what_is_sent_is_not_sent_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The core is stopped as it returns from sending its output."""
    monkeypatch.setattr(interrupt, "GRACE_S", 0.0)
    monkeypatch.setattr(interrupt, "RUN_S_MIN", 0.0)

    class Slow(Recorder):
        def output(self, records: bytes, /) -> bool:
            super().output(records)
            machine.interrupt()
            time.sleep(0.05)  # Until the watchdog has made up its mind.
            return True

    host = Slow()
    with pytest.raises(Stopped):
        run(machine, "print('once') io.flush()", host=host)
    assert host.text == b"once\n"


def test_other_machines_run_on(core: CompiledCore) -> None:
    """One machine's memory is made inaccessible, nobody else's."""
    stop = threading.Event()
    results = []

    def work() -> None:
        with Machine(core) as machine:
            while not stop.is_set():
                results.append(run(machine, "#('x'):rep(10000)"))

    thread = threading.Thread(target=work)
    thread.start()
    with Machine(core) as machine:
        image = machine.capture()
        for _ in range(5):
            with pytest.raises(Stopped):
                run(machine, ENDLESS["move"], time_limit_s=0.01)
            machine.restore(image)
    stop.set()
    thread.join()
    assert set(results) == {(10000,)}


FOREIGN_HANDLER = """
import faulthandler, threading, time
from lua_ls_persist.session import Session

with Session.open(time_limit_s=None) as session:
    session.evaluate("kept = 1")
    {before}
    # Runs long in C, then comes back to Lua code.
    busy = "local n = 0 repeat ('a'):rep(19):find(('a?'):rep(19) .. 'b') n = n + 1 until n == 4000"
    started = time.monotonic()
    result = session.evaluate(busy, time_limit_s=0.05)
    assert [problem.kind for problem in result.problems] == ["timeout"], result
    assert time.monotonic() - started < 20
    def interrupt():
        while not session.interrupt():
            time.sleep(0.001)
    threading.Thread(target=interrupt).start()
    result = session.evaluate("while true do end")
    assert [problem.kind for problem in result.problems] == ["interrupt"], result
    print(session.evaluate("kept").values)
"""


@pytest.mark.skipif(os.name != "posix", reason="handlers of memory faults elsewhere are others")
@pytest.mark.parametrize("before", ["faulthandler.enable()", "pass"])
def test_a_foreign_handler_of_memory_faults(before: str) -> None:
    """A fault would end the process now, so none is provoked; asking still works."""
    assert python(FOREIGN_HANDLER.format(before=before)) == "(1,)\n"


def test_a_handler_from_before_is_no_hindrance() -> None:
    """As under pytest: wasmtime's handler was installed after it, and comes first."""
    script = "import faulthandler\nfaulthandler.enable()\n" + FOREIGN_HANDLER.format(before="pass")
    assert python(script) == "(1,)\n"
