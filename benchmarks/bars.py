"""The bars that the project sets itself, and the judgement whether a measurement meets them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.measure import format_table


@dataclass(frozen=True, slots=True)
class Bar:
    """An upper bound for one measured number; `aim` is what we would like better still.

    A bar whose limit is infinite is only an aim.
    """

    name: str
    unit: str
    limit: float
    aim: float | None = None


COMPUTE = Bar("compute / native, without coroutine switching", "x", 1.4, 1.2)
COMPUTE_WITH_COROUTINES = Bar("compute / native, with coroutine switching", "x", 1.7, 1.4)
COMPUTE_TO_WASMOON = Bar("compute / wasmoon, the worst program", "x", 1.0)
EVALUATE = Bar("trivial evaluate, pre-image included", "ms", 0.1, 0.03)
OPEN_CACHED = Bar("VM open from the cache", "ms", 2.0)
MODULE_SIZE = Bar("module size", "KB", 400.0, 300.0)
CACHED_READ = Bar("read of an external table, in the cache", "ns", 200.0)
CACHED_READ_TO_PLAIN = Bar("the same / read of a plain table", "x", math.inf, 2.0)
LOGGED_WRITE = Bar("write of an external table, into the log", "ns", 1000.0)
INSERT_TO_RAW = Bar("10,000 records, committed / executemany of the same rows", "x", 3.0)
PERSIST_CLOSURE = Bar("persist a small closure", "us", 100.0)
RESTORE_CLOSURE = Bar("restore a small closure", "us", 100.0)
COMMIT = Bar("commit of a change of one entry", "ms", 1.0)
OPEN_LARGE = Bar("open a session with 1,000,000 entries", "ms", 50.0)
UNUSED_PERSISTENCE = Bar("trivial evaluate, external tables used before / never", "x", 1.1)
HISTORY_INSERT = Bar("inserting 10,000 records with a history", "x without", 1.2)
HISTORY_ONE = Bar("storing one entry with a history, committed", "ms", 1.0)
COMPRESSION = Bar("file of repetitive records, compressed / plain", "x", 0.5)
BATCH = Bar("1,000 operations of four sorts as a batch, committed", "ms", 10.0)
INDEX_MAINTENANCE = Bar("insert of 10,000 records with an index / without", "x", 1.6)
INDEXED_QUERY = Bar("query through an index, 10 rows of 1,000,000, in a program", "ms", 1.0)
INDEXED_TO_SCAN = Bar("query through an index / by a scan, 100,000 records", "x", 0.01)
IMAGE = Bar("image of 2 MiB out and in", "ms", 0.2)
LANGUAGE_FEATURE = Bar("a language feature after an edit, p95 of the slowest", "ms", 30.0)
LANGUAGE_START = Bar("start of the language server to initialized", "ms", 700.0)
LANGUAGE_SERVER = Bar("language server evaluate above a bare command", "ms", 3.0)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A bar and what was measured for it."""

    bar: Bar
    value: float
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is below the limit."""
        return self.value < self.bar.limit

    @property
    def verdict(self) -> str:
        """`met`, `met (aim too)` or `NOT MET`; for an aim alone `reached` or `not reached`."""
        if not self.met:
            return "NOT MET"
        reached = self.bar.aim is not None and self.value < self.bar.aim
        if self.bar.limit == math.inf:
            return "reached" if reached else "not reached"
        return "met (aim too)" if reached else "met"


def format_judgements(judgements: Iterable[Judgement]) -> str:
    """Return a table: a row a bar."""
    rows = []
    for judgement in judgements:
        bar = judgement.bar
        aim = "" if bar.aim is None else f"{bar.aim:g}"
        note = f" ({judgement.note})" if judgement.note else ""
        value = f"{judgement.value:.3g} {bar.unit}"
        limit = "" if bar.limit == math.inf else f"{bar.limit:g}"
        rows.append([bar.name + note, value, limit, aim, judgement.verdict])
    return format_table(["bar", "measured", "limit", "aim", "verdict"], rows)
