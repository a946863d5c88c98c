"""What the host raises reaches whoever called, and never passes through WebAssembly frames."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lua_ls_persist.vm import CompiledCore, Image, Machine, NoHost
from lua_ls_persist.vm.hostcalls import FILES_OPEN_MAX
from tests.vm.helpers import Recorder, problem_of, response_of, run


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def machine(request: pytest.FixtureRequest, core: CompiledCore) -> Iterator[Machine]:
    with Machine(core, fast=request.param) as machine:
        yield machine


@pytest.fixture
def image(machine: Machine) -> Image:
    return machine.capture()


class RefusalError(Exception):
    """What the hosts below raise."""


class Raising(Recorder):
    def __init__(self, error: BaseException) -> None:
        super().__init__({b"good.lua": b"return 'good'"})
        self.error = error
        self.calls = 0

    def output(self, records: bytes, /) -> bool:
        self.calls += 1
        raise self.error

    def open(self, name: bytes, /) -> bytes | None:
        if name == b"good.lua":
            return super().open(name)
        self.calls += 1
        raise self.error


MUCH_OUTPUT = "for i = 1, 10000 do print(i) end"
PROGRAMS = {
    "output at the end": "print('x')",
    "output in the middle": MUCH_OUTPUT,
    "output in a coroutine": f"coroutine.wrap(function() {MUCH_OUTPUT} end)()",
    "output in a finalizer": (
        f"setmetatable({{}}, {{ __gc = function() {MUCH_OUTPUT} end }}) collectgarbage()"
    ),
    "a module": "require 'bad'",
    "a module in a protected call": "return pcall(require, 'bad')",
    "a module in a module": "require 'good' return pcall(dofile, 'bad.lua')",
}


@pytest.mark.parametrize(
    "error", [RefusalError("no"), KeyboardInterrupt(), SystemExit(3)], ids=repr
)
@pytest.mark.parametrize("program", PROGRAMS)
def test_it_reaches_the_caller(
    machine: Machine, image: Image, program: str, error: BaseException
) -> None:
    host = Raising(error)
    with pytest.raises(type(error)) as caught:
        response_of(machine, PROGRAMS[program], host=host)
    assert caught.value is error
    assert host.calls >= 1
    machine.restore(image)
    assert run(machine, "6 * 7") == (42,)
    assert run(machine, "#require('good')", host=Recorder(host.files)) == (4,)


@pytest.mark.parametrize(
    "program",
    [
        "while true do print(('x'):rep(1000)) end",
        "pcall(require, 'bad') while true do end",
        "while true do pcall(require, 'bad') end",
        "pcall(require, 'bad') return ('a'):rep(40):find(('a?'):rep(40) .. 'b')",
    ],
)
def test_the_program_is_stopped_then(machine: Machine, image: Image, program: str) -> None:
    """There is nobody left to take its result."""
    started = time.monotonic()
    with pytest.raises(RefusalError):
        response_of(machine, program, host=Raising(RefusalError()), time_limit_s=30)
    assert time.monotonic() - started < 10
    machine.restore(image)
    assert run(machine, "6 * 7") == (42,)


def test_of_several_errors_the_first(machine: Machine, image: Image) -> None:
    class Counting(Recorder):
        def open(self, name: bytes, /) -> bytes | None:
            self.asked.append(name)
            raise RefusalError(f"number {len(self.asked)}")

    with pytest.raises(RefusalError, match="number 1"):
        response_of(machine, "pcall(require, 'a') pcall(require, 'b')", host=Counting())
    machine.restore(image)
    assert run(machine, "6 * 7") == (42,)


def test_a_host_that_wants_no_more_output(machine: Machine) -> None:
    class Enough(Recorder):
        def output(self, records: bytes, /) -> bool:
            super().output(records)
            return False

    host = Enough()
    assert run(machine, MUCH_OUTPUT + " return 'end'", host=host) == ("end",)
    assert 0 < len(host.records) <= 16384
    again = Recorder()
    run(machine, MUCH_OUTPUT, host=again)
    assert again.text == b"".join(b"%d\n" % number for number in range(1, 10001))


def test_without_a_host(machine: Machine) -> None:
    assert run(machine, MUCH_OUTPUT + " return 1") == (1,)
    problem = problem_of(response_of(machine, "require 'x'"))
    assert problem.message.startswith("module 'x' not found:")
    assert NoHost().output(b"") is False
    assert NoHost().open(b"x.lua") is None


def test_a_large_module_comes_in_pieces(machine: Machine) -> None:
    content = b"-- filling\n" * 30_000 + b"return debug.getinfo(1, 'l').currentline"
    assert run(machine, "require 'large'", host=Recorder({b"large.lua": content}))[0] == 30_001


def test_what_require_asks_for(machine: Machine) -> None:
    host = Recorder({b"a/b/init.lua": b"return { ... }"})
    (found,) = run(machine, "table.concat(require 'a.b', ' ')", host=host)
    assert found == "a.b a/b/init.lua"
    # The searcher looks whether it can be read, then reads it.
    assert host.asked == [b"a/b.lua", b"a/b/init.lua", b"a/b/init.lua"]


def test_many_modules_that_require_each_other(machine: Machine) -> None:
    """A file is closed before its code runs, so depth takes no handles."""
    depth = 3 * FILES_OPEN_MAX
    files = {
        b"m%d.lua" % number: b"return 1 + require 'm%d'" % (number + 1) for number in range(depth)
    }
    files[b"m%d.lua" % depth] = b"return 0"
    assert run(machine, "require 'm0'", host=Recorder(files))[0] == depth


def test_a_module_that_cannot_be_compiled_is_closed_as_well(machine: Machine) -> None:
    host = Recorder({b"broken.lua": b"return ("})
    for _ in range(3 * FILES_OPEN_MAX):
        assert run(machine, "(pcall(require, 'broken'))", host=host) == (False,)
    host.files[b"broken.lua"] = b"return 'repaired'"
    assert run(machine, "require 'broken'", host=host)[0] == "repaired"
