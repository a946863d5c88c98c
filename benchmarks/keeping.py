"""Times sessions that keep something: small evaluations, opening, and images."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.access import table
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
        # Sessions in which nothing else is done: what others leave as garbage is copied, too.
        used, used_file = opened(None, use), opened("used.db", use)
        in_memory, in_file = opened(None, use), opened("written.db", use)
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
            USED: of(used, trivial),
            USED_FILE: of(used_file, trivial),
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

    `large_file` is the file of a closed session in which `measure_scans` filled such a table.
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
    for _ in range(rounds):
        for name, resume in ((OPEN_WITH_IMAGE, True), (OPEN_WITHOUT_IMAGE, False)):
            _open_and_look(large_file, name.format(entries), resume, entries, time)
        for path, suffix in files:
            _open_and_close(path, suffix, time)
    return {name: Sample(tuple(values)) for name, values in taken.items()}


Time = Callable[[str, Callable[[], object]], None]


def _open_and_look(path: Path, name: str, resume: bool, entries: int, time: Time) -> None:
    sessions: list[Session] = []
    time(name, lambda: sessions.append(Session.open(path, resume=resume)))
    look = f"assert(Memory.{table(entries)}[{entries}] == {entries})"
    with sessions.pop() as session:
        assert session.resumed == resume, session.started
        time(f"{name}: its first read", lambda: check(session.evaluate(look)))


def _open_and_close(path: Path, suffix: str, time: Time) -> None:
    sessions: list[Session] = []
    time(f"open: image loaded, {suffix}", lambda: sessions.append(Session.open(path)))
    session = sessions.pop()
    # Something has changed, so that there is something to save.
    check(session.evaluate("assert(ballast) changed = (changed or 0) + 1"))
    time(f"close: image saved, {suffix}", session.close)
