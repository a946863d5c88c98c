"""The commands about what a session has stored."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Start
from tests.cli.stored import contents, db, json_of

__all__ = ["db"]

MADE_FOR_THIS_FOLDER = Path(".lua-persist") / "session.db"


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
