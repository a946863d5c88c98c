"""Times sessions that keep something: small evaluations, opening, and images."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import apsw

from benchmarks.evaluate import FILL_HEAP, KIB, MIB, SMALL_REPEATS, check
from benchmarks.functions import MAKERS
from benchmarks.measure import Sample, Subject, measure, measure_once
from lua_ls_persist.session import Session

NEVER_USED: Final = "return 1; no external table was ever used, in memory"
NEVER_USED_FILE: Final = "return 1; no external table was ever used, in a file"
USED: Final = "return 1; external tables were used, in memory"
USED_FILE: Final = "return 1; external tables were used, in a file"
COMMIT_REPEATS = 50

OPEN_WITH_IMAGE: Final = "open a session with {:,} entries and its image"
OPEN_WITHOUT_IMAGE: Final = "open a session with {:,} entries, without an image"
HEAP_SIZES_BYTES: Final = (0, 2 * MIB, 16 * MIB)


def measure_evaluations(folder: Path, functions: int, *, rounds: int) -> dict[str, Sample]:
    """Time evaluations that touch no external table, and the smallest that do."""
    with ExitStack() as stack:

        def opened(name: str | None, *sources: str) -> Session:
            session = stack.enter_context(Session.open(None if name is None else folder / name))
            for source in sources:
                check(session.evaluate(source))
            return session

        use = "Memory.count = 1 Memory.point = { x = 1, y = 2 }"
        in_memory, in_file = opened(None, use), opened("used.db", use)
        cached = opened("cached.db", "Memory.t = {} for i = 1, 1000 do Memory.t[i] = i end")
        closures = opened("closures.db", MAKERS, f"Memory.functions = alike(1, {functions})")
        numbers = itertools.count(1)

        def of(
            session: Session, source: str, repeats: int = SMALL_REPEATS
        ) -> Callable[..., Subject]:
            def action() -> None:
                check(session.evaluate(source.replace("?", str(next(numbers)))))

            return lambda name: Subject(name, action, repeats)

        trivial = "return 1"
        write, define = "Memory.count = ?", "local n = ? function Memory.f() n = n + 1 return n end"
        named = {
            NEVER_USED: of(opened(None), trivial),
            NEVER_USED_FILE: of(opened("never.db"), trivial),
            USED: of(in_memory, trivial),
            USED_FILE: of(in_file, trivial),
            "return 1; 1,000 entries in the cache": of(cached, trivial),
            f"return 1; {functions:,} persistent closures alive": of(closures, trivial),
            "read an entry": of(in_file, "return Memory.count"),
            "write an entry, in memory": of(in_memory, write),
            "write an entry, in a file": of(in_file, write, COMMIT_REPEATS),
            "define a closure, in memory": of(in_memory, define),
            "define a closure, in a file": of(in_file, define, COMMIT_REPEATS),
        }
        return measure([subject(name) for name, subject in named.items()], rounds=rounds)


def measure_openings(
    folder: Path, large_file: Path, entries: int, *, rounds: int
) -> dict[str, Sample]:
    """Time opening and closing sessions: with many entries, and with images of full heaps.

    `large_file` is the file of a closed session whose `Memory.big` has so many entries.
    """
    taken: dict[str, list[float]] = {}

    def time(name: str, action: Callable[[], object]) -> None:
        taken.setdefault(name, []).append(measure_once(Subject(name, action)))

    files = []
    for size_bytes in HEAP_SIZES_BYTES:
        path = folder / f"heap {size_bytes}.db"
        with Session.open(path, time_limit_s=None) as session:
            check(session.evaluate("Memory.count = 1"))
            check(session.evaluate(FILL_HEAP % (size_bytes // KIB)))
        files.append((path, f"{size_bytes // MIB} MiB in use" if size_bytes else "a fresh heap"))
    bare = folder / "without image.db"
    shutil.copyfile(large_file, bare)  # closed: the file is whole

    large = ((large_file, OPEN_WITH_IMAGE), (bare, OPEN_WITHOUT_IMAGE))
    for _ in range(rounds):
        forget_images(bare)
        for path, name in large:
            _open_and_look(path, name.format(entries), entries, time)
        for path, suffix in files:
            _open_and_close(path, suffix, time)
    return {name: Sample(tuple(values)) for name, values in taken.items()}


Time = Callable[[str, Callable[[], object]], None]


def _open_and_look(path: Path, name: str, entries: int, time: Time) -> None:
    sessions: list[Session] = []
    time(name, lambda: sessions.append(Session.open(path)))
    look = f"assert(Memory.big[{entries}] == {entries})"
    with sessions.pop() as session:
        time(f"{name}: its first read", lambda: check(session.evaluate(look)))


def _open_and_close(path: Path, suffix: str, time: Time) -> None:
    sessions: list[Session] = []
    time(f"open: image loaded, {suffix}", lambda: sessions.append(Session.open(path)))
    session = sessions.pop()
    # Something has changed, so that there is something to save.
    check(session.evaluate("assert(ballast) changed = (changed or 0) + 1"))
    time(f"close: image saved, {suffix}", session.close)


def forget_images(path: Path) -> None:
    """Delete the images in a closed session's file: it opens with what the store has."""
    with closing(apsw.Connection(str(path))) as connection:
        for name in tables(connection, "image"):
            connection.execute(f"DELETE FROM {name}")


def tables(connection: apsw.Connection, beginning: str) -> Sequence[str]:
    """Return the names of the tables that begin so."""
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return [str(name) for (name,) in found if str(name).startswith(beginning)]
