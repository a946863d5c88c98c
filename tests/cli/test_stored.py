"""The commands about what a session has stored."""

from __future__ import annotations

import io
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.cli import progress as progress_code
from lua_ls_persist.cli.progress import shown, waited
from lua_ls_persist.query.text import plain_value_of
from tests.cli.conftest import ENDLESS, Cli, Start

SETUP = """
local calls = 0
function Memory.calculate(x, y, ...)
  calls = calls + 1
  return x * y + 100
end
function Memory.echo(...)
  print(...)
  return ...
end
function Memory.fail() error("planned") end
Memory.list = { 1, 2, 3 }
ext.table("users").ann = { name = "Ann" }
"""
MADE_FOR_THIS_FOLDER = Path(".lua-persist") / "session.db"


@pytest.fixture
def db(cli: Cli, tmp_path: Path) -> Path:
    """A session's file with something in it."""
    (tmp_path / "setup.lua").write_text(SETUP, encoding="utf-8")
    assert cli("eval", "--db", "s.db", "setup.lua").status == 0
    return Path("s.db")


def json_of(cli: Cli, *arguments: str | Path, status: int = 0, stdin: bytes = b"") -> Any:
    result = cli(*arguments, "--json", stdin=stdin)
    assert (result.status, result.err) == (status, "")
    assert result.out.count("\n") == 1
    return json.loads(result.out)


def contents(cli: Cli, db: Path | str) -> str:
    return cli(
        "eval", "--db", db, "-e", "Memory.calculate(1, 2), Memory.list, ext.table('users')"
    ).out


# Looking


def test_tables(cli: Cli, db: Path) -> None:
    assert cli("tables", "--db", db).out == "Memory  4 entries\nusers   1 entry\n"
    assert [(table["name"], table["entries"]) for table in json_of(cli, "tables", "--db", db)] == [
        ("Memory", 4),
        ("users", 1),
    ]


def test_functions(cli: Cli, db: Path) -> None:
    out = cli("functions", "--db", db).out
    assert "Memory.calculate(x, y, ...)  setup.lua:3, " in out
    assert "\n  calls = 0\n" in out
    assert "calls = calls + 1" not in out
    assert "_ENV" not in out
    cli("call", "--db", db, "Memory.calculate", "1", "1")
    calculate, echo, fail = json_of(cli, "functions", "--db", db)
    assert [function["path"] for function in (calculate, echo, fail)] == [
        "Memory.calculate",
        "Memory.echo",
        "Memory.fail",
    ]
    assert (calculate["parameters"], calculate["is_vararg"]) == (["x", "y"], True)
    assert (calculate["chunk"], calculate["line"], calculate["last_line"]) == ("setup.lua", 3, 6)
    assert calculate["upvalues"] == [{"name": "calls", "value": {"type": "integer", "text": "1"}}]
    assert calculate["problem"] == ""


def test_functions_with_their_text(cli: Cli, db: Path) -> None:
    out = cli("functions", "--db", db, "--text").out
    assert 'function Memory.fail() error("planned") end\n' in out
    assert "\n  calls = calls + 1\n" in out


def test_no_functions(cli: Cli) -> None:
    cli("eval", "--db", "s.db", "-e", "Memory.x = 1")
    result = cli("functions", "--db", "s.db")
    assert (result.status, result.out, result.err) == (0, "", "No functions are stored.\n")
    assert json_of(cli, "functions", "--db", "s.db") == []


def test_the_file_of_the_current_folder(cli: Cli, tmp_path: Path) -> None:
    result = cli("tables")
    assert result.status == 2
    assert "There is no session's file " in result.err
    assert "Name one with --db PATH." in result.err
    assert not (tmp_path / ".lua-persist").exists()
    (tmp_path / ".lua-persist").mkdir()
    cli("eval", "--db", MADE_FOR_THIS_FOLDER, "-e", "Memory.x = 1")
    assert cli("tables").out == "Memory  1 entry\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["tables"],
        ["functions"],
        ["call", "--db", "no.db", "Memory.f"],
        ["backup", "x.db"],
        ["export"],
        ["collect"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_file_that_is_not_there_is_not_made(
    cli: Cli, tmp_path: Path, arguments: list[str]
) -> None:
    named = arguments if "--db" in arguments else [*arguments, "--db", "no.db"]
    result = cli(*named)
    assert result.status == 2
    assert "There is no session's file no.db." in result.err
    assert list(tmp_path.iterdir()) == []


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


# Moving


def test_backup_and_restore(cli: Cli, db: Path, tmp_path: Path) -> None:
    before = contents(cli, db)
    facts = json_of(cli, "backup", "--db", db, "b.db")
    assert facts == {"path": "b.db", "size_bytes": (tmp_path / "b.db").stat().st_size}
    cli("eval", "--db", db, "-e", "Memory.list, Memory.calculate = nil")
    assert contents(cli, db) != before
    refused = cli("restore", "--db", db, "b.db")
    assert refused.status == 2
    assert "All that s.db has would be lost. Say --yes if that is so." in refused.err
    assert cli("restore", "--db", db, "b.db", "--yes").out == "s.db has what b.db has.\n"
    assert contents(cli, db) == before


def test_restore_into_a_new_file(cli: Cli, db: Path) -> None:
    before = contents(cli, db)
    cli("backup", "--db", db, "b.db")
    assert json_of(cli, "restore", "--db", "new.db", "b.db") == {
        "path": "new.db",
        "restored_from": "b.db",
    }
    assert contents(cli, "new.db") == before


def test_a_backup_does_not_replace_other_files(cli: Cli, db: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes " * 100, encoding="utf-8")
    result = cli("backup", "--db", db, "notes.txt")
    assert result.status == 2
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8").startswith("notes")
    assert cli("backup", "--db", db, db).status == 2
    assert cli("restore", "--db", db, "--yes", "notes.txt").status == 2
    assert "3" in contents(cli, db)


def test_export_and_import(cli: Cli, db: Path, tmp_path: Path) -> None:
    before = contents(cli, db)
    lines = json_of(cli, "export", "--db", db, "x.jsonl")["lines"]
    text = (tmp_path / "x.jsonl").read_text(encoding="utf-8")
    assert text.count("\n") == lines
    assert cli("export", "--db", db).out.splitlines()[1:] == text.splitlines()[1:]
    assert json_of(cli, "import", "--db", "y.db", "x.jsonl") == {"path": "y.db", "lines": lines}
    assert contents(cli, "y.db") == before
    again = cli("import", "--db", "y.db", "x.jsonl")
    assert again.status == 2
    assert cli("import", "--db", "z.db", "-", stdin=text.encode()).status == 0
    assert cli("tables", "--db", "z.db").out == cli("tables", "--db", db).out


def test_export_where_nothing_can_be_written(cli: Cli, db: Path) -> None:
    result = cli("export", "--db", db, "no/x.jsonl")
    assert result.status == 2
    assert "no/x.jsonl cannot be written: No such file" in result.err
    assert "Cannot read no.jsonl" in cli("import", "--db", "new.db", "no.jsonl").err


def test_collect(cli: Cli, db: Path) -> None:
    cli("eval", "--db", db, "-e", "for i = 1, 100 do Memory.list[i] = { { i } } end")
    cli("eval", "--db", db, "-e", "Memory.list = nil ext.drop('users')")
    # What the last image refers to is spared; the VM of this one has forgotten it.
    cli("eval", "--db", db, "-e", "collectgarbage()")
    facts = json_of(cli, "collect", "--db", db, "--vacuum")
    assert set(facts) == {
        "tables", "functions", "cells", "codes", "bytes", "smaller_bytes", "file_bytes",
    }  # fmt: skip
    assert cli("tables", "--db", db).out == "Memory  3 entries\n"
    assert " tables, " in cli("collect", "--db", db).out


# Doctor


def test_the_doctor_looks_at_a_file(cli: Cli, db: Path) -> None:
    out = cli("doctor", "--db", db).out
    assert "  ok    session's file   s.db is sound: " in out
    report = json.loads(cli("doctor", "--db", db, "--json").out)
    assert report["checks"][-1]["name"] == "session's file"
    missing = cli("doctor", "--db", "no.db")
    assert missing.status == 1
    assert "there is no file no.db" in missing.out


def test_the_doctor_finds_damage(cli: Cli, db: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s.db")
    connection.execute("DELETE FROM tables WHERE id > 1")
    connection.commit()
    connection.close()
    result = cli("doctor", "--db", db)
    assert result.status == 1
    [line] = [line for line in result.out.splitlines() if "FAIL" in line]
    assert "which is missing" in line
    assert "--repair NEW" in line
    repaired = cli("doctor", "--db", db, "--repair", "new.db")
    assert repaired.status == 0
    assert repaired.out.startswith("new.db has ")
    assert "  ok    session's file" in cli("doctor", "--db", "new.db").out
    assert cli("call", "--db", "new.db", "Memory.calculate", "1", "2").out == "102\n"


def test_a_repair_as_json(cli: Cli, db: Path) -> None:
    facts = json.loads(cli("doctor", "--db", db, "--repair", "new.db", "--json").out)
    assert (facts["path"], facts["repaired_from"], facts["lost"]) == ("new.db", "s.db", [])
    assert cli("doctor", "--db", db, "--repair", "new.db").status == 2, "it is there already"


# The loop


def test_the_loop_lists_what_is_stored(cli: Cli, db: Path) -> None:
    out = cli("repl", "--db", db, stdin=b":tables\n:functions\n").out
    assert "users   1\n" in out
    assert "Memory.calculate(x, y, ...)  setup.lua:3\n" in out
    assert cli("repl", stdin=b":functions\n").out == "No functions are stored.\n"


def test_globals_live_on_from_one_command_to_the_next(cli: Cli, start: Start) -> None:
    cli("eval", "--db", "s.db", "-e", "count = 1")
    assert cli("repl", "--db", "s.db", stdin=b"count = count + 1\ncount\n").out == "=> 2\n"
    assert cli("eval", "--db", "s.db", "-e", "count").out == "2\n"


# Progress


class Screen:
    """Standard error of somebody who looks."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_progress_shows_nothing_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with shown("Doing") as progress:
        progress.count(1)
        progress.part(1, 2)
    assert screen.text == ""


class _Watched(io.StringIO):
    """A terminal that tells when something has appeared."""

    def __init__(self) -> None:
        super().__init__()
        self.appeared = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.appeared.set()
        return super().write(text)


def test_what_cannot_tell_how_far_it_is_tells_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = _Watched()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", 0.001)
    with waited("Searching"):
        assert terminal.appeared.wait(10)
    assert terminal.getvalue().startswith("\rSearching: 0 s \x1b[K")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Watched()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", 60.0)
    with waited("Searching"):
        pass
    assert terminal.getvalue() == ""


def test_progress_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", -1.0)
    with shown("Doing") as progress:
        progress.count(1000, "this")
    assert "Doing, this: 1000" in screen.text
    assert screen.text.endswith("\r\x1b[K")


def test_progress_is_a_bar_where_the_whole_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", -1.0)
    with shown("Doing") as progress:
        progress.part(1, 4)
        progress.part(4, 4)
    assert "Doing" in screen.text
    assert "100%" in screen.text


def test_progress_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(screen, "isatty", lambda: False)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", -1.0)
    with shown("Doing") as progress:
        progress.count(1)
        progress.part(1, 2)
    assert screen.text == ""


@pytest.mark.parametrize(
    ("command", "there_are", "what"),
    [
        (("tables",), 3, "tables"),
        (("functions",), 2, "functions"),
        (("index", "list"), 2, "indexes"),
        (("aggregate", "users", "--group-by", "age", "--count"), 2, "groups"),
    ],
)
def test_a_list_can_be_cut_and_tells_so(
    cli: Cli, command: tuple[str, ...], there_are: int, what: str
) -> None:
    source = """
        ext.table("users")[1], ext.table("users")[2] = { age = 1 }, { age = 2 }
        ext.index("users", "age") ext.index("users", "name") ext.table("log")
        function Memory.f() end function Memory.g() end
    """
    assert cli("eval", "--db", "s.db", "-e", source).status == 0
    for limit in ("-n", "--limit"):
        cut = cli(*command, "--db", "s.db", "--json", limit, "1")
        assert len(json.loads(cut.out)) == 1
        assert cut.err == f"There are more {what}: --limit {there_are} shows all of them.\n"
        whole = cli(*command, "--db", "s.db", "--json", limit, there_are)
        assert (len(json.loads(whole.out)), whole.err) == (there_are, "")
    assert len(json.loads(cli(*command, "--db", "s.db", "--json").out)) == there_are


@pytest.mark.parametrize("command", ["query users", "aggregate users --count", "history", "diff"])
def test_all_lists_have_a_limit_of_one_form(cli: Cli, command: str) -> None:
    assert cli("eval", "--db", "s.db", "-e", "ext.table('users')[1] = {}").status == 0
    for limit in ("-n", "--limit"):
        assert cli(*command.split(), "--db", "s.db", limit, "1").status == 0
        refused = cli(*command.split(), "--db", "s.db", limit, "0")
        assert "Invalid value for '-n' / '--limit': 0 is not in the range x>=1" in refused.err
