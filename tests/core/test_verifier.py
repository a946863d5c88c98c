"""The verifier of bytecode: what the compiler makes passes, and each rule refuses what breaks it.

Chunks are loaded by a program, in a VM whose host says that it has signed everything; so what is
not loaded was refused by the verifier. What it is good for is shown by test_mutants.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.protocol import Bytecode
from lua_ls_persist.vm import Machine, load_core
from tests.core.assembler import Function, abc, abx, asbx, ax
from tests.core.signing import Signing
from tests.core.verifier_cases import (
    END,
    FINE,
    INNER,
    NILS,
    NUMBERS,
    REFUSED,
    code,
    nested,
    vararg,
)
from tests.vm.helpers import MIB, Recorder, run
from wasm_core.fetch import fetch_lua_sources

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCES = ROOT / "wasm_core" / "src"
SUITE = fetch_lua_sources() / "testes"

PROGRAMS = sorted(
    [
        *SUITE.glob("*.lua"),
        *(ROOT / "lua").rglob("*.lua"),
        *(ROOT / "benchmarks").rglob("*.lua"),
        HERE / "verifier_functions.lua",
    ]
)

PASSES = """
    local f = ...
    for _, strip in ipairs { false, true } do
      local dumped = string.dump(f, strip)
      local loaded, message = load(dumped, "=dump", "b")
      if not loaded then return message end
      local again = string.dump(loaded)
      if again ~= dumped and not strip then return "another function was loaded" end
      loaded, message = load(again, "=again", "b")
      if not loaded then return message end
    end
    return nil
"""


class Folder(Signing):
    """Signs everything, and has files."""

    def open(self, name: bytes, /) -> bytes | None:
        return Path(name.decode()).read_bytes()


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine(load_core(), memory_limit_bytes=256 * MIB) as machine:
        machine.allow_bytecode(Bytecode.SIGNED)
        run(machine, f"passes = function(...) {PASSES} end")
        yield machine


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_programs_pass(machine: Machine, path: Path) -> None:
    program = f"return passes(assert(loadfile({str(path)!r})))"
    assert run(machine, program, host=Folder()) == (None,)


LARGE = re.findall(r"^add\(\"(.*?)\"", (HERE / "verifier_sources.lua").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", LARGE)
def test_large_programs_pass(machine: Machine, name: str) -> None:
    """At these sizes the compiler uses other instructions, and the verifier more rounds."""
    sources = (HERE / "verifier_sources.lua").read_bytes()
    program = f"""
        local text = assert(loadfile("sources.lua"))()[{name!r}]
        return passes(assert(load(text, "=large")))
    """
    host = Signing({b"sources.lua": sources})
    assert run(machine, program, host=host) == (None,)
    assert host.chunks == 4


REFUSAL = (
    "cannot load the binary chunk 'chunk': this session loads Lua source only, and what its own "
    "store has signed: "
)


def load(machine: Machine, chunk: bytes) -> str | None:
    """What is wrong with a chunk."""
    literal = "".join(f"\\{byte:03d}" for byte in chunk)
    program = f'return (select(2, load("{literal}", "=chunk", "b")))'
    (message,) = run(machine, program, host=Signing())
    assert message is None or isinstance(message, str)
    if message is None:
        return None
    assert message.startswith(REFUSAL), message
    return message.removeprefix(REFUSAL)


def test_what_is_made_by_hand_passes(machine: Machine) -> None:
    assert load(machine, FINE.chunk) is None
    fine = (
        code(*(abc("LOADNIL", n) for n in range(8))),
        vararg(abc("VARARG", 0, 0, 0), abc("RETURN", 0, 0, 1)),
        nested(INNER, 199),
        code(asbx("LOADI", 0, 1), abc("ADDI", 1, 0, 129), abc("MMBINI", 0, 129, 6)),
        code(abc("NEWTABLE", 0), ax(0), asbx("LOADI", 1, 1), abc("SETLIST", 0, 1)),
        code(*NUMBERS, abx("FORPREP", 0, 0), abx("FORLOOP", 0, 1)),
        FINE.with_(lines=b"\1\1\1", variables=[(b"x", 0, 3)]),
        FINE.with_(upvalues=[(0, 0, 0)], names=[b"up"]),
    )
    for function in fine:
        assert load(machine, function.chunk) is None


CASES = [
    pytest.param(reason, case, id=f"{reason}-{index}")
    for reason, cases in REFUSED.items()
    for index, case in enumerate(cases)
]


@pytest.mark.parametrize(("reason", "case"), CASES)
def test_refused(machine: Machine, reason: str, case: bytes | Function) -> None:
    chunk = case if isinstance(case, bytes) else case.chunk
    message = load(machine, chunk)
    assert message is not None
    assert message.endswith(f" {reason}"), message


def test_every_reason_has_a_case() -> None:
    reasons = set()
    for path in SOURCES.glob("verify*.zig"):
        text = path.read_text()
        reasons |= set(re.findall(r'refuse\((?:\w+, )?"([^"]*)"\)', text))
        reasons |= set(re.findall(r'blame\("([^"]*)"\)', text))
    assert reasons == set(REFUSED)


def test_the_place_is_told(machine: Machine) -> None:
    wrong = code(*NILS, abc("MOVE", 0, 8))
    outer = Function([END], functions=[wrong.with_()])
    place = "in the function defined at line 1, instruction 1 "
    assert load(machine, outer.chunk) == f"{place}uses a register that the function does not have"
    assert load(machine, b"\x1bLuaX" * 10) == "it is not a binary chunk of Lua 5.4"


def test_every_truncation_is_refused(machine: Machine) -> None:
    program = """
        local dumped = string.dump(assert(load(
          "local t, n = { 1, x = 'y' }, 1.5 for k in pairs(t) do n = function() return k end end"
        )))
        for length = 1, #dumped - 1 do
          if load(dumped:sub(1, length), "=x", "b") then return length end
        end
        return load(dumped, "=x", "b") ~= nil and load(dumped .. "x", "=x", "b") == nil
    """
    assert run(machine, program, host=Signing()) == (True,)


def test_the_deepest_chunk_where_the_stack_is_nearly_used_up(machine: Machine) -> None:
    """Also Lua's own loader goes into each nested function."""
    program = """
        local text = ("local function f() "):rep(190) .. (" end"):rep(190)
        local dumped = string.dump(assert(load(text)))
        local deepest
        local function go() deepest = load(dumped, "=x", "b") or deepest; select(2, pcall(go)) end
        go()
        return deepest ~= nil
    """
    assert run(machine, program, host=Signing()) == (True,)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_chunk_in_pieces(machine: Machine, size: int) -> None:
    program = f"""
        local dumped = string.dump(function(x) local t = {{}}; t.y = x; return t.y * 2 end)
        local position = 1
        local f = assert(load(function()
          local piece = dumped:sub(position, position + {size} - 1)
          position = position + {size}
          collectgarbage()
          return piece
        end, "=pieces", "b"))
        return f(21)
    """
    assert run(machine, program, host=Signing()) == (42,)


def test_a_reader_that_fails(machine: Machine) -> None:
    program = """
        local dumped = string.dump(function() end)
        local done
        return load(function()
          if done then error("no more") end
          done = true
          return dumped:sub(1, 40)
        end, "=pieces", "b")
    """
    nothing, message = run(machine, program, host=Signing())
    assert nothing is None
    assert isinstance(message, str)
    assert message.endswith("no more")


def test_without_memory_for_it() -> None:
    """The verifier needs some for large chunks; running out of it is the error it always is."""
    text = "return {" + "{x = {1.5, 'a'}}," * 20_000 + "}"
    program = f"""
        local dumped = string.dump(assert(load({text!r})))
        local fill, size = {{}}, 0
        local function room() return pcall(string.rep, "x", #dumped // 2) end
        while room() do fill[#fill + 1] = ("y"):rep(#dumped // 4) end
        local f, message = load(dumped, "=x", "b")
        fill = nil
        collectgarbage()
        return f == nil, message, load(dumped, "=x", "b") ~= nil
    """
    with Machine(load_core(), memory_limit_bytes=16 * MIB) as machine:
        machine.allow_bytecode(Bytecode.SIGNED)
        assert run(machine, program, host=Signing()) == (True, "not enough memory", True)


def test_a_vm_that_was_told_nothing_loads_none() -> None:
    with Machine(load_core()) as machine:
        _, message = run(machine, "return load(string.dump(function() end), '=x')", host=Recorder())
    assert message == "cannot load the binary chunk 'x': this session loads Lua source only"
