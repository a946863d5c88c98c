"""Indexes on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

DB = Path("s.db")
DATA = """
local users = ext.table("users")
users.ann = { age = 41, tags = { "a", "b" } }
users.bob = { age = 5 }
"""


@pytest.fixture
def db(cli: Cli) -> Path:
    assert cli("eval", "--db", DB, "-e", DATA).status == 0
    return DB


def said(cli: Cli, *arguments: object) -> str:
    result = cli("index", *arguments)
    assert (result.status, result.err) == (0, "")
    return result.out


def test_a_life_of_indexes(cli: Cli, db: Path) -> None:
    assert cli("index", "list", "--db", db).err == "There are no indexes.\n"
    assert said(cli, "create", "users", "age", "--unique", "--db", db) == "users(age) has 2 rows.\n"
    assert said(cli, "create", "users", "tags", "--each", "--kind", "hash", "--db", db) == (
        "users(tags) has 2 rows.\n"
    )
    assert said(cli, "list", "users", "--db", db) == (
        "users(age)   btree, unique  2 rows\nusers(tags)  hash, each  2 rows\n"
    )
    assert said(cli, "rebuild", "--db", db) == (
        "users(age) was made anew.\nusers(tags) was made anew.\n"
    )
    assert said(cli, "rebuild", "users", "age", "--db", db) == "users(age) was made anew.\n"
    assert said(cli, "drop", "users", "age", "--db", db) == "users(age) was dropped.\n"
    assert said(cli, "drop", "users(tags)", "--db", db) == "users(tags) was dropped.\n"


def test_as_json(cli: Cli, db: Path) -> None:
    made = json.loads(said(cli, "create", "users", "age", "--json", "--db", db))
    assert made == {
        "name": "users(age)",
        "table": "users",
        "fields": ["age"],
        "kind": "btree",
        "unique": False,
        "each": False,
        "rows": 2,
    }
    assert json.loads(said(cli, "list", "--json", "--db", db)) == [made]
    assert json.loads(said(cli, "rebuild", "--json", "--db", db)) == {"rebuilt": ["users(age)"]}
    dropped = json.loads(said(cli, "drop", "users(age)", "--json", "--db", db))
    assert dropped == {"dropped": "users(age)"}


def test_what_cannot_be_done(cli: Cli, db: Path) -> None:
    assert "there is no table nobody" in cli("index", "create", "nobody", "x", "--db", db).err
    assert "there is no index users(x)" in cli("index", "drop", "users", "x", "--db", db).err
    assert "is no field" in cli("index", "create", "users", "1+1", "--db", db).err
    assert cli("eval", "--db", db, "-e", "ext.table('users').bob.age = 41").status == 0
    twice = cli("index", "create", "users", "age", "--unique", "--db", db)
    assert "users.ann and users.bob both have 41" in twice.err
    assert twice.status == 2
    assert cli("index", "list", "--db", db).out == ""


def test_doctor_checks_indexes(cli: Cli, db: Path) -> None:
    said(cli, "create", "users", "age", "--db", db)
    assert cli("doctor", "--db", db).status == 0
    from lua_ls_persist.store import Store

    with Store.open(cli.folder / db if hasattr(cli, "folder") else db) as store:
        store._connection.execute("UPDATE index_1 SET v1 = 7 WHERE v1 = 5")
    report = cli("doctor", "--db", db)
    assert report.status == 1
    assert "the index users(age) is not what the data say" in report.out + report.err
    said(cli, "rebuild", "--db", db)
    assert cli("doctor", "--db", db).status == 0
