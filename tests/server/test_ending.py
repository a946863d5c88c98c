"""The server ends when it is told to, whatever it is doing."""

from __future__ import annotations

import asyncio

import pytest
from pygls.exceptions import JsonRpcException

from tests.server.editor import Editor, within

FOREVER = "while true do end"
SOON_S = 8.0
"""On a busy machine too, and before the time limit of the program would end it."""


@pytest.mark.parametrize("open_first", [True, False])
async def test_shutdown_while_something_runs(unstarted: Editor, open_first: bool) -> None:
    await unstarted.start("neovim")
    if open_first:
        await unstarted.evaluate(unstarted.open("return 1"))
    uri = unstarted.open(FOREVER, "loop.lua")
    running = unstarted.start_command("evaluateFile", {"uri": uri})
    waiting = unstarted.start_command("evaluateFile", {"uri": uri})
    if open_first:
        await unstarted.hints(uri)  # An answer: by now it runs.
        await within(unstarted.client.shutdown_async(None), SOON_S)
    else:
        await within(unstarted.client.shutdown_async(None))
    results = await within(asyncio.gather(running, waiting, return_exceptions=True))
    assert all(isinstance(result, JsonRpcException) or not result["ok"] for result in results)
    unstarted.client.exit(None)
    server = unstarted.client._server
    assert server is not None
    assert await within(server.wait(), SOON_S) == 0
    unstarted.client.capabilities = None  # The fixture need not shut it down again.


async def test_exit_without_shutdown(unstarted: Editor) -> None:
    await unstarted.start("neovim")
    unstarted.start_command("evaluateFile", {"uri": unstarted.open(FOREVER)}).cancel()
    unstarted.client.exit(None)
    server = unstarted.client._server
    assert server is not None
    assert await within(server.wait(), SOON_S) == 1
    unstarted.client.capabilities = None
