"""Whatever a program does, it ends soon after somebody asks, and the VM is as it was before it.

The promise is 100 ms. The tests allow more, for a machine may be busy with other things, and print
the longest time they saw (`pytest -rP`, or `-s`). Where programs are stopped at random moments, the
seed is fixed.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import Evaluation, OutputPiece
from lua_ls_persist.session import Session, SyntaxChecker
from lua_ls_persist.session import looking as looking_module
from lua_ls_persist.session import runner as runner_module
from lua_ls_persist.vm import Image, load_core
from lua_ls_persist.vm.interrupt import StopKind, default_stop_kind

MIB = 1024 * 1024
SEED = 20240707
MEMORY_LIMIT_BYTES = 256 * MIB

LATENCY_S_MAX = 5.0
"""Promised are 0.1 s; on a machine with more to do than it can, threads wait for their turn."""
WAIT_S_MAX = 60.0
"""A program that has not ended by then never will."""

STOP_KINDS: tuple[StopKind, ...] = tuple(sorted({default_stop_kind(), "epoch"}))

# Every program begins with `started()`, and would run for a very long time.
PROGRAMS = {
    # Lua code.
    "while": "while true do end",
    "repeat": "local x = 0; repeat x = x + 1 until false",
    "numeric for": "for i = 1, math.huge do end",
    "goto": "::again:: goto again",
    "nested loops": "while true do for i = 1, 10 do for j = 1, 10 do local x = i * j end end end",
    "table access": "local t = {1, 2, 3}; local i = 1; while true do i = t[i % 3 + 1] end",
    "calls": "local function f(x) return x end while true do f(1) end",
    "tail calls": "local function f() return f() end f()",
    "fibonacci": "local function f(n) return n < 2 and n or f(n - 1) + f(n - 2) end f(80)",
    "deep recursion": """
        local function f(n) if n > 0 then return 1 + f(n - 1) end return 0 end
        while true do f(5000) end
    """,
    "stack overflows": "local function f() return 1 + f() end while true do pcall(f) end",
    "closures": "while true do local x; local f = function() return x end end",
    "garbage": "while true do local t = {{}, {}} end",
    "growing and shrinking": "while true do local t = {}; for i = 1, 1e5 do t[i] = {i} end end",
    "metamethods": """
        local t = setmetatable({}, {__index = function(_, k) return k end,
          __add = function(a) return a end, __eq = function() return false end})
        while true do local x = t[1]; x = t + t; x = t == setmetatable({}, getmetatable(t)) end
    """,
    "iterators": "while true do for _ in pairs({1, 2}) do end for _ in ipairs({1, 2}) do end end",
    # Errors swallowed.
    "pcall": "while true do pcall(error, 'x') end",
    "pcall around a loop": "while true do pcall(function() while true do end end) end",
    "nested pcall": """
        local function f(n) while true do if n > 0 then pcall(f, n - 1) end end end
        f(20)
    """,
    "xpcall": "while true do xpcall(error, function() return 1 end, 'x') end",
    "xpcall around a loop": """
        local function loop() while true do end end
        while true do xpcall(loop, loop) end
    """,
    "error in a handler": "xpcall(error, function() while true do end end)",
    "error in error in a handler": """
        while true do xpcall(error, function(e) error(e) end, "x") end
    """,
    "pcall of a recursion": """
        local function f() pcall(f); pcall(f); return 1 end
        while true do f() end
    """,
    "error objects": "while true do pcall(error, setmetatable({}, {__tostring = error})) end",
    # Coroutines.
    "coroutine that yields": """
        local co = coroutine.wrap(function() while true do coroutine.yield() end end)
        while true do co() end
    """,
    "coroutine that loops": "coroutine.wrap(function() while true do end end)()",
    "resume that swallows": """
        while true do
          coroutine.resume(coroutine.create(function() while true do end end))
        end
    """,
    "nested coroutines": """
        local function f(n)
          if n == 0 then while true do end end
          while true do coroutine.resume(coroutine.create(f), n - 1) end
        end
        f(50)
    """,
    "coroutine in a generic for": """
        for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end
    """,
    "new coroutines": "while true do coroutine.wrap(function() coroutine.yield() end)() end",
    "coroutine.close": """
        while true do
          local co = coroutine.create(function()
            local c <close> = setmetatable({}, {__close = function() while true do end end})
            coroutine.yield()
          end)
          coroutine.resume(co)
          coroutine.close(co)
        end
    """,
    "wrap with pcall inside": """
        while true do
          local co = coroutine.wrap(function() while true do pcall(coroutine.yield) end end)
          for i = 1, 100 do co() end
        end
    """,
    # Finalizers and closing.
    "finalizer": "setmetatable({}, {__gc = function() while true do end end}); collectgarbage()",
    "finalizers": """
        local mt = {}
        mt.__gc = function() setmetatable({}, mt) end
        setmetatable({}, mt)
        while true do collectgarbage() end
    """,
    "finalizer with pcall": """
        setmetatable({}, {__gc = function() while true do pcall(error) end end})
        collectgarbage()
    """,
    "finalizer with a coroutine": """
        setmetatable({}, {__gc = function()
          coroutine.wrap(function() while true do end end)()
        end})
        while true do local t = {} end
    """,
    "finalizer with a pattern": """
        setmetatable({}, {__gc = function()
          return (("a"):rep(40)):find((".*"):rep(40) .. "b")
        end})
        collectgarbage()
    """,
    "__close": """
        do local c <close> = setmetatable({}, {__close = function() while true do end end}) end
    """,
    "__close while an error passes": """
        while true do
          pcall(function()
            local c <close> = setmetatable({}, {__close = function() while true do end end})
            error("x")
          end)
        end
    """,
    "collectgarbage": "while true do collectgarbage() end",
    "collectgarbage of much": """
        local t = {}
        for i = 1, 3e5 do t[i] = {i} end
        while true do collectgarbage() end
    """,
    "collectgarbage in steps": "while true do collectgarbage('step', 1); local t = {} end",
    "generational collector": """
        collectgarbage("generational")
        while true do local t = {{}} end
    """,
    # The C library, where hooks are not seen.
    "string.rep": "while true do local s = ('x'):rep(5e7) end",
    "string.rep with a separator": "while true do local s = ('x'):rep(2e7, ', ') end",
    "gsub": "local s = ('a'):rep(1e6); while true do s:gsub('a', 'b') end",
    "gsub, quadratic": "return ('a'):rep(1e7):gsub('a*b', '')",
    "gsub with a function": """
        local s = ("a"):rep(1e6)
        while true do s:gsub(".", function() end) end
    """,
    "gsub with a table": "local s = ('a'):rep(1e6); while true do s:gsub('.', {a = 'b'}) end",
    "find, exponential": "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
    "find, polynomial": "return ('a'):rep(1e4):find(('.*'):rep(30) .. 'b')",
    "find of %b": "return ('('):rep(1e6):find('%b()')",
    "find, plain": "return ('a'):rep(4e7):find(('a'):rep(1e7) .. 'b', 1, true)",
    "match with captures": "return ('a'):rep(40):match(('(a*)'):rep(20) .. 'b')",
    "gmatch": "while true do for _ in ('a b '):rep(1e5):gmatch('%w+') do end end",
    "table.sort": """
        local t = {}
        while true do for i = 1, 2e5 do t[i] = i * 7919 % 100003 end table.sort(t) end
    """,
    "table.sort with a comparison": """
        local t = {}
        for i = 1, 2e5 do t[i] = i * 7919 % 100003 end
        while true do table.sort(t, function(a, b) return a > b end) end
    """,
    "table.sort that loops": "table.sort({3, 2, 1}, function() while true do end end)",
    "table.sort of equals": """
        local t = setmetatable({}, {__len = function() return 2^31 - 2 end,
          __index = function() return 1 end, __newindex = function() end})
        table.sort(t)
    """,
    "table.concat": """
        local t = {}
        for i = 1, 1e6 do t[i] = "some text" end
        while true do local s = table.concat(t, ", ") end
    """,
    "table.concat with __index": """
        return table.concat(setmetatable({}, {__index = function() return "" end}), "", 1, 1 << 50)
    """,
    "table.move": "table.move({}, 1, 1 << 50, 2, {})",
    "table.insert": """
        while true do
          local t = {}
          for i = 1, 1e5 do table.insert(t, 1, i) end
        end
    """,
    "table.unpack": "while true do local n = select('#', table.unpack({}, 1, 2e5)) end",
    "next": "local t = {}; for i = 1, 1e5 do t[i] = i end while next(t, next(t)) do end",
    "string.format": """
        local t = {}
        for i = 1, 200 do t[i] = 10.0 ^ i end
        while true do local s = ("%99.99f"):rep(200):format(table.unpack(t)) end
    """,
    "string.format of strings": """
        local s = ("x"):rep(1e7)
        while true do local t = string.format("%s%q", s, s) end
    """,
    "string.format of numbers": "while true do local s = ('%.99f'):format(1e300) end",
    "concatenation": "local s = ('x'):rep(1e7); while true do local t = s .. s .. s end",
    "comparison": "local a, b = ('x'):rep(1e8), ('x'):rep(1e8); while true do local x = a < b end",
    "upper, reverse, byte": """
        local s = ("x"):rep(1e7)
        while true do s = s:upper():reverse():lower(); s:byte(1, 1000) end
    """,
    "string.pack": """
        local s = ("x"):rep(1e6)
        while true do string.unpack("s", string.pack("s", s)) end
    """,
    "tonumber and tostring": "while true do tonumber(('1'):rep(190)); tostring(1.5) end",
    "utf8.len": "local s = ('x'):rep(5e7); while true do utf8.len(s) end",
    "utf8.codes": "local s = ('x'):rep(1e6); while true do for _ in utf8.codes(s) do end end",
    "utf8.offset": "local s = ('x'):rep(5e7); while true do utf8.offset(s, 5e7) end",
    "utf8.codepoint": "while true do utf8.char(utf8.codepoint(('x'):rep(1000), 1, -1)) end",
    "math": "while true do math.sin(math.random(100)) end",
    "a value that calls itself": "local t = {}; setmetatable(t, {__call = t}); t()",
    # Loading.
    "load of an endless reader": "return load(function() return ' ' end)",
    "load of an endless comment": """
        local part
        return load(function() part = part and "x" or "--"; return part end)
    """,
    "load of a large chunk": """
        local s = (" "):rep(1e7)
        while true do load(s) end
    """,
    "load in a loop": "while true do load('return 1 + 1')() end",
    "load of a coroutine": """
        return load(coroutine.wrap(function() while true do coroutine.yield(" ") end end))
    """,
    "load of much code": "local s = ('a = a + 1 '):rep(1e5); while true do load(s) end",
    "dump": "while true do string.dump(function() return 1 end) end",
    # Output, and whatever asks the host.
    "print": "while true do print('x') end",
    "print of much": "local s = ('x'):rep(1e5); while true do print(s) end",
    "io.write": "while true do io.write('x', 1, 2.5) io.stderr:write('y') end",
    "warn": "while true do warn('x') end",
    "__tostring in print": """
        print(setmetatable({}, {__tostring = function() while true do end end}))
    """,
    "os.time, os.date, os.clock": "while true do os.time(); os.date(); os.clock() end",
    "loadfile": "while true do loadfile('nothing.lua') end",
    "require": "while true do pcall(require, 'nothing') end",
    # Hooks set by the program.
    "hook taken away": "while true do debug.sethook() end",
    "hook replaced": "while true do debug.sethook(function() end, 'crl', 1) end",
    "hook replaced under pcall": "while true do pcall(debug.sethook, function() end, '', 1) end",
    "hook that loops": """
        debug.sethook(function() while true do end end, "", 1)
        local x = 1
    """,
    "hook in a coroutine": """
        while true do
          local co = coroutine.create(function() while true do end end)
          debug.sethook(co, function() debug.sethook(co) end, "", 1)
          pcall(coroutine.resume, co)
        end
    """,
    "hook that takes hooks away": """
        local function h() debug.sethook() debug.sethook(h, "crl", 1) end
        debug.sethook(h, "crl", 1)
        while true do pcall(string.rep, "x", 10) end
    """,
    "hook in every coroutine": """
        local function f()
          debug.sethook()
          while true do
            coroutine.wrap(function() debug.sethook(); pcall(error); debug.sethook() end)()
            debug.sethook()
          end
        end
        while true do pcall(f) end
    """,
    "debug library": "while true do debug.traceback(); debug.getinfo(1, 'nSltufrL') end",
}


@dataclass
class Latencies:
    """The longest time from asking to the end, and where."""

    longest_s: float = 0.0
    where: str = ""
    all_s: list[float] = field(default_factory=list)

    def note(self, seconds: float, where: str) -> None:
        self.all_s.append(seconds)
        if seconds > self.longest_s:
            self.longest_s, self.where = seconds, where
        assert seconds < LATENCY_S_MAX, f"{where} ended {seconds:.3f} s after it was asked to"

    def __str__(self) -> str:
        late = sum(seconds > 0.1 for seconds in self.all_s)
        return (
            f"{len(self.all_s)} stops: longest {self.longest_s * 1000:.1f} ms ({self.where}), "
            f"{late} above 100 ms"
        )


class Runner:
    """A session, and what is needed to know that a program in it has started."""

    def __init__(self, kind: StopKind) -> None:
        self.kind = kind
        self.latencies = Latencies()
        self._started = threading.Event()
        self.on_open: Callable[[str], str | None] = lambda _name: None
        self.session = Session.open(
            memory_limit_bytes=MEMORY_LIMIT_BYTES,
            time_limit_s=None,
            folders=["."],
            open_buffers=self._open,
        )
        setup = """
            function started() loadfile("started") end
            state = {1, 2, {x = "y"}, f = function() return state end}
            counter = coroutine.wrap(function() for i = 1, 1e9 do coroutine.yield(i) end end)
            counter()
        """
        assert self.session.evaluate(setup).ok
        assert self.session._life.runner.machine.stop_kind == kind
        self.before = self.image()

    def _open(self, path: Path) -> str | None:
        if path.name == "started":
            self._started.set()
            return None
        return self.on_open(path.name)

    def image(self) -> bytes:
        """All of the VM's memory that counts."""
        session = self.session

        def capture() -> bytes:
            image = session._life.runner.machine.capture(Image())
            return bytes(image._buffer)[: image.size_bytes]

        return session._life.owner.call(capture)

    def start(self, program: str, *, time_limit_s: float | None = None) -> Future[Evaluation]:
        """Start a program; without a time limit, it has called `started` when this returns."""
        self._started.clear()
        source = f"started()\n{program}"
        future = self.session.submit(
            source, name="endless", mode="chunk", time_limit_s=time_limit_s
        )
        if time_limit_s is None:
            assert self._started.wait(WAIT_S_MAX)
        return future

    def interrupt(self, future: Future[Evaluation], where: str) -> Evaluation:
        """Interrupt the program and wait for its end."""
        asked = time.perf_counter()
        assert self.session.interrupt()
        evaluation = future.result(WAIT_S_MAX)
        self.latencies.note(time.perf_counter() - asked, where)
        return evaluation

    def check_stopped(self, evaluation: Evaluation, kind: str = "interrupt") -> None:
        """The evaluation was stopped and nothing is left of it."""
        assert [problem.kind for problem in evaluation.problems] == [kind], evaluation
        assert evaluation.values == ()
        assert self.image() == self.before, "the VM is not as it was before"

    def check_idle(self) -> None:
        """Nothing runs; afterwards images are compared with this moment."""
        assert not self.session.evaluating
        self.before = self.image()
        self.check_works()

    def check_works(self) -> None:
        """The VM runs, goes on with a coroutine from before, and forgets a failed evaluation."""
        evaluation = self.session.evaluate(
            "assert(#state == 3 and state.f() == state and counter() == 2); error('all is well', 0)"
        )
        assert [problem.message for problem in evaluation.problems] == ["all is well"]
        assert self.image() == self.before


@pytest.fixture(scope="module", params=STOP_KINDS)
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    kind: StopKind = request.param
    core = load_core(stop_kind=kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner_module, "load_core", lambda: core)
        runner = Runner(kind)
    with runner.session:
        yield runner
    print(f"\n{kind}: {runner.latencies}")


# One after the other.


def wait_until_running(session: Session) -> None:
    """Return as soon as an evaluation runs."""
    while not session.evaluating:
        pause(0.001)


@pytest.mark.parametrize("program", PROGRAMS)
def test_interrupt(runner: Runner, program: str) -> None:
    rng = random.Random(f"{SEED} {program}")
    for _ in range(2):
        future = runner.start(PROGRAMS[program])
        pause(rng.uniform(0.0, 0.05))
        runner.check_stopped(runner.interrupt(future, program))
    runner.check_works()


@pytest.mark.parametrize("program", PROGRAMS)
def test_time_limit(runner: Runner, program: str) -> None:
    time_limit_s = 0.06
    begun = time.perf_counter()
    evaluation = runner.start(PROGRAMS[program], time_limit_s=time_limit_s).result(WAIT_S_MAX)
    runner.latencies.note(time.perf_counter() - begun - time_limit_s, f"{program} (time limit)")
    runner.check_stopped(evaluation, "timeout")
    assert evaluation.problems[0].message == "stopped after 0.06 s: the time limit"
    runner.check_works()


def pause(seconds: float) -> None:
    """Let the program run on for a moment, so that it is stopped where it happens to be."""
    threading.Event().wait(seconds)


def test_random_moments(runner: Runner) -> None:
    """Several hundred interrupts and time limits in one VM, without a look in between."""
    rng = random.Random(SEED)
    names = sorted(PROGRAMS)
    for _ in range(300):
        name = rng.choice(names)
        if rng.random() < 0.3:
            time_limit_s = rng.uniform(0.0001, 0.02)
            evaluation = runner.start(PROGRAMS[name], time_limit_s=time_limit_s).result(WAIT_S_MAX)
            assert evaluation.problems[0].kind == "timeout"
        else:
            future = runner.start(PROGRAMS[name])
            pause(rng.uniform(0.0, 0.01))
            evaluation = runner.interrupt(future, name)
            assert evaluation.problems[0].kind == "interrupt"
    assert runner.image() == runner.before
    runner.check_works()


def test_where_a_loop_was_interrupted(runner: Runner) -> None:
    future = runner.start("local x = 1\nwhile true do\n  x = x + 1\nend")
    pause(0.02)
    (problem,) = runner.interrupt(future, "line").problems
    assert problem.chunk == "endless"
    assert problem.line in {3, 4}  # where the loop is; the line that was called `started` is 1
    assert [frame.function for frame in problem.traceback] == ["main chunk"]


def test_where_a_library_function_was_interrupted(runner: Runner) -> None:
    future = runner.start("local s = ('a'):rep(40)\n\nreturn s:find(('.*'):rep(40) .. 'b')")
    pause(0.02)
    (problem,) = runner.interrupt(future, "line in the library").problems
    assert problem.line == 4
    assert "find" in problem.traceback[0].function


# Before, after and around a program.


def test_interrupt_when_idle(runner: Runner) -> None:
    assert not runner.session.evaluating
    for _ in range(100):
        assert runner.session.interrupt() is False
    assert runner.session.evaluate("return 1").ok
    assert runner.session.interrupt() is False
    runner.check_idle()


def test_interrupt_at_the_very_start(runner: Runner) -> None:
    """As early as it can be: the request comes before the first instruction, or soon after it."""
    for _ in range(150):
        future = runner.session.submit("while true do end", time_limit_s=None)
        asked = time.perf_counter()
        while not runner.session.interrupt():
            assert time.perf_counter() - asked < WAIT_S_MAX
        asked = time.perf_counter()
        evaluation = future.result(WAIT_S_MAX)
        runner.latencies.note(time.perf_counter() - asked, "the very start")
        assert evaluation.problems[0].kind == "interrupt"
    runner.check_idle()


def test_interrupt_is_true_exactly_when_it_interrupts(runner: Runner) -> None:
    """Short programs, asked at any moment: who was told True has stopped one, nobody else has."""
    rng = random.Random(SEED)
    counts = {True: 0, False: 0}
    for _ in range(1000):
        future = runner.session.submit(f"for i = 1, {rng.randint(1, 500_000)} do end")
        pause(rng.uniform(0.0, 0.003))
        told = runner.session.interrupt()
        evaluation = future.result(WAIT_S_MAX)
        assert evaluation.ok is not told, evaluation
        counts[told] += 1
    assert counts[True] > 10, counts
    assert counts[False] > 10, counts
    runner.check_idle()


def test_an_old_request_does_not_stop_the_next_program(runner: Runner) -> None:
    for _ in range(50):
        future = runner.start("while true do end")
        assert runner.session.interrupt()
        runner.session.interrupt()
        assert not future.result(WAIT_S_MAX).ok
        assert runner.session.evaluate("local x = 0; for i = 1, 1e4 do x = x + i end").ok
    runner.check_idle()


def test_interrupts_from_many_threads(runner: Runner) -> None:
    rng = random.Random(SEED)
    for name in ("while", "pcall around a loop", "find, exponential", "finalizer", "print"):
        future = runner.start(PROGRAMS[name])
        told: list[bool] = []
        barrier = threading.Barrier(8)

        def ask(told: list[bool] = told, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            told.append(runner.session.interrupt())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        pause(rng.uniform(0, 0.01))
        asked = time.perf_counter()
        for thread in threads:
            thread.start()
        evaluation = future.result(WAIT_S_MAX)
        runner.latencies.note(time.perf_counter() - asked, f"{name} (threads)")
        for thread in threads:
            thread.join()
        assert any(told)
        assert evaluation.problems[0].kind == "interrupt"
    runner.check_idle()


def test_what_waits_is_not_interrupted(runner: Runner) -> None:
    endless = runner.start("while true do end")
    waiting = [runner.session.submit(f"return {n}") for n in range(5)]
    assert runner.session.interrupt()
    assert endless.result(WAIT_S_MAX).problems[0].kind == "interrupt"
    wait(waiting, timeout=WAIT_S_MAX)
    assert [future.result().values for future in waiting] == [(n,) for n in range(5)]
    runner.check_idle()


# While the core waits for its host.


def test_interrupt_during_a_slow_module(runner: Runner) -> None:
    """The host reads a file: it is not disturbed, and the program ends when it returns."""
    entered, release = threading.Event(), threading.Event()

    def read(name: str) -> str | None:
        if name == "slow.lua":
            entered.set()
            assert release.wait(WAIT_S_MAX)
            return "return 1"
        return None

    runner.on_open = read
    future = runner.start("while true do pcall(require, 'slow'); package.loaded.slow = nil end")
    assert entered.wait(WAIT_S_MAX)
    assert runner.session.interrupt()
    pause(0.15)  # longer than the grace period
    assert not future.done()
    release.set()
    released = time.perf_counter()
    evaluation = future.result(WAIT_S_MAX)
    runner.latencies.note(time.perf_counter() - released, "slow module")
    runner.on_open = lambda _name: None
    runner.check_stopped(evaluation)
    runner.check_works()


def test_time_limit_during_a_slow_module(runner: Runner) -> None:
    def read(name: str) -> str | None:
        if name == "slow.lua":
            pause(0.2)
            return "return 1"
        return None

    runner.on_open = read
    evaluation = runner.start("while true do loadfile('slow.lua') end", time_limit_s=0.05).result(
        WAIT_S_MAX
    )
    runner.on_open = lambda _name: None
    runner.check_stopped(evaluation, "timeout")
    runner.check_works()


def test_interrupt_during_slow_output(runner: Runner) -> None:
    entered, release = threading.Event(), threading.Event()

    def hear(_piece: OutputPiece) -> None:
        entered.set()
        assert release.wait(WAIT_S_MAX)

    future = runner.session.submit(
        "while true do print(('x'):rep(1000)) end", time_limit_s=None, on_output=hear
    )
    assert entered.wait(WAIT_S_MAX)
    assert runner.session.interrupt()
    pause(0.1)
    release.set()
    released = time.perf_counter()
    evaluation = future.result(WAIT_S_MAX)
    runner.latencies.note(time.perf_counter() - released, "slow output")
    runner.check_stopped(evaluation)
    assert evaluation.output_text.startswith("xxx")


def test_output_before_an_interrupt_is_kept(runner: Runner) -> None:
    for program in ("while true do end", "return ('a'):rep(40):find(('.*'):rep(40) .. 'b')"):
        future = runner.start(f"print('before')\n{program}")
        pause(0.01)
        evaluation = runner.interrupt(future, "after output")
        runner.check_stopped(evaluation)
        assert evaluation.output_text == "before\n"
        assert evaluation.output[0].line == 2


# Elsewhere than in an evaluation.


def test_closing_and_restarting_stop_a_program(runner: Runner) -> None:
    for program in ("while true do pcall(error) end", PROGRAMS["find, exponential"]):
        with Session.open(time_limit_s=None) as session:
            futures = [session.submit(program)]
            wait_until_running(session)
            asked = time.perf_counter()
            session.restart()
            runner.latencies.note(time.perf_counter() - asked, "restart")
            assert session.evaluate("return 1").values == (1,)
            futures.append(session.submit(program))
            wait_until_running(session)
            asked = time.perf_counter()
            session.close()
            runner.latencies.note(time.perf_counter() - asked, "close")
            for future in futures:
                assert future.result(WAIT_S_MAX).problems[0].kind == "interrupt"


IN_NEW_MEMORY = {
    "find, plain": (
        "local s, p = ('a'):rep(4e7), ('a'):rep(1e7) .. 'b'",
        "return s:find(p, 1, true)",
    ),
    "find of %b": ("local s = ('('):rep(1e6)", "return s:find('%b()')"),
    "find, exponential": (
        "local s, p = ('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40) .. 'b'",
        "return s:find(p)",
    ),
    "gsub": ("local s = ('a'):rep(1e7)", "return s:gsub('a*b', '')"),
    "comparison": (
        "local a, b = ('x'):rep(6e7), ('x'):rep(6e7)",
        "while true do local x = a < b end",
    ),
    "utf8.len": ("local s = ('x'):rep(6e7)", "while true do utf8.len(s) end"),
    "utf8.offset": ("local s = ('x'):rep(6e7)", "while true do utf8.offset(s, 6e7) end"),
    "string.rep": ("local s = ('x'):rep(6e7)", "while true do local t = s:rep(1) end"),
    "upper": ("local s = ('x'):rep(6e7)", "while true do local t = s:upper() end"),
    "concatenation": ("local s = ('x'):rep(5e7)", "while true do local t = s .. 'y' end"),
    "table.concat": (
        "local t = {} for i = 1, 1e6 do t[i] = 'some text' end",
        "while true do local s = table.concat(t) end",
    ),
    "table.sort": (
        "local t = {} for i = 1, 1e6 do t[i] = i * 7919 % 100003 end",
        "while true do table.sort(t) table.sort(t, function(a, b) return a > b end) end",
    ),
    "table.move": ("local t = {}", "table.move(t, 1, 1 << 50, 2)"),
    "load": ("local s = (' '):rep(3e7)", "while true do load(s) end"),
    "collectgarbage": (
        "local t = {} for i = 1, 5e5 do t[i] = {i} end",
        "while true do collectgarbage() end",
    ),
    "calls": ("local t = {} setmetatable(t, {__call = t})", "t()"),
    "a loop": ("local f = load('while true do end')", "f()"),
}
"""What a program makes, and what it does with that for ever."""


@pytest.mark.parametrize("program", IN_NEW_MEMORY)
def test_interrupt_in_memory_that_is_new(program: str) -> None:
    """The program works in memory that was not there when it began, and may touch no other."""
    ready = threading.Event()

    def read(_path: Path) -> None:
        ready.set()

    session = Session.open(
        memory_limit_bytes=MEMORY_LIMIT_BYTES, time_limit_s=None, folders=["."], open_buffers=read
    )
    making, running = IN_NEW_MEMORY[program]
    future = session.submit(f"{making} loadfile('ready') {running}")
    assert ready.wait(WAIT_S_MAX)
    pause(0.02)
    asked = time.perf_counter()
    assert session.interrupt()
    try:
        evaluation = future.result(10 * LATENCY_S_MAX)
    except FutureTimeoutError:
        # The session is left open: closing it would wait for ever.
        pytest.fail("the program cannot be stopped")
    Latencies().note(time.perf_counter() - asked, program)
    with session:
        assert evaluation.problems[0].kind == "interrupt"
        assert session.evaluate("return 6 * 7").values == (42,)


def test_sessions_are_stopped_one_by_one() -> None:
    """Stopping one session leaves the others alone, however it is done."""
    programs = ["while true do end", PROGRAMS["find, exponential"]] * 2
    sessions = [Session.open(time_limit_s=None) for _ in programs]
    try:
        futures = [
            session.submit(program) for session, program in zip(sessions, programs, strict=True)
        ]
        for index, (session, future) in enumerate(zip(sessions, futures, strict=True)):
            wait_until_running(session)
            assert session.interrupt()
            assert future.result(WAIT_S_MAX).problems[0].kind == "interrupt"
            assert not any(later.done() for later in futures[index + 1 :])
    finally:
        for session in sessions:
            session.close()


def test_a_collection_whose_finalizer_does_not_end() -> None:
    with Session.open() as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(looking_module, "COLLECT_TIME_LIMIT_S", 0.1)
        assert session.evaluate(
            "setmetatable({}, {__gc = function() while true do end end}) x = 1"
        ).ok
        with pytest.raises(SessionError, match="finalizer"):
            session.collect_garbage()
        assert session.evaluate("x").values == (1,)


def test_checking_syntax_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lua_ls_persist.session.syntax.TIME_LIMIT_S", 0.05)
    with SyntaxChecker() as checker:
        begun = time.perf_counter()
        (problem,) = checker.check("a = a + 1 " * 2_000_000)
        assert time.perf_counter() - begun < LATENCY_S_MAX + 1
        assert "could not be checked within 0.05 s" in problem.message
        assert checker.check("x = 1") == ()
