"""`lua-ls-persist eval`: what goes to which stream, and with which status."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.session import Session
from lua_ls_persist.store import APPLICATION_ID
from tests.cli.conftest import ENDLESS, TIMEOUT_S, Cli, Result, Start

TRIES = 6
"""So often a program is interrupted until it has come somewhere before: it may have to wait."""


def as_json(result: Result) -> dict[str, Any]:
    """The one JSON object that was printed."""
    assert result.out.count("\n") == 1
    data: dict[str, Any] = json.loads(result.out, parse_constant=pytest.fail)
    assert list(data) == ["ok", "values", "text", "output", "problems", "duration_s"]
    return data


# Values and output


@pytest.mark.parametrize(
    ("code", "out"),
    [
        ("1 + 1", "2\n"),
        ("x = 5", ""),
        ("return 1, 'two', nil", '1, "two", nil\n'),
        ("nil", "nil\n"),
        ("{1, 2, name = 'Ann'}", '{1, 2, name = "Ann"}\n'),
        ("local t = {} t.t = t return #t", "0\n"),
        ("print('a') print('b') return 3", "a\nb\n3\n"),
        ("io.write('a') return 3", "a\n3\n"),
        ("local _ = io.write('a')", "a"),
        ("print('Grüße 🎉') return '🎉'", 'Grüße 🎉\n"🎉"\n'),
        ("", ""),
        ("-- nothing", ""),
        ("\n\nreturn 1", "1\n"),
    ],
)
def test_output_comes_first_then_the_values(cli: Cli, code: str, out: str) -> None:
    assert cli("eval", "-e", code) == Result(0, out, "")


def test_a_file_is_evaluated_under_the_name_as_given(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "demo.lua").write_text("local x\n\nprint(x.y)\n", encoding="utf-8")
    result = cli("eval", "sub/demo.lua")
    assert result.status == 1
    assert result.out == ""
    assert result.err.splitlines() == [
        "sub/demo.lua:3: attempt to index a nil value (local 'x')",
        "stack traceback:",
        "\tsub/demo.lua:3: in main chunk",
    ]


if sys.platform == "linux":  # elsewhere file names are Unicode

    def test_a_file_name_that_is_not_utf8_is_shown_escaped(cli: Cli, tmp_path: Path) -> None:
        name = os.fsdecode(b"caf\xe9.lua")
        (tmp_path / name).write_text("error('x')", encoding="utf-8")
        assert cli("eval", name).err.startswith("caf\\xE9.lua:1: x\n")
        assert as_json(cli("eval", "--json", name))["problems"][0]["chunk"] == "caf\\xE9.lua"


def test_a_traceback_shows_every_level(cli: Cli) -> None:
    code = "local function f()\n  error('boom')\nend\nfunction g()\n  f()\nend\ng()"
    result = cli("eval", "-e", code)
    assert result.status == 1
    assert result.err.splitlines() == [
        "(command line):2: boom",
        "stack traceback:",
        "\t[C]: in function 'error'",
        "\t(command line):2: in upvalue 'f'",
        "\t(command line):5: in function 'g'",
        "\t(command line):7: in main chunk",
    ]


def test_a_syntax_error_has_a_place_and_no_traceback(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.lua").write_text("x = 1\ny = = 2\n", encoding="utf-8")
    result = cli("eval", "bad.lua")
    assert result == Result(1, "", "bad.lua:2: unexpected symbol near '='\n")


def test_an_error_that_is_a_table_is_shown(cli: Cli) -> None:
    result = cli("eval", "-e", "error({code = 7})")
    assert result.status == 1
    assert "{code = 7}" in result.err.splitlines()[0]


def test_output_before_an_error_is_kept(cli: Cli) -> None:
    result = cli("eval", "-e", "print('before') error('boom')")
    assert (result.status, result.out) == (1, "before\n")


def test_standard_input_is_a_source(cli: Cli) -> None:
    assert cli("eval", "-", stdin=b"return 6 * 7\n") == Result(0, "42\n", "")
    assert cli("eval", "-", stdin=b"\nerror('x', 1)").err.startswith("stdin:2: x\n")


def test_a_file_may_begin_with_a_shebang_line_or_a_byte_order_mark(
    cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "script.lua").write_bytes(b"#!/usr/bin/env lua\nreturn 1")
    (tmp_path / "bom.lua").write_bytes(b"\xef\xbb\xbfreturn 2")
    assert cli("eval", "script.lua").out == "1\n"
    assert cli("eval", "bom.lua").out == "2\n"


def test_warnings_and_io_stderr_go_to_standard_error(cli: Cli) -> None:
    result = cli("eval", "-e", "warn('@on') warn('careful') io.stderr:write('oops\\n') print('x')")
    assert (result.status, result.out) == (0, "x\n")
    assert "careful" in result.err
    assert "oops\n" in result.err


def test_modules_are_found_here_and_beside_the_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "here.lua").write_text("return 'here'", encoding="utf-8")
    (tmp_path / "sub" / "beside.lua").write_text("return 'beside'", encoding="utf-8")
    (tmp_path / "sub" / "main.lua").write_text(
        "return require('here') .. require('beside')", encoding="utf-8"
    )
    assert cli("eval", "sub/main.lua") == Result(0, '"herebeside"\n', "")
    assert cli("eval", "-e", "require 'here'").out.startswith('"here"')


def test_an_error_in_a_module_is_located_there(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "broken.lua").write_text("\nerror('boom')", encoding="utf-8")
    result = cli("eval", "-e", "require 'broken'")
    assert result.status == 1
    assert "broken.lua:2: boom" in result.err
    assert "(command line):1: in main chunk" in result.err


# JSON


def test_json_is_one_object_with_the_models_fields(cli: Cli) -> None:
    result = cli("eval", "--json", "-e", "print('a')\nio.stderr:write('b') return 1, {2}")
    data = as_json(result)
    assert (result.status, result.err) == (0, "")
    assert data["ok"] is True
    assert data["text"] == "1, {2}"
    assert data["values"][0] == {"type": "integer", "text": "1"}
    assert (data["values"][1]["type"], data["values"][1]["text"]) == ("table", "{2}")
    assert data["problems"] == []
    assert data["duration_s"] > 0
    assert data["output"] == [
        {"text": "a\n", "stream": "stdout", "chunk": "(command line)", "line": 1},
        {"text": "b", "stream": "stderr", "chunk": "(command line)", "line": 2},
    ]


def test_json_carries_problems_and_the_status_tells(cli: Cli) -> None:
    result = cli("eval", "--json", "-e", "\nerror('boom')")
    data = as_json(result)
    assert (result.status, result.err, data["ok"]) == (1, "", False)
    [problem] = data["problems"]
    assert (problem["kind"], problem["severity"]) == ("runtime", "error")
    assert (problem["message"], problem["chunk"], problem["line"]) == ("boom", "(command line)", 2)
    assert problem["traceback"][-1] == {
        "chunk": "(command line)",
        "line": 2,
        "function": "main chunk",
    }
    assert problem["value"]["type"] == "string"


def test_json_carries_any_value(cli: Cli) -> None:
    code = "return 0/0, math.huge, math.maxinteger, '\\xFF\\0', 'ü', 1.0, print, -0.0"
    values = as_json(cli("eval", "--json", "-e", code))["values"]
    assert [value["type"] for value in values] == [
        "float",
        "float",
        "integer",
        "string",
        "string",
        "float",
        "function",
        "float",
    ]
    assert [value["text"] for value in values[:6]] == [
        "0/0",
        "math.huge",
        "9223372036854775807",
        r'"\xFF\x00"',
        '"ü"',
        "1.0",
    ]
    assert base64.b64decode(values[3]["base64"]) == b"\xff\0"
    assert values[4]["content"] == "ü"
    assert values[7]["text"] == "-0.0"


# Options


def test_the_memory_limit_ends_a_program_and_says_what_allows_more(cli: Cli) -> None:
    code = "local t = {} while true do t[#t + 1] = {} end"
    result = cli("eval", "--memory-limit", "2MiB", "-e", code)
    assert (result.status, result.out) == (1, "")
    first, *_, last = result.err.splitlines()
    assert "not enough memory" in first
    assert last == "(--memory-limit BYTES allows more memory, such as --memory-limit 1GiB)"


def test_the_memory_limit_can_be_raised(cli: Cli) -> None:
    code = "local t = {} for i = 1, 30 do t[i] = ('x'):rep(1024 * 1024 - i) end return #t"
    assert cli("eval", "--memory-limit", "16M", "-e", code).status == 1
    assert cli("eval", "--memory-limit", "64M", "-e", code).out == "30\n"


def test_the_time_limit_ends_a_program_and_says_what_allows_more(cli: Cli) -> None:
    endless = "print('going') while true do end"
    for limit in ("0.05", "0.5", "5"):  # It may have to wait for a processor until then.
        result = cli("eval", "--time-limit", limit, "-e", endless)
        if result.out:
            break
    assert (result.status, result.out) == (1, "going\n")
    first, *_, last = result.err.splitlines()
    assert first.startswith("(command line):1: ")
    assert last == "(--time-limit SECONDS allows more time, --time-limit none any time)"


def test_no_time_limit_is_a_limit_too(cli: Cli) -> None:
    assert cli("eval", "--time-limit", "none", "-e", "1").out == "1\n"


def test_a_database_is_created(cli: Cli, tmp_path: Path) -> None:
    assert cli("eval", "--db", "session.db", "-e", "1").out == "1\n"
    assert cli("eval", "--db", "session.db", "-e", "2").out == "2\n"
    connection = sqlite3.connect(tmp_path / "session.db")
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


# Trouble


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval"], "Give one of FILE, - for standard input, or -e CODE."),
        (["eval", "x.lua", "-e", "1"], "Give one of FILE"),
        (["eval", "missing.lua"], "'missing.lua' does not exist. Give code with -e."),
        (["eval", "."], "is a directory"),
        (["eval", "-e", "1", "--memory-limit", "lots"], "'lots' is not a size"),
        (["eval", "-e", "1", "--memory-limit", "5"], "memory limit"),
        (["eval", "-e", "1", "--memory-limit", "100G"], "memory limit"),
        (["eval", "-e", "1", "--time-limit", "-1"], "is not a number of seconds"),
        (["eval", "-e", "1", "--db", "."], "is a folder"),
        (["eval", "-e", "1", "--db", "x.lua"], "is not a SQLite file"),
        (["eval", "-e", "1", "--db", "no/x.db"], "does not exist"),
        (["eval", "-e", "1", "--unknown"], "No such option"),
        (["unknown"], "No such command"),
    ],
)
def test_trouble_is_told_apart_from_problems(
    cli: Cli, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "x.lua").write_text("return 1 -- " + "x" * 100, encoding="utf-8")
    result = cli(*arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


# As a process of its own


def test_output_appears_while_the_program_runs(start: Start) -> None:
    process = start("eval", "--time-limit", "none", "-e", "print('going') while true do end")
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], TIMEOUT_S)
    assert ready, "the program runs, and what it printed has not appeared"
    assert process.stdout.readline() == b"going" + os.linesep.encode()


def test_ctrl_c_ends_an_evaluation(start: Start) -> None:
    process = start("eval", "--time-limit", "none", "-e", ENDLESS)
    assert process.stdout is not None
    assert process.stdout.readline() == b"going" + os.linesep.encode()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out.strip(b".")) == (130, b"")
    assert re.search(rb"^\(command line\):1: .*interrupt", err)


def test_ctrl_c_with_json_still_prints_one_object(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_session = Session.open
    sessions: list[Session] = []

    def observed(*arguments: Any, **options: Any) -> Session:
        sessions.append(open_session(*arguments, **options))
        return sessions[0]

    def press_ctrl_c() -> None:
        while not (sessions and sessions[0].evaluating):
            threading.Event().wait(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Session, "open", observed)
    for _ in range(TRIES):
        sessions.clear()
        helper = threading.Thread(target=press_ctrl_c)
        helper.start()
        result = cli("eval", "--json", "--time-limit", "none", "-e", ENDLESS)
        helper.join()
        assert (result.status, result.err) == (130, "")
        assert [problem["kind"] for problem in as_json(result)["problems"]] == ["interrupt"]
        printed = "".join(piece["text"] for piece in as_json(result)["output"])
        if ".." in printed:
            break
    assert printed.startswith("going\n..")


def test_a_reader_that_goes_away_ends_the_program_quietly(start: Start) -> None:
    process = start("eval", "--time-limit", "none", "-e", "while true do print('x') end")
    assert process.stdout is not None
    assert process.stdout.readline() == b"x" + os.linesep.encode()
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (141, b"")


def test_a_reader_that_goes_away_before_the_values_is_no_error(start: Start) -> None:
    process = start("eval", "-")
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.close()
    process.stdout = None
    process.stdin.write(b"return 1")
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (141, b"")


def test_what_the_terminal_cannot_show_is_escaped(start: Start) -> None:
    process = start("eval", "-e", "print('ü🎉') return 'ü'", PYTHONIOENCODING="ascii")
    out, _ = process.communicate(timeout=TIMEOUT_S)
    assert out.split() == [rb"\xfc\U0001f389", rb'"\xfc"']


def test_json_is_utf8_whatever_the_terminal_is(start: Start) -> None:
    process = start("eval", "--json", "-e", "'ü'", PYTHONIOENCODING="ascii")
    out, _ = process.communicate(timeout=TIMEOUT_S)
    assert json.loads(out.decode("utf-8"))["values"][0]["content"] == "ü"
