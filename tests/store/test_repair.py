"""Repair: everything that can be read comes over, and the result is sound."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.schema import type_of
from lua_ls_persist.store import Repaired, Store, repair
from lua_ls_persist.store.rows import FLOAT, FUNCTION, INTEGER, STRING, TABLE
from lua_ls_persist.store.salvage import DamagedError, DatabaseFile
from tests.store.helpers import BYTECODE, contents, fill, new_code, new_store, rows_of, write
from tests.store.test_store import with_plain_sqlite
from tests.store.test_values import SCALARS, VALUES

PAGE = 4096


def filled(folder: Path, records: int = 300) -> tuple[Path, dict[str, list[tuple[Any, ...]]]]:
    """A file with some of everything, and what is in it."""
    with new_store(folder) as store:
        fill(store)
        with store.transaction():
            first = store.reserve(records + 100)
            ids = range(first, first + records)
            store.apply(
                [
                    *[(4, INTEGER, key, TABLE, key) for key in ids],
                    *[(key, STRING, "name", STRING, f"record {key}") for key in ids],
                    *[(key, STRING, "text", STRING, f"{key} " * 100) for key in ids],
                    *[(3, *key, INTEGER, 1) for key in SCALARS if key[0] != FUNCTION],
                    *[
                        (4, FLOAT, index + 0.5, *value)
                        for index, value in enumerate(VALUES)
                        if value[0] != FUNCTION
                    ],
                    (4, STRING, "huge", STRING, "huge " * 100_000),
                    (4, STRING, "key " * 5_000, INTEGER, 1),
                ],
                new_tables=[(key,) for key in ids],
            )
            for number in range(50):
                code = new_code(
                    number,
                    bytecode=BYTECODE * (number % 4),
                    text=f"return {number}\n" * number * 10,
                )
                function = first + records + number
                store.define_function(function, store.define_code(code), [11])
                store.apply([(4, STRING, f"f{number}", FUNCTION, function)])
        assert store.integrity() == []
        everything = contents(store)
        store.checkpoint()
    return folder / "session.db", everything


def repaired(path: Path) -> tuple[Repaired, dict[str, list[tuple[Any, ...]]]]:
    target = path.with_name("repaired.db")
    target.unlink(missing_ok=True)
    report = repair(path, target)
    with Store.open(target) as store:
        wrong = store.integrity()
        everything = contents(store)
        recovered = store.root("recovered", create=False)
    # What leads nowhere gets a name; that is not of the damaged file, and has a test of its own.
    for table, column in (("full_entries", 0), ("roots", 1)):
        everything[table] = [row for row in everything[table] if row[column] != recovered]
    # Damaged code stays, to be compiled again from its source.
    assert set(wrong) <= set(report.lost)
    assert [problem for problem in wrong if not problem.startswith("code ")] == []
    assert not list(path.parent.glob(".repair*"))
    return report, everything


def damage(path: Path, *pages: int) -> None:
    content = bytearray(path.read_bytes())
    for page in pages:
        content[(page - 1) * PAGE : page * PAGE] = b"\xff" * PAGE
    path.write_bytes(content)


def test_a_sound_file_comes_over_whole(tmp_path: Path) -> None:
    path, before = filled(tmp_path)
    kept = path.read_bytes()
    report, after = repaired(path)
    assert report.lost == ()
    assert after == before
    assert report.entries == len(before["full_entries"])
    assert report.tables == len(before["tables"])
    assert report.functions == 51
    assert path.read_bytes() == kept
    meta = with_plain_sqlite(tmp_path / "repaired.db", "SELECT name FROM meta ORDER BY name")
    assert ("repaired_utc",) in meta


def test_what_is_in_the_log_only_comes_over(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    fill(store)
    before = contents(store)
    for name in ("session.db", "session.db-wal"):
        shutil.copyfile(tmp_path / name, tmp_path / f"copy-{name}")
    store.close()
    report, after = repaired(tmp_path / "copy-session.db")
    assert report.lost == ()
    assert after == before


def test_ids_go_on_where_they_were(tmp_path: Path) -> None:
    with new_store(tmp_path) as store, store.transaction():
        store.reserve(5000)
    repaired(tmp_path / "session.db")
    with Store.open(tmp_path / "repaired.db") as store, store.transaction():
        assert store.reserve(1) == 5002


def pages_of(path: Path) -> dict[str, list[int]]:
    """Which pages belong to what."""
    found: dict[str, list[int]] = {}
    connection = apsw.Connection(str(path))
    for name, page in connection.execute("SELECT name, pageno FROM dbstat ORDER BY pageno"):
        found.setdefault(str(name), []).append(int(page))
    connection.close()
    return found


@pytest.mark.slow
def test_each_page_damaged_in_turn(tmp_path: Path) -> None:
    path, before = filled(tmp_path, records=60)
    content = path.read_bytes()
    everything = {name: set(map(repr, rows)) for name, rows in before.items()}
    count = len(content) // PAGE
    whole = 0
    for page in range(1, count + 1, 2):
        path.write_bytes(content)
        damage(path, page)
        report, after = repaired(path)
        for name in ("roots", "functions", "code", "sources"):
            assert set(map(repr, after[name])) <= everything[name] | set(_lost_sources(after))
        for row in after["full_entries"]:
            assert repr(row) in everything["full_entries"]
        missing = len(before["full_entries"]) - len(after["full_entries"])
        assert missing <= 200  # so many fit into a page
        # What is missing is told, except for what was not in use.
        if after != before:
            assert report.lost != (), page
        whole += after == before
    assert whole > 0


def _lost_sources(after: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    return [repr(row) for row in after["sources"] if row[2] == "=?"]


def test_indexes_are_made_anew(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        for definition in ({"unique": True}, {"kind": "hash"}, {"kind": "text"}):
            store.create_index("users", [], ["name"], **definition)
        store.create_index("users", [], ["age"], unique=True)
        indexes = store.indexes()
        store._connection.execute(
            "INSERT INTO indexes VALUES (9, '[1]', 1, '[\"a\"]', 'hash', 0, 0, 2)"
        )
        # By hand, so that two rows have the same.
        users = store.root("users", create=False)
        store._connection.execute("INSERT INTO entries VALUES (?, 4, 'bob', 7, 3)", (users,))
    found = repair(tmp_path / "session.db", tmp_path / "new.db")
    assert [sentence.partition(":")[0] for sentence in found.lost] == [
        "index 9, which makes no sense",
        "that users(name) is unique",
        "that users(age) is unique",
    ]
    with Store.open(tmp_path / "new.db") as store:
        assert store.integrity() == []
        assert [(it.name, it.kind, it.unique) for it in store.indexes()] == [
            (it.name, it.kind, False) for it in indexes
        ]
        assert [store.index_rows(it) for it in store.indexes()] == [2, 2, 2, 2]


def test_schemas_are_brought_over(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        with store.transaction():
            store.set_schema(["users"], type_of({"fields": {"name": "string"}}))
            store.set_schema(["Memory", "list"], type_of("integer"))
        users = store.root("users", create=False)
        # By hand, so that a row does not follow, and a definition makes no sense.
        store._connection.execute("INSERT INTO entries VALUES (?, 4, 'bob', 2, 3)", (users,))
        store._connection.execute("INSERT INTO schemas VALUES (9, '[1]', '{}', NULL)")
    with new_store(tmp_path) as store:
        (problem,) = store.integrity()
        assert problem.startswith("schema 9 makes no sense, and is not kept to: its path is no")
    found = repair(tmp_path / "session.db", tmp_path / "new.db")
    assert found.lost == (
        "schema 9, which makes no sense",
        "the schema of users: users.bob: expected table, got integer 3",
    )
    with Store.open(tmp_path / "new.db") as store:
        assert store.integrity() == []
        assert [schema.path for schema in store.schemas()] == ["Memory.list"]


def with_bytes(path: Path, old: bytes, new: bytes) -> None:
    """Damages the file where it has `old`."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def test_a_text_with_a_wrong_bit_is_kept_as_bytes(tmp_path: Path) -> None:
    path, _ = filled(tmp_path)
    with_bytes(path, b"record 130", b"recor\xe4 130")
    report, after = repaired(path)
    assert (STRING, b"recor\xe4 130") in [row[3:] for row in after["full_entries"]]
    assert report.lost == ("a text of the table entries, which is bytes now: b'recor\\xe4 130'",)


def test_what_has_lost_its_name_gets_another_one(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with new_store(tmp_path) as store:
        with store.transaction():
            users = store.root("the users", create=True)
            row, ring, other = (store.reserve(1) for _ in range(3))
            store.apply(
                [
                    (users, STRING, "ann", TABLE, row),
                    (row, STRING, "name", STRING, "Ann"),
                    (ring, STRING, "next", TABLE, other),
                    (other, STRING, "next", TABLE, ring),
                    (users, STRING, "ring", TABLE, ring),
                ],
                new_tables=[(row,), (ring,), (other,)],
            )
        store.checkpoint()
    with_bytes(path, b"the users", b"the us\xe4rs")
    target = tmp_path / "repaired.db"
    report = repair(path, target)
    assert "what led to 1 tables and functions: they are in the table recovered now" in report.lost
    with Store.open(target) as store:
        recovered = store.root("recovered", create=False)
        assert store.get(recovered, INTEGER, users) == (TABLE, users)
        assert store.get(row, STRING, "name") == (STRING, "Ann")
        assert store.collect().tables == 0
        assert store.integrity() == []


def test_a_page_above_others_takes_nothing_with_it(tmp_path: Path) -> None:
    """The pages below are found without it."""
    path, before = filled(tmp_path, records=2000)
    root = with_plain_sqlite(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'entries'")[0][
        0
    ]
    assert isinstance(root, int)
    damage(path, root)
    with pytest.raises(StoreError), Store.open(path) as store:
        rows_of(store, 4)
    report, after = repaired(path)
    lost = len(before["full_entries"]) - len(after["full_entries"])
    assert 0 < lost < 200  # those that were in that page
    assert report.lost != ()
    assert after["functions"] == before["functions"]


def test_without_its_table_of_contents_much_is_found_by_its_looks(tmp_path: Path) -> None:
    path, before = filled(tmp_path)
    damage(path, 1)
    with pytest.raises(StoreError):
        Store.open(path)
    report, after = repaired(path)
    assert after["full_entries"] == before["full_entries"]
    assert after["roots"] == before["roots"]
    assert after["code"] == before["code"]
    assert after["full_cells"] == before["full_cells"]
    assert any("table of contents" in lost for lost in report.lost)


@pytest.mark.parametrize("share", [0.02, 0.25, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path: Path, share: float) -> None:
    path, before = filled(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    report, after = repaired(path)
    assert report.lost != ()
    known = set(map(repr, before["full_entries"]))
    assert {repr(row) for row in after["full_entries"]} <= known
    if share > 0.9:
        assert len(after["full_entries"]) > len(known) / 2


def test_deleted_rows_do_not_come_back(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, *[(1, INTEGER, key, STRING, "deleted " * 10) for key in range(2000)])
        with store.transaction():
            store.clear_table(1)
        write(store, (1, STRING, "x", INTEGER, 1))
        before = contents(store)
        assert store.sizes().free_bytes > 100_000
    report, after = repaired(tmp_path / "session.db")
    assert after == before
    assert report.lost == ()


def test_random_damage_never_stops_a_repair(tmp_path: Path) -> None:
    path, before = filled(tmp_path, records=40)
    content = path.read_bytes()
    everything = set(map(repr, before["full_entries"]))
    rng = random.Random(7)
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 10, 200])):
            at = rng.randrange(len(damaged))
            damaged[at] = rng.randrange(256)
        path.write_bytes(damaged)
        _, after = repaired(path)
        found = sum(repr(row) in everything for row in after["full_entries"])
        assert found > len(everything) / 4


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("DELETE FROM tables WHERE id = 4", "the metatable of table 3"),
        ("DELETE FROM tables WHERE id = 77", None),
        ("DELETE FROM long_strings WHERE owner = 1", "Memory[false]: its string is gone"),
        ("DELETE FROM functions WHERE id = 10", "Memory.hit: its function is gone"),
        ("DELETE FROM code WHERE id = 1", "the code of function 10: it is left out"),
        ("DELETE FROM sources WHERE id = 1", "the source of code 1"),
        ("DELETE FROM cells WHERE id = 11", "an upvalue of function 10: it is nil now"),
        ("UPDATE cells SET value = 999 WHERE id = 14", "the value of upvalue cell 14: it is nil"),
        ("UPDATE entries SET kind = 77 WHERE key = 'greeting'", "Memory.greeting: it is of no kn"),
        (
            "UPDATE entries SET value = 999 WHERE key = 'ann'",
            "the content of users.ann, if there was any: it is an empty table now",
        ),
        ("UPDATE tables SET metatable = 999 WHERE id = 3", "the metatable of table 3"),
        ("UPDATE counters SET value = 1", None),
        ("DELETE FROM roots", None),
        (
            "UPDATE entries SET table_id = 11 WHERE key = 'greeting'",
            "Memory.hit (upvalue n).greeting: it belongs to no table",
        ),
        ("UPDATE entries SET value = 11 WHERE key = 'ann'", "users.ann: it refers to no table"),
        ("INSERT INTO tables VALUES (10, NULL)", None),
        (
            "INSERT INTO entries VALUES (12, 2, 1, 2, 1); INSERT INTO tables VALUES (12, NULL)",
            "function 10: the id of its upvalue is that of something else",
        ),
        (
            "INSERT INTO entries VALUES (10, 2, 1, 2, 1); INSERT INTO tables VALUES (10, NULL)",
            "function 10: its id is that of something else",
        ),
        ("DELETE FROM counters", None),
    ],
)
def test_what_does_not_fit_together_is_mended_and_told(
    tmp_path: Path, statement: str, lost: str | None
) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        store._connection.execute(statement)
    report, _ = repaired(tmp_path / "session.db")
    if lost is None:
        assert report.lost == ()
    else:
        assert [told for told in report.lost if told.startswith(lost)] != []


def test_what_cannot_be_repaired_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no file"):
        repair(tmp_path / "missing.db", tmp_path / "new.db")
    fill_path, _ = filled(tmp_path, records=1)
    with pytest.raises(StoreError, match="is there already"):
        repair(fill_path, fill_path)
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty: there is nothing to repair"):
        repair(tmp_path / "empty.db", tmp_path / "new.db")
    with pytest.raises(StoreError, match="cannot be repaired into"):
        repair(fill_path, tmp_path / "missing" / "new.db")
    with_plain_sqlite(fill_path, "PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="has format 99, made by a newer lua-ls-persist"):
        repair(fill_path, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("content", [b"\0", b"x" * 5000, b"\x0d" * 5000, b"\x0a" * 100_000])
def test_something_else_is_an_empty_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.db"
    path.write_bytes(content)
    report, after = repaired(path)
    assert report.lost != ()
    assert after["full_entries"] == []


def test_the_reader_reads_what_sqlite_writes(tmp_path: Path) -> None:
    """All types and sizes of values, in tables of both sorts."""
    path = tmp_path / "plain.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA page_size = 512")
    connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, v ANY) STRICT")
    connection.execute("CREATE TABLE b (k ANY PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID")
    values: list[Any] = [None, 0, 1, 0.5, "", "x", b"", b"\0\xff"]
    values += [
        sign * 2**bits + off for bits in range(0, 63, 7) for sign in (1, -1) for off in (0, 1)
    ]
    values += ["ü" * size for size in range(0, 3000, 37)]
    rows = list(enumerate(values, -20))
    connection.executemany("INSERT INTO a VALUES (?, ?)", rows)
    connection.executemany("INSERT INTO b VALUES (?, ?)", rows)
    connection.close()
    file = DatabaseFile(path.read_bytes())
    found: list[list[Any]] = []
    for root in (2, 3):
        found.append([])
        for _, page in file.walk(root):
            assert not isinstance(page, str)
            assert page.damages == []
            for record in page.records:
                key = record.columns[0] if record.rowid is None else record.rowid
                found[-1].append((key, record.columns[1]))
    assert sorted(found[0]) == sorted(found[1]) == rows
    with pytest.raises(DamagedError, match="beyond the end"):
        file.page(10_000)


def test_a_row_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        store._connection.execute("PRAGMA writable_schema = ON")
        store._connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'cells'"
        )
    with closing(apsw.Connection(str(tmp_path / "session.db"))) as connection:
        connection.execute("INSERT INTO cells VALUES (700, 'no kind', 1)")
    found = repair(tmp_path / "session.db", tmp_path / "new.db")
    assert any(
        line.startswith("a row of the table cells that makes no sense: ") for line in found.lost
    )


def test_a_full_disk_ends_the_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that the new file has no room for are not left out as if they were damaged."""
    with new_store(tmp_path) as store:
        fill(store)
        with store.transaction():
            store.apply([(1, STRING, f"k{n}", STRING, "x" * 800) for n in range(500)])
    opened = Store.open

    def small(path: Path, **options: Any) -> Store:
        store = opened(path, **options)
        if path.name == "new.db":
            connection = store._connection
            connection.pragma("max_page_count", connection.pragma("page_count") + 20)
        return store

    monkeypatch.setattr(Store, "open", small)
    with pytest.raises(StoreError, match="the disk is full"):
        repair(tmp_path / "session.db", tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
