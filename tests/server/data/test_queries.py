"""Questions, indexes and schemas, as clients ask and make them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.data.helpers import error, texts
from tests.server.editor import Editor


async def test_a_query(people: Editor) -> None:
    page = await people.run(
        "query", {"table": "users", "where": ["age", ">", 1], "order_by": "age", "limit": 1}
    )
    assert texts([page["rows"][0]["key"]]) == ['"bob"']
    page = await people.run(
        "query",
        {"table": "users", "where": ["age", ">", 1], "order_by": "age", "limit": 1,
         "after": page["next"], "select": ["name"]},
    )  # fmt: skip
    assert page["rows"][0]["fields"]["name"]["content"] == "Ann"
    assert page["next"] is None


async def test_a_query_as_a_line(stored: Editor) -> None:
    page = await stored.run(
        "queryText", {"text": "users where age between 20 and 30 and name = Bob select name"}
    )
    assert page["table"] == "users"
    assert [row["fields"]["name"]["content"] for row in page["rows"]] == ["Bob"]
    page = await stored.run("queryText", {"text": "users order by age desc", "limit": 1})
    assert texts([page["rows"][0]["key"]]) == ['"ann"']
    assert page["next"] is not None
    assert (await error(stored, "queryText", {"text": "where x"})).startswith("a query begins with")


async def test_counts_and_groups(stored: Editor) -> None:
    assert await stored.run("count", {"table": "users", "where": "age > 30"}) == {"count": 1}
    found = await stored.run(
        "aggregate", {"table": "users", "group_by": "age", "count": True, "max": "name"}
    )
    assert [(group["count"], texts([group["max"]])) for group in found["groups"]] == [
        (1, ['"Cid"']),
        (1, ['"Bob"']),
        (1, ['"Ann"']),
    ]
    assert "asks for nothing" in await error(stored, "aggregate", {"table": "users"})


async def test_explain_suggests_an_index_until_there_is_one(stored: Editor) -> None:
    question = {"table": "users", "where": [["name", "=", "Ann"], ["age", ">", 5]]}
    found = await stored.run("explain", question)
    assert found["index"] is None
    assert found["suggestion"] == {"fields": ["name", "age"], "kind": "btree", "each": False}
    made = await stored.run("createIndex", {"table": "users", **_definition(found)})
    assert (made["name"], made["rows"]) == ("users(name, age)", 3)
    found = await stored.run("explain", question)
    assert (found["index"], "suggestion" in found) == ("users(name, age)", False)
    assert found["rows_returned"] == 1


def _definition(found: dict[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] = found["suggestion"]
    return definition


async def test_indexes(people: Editor) -> None:
    for index in (
        {"fields": "age"},
        {"fields": ["name", "age"], "unique": True},
        {"fields": "tags", "each": True},
    ):
        await people.run("createIndex", {"table": "users", **index})
    found = (await people.run("indexes", {"table": "users"}))["indexes"]
    assert [one["name"] for one in found] == ["users(age)", "users(name, age)", "users(tags)"]
    assert [one["unique"] for one in found] == [False, True, False]
    assert await people.run("rebuildIndex", {"table": "users(age)"}) == {"rebuilt": "users(age)"}
    await people.run("dropIndex", {"table": "users", "fields": ["name", "age"]})
    await people.run("dropIndex", {"table": "users(age)"})
    found = (await people.run("indexes"))["indexes"]
    assert [one["name"] for one in found] == ["users(tags)"]
    await people.run("createIndex", {"table": "users", "fields": "age", "kind": "hash"})
    await people.run("createIndex", {"table": "users", "fields": "age"})
    await people.run("dropIndex", {"table": "users", "fields": "age", "kind": "hash"})
    found = (await people.run("indexes"))["indexes"]
    assert [one["kind"] for one in found if one["name"] == "users(age)"] == ["btree"]
    await people.run("dropIndex", {"table": "users(age)"})
    assert "there is no index" in await error(people, "dropIndex", {"table": "users(age)"})
    assert await error(people, "createIndex", {"table": "users", "fields": "a", "kind": "x"}) == (
        "`kind` must be btree, hash or text, not 'x'"
    )


async def test_schemas(people: Editor) -> None:
    shown = await people.run("schema", {"table": "users"})
    assert shown == {"definition": None, "annotations": None}
    derived = await people.run("deriveSchema", {"table": "users"})
    assert derived["definition"]["fields"]["name"] == "string"
    assert derived["annotations"].startswith("---@class")
    await people.run("setSchema", {"table": "users", "definition": derived["definition"]})
    shown = await people.run("schema", {"table": "users"})
    assert shown == derived
    assert (await people.run("checkSchemas"))["violations"] == []
    await people.run("setSchema", {"table": "users", "definition": None})
    assert (await people.run("schema", {"table": "users"}))["definition"] is None
    await people.run("setSchema", {"table": "users", "annotations": derived["annotations"]})
    assert (await people.run("schema", {"table": "users"}))["definition"] is not None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "give either `definition` (null removes the schema) or `annotations`"),
        ({"definition": {}, "annotations": "x"}, "give either `definition`"),
        ({"definition": {"fields": {"age": "strin"}}}, "fields.age: "),
        (
            {"definition": {"fields": {"age": "string"}}},
            "users has rows that do not follow it:\nusers.ann.age: expected string, got integer 41",
        ),
        ({"annotations": "no class"}, "there is no ---@class"),
    ],
)  # fmt: skip
async def test_schemas_that_are_refused(
    stored: Editor, params: dict[str, Any], message: str
) -> None:
    assert message in await error(stored, "setSchema", {"table": "users", **params})


async def test_types_are_written_into_the_buffer(people: Editor) -> None:
    uri = people.open('print(1)\nlocal users = ext.table("users")\n', "types.lua")
    done = await people.run("annotate", {"table": "users"})
    assert done["text"].startswith("---@class ")
    assert done["edits"] == []
    done = await people.run("annotate", {"table": "users", "uri": uri})
    (edit,) = done["edits"]
    assert edit["range"]["start"] == {"line": 1, "character": 0}
    assert edit["new_text"].endswith("---@type table<string, User>\n")
    assert "---@field name string\n" in edit["new_text"]
    place = {"line": 0, "character": 0}
    done = await people.run("annotate", {"table": "users", "uri": uri, "position": place})
    assert done["edits"][0]["range"]["start"] == place
    assert "there is no table nobody" in await error(people, "annotate", {"table": "nobody"})


async def test_points_and_the_greatest_groups(people: Editor) -> None:
    told = await people.run("points", {"table": "users", "x": "age", "y": "age"})
    assert told == {"points": [[25.0, 25.0], [41.0, 41.0]], "rows": 3, "pairs": 2}
    told = await people.run(
        "points", {"table": "users", "x": "age", "y": "age", "limit": 1, "where": "age > 30"}
    )
    assert told == {"points": [[41.0, 41.0]], "rows": 1, "pairs": 1}
    asked = {"table": "users", "group_by": "name", "avg": "age"}
    told = await people.run("aggregate", {**asked, "limit": 2})
    assert [one["group"]["name"]["content"] for one in told["groups"]] == ["Ann", "Bob"]
    assert told["total"] == 3
    told = await people.run("aggregate", {**asked, "limit": 1, "max": "name", "count": True})
    assert [one["group"]["name"]["content"] for one in told["groups"]] == ["Ann"]
    told = await people.run("aggregate", asked)
    assert [one["group"]["name"]["content"] for one in told["groups"]] == ["Ann", "Bob", "Cid"]
    assert told["total"] == 3
