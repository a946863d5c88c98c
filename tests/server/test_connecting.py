"""What client and server tell each other at first, and the settings."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lua_ls_persist._version import __version__
from lua_ls_persist.server.starting import COMMANDS
from tests.server.editor import Editor, within

FOREVER = "while true do end"


async def test_initialize(editor: Editor) -> None:
    result = editor.result
    assert result is not None
    assert result.server_info == types.ServerInfo("lua-ls-persist", __version__)
    capabilities = result.capabilities
    sync = capabilities.text_document_sync
    assert isinstance(sync, types.TextDocumentSyncOptions)
    assert sync.open_close
    assert sync.change == types.TextDocumentSyncKind.Incremental
    assert capabilities.execute_command_provider is not None
    commands = capabilities.execute_command_provider.commands
    assert sorted(commands) == sorted(command.id for command in COMMANDS)
    assert capabilities.execute_command_provider.work_done_progress
    assert capabilities.inlay_hint_provider is not None
    assert capabilities.code_lens_provider is not None
    assert capabilities.diagnostic_provider is None, "push only"
    assert editor.encoding == {
        "neovim": "utf-8",
        "visual_studio_code": "utf-16",
        "emacs": "utf-32",
    }.get(_profile(editor), editor.encoding)


def _profile(editor: Editor) -> str:
    assert editor.client.capabilities is not None
    general = editor.client.capabilities.general
    encodings = general.position_encodings if general else None
    return {None: "visual_studio_code", "utf-8": "neovim", "utf-32": "emacs"}[
        str(getattr(encodings[0], "value", encodings[0])) if encodings else None
    ]


async def test_initialization_options(unstarted: Editor) -> None:
    # Long enough for the short programs, also where they have to wait for a processor.
    await unstarted.start("emacs", options={"timeLimitSeconds": 2, "keepErrorEffects": True})
    uri = unstarted.open(FOREVER)
    assert (await unstarted.evaluate(uri))["problems"][0]["kind"] == "timeout"
    uri = unstarted.open("n = (n or 0) + 1 if n == 1 then error('no') end return n", "n.lua")
    assert not (await unstarted.evaluate(uri))["ok"]
    assert (await unstarted.evaluate(uri))["text"] == "2"


async def test_wrong_settings_are_named(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"timeLimitSeconds": "fast"})
    await unstarted.evaluate(unstarted.open("return 1"))
    (message,) = unstarted.client.messages
    assert "luaPersist.timeLimitSeconds must be" in message.message


async def test_the_client_is_asked_for_settings(unstarted: Editor) -> None:
    client = unstarted.client
    client.set_configuration({"timeLimitSeconds": 0.2}, section="luaPersist")
    await unstarted.start("visual_studio_code")
    uri = unstarted.open(FOREVER)
    assert (await unstarted.evaluate(uri))["problems"][0]["kind"] == "timeout"
    assert [registration.method for registration in client.registered] == [
        types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
    ]
    client.set_configuration({"keepErrorEffects": True}, section="luaPersist")
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    await within(client.wait_for_notification(types.WINDOW_SHOW_MESSAGE))
    assert "when the Lua session is restarted" in client.messages[0].message
    uri = unstarted.open("n = (n or 0) + 1 if n == 1 then error('no') end return n", "n.lua")
    await unstarted.run("restart")
    assert not (await unstarted.evaluate(uri))["ok"]
    assert (await unstarted.evaluate(uri))["text"] == "2"


async def test_settings_that_are_pushed(unstarted: Editor) -> None:
    def cannot_be_asked(capabilities: types.ClientCapabilities) -> None:
        assert capabilities.workspace is not None
        capabilities.workspace.configuration = False

    await unstarted.start("neovim", adapt=cannot_be_asked)
    unstarted.client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"luaPersist": {"timeLimitSeconds": 0.2}})
    )
    uri = unstarted.open(FOREVER)
    assert (await unstarted.evaluate(uri))["problems"][0]["kind"] == "timeout"


async def test_a_database_that_cannot_be_opened(unstarted: Editor) -> None:
    (unstarted.folder / "bad.db").write_text("this is no database" * 100)
    await unstarted.start("neovim", options={"databasePath": "bad.db"})
    uri = unstarted.open("return 1")
    with pytest.raises(JsonRpcException, match=r"bad\.db"):
        await unstarted.evaluate(uri)
    assert "bad.db" in unstarted.client.messages[0].message


async def test_evaluations_are_announced_to_those_who_want_it(unstarted: Editor) -> None:
    def wants(capabilities: types.ClientCapabilities) -> None:
        capabilities.experimental = {"luaPersist": {"evaluation": True}}

    await unstarted.start("neovim", adapt=wants)
    uri = unstarted.open("return 1")
    await unstarted.evaluate(uri)
    (announced,) = unstarted.client.evaluations
    assert (announced.uri, announced.ok, announced.text) == (uri, True, "1")
