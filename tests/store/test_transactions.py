"""Transactions: snapshots, lost races, savepoints, counters, and what is left after errors."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import StoreChangedError, StoreError
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import INTEGER, STRING
from lua_ls_persist.store.transactions import SAVEPOINTS_MAX
from tests.store.helpers import contents, failing, new_store, open_again, write

ONE = (1, STRING, "x", INTEGER, 1)
TWO = (1, STRING, "x", INTEGER, 2)


def test_a_commit_lasts_and_a_rollback_leaves_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.begin()
    store.apply([ONE])
    inside = store.in_transaction
    assert store.commit()
    assert inside > store.in_transaction
    store.begin()
    store.apply([TWO])
    store.rollback()
    assert not store.in_transaction
    with open_again(store) as store:
        assert store.get(1, STRING, "x") == (INTEGER, 1)


def test_the_state_counts_commits_that_changed_data(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    assert store.state == 0
    store.begin()
    store.get(1, STRING, "x")
    assert not store.commit()
    assert store.state == 0
    store.begin()
    store.reserve(5)
    assert not store.commit()
    assert store.state == 0
    write(store, ONE)
    assert store.state == 1
    store.begin()
    store.apply([TWO])
    store.rollback()
    assert store.state == 1
    with open_again(store) as store:
        assert store.state == 1


def test_what_an_undone_savepoint_changed_does_not_count(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.begin()
        store.savepoint()
        store.apply([ONE])
        store.rollback_to()
        assert not store.commit()
        assert store.state == 0


def test_a_race_that_is_lost_raises_and_can_be_run_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as first, new_store(tmp_path) as second:
        first.begin()
        assert first.get(1, STRING, "x") is None
        write(second, ONE)
        assert first.get(1, STRING, "x") is None  # still its snapshot
        with pytest.raises(StoreChangedError, match="was changed by another session"):
            first.apply([TWO])
        with pytest.raises(StoreError, match="can only be rolled back"):
            first.apply([TWO])
        with pytest.raises(StoreError, match="can only be rolled back"):
            first.commit()
        first.rollback()
        assert first.changed_by_others()
        first.begin()
        assert first.get(1, STRING, "x") == (INTEGER, 1)
        first.apply([TWO])
        assert first.commit()
        assert second.get(1, STRING, "x") == (INTEGER, 2)


def test_a_writer_in_the_way_of_an_upgrade_is_a_lost_race(tmp_path: Path) -> None:
    with new_store(tmp_path) as first, new_store(tmp_path) as second:
        first.begin()
        second.begin(write=True)
        with pytest.raises(StoreChangedError):
            first.reserve(1)
        first.rollback()
        second.rollback()


def test_who_waits_for_the_lock_gets_it_or_hears_about_it(tmp_path: Path) -> None:
    with (
        new_store(tmp_path) as first,
        Store.open(tmp_path / "session.db", busy_timeout_ms=10_000) as second,
    ):
        first.begin(write=True)
        with new_store(tmp_path) as impatient:
            with pytest.raises(StoreError, match="is locked by another program") as caught:
                impatient.begin(write=True)
            assert not isinstance(caught.value, StoreChangedError)
            assert not impatient.in_transaction
        first.apply([ONE])
        # SQLite waits in C; this ends the first transaction meanwhile.
        timer = threading.Timer(0.05, lambda: None)
        timer.start()
        timer.join()
        first.commit()
        second.begin(write=True)
        assert second.changed_by_others()
        second.apply([TWO])
        assert second.commit()


def test_a_transaction_that_was_not_told_of_changes_cannot_write(tmp_path: Path) -> None:
    """Its caller may believe in what it has read before."""
    with new_store(tmp_path) as first, new_store(tmp_path) as second:
        assert not first.changed_by_others()
        write(second, ONE)
        first.begin()
        with pytest.raises(StoreChangedError):
            first.apply([TWO])
        first.rollback()
        first.begin()
        assert first.changed_by_others()
        first.apply([TWO])
        assert first.commit()


def test_changes_by_others_are_told_once(tmp_path: Path) -> None:
    with new_store(tmp_path) as first, new_store(tmp_path) as second:
        assert not first.changed_by_others()
        write(first, ONE)
        assert not first.changed_by_others()
        assert second.changed_by_others()
        write(second, TWO)
        assert first.changed_by_others()
        assert not first.changed_by_others()
        first.begin()
        write_by_sqlite(tmp_path, "UPDATE entries SET value = 9")
        assert not first.changed_by_others()  # not in this snapshot
        first.rollback()
        assert first.changed_by_others()


def write_by_sqlite(folder: Path, statement: str) -> None:
    connection = apsw.Connection(str(folder / "session.db"))
    connection.execute(statement)
    connection.close()


def test_savepoints_nest(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.begin()
        store.apply([(1, INTEGER, 1, INTEGER, 1)])
        store.savepoint()
        store.apply([(1, INTEGER, 2, INTEGER, 2)])
        store.savepoint()
        store.apply([(1, INTEGER, 3, INTEGER, 3)])
        store.rollback_to()
        store.savepoint()
        store.apply([(1, INTEGER, 4, INTEGER, 4)])
        store.release()
        store.savepoint()
        store.release()
        store.release()
        store.savepoint()
        store.apply([(1, INTEGER, 5, INTEGER, 5)])
        store.rollback_to()
        assert store.commit()
        assert [row[1] for row in store.page(1, None, 10, 1000).rows] == [1, 2, 4]


def test_an_upgrade_inside_a_savepoint_outlives_its_rollback(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.begin()
        store.savepoint()
        store.apply([ONE])
        store.rollback_to()
        store.apply([TWO])
        assert store.commit()
        assert store.get(1, STRING, "x") == (INTEGER, 2)


def test_savepoints_end_somewhere(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.begin()
        for _ in range(SAVEPOINTS_MAX):
            store.savepoint()
        with pytest.raises(StoreError, match="nest at most"):
            store.savepoint()
        store.apply([ONE])
        for _ in range(SAVEPOINTS_MAX):
            store.release()
        assert store.commit()


def test_ids_are_given_out_once_whoever_asks(tmp_path: Path) -> None:
    given: list[int] = []
    with new_store(tmp_path) as first, new_store(tmp_path) as second:
        for turn in range(20):
            store = first if turn % 2 else second
            store.begin(write=True)
            start = store.reserve(turn + 1)
            given += range(start, start + turn + 1)
            store.commit()
    assert min(given) == 2
    assert sorted(given) == list(range(2, 2 + len(given)))


def test_ids_that_were_not_committed_are_given_out_again() -> None:
    with Store.open(None) as store:
        store.begin()
        first = store.reserve(10)
        store.rollback()
        store.begin()
        assert store.reserve(10) == first
        store.commit()
        store.begin()
        store.savepoint()
        assert store.reserve(1) == first + 10
        store.rollback_to()
        assert store.reserve(1) == first + 10
        store.rollback()


def test_a_block_is_a_transaction(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        block = store.transaction()
        with pytest.raises(OverflowError), block:
            store.apply([ONE, (1, STRING, "y", INTEGER, 2**64)])
        assert store.get(1, STRING, "x") is None
        with store.transaction():
            store.apply([ONE])
        assert store.get(1, STRING, "x") == (INTEGER, 1)


def test_after_an_error_rollback_works_and_nothing_is_half_there(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, ONE)
        before = contents(store)
        store.begin()
        store.savepoint()
        with pytest.raises(StoreError, match="NOT NULL"):
            store.apply([TWO, (1, STRING, "y", INTEGER, None)])
        with pytest.raises(StoreError, match="can only be rolled back"):
            store.rollback_to()
        store.rollback()
        store.rollback()
        assert contents(store) == before
        assert store.integrity() == []


def test_when_sqlite_has_rolled_back_by_itself_nothing_is_written_anymore(tmp_path: Path) -> None:
    """Each statement would be a transaction of its own."""
    with new_store(tmp_path) as store:
        store.begin()
        store.apply([ONE])
        store._connection.execute("ROLLBACK")  # as after a full disk
        with pytest.raises(StoreError, match="can only be rolled back"):
            store.apply([TWO])
        with pytest.raises(StoreError, match="can only be rolled back"):
            store.commit()
        store.rollback()
        assert store.get(1, STRING, "x") is None
        write(store, TWO)
        assert store.get(1, STRING, "x") == (INTEGER, 2)


def test_a_commit_that_fails_has_not_happened(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.begin()
        store.apply([ONE])
        with (
            failing(store, 2, apsw.IOError("injected")) as run,
            pytest.raises(StoreError, match="Check the disk"),
        ):
            store.commit()
        assert run[1] == "COMMIT"
        store.rollback()
        assert store.state == 0
        assert store.get(1, STRING, "x") is None


def test_in_memory_nobody_else_writes() -> None:
    with Store.open(None) as store:
        write(store, ONE)
        assert not store.changed_by_others()
        store.begin()
        assert not store.changed_by_others()
        store.rollback()
        assert store.state == 1


def test_a_store_in_memory_is_made_when_it_is_used() -> None:
    store = Store.open(None)
    store.rollback()
    assert "_connection" not in vars(store)
    store.close()
    assert "_connection" not in vars(store)


def test_closing_rolls_back(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.begin()
    store.apply([ONE])
    store.close()
    assert not store.in_transaction
    with new_store(tmp_path) as store:
        assert store.get(1, STRING, "x") is None
