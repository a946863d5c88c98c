"""Opening a machine, what it refuses, and closing it."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest
import wasmtime

from lua_ls_persist.errors import CoreError
from lua_ls_persist.protocol import LAYOUT_VERSION, Bytecode
from lua_ls_persist.vm import (
    MEMORY_LIMIT_BYTES_MAX,
    MEMORY_LIMIT_BYTES_MIN,
    CompiledCore,
    Machine,
    core_info,
    wasm_path,
    wasm_sha256,
    wasmtime_version,
)
from lua_ls_persist.vm import machine as machine_code
from tests.vm.helpers import MIB, python, run

PROC = Path("/proc/self")
OTHER_VERSION = "core and package are of different versions; reinstall the package"


def test_what_is_known_of_the_core() -> None:
    info = core_info()
    assert info.path == wasm_path()
    assert info.wasm_bytes == wasm_path().stat().st_size
    assert info.sha256 == wasm_sha256(wasm_path())
    assert info.lua_version == "5.4.8"
    assert info.layout_version == LAYOUT_VERSION
    assert info.wasmtime_version == wasmtime_version()


# Another core.


def test_a_core_of_another_layout(core: CompiledCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_code, "LAYOUT_VERSION", 999)
    with pytest.raises(CoreError) as caught:
        Machine(core)
    assert str(caught.value) == (
        f"the core has layout {LAYOUT_VERSION}, this package needs 999: {OTHER_VERSION}"
    )


def fake_core(core: CompiledCore, *parts: str) -> CompiledCore:
    module = wasmtime.Module(core.engine, f"(module {' '.join(parts)})")
    return CompiledCore(core.engine, module, "0" * 64, core.signals)


FAKE_FUNCTIONS = [
    *(
        f'(func (export "{name}") (param i32) (result i32) i32.const 0)'
        for name in ("core_compile", "core_echo", "core_evaluate", "core_fields")
    ),
    *(
        f'(func (export "{name}") (result i32) i32.const 0)'
        for name in (
            "core_collect",
            "core_description",
            "core_flush",
            "core_info",
            "core_lua_bytes",
            "core_references",
        )
    ),
    '(func (export "core_trace") (result i32) i32.const 0)',
]
FAKE_OPEN = '(func (export "core_open") (result i32) i32.const {})'
FAKE_MEMORY = '(memory (export "memory") 7)'
FAKE_STACK = '(global (export "__stack_pointer") (mut i32) (i32.const 1024))'
FAKE_INFO = f'(data (i32.const 0) "\\{LAYOUT_VERSION:02x}")'


def test_a_core_of_another_layout_for_real(core: CompiledCore) -> None:
    other = '(data (i32.const 0) "\\63")'
    parts = [*FAKE_FUNCTIONS, FAKE_OPEN.format(0), FAKE_MEMORY, FAKE_STACK, other]
    with pytest.raises(CoreError, match="the core has layout 99, this package needs"):
        Machine(fake_core(core, *parts))


def test_a_core_that_lacks_something(core: CompiledCore) -> None:
    with pytest.raises(CoreError) as caught:
        Machine(fake_core(core, *FAKE_FUNCTIONS, FAKE_MEMORY, FAKE_STACK))
    assert str(caught.value) == f"the core has no export 'core_open': {OTHER_VERSION}"


def test_a_core_that_wants_more(core: CompiledCore) -> None:
    with pytest.raises(CoreError) as caught:
        Machine(fake_core(core, '(import "host" "fetch" (func))'))
    assert str(caught.value) == f"the core wants an import 'fetch': {OTHER_VERSION}"


def test_a_core_that_wants_the_same_otherwise(core: CompiledCore) -> None:
    with pytest.raises(CoreError, match="the core cannot be started: incompatible import type"):
        Machine(fake_core(core, '(import "host" "call" (func))'))


def test_a_vm_that_does_not_fit(core: CompiledCore) -> None:
    parts = [*FAKE_FUNCTIONS, FAKE_OPEN.format(1), FAKE_MEMORY, FAKE_STACK, FAKE_INFO]
    with pytest.raises(CoreError, match="the VM does not fit into 2097152 bytes; raise the memory"):
        Machine(fake_core(core, *parts), memory_limit_bytes=2 * MIB)


# Limits.


@pytest.mark.parametrize(
    "limit", [-1, 0, 1, MEMORY_LIMIT_BYTES_MIN - 1, MEMORY_LIMIT_BYTES_MAX + 1, 2**32, 2**40]
)
def test_memory_limits_that_make_no_sense(core: CompiledCore, limit: int) -> None:
    with pytest.raises(CoreError) as caught:
        Machine(core, memory_limit_bytes=limit)
    assert str(caught.value) == (
        f"the memory limit of {limit} bytes is not between "
        f"{MEMORY_LIMIT_BYTES_MIN} and {MEMORY_LIMIT_BYTES_MAX}"
    )


@pytest.mark.parametrize("limit", [MEMORY_LIMIT_BYTES_MIN, MEMORY_LIMIT_BYTES_MAX])
def test_the_smallest_and_the_largest_limit(core: CompiledCore, limit: int) -> None:
    with Machine(core, memory_limit_bytes=limit) as machine:
        assert run(machine, "6 * 7") == (42,)
        assert machine.memory_limit_bytes == limit


def test_a_limit_is_rounded_down_to_whole_pages(core: CompiledCore) -> None:
    with Machine(core, memory_limit_bytes=2 * MIB + 65535) as machine:
        assert machine.memory_limit_bytes == 2 * MIB


ADDRESS_SPACE = """
import resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from lua_ls_persist.errors import CoreError
from lua_ls_persist.vm import Machine, load_core
try:
    Machine(load_core())
except CoreError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="there are no such limits elsewhere")
def test_a_limit_on_address_space_is_named() -> None:
    printed = python(ADDRESS_SPACE, str(3 * 2**30))
    assert printed.startswith("the core cannot be started: mmap failed to reserve ")
    assert printed.endswith(
        "; each VM reserves about 8 GiB of address space (not memory): raise the limit on address "
        "space (ulimit -v), or open fewer VMs\n"
    )


# The end.


def test_close_is_idempotent(core: CompiledCore) -> None:
    machine = Machine(core)
    run(machine, "1", time_limit_s=60)
    machine.close()
    machine.close()
    with machine:
        pass
    assert machine.interrupt() is False


def test_a_closed_machine_refuses_everything(core: CompiledCore) -> None:
    """Its memory is not mapped any more: to touch it would end the process."""
    machine = Machine(core)
    image = machine.capture()
    machine.close()
    for use in (
        lambda: run(machine, "1"),
        lambda: machine.number("core_lua_bytes"),
        machine.capture,
        lambda: machine.capture(image),
        lambda: machine.restore(image),
        machine.segments,
        machine.memory_bytes,
        machine.used_bytes,
        lambda: machine.allow_bytecode(Bytecode.ALLOWED),
    ):
        with pytest.raises(CoreError, match="the machine is closed"):
            use()


def open_files() -> int:
    return len(list(PROC.joinpath("fd").iterdir()))


def address_space_bytes() -> int:
    pages = PROC.joinpath("statm").read_text(encoding="ascii").split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not PROC.is_dir(), reason="counts what Linux tells")
def test_200_machines_leave_nothing_behind(core: CompiledCore) -> None:
    def open_one() -> None:
        with Machine(core) as machine:
            # With a time limit, so that its watchdog is there.
            assert run(machine, "6 * 7", time_limit_s=60) == (42,)

    open_one()
    gc.collect()  # what other tests have left
    files, threads, space_bytes = open_files(), threading.active_count(), address_space_bytes()
    for _ in range(200):
        open_one()
    assert open_files() <= files
    assert threading.active_count() <= threads
    assert address_space_bytes() - space_bytes < 2**30, "a single VM reserves eight times that"


def test_machines_do_not_share_anything(core: CompiledCore) -> None:
    with Machine(core) as one, Machine(core) as other:
        run(one, "x = 1")
        assert run(other, "x") == (None,)
        run(other, "string.x = 2")
        assert run(one, "string.x") == (None,)


# Threads.


def test_a_machine_may_move_between_threads(core: CompiledCore) -> None:
    """One thread at a time uses it, whichever it is."""
    machines: list[Machine] = []
    results: list[object] = []

    def in_a_thread(work: object) -> None:
        thread = threading.Thread(target=work)  # type: ignore[arg-type]
        thread.start()
        thread.join()

    in_a_thread(lambda: machines.append(Machine(core)))
    in_a_thread(lambda: run(machines[0], "n = 20"))
    in_a_thread(lambda: results.append(run(machines[0], "n + 1")))
    assert run(machines[0], "n + 2") == (22,)
    in_a_thread(machines[0].close)
    assert results == [(21,)]


def test_machines_run_at_the_same_time(core: CompiledCore) -> None:
    """Each in its thread: the foreign call lets the others run."""
    results: dict[int, object] = {}

    def work(number: int) -> None:
        with Machine(core) as machine:
            for _ in range(20):
                source = f"local n = 0 for i = 1, 20000 do n = n + {number} end return n"
                results[number] = run(machine, source)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: (number * 20000,) for number in range(6)}
