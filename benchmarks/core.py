"""Times the VM below the session: boundary crossings, images, the module itself."""

from __future__ import annotations

import struct
from contextlib import ExitStack
from functools import partial

from benchmarks.evaluate import (
    FILL_HEAP,
    HEAP_MEMORY_LIMIT_BYTES,
    HEAP_SIZES_BYTES,
    KIB,
    MIB,
)
from benchmarks.measure import Sample, Subject, measure
from lua_ls_persist.protocol import IO_BUFFER_BYTES, Outcome, Tag
from lua_ls_persist.session.request import PreviewLimits, evaluation_request
from lua_ls_persist.vm import Image, Machine, core_info, load_core

CROSSING_REPEATS = 1000
SMALL_ECHO_BYTES = 16
LARGE_ECHO_BYTES = IO_BUFFER_BYTES - 16
IMAGE_OUT, IMAGE_IN = "image out", "image in"


def module_size_bytes() -> int:
    """Return the size of the WebAssembly module."""
    return core_info().wasm_bytes


def measure_core(*, rounds: int) -> dict[str, Sample]:
    """Time calls across the boundary by both routes, and images of full heaps."""
    core = load_core()
    with ExitStack() as stack:
        subjects = []
        for route, fast in (("fast route", True), ("public functions", False)):
            machine = stack.enter_context(Machine(core, fast=fast))
            subjects += _crossings(machine, route)
        for size_bytes in HEAP_SIZES_BYTES:
            machine = stack.enter_context(Machine(core, memory_limit_bytes=HEAP_MEMORY_LIMIT_BYTES))
            _fill(machine, size_bytes)
            subjects += _images(machine, size_bytes)
        return measure(subjects, rounds=rounds)


def _crossings(machine: Machine, route: str) -> list[Subject]:
    def echo(length: int) -> Subject:
        value = struct.pack("<BI", Tag.STRING, length) + bytes(length)
        assert machine.call("core_echo", value).endswith(value)
        name = f"string of {length} bytes in and out, {route}"
        return Subject(name, partial(machine.call, "core_echo", value), CROSSING_REPEATS)

    return [
        Subject(
            f"call of an export, {route}",
            partial(machine.number, "core_lua_bytes"),
            CROSSING_REPEATS,
        ),
        echo(SMALL_ECHO_BYTES),
        echo(LARGE_ECHO_BYTES),
    ]


def _fill(machine: Machine, size_bytes: int) -> None:
    """Let the program keep strings until the collector counts as many bytes."""
    source = (FILL_HEAP % (size_bytes // KIB)).encode()
    request = evaluation_request(
        source, b"=fill", line=0, expression=False, arguments=(), limits=PreviewLimits()
    )
    response = machine.call("core_evaluate", request, payload=source)
    assert response[0] == Outcome.OK


def image_name(direction: str, size_bytes: int) -> str:
    """Return the name of an image's subject."""
    return f"{direction}, {size_bytes // MIB} MiB"


def _images(machine: Machine, size_bytes: int) -> list[Subject]:
    image = Image()
    machine.capture(image)
    repeats = max(1, 32 * MIB // size_bytes)
    return [
        Subject(image_name(IMAGE_OUT, size_bytes), lambda: machine.capture(image), repeats),
        Subject(image_name(IMAGE_IN, size_bytes), lambda: machine.restore(image), repeats),
    ]
