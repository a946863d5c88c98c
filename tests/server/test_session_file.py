"""Where a session is kept: in the workspace, elsewhere, or nowhere."""

from __future__ import annotations

import shutil

from lua_ls_persist import Session
from tests.server.editor import Editor


async def test_what_persists_is_there_again(unstarted: Editor) -> None:
    """Without any setting the session's file lies in the workspace, out of version control."""
    await unstarted.start("neovim")
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert (unstarted.folder / ".lua-persist" / "session.db").is_file()
    assert (unstarted.folder / ".lua-persist" / ".gitignore").is_file()
    await unstarted.run("restart")
    assert (await unstarted.evaluate(uri))["text"] == "2"


async def test_a_session_in_memory(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"databasePath": None})
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert not (unstarted.folder / ".lua-persist").exists()


async def test_a_default_place_that_cannot_be_used(unstarted: Editor) -> None:
    (unstarted.folder / ".lua-persist").write_text("a file where the folder should be")
    await unstarted.start("neovim")
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert any(".lua-persist" in message.message for message in unstarted.client.messages)
    # Nothing speaks of the file as if it were used.
    assert (await unstarted.run("status"))["path"] is None
    report = await unstarted.run("doctor")
    assert report["paths"]["session"] == "in memory"
    (check,) = [one for one in report["checks"] if one["name"] == "session's file"]
    assert not check["ok"]
    assert ".lua-persist" in check["detail"]
    assert not report["ok"]


async def test_a_restart_tries_the_default_place_again(unstarted: Editor) -> None:
    in_the_way = unstarted.folder / ".lua-persist"
    in_the_way.write_text("a file where the folder should be")
    await unstarted.start("neovim")
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["ok"]
    in_the_way.unlink()
    await unstarted.run("restart")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert (in_the_way / "session.db").is_file()


async def test_a_restart_goes_on_after_the_file_was_deleted(unstarted: Editor) -> None:
    await unstarted.start("neovim")
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["ok"]
    shutil.rmtree(unstarted.folder / ".lua-persist")
    (problem,) = (await unstarted.evaluate(uri))["problems"]
    assert problem["kind"] == "persistence"
    assert "deleted" in problem["message"]
    # What it still has can be saved until then.
    await unstarted.run("backup", {"path": str(unstarted.folder / "saved.db")})
    await unstarted.run("restart")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert (unstarted.folder / ".lua-persist" / "session.db").is_file()
    with Session.open(unstarted.folder / "saved.db") as saved:
        assert saved.evaluate("return Memory.count").values == (1,)
