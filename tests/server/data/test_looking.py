"""Tables, values level by level, grids, profiles, as clients see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.server.data.helpers import error, texts
from tests.server.editor import Editor


async def test_tables(people: Editor) -> None:
    await people.run("createIndex", {"table": "users", "fields": "age"})
    await people.run("setSchema", {"table": "users", "definition": {"fields": {"name": "string"}}})
    found = (await people.run("tables"))["tables"]
    assert [(one["name"], one["path"], one["entries"]) for one in found] == [
        ("Memory", "Memory", 1),
        ("users", "users", 3),
    ]
    assert [(one["indexes"], one["has_schema"]) for one in found] == [(0, False), (1, True)]


async def test_looking_makes_no_file(neovim: Editor) -> None:
    for command, params in (
        ("tables", {}),
        ("inspect", {"path": "_G"}),
        ("functions", {}),
        ("indexes", {}),
        ("history", {}),
        ("rows", {"table": "Memory"}),
        ("checkSchemas", {}),
    ):
        await neovim.run(command, params)
    assert not _exists(neovim.folder / ".lua-persist")


def _exists(path: Path) -> bool:
    return path.exists()


async def test_inspect_goes_down_level_by_level(people: Editor) -> None:
    found = await people.run("inspect", {"path": "users"})
    assert (found["path"], found["total"], found["live"]) == ("users", 3, False)
    assert [entry["path"] for entry in found["entries"]] == ["users.ann", "users.bob", "users.cid"]
    found = await people.run("inspect", {"path": found["entries"][0]["path"], "limit": 2})
    assert [entry["key"]["text"] for entry in found["entries"]] == ['"age"', '"name"']
    assert found["next_offset"] == 2
    found = await people.run("inspect", {"path": "users.ann", "offset": 2})
    assert [(entry["path"], entry["expandable"]) for entry in found["entries"]] == [
        ("users.ann.tags", True)
    ]
    found = await people.run("inspect", {"path": "_G"})
    assert found["entries"][0]["key"]["content"] == "word"
    own = found["total"] - found["given"]
    given = [entry["key"]["content"] for entry in found["entries"][own:]]
    assert {"Memory", "_VERSION", "ext", "print", "string"} <= set(given)
    assert "word" not in given
    found = await people.run("inspect", {"path": "_G.word"})
    assert "given" not in found
    assert (found["value"]["content"], found["live"]) == ("global", True)
    found = await people.run("inspect", {"path": "Memory.hit"})
    assert texts([found["value"], found["entries"][0]["key"], found["entries"][0]["value"]]) == [
        "<function main.lua:6>",
        '"n"',
        "5",
    ]


async def test_a_value_is_shown_whole(people: Editor) -> None:
    found = await people.run("whole", {"path": "users.ann.tags"})
    assert (found["text"], found["complete"], found["value"]["type"]) == (
        '{"admin", "ops"}',
        True,
        "table",
    )
    found = await people.run("whole", {"path": "Memory.hit"})
    assert (found["complete"], found["value"]["type"]) == (False, "function")


async def test_rows(people: Editor) -> None:
    page = await people.run("rows", {"table": "users"})
    assert [column["name"] for column in page["columns"]] == ["name", "age", "tags"]
    assert page["columns"][1]["types"] == {"integer": 2}
    assert [(texts([row["key"]]), row["path"], texts(row["cells"])) for row in page["rows"]] == [
        (['"ann"'], "users.ann", ['"Ann"', "41", '{"admin", "ops"}']),
        (['"bob"'], "users.bob", ['"Bob"', "25", None]),
        (['"cid"'], "users.cid", ['"Cid"', None, None]),
    ]
    assert (page["total"], page["filtered"], page["offset"]) == (3, 3, 0)
    assert (page["is_list"], page["read_only"]) == (False, False)
    assert page["explain"] == {"index": None, "examined": 3}


async def test_rows_sorted_filtered_and_paged(stored: Editor) -> None:
    async def keys(**params: Any) -> list[str]:
        page = await stored.run("rows", {"table": "users", "columns": ["name"], **params})
        return [row["key"]["content"] for row in page["rows"]]

    assert await keys(order_by="age") == ["cid", "bob", "ann"]
    assert await keys(order_by="age", descending=True) == ["ann", "bob", "cid"]
    assert await keys(order_by=[{"field": "age", "descending": True}], limit=1) == ["ann"]
    assert await keys(offset=2.0) == ["cid"]
    assert await keys(filter="B") == ["bob"]
    assert await keys(filter="", where=None) == ["ann", "bob", "cid"]
    assert await keys(where="age > 30") == ["ann"]
    assert await keys(where=["age", "exists"]) == ["ann", "bob"]
    assert await keys(where=["age exists", ["name", "!=", "Bob"]]) == ["ann"]
    assert await keys(where={"any": ["age < 30", ["age", "missing"]]}) == ["bob", "cid"]


async def test_a_profile(stored: Editor) -> None:
    found = await stored.run("profile", {"table": "users", "column": "age"})
    assert (found["count"], found["missing"], found["distinct"]) == (2, 1, 2)
    assert texts([found["min"], found["max"], found["avg"]]) == ["25", "41", "33.0"]
    assert sum(bar["count"] for bar in found["histogram"]) == 2


@pytest.mark.parametrize(
    ("command", "params", "message"),
    [
        ("rows", {}, "`table` is missing"),
        ("rows", {"table": "nobody"}, "there is no table nobody"),
        (
            "rows",
            {"table": "users", "limit": 5000},
            "`limit` must be a whole number from 1 to 1000",
        ),
        ("rows", {"table": "users", "where": "age >"}, "where: > takes one value, got none"),
        ("rows", {"table": "users", "where": 5}, "where: expected conditions, got 5"),
        ("rows", {"table": "users", "order_by": "a b"}, "order_by: a b is no field"),
        ("rows", {"table": "users", "columns": "name"}, "`columns` must be a list of strings"),
        ("inspect", {"path": "users.nobody"}, "there is nothing at users.nobody"),
        ("inspect", {"path": "users", "depth": 9}, "`depth` must be a whole number from 0 to 3"),
        ("inspect", {"path": "a b"}, "'a b' is no path"),
        ("profile", {"table": "users"}, "`column` is missing"),
        ("profile", {"table": "users", "column": "@x"}, "column: there is no @x"),
    ],
)
async def test_what_makes_no_sense(
    stored: Editor, command: str, params: dict[str, Any], message: str
) -> None:
    assert (await error(stored, command, params)).startswith(message)


async def test_the_commands_describe_themselves(neovim: Editor) -> None:
    found = (await neovim.run("commands"))["commands"]
    rows = next(command for command in found if command["name"] == "rows")
    assert rows["title"] == "Show Rows"
    assert rows["parameters"][0]["name"] == "table"
    assert rows["parameters"][0]["required"]
    assert neovim.result is not None
    provider = neovim.result.capabilities.execute_command_provider
    assert provider is not None
    assert [command["id"] for command in found] == list(provider.commands)
