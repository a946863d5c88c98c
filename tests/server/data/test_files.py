"""In and out, images, the file: what leaves the session and what comes back."""

from __future__ import annotations

import json
from pathlib import Path

from lua_ls_persist.session import Session
from tests.server.data.helpers import error, texts
from tests.server.editor import Editor


async def test_rows_go_out_and_come_in(people: Editor) -> None:
    told = await people.run("export", {"table": "users", "where": "age exists"})
    assert list(json.loads(told["text"])) == ["ann", "bob"]
    assert (told["rows"], told["left_out_count"]) == (2, 0)
    told = await people.run("export", {"table": "users", "path": "users.jsonl"})
    assert told["path"] == str(people.folder / "users.jsonl")
    done = await people.run("import", {"table": "copy", "path": "users.jsonl"})
    assert (done["ok"], texts(done["values"])) == (True, ["3"])
    assert await people.run("count", {"table": "copy", "where": "name = Ann"}) == {"count": 1}
    _written(people.folder / "bad.csv", "@key,age\nann,1\nann,2\n")
    done = await people.run("import", {"table": "new", "path": "bad.csv"})
    assert not done["ok"]
    assert "bad.csv" in done["problems"][0]["message"]
    message = await error(people, "export", {"table": "users", "path": "users.txt"})
    assert "users.txt" in message
    message = await error(people, "import", {"table": "users", "path": "none.csv"})
    assert "none.csv cannot be read" in message


def _written(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def test_a_text_is_not_endless(stored: Editor) -> None:
    uri = stored.open("for i = 1, 20 do Memory[i] = ('x'):rep(1e6) end", "long.lua")
    assert (await stored.evaluate(uri))["ok"]
    message = await error(stored, "export", {"table": "Memory"})
    assert "more than 16777216 characters; give a `path`" in message


async def test_everything_goes_out_and_comes_back(people: Editor) -> None:
    told = await people.run("exportAll", {"path": "all.jsonl"})
    assert told["lines"] > 5
    assert "content already" in await error(people, "importAll", {"path": "all.jsonl"})
    backup = await people.run("backup", {"path": "copy.db"})
    assert backup["bytes"] > 0
    await people.run("delete", {"path": "users.ann"})
    told = await people.run("restore", {"path": "copy.db"})
    assert told["text"] == "The session was restored from a backup."
    assert await people.run("count", {"table": "users"}) == {"count": 3}
    assert "There is no file" in await error(people, "restore", {"path": "none.db"})


async def test_images_and_forks(people: Editor) -> None:
    uri = people.open("word = 'other'", "other.lua")
    kept = await people.run("saveImage", {"name": "before"})
    assert (kept["name"], kept["fits"]) == ("before", True)
    await people.evaluate(uri)
    told = await people.run("restoreImage", {"name": "before"})
    assert told["text"] == "The session goes on from the image before."
    found = await people.run("inspect", {"path": "_G.word"})
    assert found["value"]["content"] == "global"
    names = [image["name"] for image in (await people.run("images"))["images"]]
    assert "before" in names
    assert await people.run("dropImage", {"name": "before"}) == {"dropped": "before"}
    for command in ("dropImage", "restoreImage"):
        assert await error(people, command, {"name": "before"}) == "there is no image before"
    told = await people.run("fork", {"path": "fork.db"})
    assert _word_in(Path(told["path"])) == "global"


def _word_in(path: Path) -> object:
    with Session.open(path) as session:
        return session.evaluate("word").values[0]


async def test_the_file(stored: Editor) -> None:
    await stored.run("delete", {"path": "users.ann"})
    await stored.run("forgetHistory")
    removed = await stored.run("collect")
    assert removed["tables"] == 2
    assert (await stored.run("vacuum"))["bytes"] >= 0
    sizes = await stored.run("memory")
    assert sizes["vm"]["used_bytes"] > 0
    assert sizes["store"]["functions"] == 1
    assert list((await stored.run("compress", {"table": "users"}))["tables"]) == ["users"]
    assert "there is no table x" in await error(stored, "compress", {"table": "x"})


async def test_the_doctor(stored: Editor) -> None:
    report = await stored.run("doctor")
    assert report["ok"], report["checks"]
    assert report["checks"][-1]["name"] == "session's file"
    assert report["paths"]["session"] == str(stored.folder / ".lua-persist" / "session.db")
