"""`import --table` and `export --table`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("users.csv").write_text("id,name,age\nann,Ann,41\nbob,Bob,25\n")
    return tmp_path


def test_a_table_of_a_spreadsheet(cli: Cli) -> None:
    result = cli(
        "import", "--db", "s.db", "users.csv", "--table", "users", "--key", "id", "--infer"
    )
    assert (result.status, result.out, result.err) == (0, "2 rows were stored in users.\n", "")
    assert cli("eval", "--db", "s.db", "-e", "ext.table('users').ann.age + 1").out == "42\n"
    result = cli("export", "--db", "s.db", "users.json", "--table", "users")
    assert (result.status, result.out) == (0, "2 rows were written to users.json.\n")
    assert json.loads(Path("users.json").read_text()) == {
        "ann": {"id": "ann", "name": "Ann", "age": 41},
        "bob": {"id": "bob", "name": "Bob", "age": 25},
    }
    result = cli("import", "--db", "s.db", "users.json", "--table", "users")
    assert result.status == 1
    assert result.err.splitlines()[0] == "users.json:2:1: there is users.ann already"
    assert cli("import", "--db", "s.db", "users.json", "--table", "users", "--replace").status == 0
    facts = cli("import", "--db", "s.db", "users.csv", "--table", "log", "--json")
    assert json.loads(facts.out) == {"table": "log", "rows": 2}


def test_columns_that_stay_text_or_are_left_out(cli: Cli) -> None:
    options = ("--key", "id", "--infer", "--text", "age", "--skip", "id", "--skip", "name")
    result = cli("import", "--db", "s.db", "users.csv", "--table", "users", *options)
    assert (result.status, result.err) == (0, "")
    assert cli("eval", "--db", "s.db", "-e", "ext.table('users').ann").out == '{age = "41"}\n'
    result = cli("import", "--db", "s.db", "users.csv", "--table", "users", "--skip", "nothing")
    assert result.err.splitlines()[0] == "users.csv:1: no column is called 'nothing'"
    assert "--table" in cli("import", "--db", "s.db", "users.csv", "--skip", "id").err


def test_a_file_that_is_wrong(cli: Cli) -> None:
    Path("users.csv").write_text("id,name\nann\n")
    result = cli("import", "--db", "s.db", "users.csv", "--table", "users")
    assert result.status == 1
    assert result.err.splitlines()[0] == (
        "users.csv:2: 1 fields, where the first line names 2 columns"
    )
    result = cli("import", "--db", "s.db", "users.txt", "--table", "users")
    assert (result.status, "is not clear" in result.err) == (2, True)


def test_streams(cli: Cli) -> None:
    given = b'{"@key": "x", "n": 1}\n"text"\n'
    arguments = ("import", "--db", "s.db", "-", "--table", "t", "--format", "jsonl")
    assert cli(*arguments, stdin=given).out == "2 rows were stored in t.\n"
    result = cli("export", "--db", "s.db", "--table", "t", "--format", "csv")
    assert result.out == "@key,@value,n\n1,text,\nx,,1\n"
    assert cli("export", "--db", "s.db", "--table", "t").status == 2
    assert cli("import", "--db", "s.db", "-", "--table", "t", stdin=given).status == 2


def test_what_is_left_out_is_told(cli: Cli) -> None:
    cli("eval", "--db", "s.db", "-e", "Memory.f, Memory.n = print, 1")
    result = cli("export", "--db", "s.db", "m.json", "--table", "Memory")
    assert result.err == (
        "What this format has no form for was left out:\n  Memory.f: the value print\n"
    )
    assert json.loads(Path("m.json").read_text()) == {"n": 1}


@pytest.mark.parametrize(
    "arguments", [["import", "x.csv", "--key", "id"], ["export", "x", "--format", "csv"]]
)
def test_options_without_a_table(cli: Cli, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.status == 2
    assert "--table" in result.err


@pytest.mark.parametrize(("separator", "called"), [(";", "semicolons"), ("\t", "tabs")])
def test_csv_with_other_separators_is_refused(
    cli: Cli, tmp_path: Path, separator: str, called: str
) -> None:
    (tmp_path / "rows.csv").write_text(separator.join("ab") + "\n" + separator.join("12") + "\n")
    result = cli("import", "rows.csv", "--table", "t")
    assert result.status == 1
    assert f"rows.csv:1: the columns are separated by {called}, not by commas" in result.err


def test_a_row_that_is_too_deep_is_told_with_its_place(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n{"a": ' + "[" * 98 + "]" * 98 + "}\n")
    result = cli("import", "rows.jsonl", "--table", "t")
    assert (result.status, result.err) == (
        1,
        "rows.jsonl:2: the row is nested deeper than 98 tables\n",
    )
    (tmp_path / "rows.jsonl").write_text('{"a": ' + "[" * 97 + "]" * 97 + "}\n")
    assert cli("import", "rows.jsonl", "--table", "t").status == 0
