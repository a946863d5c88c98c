"""Evaluations wait for each other, are interrupted, cancelled and begun afresh."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.server.editor import Editor, wanting, within

FOREVER = "while true do end"
TRIES = 6


async def test_evaluations_queue(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1 return n")
    running = [neovim.start_command("evaluateFile", {"uri": uri}) for _ in range(10)]
    results = await within(asyncio.gather(*running))
    assert [result["text"] for result in results] == [str(n) for n in range(1, 11)]


async def test_interrupt_ends_all(neovim: Editor) -> None:
    uri = neovim.open(f"print('before')\n{FOREVER}")
    running = neovim.start_command("evaluateFile", {"uri": uri})
    waiting = neovim.start_command("evaluateFile", {"uri": uri})
    assert await neovim.run("interrupt") == {"interrupted": True}
    first, second = await within(asyncio.gather(running, waiting))
    assert first["problems"][0]["kind"] == second["problems"][0]["kind"] == "interrupt"
    assert await neovim.run("interrupt") == {"interrupted": False}
    uri = neovim.open("return 1", "next.lua")
    assert (await neovim.evaluate(uri))["text"] == "1"


async def test_an_interrupted_evaluation_shows_where(unstarted: Editor) -> None:
    neovim = unstarted
    await neovim.start("neovim", adapt=wanting("output"))
    await neovim.evaluate(neovim.open("return 1", "opens the session.lua"))
    uri = neovim.open(f"print('before')\n\n{FOREVER}")
    neovim.client.progress_reports["ours"] = []
    running = neovim.start_command("evaluateFile", {"uri": uri}, token="ours")
    await within(neovim.client.wait_for_notification(types.PROGRESS))
    await neovim.told("output", bool)  # It is behind the first line.
    await neovim.run("interrupt")
    result = await within(running)
    assert result["problems"][0]["line"] == 3
    assert result["output"][0]["text"] == "before\n"
    assert neovim.shown(uri)[0].startswith("2:0-17 Information ")
    assert await neovim.hints(uri) == ["0 » before"]


async def test_cancelling_the_request_interrupts(neovim: Editor) -> None:
    uri = neovim.open(FOREVER)
    waiting_uri = neovim.open("return 1", "waiting.lua")
    await neovim.evaluate(waiting_uri)  # It opens the session.
    running = neovim.start_command("evaluateFile", {"uri": uri}, msg_id="run")
    await within(neovim.client.wait_for_notification(types.PROGRESS))
    waiting = neovim.start_command("evaluateFile", {"uri": waiting_uri}, msg_id="wait")
    last = neovim.start_command("evaluateFile", {"uri": waiting_uri})
    neovim.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams("wait"))
    neovim.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams("run"))
    for cancelled in (running, waiting):
        with pytest.raises(JsonRpcException, match="cancel"):
            await within(cancelled)
    assert neovim.shown(uri) == ["0:0-17 Information interrupted"]
    assert (await within(last))["text"] == "1"


async def test_progress_can_be_cancelled(editor: Editor) -> None:
    uri = editor.open(FOREVER)
    running = editor.start_command("evaluateFile", {"uri": uri})
    await within(editor.client.wait_for_notification(types.PROGRESS))
    reports: dict[Any, list[Any]] = dict(editor.client.progress_reports)
    ((token, (begin,)),) = reports.items()
    assert begin == types.WorkDoneProgressBegin("Evaluating main.lua", cancellable=True)
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    assert (await within(running))["problems"][0]["kind"] == "interrupt"
    assert reports[token][-1] == types.WorkDoneProgressEnd()


async def test_short_evaluations_announce_nothing(neovim: Editor) -> None:
    uri = neovim.open("return 1")
    await neovim.evaluate(uri)  # The first one opens the session, which may take a moment.
    counts = []
    for _ in range(TRIES):  # On a busy machine any of them may be none of the short ones.
        announced = len(neovim.client.progress_reports)
        await neovim.evaluate(uri)
        counts.append(len(neovim.client.progress_reports) - announced)
        if not counts[-1]:
            break
    assert min(counts) == 0


async def test_restart(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1 return n")
    await neovim.evaluate(uri)
    assert await neovim.run("restart") == {"restarted": True}
    assert await neovim.hints(uri) == []
    assert (await neovim.evaluate(uri))["text"] == "1"
    running = neovim.start_command("evaluateFile", {"uri": neovim.open(FOREVER, "loop.lua")})
    assert await neovim.run("restart") == {"restarted": True}
    assert not (await within(running))["ok"]
    assert (await neovim.evaluate(uri))["text"] == "1"


async def test_a_failed_evaluation_leaves_nothing(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1\nif n == 1 then error('no') end\nreturn n")
    for _ in range(2):
        assert not (await neovim.evaluate(uri))["ok"]
