"""Anything in any order: the server answers every request and is well afterwards."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.server.editor import Editor, at, within

SOURCES = (
    "return 1",
    "while true do end",
    "print('😀')\nfor i = 1, 3 do\n  print(i)\nend\n",
    "local t = {}\nreturn t.x.y",
    "error({code = 1})",
    "x = = 1",
    "return string.rep('x', 1e9)",
    "warn('@on') warn('x')",
    "",
)
ACTIONS = ("evaluate", "form", "edit", "replace", "cancel", "interrupt", "clear", "look", "restart")
WEIGHTS = (8, 4, 8, 3, 4, 4, 1, 4, 1)
STEPS = 150


@pytest.mark.parametrize("seed", [1, 2])
async def test_random_use(neovim: Editor, seed: int) -> None:
    chance = random.Random(seed)
    texts = [neovim.open(source, f"{n}.lua") for n, source in enumerate(SOURCES)]
    running: dict[str, asyncio.Future[Any]] = {}
    for step in range(STEPS):
        uri = chance.choice(texts)
        action = chance.choices(ACTIONS, WEIGHTS)[0]
        row, column = chance.randint(0, 4), chance.randint(0, 8)
        place = {"line": row, "character": column}
        name = f"step-{step}"
        if action == "evaluate":
            running[name] = neovim.start_command("evaluateFile", {"uri": uri}, msg_id=name)
        elif action == "form":
            params = {"uri": uri, "position": place}
            running[name] = neovim.start_command("evaluateForm", params, msg_id=name)
        elif action == "edit":
            text = chance.choice(["", "\n", "y = 1\n", "😀", "--"])
            neovim.edit(uri, at(row, column, row, column + chance.randint(0, 3)), text)
        elif action == "replace":
            neovim.edit(uri, None, chance.choice(SOURCES))
        elif action == "cancel" and running:
            cancelled = types.CancelParams(chance.choice(list(running)))
            neovim.client.protocol.notify(types.CANCEL_REQUEST, cancelled)
        elif action == "interrupt":
            running[name] = neovim.start_command("interrupt", msg_id=name)
        elif action == "clear":
            running[name] = neovim.start_command("clearResults", msg_id=name)
        elif action == "restart":
            running[name] = neovim.start_command("restart", msg_id=name)
        elif action == "look":
            await neovim.hints(uri)
    while not all(answer.done() for answer in running.values()):
        await neovim.run("interrupt")  # Several of the programs have no end.
    answers = await within(asyncio.gather(*running.values(), return_exceptions=True))
    for answer in answers:
        assert isinstance(answer, dict) or _expected(answer), answer
    assert neovim.client.messages == [], "nothing went wrong unasked"
    neovim.edit(texts[0], None, "return 6 * 7")
    assert (await neovim.evaluate(texts[0]))["text"] == "42"
    assert await neovim.hints(texts[0]) == ["0 => 42"]


def _expected(answer: object) -> bool:
    """Cancelled, or a form asked for where there is none."""
    return isinstance(answer, JsonRpcException) and (
        "cancel" in answer.message or "no Lua code" in answer.message
    )
