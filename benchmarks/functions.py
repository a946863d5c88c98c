"""Times persisting small closures and restoring them.

Each is a share of an evaluation that persists or restores many: its commit included, the way into
the VM and the making of the closures taken off.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.access import above
from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, measure_once
from lua_ls_persist.session import Session

PERSIST_NEW_CODE = "persist a closure of new code"
PERSIST_KNOWN_CODE = "persist a closure of known code"
RESTORE = "restore a closure of its own code, and call it"

# Functions that look alike but have code of their own each, and closures that share theirs.
MAKERS: Final = """
function different(first, count)
  local made = {}
  for i = first, first + count - 1 do
    made[#made + 1] = load("local n = " .. i .. " return function(m) n = n + m return n end")()
  end
  return made
end
function alike(first, count)
  local made = {}
  for i = first, first + count - 1 do
    local n = i
    made[#made + 1] = function(m) n = n + m return n end
  end
  return made
end
"""
CALL_ALL: Final = """
local functions, sum = Memory.functions, 0
for i = 1, %d do sum = sum + functions[i](0) end
assert(sum == %d, sum)
"""


def measure_functions(folder: Path, count: int, *, rounds: int) -> dict[str, Sample]:
    """Time `count` closures at once, in interleaved rounds after one to warm up."""
    firsts = itertools.count(1, count)
    taken: dict[str, list[float]] = {}
    bases: dict[str, list[float]] = {}

    def note(name: str, round_number: int, base_s: float, seconds: float) -> None:
        if round_number > 0:
            bases.setdefault(name, []).append(base_s)
            taken.setdefault(name, []).append(seconds)

    with Session.open(folder / "functions.db", time_limit_s=None) as session:
        for round_number in range(rounds + 1):
            check(session.evaluate(MAKERS))
            for name, maker in ((PERSIST_KNOWN_CODE, "alike"), (PERSIST_NEW_CODE, "different")):
                first = next(firsts)
                made = _seconds(session, f"held = {maker}({first}, {count})")
                first = next(firsts)
                kept = _seconds(session, f"Memory.functions = {maker}({first}, {count})")
                note(name, round_number, made, kept)
            call_all = CALL_ALL % (count, sum(range(first, first + count)))
            # A VM that has not seen the functions; what it sets up at first is done.
            session.restart()
            check(session.evaluate("return Memory ~= nil"))
            restored, called = _seconds(session, call_all), _seconds(session, call_all)
            note(RESTORE, round_number, called, restored)
    return {
        name: Sample(tuple(above(seconds, min(bases[name])) / count for seconds in values))
        for name, values in taken.items()
    }


def _seconds(session: Session, source: str) -> float:
    run: Callable[[], object] = lambda: check(session.evaluate(source))  # noqa: E731
    return measure_once(Subject(source, run))
