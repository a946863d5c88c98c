"""Repair of damaged files: what is lost is told, everything else comes over."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store, repair
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.helpers import contents, fill, new_store, rows_of, write
from tests.store.repairing import PAGE, damage, filled, repaired, with_bytes
from tests.store.test_store import with_plain_sqlite


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
