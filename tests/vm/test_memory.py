"""The memory cap: reaching it is a Lua error, whatever reaches it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.protocol import Outcome
from lua_ls_persist.vm import CompiledCore, Machine
from tests.vm.helpers import MIB, problem_of, response_of, run

GLUTTONS = {
    "tables": "local t = {} while true do t[#t + 1] = {} end",
    "one long string": "local s = 'x' while true do s = s .. s end",
    "many strings": "local t = {} for i = 1, math.huge do t[i] = ('%d'):format(i):rep(20) end",
    "closures": "local t = {} for i = 1, math.huge do t[i] = function() return i, t end end",
    "coroutines": "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    "string.rep": "return ('x'):rep(1 << 30)",
    "table.concat": "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(99999) end",
    "hash part": "local t = {} for i = 1, math.huge do t[i * 0.5] = i end",
    "recursion": "local function f(...) return 1 + f(1, 2, 3, ...) end return f()",
    "gsub": "return (('x'):rep(100000):gsub('x', ('y'):rep(100000)))",
    "load": "local t = {} while true do t[#t + 1] = assert(load('return function() end')) end",
    "a source": "return load('return {' .. ('1,'):rep(1 << 24) .. '}')()",
    "string.format": "local s = 'x' while true do s = ('%s %s'):format(s, s) end",
    "metatables": "local t while true do t = setmetatable({}, { __index = t or {} }) end",
}


@pytest.fixture(params=[1, 2, 16, 64], ids=lambda size: f"{size} MiB")
def machine(request: pytest.FixtureRequest, core: CompiledCore) -> Iterator[Machine]:
    with Machine(core, memory_limit_bytes=request.param * MIB) as machine:
        yield machine


@pytest.mark.parametrize("glutton", GLUTTONS)
def test_running_out_is_a_lua_error(machine: Machine, glutton: str) -> None:
    run(machine, "kept = { 1, 2, 3 }")
    image = machine.capture()
    for _ in range(2):
        response = response_of(machine, GLUTTONS[glutton])
        problem = problem_of(response)
        assert machine.memory_bytes() <= machine.memory_limit_bytes
        if response[0] == Outcome.MEMORY:
            assert problem.message == "not enough memory"
            assert (problem.chunk, problem.line) == ("@test.lua", 1)
        else:
            assert response[0] == Outcome.RUNTIME
            if problem.message != "not enough memory":  # caught and raised again, that is
                # It ran into another limit of Lua first, in a large memory.
                assert problem.message.endswith(("stack overflow", "string slice too long"))
                assert machine.memory_limit_bytes >= 16 * MIB
        machine.restore(image)
        assert run(machine, "#kept, #tostring(kept) > 5") == (3, True)


@pytest.mark.parametrize("glutton", ["tables", "one long string", "many strings", "string.rep"])
def test_a_program_may_catch_it_and_go_on(machine: Machine, glutton: str) -> None:
    """Without any image coming back: what it had taken is free again."""
    source = f"""
        local ok, message = pcall(function() {GLUTTONS[glutton]} end)
        collectgarbage()
        local t = {{}}
        for i = 1, 1000 do t[i] = {{ i }} end
        return ok, message, #t
    """
    for _ in range(3):
        assert run(machine, source) == (False, "not enough memory", 1000)
    assert run(machine, "6 * 7") == (42,)


def test_a_result_that_does_not_fit_any_more(core: CompiledCore) -> None:
    """The preview of a result takes next to nothing of the program's memory."""
    with Machine(core, memory_limit_bytes=2 * MIB) as machine:
        source = """
            local t = {}
            pcall(function() for i = 1, math.huge do t[i] = i end end)
            pcall(function() local n = {} while true do n = { n } end end)
            full = {}
            pcall(function() for i = 1, math.huge do full[i] = 'number ' .. i end end)
            return t, #full > 100
        """
        response = response_of(machine, source)
        assert response[0] in (Outcome.OK, Outcome.MEMORY)
        assert run(machine, "6 * 7") == (42,)


def test_the_cap_is_used_up_to_the_end(core: CompiledCore) -> None:
    """Nearly all of the memory is the program's."""
    for limit in (2 * MIB, 16 * MIB):
        with Machine(core, memory_limit_bytes=limit) as machine:
            (count,) = run(
                machine,
                "local t, n = {}, 0 pcall(function() while true do t = { t } n = n + 1 end end) "
                "return n",
            )
            assert isinstance(count, int)
            # A table with one slot: blocks of 40 and 24 bytes.
            assert count * 64 > (limit - 512 * 1024) * 0.9


def test_memory_is_given_back_to_the_program(core: CompiledCore) -> None:
    """Blocks of all sizes, freed in any order: no more is needed the hundredth time."""
    source = """
        local kept = {}
        for i = 1, 400 do
          kept[i % 37 + 1] = ('x'):rep((i * 7919) % 9000)
          kept[i % 41 + 40] = { ('y'):rep(i % 300), { i } }
        end
        return #kept
    """
    with Machine(core, memory_limit_bytes=2 * MIB) as machine:
        for _ in range(100):
            run(machine, source)
        before = machine.used_bytes()
        for _ in range(100):
            run(machine, source)
        assert machine.used_bytes() - before < 64 * 1024


def test_what_is_told_of_memory(machine: Machine) -> None:
    committed, used = machine.memory_bytes(), machine.used_bytes()
    lua_bytes = machine.number("core_lua_bytes")
    assert 0 < lua_bytes < used <= committed <= machine.memory_limit_bytes
    run(machine, "blob = ('x'):rep(200000)")
    assert machine.number("core_lua_bytes") > lua_bytes + 200_000
    assert machine.used_bytes() > used
    run(machine, "blob = nil")
    assert machine.number("core_collect") == 0
    assert machine.number("core_lua_bytes") < lua_bytes + 10_000
