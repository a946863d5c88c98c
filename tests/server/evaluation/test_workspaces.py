"""Folders with sessions of their own, trust, and what others do to the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lua_ls_persist import Session
from lua_ls_persist.server import uris
from tests.server.editor import PROFILES, Editor, wanting, within


def session_file(folder: Path) -> Path:
    return folder / ".lua-persist" / "session.db"


def stored(folder: Path, source: str) -> None:
    """A session was here before."""
    session_file(folder).parent.mkdir(exist_ok=True)
    with Session.open(session_file(folder)) as session:
        assert session.evaluate(source).ok


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    return one, two


@pytest.mark.parametrize("profile", PROFILES)
async def test_each_folder_has_a_session(
    unstarted: Editor, folders: tuple[Path, Path], profile: str
) -> None:
    await unstarted.start(profile, folders=folders)
    one = unstarted.open("x = 1 return x", "one/main.lua")
    two = unstarted.open("return x, ...", "two/main.lua")
    assert (await unstarted.evaluate(one))["text"] == "1"
    assert (await unstarted.evaluate(two))["text"] == "nil"
    assert [session_file(folder).exists() for folder in folders] == [True, True]
    # In its own folder a document has a short name, whatever the others are called.
    unstarted.edit(two, None, "\nerror('here')")
    (problem,) = (await unstarted.evaluate(two))["problems"]
    assert (problem["chunk"], problem["line"], problem["uri"]) == ("main.lua", 2, two)


async def test_modules_come_from_the_own_folder_first(
    unstarted: Editor, folders: tuple[Path, Path]
) -> None:
    for folder in folders:
        (folder / "name.lua").write_text(f"return {folder.name!r}")
    (folders[0] / "only.lua").write_text("return 'of one'")
    await unstarted.start("neovim", folders=folders)
    uri = unstarted.open("return (require 'name'), (require 'only')", "two/main.lua")
    assert (await unstarted.evaluate(uri))["text"] == '"two", "of one"'


async def test_the_innermost_folder_counts(unstarted: Editor, folders: tuple[Path, Path]) -> None:
    outer = folders[0].parent
    await unstarted.start("neovim", folders=[outer, folders[1]])
    assert (await unstarted.evaluate(unstarted.open("x = 'outer'", "one/a.lua")))["ok"]
    assert (await unstarted.evaluate(unstarted.open("return x", "two/a.lua")))["text"] == "nil"
    assert (await unstarted.evaluate(unstarted.open("return x", "b.lua")))["text"] == '"outer"'
    assert not session_file(folders[0]).exists()


async def test_documents_outside_of_all_folders(
    unstarted: Editor, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(folders[1], "Memory.x = 'of two'")
    await unstarted.start("neovim", folders=[folders[0]])
    await unstarted.evaluate(unstarted.open("x = 'of one'", "one/a.lua"))
    # What is no file yet belongs to the first folder, what lies in another session's to that.
    scratch = unstarted.open("return x", "untitled:Untitled-1")
    assert (await unstarted.evaluate(scratch))["text"] == '"of one"'
    other = unstarted.open("return Memory.x, x", "two/deep/b.lua")
    assert (await unstarted.evaluate(other))["text"] == '"of two", nil'
    status = await unstarted.run("status", {"uri": other})
    assert status["path"] == str(session_file(folders[1]))
    # All others to the user's own.
    elsewhere = await unstarted.run("status", {"uri": unstarted.uri("c.lua")})
    assert elsewhere["folder"] is None
    assert elsewhere["path"] != str(session_file(unstarted.folder))


async def test_folders_come_and_go(unstarted: Editor, folders: tuple[Path, Path]) -> None:
    await unstarted.start("neovim", folders=[folders[0]], adapt=wanting("status"))
    one = unstarted.open("Memory.n = 5 keep = 'global' return 1", "one/a.lua")
    await unstarted.evaluate(one)
    assert await unstarted.hints(one) == ["0 => 1"]
    change_folders(unstarted, added=[folders[1]], removed=[folders[0]])
    gone = uris.uri_of(folders[0])
    await unstarted.told("status", lambda s: (s.folder, s.state) == (gone, "closed"))
    assert await unstarted.hints(one) == []
    # All of it is in the file, the image included.
    with Session.open(session_file(folders[0])) as session:
        assert session.evaluate("return Memory.n, keep").text == '5, "global"'
    two = unstarted.open("return Memory.n", "two/a.lua")
    assert (await unstarted.evaluate(two))["text"] == "nil"


async def test_settings_of_a_folder(unstarted: Editor, folders: tuple[Path, Path]) -> None:
    client = unstarted.client
    client.set_configuration({"databasePath": "own.db"}, section="luaPersist")
    client.set_configuration(
        {"databasePath": "other.db"}, section="luaPersist", scope_uri=uris.uri_of(folders[1])
    )
    await unstarted.start("visual_studio_code", folders=folders)
    for folder in folders:
        await unstarted.evaluate(unstarted.open("Memory.x = 1", f"{folder.name}/a.lua"))
    assert (folders[0] / "own.db").exists()
    assert (folders[1] / "other.db").exists()


async def test_what_is_stored_is_restored_at_once(unstarted: Editor) -> None:
    stored(unstarted.folder, "x = 'a global' Memory.f = function() return x end")
    await unstarted.start("visual_studio_code", adapt=wanting("status"))
    status = await unstarted.told("status", lambda s: s.state == "idle" and s.started)
    assert status.path == str(session_file(unstarted.folder))
    states = [s.state for s in unstarted.client.told["status"]]
    assert states == ["starting", "idle"]
    assert any(status.started in m.message for m in unstarted.client.log_messages)
    uri = unstarted.open("return x, Memory.f()")
    assert (await unstarted.evaluate(uri))["text"] == '"a global", "a global"'


@pytest.mark.parametrize("profile", PROFILES)
async def test_nothing_is_made_before_it_is_needed(unstarted: Editor, profile: str) -> None:
    await unstarted.start(profile)
    status = await unstarted.run("status")
    assert (status["state"], status["evaluating"], status["started"]) == ("idle", False, None)
    uri = unstarted.open("return 1")
    await unstarted.hints(uri)
    assert not session_file(unstarted.folder).parent.exists()


async def test_a_session_that_cannot_be_opened(unstarted: Editor) -> None:
    (unstarted.folder / "bad.db").write_text("this is no database" * 100)
    await unstarted.start("neovim", options={"databasePath": "bad.db"}, adapt=wanting("status"))
    status = await unstarted.told("status", lambda s: s.state == "failed")
    assert "bad.db" in status.message


# Others


async def test_changes_by_others_are_noticed(unstarted: Editor) -> None:
    stored(unstarted.folder, "Memory.n = 1")
    await unstarted.start("visual_studio_code", adapt=wanting("status", "changed"))
    await unstarted.told("status", lambda s: s.state == "idle" and s.started)
    with Session.open(session_file(unstarted.folder)) as other:
        other.evaluate("Memory.n = 2")
        changed = await unstarted.told("changed", lambda _: True)
    assert changed.folder == uris.uri_of(unstarted.folder)
    await unstarted.run("status")  # An answer: what was sent before has arrived.
    assert unstarted.client.refreshes > 0
    assert (await unstarted.evaluate(unstarted.open("return Memory.n")))["text"] == "2"


async def test_own_changes_are_told_as_well(unstarted: Editor) -> None:
    await unstarted.start("neovim", adapt=wanting("changed"))
    uri = unstarted.open("Memory.n = (Memory.n or 0) + 1")
    await unstarted.evaluate(uri)
    await unstarted.told("changed", lambda note: note.functions)
    await unstarted.run("evaluateText", {"text": "x = 1"})
    await unstarted.told("changed", lambda note: note.tables == [] and note.globals)


# Trust


async def test_an_untrusted_workspace_evaluates_nothing(unstarted: Editor) -> None:
    stored(unstarted.folder, "Memory.n = 1 x = 1")
    await unstarted.start("visual_studio_code", options={"trusted": False}, adapt=wanting("status"))
    uri = unstarted.open("Memory.n = 2 return x")
    for command, params in evaluations(uri).items():
        with pytest.raises(JsonRpcException, match="This workspace is not trusted"):
            await unstarted.run(command, params)
    status = await unstarted.run("status")
    assert (status["state"], status["trusted"], status["started"]) == ("untrusted", False, None)
    with Session.open(session_file(unstarted.folder)) as session:
        assert session.get("Memory.n") == 1
    # Trust is given: what was there is restored.
    unstarted.client.protocol.notify("luaPersist/trusted", {"trusted": True})
    await unstarted.told("status", lambda s: s.state == "idle" and s.started)
    assert (await unstarted.evaluate(uri))["text"] == "1"


async def test_settings_that_come_with_the_trust_count_at_once(unstarted: Editor) -> None:
    """Editors keep back what a folder that is not trusted says about where its session lies."""
    stored(unstarted.folder, "x = 1")
    other = unstarted.folder / "theirs.db"
    with Session.open(other) as session:
        assert session.evaluate("x = 2").ok
    await unstarted.start("visual_studio_code", options={"trusted": False}, adapt=wanting("status"))
    uri = unstarted.open("return x")
    unstarted.client.set_configuration({"databasePath": "theirs.db"}, section="luaPersist")
    unstarted.client.protocol.notify("luaPersist/trusted", {"trusted": True})
    await unstarted.told("status", lambda s: s.state == "idle" and s.started)
    assert (await unstarted.evaluate(uri))["text"] == "2"


@pytest.mark.parametrize("tells", [False, True])
async def test_who_tells_that_nothing_is_evaluated(unstarted: Editor, *, tells: bool) -> None:
    """The server, unless the client says that it tells of failed requests itself."""
    names = ["failures"] if tells else []
    await unstarted.start("visual_studio_code", options={"trusted": False}, adapt=wanting(*names))
    uri = unstarted.open("return 1")
    with pytest.raises(JsonRpcException, match="not trusted"):
        await unstarted.evaluate(uri)
    assert [m.message[:14] for m in unstarted.client.messages] == (
        [] if tells else ["This workspace"]
    )


async def test_data_of_an_untrusted_workspace_can_be_looked_at(unstarted: Editor) -> None:
    stored(
        unstarted.folder,
        "local t = ext.table('users') t.ann = {age = 41} function Memory.f() t.ann.age = 1 end",
    )
    await unstarted.start("neovim", options={"trusted": False})
    tables = (await unstarted.run("tables"))["tables"]
    assert sorted(table["name"] for table in tables) == ["Memory", "users"]
    rows = await unstarted.run("rows", {"table": "users"})
    assert rows["rows"][0]["path"] == "users.ann"
    assert (await unstarted.run("functions"))["functions"][0]["path"] == "Memory.f"
    changes: dict[str, dict[str, Any]] = {
        "callFunction": {"path": "Memory.f", "arguments": []},
        "set": {"path": "users.ann.age", "value": "1"},
        "undo": {},
    }
    for command, params in changes.items():
        with pytest.raises(JsonRpcException, match="not trusted"):
            await unstarted.run(command, params)
    with Session.open(session_file(unstarted.folder)) as session:
        assert session.get("users.ann.age") == 41


async def test_trust_is_taken_back(unstarted: Editor) -> None:
    await unstarted.start("neovim", adapt=wanting("status"))
    uri = unstarted.open("x = 5 while true do end")
    running = unstarted.start_command("evaluateFile", {"uri": uri})
    await unstarted.told("status", lambda s: s.state == "evaluating")
    unstarted.client.protocol.notify("luaPersist/trusted", {"trusted": False})
    assert (await within(running))["problems"][0]["kind"] == "interrupt"
    with pytest.raises(JsonRpcException, match="not trusted"):
        await unstarted.evaluate(uri)


async def test_trust_by_a_setting(unstarted: Editor) -> None:
    await unstarted.start("neovim", adapt=wanting("status"))
    uri = unstarted.open("return 1")
    for trusted, expected in ((False, "untrusted"), (True, "idle")):
        unstarted.client.set_configuration({"trusted": trusted}, section="luaPersist")
        unstarted.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams({"luaPersist": {"trusted": trusted}})
        )
        await unstarted.told("status", lambda s: s.state == expected)  # noqa: B023 - asked at once
        assert (await unstarted.run("status"))["trusted"] is trusted
    assert (await unstarted.evaluate(uri))["text"] == "1"


def evaluations(uri: str) -> dict[str, dict[str, Any]]:
    """All commands that run code, with parameters."""
    place = {"line": 0, "character": 0}
    return {
        "evaluateFile": {"uri": uri},
        "evaluateForm": {"uri": uri, "position": place},
        "evaluateSelection": {"uri": uri, "range": {"start": place, "end": place}},
    }


def change_folders(editor: Editor, *, added: list[Path], removed: list[Path]) -> None:
    def shown(folder: Path) -> types.WorkspaceFolder:
        return types.WorkspaceFolder(uris.uri_of(folder), folder.name)

    editor.client.workspace_did_change_workspace_folders(
        types.DidChangeWorkspaceFoldersParams(
            types.WorkspaceFoldersChangeEvent(
                added=list(map(shown, added)), removed=list(map(shown, removed))
            )
        )
    )
