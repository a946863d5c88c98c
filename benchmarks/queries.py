"""Times questions about records: through an index and by scans, against others with the same.

Every contender has the same records with the same indexes, is asked the same questions, and must
give the same answers. Rounds are interleaved.
"""

from __future__ import annotations

import importlib
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import apsw

from benchmarks import bars
from benchmarks.bars import Judgement
from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, format_table, format_time, measure
from benchmarks.native import BUILD_FOLDER, PeerUnavailableError
from benchmarks.tarantool import Tarantool
from lua_ls_persist.session import Session

LIMIT: Final = 10
SIZES: Final = (10_000, 100_000, 1_000_000)
JUDGED_RATIO_SIZE: Final = 100_000
TINYDB_SIZE_MAX: Final = 100_000
"""It keeps everything in memory and looks at all of it for each question."""
SCAN_SIZE_MAX: Final = 100_000
ROWS_AN_EVALUATION: Final = 50_000
PROGRAM_REPEATS: Final = 200

INDEXES: Final = (("age",), ("city", "age"), ("score",))
COLUMNS: Final = ("name", "age", "city", "score")

_BUILD = """
local first, last = ...
local users = ext.table("users")
local new = {}
for i = first, last do
  new[i] = { name = "User " .. i, age = i * 7919 % 90, city = "c" .. i % 1000, score = i / 4 }
end
for i, user in pairs(new) do users[i] = user end
"""
_ASK = """
local spec, repeats = ...
local page
for _ = 1, repeats do page = ext.query("users", spec) end
local keys = {}
for at, row in ipairs(page) do keys[at] = row.key end
return table.concat(keys, " ")
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: for the first rows that fulfil all conditions, in the order of a field."""

    name: str
    where: tuple[tuple[str, str, Any], ...]
    order_by: str | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """As `ext.query` takes it."""
        spec: dict[str, Any] = {"where": [list(part) for part in self.where], "limit": LIMIT}
        return spec if self.order_by is None else {**spec, "order_by": self.order_by}

    @property
    def sql(self) -> str:
        """What follows `FROM`, written by hand."""
        order = "key" if self.order_by is None else f"{self.order_by}, key"
        conditions = " AND ".join(f"{name} {operator} ?" for name, operator, _ in self.where)
        where = f"WHERE {conditions} " if conditions else ""
        return f"users {where}ORDER BY {order} LIMIT {LIMIT}"

    @property
    def values(self) -> list[Any]:
        """The values of the conditions."""
        return [value for _, _, value in self.where]


QUESTIONS: Final = (
    Question("score = 777.25", (("score", "=", 777.25),)),
    Question("age > 25, by age", (("age", ">", 25),), "age"),
    Question("all, by score", (), "score"),
    Question("city = c77, by age", (("city", "=", "c77"),), "age"),
)


def records(first: int, last: int) -> Iterator[tuple[int, str, int, str, float]]:
    """Yield what `_BUILD` builds: key and columns."""
    for i in range(first, last + 1):
        yield i, f"User {i}", i * 7919 % 90, f"c{i % 1000}", i / 4


class Contender(ABC):
    """Holds the records; answers with the keys of the rows."""

    name: str
    size_max = max(SIZES)
    repeats = 20

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count

    @abstractmethod
    def open(self) -> None:
        """Take in all records, and make the indexes."""

    @abstractmethod
    def ask(self, question: Question) -> list[int]:
        """Return the keys of the rows that are found."""

    @abstractmethod
    def close(self) -> None:
        """Close it."""


class Ours(Contender):
    name = "ours, Session.query"
    indexed = True

    def open(self) -> None:
        path = self.folder / f"{type(self).__name__}.db"
        self._session = Session.open(path, time_limit_s=None)
        for first in range(1, self.count + 1, ROWS_AN_EVALUATION):
            last = min(self.count, first + ROWS_AN_EVALUATION - 1)
            check(self._session.evaluate(_BUILD, arguments=[first, last]))
        if self.indexed:
            for fields in INDEXES:
                self._session.create_index("users", fields)

    def ask(self, question: Question) -> list[int]:
        page = self._session.query("users", **question.spec, select="name")
        return [int(str(row.key)) for row in page.rows]

    def close(self) -> None:
        self._session.close()


class OursByScan(Ours):
    name = "ours, Session.query, without an index"
    size_max = SCAN_SIZE_MAX
    indexed = False
    repeats = 1


class OursInLua(Ours):
    """Many questions in one evaluation."""

    name = "ours, ext.query in a program"
    repeats = 1
    calls = PROGRAM_REPEATS

    def ask(self, question: Question) -> list[int]:
        result = self._session.evaluate(_ASK, arguments=[question.spec, self.calls])
        check(result)
        return [int(key) for key in str(result.values[0]).split()]


class ByHand(Contender):
    name = "SQLite by hand"
    indexed = True

    def open(self) -> None:
        self._connection = apsw.Connection(str(self.folder / f"{type(self).__name__}.db"))
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE users (key INTEGER PRIMARY KEY, name TEXT, age INTEGER, city TEXT,"
            " score REAL)"
        )
        with self._connection:
            self._connection.executemany(
                "INSERT INTO users VALUES (?, ?, ?, ?, ?)", records(1, self.count)
            )
        if self.indexed:
            for fields in INDEXES:
                name, columns = "_".join(fields), ", ".join(fields)
                self._connection.execute(f"CREATE INDEX users_{name} ON users ({columns})")

    def ask(self, question: Question) -> list[int]:
        rows = self._connection.execute(f"SELECT key, name FROM {question.sql}", question.values)
        return [int(str(key)) for key, _ in rows]

    def close(self) -> None:
        self._connection.close()


class ByHandByScan(ByHand):
    name = "SQLite by hand, without an index"
    size_max = SCAN_SIZE_MAX
    indexed = False
    repeats = 1


class SqliteUtils(Contender):
    name = "sqlite-utils"

    def open(self) -> None:
        module = _import("sqlite_utils")
        self._database = module.Database(self.folder / "sqlite_utils.db")
        table = self._database["users"]
        rows = (dict(zip(("key", *COLUMNS), row, strict=True)) for row in records(1, self.count))
        table.insert_all(rows, pk="key", batch_size=1000)
        for fields in INDEXES:
            table.create_index(list(fields))

    def ask(self, question: Question) -> list[int]:
        conditions = " and ".join(f"{name} {operator} ?" for name, operator, _ in question.where)
        rows = self._database["users"].rows_where(
            conditions or None,
            question.values,
            select="key, name",
            order_by="key" if question.order_by is None else f"{question.order_by}, key",
            limit=LIMIT,
        )
        return [row["key"] for row in rows]

    def close(self) -> None:
        self._database.close()


class TinyDb(Contender):
    """In memory; it has no indexes and no order, so the rows found are put in order here."""

    name = "TinyDB, in memory"
    size_max = TINYDB_SIZE_MAX
    repeats = 1

    def open(self) -> None:
        self._module = _import("tinydb")
        storage = importlib.import_module("tinydb.storages").MemoryStorage
        self._database = self._module.TinyDB(storage=storage)
        self._database.insert_multiple(
            dict(zip(COLUMNS, row[1:], strict=True)) for row in records(1, self.count)
        )

    def ask(self, question: Question) -> list[int]:
        self._database.clear_cache()
        condition = self._module.Query().noop()
        for name, operator, value in question.where:
            field = self._module.Query()[name]
            condition &= field > value if operator == ">" else field == value
        found = self._database.search(condition)
        order = question.order_by
        found.sort(key=lambda row: (row[order], row.doc_id) if order else row.doc_id)
        return [row.doc_id for row in found[:LIMIT]]

    def close(self) -> None:
        self._database.close()


class InTarantool(Contender):
    """Many questions in one program of Tarantool's own, which keeps everything in memory."""

    name = "Tarantool, select in a program"
    repeats = 1

    def open(self) -> None:
        self._tarantool = Tarantool(self.folder / "tarantool")
        assert self._tarantool.ask("fill", count=self.count) == self.count

    def ask(self, question: Question) -> list[int]:
        # The program chooses the index itself.
        index = "city_age" if any(part[0] == "city" for part in question.where) else None
        index = index or question.order_by or question.where[0][0]
        operator = question.where[0][1] if question.where else "="
        keys: list[int] = self._tarantool.ask(
            "ask",
            index=index,
            key=question.values,
            iterator="GT" if operator == ">" else "EQ" if question.where else "ALL",
            limit=LIMIT,
            repeats=PROGRAM_REPEATS,
        )
        return keys

    def close(self) -> None:
        self._tarantool.close()


CONTENDERS: Final[tuple[type[Contender], ...]] = (
    OursInLua, Ours, ByHand, InTarantool, SqliteUtils, OursByScan, ByHandByScan, TinyDb,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """Who was asked what, about how many records."""

    size: int
    question: str
    contender: str


QuerySamples = Mapping[Key, Sample]


def measure_queries(
    *, rounds: int, report: Callable[[str], object], sizes: Sequence[int] = SIZES
) -> dict[Key, Sample]:
    """Return the seconds that an answer takes."""
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    samples: dict[Key, Sample] = {}
    missing: set[str] = set()
    for size in sizes:
        with (
            tempfile.TemporaryDirectory(prefix="queries-", dir=BUILD_FOLDER) as name,
            ExitStack() as stack,
        ):
            contenders = []
            for kind in CONTENDERS:
                if kind.size_max < size or kind.name in missing:
                    continue
                contender = kind(Path(name), size)
                try:
                    contender.open()
                except PeerUnavailableError as error:
                    missing.add(kind.name)
                    report(str(error))
                    continue
                stack.callback(contender.close)
                contenders.append(contender)
            for question in QUESTIONS:
                samples |= _asked(contenders, question, size, rounds)
    return samples


def _asked(
    contenders: Sequence[Contender], question: Question, size: int, rounds: int
) -> dict[Key, Sample]:
    expected = contenders[0].ask(question)
    for contender in contenders:
        assert contender.ask(question) == expected, (contender.name, question.name)
    subjects = [
        Subject(contender.name, lambda c=contender: c.ask(question), contender.repeats)  # type: ignore[misc]
        for contender in contenders
    ]
    found = measure(subjects, rounds=rounds)
    for name in {OursInLua.name, InTarantool.name} & found.keys():
        found[name] = Sample(tuple(s / PROGRAM_REPEATS for s in found[name].rounds_s))
    return {Key(size, question.name, name): sample for name, sample in found.items()}


def format_queries(samples: QuerySamples) -> str:
    """Return a table for each size, a row a contender."""
    parts = []
    for size in dict.fromkeys(key.size for key in samples):
        rows = []
        for name in dict.fromkeys(key.contender for key in samples if key.size == size):
            taken = [samples[Key(size, question.name, name)] for question in QUESTIONS]
            rows.append([name, *(format_time(sample.best_s) for sample in taken)])
        header = ["who", *(question.name for question in QUESTIONS)]
        parts.append(
            f"### {size:,} records, the first {LIMIT} rows\n\n{format_table(header, rows)}"
        )
    return "\n\n".join(parts)


def judge(samples: QuerySamples) -> tuple[Judgement, ...]:
    """Hold the slowest questions against the bars."""
    largest = max(key.size for key in samples)
    inside = {
        question.name: samples[Key(largest, question.name, OursInLua.name)].best_s
        for question in QUESTIONS
    }
    slowest = max(inside, key=lambda name: inside[name])
    judgements = [
        Judgement(bars.INDEXED_QUERY, inside[slowest] * 1e3, note=f"{slowest}; {largest:,} records")
    ]
    size = max((key.size for key in samples if key.size <= JUDGED_RATIO_SIZE), default=0)
    ratios = {
        # Of these the scan has to look at everything.
        question.name: samples[Key(size, question.name, Ours.name)].best_s
        / samples[Key(size, question.name, OursByScan.name)].best_s
        for question in QUESTIONS
        if Key(size, question.name, OursByScan.name) in samples
    }
    if ratios:
        far = max(ratios, key=lambda name: ratios[name])
        note = f"{far}; {size:,} records"
        judgements.append(Judgement(bars.INDEXED_TO_SCAN, ratios[far], note=note))
    return tuple(judgements)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PeerUnavailableError(f"{name} is left out: {error}.") from error
