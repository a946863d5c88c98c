"""`lua-ls-persist repl` from a pipe: the loop itself, without a terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from lua_ls_persist.cli.repl import COMMANDS, Loop
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.session import Session, SyntaxChecker
from tests.cli.conftest import ENDLESS, TIMEOUT_S, Cli, Result, Start


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with Session.open(None) as session, SyntaxChecker() as checker:
        yield Loop(session, checker, Terminal())


@pytest.mark.parametrize(
    "source",
    [
        "1 + 1",
        "x = 5",
        "f()",
        "=1 + 1",
        "  = 1",
        "if x then y() end",
        "function f() end",
        "local t = {1,\n2}",
        "-- a comment",
        "return 1",
        "'text'",
        "[[\nlong\n]]",
        # Wrong, and no further line could mend it:
        "x y",
        "= = 1",
        "end",
        "1 + + 1",
        "'open",
        "goto nowhere",
        "break",
        ")",
        "x = 5 5",
        "0x",
    ],
)
def test_input_that_is_evaluated_at_once(loop: Loop, source: str) -> None:
    assert loop.is_complete(source)
    assert loop.is_complete(source.encode())


@pytest.mark.parametrize(
    "source",
    [
        "1 +",
        "= 1 +",
        "not",
        "x =",
        "local",
        "f(",
        "f(1,",
        "{",
        "x = {1,\n2,",
        "if x then",
        "if x then\nelse",
        "for i = 1, 3 do",
        "while true do",
        "repeat",
        "repeat f() until",
        "function f()",
        "return function()",
        "do",
        "do -- a comment",
        "[[ long",
        "x = [==[ long ]]",
        "--[[ long comment",
        "a.",
        "a:",
        "x = 1 +\n\n",
        "'open\\",
    ],
)
def test_input_that_goes_on(loop: Loop, source: str) -> None:
    assert not loop.is_complete(source)


def test_lines_are_evaluated_as_they_become_complete(cli: Cli) -> None:
    script = b"""x = 20

function double(n)
  return n * 2
end
double(x) + 2
=x, 'two'
print('printed')
"""
    assert cli("repl", stdin=script) == Result(0, '=> 42\n=> 20, "two"\nprinted\n', "")


def test_the_last_line_needs_no_end(cli: Cli) -> None:
    assert cli("repl", stdin=b"1\r\n2") == Result(0, "=> 1\n=> 2\n", "")


def test_problems_name_the_line_of_the_input_and_the_loop_goes_on(cli: Cli) -> None:
    script = b"x = 1\n\nfunction f()\n  error('boom')\nend\ny = f()\nx y\nx\n"
    result = cli("repl", stdin=script)
    assert (result.status, result.out) == (1, "=> 1\n")
    lines = result.err.splitlines()
    assert lines[0] == "stdin:4: boom"
    assert "\tstdin:6: in main chunk" in lines
    assert lines[-1] == "stdin:7: syntax error near 'y'"


def test_input_that_ends_in_the_middle_is_a_syntax_error(cli: Cli) -> None:
    result = cli("repl", stdin=b"if true then\nx = 1")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("stdin:2: 'end' expected")


def test_a_failed_evaluation_is_undone_unless_asked_otherwise(cli: Cli) -> None:
    script = b"x = 1\nx = 2 error('boom')\nx\n"
    assert cli("repl", stdin=script).out == "=> 1\n"
    assert cli("repl", "--keep-error-effects", stdin=script).out == "=> 2\n"


def test_output_without_a_line_end_does_not_run_into_the_result(cli: Cli) -> None:
    assert cli("repl", stdin=b"y = io.write('a')\nio.write('b') return 1\n").out == ("a\nb\n=> 1\n")


def test_help_describes_every_command(cli: Cli) -> None:
    out = cli("repl", stdin=b":help\n").out
    for name, command in COMMANDS.items():
        assert name in out
        assert command.description in out


def test_memory_and_garbage(cli: Cli) -> None:
    out = cli("repl", "--memory-limit", "16MiB", stdin=b":memory\n:gc\n").out
    memory, garbage = out.splitlines()
    assert memory.startswith("Lua uses ")
    assert memory.endswith("16.0 MiB allowed.")
    assert " freed. Lua uses " in garbage


def test_a_collection_that_does_not_end_is_no_end_of_the_loop(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lua_ls_persist.session.looking.COLLECT_TIME_LIMIT_S", 0.05)
    script = b"setmetatable({}, {__gc = function() while true do end end}) x = 1\n:gc\nx\n"
    result = cli("repl", stdin=script)
    assert (result.status, result.out) == (0, "=> 1\n")
    assert "garbage collection was stopped" in result.err


def test_restart_forgets(cli: Cli) -> None:
    assert cli("repl", stdin=b"x = 1\nx\n:restart\nx\n").out == "=> 1\nA fresh VM.\n=> nil\n"


def test_quit_ends(cli: Cli) -> None:
    assert cli("repl", stdin=b"1\n:quit\n2\n") == Result(0, "=> 1\n", "")


def test_an_unknown_command_says_where_to_look(cli: Cli) -> None:
    result = cli("repl", stdin=b":nonsense\n1\n")
    assert result == Result(0, "=> 1\n", ":nonsense is not a command; :help lists them.\n")


def test_a_label_is_no_command(cli: Cli) -> None:
    assert cli("repl", stdin=b"::top:: x = 1\nx\n") == Result(0, "=> 1\n", "")


def test_bytes_that_are_not_utf8_arrive_as_they_are(cli: Cli) -> None:
    assert cli("repl", stdin=b"#'\xff\xfe', '\xff'\n").out == '=> 2, "\\xFF"\n'


def test_ctrl_c_ends_the_loop(start: Start) -> None:
    process = start("repl", "--time-limit", "none")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{ENDLESS}\nprint('never')\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"going" + os.linesep.encode()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out.strip(b".\r\n")) == (130, b"")
    assert b"interrupt" in err


def test_each_line_is_answered_before_the_next_is_read(start: Start) -> None:
    process = start("repl")
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(3):
        process.stdin.write(f"{number} * 2\n".encode())
        process.stdin.flush()
        assert process.stdout.readline().split() == [b"=>", str(number * 2).encode()]
    process.stdin.close()
    process.stdin = None
    process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
