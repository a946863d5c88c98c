"""Many entries at once: all of them or none, and one undo."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.data.helpers import error, texts
from tests.server.editor import Editor


def changes(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"changes": [{"path": path, "value": value} for path, value in pairs]}


async def values(editor: Editor, *paths: str) -> list[Any]:
    found = [await editor.run("inspect", {"path": path}) for path in paths]
    return texts([one["value"] for one in found])


async def test_all_of_them_are_one_evaluation(people: Editor) -> None:
    done = await people.run(
        "setMany",
        changes(
            ("users.ann.age", "42"),
            ("users.ann.name", "nil"),
            ("users.bob.tags", '{"x", deep = {1}}'),
            ("users.cid", "nil"),
            ("Memory.n", "-0.5"),
            ('users["a b"]', "'new'"),
            ("users.ann.tags[2]", '"dev"'),
        ),
    )
    assert done == {"changed": 7, "added": [], "failed": None}
    assert await values(people, "users.ann.age", "Memory.n", "users.bob.tags.deep[1]") == [
        "42", "-0.5", "1"
    ]  # fmt: skip
    assert await people.run("count", {"table": "users"}) == {"count": 3}
    assert await values(people, "users.ann.tags[2]") == ['"dev"']
    newest = (await people.run("history", {"limit": 1}))["evaluations"][0]
    assert (newest["name"], newest["source"]) == ("(batch)", "7 operations")
    await people.run("undo")
    assert await values(people, "users.ann.age", "users.ann.name", "users.ann.tags[2]") == [
        "41", '"Ann"', '"ops"'
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("users.ann.age", "'old'"), 'users.ann.age: expected integer, got string "old"'),
        (("users.ann.age", "os.exit()"), "value: expected a number"),
        (("users.nobody.age", "1"), "there is no table users.nobody"),
        (("users.ann.name.x", "1"), "users.ann.name is a string, not a table"),
        (("users", "1"), "users is a table of its own; name an entry of it"),
        (("users..ann", "1"), "'users..ann' is no path"),
        (("_G.word", "1"), "globals of the VM are changed one by one"),
    ],
)
async def test_one_that_is_refused_is_named_and_nothing_is_changed(
    stored: Editor, pair: tuple[str, str], message: str
) -> None:
    definition = {"fields": {"age": "integer?"}, "extra": True}
    await stored.run("setSchema", {"table": "users", "definition": definition})
    before = (await stored.run("history", {"limit": 1}))["evaluations"][0]["number"]
    done = await stored.run("setMany", changes(("users.bob.age", "1"), pair, ("users.x", "{}")))
    assert done["changed"] == 0
    assert (done["failed"]["index"], done["failed"]["path"]) == (1, pair[0])
    assert message in done["failed"]["message"]
    assert "batch" not in done["failed"]["message"]
    assert await values(stored, "users.bob.age") == ["25"]
    assert (await stored.run("history", {"limit": 1}))["evaluations"][0]["number"] == before


async def test_what_is_wrong_with_all_of_them_together(stored: Editor) -> None:
    await stored.run("createIndex", {"table": "users", "fields": "name", "unique": True})
    done = await stored.run("setMany", changes(("users.bob.age", "2"), ("users.bob.name", '"Ann"')))
    assert done["changed"] == 0
    assert "unique" in done["failed"]["message"]
    assert await values(stored, "users.bob.age") == ["25"]


async def test_none_too_many_and_nonsense(stored: Editor) -> None:
    nothing = {"changed": 0, "added": [], "failed": None}
    assert await stored.run("setMany", {"changes": []}) == nothing
    row = {"table": "Memory", "rows": [{"value": "1"}]}
    many = [{"path": f"Memory[{number}]", "value": "1"} for number in range(10_001)]
    assert "at most 10000" in await error(stored, "setMany", {"changes": many})
    assert "at most 10000" in await error(stored, "setMany", {"changes": many[1:], **row})
    done = await stored.run("setMany", {"changes": many[1:]})
    assert done == {"changed": 10_000, "added": [], "failed": None}
    for wrong in ("text", {"path": "users.x"}, {"path": 1, "value": "1"}):
        done = await stored.run("setMany", {"changes": [wrong]})
        assert done["failed"]["index"] == 0


# New rows


async def test_changes_and_new_rows_are_one_evaluation(people: Editor) -> None:
    await people.run("setMany", {"changes": [], "table": "log", "rows": [{"value": "'one'"}]})
    done = await people.run(
        "setMany",
        {
            **changes(("log[1]", "'first'"), ("users.ann.age", "42")),
            "table": "log",
            "rows": [
                {"value": "{ n = 2 }"},
                {"value": "false"},
                {"key": "'a b'", "value": "4"},
                {"key": "-0.5", "value": "5"},
            ],
        },
    )
    assert done == {
        "changed": 2,
        "added": ["log[2]", "log[3]", 'log["a b"]', "log[-0.5]"],
        "failed": None,
    }
    assert await values(people, "log[1]", "log[2].n", "log[3]", "users.ann.age") == [
        '"first"', "2", "false", "42"
    ]  # fmt: skip
    await people.run("undo")
    assert await values(people, "log", "users.ann.age") == ['{"one"}', "41"]
    assert await people.run("count", {"table": "log"}) == {"count": 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"key": "'ann'", "value": "{}"}, "there is a row users.ann already"),
        ({"key": "'new'", "value": "{ age = 'old' }"}, "users.new.age: expected integer"),
        ({"value": "{ age = 1.5 }"}, "users[1].age: expected integer"),
        ({"value": "nil"}, "value: a row is not nil"),
        ({"value": "os.exit()"}, "value: expected a number"),
        ({"key": "{}", "value": "1"}, "key: expected text, a number or a boolean, got a table"),
        ({"key": "nil", "value": "1"}, "key: expected text, a number or a boolean, got nil"),
        ({"key": 1, "value": "1"}, "the key and the value of a row are texts"),
        ({"path": "users.x"}, "a row is {value} or {key, value}"),
        ("text", "a row is {value} or {key, value}"),
    ],
)
async def test_a_row_that_is_refused_is_named_and_nothing_is_changed(
    stored: Editor, row: object, message: str
) -> None:
    definition = {"fields": {"age": "integer?"}, "extra": True}
    await stored.run("setSchema", {"table": "users", "definition": definition})
    before = (await stored.run("history", {"limit": 1}))["evaluations"][0]["number"]
    rows = [{"key": "'zed'", "value": "{ age = 1 }"}, row]
    wanted = {**changes(("users.bob.age", "1")), "table": "users", "rows": rows}
    done = await stored.run("setMany", wanted)
    assert (done["changed"], done["added"]) == (0, [])
    assert (done["failed"]["index"], done["failed"]["row"]) == (None, 1)
    assert message in done["failed"]["message"]
    assert "batch" not in done["failed"]["message"]
    assert await values(stored, "users.bob.age") == ["25"]
    assert await stored.run("count", {"table": "users"}) == {"count": 3}
    assert (await stored.run("history", {"limit": 1}))["evaluations"][0]["number"] == before


async def test_a_row_that_a_unique_index_refuses(stored: Editor) -> None:
    await stored.run("createIndex", {"table": "users", "fields": "name", "unique": True})
    rows = [{"value": "{ name = 'Zed' }"}, {"value": "{ name = 'Bob' }"}]
    done = await stored.run("setMany", {"changes": [], "table": "users", "rows": rows})
    assert (done["failed"]["row"], "unique" in done["failed"]["message"]) == (1, True)
    assert await stored.run("count", {"table": "users"}) == {"count": 3}


async def test_where_rows_can_be_added(stored: Editor) -> None:
    done = await stored.run("setMany", {"changes": [], "rows": [{"value": "1"}]})
    assert done["failed"]["message"] == "rows need a `table`"
    for table, message in (
        ("_G.word", "rows of globals are added one by one"),
        ("users.nobody", "there is no table users.nobody"),
        ("users.ann.name", "users.ann.name is a string"),
    ):
        rows = {"changes": [], "table": table, "rows": [{"value": "1"}]}
        done = await stored.run("setMany", rows)
        assert message in done["failed"]["message"]
    many = [{"value": str(number)} for number in range(10_000)]
    done = await stored.run("setMany", {"changes": [], "table": "log", "rows": many})
    assert (len(done["added"]), done["added"][-1]) == (10_000, "log[10000]")
