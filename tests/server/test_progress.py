"""Progress: announced when it takes long, with percentages, and ended."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from lsprotocol import types

from lua_ls_persist.server.features import progress as progress_code
from lua_ls_persist.server.features.progress import progress


class FakeServer:
    """Keeps what is sent to the client."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.client_capabilities = types.ClientCapabilities()
        self.progress_cancels: dict[Any, Any] = {}
        self.protocol = self

    def notify(self, _method: str, params: types.ProgressParams) -> None:
        self.sent.put_nowait(params.value)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setattr(progress_code, "DELAY_S", 0.0)
    monkeypatch.setattr(progress_code, "BETWEEN_S", 0.0)
    return FakeServer()


async def test_percentages(server: FakeServer) -> None:
    ended = []
    with progress(cast("Any", server), "Work", lambda: ended.append(1), "mine") as report:
        report(0, 2000)
        first = await server.sent.get()
        assert (first.title, first.percentage, first.message) == ("Work", 0, "0 of 2,000")
        report(500, 2000)
        second = await server.sent.get()
        assert (second.percentage, second.message) == (25, "500 of 2,000")
        report(5000, 2000)
        assert (await server.sent.get()).percentage == 100
        server.progress_cancels["mine"]()
    assert ended == [1]
    assert isinstance(await server.sent.get(), types.WorkDoneProgressEnd)
    assert server.progress_cancels == {}


async def test_how_much_there_is_need_not_be_known(server: FakeServer) -> None:
    with progress(cast("Any", server), "Work", lambda: None, "mine") as report:
        first = await server.sent.get()
        assert (first.percentage, first.message) == (None, None)
        report(7, 0)
        second = await server.sent.get()
        assert (second.percentage, second.message) == (None, "7")


async def test_what_ends_soon_is_not_announced(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_code, "DELAY_S", 60.0)
    with progress(cast("Any", server), "Work", lambda: None, "mine") as report:
        report(1, 2)
    assert server.sent.empty()
