"""Programs that go too deep or want too much memory end as Lua values or as Lua errors.

Nothing here may trap (a problem of kind `internal`), and after each program the VM works and has
all of its shadow stack back. Every program runs in several surroundings, in a VM with plenty of
memory and in one of 2 MiB, where running out of memory is as good an end as running out of stack.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.session import Session, SyntaxChecker
from tests.core.torture import MIB, TIME_LIMIT_S, check
from tests.core.torture_programs import PROGRAMS
from tests.core.torture_sources import SOURCES

QUADRATIC = {"and", "alternatives"}
"""For these Lua's compiler follows a list of jumps for each of them."""

SURROUNDINGS = {
    "top": "{}",
    "pcall": "return pcall(function() {} end)",
    "traceback": "return xpcall(function() {} end, debug.traceback)",
    "coroutine": "return coroutine.resume(coroutine.create(function() {} end))",
    "close": "local c <close> = setmetatable({{}}, {{__close = function() {} end}})",
    "finalizer": "setmetatable({{}}, {{__gc = function() {} end}}); collectgarbage() return 1",
    "metamethod": (
        "return pcall(load('return -...'), setmetatable({{}}, {{__unm = function() {} end}}))"
    ),
}

MEMORY_LIMITS = {"256 MiB": 256 * MIB, "2 MiB": 2 * MIB}


@pytest.fixture(scope="module", params=MEMORY_LIMITS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session that keeps what failed programs did: nothing puts its stack right for it."""
    with Session.open(
        memory_limit_bytes=MEMORY_LIMITS[request.param],
        time_limit_s=TIME_LIMIT_S,
        keep_error_effects=True,
        allow_bytecode=True,
    ) as session:
        yield session


DEEP = {
    "recursion",
    "mutual recursion",
    "recursion through a method",
    "handler that overflows after an overflow",
    "handler that collects",
    "traceback of an overflow",
    "overflow in every pcall",
    "__close in a recursion",
    "__close that overflows",
    "__gc that overflows",
    "coroutines as iterators",
    "load that loads",
}
"""These fill Lua's stack with 200,000 calls, which takes a moment: fewer surroundings do."""

CASES = [
    (program, surroundings)
    for program in PROGRAMS
    for surroundings in SURROUNDINGS
    if program not in DEEP or surroundings in {"top", "coroutine"}
]


@pytest.mark.parametrize(("program", "surroundings"), CASES)
def test_programs(session: Session, program: str, surroundings: str) -> None:
    setup = "saved = saved or package.searchers[2]; package.searchers[2] = saved"
    assert session.evaluate(setup, mode="chunk").ok
    source = SURROUNDINGS[surroundings].format(PROGRAMS[program])
    evaluation = check(session, source)
    if surroundings in {"pcall", "traceback", "coroutine", "metamethod", "finalizer"}:
        # What the program raised was caught, unless memory ran out while the result was made.
        assert evaluation.ok or evaluation.problems[0].kind == "memory", evaluation.problems


@pytest.mark.parametrize("kind", SOURCES)
def test_nested_sources(session: Session, kind: str) -> None:
    """Compiling is recursive: each level is counted, and too many are a syntax error."""
    before, opening, middle, closing = SOURCES[kind]
    with SyntaxChecker() as checker:
        most = 3000 if kind in QUADRATIC else 30_000
        for count in (10, 150, 190, 195, 199, 200, 201, 250, 1000, most):
            source = before + opening * count + middle + closing * count
            evaluation = check(session, source)
            problems = checker.check(source)
            assert {problem.kind for problem in problems} <= {"syntax", "memory"}
            if problems:
                assert not evaluation.ok
            evaluation = check(session, f"return load([==[{source}]==])")
            assert evaluation.ok or evaluation.problems[0].kind in {"memory", "runtime"}


def test_expected_ends() -> None:
    """Some programs, to show that they end by what they are about."""
    expected = {
        "recursion": "stack overflow",
        "nested pcall that raises again": "C stack overflow",
        "handler that raises": "error in error handling",
        "__index function": "C stack overflow",
        "__index chain": "'__index' chain too long; possible loop",
        "__concat": "C stack overflow",
        "coroutines in coroutines": "C stack overflow",
        "deep pattern": "pattern too complex",
        "pattern with many captures": "too many captures",
        "gsub in gsub": "C stack overflow",
        "sort that sorts": "C stack overflow",
        "too many results": "too many results to unpack",
        "string.rep of everything": "resulting string too large",
        "require that requires": "C stack overflow",
        "yield from where it cannot": "attempt to yield across a C-call boundary",
        "long slice": "string slice too long",
    }
    for program, message in expected.items():
        with Session.open(time_limit_s=TIME_LIMIT_S) as session:
            evaluation = session.evaluate(
                f"local function run() {PROGRAMS[program]} end return pcall(run)"
            )
            text = str(evaluation.values or evaluation.problems)
            assert message in text, (program, text[:500])


def test_one_after_the_other() -> None:
    """All programs in one small VM, again and again, without anything put right in between."""
    with Session.open(
        memory_limit_bytes=2 * MIB,
        time_limit_s=TIME_LIMIT_S,
        keep_error_effects=True,
        allow_bytecode=True,
    ) as session:
        used = []
        for _ in range(4):
            for program, source in PROGRAMS.items():
                if "require" not in program:
                    check(session, f"local function run() {source} end return pcall(run)")
            used.append(session.collect_garbage().lua_bytes)
        assert used[3] < used[0] + 65536
