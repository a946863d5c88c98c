"""Requests that cannot be fulfilled say why."""

from __future__ import annotations

from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from tests.server.editor import Editor


@pytest.mark.parametrize(
    ("command", "params", "message"),
    [
        ("evaluateFile", None, "lua-persist.evaluateFile: `uri` is missing"),
        ("evaluateForm", {"uri": "file:///a"}, "lua-persist.evaluateForm: `position` is missing"),
        ("evaluateFile", {"uri": "file:///nowhere.lua"}, "no document 'file:///nowhere.lua'"),
        ("unknown", None, "unknown command 'lua-persist.unknown'"),
    ],
)
async def test_bad_arguments(neovim: Editor, command: str, params: Any, message: str) -> None:
    with pytest.raises(JsonRpcException, match=message):
        await neovim.run(command, params)


async def test_nothing_to_evaluate(neovim: Editor) -> None:
    uri = neovim.open("-- nothing\n")
    with pytest.raises(JsonRpcException, match="there is no Lua code in"):
        await neovim.evaluate_form(uri, 0)
    assert (await neovim.evaluate(uri))["ok"]
