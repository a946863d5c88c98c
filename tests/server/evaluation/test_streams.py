"""Output on its way to the client, and the watch over data: in order, bounded, not too often."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from lua_ls_persist.model import Evaluation, Frame, OutputPiece, Problem
from lua_ls_persist.server import watching
from lua_ls_persist.server.features import evaluating, output
from lua_ls_persist.server.features.output import OutputStream
from lua_ls_persist.server.jobs import Source
from lua_ls_persist.server.watching import Watch
from tests.server.editor import within

NEVER_S = 3600.0


class Recorder:
    """Stands for the server: remembers what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.arrived = asyncio.Event()
        self.protocol = SimpleNamespace(notify=self.notify)

    def notify(self, _method: str, params: Any) -> None:
        self.sent.append(params)
        self.arrived.set()

    @property
    def text(self) -> str:
        return "".join(piece["text"] for params in self.sent for piece in params["pieces"])


def stream(recorder: Recorder) -> OutputStream:
    places = SimpleNamespace(uri_of=lambda name: f"file:///{name}")
    workspace: Any = SimpleNamespace(places=places)
    server: Any = recorder
    return OutputStream(server, workspace, "7")


def piece(text: str, line: int = 1) -> OutputPiece:
    return OutputPiece(text, "stdout", "a.lua", line)


async def test_what_comes_too_fast_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "BETWEEN_S", NEVER_S)
    recorder = Recorder()
    out = stream(recorder)
    out._sent_at_s = -NEVER_S
    out.take(piece("first\n"))
    await within(recorder.arrived.wait())
    for number in range(1000):
        out.take(piece(f"{number}\n", line=number % 2))
    await asyncio.sleep(0)  # What was asked of the loop is done.
    assert len(recorder.sent) == 1
    out.finish()
    assert len(recorder.sent) == 2
    assert recorder.text == "first\n" + "".join(f"{number}\n" for number in range(1000))
    assert recorder.sent[0] == {
        "id": "7",
        "pieces": [
            {
                "text": "first\n",
                "stream": "stdout",
                "chunk": "a.lua",
                "line": 1,
                "uri": "file:///a.lua",
            }
        ],
    }


async def test_long_texts_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "CHARACTERS_MAX", 10)
    recorder = Recorder()
    out = stream(recorder)
    out.take(piece("0123456789" * 3 + "x"))
    out.take(piece("y", line=2))
    out.finish()
    lengths = [sum(len(one["text"]) for one in sent["pieces"]) for sent in recorder.sent]
    assert lengths == [10, 10, 10, 2]
    assert recorder.text == "0123456789" * 3 + "xy"


async def test_text_of_one_place_is_one_piece() -> None:
    recorder = Recorder()
    out = stream(recorder)
    for text in "abc":
        out.take(piece(text))
    out.take(piece("d", line=2))
    out.finish()
    (sent,) = recorder.sent
    assert [one["text"] for one in sent["pieces"]] == ["abc", "d"]


class Data:
    """Stands for a session: data with a number, and who hears of changes."""

    def __init__(self) -> None:
        self.state: int | None = 1
        self.told: list[bool] = []
        self.looked = asyncio.Event()

    async def look(self) -> int | None:
        self.looked.set()
        return self.state

    async def next_look(self) -> None:
        for _ in range(2):  # One that had begun before may have seen the old number.
            self.looked.clear()
            await within(self.looked.wait())


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Data:
    monkeypatch.setattr(watching, "WATCH_S", 0.0)
    monkeypatch.setattr(watching, "BETWEEN_S", 0.0)
    return Data()


async def test_changes_are_told_once(data: Data) -> None:
    watch = Watch(data.look, data.told.append)
    watch.know(1)
    watch.begin()
    await data.next_look()
    assert data.told == []
    data.state = 2
    await data.next_look()
    await data.next_look()
    assert data.told == [True]
    watch.soon()  # A program has run here, and stored nothing.
    await data.next_look()
    assert data.told == [True, False]
    watch.end()


async def test_what_cannot_be_looked_at_says_nothing(data: Data) -> None:
    watch = Watch(data.look, data.told.append)
    watch.begin()
    data.state = None
    await data.next_look()
    data.state = 5  # The first number that is known is no change.
    await data.next_look()
    watch.know(None)
    data.state = 6
    await data.next_look()
    assert data.told == []
    watch.end()


@pytest.mark.parametrize(
    ("line", "frames", "placed"),
    [(1, 1, 6), (5, 0, 6), (6, 1, 6), (9, 1, 9), (1, 2, 1), (None, 0, None)],
)
def test_what_is_stopped_before_it_begins_is_at_its_beginning(
    line: int | None, frames: int, placed: int | None
) -> None:
    traceback = (Frame("a.lua", line, "main chunk"),) * frames
    problem = Problem("interrupt", "interrupted", "a.lua", line, traceback)
    evaluation = evaluating._placed(
        Evaluation(False, problems=(problem,)), Source("f()", "a.lua", line=5)
    )
    assert [one.line for one in evaluation.problems] == [placed]
