"""Times what compression costs, and weighs what it saves, on the repetitive data of a log.

The records are those of a web server's log: a level, a time, a message of some words, and a request
as JSON. The file is weighed after `vacuum`, before and after `compress`.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import bars
from benchmarks.bars import Judgement
from benchmarks.evaluate import check
from benchmarks.measure import Sample, Subject, format_table, format_time, measure
from benchmarks.native import BUILD_FOLDER
from lua_ls_persist.session import Session

RECORDS = 20_000
LONG = 500
PLAIN, COMPRESSED = "plain", "compressed"
SCAN: Final = "count of messages that contain a word"
READ: Final = "read all fields of all records"
INSERT: Final = "insert all records, committed"
INSERT_LONG: Final = "insert {} strings of 4,000 bytes, {}"
COMPRESS: Final = "compress all"

_INSERT = """
local seed = 1
local function random(count)
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  return (seed >> 8) % count + 1
end
local words = {}
for word in ("connection timeout request user failed with status retry host database worker queue "
  .. "message accepted closed by peer after seconds cache miss"):gmatch("%a+") do
  words[#words + 1] = word
end
local levels = { "info", "info", "info", "warning", "error" }
local log = ext.table("log")
for i = 1, COUNT do
  local message = {}
  for place = 1, 12 do message[place] = words[random(#words)] end
  log[i] = {
    level = levels[random(5)],
    at = 1700000000 + i,
    message = table.concat(message, " ") .. " id=" .. random(1000000),
    request = ('{"method": "GET", "path": "/api/v1/%s/%d", "user": %d, "session": "%08x%08x", '
      .. '"headers": {"accept": "application/json", "accept-language": "en-US,en;q=0.9", '
      .. '"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)", "host": "api.example.com"}, '
      .. '"status": %d, "took_ms": %d}'):format(words[random(#words)], random(1000), random(5000),
        random(2^23), random(2^23), random(5) * 100, random(400)),
  }
end
"""
_READ = """
local length = 0
for _, record in pairs(ext.table("log")) do
  for _, value in pairs(record) do length = length + #tostring(value) end
end
return length
"""
_SCAN = 'return ext.count("log", { where = { "message", "contains", "timeout" } })'
_INSERT_LONG = {
    PLAIN: """
    local t = ext.table("long")
    local seed = 1
    for i = 1, COUNT do
      local parts = {}
      for place = 1, 500 do
        seed = seed * 6364136223846793005 + 1442695040888963407
        parts[place] = string.pack("<i8", seed ~ seed >> 29)
      end
      t[i] = table.concat(parts)
    end
    """,
    COMPRESSED: """
    local t = ext.table("long")
    for i = 1, COUNT do t[i] = ("the quick brown fox " .. i .. " "):rep(160) end
    """,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Times, sizes of the file, and of the strings in it."""

    samples: Mapping[str, Sample]
    file_bytes: Mapping[str, int]
    strings_ratio: float

    @property
    def file_ratio(self) -> float:
        """How many times larger the file is without compression."""
        return self.file_bytes[PLAIN] / self.file_bytes[COMPRESSED]


def measure_compression(*, rounds: int) -> Measured:
    """Weigh and time, each in a session of its own, on the disk of this package."""
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="compression-", dir=BUILD_FOLDER) as name,
        ExitStack() as up,
    ):
        folder = Path(name)
        insert = _INSERT.replace("COUNT", str(RECORDS))
        sessions, sizes, ratio = {}, {}, 1.0
        for kind in (PLAIN, COMPRESSED):
            session = up.enter_context(Session.open(folder / f"{kind}.db", time_limit_s=None))
            check(session.evaluate(insert))
            session.forget_history()
            if kind == COMPRESSED:
                ratio = session.compress("log")["log"].ratio
            session.vacuum()
            sessions[kind], sizes[kind] = session, session.sizes().file_bytes
        subjects = [*_reading(sessions), *_writing(up, folder, insert)]
        return Measured(measure(subjects, rounds=rounds), sizes, ratio)


def _reading(sessions: Mapping[str, Session]) -> Iterator[Subject]:
    for kind, session in sessions.items():
        yield Subject(f"{SCAN}, {kind}", lambda session=session: check(session.evaluate(_SCAN)))  # type: ignore[misc]
        yield Subject(
            f"{READ}, {kind}",
            lambda session=session: check(session.evaluate(_READ)),  # type: ignore[misc]
            # Nothing of it is in the VM's caches.
            prepare=lambda session=session: session.restart(),  # type: ignore[misc]
        )


def _writing(up: ExitStack, folder: Path, insert: str) -> Iterator[Subject]:
    numbers = itertools.count()

    def opened(source: str) -> Session:
        path = folder / f"written{next(numbers)}.db"
        session = up.enter_context(Session.open(path, time_limit_s=None))
        check(session.evaluate(source))
        return session

    def subject(name: str, source: str, table: str) -> Subject:
        session = opened("return 1")

        def empty() -> None:
            check(session.evaluate(f"ext.drop('{table}') collectgarbage()"))
            session.forget_history()

        return Subject(name, lambda: check(session.evaluate(source)), prepare=empty)

    yield subject(INSERT, insert, "log")
    for kind, source in _INSERT_LONG.items():
        count = str(LONG)
        name = INSERT_LONG.format(count, "random" if kind == PLAIN else "compressible")
        yield subject(name, source.replace("COUNT", count), "long")
    written = opened(insert)

    def anew() -> None:
        check(written.evaluate(f"ext.drop('log') {insert}"))
        written.forget_history()

    yield Subject(COMPRESS, lambda: written.compress("log"), prepare=anew)


def format_compression(measured: Measured) -> str:
    """Return what is saved, and a table of times."""
    sizes = measured.file_bytes
    rows = [
        [name, format_time(sample.best_s), format_time(sample.median_s)]
        for name, sample in measured.samples.items()
    ]
    return (
        f"{RECORDS:,} records: a file of {sizes[PLAIN]:,} bytes, compressed {sizes[COMPRESSED]:,}: "
        f"{measured.file_ratio:.2f}:1; the strings alone {measured.strings_ratio:.2f}:1\n\n"
        + format_table(["what", "best", "median"], rows)
    )


def judge(measured: Measured) -> tuple[Judgement, ...]:
    """Hold the measured against the bars."""
    return (Judgement(bars.COMPRESSION, 1 / measured.file_ratio),)
