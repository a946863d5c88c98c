"""What nobody waits for gives way to what somebody waits for."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lua_ls_persist.server import foreground
from lua_ls_persist.server.foreground import Foreground
from lua_ls_persist.server.starting import create_server


def test_work_goes_on_when_the_last_answer_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground, "GIVES_WAY_S_MAX", 60.0)
    answering = Foreground()
    give_way = answering.giving_way()
    give_way()
    answering.begin()
    answering.begin()
    began = threading.Event()

    def work() -> bool:
        began.set()
        give_way()
        return answering.is_busy

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        assert began.wait(60)
        answering.end()
        assert not working.done()
        answering.end()
        assert working.result(60) is False


class _Waited:
    """Counts how often something is waited for."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event
        self.times = 0

    def wait(self, timeout_s: float) -> bool:
        self.times += 1
        return self._event.wait(timeout_s)


def test_a_client_that_never_stops_asking_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground, "GIVES_WAY_S_MAX", 0.001)
    answering = Foreground()
    answering.begin()
    give_way = answering.giving_way()
    monkeypatch.setattr(answering, "_calm", _Waited(answering._calm))
    for _ in range(1000):
        give_way()
    assert answering.is_busy
    assert 1 <= answering._calm.times < 10  # type: ignore[attr-defined]


class _Writer:
    """What the client would read."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.written = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.bodies.append(json.loads(data.partition(b"\r\n\r\n")[2]))
        self.written.set()


@pytest.mark.parametrize("end", ["answer", "cancellation", "failure"])
async def test_a_request_is_over_whatever_its_end(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "GIVES_WAY_S_MAX", 60.0)
    server = create_server()
    writer = _Writer()
    server.protocol.set_writer(writer)  # type: ignore[arg-type]
    released = asyncio.Event()

    @server.feature("test/wait")
    async def wait(*_: object) -> str:
        await released.wait()
        if end == "failure":
            raise ValueError("on purpose")
        return "done"

    def is_busy() -> bool:
        return server.foreground.is_busy

    def send(method: str, params: object, id_: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        server.receive(json.dumps(message | ({} if id_ is None else {"id": id_})).encode())

    async def until_answered(id_: int) -> dict[str, object]:
        while not (found := [one for one in writer.bodies if one.get("id") == id_]):
            writer.written.clear()
            await writer.written.wait()
        return found[0]

    try:
        send("initialize", {"capabilities": {}, "processId": None, "rootUri": None}, 1)
        assert "result" in await until_answered(1)
        assert not is_busy()
        send("test/wait", {}, 2)
        await asyncio.sleep(0)
        assert is_busy()
        held = asyncio.ensure_future(asyncio.to_thread(server.foreground.giving_way()))
        if end == "cancellation":
            send("$/cancelRequest", {"id": 2})
        else:
            released.set()
        assert ("result" in await until_answered(2)) == (end == "answer")
        await held
        assert not is_busy()
    finally:
        await server.stop()
