"""The commands about stored functions: called, and compiled again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from lua_ls_persist.query.text import plain_value_of
from tests.cli.conftest import ENDLESS, Cli
from tests.cli.stored import db, json_of

__all__ = ["db"]

# Calling


def test_call(cli: Cli, db: Path) -> None:
    assert cli("call", "--db", db, "Memory.calculate", "3", "4").out == "112\n"
    assert cli("call", "--db", db, "Memory.calculate", "-3", "4.5").out == "86.5\n"
    assert cli("call", "--db", db, "Memory.echo", "--json", "x").out == '--json\tx\n"--json", "x"\n'


def test_call_as_json(cli: Cli, db: Path) -> None:
    result = cli("call", "--db", db, "--json", "Memory.echo", "1")
    data = json.loads(result.out)
    assert (data["ok"], data["text"], data["output"][0]["text"]) == (True, "1", "1\n")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("3.0", 3.0),
        ("1e3", 1000.0),
        ("true", True),
        ("nil", None),
        ("null", None),
        ('"3"', "3"),
        ("[1, [2]]", [1, [2]]),
        ('{"a": 1}', {"a": 1}),
        ("text", "text"),
        ("two words", "two words"),
        ("", ""),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-", "-"),
        ("[1", "[1"),
    ],
)
def test_what_arguments_mean(argument: str, value: object) -> None:
    found = plain_value_of(argument)
    assert (type(found), found) == (type(value), value)


def test_a_call_that_fails(cli: Cli, db: Path) -> None:
    result = cli("call", "--db", db, "Memory.fail")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("setup.lua:11: planned\nstack traceback:\n")
    assert "(call)" not in result.err
    assert "in function 'Memory.fail'" in result.err


def test_a_call_of_what_is_no_function(cli: Cli, db: Path) -> None:
    assert cli("call", "--db", db, "Memory.list").err == "Memory.list is a table, not a function\n"
    assert cli("call", "--db", db, "Memory.no").err == "Memory.no is nil, not a function\n"
    result = cli("call", "--db", db, "Memory..no")
    assert result.status == 2
    assert "is no path" in result.err


def test_a_call_that_does_not_end(cli: Cli, tmp_path: Path) -> None:
    cli("eval", "--db", "s.db", "-e", f"function Memory.endless() {ENDLESS} end")
    result = cli("call", "--db", "s.db", "--time-limit", "0.2", "Memory.endless")
    assert result.status == 1
    assert "stopped after 0.2 s" in result.err


# Code that is refused


def altered(path: Path) -> None:
    """Change a byte of each function's code, as somebody with the file could; without its image."""
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM images")
    for code_id, code in connection.execute("SELECT id, bytecode FROM code").fetchall():
        changed = code[:-1] + bytes((code[-1] ^ 1,))
        connection.execute("UPDATE code SET bytecode = ? WHERE id = ?", (changed, code_id))
    connection.commit()
    connection.close()


def test_recompile(cli: Cli, db: Path, tmp_path: Path) -> None:
    assert cli("recompile", "--db", db, "--all").out == "No function is refused.\n"
    altered(tmp_path / "s.db")
    assert "was not signed by you, or was altered" in cli("functions", "--db", db).out
    assert cli("call", "--db", db, "Memory.calculate", "1", "2").status == 1
    assert cli("recompile", "--db", db, "Memory.calculate").out == (
        "Memory.calculate was compiled again.\n"
    )
    assert cli("call", "--db", db, "Memory.calculate", "1", "2").out == "102\n"
    assert cli("call", "--db", db, "Memory.echo", "1").status == 1
    assert json_of(cli, "recompile", "--db", db, "--all") == {
        "recompiled": ["Memory.echo", "Memory.fail"]
    }
    assert cli("call", "--db", db, "Memory.echo", "1").out == "1\n1\n"


def test_recompile_of_what(cli: Cli, db: Path) -> None:
    for arguments in ([], ["Memory.echo", "--all"]):
        result = cli("recompile", "--db", db, *arguments)
        assert result.status == 2
        assert "Give either the paths of functions, or --all." in result.err
    result = cli("recompile", "--db", db, "Memory.no")
    assert (result.status, result.out) == (2, "")
    assert "there is no stored function Memory.no" in result.err
