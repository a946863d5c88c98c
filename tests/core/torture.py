"""What holds after every program that goes too far: the VM works, and has its stack back."""

from __future__ import annotations

from lua_ls_persist.model import Evaluation
from lua_ls_persist.protocol import Info
from lua_ls_persist.session import Session

MIB = 1024 * 1024
TIME_LIMIT_S = 60.0


def check(session: Session, source: str | bytes, *, mode: str = "chunk") -> Evaluation:
    """Run a program: a Lua value or a Lua error comes of it, and the VM is whole afterwards."""
    machine = session._life.runner.machine
    evaluation = session.evaluate(
        source, name="torture", mode="chunk" if mode == "chunk" else "auto"
    )
    kinds = {problem.kind for problem in evaluation.problems}
    assert kinds <= {"runtime", "memory", "syntax"}, evaluation.problems
    assert evaluation.ok == (not kinds)
    stack_pointer = int(machine._stack_pointer.value(machine._store))
    assert stack_pointer == machine._stack_start, "the shadow stack was not given back"
    assert machine.words[machine.info[Info.RUNNING] >> 2] == 0, "a state still counts as running"
    after = session.evaluate(STILL_WORKS, mode="chunk")
    assert after.values == (42, "ok", 6, False), after
    return evaluation


STILL_WORKS = """
    debug.sethook()
    local co = coroutine.wrap(function(x) coroutine.yield(x) return "ok" end)
    local function depth(n) if n == 0 then return 6 end return (depth(n - 1)) end
    co(1)
    return 6 * 7, co(), depth(100), (pcall(error))
"""
