"""The syntax checker: Lua's own compiler, without running anything, at any time."""

from __future__ import annotations

import threading
import time

import pytest

from lua_ls_persist.errors import SessionClosedError, SessionError
from lua_ls_persist.session import Session, SyntaxChecker
from lua_ls_persist.session import syntax as syntax_code


@pytest.fixture(scope="module")
def checker() -> SyntaxChecker:
    return SyntaxChecker()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "return",
        "local f <const> = 1",
        "#!/bin/lua\nx = 1",
        "\ufeffx = 1",
        b"x = 1",
        "::a::",
    ],
)
def test_what_is_right(checker: SyntaxChecker, source: str | bytes) -> None:
    assert checker.check(source) == ()


def test_what_is_wrong(checker: SyntaxChecker) -> None:
    (found,) = checker.check("local x = 1\nlocal y = = x", name="main.lua", line=10)
    assert (found.kind, found.severity) == ("syntax", "error")
    assert (found.chunk, found.line) == ("main.lua", 12)
    assert found.message == "unexpected symbol near '='"
    assert found.traceback == ()


def test_an_expression_is_no_chunk(checker: SyntaxChecker) -> None:
    assert len(checker.check("1 + 1")) == 1


def test_nothing_runs(checker: SyntaxChecker) -> None:
    assert checker.check("while true do end error('x')") == ()
    assert checker.check("x = 1") == ()


def test_nesting(checker: SyntaxChecker) -> None:
    (found,) = checker.check("x = " + "(" * 300 + "1" + ")" * 300)
    assert found.kind == "syntax"
    assert "C levels" in found.message or "overflow" in found.message
    assert checker.check("x = " + "(" * 100 + "1" + ")" * 100) == ()


def test_long_sources(checker: SyntaxChecker) -> None:
    long = "local x = 1\n" * 180 + "-- filling\n" * 200_000
    assert checker.check(long) == ()
    (found,) = checker.check(long + "x = = 1")
    assert found.line == 200_181


def test_bytecode_is_refused(checker: SyntaxChecker) -> None:
    with Session.open() as session:
        dumped = session.evaluate("string.dump(function() end)").values[0]
    assert isinstance(dumped, bytes)
    (found,) = checker.check(dumped)
    assert "this session loads Lua source only" in found.message


def test_more_than_its_memory_or_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax_code, "MEMORY_LIMIT_BYTES", 2 * 1024 * 1024)
    source = "return {" + "1.5," * 1_000_000 + "}"
    with SyntaxChecker() as checker:
        (found,) = checker.check(source, name="main.lua")
        assert found.kind == "memory"
        assert checker.check("x = 1") == ()
    monkeypatch.setattr(syntax_code, "MEMORY_LIMIT_BYTES", 256 * 1024 * 1024)
    monkeypatch.setattr(syntax_code, "TIME_LIMIT_S", 0.01)
    with SyntaxChecker() as checker:
        (found,) = checker.check(source, name="main.lua")
        assert (found.kind, found.chunk, found.line) == ("internal", "main.lua", None)
        assert found.message == "the source could not be checked within 0.01 s"
        monkeypatch.setattr(syntax_code, "TIME_LIMIT_S", 5.0)
        assert checker.check("x = 1") == ()


def test_mistakes(checker: SyntaxChecker) -> None:
    with pytest.raises(SessionError, match="line -1 is not between"):
        checker.check("x", line=-1)
    assert checker.check("x = 1") == ()


def test_it_does_not_grow(checker: SyntaxChecker) -> None:
    for number in range(300):
        checker.check(f"local name{number} = 'text {number}' " * 20, name=f"file {number}")
    assert checker.check("x = = 1")[0].message == "unexpected symbol near '='"


def test_from_many_threads(checker: SyntaxChecker) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(30):
            (found,) = checker.check("\n" * number + "x = = 1", name=f"{number}.lua")
            if (found.chunk, found.line) != (f"{number}.lua", number + 1):
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_is_quick_and_waits_for_no_session(checker: SyntaxChecker) -> None:
    with Session.open(time_limit_s=None) as session:
        session.submit("while true do end")
        source = "local function f(a, b)\n  return a + b\nend\n" * 200
        times = []
        for _ in range(10):
            started = time.perf_counter()
            assert checker.check(source) == ()
            times.append(time.perf_counter() - started)
    assert min(times) < 0.05


def test_close() -> None:
    checker = SyntaxChecker()
    checker.check("x")
    checker.close()
    checker.close()
    with pytest.raises(SessionClosedError, match="the syntax checker is closed"):
        checker.check("x = 1")
