"""Images: what was copied out comes back, in this machine, in another one, at any time."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from lua_ls_persist.errors import CoreError
from lua_ls_persist.vm import CompiledCore, Image, Machine, Stopped
from tests.vm.helpers import MIB, problem_of, response_of, run

STATE = """
items = { 1, "two", { three = 3.5 } }
setmetatable(items, { __index = function(_, key) return key .. "!" end })
local hidden = 0
function count() hidden = hidden + 1 return hidden end
numbers = coroutine.wrap(function()
  local ok, message = pcall(function()
    for i = 1, math.huge do coroutine.yield(i) end
  end)
end)
count() count() numbers()
"""
LOOK = "return items[1], items[2], items[3].three, items.nothing, count(), numbers()"


def spoil(machine: Machine) -> None:
    run(machine, "items = nil numbers = nil count = nil string = nil collectgarbage() x = {}")
    run(machine, "for i = 1, 1000 do x[i] = { tostring(i) } end")


def test_in_the_same_machine(machine: Machine) -> None:
    run(machine, STATE)
    image = machine.capture()
    assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
    assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 4, 3)
    spoil(machine)
    for _ in range(3):
        machine.restore(image)
        assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)


def test_in_another_machine(core: CompiledCore, machine: Machine) -> None:
    """Suspended coroutines go on, upvalues are shared as before, in both."""
    run(machine, STATE)
    image = machine.capture()
    with Machine(core) as other:
        run(other, "local t = {} for i = 1, 100000 do t[i] = {} end")
        other.restore(image)
        assert run(other, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
        assert run(other, LOOK) == (1, "two", 3.5, "nothing!", 4, 3)
        assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
        spoil(machine)
        assert run(other, LOOK) == (1, "two", 3.5, "nothing!", 5, 4)


def test_between_routes_and_engines(core: CompiledCore, checked_core: CompiledCore) -> None:
    """An image is of Lua's state alone, not of how the core was compiled or is called."""
    with Machine(core) as one, Machine(checked_core, fast=False) as other:
        run(one, STATE)
        other.restore(one.capture())
        assert run(other, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
        one.restore(other.capture())
        assert run(one, LOOK) == (1, "two", 3.5, "nothing!", 4, 3)


# (string.rep needs twice the memory of what it makes, as in any Lua 5.4.)
GROW = "blob = string.rep('x', {}) return #blob"


def test_after_the_memory_has_grown(machine: Machine) -> None:
    run(machine, STATE)
    image = machine.capture()
    run(machine, GROW.format(8 * MIB))
    assert machine.memory_bytes() > 8 * MIB
    machine.restore(image)
    assert run(machine, "blob") == (None,)
    assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
    assert run(machine, GROW.format(20 * MIB)) == (20 * MIB,)


def test_of_a_grown_vm_in_a_fresh_machine(core: CompiledCore, machine: Machine) -> None:
    """The fresh machine's memory is smaller than the VM in the image believes."""
    run(machine, GROW.format(8 * MIB) + ", collectgarbage()")
    image = machine.capture()
    assert image.size_bytes > 8 * MIB
    with Machine(core) as other:
        other.restore(image)
        assert run(other, "#blob") == (8 * MIB,)
        # What is allocated next lies in memory that has to be there.
        assert run(other, GROW.format(12 * MIB)) == (12 * MIB,)


def test_of_a_vm_that_has_shrunk_in_a_fresh_machine(core: CompiledCore, machine: Machine) -> None:
    """Little is in use, so the image is small; the VM still relies on the memory it once had."""
    run(machine, GROW.format(8 * MIB))
    run(machine, "blob = nil collectgarbage() collectgarbage()")
    image = machine.capture()
    assert image.size_bytes < MIB
    with Machine(core) as other:
        other.restore(image)
        assert run(other, GROW.format(6 * MIB)) == (6 * MIB,)
        assert run(other, GROW.format(20 * MIB)) == (20 * MIB,)


def test_in_a_machine_with_a_higher_limit(core: CompiledCore) -> None:
    with (
        Machine(core, memory_limit_bytes=2 * MIB) as small,
        Machine(core, memory_limit_bytes=32 * MIB) as large,
    ):
        run(small, STATE)
        assert problem_of(response_of(small, GROW.format(4 * MIB))).message == "not enough memory"
        large.restore(small.capture())
        assert run(large, GROW.format(12 * MIB)) == (12 * MIB,)
        assert run(large, LOOK)[4] == 3


def test_in_a_machine_with_a_limit_too_low(core: CompiledCore, machine: Machine) -> None:
    run(machine, GROW.format(8 * MIB))
    image = machine.capture()
    with Machine(core, memory_limit_bytes=4 * MIB) as small:
        run(small, "kept = 1")
        with pytest.raises(CoreError, match="does not fit into the memory limit of 4194304 bytes"):
            small.restore(image)
        assert run(small, "kept") == (1,), "nothing was changed"


def test_a_buffer_is_used_again(machine: Machine) -> None:
    image = machine.capture()
    first = image.size_bytes
    run(machine, "t = {} for i = 1, 20000 do t[i] = {i} end")
    assert machine.capture(image) is image
    assert image.size_bytes > first
    run(machine, "t = nil")
    machine.restore(image)
    assert run(machine, "#t, t[20000][1]") == (20000, 20000)
    run(machine, "t = nil collectgarbage()")
    machine.capture(image)
    spoil(machine)
    machine.restore(image)
    assert run(machine, "t, string.rep('a', 3)") == (None, "aaa")


def test_an_empty_image_changes_nothing(machine: Machine) -> None:
    run(machine, "x = 1")
    machine.restore(Image())
    assert run(machine, "x") == (1,)


def test_what_an_image_leaves_out(machine: Machine) -> None:
    """Stack and exchange buffers hold nothing between calls: filled with noise, all goes on."""
    run(machine, STATE)
    image = machine.capture()
    covered = sorted(machine.segments())
    position = 0
    for address, length in covered:
        gap = address - position
        ctypes.memset(machine.base + position, 0xA5, gap)
        position = address + length
    ctypes.memset(machine.base + position, 0xA5, machine.memory_bytes() - position)
    assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
    machine.restore(image)
    assert run(machine, "string.rep('ab', 3)") == ("ababab",)


def test_after_an_interrupt_in_the_middle_of_something(machine: Machine) -> None:
    run(machine, STATE)
    image = machine.capture()
    for _ in range(5):
        with pytest.raises(Stopped):
            run(machine, "return ('a'):rep(40):find(('a?'):rep(40) .. 'b')", time_limit_s=0.02)
        machine.restore(image)
        assert run(machine, "count()") == (3,)
        machine.restore(image)
    assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)


def break_state(machine: Machine) -> None:
    """Overwrite all of Lua's state, as a bug could."""
    (_, _), (start, length) = machine.segments()
    ctypes.memset(machine.base + start, 0xFF, length)


@pytest.mark.parametrize("fast", [True, False])
def test_after_a_trap(core: CompiledCore, fast: bool) -> None:
    with Machine(core, memory_limit_bytes=128 * MIB, fast=fast) as machine:
        run(machine, STATE)
        image = machine.capture()
        for number in range(3):
            run(machine, "x = 1")
            break_state(machine)
            with pytest.raises(Stopped) as caught:
                run(machine, "1")
            assert caught.value.cause is None
            assert "wasm trap" in str(caught.value)
            machine.restore(image)
            assert run(machine, f"x, count() + {number}") == (None, 3 + number)
            machine.restore(image)
        assert run(machine, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)
        # No shadow stack was lost: the deepest recursion still is a Lua error.
        deep = problem_of(response_of(machine, "local function f() return f() + 1 end return f()"))
        assert deep.message.endswith("stack overflow")


# Images that were kept somewhere else.


def test_an_image_made_of_its_content(core: CompiledCore, machine: Machine) -> None:
    run(machine, STATE)
    image = machine.capture()
    kept = bytes(image.content()), image.segments, image.memory_bytes
    assert len(kept[0]) == image.size_bytes
    spoil(machine)
    with Machine(core) as other:
        other.adopt(Image.of(*kept))
        assert run(other, LOOK) == (1, "two", 3.5, "nothing!", 3, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda segments: segments[:1],
        lambda segments: ((segments[0][0] + 4, segments[0][1]), segments[1]),
        lambda segments: (segments[0], (segments[1][0], segments[1][1] - 4)),
        lambda segments: (segments[0], (segments[1][0] + 4, segments[1][1] - 4)),
        lambda segments: (*segments, (0, 4)),
        lambda segments: (segments[1], segments[0]),
    ],
)
def test_what_is_no_image_of_this_core(core: CompiledCore, machine: Machine, change: Any) -> None:
    run(machine, STATE)
    image = machine.capture()
    segments = change(image.segments)
    content = bytes(sum(length for _, length in segments))
    with Machine(core) as other:
        run(other, "x = 1")
        with pytest.raises(CoreError, match="the image is not one of this core"):
            other.adopt(Image.of(content, segments, image.memory_bytes))
        assert run(other, "x") == (1,), "it is as it was"


def test_an_image_with_another_heap_in_it(core: CompiledCore, machine: Machine) -> None:
    image = machine.capture()
    with Machine(core) as other:
        run(other, "x = 1")
        with pytest.raises(CoreError, match="the image is not one of this core"):
            other.adopt(Image.of(bytes(image.size_bytes), image.segments, image.memory_bytes))
        assert run(other, "x") == (1,)
