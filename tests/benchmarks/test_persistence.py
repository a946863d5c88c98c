"""The part about persistence: the same rows for all, whole stores, sums and verdicts. No times."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from benchmarks import access, bars, functions, keeping, records
from benchmarks.access import EXTERNAL, PLAIN, Key, above, format_accesses, slowest
from benchmarks.bars import Bar
from benchmarks.measure import Sample
from benchmarks.persistence import Measured, Sizes, format_measured, judge, measure_persistence
from benchmarks.records import PEERS, Contender, Raw, Rows, WrongCountError, rows_added

COUNT = 7
SCHEMA = """
CREATE TABLE settled (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO settled VALUES ('before');
CREATE TABLE entries (
    id INTEGER, value ANY, twice INTEGER GENERATED ALWAYS AS (id * 2), PRIMARY KEY (id)
) STRICT;
CREATE VIEW view_of_entries AS SELECT id FROM entries;
CREATE INDEX entries_by_value ON entries (value);
"""
SCHEMA_OBJECTS = 4
ROWS = [(1, 1.5), (2, "two"), (3, b"\0"), (4, None)]


def fill(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        connection.executemany("INSERT INTO entries (id, value) VALUES (?, ?)", ROWS)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    path = tmp_path / "original.db"
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(SCHEMA)
    return rows_added(path, lambda: fill(path))


def test_the_rows_are_those_that_were_added(rows: Rows) -> None:
    assert dict(rows.added) == {"entries": ROWS}
    assert len(rows.schema) == SCHEMA_OBJECTS


def test_raw_rows_are_the_same_in_the_same_schema(rows: Rows, tmp_path: Path) -> None:
    raw = Raw(len(ROWS), rows)
    raw.open(tmp_path)
    assert raw.count() == 0
    raw.insert()
    assert raw.count() == len(ROWS)
    raw.change(5)
    raw.close()
    with closing(apsw.Connection(str(tmp_path / "raw.db"))) as connection:
        assert list(connection.execute("SELECT id, value, twice FROM entries")) == [
            (number, value, 2 * number) for number, value in ROWS
        ]
        assert connection.execute("SELECT number FROM benchmark").get == 5
        assert connection.execute("PRAGMA journal_mode").get == "wal"


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.__name__)
def test_a_peer_keeps_all_records(kind: type[Contender], tmp_path: Path) -> None:
    peer = kind(COUNT)
    peer.open(tmp_path)
    try:
        assert peer.count() == 0
        peer.insert()
        peer.change(1)
        assert peer.count() == COUNT
    finally:
        peer.close()


def test_sqlite_below_the_peers_is_as_durable_as_ours(tmp_path: Path) -> None:
    full = 2
    dictionary = records.SqliteDict(COUNT)
    dictionary.open(tmp_path)
    assert dictionary._store.conn.select_one("PRAGMA synchronous") == (full,)
    assert dictionary._store.conn.select_one("PRAGMA journal_mode") == ("wal",)
    dictionary.close()
    (tmp_path / "cache").mkdir()
    cache = records.DiskCache(COUNT)
    cache.open(tmp_path / "cache")
    assert cache._cache.sqlite_synchronous == full
    assert cache._cache.sqlite_journal_mode == "wal"
    cache.close()


class Forgetful(records.Shelve):
    name = "forgetful"

    def insert(self) -> None:
        self._shelf["user1"] = None


def test_a_store_that_is_not_complete_is_no_result(tmp_path: Path) -> None:
    place = records._Place(Forgetful(COUNT), tmp_path)
    place.renew()
    place._contender.insert()
    with pytest.raises(WrongCountError, match="forgetful stored 1 of 7 records"):
        place.renew()


def test_each_round_has_an_empty_place(tmp_path: Path) -> None:
    shelf = records.Shelve(COUNT)
    place = records._Place(shelf, tmp_path)
    for _ in range(2):
        place.renew()
        assert shelf.count() == 0
        shelf.insert()
    place.close()
    place.close()


def test_peers_that_are_missing_are_reported_and_left_out(
    monkeypatch: pytest.MonkeyPatch, rows: Rows, tmp_path: Path
) -> None:
    monkeypatch.setattr(records, "rows_of_session", lambda _folder, _count: rows)
    monkeypatch.setitem(sys.modules, "diskcache", None)
    messages: list[str] = []
    names = [
        contender.name for contender in records.contenders(tmp_path, COUNT, report=messages.append)
    ]
    assert records.RAW in names
    assert records.DiskCache.name not in names
    assert [message.partition(":")[0] for message in messages] == ["diskcache is left out"]


def test_what_the_loop_takes_is_taken_off() -> None:
    assert above(5.0, 3.0) == 2.0
    assert 0 < above(1.0, 3.0) < 1e-9


READ = Key("default", access.READ_FIELD, EXTERNAL)
LOOPS = {
    Key(profile, loop.name, kind): Sample((1e-9 * (number + 1) * (3 if kind == EXTERNAL else 1),))
    for number, loop in enumerate(access.LOOPS)
    for profile in access.PROFILES
    for kind in access.KINDS
}


def test_table_of_accesses() -> None:
    lines = format_accesses(LOOPS).splitlines()
    assert len(lines) == 2 + len(access.LOOPS)
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == [access.READ_FIELD, *(["1 ns", "3 ns", "3.00"] * 2)]


def test_an_access_that_only_external_tables_were_timed_for() -> None:
    line = format_accesses({Key("2 MiB", "scan", EXTERNAL): Sample((1e-9,))}).splitlines()[2]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "scan", "", "", "", "", "1 ns", "",
    ]  # fmt: skip


def test_the_slowest_is_of_external_tables() -> None:
    samples = LOOPS | {Key("2 MiB", access.READ_FIELD, PLAIN): Sample((1.0,))}
    assert slowest(samples, access.READS).name == access.READ_ELEMENT
    assert slowest(samples, access.READS).kind == EXTERNAL


def measured(sizes: Sizes) -> Measured:
    """One second for everything outside of the VM."""
    second = Sample((1.0,))
    openings = (keeping.OPEN_WITH_IMAGE, keeping.OPEN_WITHOUT_IMAGE)
    return Measured(
        sizes=sizes,
        loops=LOOPS,
        scans={},
        inserts={records.OURS: Sample((2.0,)), records.RAW: second},
        commits={records.OURS: second, records.RAW: second},
        functions=dict.fromkeys(
            (functions.PERSIST_KNOWN_CODE, functions.PERSIST_NEW_CODE, functions.RESTORE), second
        ),
        evaluations=dict.fromkeys((keeping.NEVER_USED, keeping.USED_FILE), second),
        openings={name.format(sizes.tables[-1]): second for name in openings} | {"close": second},
    )


def test_each_bar_of_persistence_is_judged() -> None:
    judged = {judgement.bar.name: judgement for judgement in judge(measured(Sizes()))}
    assert judged[bars.CACHED_READ.name].value == pytest.approx(6.0)
    assert judged[bars.CACHED_READ_TO_PLAIN.name].verdict == "not reached"
    assert judged[bars.LOGGED_WRITE.name].value == pytest.approx(15.0)
    assert judged[bars.INSERT_TO_RAW.name].value == pytest.approx(2.0)
    assert judged[bars.UNUSED_PERSISTENCE.name].met
    assert not judged[bars.COMMIT.name].met
    others = {bars.PERSIST_CLOSURE, bars.RESTORE_CLOSURE, bars.OPEN_LARGE}
    assert {bar.name for bar in others} < judged.keys()


def test_an_aim_alone_is_reached_or_not() -> None:
    bar = Bar("b", "x", float("inf"), 2.0)
    assert bars.Judgement(bar, 1.9).verdict == "reached"
    assert bars.Judgement(bar, 2.1).verdict == "not reached"
    assert bars.format_judgements([bars.Judgement(bar, 2.1)]).splitlines()[2] == (
        "| b   |    2.1 x |       |   2 | not reached |"
    )


def test_the_whole_part_in_small() -> None:
    sizes = Sizes(loop=100, records=20, tables=(50, 2000), functions=5)
    messages: list[str] = []
    result = measure_persistence(rounds=1, report=messages.append, sizes=sizes)
    assert messages == []
    assert all(min(sample.rounds_s) > 0 for sample in result.samples().values())
    assert len(judge(result)) == 9
    text = format_measured(result)
    for heading in ("Inside the VM", "20 records", "Functions", "Opening and closing"):
        assert f"### {heading}" in text
    assert records.RAW in text
