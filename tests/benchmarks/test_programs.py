"""Every benchmark program computes what it says, in native Lua and in our VM. No times here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.native import build_native
from benchmarks.programs import (
    COROUTINE_PROGRAM,
    OPERATIONS_FOLDER,
    PROGRAMS_FOLDER,
    Program,
    read_program,
    read_programs,
)
from benchmarks.workers import Worker, WorkerError, session_command

PROGRAMS = (*read_programs(PROGRAMS_FOLDER), *read_programs(OPERATIONS_FOLDER))


@pytest.fixture(scope="module")
def native() -> Iterator[Worker]:
    with Worker("native", [str(build_native())]) as worker:
        yield worker


@pytest.fixture(scope="module")
def ours() -> Iterator[Worker]:
    with Worker("ours", session_command()) as worker:
        yield worker


def test_there_are_enough_programs_and_one_switches_coroutines() -> None:
    names = [program.name for program in read_programs()]
    assert len(names) >= 10
    assert COROUTINE_PROGRAM in names


def test_no_name_is_used_twice() -> None:
    names = [program.name for program in PROGRAMS]
    assert len(set(names)) == len(names)


def check(worker: Worker, program: Program) -> None:
    """Twice in one VM: a run leaves nothing behind that changes the next."""
    worker.load(program)
    try:
        assert [worker.run(program).result for _ in range(2)] == [program.expect] * 2
    finally:
        worker.unload(program)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_native_result(native: Worker, program: Program) -> None:
    check(native, program)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_our_result(ours: Worker, program: Program) -> None:
    check(ours, program)


@pytest.mark.parametrize("vm", ["native", "ours"])
def test_a_wrong_result_is_refused(vm: str, request: pytest.FixtureRequest) -> None:
    worker: Worker = request.getfixturevalue(vm)
    fib = read_program(PROGRAMS_FOLDER / "fib.lua")
    liar = Program(fib.name, fib.path, fib.source, expect="832041", count=1)
    worker.load(liar)
    with pytest.raises(WorkerError, match=f"{vm}: fib returned '832040' instead of '832041'"):
        worker.run(liar)
    worker.unload(liar)


@pytest.mark.parametrize("vm", ["native", "ours"])
def test_a_failing_program_is_reported_and_the_worker_lives_on(
    vm: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    worker: Worker = request.getfixturevalue(vm)
    path = tmp_path_factory.mktemp("programs") / "failing.lua"
    path.write_text("-- expect: 1\nerror('out of coffee', 0)\n", encoding="utf-8")
    failing = read_program(path)
    worker.load(failing)
    with pytest.raises(WorkerError, match="out of coffee"):
        worker.run(failing)
    worker.unload(failing)
    check(worker, read_program(OPERATIONS_FOLDER / "lua_call.lua"))


def test_a_program_without_an_expectation_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("programs") / "silent.lua"
    path.write_text("return 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"silent\.lua has no `-- expect:` line"):
        read_program(path)
