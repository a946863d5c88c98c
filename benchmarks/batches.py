"""Times batches and migrations: many operations in one transaction, against SQLite by hand."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import apsw

from benchmarks import bars
from benchmarks.bars import Judgement
from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, format_table, format_time, measure
from benchmarks.native import BUILD_FOLDER, PeerUnavailableError
from benchmarks.tarantool import Tarantool
from lua_ls_persist.session import Session

OPERATIONS = 1000
ROWS = 10_000

SET: Final = "ext.batch, sets of new rows"
UPDATE: Final = "ext.batch, updates of rows"
GET: Final = "ext.batch, gets of rows"
MIXED: Final = "ext.batch, sets, updates, gets and deletes"
LOOP: Final = "the same sets of new rows by a loop, without a batch"
PYTHON: Final = "Session.batch, sets of new rows"
PYTHON_MIXED: Final = "Session.batch, sets, updates, gets and deletes"
BY_HAND: Final = "SQLite by hand, inserts of new rows"
TARANTOOL: Final = "Tarantool, replaces of rows in one transaction of a program"
TARANTOOL_MIXED: Final = "Tarantool, replaces, updates, gets and deletes"
MIGRATE: Final = f"ext.migrate, {ROWS:,} rows"
MIGRATE_BY_HAND: Final = f"SQLite by hand, UPDATE of {ROWS:,} rows"

_MAKE = """
local kinds = ...
operations = {}
for i = 1, COUNT do
  local kind, key = kinds[(i - 1) % #kinds + 1], "u" .. i
  local value = nil
  if kind == "set" then value = { name = "name " .. i, age = i, score = i / 2 } end
  if kind == "update" then value = { age = i + 1 } end
  operations[i] = { op = kind, table = "users", key = key, value = value }
end
"""
# Not as an expression: looking at the results is not what is measured.
_BATCH = "local results = ext.batch(operations)"
_LOOP = """
local users = ext.table("users")
for i = 1, #operations do
  local operation = operations[i]
  users[operation.key] = operation.value
end
"""
_CREATE = """
CREATE TABLE IF NOT EXISTS users (key TEXT PRIMARY KEY, name TEXT, age INTEGER, score REAL)
"""
_INSERT = "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)"
_MIXED_KINDS = ("set", "update", "get", "delete")


def measure_batches(*, rounds: int, report: Callable[[str], object]) -> dict[str, Sample]:
    """Time batches of `OPERATIONS` operations, each committed, on the disk of this package."""
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="batches-", dir=BUILD_FOLDER) as name,
        ExitStack() as up,
    ):
        folder = Path(name)
        subjects = [
            _subject(up, folder, SET, ("set",), _BATCH),
            _subject(up, folder, UPDATE, ("update",), _BATCH),
            _subject(up, folder, GET, ("get",), _BATCH),
            _subject(up, folder, MIXED, _MIXED_KINDS, _BATCH),
            _subject(up, folder, LOOP, ("set",), _LOOP),
            _python_subject(up, folder, PYTHON, ("set",)),
            _python_subject(up, folder, PYTHON_MIXED, _MIXED_KINDS),
            _migrate_subject(up, folder),
            *_by_hand(up, folder),
            *_in_tarantool(up, folder, report),
        ]
        return measure(subjects, rounds=rounds)


def _opened(up: ExitStack, folder: Path, name: str) -> Session:
    session = up.enter_context(Session.open(folder / f"{abs(hash(name))}.db"))
    check(session.evaluate(_MAKE.replace("COUNT", str(OPERATIONS)), arguments=[["set"]]))
    check(session.evaluate("ext.batch(operations)"))
    return session


def _subject(
    up: ExitStack, folder: Path, name: str, kinds: tuple[str, ...], source: str
) -> Subject:
    session = _opened(up, folder, name)

    make = _MAKE.replace("COUNT", str(OPERATIONS))

    def prepare() -> None:
        if "delete" in kinds:
            # What the round before has deleted is there again.
            check(session.evaluate(make, arguments=[["set"]]))
            check(session.evaluate(_BATCH))
        # New values each time: what is set becomes part of the store.
        check(session.evaluate(make, arguments=[list(kinds)]))
        check(session.evaluate("collectgarbage()"))

    return Subject(name, lambda: check(session.evaluate(source)), prepare=prepare)


def operations_of(kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """What the Lua source above makes, from Python."""
    operations: list[dict[str, Any]] = []
    for number, kind in zip(range(1, OPERATIONS + 1), itertools.cycle(kinds), strict=False):
        operation: dict[str, Any] = {"op": kind, "table": "users", "key": f"u{number}"}
        if kind == "set":
            operation["value"] = {"name": f"name {number}", "age": number, "score": number / 2}
        elif kind == "update":
            operation["value"] = {"age": number + 1}
        operations.append(operation)
    return operations


def _python_subject(up: ExitStack, folder: Path, name: str, kinds: tuple[str, ...]) -> Subject:
    session, operations = _opened(up, folder, name), operations_of(kinds)
    return Subject(name, lambda: check(session.batch(operations)))


def _migrate_subject(up: ExitStack, folder: Path) -> Subject:
    session = up.enter_context(Session.open(folder / "migrate.db"))
    check(
        session.evaluate(
            f"local users = ext.table('users') for i = 1, {ROWS} do"
            " users['u' .. i] = { name = 'name ' .. i, age = i, score = i / 2 } end"
        )
    )
    versions = itertools.count(1)

    def migrate() -> None:
        source = f"ext.migrate('users', {next(versions)}, function(row) row.age = row.age + 1 end)"
        check(session.evaluate(source))

    return Subject(MIGRATE, migrate)


def _by_hand(up: ExitStack, folder: Path) -> list[Subject]:
    """The limit: a table with the right columns, statements ready, one transaction."""

    def connected(name: str) -> apsw.Connection:
        connection = apsw.Connection(str(folder / name))
        up.callback(connection.close)
        connection.execute("PRAGMA journal_mode = wal; PRAGMA synchronous = full")
        connection.execute(_CREATE)
        return connection

    def rows(count: int) -> list[tuple[str, str, int, float]]:
        return [(f"u{n}", f"name {n}", n, n / 2) for n in range(1, count + 1)]

    small, large = connected("small.db"), connected("large.db")
    few = rows(OPERATIONS)
    with large:
        large.executemany(_INSERT, rows(ROWS))

    def insert() -> None:
        with small:
            small.executemany(_INSERT, few)

    return [
        Subject(BY_HAND, insert),
        Subject(MIGRATE_BY_HAND, _statement(large, "UPDATE users SET age = age + 1")),
    ]


def _in_tarantool(up: ExitStack, folder: Path, report: Callable[[str], object]) -> list[Subject]:
    try:
        tarantool = Tarantool(folder / "tarantool")
        up.callback(tarantool.close)
        tarantool.ask("prepare")
    except PeerUnavailableError as error:
        report(str(error))
        return []

    def batch(*kinds: str) -> Callable[[], object]:
        return lambda: tarantool.ask("batch", count=OPERATIONS, kinds=kinds)

    return [
        Subject(TARANTOOL, batch("set")),
        Subject(TARANTOOL_MIXED, batch(*_MIXED_KINDS), prepare=batch("set")),
    ]


def _statement(connection: apsw.Connection, sql: str) -> Callable[[], object]:
    def run() -> None:
        with connection:
            connection.execute(sql)

    return run


def format_batches(samples: Mapping[str, Sample]) -> str:
    """Return a table of times, and what one operation takes."""
    rows = []
    for name, sample in samples.items():
        count = ROWS if name in (MIGRATE, MIGRATE_BY_HAND) else OPERATIONS
        times = [format_time(sample.best_s), format_time(sample.median_s)]
        rows.append([name, *times, format_time(sample.best_s / count)])
    return format_table(["what", "best", "median", "each"], rows)


def judge(samples: Mapping[str, Sample]) -> tuple[Judgement, ...]:
    """Hold the measured against the bar: a batch of everything."""
    return (Judgement(bars.BATCH, samples[MIXED].best_s * 1e3),)
