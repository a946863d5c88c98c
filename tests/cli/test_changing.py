"""The commands that change what a session has stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

OPERATIONS = [
    {"op": "set", "table": "users", "key": "ann", "value": {"age": 41}},
    {"op": "update", "table": "users", "key": "ann", "value": {"age": 42}},
    {"op": "get", "table": "users", "key": "ann"},
    {"op": "insert", "table": "log", "value": "Ann came"},
    {"op": "count", "table": "users"},
]


def lines(operations: list[Any]) -> bytes:
    return "".join(f"{json.dumps(operation)}\n" for operation in operations).encode()


def get(cli: Cli, expression: str) -> str:
    return cli("eval", "--db", "s.db", "-e", expression).out.strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("3", "3"),
        ("-1", "-1"),
        ("word", '"word"'),
        ('{"a": [1, 2]}', "{a = {1, 2}}"),
        ("nil", "nil"),
    ],
)
def test_set(cli: Cli, value: str, shown: str) -> None:
    result = cli("set", "--db", "s.db", "Memory.value", value)
    assert (result.status, result.out, result.err) == (0, "", "")
    assert get(cli, "Memory.value") == shown


def test_set_takes_what_looks_like_an_option(cli: Cli) -> None:
    assert cli("set", "--db", "s.db", "Memory.value", "--", "-5").status == 0
    assert get(cli, "Memory.value") == "-5"
    assert cli("set", "--db", "s.db", "--", "Memory.value", "--json").status == 0
    assert get(cli, "Memory.value") == '"--json"'
    assert cli("set", "--db", "s.db", "Memory.value", "--").status == 0
    assert get(cli, "Memory.value") == '"--"'
    result = cli("set", "--db", "s.db", "Memory.value", "1", "2")
    assert (result.status, get(cli, "Memory.value")) == (2, '"--"')
    assert "unexpected extra argument (2)" in result.err
    assert cli("set", "--db", "s.db", "Memory.value").status == 2


def test_set_and_delete_in_this_folder(cli: Cli, tmp_path: Path) -> None:
    assert cli("set", "users.ann", '{"age": 41}').status == 0
    assert cli("set", "users.ann.age", "42").status == 0
    assert cli("delete", "users.ann.age").out == "true\n"
    assert cli("delete", "users.ann.age").out == "false\n"
    assert (tmp_path / ".lua-persist" / "session.db").exists()


def test_where_nothing_can_be_set(cli: Cli) -> None:
    result = cli("set", "--db", "s.db", "Memory.a.b", "1")
    assert result.status == 1
    assert "there is no table Memory.a" in result.err
    assert cli("set", "--db", "s.db", "Memory", "1").status == 2
    assert cli("delete", "--db", "s.db", "a b").status == 2


def test_batch_from_standard_input(cli: Cli) -> None:
    result = cli("batch", "--db", "s.db", "-", stdin=b"\n" + lines(OPERATIONS))
    assert (result.status, result.out, result.err) == (
        0,
        "{age = 42}\n1\n1\n5 operations were done.\n",
        "",
    )


def test_batch_from_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_bytes(lines(OPERATIONS[:1]))
    assert cli("batch", "--db", "s.db", "one.jsonl").out == "1 operation was done.\n"
    result = cli("batch", "--db", "s.db", "--json", "one.jsonl")
    assert json.loads(result.out)["ok"] is True


def test_a_batch_that_fails(cli: Cli) -> None:
    result = cli("batch", "--db", "s.db", "-", stdin=lines([OPERATIONS[0], {"op": "burn"}]))
    assert (result.status, result.out) == (1, "")
    assert "batch operation 2 (burn table): op is not one of" in result.err
    assert get(cli, "ext.info('users')") == "nil"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"op": "get"}\n\n{"op":\n', "stdin:3: this is no JSON"),
        (b"[]\n", "stdin:1: an operation is a JSON object"),
    ],
)
def test_what_is_no_operation(cli: Cli, content: bytes, message: str) -> None:
    result = cli("batch", "--db", "s.db", "-", stdin=content)
    assert result.status == 2
    assert message in result.err


def test_migrate(cli: Cli, tmp_path: Path) -> None:
    cli("batch", "--db", "s.db", "-", stdin=lines(OPERATIONS))
    (tmp_path / "to2.lua").write_text("row.years = row.age\nrow.age = nil\n")
    dry = cli("migrate", "--db", "s.db", "--dry-run", "users", "2", "to2.lua")
    assert dry.out == (
        "users.ann: {age = 42} -> {years = 42}\n1 rows were looked at; nothing was changed.\n"
    )
    assert get(cli, "ext.table('users').ann.years") == "nil"
    assert cli("migrate", "--db", "s.db", "users", "2", "to2.lua").out == (
        "users is at version 2: 1 rows.\n"
    )
    assert get(cli, "ext.table('users').ann.years") == "42"
    assert cli("migrate", "--db", "s.db", "users", "2", "to2.lua").out == (
        "users was brought to version 2 before.\n"
    )


def test_a_migration_that_fails(cli: Cli, tmp_path: Path) -> None:
    cli("batch", "--db", "s.db", "-", stdin=lines(OPERATIONS))
    (tmp_path / "to2.lua").write_text("row.age = 0\nrow.age = row.nothing + 1\n")
    result = cli("migrate", "--db", "s.db", "users", "2", "to2.lua")
    assert result.status == 1
    assert "to2.lua:2: " in result.err
    assert "(migrating users to version 2, row users.ann)" in result.err
    assert get(cli, "ext.table('users').ann.age") == "42"
    assert cli("migrate", "--db", "s.db", "users", "0", "to2.lua").status == 2


def test_drop(cli: Cli) -> None:
    db = ("--db", "s.db")
    cli("eval", *db, "-e", "ext.table('users').ann = 1")
    missing = cli("drop", *db, "usres")
    assert missing.status == 2
    assert "there is no table named usres; did you mean users?" in missing.err
    assert "there is no table named quite another\n" in cli("drop", *db, "quite another").err
    assert cli("drop", *db, "Memory").status == 2
    dropped = cli("drop", *db, "users")
    assert (dropped.status, dropped.out) == (0, "users was dropped. undo brings it back.\n")
    assert cli("tables", *db).out == "Memory  0 entries\n"
    cli("undo", *db)
    assert cli("tables", *db).out == "Memory  0 entries\nusers   1 entry\n"
    assert json.loads(cli("drop", *db, "--json", "users").out) == {"dropped": True}
    assert json.loads(cli("drop", *db, "--json", "users").out) == {"dropped": False}


def test_a_misspelt_table_is_told_with_the_one_that_is_there(cli: Cli) -> None:
    db = ("--db", "s.db")
    cli("eval", *db, "-e", "ext.table('users').ann = { age = 41 }")
    for command in ("query", "count", "explain", "compress"):
        assert "there is no table usrs; did you mean users?" in cli(command, *db, "usrs").err
    assert "no table usrs.ann; did you mean users?" in cli("query", *db, "usrs.ann").err
    assert cli("query", *db, "users.bob").err == "lua-ls-persist: there is no table users.bob\n"
    assert "did you mean" not in cli("query", *db, "orders").err
    derived = cli("schema", *db, "--derive", "user")
    assert "there is no table user; did you mean users?" in derived.err


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "arguments",
    [
        ("batch", "deep.json"),
        ("schema", "--set", "deep.json", "users"),
        ("import", "deep.json"),
        ("import", "--table", "users", "deep.json"),
        ("set", "Memory.x", DEEP),
        ("call", "Memory.f", DEEP),
        ("query", "users", DEEP),
    ],
)
def test_json_that_is_too_deep_is_told(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "deep.json").write_text(DEEP)
    if arguments[1] != "deep.json":
        cli("set", "users.ann", "1")
    result = cli(*arguments)
    assert result.status in (1, 2)
    assert "recursion" in result.err or "too deeply" in result.err


@pytest.mark.parametrize(
    "arguments", [("batch", "latin.txt"), ("schema", "--set", "latin.txt", "t"), ("batch", "-")]
)
def test_files_in_another_encoding_are_told(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    cli("set", "t.x", "1")
    result = cli(*arguments, stdin=b"\xe9\n")
    assert result.status == 2
    assert "is not UTF-8" in result.err


def test_import_of_text_in_another_encoding_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes("é".encode("latin-1"))
    assert "the import is not UTF-8" in cli("import", "latin.jsonl").err
