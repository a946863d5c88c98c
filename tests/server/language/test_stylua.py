"""Formatting by StyLua itself, found on the path as a user's would be."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.formatters import formatted, formatter_of, replacements
from tests.server.editor import PROFILES, Editor, at, within
from tools import node_tools

EXAMPLES = sorted((Path(__file__).parents[3] / "lua/examples").glob("*.lua"))
SCRIPT = Path(__file__).with_name("stylua.mjs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command in it. Where its package cannot be had these are left out."""
    try:
        with node_tools.only_one("stylua"):
            packages = node_tools.stylua()
    except node_tools.ToolError as error:
        if os.environ.get("LUA_PERSIST_BROWSER") == "required":  # in CI
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("bin")
    command = shlex.join([str(node_tools.node_home() / "bin/node"), str(SCRIPT), str(packages)])
    (folder / "stylua").write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    (folder / "stylua").chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def _on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def plainly(folder: Path, text: str) -> str:
    """What StyLua makes of a text, without the server."""
    command = [str(folder / "stylua"), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("profile", PROFILES)
async def test_it_is_found_and_used(unstarted: Editor, profile: str) -> None:
    await unstarted.start(profile)
    uri = unstarted.open("local  x = {1,2 ,3}\nlocal y = 1\n")
    edits = await _format(unstarted, uri)
    assert [(one.range, one.new_text) for one in edits] == [
        (at(0, 0, 1, 0), "local x = { 1, 2, 3 }\n")
    ]


async def test_a_range_is_formatted_alone(unstarted: Editor) -> None:
    await unstarted.start("visual_studio_code")
    uri = unstarted.open("local  x = {1}\nlocal  y = {2}\nlocal  z = {3}\n")
    edits = await within(
        unstarted.client.text_document_range_formatting_async(
            types.DocumentRangeFormattingParams(
                types.TextDocumentIdentifier(uri),
                at(1, 0, 1, 14),
                types.FormattingOptions(tab_size=2, insert_spaces=True),
            )
        )
    )
    assert [(one.range, one.new_text) for one in edits] == [(at(1, 0, 2, 0), "local y = { 2 }\n")]


async def test_what_it_cannot_parse_is_told(unstarted: Editor) -> None:
    await unstarted.start("neovim")
    assert await _format(unstarted, unstarted.open("local = 1\n")) is None
    (message,) = [one.message for one in unstarted.client.messages]
    assert "stylua did not format: error: could not format" in message
    assert "unexpected token" in message


@pytest.mark.parametrize("path", EXAMPLES[:6], ids=lambda path: path.stem)
def test_the_edits_make_what_it_writes(folder: Path, path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(" = ", "=").replace("    ", "  ")
    document = Document.of_text(path.as_uri(), text)
    wanted = plainly(folder, text)
    changes = asyncio.run(formatted(formatter_of(None), document))
    assert changes
    assert changes == replacements(document, wanted)


async def _format(editor: Editor, uri: str) -> Any:
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    return await within(
        editor.client.text_document_formatting_async(
            types.DocumentFormattingParams(types.TextDocumentIdentifier(uri), options)
        )
    )
