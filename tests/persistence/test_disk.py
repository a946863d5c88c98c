"""Disks that are full, files that cannot be written any more, that are deleted, replaced or damaged
while a session has them open: each is a clear problem, and nothing is lost.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from tests.persistence import ledger
from tests.persistence.scenarios import SCENARIOS, SETUP, Prepared, attempt, prepare
from tests.persistence.states import damage, seen, seen_afresh, stored
from tests.persistence.zygote import Child, Zygote

PAGES_MAX = 500


@pytest.fixture(scope="module", params=SCENARIOS)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    # More than fits into what is left of the pages that there are.
    more = "for number = 1, 200 do Memory['more' .. number] = ('more'):rep(50) end"
    return prepare(tmp_path_factory.mktemp("prepared"), request.param, more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with something in it."""
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(SETUP).ok
    return path


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as zygote:
        yield zygote


def message(evaluation: Evaluation) -> str:
    """Of the one problem of an evaluation that failed because of the store."""
    assert not evaluation.ok
    (problem,) = evaluation.problems
    assert problem.kind == "persistence", problem
    return problem.message


def pragma(session: Session, statement: str) -> int:
    def run(value: int = 0) -> int:
        found = session._life.runner.store._connection.execute(f"PRAGMA {statement}").get
        return found if isinstance(found, int) else 0

    return session._life.owner.call(run)


@pytest.mark.slow
def test_a_file_that_can_grow_by_a_page_more_each_time(prepared: Prepared, tmp_path: Path) -> None:
    path = prepared.copy(tmp_path)
    failures = 0
    with Session.open(path, resume=False) as session:
        for pages in range(PAGES_MAX):
            pragma(session, f"max_page_count = {pragma(session, 'page_count') + pages}")
            evaluation = attempt(session, prepared.source)
            if evaluation.ok:
                break
            failures += 1
            assert message(evaluation) == (
                f"{path} cannot be written: the disk is full. Free some space and try again."
            )
            assert stored(path) == prepared.before
            assert seen(session) == prepared.seen_before
        assert stored(path) == prepared.after
        assert seen(session) == prepared.seen_after
    assert failures > 5
    assert damage(path) == []
    assert seen_afresh(path) == prepared.seen_after


@contextmanager
def sqlite_memory(limit_bytes: int) -> Iterator[None]:
    """In this block SQLite gets no more memory than this, in the whole process."""
    before = apsw.hard_heap_limit(limit_bytes)
    try:
        yield
    finally:
        apsw.hard_heap_limit(before)


@pytest.mark.slow
def test_memory_of_sqlite_rises_until_it_succeeds(prepared: Prepared, tmp_path: Path) -> None:
    path = prepared.copy(tmp_path)
    failures = 0
    with Session.open(path, resume=False) as session:
        limit_bytes = 0
        while True:
            limit_bytes += 3_000
            with sqlite_memory(apsw.status(apsw.SQLITE_STATUS_MEMORY_USED)[0] + limit_bytes):
                evaluation = attempt(session, prepared.source)
            if evaluation.ok:
                break
            failures += 1
            # Without memory, SQLite may also be unable to open something.
            assert "cannot be used: " in message(evaluation)
            assert stored(path) == prepared.before
            assert seen(session) == prepared.seen_before
            pragma(session, "shrink_memory")
        assert stored(path) == prepared.after
        assert seen(session) == prepared.seen_after
    assert failures > 0
    assert damage(path) == []


# -- real disks


def fill_up(child: Child) -> None:
    """Evaluate in a file that cannot grow beyond a limit, which is raised when it is reached."""
    import resource

    path = Path(str(child.task["path"]))
    limit_bytes, failures, step = 20_000, 0, 0
    with Session.open(path) as session:
        while step < 60:
            # Not the image's business: the next evaluation finds the limit where it is now.
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))
            evaluation = session.evaluate(ledger.STEP, arguments=["w0", step + 1])
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            if evaluation.ok:
                step += 1
            else:
                failures += 1
                limit_bytes += 1_777
                assert "cannot be read or written" in message(evaluation)
            if (step + failures) % 10 == 0:
                assert ledger.check(session) == ({"w0": step} if step else {})
        child.say([failures, seen(session)])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of a process")
def test_files_that_cannot_grow(zygote: Zygote, tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    Session.open(path).close()
    (said,) = zygote.start(f"{__name__}:fill_up", path=str(path)).hear_all()
    assert isinstance(said, list), str(said)
    failures, there = said
    assert failures > 20
    assert damage(path) == []
    assert seen_afresh(path) == there
    with Session.open(path) as session:
        assert ledger.check(session) == {"w0": 60}


CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
DISK_BYTES = 1_500_000


def small_disk(folder: Path) -> None:
    """Mount a small disk that only this process sees. Raises OSError where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    check(libc.unshare(CLONE_NEWNS if os.getuid() == 0 else CLONE_NEWNS | CLONE_NEWUSER))
    check(
        libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=%d" % DISK_BYTES)  # no flags
    )


def fill(ballast: Path) -> None:
    """Make a file as large as its disk allows."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def use_small_disk(child: Child) -> None:
    """Fill a disk together with somebody else, who then gives space back."""
    folder = Path(str(child.task["folder"]))
    try:
        small_disk(folder)
    except OSError as error:
        child.say(["not allowed", str(error)])
        return
    path, ballast = folder / "session.db", folder / "ballast"
    failures = step = 0
    with Session.open(path) as session:
        for _ in range(12):
            fill(ballast)
            while (evaluation := session.evaluate(ledger.STEP, arguments=["w0", step + 1])).ok:
                step += 1
            failures += 1
            text = message(evaluation)
            assert "the disk is full" in text or "cannot be read or written" in text
            assert ledger.check(session) == ({"w0": step} if step else {})
            os.truncate(ballast, max(0, ballast.stat().st_size - 90_000))
            assert session.evaluate(ledger.STEP, arguments=["w0", step + 1]).ok
            step += 1
        there = seen(session)
    ballast.unlink()
    with Session.open(path, resume=False) as session:
        assert seen(session) == there
        assert ledger.check(session) == {"w0": step}
    assert damage(path) == []
    child.say(["done", failures])


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs mounts of a process")
def test_a_full_disk(zygote: Zygote, tmp_path: Path) -> None:
    (said,) = zygote.start(f"{__name__}:use_small_disk", folder=str(tmp_path)).hear_all()
    assert isinstance(said, list), str(said)
    if said[0] == "not allowed":
        pytest.skip(f"a process may not mount anything here: {said[1]}")
    assert said[0] == "done"


# -- files that change under a session


def test_a_file_that_becomes_read_only(path: Path) -> None:
    with Session.open(path) as session:
        before = seen(session)
        pragma(session, "query_only = 1")
        for source in ("Memory.n = 1", "Memory.up()", "ext.table('new')", "ext.drop('old')"):
            assert message(session.evaluate(source)) == (
                f"{path} is read-only, and a session writes to its file. "
                "Make it writable, or name another file."
            )
        assert seen(session) == before
        pragma(session, "query_only = 0")
        assert session.evaluate("Memory.n = 1 return Memory.up()").values == (1,)
    assert damage(path) == []


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be deleted there")
@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_is_taken_away(path: Path, tmp_path: Path, how: str) -> None:
    other, saved = tmp_path / "other.db", tmp_path / "saved.db"
    with Session.open(other) as session:
        assert session.evaluate("Memory.whose = 'theirs'").ok
    with Session.open(path) as session:
        assert session.evaluate("Memory.n, global = 1, 1").ok
        if how == "deleted":
            path.unlink()
        elif how == "moved":
            path.rename(tmp_path / "elsewhere.db")
        else:
            other.replace(path)
        before = seen(session)
        for source in ("Memory.n = 2", "global = 2 Memory.up()", "ext.table('new')"):
            assert message(session.evaluate(source)) == (
                f"{path} was deleted, moved or replaced while it was open, so nothing more can be "
                "stored in it. Save what this session has by a backup, then open it again."
            )
        assert session.evaluate("return Memory.n, global").values == (1, 1)
        assert session.evaluate("global = 3").ok, "what is not stored goes on"
        assert seen(session) == before
        session.backup(saved)
    assert seen_afresh(saved) == before
    assert damage(saved) == []
    if how == "replaced":
        with Session.open(path) as session:
            assert session.evaluate("return Memory.whose, Memory.n").values == ("theirs", None)
    else:
        assert not path.exists(), "closing does not make it again"


def test_a_file_that_is_damaged_while_it_is_open(path: Path) -> None:
    whole = path.read_bytes()
    shutil.copyfile(path, path.with_name("copy.db"))
    with Session.open(path, resume=False) as session:
        page_bytes, pages = pragma(session, "page_size"), len(whole) // 4096
        assert page_bytes == 4096
        with path.open("r+b") as file:
            for page in range(1, pages):
                file.seek(page * page_bytes)
                file.write(b"\xa5" * page_bytes)
        assert "is damaged" in message(session.evaluate("for _ in pairs(Memory.list) do end"))
        assert "is damaged" in message(session.evaluate("Memory.n = 1"))
        assert session.evaluate("return 1 + 1").values == (2,)
        path.write_bytes(whole)
    assert damage(path) == []
    assert stored(path) == stored(path.with_name("copy.db"))
