"""Virtual documents in clients that can ask for them, and in those that know files only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from lua_ls_persist.server import uris
from tests.server.data.conftest import PEOPLE
from tests.server.data.helpers import error
from tests.server.editor import Editor, typed, within


class Shown:
    """What the server asks of a client about documents."""

    def __init__(self, editor: Editor) -> None:
        self.documents: asyncio.Queue[str] = asyncio.Queue()
        self.refreshed: asyncio.Queue[str] = asyncio.Queue()
        client = editor.client

        @typed(client.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH))
        def refresh(params: types.TextDocumentContentRefreshParams) -> None:
            self.refreshed.put_nowait(params.uri)


@pytest.fixture
async def able(unstarted: Editor) -> tuple[Editor, Shown]:
    """A client that asks for the content of documents."""

    def adapt(capabilities: types.ClientCapabilities) -> None:
        assert capabilities.workspace is not None
        capabilities.workspace.text_document_content = types.TextDocumentContentClientCapabilities(
            dynamic_registration=True
        )

    shown = Shown(unstarted)
    await unstarted.start("visual_studio_code", adapt=adapt)
    assert (await unstarted.evaluate(unstarted.open(PEOPLE)))["ok"]
    return unstarted, shown


async def content(editor: Editor, uri: str) -> str:
    result = await editor.raw(
        types.WORKSPACE_TEXT_DOCUMENT_CONTENT, types.TextDocumentContentParams(uri)
    )
    text: Any = result["text"] if isinstance(result, dict) else result.text
    assert isinstance(text, str)
    return text


async def test_the_client_asks_and_is_told_of_changes(able: tuple[Editor, Shown]) -> None:
    editor, shown = able
    registered = {one.method: one.register_options for one in editor.client.registered}
    assert registered[types.WORKSPACE_TEXT_DOCUMENT_CONTENT] is not None
    opened = await editor.run("open", {"what": "table", "path": "users"})
    assert opened["uri"] == "lua-persist:/table/users.lua"
    text = await content(editor, opened["uri"])
    assert text.startswith("-- users: 3 entries\nreturn {\n")
    assert 'bob = {age = 25, name = "Bob"},' in text
    await editor.run("set", {"path": "users.bob.age", "value": "26"})
    while await within(shown.refreshed.get()) != opened["uri"]:
        pass
    assert "age = 26" in await content(editor, opened["uri"])


async def test_every_sort_of_document(able: tuple[Editor, Shown]) -> None:
    editor, _ = able
    opened = await editor.run("open", {"what": "function", "path": "Memory.hit"})
    assert (await content(editor, opened["uri"])).startswith("function Memory.hit(by, ...)\n")
    await editor.run("evaluateForm", {"uri": editor.uri("main.lua"), "position": _place(0)})
    opened = await editor.run("open", {"what": "result"})
    assert "No values" in await content(editor, opened["uri"])
    await editor.run("set", {"path": "users.ann.age", "value": "1"})
    number = (await editor.run("history"))["evaluations"][0]["number"]
    opened = await editor.run("open", {"what": "history", "number": number})
    assert (await content(editor, opened["uri"])).endswith("@@ users.ann.age @@\n-41\n+1\n")
    gone = await content(editor, "lua-persist:/table/nobody.lua")
    assert gone == "-- there is nothing at nobody\n"


def _place(line: int) -> dict[str, int]:
    return {"line": line, "character": 0}


async def test_clients_of_files_get_files(stored: Editor) -> None:
    opened = await stored.run("open", {"what": "table", "path": "users"})
    path = uris.path_of(opened["uri"])
    assert path is not None
    assert "age = 41" in _text(path)
    shown = await stored.run("content", {"uri": "lua-persist:/table/users.lua?limit=1"})
    assert shown["language"] == "lua"
    assert shown["text"].startswith("-- users: entries 1 to 1 of 3\n-- next: ")
    await stored.run("set", {"path": "users.ann.age", "value": "99"})
    again = await stored.run("open", {"what": "table", "path": "users"})
    assert again["uri"] == opened["uri"]
    assert "age = 99" in _text(path)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "params", "message"),
    [
        ("open", {"what": "tables"}, "`what` must be table, function, result or history"),
        ("open", {"what": "table"}, "`path` is missing: that of a table"),
        ("open", {"what": "history"}, "`number` is missing"),
        ("open", {"what": "history", "number": 99}, "there is no evaluation 99 in the history"),
        ("open", {"what": "function", "path": "f"}, "there is no stored function f"),
        ("open", {"what": "table", "path": "nobody"}, "there is nothing at nobody"),
        ("content", {"uri": "file:///a"}, "there is no document file:///a"),
    ],
)
async def test_what_is_not_there(
    stored: Editor, command: str, params: dict[str, Any], message: str
) -> None:
    assert (await error(stored, command, params)).startswith(message)
