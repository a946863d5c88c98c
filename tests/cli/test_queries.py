"""Queries on the command line: conditions as text, rows as a table, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.store import Store
from tests.cli.conftest import Cli

DB = Path("s.db")
DATA = """
local users = ext.table("users")
users.ann = { name = "Ann", age = 41, address = { city = "Rome" } }
users.bob = { name = "Bob\\n", age = 5, tags = {} }
users.cid = { name = ("long "):rep(20) }
Memory.words = { "one", "two", { "three" } }
"""


@pytest.fixture
def db(cli: Cli) -> Path:
    assert cli("eval", "--db", DB, "-e", DATA).status == 0
    return DB


def lines(cli: Cli, *arguments: Any) -> list[str]:
    result = cli(*arguments)
    assert (result.status, result.err) == (0, "")
    return result.out.splitlines()


def test_rows_as_a_table(cli: Cli, db: Path) -> None:
    assert lines(cli, "query", "--db", db, "users") == [
        "key  address          age  name                                      tags",
        'ann  {city = "Rome"}   41  Ann',
        r'bob                     5  "Bob\n"                                   {}',
        "cid                        long long long long long long long lo...",
    ]
    assert lines(cli, "query", "--db", db, "Memory.words") == [
        "key  value  [1]",
        "  1  one",
        "  2  two",
        "  3         three",
    ]


def test_conditions_and_order(cli: Cli, db: Path) -> None:
    arguments = ["query", "--db", db, "users", "--select", "age", "--select", "address.city"]
    assert lines(cli, *arguments, "age > 1", "--order-by", "age") == [
        "key  age  address.city",
        "bob    5",
        "ann   41  Rome",
    ]
    assert lines(cli, *arguments, "age exists", "age < 10") == [
        "key  age  address.city",
        "bob    5",
    ]
    found = lines(cli, *arguments, '{"none": [["age", ">", 10]]}', "--descending")
    assert [line.split()[0] for line in found] == ["key", "cid", "bob"]


def test_pages(cli: Cli, db: Path) -> None:
    result = cli("query", "--db", db, "users", "--limit", "2", "--select", "age")
    assert result.out == "key  age\nann   41\nbob    5\n"
    cursor = result.err.removeprefix("There are more rows: --after ").strip()
    last = cli("query", "--db", db, "users", "--select", "age", "--after", cursor)
    assert (last.out, last.err) == ("key  age\ncid\n", "")


def test_no_rows(cli: Cli, db: Path) -> None:
    result = cli("query", "--db", db, "users", "age > 100")
    assert (result.status, result.out, result.err) == (0, "", "No rows.\n")


def test_json(cli: Cli, db: Path) -> None:
    page = json.loads(cli("query", "--db", db, "users", "--limit", "1", "--json").out)
    (row,) = page["rows"]
    assert row["key"] == {"type": "string", "text": '"ann"', "content": "ann"}
    assert row["value"]["type"] == "table"
    assert page["next"]
    again = cli("query", "--db", db, "users", "--after", page["next"], "--select", "age", "--json")
    data = json.loads(again.out)
    assert data["next"] is None
    assert [row["fields"] for row in data["rows"]] == [
        {"age": {"type": "integer", "text": "5"}},
        {},
    ]
    assert json.loads(cli("count", "--db", db, "users", "--json").out) == {"count": 3}
    explanation = json.loads(cli("explain", "--db", db, "users", "age > 5", "--json").out)
    assert (explanation["table"], explanation["index"]) == ("users", None)
    assert (explanation["rows_examined"], explanation["rows_returned"]) == (3, 1)


def test_count(cli: Cli, db: Path) -> None:
    assert lines(cli, "count", "--db", db, "users") == ["3"]
    assert lines(cli, "count", "--db", db, "users", "age in 5, 41", "name startsWith A") == ["1"]


def test_aggregate(cli: Cli, db: Path) -> None:
    arguments = ["aggregate", "--db", db, "users"]
    assert lines(cli, *arguments, "--count", "--sum", "age", "--max", "name", "name < C") == [
        "count  sum age  max name",
        r'    2       46  "Bob\n"',
    ]
    assert lines(cli, *arguments, "--group-by", "address.city", "--avg", "age") == [
        "address.city  avg age",
        "                  5.0",
        "Rome             41.0",
    ]
    result = cli(*arguments, "--count", "--group-by", "age", "age > 99")
    assert (result.status, result.out, result.err) == (0, "", "No rows.\n")
    result = cli(*arguments, "--group-by", "address.city", "--avg", "age", "-n", "1")
    assert result.out.splitlines()[1:] == ["Rome             41.0"]
    assert result.err == "There are more groups: --limit 2 shows all of them.\n"
    data = json.loads(cli(*arguments, "--count", "--min", "age", "--json").out)
    assert data == [{"group": {}, "count": 3, "min": {"type": "integer", "text": "5"}}]
    assert "asks for nothing" in cli(*arguments).err


def test_explain(cli: Cli, db: Path) -> None:
    first, *sql = lines(cli, "explain", "--db", db, "users", "age = 41", "--order-by", "name")
    assert first == "users: no index, 3 rows examined, 1 returned"
    assert sql[0].startswith("WITH found")
    with Store.open(db) as store:
        store.create_index("users", [], ["age"])
    first, *sql = lines(cli, "explain", "--db", db, "users", "age = 41", "--order-by", "name")
    assert first == "users: index users(age), 1 rows examined, 1 returned"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["users", "age"], "'age' is no condition. Write one as 'age > 25' or 'age exists'."),
        (["users", "age > 1", "age ~ 5"], "where[2][2]: there is no operator ~"),
        (["users", "name matches x"], "where[1]: matches needs an index of words"),
        (["no.table"], "there is no table no.table"),
        (["users", "--limit", "0"], "0 is not in the range"),
        (["users", "-n", "100001"], "limit: 100001 is not between 1 and 100000"),
        (["users", "--after", "x"], "after: this is no cursor"),
        (["users", "--order-by", "a b"], "order_by[1]: a b is no field"),
    ],
)
def test_what_makes_no_sense(cli: Cli, db: Path, arguments: list[str], message: str) -> None:
    result = cli("query", "--db", db, *arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


def test_there_is_no_file(cli: Cli) -> None:
    for command in ("query", "count", "explain"):
        result = cli(command, "--db", "no.db", "users")
        assert result.status == 2
        assert "There is no session's file no.db" in result.err
