"""Times storing records durably: in sessions, as raw rows in SQLite, and in Python's stores.

Every contender stores the same records into a fresh place on the same disk and commits them, in
interleaved rounds. All that build on SQLite are set to be as durable as a session is: a write-ahead
log that is synchronized before a commit returns.
"""

from __future__ import annotations

import importlib
import itertools
import shelve
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, measure
from benchmarks.native import PeerUnavailableError
from lua_ls_persist.session import Session

OURS: Final = "ours"
OURS_ONE_BY_ONE: Final = "ours, each record assigned by itself"
RAW: Final = "apsw, executemany of the same rows"
COMMIT_REPEATS = 50

# The records of all contenders: three fields, of three types.
BUILD = """
local users = {}
for i = 1, %d do
  users["user" .. i] = { name = "User " .. i, age = i %% 90, score = i / 4 }
end
"""
ASSIGN_ONE_BY_ONE = """
Memory.users = {}
local users = Memory.users
for i = 1, %d do
  users["user" .. i] = { name = "User " .. i, age = i %% 90, score = i / 4 }
end
"""
COUNT = "local n = 0 for _ in pairs(Memory.users or {}) do n = n + 1 end return n"


def python_records(count: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield what `BUILD` builds in Lua."""
    for i in range(1, count + 1):
        yield f"user{i}", {"name": f"User {i}", "age": i % 90, "score": i / 4}


class Contender(ABC):
    """Stores records in a folder: opened while it is empty, filled, asked for the count, closed."""

    name: str

    def __init__(self, count: int) -> None:
        self.records_count = count

    @abstractmethod
    def open(self, folder: Path) -> None:
        """Open a new store in an empty folder."""

    @abstractmethod
    def insert(self) -> None:
        """Build all records and store them, committed."""

    @abstractmethod
    def change(self, number: int) -> None:
        """Store one number under a name that is there already, committed."""

    @abstractmethod
    def count(self) -> int:
        """Return how many records are stored."""

    @abstractmethod
    def close(self) -> None:
        """Close the store."""


class Ours(Contender):
    name = OURS
    _program = BUILD + "Memory.users = users"

    def open(self, folder: Path) -> None:
        self._session = Session.open(folder / "session.db", time_limit_s=None)
        # The first evaluation and the first commit set things up that later ones find.
        check(self._session.evaluate("Memory.number = 0"))

    def insert(self) -> None:
        check(self._session.evaluate(self._program % self.records_count))

    def change(self, number: int) -> None:
        check(self._session.evaluate(f"Memory.number = {number}"))

    def count(self) -> int:
        evaluation = self._session.evaluate(COUNT)
        check(evaluation)
        return int(str(evaluation.values[0]))

    def close(self) -> None:
        self._session.close()


class OursOneByOne(Ours):
    name = OURS_ONE_BY_ONE
    _program = ASSIGN_ONE_BY_ONE


@dataclass(frozen=True, slots=True)
class Rows:
    """How a database is laid out, and the rows that were added to its tables."""

    schema: tuple[str, ...]
    added: Mapping[str, Sequence[tuple[Any, ...]]]


def rows_added(path: Path, fill: Callable[[], object]) -> Rows:
    """Return the rows of all tables of the file that have grown when `fill` returns."""
    with closing(apsw.Connection(str(path))) as connection:
        names = [
            str(name)
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        before = {name: _row_count(connection, name) for name in names}
        fill()
        schema = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            " ORDER BY type = 'view', type = 'trigger', rowid"
        )
        return Rows(
            tuple(str(sql) for (sql,) in schema),
            {
                name: _rows(connection, name)
                for name in names
                if _row_count(connection, name) > before[name]
            },
        )


def rows_of_session(folder: Path, count: int) -> Rows:
    """Return the rows that a session's file has of the records."""
    ours = Ours(count)
    ours.open(folder)
    try:
        return rows_added(folder / "session.db", ours.insert)
    finally:
        ours.close()


class Raw(Contender):
    """What SQLite takes at least: the rows are ready, in the order of their keys."""

    name = RAW

    def __init__(self, count: int, rows: Rows) -> None:
        super().__init__(count)
        self._rows = rows

    def open(self, folder: Path) -> None:
        self._connection = apsw.Connection(str(folder / "raw.db"))
        self._connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        for statement in self._rows.schema:
            self._connection.execute(statement)
        self._connection.execute(
            "CREATE TABLE benchmark (number INTEGER); INSERT INTO benchmark VALUES (0)"
        )
        self._statements = [
            (_insertion(self._connection, name), rows) for name, rows in self._rows.added.items()
        ]

    def insert(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, rows in self._statements:
            self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")

    def change(self, number: int) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("UPDATE benchmark SET number = ?", (number,))
        self._connection.execute("COMMIT")

    def count(self) -> int:
        """Return the count of records, if all rows are there."""
        complete = all(
            _row_count(self._connection, name) == len(rows)
            for name, rows in self._rows.added.items()
        )
        return self.records_count if complete else 0

    def close(self) -> None:
        self._connection.close()


class SqliteDict(Contender):
    name = "sqlitedict"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._module = _import("sqlitedict")

    def open(self, folder: Path) -> None:
        self._store = self._module.SqliteDict(
            str(folder / "sqlitedict.db"), journal_mode="WAL", outer_stack=False
        )
        self._store.conn.execute("PRAGMA synchronous = FULL")
        self.change(0)

    def insert(self) -> None:
        for key, record in python_records(self.records_count):
            self._store[key] = record
        self._store.commit()

    def change(self, number: int) -> None:
        self._store["number"] = number
        self._store.commit()

    def count(self) -> int:
        return len(self._store) - 1

    def close(self) -> None:
        self._store.close()


class LupaWithSqliteDict(SqliteDict):
    """A Lua program in lupa builds the table; Python stores its records one by one."""

    name = "lupa, stored in sqlitedict"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        runtime = _import("lupa.lua54").LuaRuntime()
        self._build = runtime.compile(BUILD % count + "return users")

    def insert(self) -> None:
        for key, record in self._build().items():
            self._store[key] = dict(record)
        self._store.commit()


class DiskCache(Contender):
    name = "diskcache, one transaction"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._module = _import("diskcache")

    def open(self, folder: Path) -> None:
        self._cache = self._module.Cache(
            str(folder), eviction_policy="none", sqlite_journal_mode="wal", sqlite_synchronous=2
        )
        self.change(0)

    def insert(self) -> None:
        with self._cache.transact():
            for key, record in python_records(self.records_count):
                self._cache[key] = record

    def change(self, number: int) -> None:
        self._cache["number"] = number

    def count(self) -> int:
        return len(self._cache) - 1

    def close(self) -> None:
        self._cache.close()


class Shelve(Contender):
    """Python's own, on whatever `dbm` finds: none of its kinds synchronizes what it writes."""

    name = "shelve, not durable"

    def open(self, folder: Path) -> None:
        self._shelf = shelve.open(str(folder / "shelf"), flag="n")  # noqa: SIM115 - see close
        self.change(0)

    def insert(self) -> None:
        for key, record in python_records(self.records_count):
            self._shelf[key] = record
        self._shelf.sync()

    def change(self, number: int) -> None:
        self._shelf["number"] = number
        self._shelf.sync()

    def count(self) -> int:
        return len(self._shelf) - 1

    def close(self) -> None:
        self._shelf.close()


PEERS: Final[tuple[type[Contender], ...]] = (SqliteDict, LupaWithSqliteDict, DiskCache, Shelve)


class WrongCountError(Exception):
    """A contender did not store what it was given."""


class _Place:
    """Gives a contender a new folder each round, and looks whether the last round was complete."""

    def __init__(self, contender: Contender, folder: Path) -> None:
        self._contender = contender
        self._folders = (folder / str(number) for number in itertools.count())
        self._opened = False

    def renew(self) -> None:
        self.close()
        folder = next(self._folders)
        folder.mkdir(parents=True)
        self._contender.open(folder)
        self._opened = True

    def close(self) -> None:
        if not self._opened:
            return
        self._opened = False
        found, wanted = self._contender.count(), self._contender.records_count
        self._contender.close()
        if found != wanted:
            raise WrongCountError(f"{self._contender.name} stored {found} of {wanted} records.")


def contenders(folder: Path, count: int, *, report: Callable[[str], object]) -> Iterator[Contender]:
    """Yield all contenders that can be had here; those that cannot are reported."""
    yield Ours(count)
    yield OursOneByOne(count)
    rows = folder / "rows"
    rows.mkdir(parents=True)
    yield Raw(count, rows_of_session(rows, count))
    for kind in PEERS:
        try:
            yield kind(count)
        except PeerUnavailableError as error:
            report(str(error))


def measure_inserts(
    folder: Path, count: int, *, rounds: int, report: Callable[[str], object]
) -> dict[str, Sample]:
    """Time storing all records, each round into a new place."""
    with ExitStack() as stack:
        subjects = []
        for number, contender in enumerate(contenders(folder / "insert", count, report=report)):
            place = _Place(contender, folder / "insert" / f"places{number}")
            stack.callback(place.close)
            subjects.append(Subject(contender.name, contender.insert, prepare=place.renew))
        return measure(subjects, rounds=rounds)


def measure_commits(
    folder: Path, *, rounds: int, report: Callable[[str], object]
) -> dict[str, Sample]:
    """Time committing one small change."""
    numbers = itertools.count(1)
    with ExitStack() as stack:
        subjects = []
        for contender in contenders(folder / "commit", 1, report=report):
            if contender.name == OURS_ONE_BY_ONE or isinstance(contender, LupaWithSqliteDict):
                continue  # the same as another one here
            place = folder / "commit" / contender.name
            place.mkdir(parents=True)
            contender.open(place)
            stack.callback(contender.close)
            subjects.append(Subject(contender.name, _changing(contender, numbers), COMMIT_REPEATS))
        return measure(subjects, rounds=rounds)


def _changing(contender: Contender, numbers: Iterator[int]) -> Callable[[], object]:
    return lambda: contender.change(next(numbers))


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PeerUnavailableError(
            f"{name.partition('.')[0]} is left out: {error}. It is in the dependency group `bench`."
        ) from error


def _row_count(connection: apsw.Connection, name: str) -> int:
    count = connection.execute(f"SELECT count(*) FROM {name}").get
    assert isinstance(count, int)
    return count


def _rows(connection: apsw.Connection, name: str) -> list[tuple[Any, ...]]:
    """The rows of a table in its own order, which is not that of an index that has all columns."""
    columns = _columns(connection, name)
    return list(connection.execute(f"SELECT {columns} FROM {name} NOT INDEXED"))


def _columns(connection: apsw.Connection, name: str) -> str:
    """The columns of a table that can be written."""
    found = connection.execute(f"SELECT name FROM pragma_table_xinfo('{name}') WHERE hidden = 0")
    return ", ".join(f'"{column}"' for (column,) in found)


def _insertion(connection: apsw.Connection, name: str) -> str:
    columns = _columns(connection, name)
    places = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT INTO {name} ({columns}) VALUES ({places})"
