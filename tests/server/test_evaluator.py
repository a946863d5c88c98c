"""The queue in front of a session: what waits, what does not, and what makes no file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.server.evaluator import Evaluator
from lua_ls_persist.server.jobs import Job, Source
from lua_ls_persist.session import Session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "session.db"


@pytest.fixture
async def evaluator(file: Path) -> AsyncIterator[Evaluator]:
    async def settled() -> None:
        return None

    made = Evaluator(lambda: Session.open(file), settled, None, kept=file.exists)
    yield made
    await made.close()


async def test_looking_makes_no_file(evaluator: Evaluator, file: Path) -> None:
    assert [table.name for table in await evaluator.use(Session.tables)] == ["Memory"]
    assert not _is_there(file)
    assert not evaluator.opened


async def test_what_creates_is_kept(evaluator: Evaluator, file: Path) -> None:
    await evaluator.use(Session.tables)
    await evaluator.use(lambda session: session.set("Memory.x", 1), creates=True)
    assert _is_there(file)
    assert await evaluator.use(lambda session: session.get("Memory.x")) == 1


async def test_a_glance_waits_for_no_evaluation(evaluator: Evaluator) -> None:
    job = Job(Source("while true do end", "loop"))
    running = asyncio.ensure_future(evaluator.evaluate(job))
    await asyncio.sleep(0)  # It takes its turn.
    assert await evaluator.glance(Session.memory, timeout_s=60.0) is None
    assert not running.done()
    job.interrupt()
    assert not (await running).ok
    assert await evaluator.glance(Session.memory, timeout_s=60.0) is not None


async def test_a_glance_waits_for_glances_and_for_nothing_longer(evaluator: Evaluator) -> None:
    holds = threading.Event()

    def held(session: Session) -> str:
        holds.wait()
        return "looked"

    first = asyncio.ensure_future(evaluator.glance(held, timeout_s=60.0))
    second = asyncio.ensure_future(evaluator.glance(Session.memory, timeout_s=60.0))
    await asyncio.sleep(0)
    holds.set()
    assert await first == "looked"
    assert await second is not None
    holds.clear()
    longer = asyncio.ensure_future(evaluator.use(held))
    await asyncio.sleep(0)
    assert await evaluator.glance(Session.memory, timeout_s=60.0) is None
    holds.set()
    assert await longer == "looked"


async def test_a_cancelled_use_is_interrupted(evaluator: Evaluator) -> None:
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(session: Session) -> object:
        loop.call_soon_threadsafe(started.set)
        return session.evaluate("while true do end", time_limit_s=None)

    using = asyncio.ensure_future(evaluator.use(endless, creates=True))
    await started.wait()
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert (await evaluator.use(lambda session: session.evaluate("1 + 1"))).text == "2"


async def test_a_use_can_be_interrupted(evaluator: Evaluator) -> None:
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(session: Session) -> str:
        loop.call_soon_threadsafe(started.set)
        return session.evaluate("while true do end", time_limit_s=None).problems[0].kind

    using = asyncio.ensure_future(evaluator.use(endless, creates=True))
    await started.wait()
    waiting = asyncio.ensure_future(evaluator.use(Session.tables))
    await asyncio.sleep(0)  # It waits for its turn.
    assert evaluator.interrupt()
    assert await using == "interrupt"
    with pytest.raises(SessionError, match="interrupted before it started"):
        await waiting


async def test_what_is_kept_is_opened_and_nothing_else(evaluator: Evaluator, file: Path) -> None:
    assert await evaluator.open_kept() is None
    assert not _is_there(file)
    with Session.open(file) as session:
        session.evaluate("Memory.x = 1")
    opened = await evaluator.open_kept()
    assert opened is not None
    assert opened.resumed
    assert await evaluator.open_kept() is opened


async def test_states(file: Path) -> None:
    trusted = True
    seen: list[str] = []

    async def settled() -> None:
        return None

    made = Evaluator(
        lambda: Session.open(file),
        settled,
        None,
        kept=file.exists,
        open_to_look=lambda: Session.open(file, runs_code=False),
        trusted=lambda: trusted,
        observe=lambda: seen.append(made.state),
    )
    await made.evaluate(Job(Source("return 1", "one")))
    assert seen == ["starting", "idle", "evaluating", "idle"]
    trusted = False
    await made.trust_changed()
    assert made.state == "untrusted"
    assert not made.opened
    with pytest.raises(SessionError, match="not trusted"):
        await made.evaluate(Job(Source("return 1", "one")))
    with pytest.raises(SessionError, match="not trusted"):
        await made.use(Session.tables, creates=True)
    assert await made.glance(Session.tables, timeout_s=60.0) is None
    assert not await made.use(lambda session: session.runs_code)
    await made.close()
    assert seen[-1] == "closed"


def _is_there(file: Path) -> bool:
    return file.exists()
