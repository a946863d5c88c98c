"""The command `schema`: what it shows, and from what it sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.cli.conftest import Cli

DEFINITION = {"fields": {"age": {"type": "integer", "min": 0}, "name": "string"}}
LUA = "return {\n fields = { name = 'string', age = { type = 'integer', min = 0 } } }"
ANNOTATIONS = "---@class User\n---@field age integer [min = 0]\n---@field name string\n"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "x.db"
    with Session.open(path) as session:
        assert session.set("users.ann", {"name": "Ann", "age": 41}).ok
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [("s.json", json.dumps(DEFINITION)), ("s.lua", LUA), ("t.lua", ANNOTATIONS)],
)
def test_set_and_show(cli: Cli, db: Path, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert cli("schema", "--db", db, "users").err == "users has no schema.\n"
    assert cli("schema", "--db", db).err == "No table has a schema.\n"
    assert cli("schema", "--db", db, "users", "--set", name).out == "users has this schema now.\n"
    shown = json.loads(cli("schema", "--db", db, "users").out)
    assert shown["fields"] == DEFINITION["fields"]
    assert json.loads(cli("schema", "--db", db, "--json").out) == {"users": shown}
    assert cli("schema", "--db", db, "users", "--annotations").out == ANNOTATIONS
    assert cli("schema", "--db", db, "users", "--drop").out == "users has no schema any more.\n"
    assert cli("schema", "--db", db, "users", "--drop").out == "users had no schema.\n"


def test_derive_and_set(cli: Cli, db: Path) -> None:
    derived = cli("schema", "--db", db, "users", "--derive").out
    assert json.loads(derived) == {"fields": {"age": "integer", "name": "string"}}
    run = cli("schema", "--db", db, "users", "--set", "-", stdin=derived.encode())
    assert run.status == 0
    refused = cli("set", "--db", db, "users.ann.age", "old")
    assert refused.status == 1
    assert 'users.ann.age: expected integer, got string "old"' in refused.err


def test_a_class_by_its_name(cli: Cli, db: Path, tmp_path: Path) -> None:
    text = f"{ANNOTATIONS}\n---@class Other\nlocal M = {{}}\nreturn M\n"
    (tmp_path / "m.lua").write_text(text, encoding="utf-8")
    assert cli("schema", "--db", db, "users", "--set", "m.lua", "--class", "User").status == 0
    assert cli("schema", "--db", db, "users", "--annotations").out == ANNOTATIONS


def test_check(cli: Cli, db: Path) -> None:
    with Session.open(db) as session:
        session.set("teams.red", {})
        session.set("users.ann.team", "red")
        session.set_schema("users", {"fields": {"team": {"ref": "teams"}}})
        assert cli("schema", "--db", db, "--check").out == "Everything follows its schema.\n"
        session.delete("teams.red")
    found = cli("schema", "--db", db, "users", "--check")
    assert found.status == 1
    assert found.out == 'users.ann.team: expected a row of teams, got string "red"\n'
    listed = json.loads(cli("schema", "--db", db, "--check", "--json").out)
    assert [one["path"] for one in listed] == ["users.ann.team"]
    slip = cli("schema", "--db", db, "usrs", "--check")
    assert (slip.status, slip.out, slip.err) == (0, "", "usrs has no schema.\n")


def test_rows_that_do_not_follow(cli: Cli, db: Path) -> None:
    run = cli("schema", "--db", db, "users", "--set", "-", stdin=b'{"fields": {"age": "string"}}')
    assert (run.status, run.out) == (1, "")
    assert run.err == "users.ann.age: expected string, got integer 41\n"
    run = cli("schema", "--db", db, "users", "--set", "-", "--json", stdin=b'"integer"')
    assert run.status == 1
    assert json.loads(run.out) == [{"path": "users.ann", "expected": "integer", "got": "table"}]
    assert cli("schema", "--db", db, "users").err == "users has no schema.\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("--drop", "--check", "users"), "", "Give one of --drop, --check."),
        (("--drop",), "", "--drop needs a TABLE."),
        (("--class", "X", "users"), "", "--class goes with --set."),
        (("--set", "-", "users"), "{", "standard input is no JSON"),
        (("--set", "-", "users"), '"strng"', 'there is no type "strng"'),
        (("--derive", "nothing"), "", "there is no table nothing"),
        (("--annotations", "users"), "", "users has no schema"),
        (("--set", "missing.json", "users"), "", "missing.json"),
        (("--set", "bad.lua", "users"), "", "bad.lua:2"),
    ],
)
def test_what_makes_no_sense(
    cli: Cli, db: Path, tmp_path: Path, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    (tmp_path / "bad.lua").write_text("\nerror('no')", encoding="utf-8")
    run = cli("schema", "--db", db, *arguments, stdin=stdin.encode())
    assert run.status == 2
    assert message in run.err
