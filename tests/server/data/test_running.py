"""Commands about data run beside everything else: they can be ended in every way, and trusted."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.server.data.conftest import PEOPLE
from tests.server.data.helpers import error, texts
from tests.server.editor import Editor, within

ENDLESS: dict[str, Any] = {"table": "users", "version": 1, "source": "while true do end"}
NO_LIMIT = {"timeLimitSeconds": None}


@pytest.fixture
async def unlimited(unstarted: Editor) -> Editor:
    """A client without a time limit."""

    def adapt(capabilities: types.ClientCapabilities) -> None:
        assert capabilities.workspace is not None
        capabilities.workspace.configuration = False

    await unstarted.start("neovim", options=NO_LIMIT, adapt=adapt)
    assert (await unstarted.evaluate(unstarted.open(PEOPLE)))["ok"]
    return unstarted


async def begun(editor: Editor, token: str) -> None:
    """Waits until a command has told that it takes long, under the client's token."""
    reports: dict[Any, list[Any]] = editor.client.progress_reports
    while not reports.get(token):
        await within(editor.client.wait_for_notification(types.PROGRESS))
    assert isinstance(reports[token][0], types.WorkDoneProgressBegin)
    assert reports[token][0].cancellable


def start_endless(editor: Editor, **options: Any) -> asyncio.Future[Any]:
    editor.client.progress_reports["mine"] = []
    return editor.start_command("migrate", ENDLESS, token="mine", **options)


@pytest.mark.parametrize("how", ["interrupt", "progress", "request"])
async def test_what_runs_is_ended(unlimited: Editor, how: str) -> None:
    task = start_endless(unlimited, msg_id="the-command")
    await begun(unlimited, "mine")
    if how == "interrupt":
        assert (await unlimited.run("interrupt"))["interrupted"]
        done = await within(task)
        assert [problem["kind"] for problem in done["problems"]] == ["interrupt"]
    elif how == "progress":
        unlimited.client.window_work_done_progress_cancel(
            types.WorkDoneProgressCancelParams("mine")
        )
        with pytest.raises(JsonRpcException, match="it was cancelled"):
            await within(task)
    else:
        unlimited.client.cancel_request(types.CancelParams("the-command"))
        with contextlib.suppress(JsonRpcException, asyncio.CancelledError):
            await within(task)
    found = await unlimited.run("migrate", {**ENDLESS, "source": "row.x = 1"})
    assert texts(found["values"])[:2] == ["true", "3"], "the session is free, and nothing was done"


async def test_what_waits_is_ended_too(unlimited: Editor) -> None:
    first = start_endless(unlimited)
    second = unlimited.start_command("count", {"table": "users"})
    await begun(unlimited, "mine")
    await unlimited.run("interrupt")
    assert not (await within(first))["ok"]
    with pytest.raises(JsonRpcException, match="interrupted before it started"):
        await within(second)


async def test_an_editor_is_answered_while_a_command_runs(unlimited: Editor) -> None:
    task = start_endless(unlimited)
    await begun(unlimited, "mine")
    assert len((await unlimited.run("commands"))["commands"]) > 50
    uri = unlimited.open("x = = 1", "wrong.lua")
    assert len(await unlimited.diagnostics(uri, bool)) == 1
    await unlimited.run("interrupt")
    await within(task)


async def test_without_trust_data_are_only_looked_at(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"trusted": False})
    assert [table["name"] for table in (await unstarted.run("tables"))["tables"]] == ["Memory"]
    assert (await unstarted.run("inspect", {"path": "Memory"}))["total"] == 0
    for command, params in (
        ("set", {"path": "Memory.x", "value": "1"}),
        ("callFunction", {"path": "Memory.f"}),
        ("undo", {}),
        ("createIndex", {"table": "Memory", "fields": "x"}),
        ("saveImage", {"name": "x"}),
        ("import", {"table": "t", "path": "x.csv"}),
    ):
        assert "trust" in await error(unstarted, command, params), command
    assert not _files(unstarted)


def _files(editor: Editor) -> list[str]:
    return [path.name for path in editor.folder.iterdir()]
