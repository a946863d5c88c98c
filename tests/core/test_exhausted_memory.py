"""Programs that want more memory than there is end as Lua errors, and nothing is lost."""

from __future__ import annotations

import pytest

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from tests.core.exhausting_programs import EXHAUSTING
from tests.core.torture import MIB, TIME_LIMIT_S, check
from tests.core.torture_programs import PROGRAMS


def check_out_of_memory(evaluation: Evaluation) -> None:
    (problem,) = evaluation.problems
    assert "not enough memory" in problem.message
    if problem.kind == "memory":
        assert "not enough memory: the limit is " in problem.message
    else:
        # `load` returns the error as a message, and `assert` raises that.
        assert problem.kind == "runtime"


@pytest.mark.parametrize("program", EXHAUSTING)
def test_exhausted_memory_is_a_lua_error(program: str) -> None:
    """Caught by the program or not, again and again: always a Lua error, and nothing is lost."""
    source = EXHAUSTING[program]
    rounds = 15
    with Session.open(
        memory_limit_bytes=2 * MIB, time_limit_s=TIME_LIMIT_S, keep_error_effects=True
    ) as session:
        assert session.evaluate("rounds = 0").ok
        start = session.collect_garbage()
        for _ in range(rounds):
            evaluation = check(session, source)
            check_out_of_memory(evaluation)
            caught = check(
                session,
                f"rounds = rounds + 1; local ok, e = pcall(function() {source} end)"
                "collectgarbage(); return ok, e",
            )
            assert caught.ok
            assert caught.values[0] is False
            assert "not enough memory" in str(caught.values[1])
        assert session.evaluate("rounds").values == (rounds,)
        end = session.collect_garbage()
        # What a program caught has grown Lua's string table and stack, which shrink over time.
        assert end.lua_bytes < start.lua_bytes + 65536
        assert end.committed_bytes <= 2 * MIB


@pytest.mark.parametrize("program", EXHAUSTING)
def test_exhausted_memory_in_a_larger_vm(program: str) -> None:
    with Session.open(memory_limit_bytes=16 * MIB, time_limit_s=TIME_LIMIT_S) as session:
        before = session.memory()
        evaluation = session.evaluate(EXHAUSTING[program], mode="chunk")
        check_out_of_memory(evaluation)
        assert session.memory().lua_bytes == before.lua_bytes
        check(session, "")


def test_memory_may_run_out_anywhere() -> None:
    """Every program, in a VM that has little left: a memory error may come at every allocation."""
    for filler in range(1000, 1600, 67):
        with Session.open(
            memory_limit_bytes=2 * MIB,
            time_limit_s=TIME_LIMIT_S,
            keep_error_effects=True,
            allow_bytecode=True,
        ) as session:
            assert session.evaluate(f"filler = ('x'):rep({filler} * 1024)").ok is not None
            for program, source in PROGRAMS.items():
                if "require" not in program:
                    check(session, f"local function run() {source} end return pcall(run)")
