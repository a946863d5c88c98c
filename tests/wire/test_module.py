"""The WebAssembly module itself: what it imports, exports and weighs, and that Python knows it."""

from __future__ import annotations

import enum

import pytest
import wasmtime

from lua_ls_persist import protocol
from lua_ls_persist.vm import Machine, wasm_path
from tools import generate_protocol

SIZE_BYTES_MAX = 400_000

IMPORTS = {
    ("host", "call"): (["i32"] * 5, ["i32"]),
    ("host", "clock"): (["i32", "f64"], ["f64"]),
}
FUNCTIONS = {
    "core_collect": ([], ["i32"]),
    "core_compile": (["i32"], ["i32"]),
    "core_description": ([], ["i32"]),
    "core_echo": (["i32"], ["i32"]),
    "core_evaluate": (["i32"], ["i32"]),
    "core_fields": (["i32"], ["i32"]),
    "core_flush": ([], ["i32"]),
    "core_info": ([], ["i32"]),
    "core_lua_bytes": ([], ["i32"]),
    "core_open": ([], ["i32"]),
    "core_references": ([], ["i32"]),
    "core_trace": ([], ["i32"]),
}


@pytest.fixture(scope="module")
def module() -> wasmtime.Module:
    return wasmtime.Module.from_file(wasmtime.Engine(), str(wasm_path()))


def signature(kind: object) -> tuple[list[str], list[str]]:
    assert isinstance(kind, wasmtime.FuncType)
    return [str(item) for item in kind.params], [str(item) for item in kind.results]


def test_it_imports_two_functions_of_the_host_and_nothing_else(module: wasmtime.Module) -> None:
    assert {(item.module, item.name): signature(item.type) for item in module.imports} == IMPORTS


def test_what_it_exports(module: wasmtime.Module) -> None:
    exports = {item.name: item.type for item in module.exports}
    functions = {
        name: signature(kind)
        for name, kind in exports.items()
        if isinstance(kind, wasmtime.FuncType)
    }
    assert functions == FUNCTIONS
    assert set(exports) - set(FUNCTIONS) == {"memory", "__stack_pointer"}
    stack_pointer = exports["__stack_pointer"]
    assert isinstance(stack_pointer, wasmtime.GlobalType)
    assert stack_pointer.mutable
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.MemoryType)
    assert memory.limits.min * 65536 <= 1024 * 1024, "the smallest memory limit must hold it"


def test_its_size() -> None:
    assert wasm_path().stat().st_size < SIZE_BYTES_MAX


def test_the_numbers_in_python_are_those_of_the_core() -> None:
    fresh = generate_protocol.generate(generate_protocol.describe(wasm_path()))
    assert generate_protocol.TARGET.read_text(encoding="utf-8") == fresh


def test_every_number_that_the_core_describes_is_in_python() -> None:
    for line in generate_protocol.describe(wasm_path()).splitlines():
        name, value = line.split("=")
        owner, _, member = name.partition(".")
        if not member:
            assert getattr(protocol, owner) == int(value)
        else:
            assert getattr(getattr(protocol, owner), member.upper()) == int(value)


@pytest.mark.parametrize(
    "numbers", [protocol.Operation, protocol.Clock, protocol.Outcome, protocol.Stream, protocol.Tag]
)
def test_the_numbers_are_different(numbers: type[enum.IntEnum]) -> None:
    assert len({int(number) for number in numbers}) == len(numbers)


def test_the_info_struct_is_as_long_as_it_says(machine: Machine) -> None:
    info = machine.info
    assert info[protocol.Info.LAYOUT_VERSION] == protocol.LAYOUT_VERSION
    assert info[protocol.Info.INFO_BYTES] == protocol.Info.SIZE
    assert info[protocol.Info.IO_BUFFER_BYTES] == protocol.IO_BUFFER_BYTES


def test_the_places_lie_where_they_must(machine: Machine) -> None:
    info = machine.info
    start, end = info[protocol.Info.EXCHANGE_START], info[protocol.Info.EXCHANGE_END]
    assert info[protocol.Info.IMAGE_START] < start < end <= machine.used_bytes()
    io = info[protocol.Info.IO_BUFFER]
    output = info[protocol.Info.OUTPUT_BUFFER]
    for place, length in ((io, protocol.IO_BUFFER_BYTES), (output, protocol.OUTPUT_BUFFER_BYTES)):
        assert start <= place
        assert place + length <= end
    # What tells of a call that runs is state: it must come back with an image.
    for word in (info[protocol.Info.OUTPUT_LENGTH], info[protocol.Info.INTERRUPT]):
        assert not start <= word < end
