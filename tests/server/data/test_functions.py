"""Stored functions: their state against the buffer, calls, updates."""

from __future__ import annotations

from tests.server.data.helpers import error, texts
from tests.server.editor import Editor


async def test_functions_and_their_drift(people: Editor) -> None:
    uri = people.uri("main.lua")
    (found,) = (await people.run("functions"))["functions"]
    assert (found["path"], found["signature"], found["uri"]) == ("Memory.hit", "by, ...", uri)
    assert (found["line"], found["last_line"], found["drift"]) == (6, 9, "in_sync")
    people.insert(uri, 0, 0, "-- above\n")
    (found,) = (await people.run("functions"))["functions"]
    assert (found["line"], found["last_line"], found["drift"]) == (7, 10, "in_sync")
    people.insert(uri, 7, 0, "  -- inside\n")
    (found,) = (await people.run("functions"))["functions"]
    assert found["drift"] == "edited"
    shown = await people.run("function", {"path": "Memory.hit"})
    assert shown["text"].startswith("function Memory.hit(by, ...)\n")
    assert {one["name"]: one["value"]["text"] for one in shown["upvalues"]}["n"] == "5"


async def test_calls(stored: Editor) -> None:
    done = await stored.run("callFunction", {"path": "Memory.hit", "arguments": ["10"]})
    assert (done["ok"], texts(done["values"])) == (True, ["15"])
    done = await stored.run("callFunction", {"path": "Memory.hit"})
    assert texts(done["values"]) == ["16"]
    done = await stored.run("callFunction", {"path": "Memory.hit", "arguments": ['"x"']})
    assert not done["ok"]
    problem = done["problems"][0]
    assert (problem["line"], problem["uri"]) == (7, stored.uri("main.lua"))
    assert "arguments[1]: expected" in await error(
        stored, "callFunction", {"path": "Memory.hit", "arguments": ["f()"]}
    )


async def test_functions_are_removed(stored: Editor) -> None:
    assert await stored.run("deleteFunction", {"path": "Memory.hit"}) == {"deleted": "Memory.hit"}
    assert (await stored.run("functions"))["functions"] == []
    for command in ("function", "deleteFunction", "recompile"):
        message = await error(stored, command, {"path": "Memory.hit"})
        assert message == "there is no stored function Memory.hit"
    await stored.run("undo")
    assert (await stored.run("functions"))["total"] == 1
    assert await stored.run("recompile", {"path": "Memory.hit"}) == {"recompiled": "Memory.hit"}
