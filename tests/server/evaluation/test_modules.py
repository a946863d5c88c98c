"""Where `require` finds modules: open buffers first, then files of the folders."""

from __future__ import annotations

from lsprotocol import types

from lua_ls_persist.server import uris
from tests.server.editor import Editor, within


async def test_open_buffers_come_before_files(neovim: Editor) -> None:
    (neovim.folder / "m.lua").write_text("return 'file'")
    neovim.open("return 'buffer'", "m.lua")
    uri = neovim.open("return require 'm'")
    assert (await neovim.evaluate(uri))["values"][0]["content"] == "buffer"


async def test_without_a_workspace_the_files_folder_serves(unstarted: Editor) -> None:
    await unstarted.start("neovim", folders=())
    (unstarted.folder / "m.lua").write_text("return 5")
    uri = unstarted.open("return (require 'm')")
    assert (await unstarted.evaluate(uri))["text"] == "5"


async def test_folders_that_come_later_serve_after_a_restart(neovim: Editor) -> None:
    added = neovim.folder / "added"
    added.mkdir()
    (added / "m.lua").write_text("return 5")
    uri = neovim.open("return (require 'm')")
    assert not (await neovim.evaluate(uri))["ok"]
    folder = types.WorkspaceFolder(uris.uri_of(added), "added")
    neovim.client.workspace_did_change_workspace_folders(
        types.DidChangeWorkspaceFoldersParams(
            types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
        )
    )
    await neovim.run("restart")
    assert (await neovim.evaluate(uri))["text"] == "5"


async def test_the_single_root_of_older_clients(unstarted: Editor) -> None:
    (unstarted.folder / "m.lua").write_text("return 5")
    params = types.InitializeParams(
        capabilities=types.ClientCapabilities(), root_uri=uris.uri_of(unstarted.folder)
    )
    unstarted.result = await within(unstarted.client.initialize_session(params))
    uri = unstarted.open("return (require 'm')", "sub/main.lua")
    assert (await unstarted.evaluate(uri))["text"] == "5"
