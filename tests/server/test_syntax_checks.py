"""When the syntax of a document is checked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from lua_ls_persist import session as sessions
from lua_ls_persist.model import Problem
from lua_ls_persist.server import syntax_checks
from lua_ls_persist.server.documents import Change, ClientRange, Documents
from lua_ls_persist.server.syntax_checks import SyntaxChecks

URI = "file:///w/main.lua"


class Compiler:
    """Stands for Lua's; its first check goes on until it is let go."""

    sources: list[str]
    began: threading.Event
    may_end: threading.Event

    def check(self, source: str, *, name: str) -> tuple[Problem, ...]:
        self.sources.append(source)
        self.began.set()
        self.may_end.wait(10)
        if "?" not in source:
            return ()
        return (Problem("syntax", "unexpected symbol near '?'", name, 1),)

    def close(self) -> None:
        self.may_end.set()


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Compiler]]:
    Compiler.sources = []
    Compiler.began, Compiler.may_end = threading.Event(), threading.Event()
    monkeypatch.setattr(sessions, "SyntaxChecker", Compiler, raising=False)
    yield Compiler
    Compiler.may_end.set()


async def test_what_is_edited_during_its_check_is_checked_again(compiler: type[Compiler]) -> None:
    documents = Documents()
    published: asyncio.Queue[str] = asyncio.Queue()
    checks = SyntaxChecks(documents, published.put_nowait)
    loop = asyncio.get_running_loop()
    try:
        documents.open(URI, "x = ?", 1)
        checks.opened(URI)
        await loop.run_in_executor(None, compiler.began.wait, 10)
        for version, text in ((2, "y"), (3, "z")):
            _, edits = documents.change(URI, version, [Change(ClientRange(0, 0, 0, 1), text)])
            checks.edited(URI, edits)
        # Until it would have begun, had the first one ended.
        while checks._timers:  # noqa: ASYNC110 - nobody says that a timer has gone off
            await asyncio.sleep(0)
        compiler.may_end.set()
        await asyncio.wait_for(published.get(), 10)
        note = checks.note(URI)
        assert note is not None
        assert note.range.start.column == 4
        await asyncio.wait_for(published.get(), 10)
        assert compiler.sources[-1] == "z = ?"
        assert compiler.sources[0] == "x = ?"
    finally:
        checks.close()


@pytest.mark.parametrize("never_ends", [False, True])
async def test_a_check_waits_for_answers_and_not_for_ever(
    compiler: type[Compiler], never_ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syntax_checks, "GIVES_WAY_S_MAX", 0.05 if never_ends else 60.0)
    looked: asyncio.Queue[None] = asyncio.Queue()
    answered = asyncio.Event()

    def is_busy() -> bool:
        looked.put_nowait(None)
        return not answered.is_set()

    documents = Documents()
    published: asyncio.Queue[str] = asyncio.Queue()
    checks = SyntaxChecks(documents, published.put_nowait, is_busy)
    compiler.may_end.set()
    try:
        documents.open(URI, "x = ?", 1)
        checks.opened(URI)
        for _ in range(5):
            await looked.get()
        assert compiler.sources == []
        if not never_ends:
            answered.set()
        assert await asyncio.wait_for(published.get(), 10) == URI
        assert compiler.sources == ["x = ?"]
        assert checks.note(URI) is not None
    finally:
        checks.close()
