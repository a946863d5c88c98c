"""Times what indexes cost: building them, and keeping them up to date while records come in.

The limit is a SQLite table by hand with the same columns and the same index. Queries through
indexes are timed in `queries`.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw

from benchmarks import bars
from benchmarks.bars import Judgement
from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, format_table, format_time, measure
from benchmarks.native import BUILD_FOLDER
from lua_ls_persist.session import Session

RECORDS: Final = 10_000
SIZES: Final = (10_000, 100_000)
LARGE_SIZE: Final = 1_000_000
ROWS_AN_EVALUATION: Final = 50_000

_FILL = """
local first, last = ...
local users = ext.table("users")
for i = first, last do
  users["u" .. i] = { name = "User " .. i, age = i * 7919 % 1000, city = "c" .. i % 100 }
end
"""
_CREATE: Final = "CREATE TABLE users (key TEXT PRIMARY KEY, name TEXT, age INTEGER, city TEXT)"
_INSERT: Final = "INSERT INTO users VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Definition:
    """An index as it is measured."""

    name: str
    fields: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    sql: str = ""
    """The same by hand, if SQLite has it."""


INDEXES: Final = (
    Definition("age", ["age"], sql="CREATE INDEX i ON users (age)"),
    Definition("city, age", ["city", "age"], sql="CREATE INDEX i ON users (city, age)"),
    Definition(
        "name, unique", ["name"], {"unique": True}, sql="CREATE UNIQUE INDEX i ON users (name)"
    ),
    Definition("name, hash", ["name"], {"kind": "hash"}),
    Definition("name, text", ["name"], {"kind": "text"}),
)
NONE: Final = "no index"


@dataclass(frozen=True, slots=True)
class Measured:
    """What inserts took, by index, and builds, by size and index: ours and by hand."""

    inserts: Mapping[str, Sample]
    inserts_by_hand: Mapping[str, Sample]
    builds_s: Mapping[tuple[int, str], float]
    builds_by_hand_s: Mapping[tuple[int, str], float]


def measure_indexes(
    *, rounds: int, large: bool = False, clock: Callable[[], float] = time.perf_counter
) -> Measured:
    """Time inserts of `RECORDS` records, each into a file of its own, and builds.

    With `large`, builds with `LARGE_SIZE` records, too, which takes a minute.
    """
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="indexes-", dir=BUILD_FOLDER) as name:
        folder = Path(name)
        with ExitStack() as up:
            ours = [_insert(up, folder, None), *(_insert(up, folder, it) for it in INDEXES)]
            by_hand = [
                _insert_by_hand(up, folder, None),
                *(_insert_by_hand(up, folder, it) for it in INDEXES if it.sql),
            ]
            samples = measure([*ours, *by_hand], rounds=rounds, clock=clock)
        builds, builds_by_hand = _builds(folder, (*SIZES, LARGE_SIZE) if large else SIZES)
    return Measured(
        {it.name: samples[it.name] for it in ours},
        {it.name.removeprefix("by hand: "): samples[it.name] for it in by_hand},
        builds,
        builds_by_hand,
    )


def _insert(up: ExitStack, folder: Path, index: Definition | None) -> Subject:
    name = NONE if index is None else index.name
    sessions: list[Session] = []
    files = itertools.count()

    def begin() -> None:
        end()
        session = Session.open(folder / f"{name}-{next(files)}.db")
        sessions.append(session)
        check(session.evaluate(_FILL, arguments=[0, 0]))
        if index is not None:
            session.create_index("users", index.fields, **index.options)

    def end() -> None:
        for session in sessions:
            session.close()
        sessions.clear()

    up.callback(end)

    def insert() -> None:
        check(sessions[0].evaluate(_FILL, arguments=[1, RECORDS]))

    return Subject(name, insert, prepare=begin)


def _insert_by_hand(up: ExitStack, folder: Path, index: Definition | None) -> Subject:
    name = f"by hand: {NONE if index is None else index.name}"
    connections: list[apsw.Connection] = []
    files = itertools.count()
    rows = list(_rows(1, RECORDS))

    def begin() -> None:
        end()
        connections.append(_by_hand(folder / f"hand {name}-{next(files)}.db"))
        if index is not None:
            connections[0].execute(index.sql)

    def end() -> None:
        for connection in connections:
            connection.close()
        connections.clear()

    up.callback(end)

    def insert() -> None:
        with connections[0]:
            connections[0].executemany(_INSERT, rows)

    return Subject(name, insert, prepare=begin)


def _builds(
    folder: Path, sizes: Sequence[int]
) -> tuple[dict[tuple[int, str], float], dict[tuple[int, str], float]]:
    """Build each index once at each size: a build is long, and done once in its life."""
    ours: dict[tuple[int, str], float] = {}
    by_hand: dict[tuple[int, str], float] = {}
    connection = _by_hand(folder / "hand builds.db")
    with Session.open(folder / "builds.db", time_limit_s=None) as session:
        there = 0
        for size in sizes:
            for first in range(there + 1, size + 1, ROWS_AN_EVALUATION):
                last = min(first + ROWS_AN_EVALUATION - 1, size)
                check(session.evaluate(_FILL, arguments=[first, last]))
            with connection:
                connection.executemany(_INSERT, _rows(there + 1, size))
            there = size
            for index in INDEXES:
                start = time.perf_counter()
                session.create_index("users", index.fields, **index.options)
                ours[size, index.name] = time.perf_counter() - start
                for made in session.indexes():
                    session.drop_index(made.name)
                if index.sql:
                    start = time.perf_counter()
                    connection.execute(index.sql)
                    by_hand[size, index.name] = time.perf_counter() - start
                    connection.execute("DROP INDEX i")
    connection.close()
    return ours, by_hand


def _rows(first: int, last: int) -> Iterator[tuple[str, str, int, str]]:
    for i in range(first, last + 1):
        yield f"u{i}", f"User {i}", i * 7919 % 1000, f"c{i % 100}"


def _by_hand(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = full")
    connection.execute(_CREATE)
    return connection


def format_indexes(measured: Measured) -> str:
    """Return a table of inserts with their ratios, and one of builds."""
    inserts = []
    for name, sample in measured.inserts.items():
        hand = measured.inserts_by_hand.get(name)
        inserts.append(
            [
                name,
                format_time(sample.best_s),
                f"{_ratio(measured.inserts, name):.2f}",
                "" if hand is None else format_time(hand.best_s),
                "" if hand is None else f"{_ratio(measured.inserts_by_hand, name):.2f}",
            ]
        )
    builds = []
    for (size, name), taken_s in measured.builds_s.items():
        hand_s = measured.builds_by_hand_s.get((size, name))
        by_hand = "" if hand_s is None else format_time(hand_s)
        builds.append([f"{name}; {size:,} records", format_time(taken_s), by_hand])
    header = [f"insert of {RECORDS:,} records", "ours", "/ no index", "by hand", "/ no index"]
    return "\n\n".join(
        [format_table(header, inserts), format_table(["build", "ours", "by hand"], builds)]
    )


def _ratio(samples: Mapping[str, Sample], name: str) -> float:
    return samples[name].best_s / samples[NONE].best_s


def judge(measured: Measured) -> tuple[Judgement, ...]:
    """Hold the measured against the bar."""
    index = INDEXES[0].name
    return (Judgement(bars.INDEX_MAINTENANCE, _ratio(measured.inserts, index), f"by {index}"),)
