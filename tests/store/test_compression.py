"""Compression: nobody notices it but the disk, and what is damaged is found and named."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings

from lua_ls_persist.errors import StoreError
from lua_ls_persist.query import parse_aggregate, parse_query
from lua_ls_persist.store import Store, compression, packing, repair
from lua_ls_persist.store.migrations import MIGRATIONS
from lua_ls_persist.store.opening import open_connection
from lua_ls_persist.store.packing import (
    DICTIONARY_MIN,
    DamagedStringError,
    StringPacker,
    method_of,
    trained,
)
from lua_ls_persist.store.recording import HistoryLimits
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE, Text
from lua_ls_persist.store.unpacking import PACKED_STRING
from tests.store.helpers import contents, failing, fill, new_store, write
from tests.store.query_data import ROWS, Made, aggregates, made, queries
from tests.store.test_queries import filled, pages
from tests.store.test_store import with_plain_sqlite

WORDS = ["connection", "timeout", "request", "user", "failed", "status", "retry", "host", "worker"]
LONG = "long " * 1000


def message(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=12)) + f" id={rng.randrange(10**6)}"


def log(store: Store, records: int = 1_000) -> int:
    """A table `log` of records with a message each; its id."""
    rng = random.Random(1)
    with store.transaction():
        table_id = store.root("log", create=True)
        first = store.reserve(records)
        store.apply(
            [
                entry
                for number in range(records)
                for entry in (
                    (table_id, INTEGER, number + 1, TABLE, first + number),
                    (first + number, STRING, "message", STRING, message(rng)),
                    (first + number, STRING, "level", STRING, "info"),
                )
            ],
            new_tables=[(first + number,) for number in range(records)],
        )
    return table_id


def kinds(store: Store) -> dict[int, int]:
    """How many entries of each kind there are whose strings are not as they were written."""
    rows = store._connection.execute(
        "SELECT kind, count(*) FROM entries WHERE kind >= 20 GROUP BY kind"
    )
    return dict(rows)


@pytest.fixture
def everything_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what does not become smaller."""
    monkeypatch.setattr(compression, "SHORT_BYTES_MIN", 0)
    monkeypatch.setattr(packing, "_is_worth_it", lambda _packed, _plain: True)


@pytest.mark.parametrize("text", ["", "a", "x" * 5000, "é" * 300, b"\xff" * 400, b"a\0b" * 50])
@pytest.mark.usefixtures("everything_packed")
def test_a_string_comes_back_as_it_was(text: Text) -> None:
    plain = packing.as_bytes(text)
    sample = [message(random.Random(seed)).encode() for seed in range(500)]
    dictionary = trained(sample, 4096)
    assert dictionary is not None
    for packer in (StringPacker(), StringPacker(DICTIONARY_MIN + 300, dictionary)):
        packed, short = packer.pack(plain), packer.pack_short(plain)
        assert packed is not None
        assert short is not None
        assert packer.unpack(packed) == text
        method, frame = method_of(short)
        assert method == packer.method
        assert packer.unpack_short(frame) == text


def test_what_is_no_compressed_string_is_refused() -> None:
    for packed in (
        b"",
        b"nonsense",
        bytes(40),
        b"\x28\xb5\x2f\xfd" + b"\xff" * 8,
    ):
        with pytest.raises(DamagedStringError):
            StringPacker().unpack(packed)
        with pytest.raises(DamagedStringError):
            StringPacker().unpack_short(packed)
    for packed in (b"", b"\xff" * 20):
        with pytest.raises(DamagedStringError, match="does not say how"):
            method_of(packed)
    assert trained([b"a"], 4096) is None
    assert trained([b"abc" * 100] * 1000, 10) is None


def test_every_damaged_byte_gives_a_string_or_is_refused() -> None:
    rng = random.Random(3)
    packed = StringPacker().pack(LONG.encode())
    assert packed is not None
    for _ in range(2_000):
        damaged = bytearray(packed)
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with suppress(DamagedStringError):
            assert isinstance(StringPacker().unpack(bytes(damaged)), (str, bytes))


def test_long_strings_are_compressed_where_that_helps(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    noise = random.Random(1).randbytes(3_000)
    with new_store(tmp_path) as store:
        write(store, (1, INTEGER, 1, STRING, LONG), (1, INTEGER, 2, STRING, noise))
        assert store.get(1, INTEGER, 1) == (STRING, LONG)
        assert store.get(1, INTEGER, 2) == (STRING, noise)
        assert store.integrity() == []
    rows = with_plain_sqlite(path, "SELECT method, plain_bytes FROM long_strings ORDER BY id")
    assert rows == [(1, 5000), (0, None)]
    rows = with_plain_sqlite(path, "SELECT kind, value FROM full_entries ORDER BY key")
    assert rows == [(4, "(compressed, 5000 bytes)"), (4, noise)]
    with new_store(tmp_path) as store:
        assert store.get(1, INTEGER, 1) == (STRING, LONG)


def test_a_table_is_compressed(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with new_store(tmp_path) as store:
        fill(store)
        table_id = log(store)
        before, state = contents(store), store.state
        assert store.compression(table_id) is None
        ((found_id, found),) = store.compress(
            table_id, on_progress=lambda done, total: told.append((done, total))
        )
        assert found_id == table_id
        assert found == store.compression(table_id)
        assert (found.strings, found.compressed) == (1_000, 1_000)
        assert found.plain_bytes > 2 * found.stored_bytes
        assert kinds(store)[21] == 1_000
        assert {**contents(store), "long_strings": ()} == {**before, "long_strings": ()}
        assert store.state == state  # no data have changed
        assert told[0] == (1_000, 0)
        assert told[-1] == (1_000, 1_000)
        assert store.integrity() == []
        again = store.compress()
        assert dict(again)[table_id] == found
        assert {**contents(store), "long_strings": ()} == {**before, "long_strings": ()}
    view = with_plain_sqlite(
        tmp_path / "session.db", "SELECT DISTINCT value FROM full_entries WHERE key = 'message'"
    )
    assert view == [("(compressed)",)]
    with new_store(tmp_path) as store:
        after = contents(store)
        assert {**after, "long_strings": ()} == {**before, "long_strings": ()}


def test_what_is_written_afterwards_is_plain_until_the_next_time(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        table_id = log(store)
        store.compress(table_id)
        record = store._connection.execute(
            "SELECT value FROM entries WHERE table_id = ? LIMIT 1", (table_id,)
        ).get
        assert isinstance(record, int)
        text = message(random.Random(77))
        write(store, (record, STRING, "message", STRING, text))
        assert kinds(store)[21] == 999
        store.compress(table_id)
        assert kinds(store)[21] == 1_000
        assert store.get(record, STRING, "message") == (STRING, text)
        with store.transaction():
            store.apply(deletes=[(record, STRING, "message")])
        assert store.get(record, STRING, "message") is None
        with store.transaction():
            assert store.drop_root("log")
            store.collect()
        assert kinds(store) == {}
        assert store.compression(table_id) is None
        assert store.integrity() == []


@given(made(), queries(), aggregates)
@settings(max_examples=60, deadline=None)
def test_queries_and_reads_agree_with_and_without(
    made: Made, spec: dict[str, Any], aggregate: dict[str, Any]
) -> None:
    asked = parse_aggregate(aggregate)
    with filled(made) as store, pytest.MonkeyPatch.context() as patch:
        with store.transaction():
            store.name_root("rows", ROWS)
        patch.setattr(compression, "SHORT_BYTES_MIN", 0)
        patch.setattr(packing, "_is_worth_it", lambda _packed, _plain: True)
        before = contents(store)
        rows, groups = pages(store, spec), store.aggregate(ROWS, asked)
        store.compress()
        assert not store._connection.execute(
            "SELECT 1 FROM entries WHERE kind = 4 AND table_id IN (SELECT value FROM entries "
            f"WHERE kind = 7 AND table_id = {ROWS})"
        ).get
        assert pages(store, spec) == rows
        assert store.aggregate(ROWS, asked) == groups
        for fields, options in (
            (["a"], {}),
            (["b", "a"], {}),
            (["a"], {"kind": "hash"}),
            (["a"], {"kind": "text"}),
            (["c"], {"each": True}),
        ):
            store.create_index("rows", [], fields, **options)
        assert pages(store, spec) == rows
        assert store.aggregate(ROWS, asked) == groups
        assert store._wrong_indexes() == []
        assert {**contents(store), "long_strings": ()} == {**before, "long_strings": ()}


@pytest.mark.usefixtures("everything_packed")
def test_the_history_goes_back_and_forth_over_it(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.keep_history(session="s", limits=HistoryLimits(), describe=lambda: ("", b""))
        write(store, (1, STRING, "a", STRING, "first"), (1, STRING, "b", STRING, LONG))
        store.compress()
        write(store, (1, STRING, "a", STRING, LONG), (1, STRING, "b", STRING, "second"))
        store.compress()
        (a,) = [change for change in store.difference(1, 2, 10) if change.place == "Memory.a"]
        assert (a.before, a.after) == ((STRING, "first"), (STRING, LONG))
        with store.transaction():
            assert store.undo() == 2
        assert store.get(1, STRING, "a") == (STRING, "first")
        assert store.get(1, STRING, "b") == (STRING, LONG)
        store.compress()
        with store.transaction():
            assert store.redo() == 2
        assert store.get(1, STRING, "a") == (STRING, LONG)
        assert store.get(1, STRING, "b") == (STRING, "second")
        assert store.integrity() == []


def test_copies_have_it(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        table_id = log(store)
        store.compress(table_id)
        before = contents(store)
        store.backup(tmp_path / "backup.db")
        with store.transaction():
            store.clear_table(table_id)
        store.restore(tmp_path / "backup.db")
        assert contents(store) == before
        with (tmp_path / "export.jsonl").open("w", encoding="utf-8") as file:
            store.export_lines(file)
    with Store.open(None) as other, (tmp_path / "export.jsonl").open(encoding="utf-8") as file:
        with other.transaction():
            other.import_lines(file)
        assert kinds(other) == {}
        assert contents(other)["full_entries"] == before["full_entries"]
    report = repair(tmp_path / "session.db", tmp_path / "repaired.db")
    assert report.lost == ()
    with Store.open(tmp_path / "repaired.db") as other:
        assert contents(other) == before
        assert kinds(other)[21] == 1_000


def test_another_dictionary_under_the_same_number_is_noticed(tmp_path: Path) -> None:
    """After a rollback, and where another session brings a backup of another file back."""
    with new_store(tmp_path) as store, Store.open(tmp_path / "other.db") as other:
        log(other)
        other.compress()
        table_id = log(store, records=3_000)
        before = contents(store)
        store.begin(write=True)
        store.compress(table_id)
        assert contents(store)["full_entries"] == before["full_entries"]
        store.rollback()
        assert kinds(store) == {}
        with store.transaction():
            store.savepoint()
            store.compress(table_id)
            assert contents(store)["full_entries"] == before["full_entries"]
            store.rollback_to()
            store.compress(table_id)
            assert contents(store)["full_entries"] == before["full_entries"]
        other.backup(tmp_path / "backup.db")
        with new_store(tmp_path) as second:
            second.restore(tmp_path / "backup.db")
        assert contents(store)["full_entries"] == contents(other)["full_entries"]
        with Store.open(tmp_path / "third.db") as third:
            log(third, records=2_000)
            third.compress()
            third.backup(tmp_path / "again.db")
            other.restore(tmp_path / "again.db")
            assert contents(third)["full_entries"] == contents(other)["full_entries"]


@pytest.mark.parametrize(
    ("statement", "problem", "message"),
    [
        (
            "DELETE FROM dictionaries",
            "in table 4, the compressed string 'message' cannot be read: its dictionary 2 is miss",
            "the compressed string log[2].message cannot be read, because its dictionary 2 is miss",
        ),
        (
            "UPDATE dictionaries SET content = x'00'",
            "dictionary 2 is damaged",
            "the compressed string log[2].message cannot be read, because its dictionary 2 is dama",
        ),
        (
            "UPDATE entries SET value = x'022005ffffff' WHERE key = 'message'",
            "in table 4, the compressed string 'message' cannot be read: its bytes are damaged",
            "the compressed string log[2].message cannot be read, because its bytes are damaged",
        ),
        (
            "UPDATE entries SET value = x'ffffffffffffffffffff' WHERE key = 'message'",
            "in table 4, the compressed string 'message' cannot be read: it does not say",
            "log[2].message cannot be read, because it does not say how it is compressed",
        ),
    ],
)
def test_what_is_damaged_is_named(
    tmp_path: Path, statement: str, problem: str, message: str
) -> None:
    with new_store(tmp_path) as store:
        table_id = log(store)
        store.compress(table_id)
        store._connection.execute(statement)
        assert [found for found in store.integrity() if found.startswith(problem)] != []
        with pytest.raises(StoreError) as caught:
            store.get(4, STRING, "message")
        assert message in str(caught.value)
        assert "Bring back a copy, or save what can still be read" in str(caught.value)
        with pytest.raises(StoreError, match="cannot be read, because"):
            store.query(table_id, parse_query({"where": ["message", "contains", "x"]}))
        assert store.get(4, STRING, "level") == (STRING, "info")
    report = repair(tmp_path / "session.db", tmp_path / "repaired.db")
    assert len([lost for lost in report.lost if "message: its string is gone" in lost]) > 0
    with Store.open(tmp_path / "repaired.db") as store:
        assert store.integrity() == []
        assert store.get(4, STRING, "level") == (STRING, "info")


def test_a_damaged_long_string_is_named(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, (1, STRING, "text", STRING, LONG), cells=[(9, STRING, LONG)])
        store._connection.execute("UPDATE long_strings SET content = x'28b52ffd00'")
        problems = store.integrity()
        assert any("the compressed long string 1 of 1 cannot be read" in it for it in problems)
        with pytest.raises(StoreError, match=r"string Memory\.text cannot be read, because its by"):
            store.get(1, STRING, "text")
        with pytest.raises(StoreError, match="string number 2 cannot be read"):
            store.cells([9])
        with pytest.raises(StoreError, match=r"string Memory\.text cannot be read"):
            store.compress()
    report = repair(tmp_path / "session.db", tmp_path / "repaired.db")
    assert "Memory.text: its string is gone" in report.lost


def test_what_stops_it_leaves_everything_as_it_was(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(_done: int, total: int) -> None:
        if total:
            raise StoppedError

    with new_store(tmp_path) as store:
        table_id = log(store)
        before = contents(store)
        with pytest.raises(StoppedError):
            store.compress(table_id, on_progress=stop)
        assert kinds(store) == {}
        assert contents(store) == before
        assert store._connection.execute("SELECT count(*) FROM dictionaries").get == 0
        for number in range(1, 40, 3):
            with failing(store, number, apsw.FullError("disk full")) as happened:
                try:
                    store.compress(table_id)
                except StoreError as error:
                    assert "disk is full" in str(error)  # noqa: PT017
            if happened:
                assert kinds(store) == {}
                assert contents(store) == before


def test_a_file_of_before_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("lua_ls_persist.store.opening.MIGRATIONS", MIGRATIONS[:6])
        patch.setattr("lua_ls_persist.store.opening.FORMAT_VERSION", 6)
        connection = open_connection(tmp_path / "session.db", busy_timeout_ms=0).connection
        connection.execute("INSERT INTO long_strings (owner, content) VALUES (1, ?)", (LONG,))
        connection.execute("INSERT INTO entries VALUES (1, 4, 'text', 20, 1)")
        connection.close()
    report = repair(tmp_path / "session.db", tmp_path / "repaired.db")
    assert report.lost == ()
    for name in ("session.db", "repaired.db"):
        with Store.open(tmp_path / name) as store:
            assert store.get(1, STRING, "text") == (STRING, LONG)
            store.compress()
            assert store.get(1, STRING, "text") == (STRING, LONG)
            row = store._connection.execute("SELECT kind, value FROM entries").get
            assert isinstance(row, tuple)
            assert row[0] == PACKED_STRING
            assert store.integrity() == []
