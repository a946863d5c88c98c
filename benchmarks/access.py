"""Times single accesses to external tables inside the VM, against plain tables in the same VM.

A loop is timed by the program's own clock, so that the way into the VM and the commit after the
evaluation are not in it. What an empty loop takes is taken off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.evaluate import MIB, check
from benchmarks.measure import Sample, format_table, format_time
from lua_ls_persist.session import MEMORY_LIMIT_BYTES_DEFAULT, Session

PROFILES: Final[Mapping[str, int]] = {"default": MEMORY_LIMIT_BYTES_DEFAULT, "2 MiB": 2 * MIB}
PLAIN, EXTERNAL = "plain", "external"
KINDS: Final = (PLAIN, EXTERNAL)
LARGE_ROUNDS_MAX = 3

READ_FIELD, READ_ELEMENT = "read a field", "read an element"
WRITE_FIELD, WRITE_ELEMENT = "write a field", "write an element"
INSERT = "write a new element"
READS: Final = (READ_FIELD, READ_ELEMENT)
WRITES: Final = (WRITE_FIELD, WRITE_ELEMENT, INSERT)
SCAN_CACHED = "scan (pairs) in the cache, each entry"
SCAN = "scan (pairs), each of {:,} entries"
READ = "read one of {:,} entries"
COLD = ", in a fresh VM"
COLD_READS = 2000
FILL = "fill with {:,} entries, committed"

# Elements are read and written all over a table of 1024, which a cache should hold.
TABLE_ENTRIES = 1024
SETUP = """
local function new()
  local t = { name = 1 }
  for i = 0, 1023 do t[i] = i end
  return t
end
bench = { plain = new() }
Memory.bench = new()
bench.external = Memory.bench
"""


@dataclass(frozen=True, slots=True)
class Loop:
    """One operation, done again and again on the table `t`; `base` is the loop without it."""

    name: str
    body: str
    base: str = ""
    fresh: str | None = None
    """If given, each round has a new table, and this program fills it."""
    count_max: int | None = None
    """The most repetitions, if it matters."""
    operations: int = 1
    """How many operations the body is."""


LOOPS: Final = (
    Loop(READ_FIELD, "x = t.name"),
    Loop(READ_ELEMENT, "x = t[i & 1023]", base="x = i & 1023"),
    Loop(WRITE_FIELD, "t.name = i"),
    Loop(WRITE_ELEMENT, "t[i & 1023] = i", base="x = i & 1023"),
    # So few that nothing is flushed meanwhile; `FILL` tells what that costs.
    Loop(INSERT, "t[i] = i", fresh="", count_max=TABLE_ENTRIES),
    Loop(
        SCAN_CACHED,
        "for _, value in pairs(t) do x = value end",
        fresh=f"for i = 1, {TABLE_ENTRIES} do t[i] = i end",
        operations=TABLE_ENTRIES,
    ),
)

TIMED_LOOP = """
local t, n = ...
local clock, x = os.clock, nil
local start = clock()
for i = 1, n do %s end
return clock() - start
"""

TIMED_SCAN = """
local clock, count = os.clock, 0
local start = clock()
for key, value in pairs(%s) do count = count + 1 end
local seconds = clock() - start
assert(count == %d, count)
return seconds
"""

# The steps are coprime to any count that is a power of ten: no entry is read twice.
TIMED_COLD_READS = """
local big, clock, x = Memory.%s, os.clock, nil
local start = clock()
for i = 1, %d do x = big[i * 7919 %% %d + 1] end
return clock() - start
"""


@dataclass(frozen=True, slots=True)
class Key:
    """What a sample is of."""

    profile: str
    name: str
    kind: str


AccessSamples = dict[Key, Sample]


def seconds_in_vm(session: Session, source: str) -> float:
    """Return the number that a program returns."""
    evaluation = session.evaluate(source, mode="chunk", time_limit_s=None)
    check(evaluation)
    return float(str(evaluation.values[0]))


def measure_loops(folder: Path, *, count: int, rounds: int) -> AccessSamples:
    """Time each operation, in both profiles, on plain and external tables."""
    taken: dict[Key, list[float]] = {}
    with ExitStack() as stack:
        sessions = {
            profile: stack.enter_context(_open(folder / f"loops {profile}.db", limit))
            for profile, limit in PROFILES.items()
        }
        for session in sessions.values():
            check(session.evaluate(SETUP))
            for body in _bodies():
                chunk = f"bench[{body!r}] = assert(load([==[{TIMED_LOOP % body}]==]))"
                check(session.evaluate(chunk))
        for round_number in range(rounds + 1):
            for profile, session in sessions.items():
                for key, seconds in _one_round(profile, session, count):
                    if round_number > 0:
                        taken.setdefault(key, []).append(seconds)
    return _without_bases(taken)


def _bodies() -> set[str]:
    return {loop.body for loop in LOOPS} | {loop.base for loop in LOOPS}


def _one_round(profile: str, session: Session, count: int) -> Iterator[tuple[Key, float]]:
    """Yield the seconds of each loop by operation, and of the empty ones by their text."""
    for base in sorted({loop.base for loop in LOOPS}):
        seconds = seconds_in_vm(session, f"return bench[{base!r}](nil, {count})")
        yield Key(profile, base, ""), seconds / count
    for loop in LOOPS:
        for kind in KINDS:
            n = max(1, count // loop.operations)
            if loop.count_max is not None:
                n = min(n, loop.count_max)
            if loop.fresh is not None:
                adopt = "Memory.fresh = t" if kind == EXTERNAL else ""
                check(session.evaluate(f"local t = {{}} bench.fresh = t {adopt} {loop.fresh}"))
            table = f"bench.{kind}" if loop.fresh is None else "bench.fresh"
            source = f"local t, run = {table}, bench[{loop.body!r}] "
            if loop.fresh is None:
                source += f"run(t, {TABLE_ENTRIES}) "  # what another round has pushed out is back
            source += f"return run(t, {n})"
            seconds = seconds_in_vm(session, source) / n / loop.operations
            yield Key(profile, loop.name, kind), seconds


def _without_bases(taken: Mapping[Key, Sequence[float]]) -> AccessSamples:
    samples: AccessSamples = {}
    for profile in PROFILES:
        for loop in LOOPS:
            base_s = min(taken[Key(profile, loop.base, "")])
            for kind in KINDS:
                key = Key(profile, loop.name, kind)
                samples[key] = Sample(tuple(above(seconds, base_s) for seconds in taken[key]))
    return samples


def above(seconds: float, base_s: float) -> float:
    """Return how much longer something took; at least a tenth of a nanosecond, for ratios."""
    return max(seconds - base_s, 1e-10)


def measure_scans(folder: Path, counts: Sequence[int], *, rounds: int) -> AccessSamples:
    """Time iterating over tables of so many entries; the last and largest is filled by the clock.

    The sessions' files stay in the folder, see `large_path`.
    """
    samples: dict[Key, list[float]] = {}
    *small, large = counts
    with ExitStack() as stack:
        sessions = {}
        for profile, limit in PROFILES.items():
            session = stack.enter_context(_open(large_path(folder, profile), limit))
            sessions[profile] = session
            for count in counts:
                filled = session.evaluate(_fill(f"Memory.{table(count)}", count), time_limit_s=None)
                check(filled)
            samples[Key(profile, FILL.format(large), EXTERNAL)] = [filled.duration_s]
        for round_number in range(rounds + 1):
            for profile, session in sessions.items():
                scanned = counts if 0 < round_number <= LARGE_ROUNDS_MAX else small
                for key, seconds in _one_scan_round(profile, session, scanned, large):
                    if round_number > 0:
                        samples.setdefault(key, []).append(seconds)
    return {key: Sample(tuple(values)) for key, values in samples.items()}


def _one_scan_round(
    profile: str, session: Session, counts: Sequence[int], large: int
) -> Iterator[tuple[Key, float]]:
    for count in counts:
        name = SCAN.format(count)
        scan = TIMED_SCAN % (f"Memory.{table(count)}", count)
        _start_fresh(session)
        yield Key(profile, name + COLD, EXTERNAL), seconds_in_vm(session, scan) / count
        yield Key(profile, name, EXTERNAL), seconds_in_vm(session, scan) / count
        if count < large or PROFILES[profile] > 2 * MIB:  # a plain table has to fit
            check(session.evaluate(_fill("plain", count), time_limit_s=None))
            plain_s = seconds_in_vm(session, TIMED_SCAN % ("plain", count)) / count
            yield Key(profile, name, PLAIN), plain_s
            check(session.evaluate("plain = nil"))
    if large in counts:
        reads = min(large, COLD_READS)
        _start_fresh(session)
        seconds = seconds_in_vm(session, TIMED_COLD_READS % (table(large), reads, large))
        yield Key(profile, READ.format(large) + COLD, EXTERNAL), seconds / reads


def table(count: int) -> str:
    """Return the key of the table of so many entries in `Memory`."""
    return f"t{count}"


def large_path(folder: Path, profile: str) -> Path:
    """Return the file of the session whose tables were filled under this profile."""
    return folder / f"large {profile}.db"


def _fill(name: str, count: int) -> str:
    return f"{name} = {{}} local t = {name} for i = 1, {count} do t[i] = i end"


def _start_fresh(session: Session) -> None:
    """Let the VM know nothing of the store any more; what it sets up at first is done too."""
    session.restart()
    check(session.evaluate("return Memory ~= nil"))


def _open(path: Path, memory_limit_bytes: int) -> Session:
    return Session.open(path, memory_limit_bytes=memory_limit_bytes)


def format_accesses(samples: AccessSamples) -> str:
    """Return a table: a row an operation; each profile's plain and external time, and the ratio."""
    header = ["operation"]
    for profile in PROFILES:
        header += [f"{profile}: plain", "external", "ratio"]
    rows = []
    for name in dict.fromkeys(key.name for key in samples):
        row = [name]
        for profile in PROFILES:
            plain, external = (samples.get(Key(profile, name, kind)) for kind in KINDS)
            row += [
                "" if plain is None else format_time(plain.best_s),
                "" if external is None else format_time(external.best_s),
                ""
                if plain is None or external is None
                else f"{external.best_s / plain.best_s:.2f}",
            ]
        rows.append(row)
    return format_table(header, rows)


def slowest(samples: AccessSamples, names: Sequence[str]) -> Key:
    """Return which of these operations on external tables takes longest, of all profiles."""
    keys = [key for key in samples if key.name in names and key.kind == EXTERNAL]
    return max(keys, key=lambda key: samples[key].best_s)
