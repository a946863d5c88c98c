"""Changing data from an editor: previous values, clear refusals, everything in the history."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.data.helpers import error, texts
from tests.server.editor import Editor


async def content(editor: Editor, path: str) -> str:
    found = await editor.run("inspect", {"path": path})
    text: str = found["value"]["text"]
    return text


async def test_a_value_is_set_and_the_history_has_it(people: Editor) -> None:
    done = await people.run("set", {"path": "users.ann.age", "value": " 42 -- years"})
    assert (done["previous"]["text"], done["path"]) == ("41", "users.ann.age")
    assert await content(people, "users.ann.age") == "42"
    done = await people.run("set", {"path": 'users["a b"]', "value": "{name = 'x', {1}}"})
    assert done == {"previous": None, "path": 'users["a b"]'}
    newest = (await people.run("history", {"limit": 1}))["evaluations"][0]
    assert (newest["name"], newest["source"]) == ("(set)", 'users["a b"] = {...}')
    went = await people.run("undo", {"count": 2})
    assert [one["source"] for one in went["evaluations"]] == [
        'users["a b"] = {...}',
        "users.ann.age = 42",
    ]
    assert await content(people, "users.ann.age") == "41"
    await people.run("redo")
    assert await content(people, "users.ann.age") == "42"


async def test_rows_are_added_and_removed(stored: Editor) -> None:
    done = await stored.run("addRow", {"table": "users", "key": '"dan"', "value": "{age = 1}"})
    assert (done["path"], done["key"]["content"]) == ("users.dan", "dan")
    done = await stored.run("addRow", {"table": "log", "value": "'first'"})
    assert done["path"] == "log[1]"
    assert (await stored.run("addRow", {"table": "log"}))["path"] == "log[2]"
    done = await stored.run("delete", {"path": "users.dan"})
    assert done["previous"]["text"].startswith("{age = 1")
    done = await stored.run("delete", {"path": "users.nobody"})
    assert done["previous"] is None
    assert "there is a row log[1] already" in await error(
        stored, "addRow", {"table": "log", "key": "1"}
    )


async def test_a_table_is_dropped_and_comes_back(stored: Editor) -> None:
    await stored.run("createIndex", {"table": "users", "fields": "age"})
    before = await stored.run("rows", {"table": "users"})
    assert await stored.run("dropTable", {"table": "users"}) == {"dropped": "users"}
    tables = [table["name"] for table in (await stored.run("tables"))["tables"]]
    assert "users" not in tables
    assert "no table named users" in await error(stored, "dropTable", {"table": "users"})
    told = await error(stored, "dropTable", {"table": "Memori"})
    assert "there is no table named Memori; did you mean Memory?" in told
    assert "Memory" in await error(stored, "dropTable", {"table": "Memory"})
    await stored.run("undo")
    assert await stored.run("rows", {"table": "users"}) == before
    indexes = (await stored.run("indexes", {"table": "users"}))["indexes"]
    assert [index["name"] for index in indexes] == ["users(age)"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"path": "users.ann.age", "value": "os.exit()"}, "value: expected a number"),
        ({"path": "users.ann.age", "value": "{1"}, "value: expected } or a comma at character 3"),
        ({"path": "users.ann.age"}, "`value` is missing"),
        ({"path": "users", "value": "1"}, "users is a table of its own; name an entry of it"),
        ({"path": "users.nobody.age", "value": "1"}, "there is no table users.nobody"),
        ({"path": "users.ann.age.x", "value": "1"}, "users.ann.age is a number, not a table"),
        ({"path": "users..ann", "value": "1"}, "'users..ann' is no path"),
        ({"path": "users.ann.age", "value": "'old'"},
         'users.ann.age: expected integer, got string "old"'),
    ],
)  # fmt: skip
async def test_what_is_refused(stored: Editor, params: dict[str, Any], message: str) -> None:
    definition = {"fields": {"age": "integer?"}, "extra": True}
    await stored.run("setSchema", {"table": "users", "definition": definition})
    assert message in await error(stored, "set", params)
    assert await content(stored, "users.ann.age") == "41"


async def test_a_batch(stored: Editor) -> None:
    operations = [
        {"op": "set", "table": "users", "key": "eve", "value": {"age": 3}},
        {"op": "get", "table": "users", "key": "eve"},
        {"op": "count", "table": "users"},
    ]
    done = await stored.run("batch", {"operations": operations})
    assert done["ok"]
    assert texts(done["values"])[1:] == ["{age = 3}", "4"]
    done = await stored.run("batch", {"operations": [*operations, {"op": "fly"}]})
    assert not done["ok"]
    assert "operation 4" in done["problems"][0]["message"]


async def test_a_migration(stored: Editor) -> None:
    params = {"table": "users", "version": 1, "source": "row.old = (row.age or 0) > 30"}
    done = await stored.run("migrate", {**params, "dry_run": True})
    assert (done["ok"], await stored.run("count", {"table": "users", "where": "old exists"})) == (
        True,
        {"count": 0},
    )
    done = await stored.run("migrate", params)
    assert texts(done["values"])[:2] == ["true", "3"]
    assert await stored.run("count", {"table": "users", "where": "old = true"}) == {"count": 1}
    done = await stored.run("migrate", params)
    assert texts(done["values"])[0] == "false"
    done = await stored.run("migrate", {**params, "version": 2, "source": "row.x.y = 1"})
    assert not done["ok"]


async def test_history_pages_and_differences(stored: Editor) -> None:
    for number in range(3):
        await stored.run("set", {"path": "Memory.n", "value": str(number)})
    page = await stored.run("history", {"limit": 2, "offset": 1})
    assert [one["source"] for one in page["evaluations"]] == ["Memory.n = 1", "Memory.n = 0"]
    assert page["next_offset"] == 3
    number = page["evaluations"][1]["number"]
    found = (await stored.run("diff", {"before": number}))["differences"]
    assert [(one["place"], texts([one["before"], one["after"]])) for one in found] == [
        ("Memory.n", ["0", "2"])
    ]
    assert await stored.run("forgetHistory") == {"forgotten": 4}
    assert (await stored.run("undo"))["evaluations"] == []
    assert (await stored.run("history"))["evaluations"] == []
