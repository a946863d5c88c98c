"""Bytecode that was changed at random: what the verifier lets pass does no harm to the VM.

The host says that it has signed everything, so the verifier is all that stands between the mutants
and the interpreter. One VM runs them all, and none of its images is restored: what a mutant broke
would still be broken at the end.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.protocol import Bytecode
from lua_ls_persist.vm import Machine, load_core
from tests.core.signing import Signing
from tests.vm.helpers import MIB, run

HERE = Path(__file__).resolve().parent
FUNCTIONS = (HERE / "verifier_functions.lua").read_text()
FUZZ = (HERE / "verifier_fuzz.lua").read_text()

MEMORY_LIMIT_BYTES = 16 * MIB
TIME_LIMIT_S = 60.0
MUTANTS = 100_000
MUTANTS_PER_CALL = 10_000
SOAK_MUTANTS = 5_000_000

RESULTS = """
    local results = {}
    for _, f in ipairs(functions) do
      local found = table.pack(pcall(f))
      for n = 1, found.n do
        local value = found[n]
        local plain = type(value) ~= "table" and type(value) ~= "function"
        results[#results + 1] = plain and tostring(value) or type(value)
      end
    end
    return table.concat(results, " ")
"""


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine(load_core(), memory_limit_bytes=MEMORY_LIMIT_BYTES) as machine:
        machine.allow_bytecode(Bytecode.SIGNED)
        program = f"functions = (function(...) {FUNCTIONS} end)() return #functions"
        assert run(machine, program) == (50,)
        yield machine


def mutate(machine: Machine, what: str, seed: int, first: int, last: int) -> tuple[int, int, int]:
    """How many mutants were refused, ended, and failed. Nothing else happened to them."""
    host = Signing()
    program = f"return (function(...) {FUZZ} end)({what!r}, {seed}, {first}, {last})"
    counts = run(machine, program, host=host, time_limit_s=TIME_LIMIT_S)
    refused, ended, failed = (count for count in counts if isinstance(count, int))
    assert host.chunks == ended + failed
    assert host.asked == []
    assert host.records == b""
    return refused, ended, failed


def test_eight_other_values_at_each_byte(machine: Machine) -> None:
    before = run(machine, RESULTS)
    accepted = tried = 0
    for number in range(1, 101):
        refused, ended, failed = mutate(machine, "each position", number, number, number)
        accepted += ended + failed
        tried += refused + ended + failed
    assert tried > 150_000
    assert 0.05 < accepted / tried < 0.5
    assert run(machine, RESULTS) == before


def random_mutants(machine: Machine, seed: int, count: int) -> None:
    before = run(machine, RESULTS)
    accepted = 0
    for start in range(0, count, MUTANTS_PER_CALL):
        _, ended, failed = mutate(machine, "random", seed + start, 1, MUTANTS_PER_CALL)
        accepted += ended + failed
        assert run(machine, RESULTS) == before
    assert accepted > count // 20


def test_random_mutants(machine: Machine) -> None:
    random_mutants(machine, 1, MUTANTS)


@pytest.mark.soak
def test_many_random_mutants(machine: Machine) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))
    print(f"SEED={seed}")
    random_mutants(machine, seed, SOAK_MUTANTS)
