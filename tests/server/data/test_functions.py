"""Stored functions: their state against the buffer, calls, updates."""

from __future__ import annotations

import pytest

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


UPDATED = """\
-- A counter, which counts twice now.
local n = 100
function Memory.hit(by, ...)
  n = n + 2 * (by or 1)
  return n
end
"""


async def test_an_update_keeps_the_variables(people: Editor) -> None:
    uri = people.uri("main.lua")
    people.edit(uri, None, UPDATED)
    (found,) = (await people.run("functions"))["functions"]
    assert found["drift"] == "edited"
    done = await people.run("updateFunction", {"path": "Memory.hit", "uri": uri})
    assert done == {"path": "Memory.hit", "line": 3, "kept": ["n"], "fresh": []}
    (found,) = (await people.run("functions"))["functions"]
    assert (found["drift"], found["line"]) == ("in_sync", 3)
    called = await people.run("callFunction", {"path": "Memory.hit", "arguments": ["10"]})
    assert texts(called["values"]) == ["25"], "5, and twice 10"
    await people.run("undo", {"count": 2})
    called = await people.run("callFunction", {"path": "Memory.hit", "arguments": ["10"]})
    assert texts(called["values"]) == ["15"], "the old one, with its old variable"


@pytest.mark.parametrize("above", ["", "-- A row above.\n"])
async def test_an_updated_function_stands_where_it_is_defined(stored: Editor, above: str) -> None:
    """Also in a document's first row, above which nothing can stand."""
    text = f"{above}function Memory.hit(by)\n  n = n + 2 * by\n  return n\nend"
    uri = stored.open(text, "first.lua")
    done = await stored.run("updateFunction", {"path": "Memory.hit", "uri": uri})
    assert (done["line"], done["kept"]) == (1 + bool(above), ["n"])
    (found,) = (await stored.run("functions"))["functions"]
    assert (found["drift"], found["line"], found["uri"]) == ("in_sync", done["line"], uri)
    shown = await stored.run("function", {"path": "Memory.hit"})
    assert shown["text"] == text.removeprefix(above)
    latest = (await stored.run("history"))["evaluations"][0]
    assert latest["source"] == text.removeprefix(above), "not what was put around it"
    called = await stored.run("callFunction", {"path": "Memory.hit", "arguments": ["nil"]})
    assert called["problems"][0]["line"] == done["line"] + 1
    await stored.run("restart")
    assert await stored.run("recompile", {"path": "Memory.hit"}) == {"recompiled": "Memory.hit"}
    called = await stored.run("callFunction", {"path": "Memory.hit", "arguments": ["10"]})
    assert texts(called["values"]) == ["25"]


SHARED = """\
local Account, balance = {}, 10
local function fee(x) if x > 100 then return fee(x / 2) end return x * 0.1 end
function Account:deposit(x) balance = balance + x return balance end
Account.peek = function() return balance, fee(1000) end
Memory.deposit, Memory.peek, Memory.fee = Account.deposit, Account.peek, fee
"""
CHANGED = """\
local Account, balance, bonus = {}, 10
local function fee(x) if x > 10 then return fee(x / 10) end return x end
function Account:deposit(x) balance = balance + 2 * x + (bonus or 0) return balance end
Account.peek = function() return -balance, fee(1000) end
"""


async def test_functions_by_other_names_share_what_they_shared(stored: Editor) -> None:
    uri = stored.open(SHARED, "account.lua")
    assert (await stored.evaluate(uri))["ok"]
    stored.edit(uri, None, CHANGED)

    async def call(path: str, *arguments: str) -> list[str]:
        done = await stored.run("callFunction", {"path": path, "arguments": list(arguments)})
        assert done["ok"], done["problems"]
        return texts(done["values"])

    await stored.run("restart")
    done = await stored.run("updateFunction", {"path": "Memory.deposit", "uri": uri})
    assert (done["line"], done["kept"], done["fresh"]) == (3, ["balance"], [])
    assert await call("Memory.deposit", "nil", "5") == ["20"]
    assert (await call("Memory.peek"))[0] == "20", "the same variable"
    done = await stored.run("updateFunction", {"path": "Memory.peek", "uri": uri})
    assert sorted(done["kept"]) == ["balance", "fee"]
    assert (await call("Memory.peek"))[0] == "-20"
    done = await stored.run("updateFunction", {"path": "Memory.fee", "uri": uri})
    assert done["kept"] == ["fee"]
    assert await call("Memory.fee", "1000") == ["10.0"], "it calls itself, as it is now"


async def test_updates_that_cannot_be(stored: Editor) -> None:
    other = stored.open("function Memory.other() end", "other.lua")
    message = await error(stored, "updateFunction", {"path": "Memory.hit", "uri": other})
    assert message.endswith(
        "other.lua defines no function that could be Memory.hit; "
        "give the `uri` of the document that does"
    )
    uri = stored.uri("main.lua")
    for row in range(3):
        stored.edit(uri, None, "\n" * row + "function Memory.hit() return return end")
        message = await error(stored, "updateFunction", {"path": "Memory.hit", "uri": uri})
        assert f"main.lua:{row + 1}: unexpected symbol" in message
    assert texts((await stored.run("callFunction", {"path": "Memory.hit"}))["values"]) == ["6"]
