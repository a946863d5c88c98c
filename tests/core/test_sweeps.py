"""Failure sweeps: memory that rises until a task succeeds, and sources of every odd kind."""

from __future__ import annotations

import random

import pytest

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session, SyntaxChecker

KIB = 1024
MIB = 1024 * KIB

TASKS = {
    "tables": "local t = {} for i = 1, 20000 do t[i] = { i } end return #t",
    "strings": "local t = {} for i = 1, 3000 do t[i] = ('x'):rep(i) end return #table.concat(t)",
    "closures": "local f = function() return 0 end "
    "for i = 1, 10000 do local g = f f = function() return i, g end end return (f())",
    "recursion": "local function d(n) if n == 0 then return 0 end return 1 + d(n - 1) end "
    "return d(20000)",
    "coroutines": "local t = {} for i = 1, 800 do t[i] = coroutine.create(print) end return #t",
    "compiling": "return load('return {' .. ('1,'):rep(30000) .. '}')()[30000]",
}


@pytest.mark.parametrize("task", TASKS)
def test_memory_rises_until_a_task_succeeds(task: str) -> None:
    failures = 0
    for limit_bytes in range(1 * MIB, 32 * MIB, 128 * KIB):
        with Session.open(memory_limit_bytes=limit_bytes) as session:
            assert session.evaluate("kept = 7").ok
            evaluation = session.evaluate(TASKS[task])
            if evaluation.ok:
                break
            failures += 1
            assert [problem.kind for problem in evaluation.problems] == ["memory"]
            assert "not enough memory" in evaluation.problems[0].message
            assert session.evaluate("kept * 6").values == (42,), "the session goes on"
    else:
        pytest.fail("no limit was enough")
    assert failures > 0, "the sweep starts below what the task needs"


def only_problem(evaluation: Evaluation) -> tuple[str, int | None, str]:
    assert not evaluation.ok
    problem = evaluation.problems[0]
    return problem.kind, problem.line, problem.message


def test_odd_sources() -> None:
    with Session.open() as session:
        for nothing in (
            "",
            "\n" * 1000,
            "-- only a comment",
            "--[[ long ]]",
            ";;;",
            b"\xef\xbb\xbf",
        ):
            evaluation = session.evaluate(nothing)
            assert (evaluation.ok, evaluation.values) == (True, ())
        assert session.evaluate(b"return '\xff\xfe', #'\xff\xfe'").values == (b"\xff\xfe", 2)
        assert session.evaluate(b"return #'a\0b'").values == (3,)
        assert session.evaluate("a = 1\r\nb = 2\r\nreturn a + b").values == (3,)
        assert session.evaluate("#!/usr/bin/env lua\nreturn 4").values == (4,)
        assert session.evaluate(b"\xef\xbb\xbf#!lua\nreturn 5").values == (5,)
        assert only_problem(session.evaluate(b"x = 1\n\0")) == (
            "syntax",
            2,
            "unexpected symbol",
        )
        assert only_problem(session.evaluate("#!lua\n\nx ="))[:2] == ("syntax", 3)


@pytest.mark.parametrize("megabytes", [1, 10])
def test_large_sources_pass_in_pieces(megabytes: int) -> None:
    line = "x = (x or 0) + 1 -- " + "." * 79 + "\n"
    count = megabytes * MIB // len(line)
    with Session.open() as session:
        assert session.evaluate(line * count + "return x").values == (count,)
        kind, at, message = only_problem(session.evaluate(line * count + "error 'end'"))
        assert (kind, at, message) == ("runtime", count + 1, "end")
    with SyntaxChecker() as checker:
        problems = checker.check(line * count + "x = =")
        assert [problem.line for problem in problems] == [count + 1]


def test_a_long_line_and_many_constants() -> None:
    with Session.open() as session:
        assert session.evaluate("return 1" + " + 1" * 100_000).values == (100_001,)
        constants = ",".join(f"'k{index}'" for index in range(200_000))
        assert session.evaluate(f"local t = {{{constants}}} return #t, t[200000]").values == (
            200_000,
            "k199999",
        )


def test_large_results_and_much_output() -> None:
    with Session.open() as session:
        result = session.evaluate("return ('ab'):rep(5 * 1024 * 1024)").values[0]
        assert result == "ab" * (5 * MIB)
        evaluation = session.evaluate("\n".join(f"print({line})" for line in range(1, 10_001)))
        assert [piece.line for piece in evaluation.output] == list(range(1, 10_001))
    with Session.open(output_limit_bytes=1000) as session:
        evaluation = session.evaluate("for i = 1, 100000 do print(i) end return 'done'")
        assert evaluation.values == ("done",)
        assert "output truncated after 1000 bytes" in evaluation.output[-1].text


def test_random_bytes_are_no_danger() -> None:
    generator = random.Random(20261120)
    with Session.open(time_limit_s=1.0) as session:
        session.evaluate("kept = 7")
        for length in [*range(1, 200), 1000, 65_530, 65_536, 65_600, 200_000]:
            evaluation = session.evaluate(generator.randbytes(length))
            assert {problem.kind for problem in evaluation.problems} <= {"syntax", "runtime"}
        assert session.evaluate("kept").values == (7,)


def test_what_lies_at_the_memorys_end_can_grow_elsewhere() -> None:
    with Session.open(memory_limit_bytes=2 * MIB) as session:
        evaluation = session.evaluate(
            """
            local full = {}
            for size = 1, 2000 do full[size] = false end -- `full` itself grows no more
            local count, bytes = 0, 65536
            while bytes >= 64 do
              local ok, text = pcall(string.rep, "x", bytes)
              if ok then count = count + 1 full[count] = text else bytes = bytes // 2 end
            end
            -- Room at the end only: there the table's array comes to lie.
            while #full[count] < 65536 do full[count] = false count = count - 1 end
            full[count] = false
            collectgarbage()
            local grows = {}
            for index = 1, 2048 do grows[index] = index end
            -- Now there is room further down, and much less at the end.
            for index = 1, count // 2 do full[index] = false end
            collectgarbage()
            for index = 1, 16384 do grows[index] = index end
            return #grows
            """
        )
        assert evaluation.values == (16384,), evaluation.problems
