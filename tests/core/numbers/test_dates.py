"""The core's calendar and strftime against Python's, and against the platform's in many zones."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from lua_ls_persist.session import Session
from tests.core.numbers.values import SEED, check_same, evaluate, integers, lines, texts_of

# Without %c, %x, %X, %p's names: what a locale could change is tested where the locale is "C".
CONVERSIONS = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%"
SECONDS_PER_YEAR = 31_556_952


def date_texts(session: Session, times: Sequence[int], form: str) -> list[str]:
    return texts_of(session, integers("xs", times), f"os.date('{form}', x)")


def test_utc_dates_match_python(session: Session, rng: random.Random) -> None:
    """Each conversion of C99, for years of four digits."""
    first, last = -30_610_224_000, 253_402_300_799  # 1000-01-01 and 9999-12-31
    times = [first, last, 0, -1, 951_782_400, 4_107_542_400]
    times += [rng.randint(first, last) for _ in range(3000)]
    # Around the turn of years, where the weeks of %G, %U, %V and %W begin and end.
    for year in range(1000, 9999, 3):
        turn = int((year - 1970) * SECONDS_PER_YEAR) // 86400 * 86400
        times += [turn + day * 86400 + rng.randint(0, 86399) for day in (-2, 0, 2)]
    times = [value for value in times if first <= value <= last]
    for conversion in CONVERSIONS:
        if conversion in "nt%Z":
            continue
        got = date_texts(session, times, f"!%{conversion}")
        expected = [time.strftime(f"%{conversion}", time.gmtime(value)) for value in times]
        check_same(times, got, expected)


def test_the_other_conversions(session: Session) -> None:
    text = session.evaluate("os.date('!%n|%t|%%|%Ex|%EY|%Od|%OH|%Z', 0)").values
    assert text == ("\n|\t|%|01/01/70|1970|01|00|UTC",)


def test_dates_of_all_times(session: Session, rng: random.Random) -> None:
    """Any year that a C `int` holds, before our era too."""
    bound = 2**31 * SECONDS_PER_YEAR * 0.99
    times = [rng.randint(-int(bound), int(bound)) for _ in range(10_000)]
    times += [rng.randint(-(10**12), 10**12) for _ in range(20_000)]
    source = f"""{integers("xs", times)}
        local out = {{}}
        for i = 1, #xs do
          local d = os.date("!*t", xs[i])
          out[i] = ("%d %d %d %d %d %d %d %d"):format(
            d.year, d.month, d.day, d.hour, d.min, d.sec, d.wday, d.yday)
        end
        return table.concat(out, "\\n")
    """
    got = evaluate(session, source).decode().split("\n")
    expected = []
    for value in times:
        fields = time.gmtime(value)
        numbers = [*fields[:6], (fields.tm_wday + 1) % 7 + 1, fields.tm_yday]
        expected.append(" ".join(map(str, numbers)))
    check_same(times, got, expected)


def test_os_time_normalizes(session: Session, rng: random.Random) -> None:
    """Fields out of range carry over, as in C's mktime. Local time is whatever this machine has."""
    rows = [
        (
            rng.randint(1950, 2080),
            rng.randint(-30, 40),
            rng.randint(-500, 500),
            rng.randint(-100, 100),
            rng.randint(-1000, 1000),
            rng.randint(-100_000, 100_000),
        )
        for _ in range(5000)
    ]
    rows = [row for row in rows if not near_a_change_of_the_clocks(row)]
    texts = [" ".join(map(str, row)) for row in rows]
    assert texts_of(session, lines("xs", texts), OS_TIME) == [str(python_time(row)) for row in rows]


OS_TIME = """(function(...)
    local n = {...}
    for i = 1, 6 do n[i] = math.tointeger(tonumber(n[i])) end
    local t = { year = n[1], month = n[2], day = n[3], hour = n[4], min = n[5], sec = n[6] }
    return tostring(os.time(t))
end)(x:match('(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)'))"""


def python_time(row: Sequence[int]) -> int:
    return int(time.mktime((*row, 0, 0, -1)))  # type: ignore[arg-type]


def near_a_change_of_the_clocks(row: Sequence[int]) -> bool:
    """Whether such a local time may not exist, or exist twice."""
    moment = python_time(row)
    offsets = {time.localtime(moment + hours * 3600).tm_gmtoff for hours in range(-6, 7)}
    return len(offsets) > 1


ZONES = {
    "New York": "EST5EDT,M3.2.0,M11.1.0",
    "Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "Calcutta": "IST-5:30",
    "Lord Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "Newfoundland": "NST3:30NDT,M3.2.0,M11.1.0",
    "UTC": "UTC0",
}
"""In POSIX notation: needs no zone files."""


@pytest.mark.parametrize("zone", ZONES)
def test_local_time(zone: str) -> None:
    """In a process of its own, for a zone is a process's: runs `compare_local_times` there."""
    code = "from tests.core.numbers import test_dates; test_dates.compare_local_times()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "TZ": ZONES[zone]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {what: wrong[:5] for what, wrong in report.items()} == {what: [] for what in report}


def compare_local_times() -> None:
    """Print where os.date and os.time differ from Python in this process's time zone."""
    rng = random.Random(SEED)
    times = [rng.randint(0, 2**32) for _ in range(3000)]
    # Each quarter of an hour around both changes of the clocks in 2021.
    for day in range(365):
        noon = 1_609_502_400 + day * 86400
        if time.localtime(noon).tm_gmtoff != time.localtime(noon - 86400).tm_gmtoff:
            times += [noon - 86400 + quarter * 900 for quarter in range(97)]
    form = "%Y-%m-%d %H:%M:%S %j %U %a %z"
    rows = [
        (rng.randint(1971, 2037), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), 30, 1)
        for _ in range(3000)
    ]
    rows = [row for row in rows if not near_a_change_of_the_clocks(row)]
    with Session.open(time_limit_s=60.0) as session:
        dates = date_texts(session, times, form)
        texts = [" ".join(map(str, row)) for row in rows]
        seconds = texts_of(session, lines("xs", texts), OS_TIME)
        trips = texts_of(session, integers("xs", times), "tostring(os.time(os.date('*t', x)))")
        summers = texts_of(session, integers("xs", times), "tostring(os.date('*t', x).isdst)")
    wrong_dates = [
        (value, got, expected)
        for value, got in zip(times, dates, strict=True)
        if got != (expected := time.strftime(form, time.localtime(value)))
    ]
    wrong_times = [
        (row, got, expected)
        for row, got in zip(rows, seconds, strict=True)
        if got != (expected := str(python_time(row)))
    ]
    wrong_trips = [(a, b) for a, b in zip(times, trips, strict=True) if str(a) != b]
    wrong_summers = [
        value
        for value, got in zip(times, summers, strict=True)
        if got != ("true" if time.localtime(value).tm_isdst else "false")
    ]
    report = {
        "dates": wrong_dates,
        "times": wrong_times,
        "round trips": wrong_trips,
        "isdst": wrong_summers,
    }
    print(json.dumps(report))


def test_clocks(session: Session) -> None:
    before = time.time()
    now, start, later, difference = session.evaluate(
        "local t = os.time(); local c = os.clock(); return t, c, os.clock(), os.difftime(t + 5, t)"
    ).values
    assert isinstance(now, int)
    assert isinstance(start, float)
    assert isinstance(later, float)
    assert int(before) <= now <= time.time()
    assert 0 <= start <= later
    assert difference == 5.0
