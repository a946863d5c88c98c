"""Collection in steps while evaluations and others write; what others have collected."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.model import Collected
from lua_ls_persist.store import Store, collect
from lua_ls_persist.store.rows import FUNCTION, INTEGER, STRING, TABLE, StoredImage
from tests.store.collecting import ONE, chain, collect_in_steps, no_extra_roots, ready, tables_of
from tests.store.helpers import new_code, new_store, write

# Step by step, with evaluations in between


def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(collect, "IDS_AT_ONCE", 2)


def test_what_an_evaluation_attaches_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is attached was looked into before; where it was is looked into too late."""
    small_steps(monkeypatch)
    for steps in range(60):
        with ready(Store.open(None)) as store:
            chain(store, 1, *range(10, 30))
            chain(store, 29, 40, 41, key="last")
            for _ in range(steps):
                assert store.collect_step(no_extra_roots, budget_ms=0) is None or steps > 20
            with store.transaction():
                store.apply(
                    [(1, STRING, "moved", TABLE, 40), (41, STRING, "new", TABLE, 50)],
                    deletes=[(29, STRING, "last")],
                    new_tables=[(50,)],
                    cells=[(61, TABLE, 52)],
                )
                store.define_function(60, store.define_code(new_code()), [61])
                store.apply([(1, STRING, "f", FUNCTION, 60)], new_tables=[(52,)])
                store.root("users", create=True)
            collect_in_steps(store, budget_ms=0)
            collect_in_steps(store)
            assert {40, 41, 50, 52} <= tables_of(store)
            assert store.integrity() == []


def test_an_evaluation_that_is_rolled_back_changes_nothing_for_the_collection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_steps(monkeypatch)
    for steps in range(40):
        with Store.open(None) as store:
            chain(store, 1, *range(10, 20))
            chain(store, 100, 101)
            for _ in range(steps):
                store.collect_step(no_extra_roots, budget_ms=0)
            store.begin()
            store.apply([(10, STRING, "x", TABLE, 15)], new_tables=[(200,)])
            store.rollback()
            collect_in_steps(store, budget_ms=0)
            assert tables_of(store) == {1, *range(10, 20)}


def test_what_another_session_attaches_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    for steps in range(0, 50, 3):
        folder = tmp_path / str(steps)
        folder.mkdir()
        with ready(new_store(folder)) as store, new_store(folder) as other:
            chain(store, 1, *range(10, 20))
            chain(store, 19, 40, 41, key="last")
            chain(store, 60, 61)
            for _ in range(steps):
                store.collect_step(no_extra_roots, budget_ms=0)
            other.changed_by_others()
            try:
                write(other, (1, STRING, "moved", TABLE, 40), deletes=[(19, STRING, "last")])
            except StoreError as error:
                pytest.fail(str(error))
            collect_in_steps(store, budget_ms=0)
            assert tables_of(store) == {1, *range(10, 20), 40, 41}
            assert other.get(1, STRING, "moved") == (TABLE, 40)
            assert store.integrity() == []


def test_a_collection_that_is_always_disturbed_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    with ready(new_store(tmp_path)) as store, new_store(tmp_path) as other:
        chain(store, *range(50, 70))
        for turn in range(50):
            other.changed_by_others()
            write(other, (1, INTEGER, 1, INTEGER, turn))
            collected = store.collect_step(no_extra_roots, budget_ms=0)
            if collected is not None:
                break
        else:
            pytest.fail("it does not come to an end")
        assert collected == Collected()
        assert collect_in_steps(store).tables == 20


def test_another_sessions_image_is_noticed_at_the_last_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    for steps in range(0, 30, 2):
        folder = tmp_path / str(steps)
        folder.mkdir()
        with ready(new_store(folder)) as store, new_store(folder) as other:
            chain(store, 50, 51, 52, 53, 54, 55)
            finished = False
            for _ in range(steps):
                finished = store.collect_step(no_extra_roots, budget_ms=0) is not None or finished
            before = tables_of(store)
            picture = StoredImage(bytes(32), other.state, 0, (), b"", references=tuple(before))
            assert other.save_image(picture)
            collect_in_steps(store, budget_ms=0)
            assert tables_of(store) == before


def test_own_images_do_not_delay_a_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51, 52, 53)
        for _ in range(100):
            if store.collect_step(lambda: (50,), budget_ms=0) is not None:
                break
            picture = StoredImage(bytes(32), store.state, 0, (), b"", references=(50,))
            assert store.save_image(picture)
        else:
            pytest.fail("it does not come to an end")


def test_an_image_outlives_a_collection(tmp_path: Path) -> None:
    """All it refers to is still there, so the data are for it as they were."""
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51)
        chain(store, 60, 61)
        store.save_image(StoredImage(bytes(32), store.state, 0, (), b"", references=(50,)))
        state = store.state
        assert collect_in_steps(store).tables == 2
        assert store.state == state + 1
        loaded = store.load_image(bytes(32))
        assert isinstance(loaded, StoredImage)
        assert loaded.state == state + 1


def test_a_step_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    with Store.open(tmp_path / "session.db", busy_timeout_ms=60_000) as store:
        chain(store, 50, 51)
        with new_store(tmp_path) as other:
            other.begin(write=True)
            begun = time.monotonic()
            for _ in range(5):
                assert store.collect_step(no_extra_roots) is None
            assert time.monotonic() - begun < 5
        assert collect_in_steps(store).tables == 2


def test_steps_are_short(tmp_path: Path) -> None:
    with ready(new_store(tmp_path)) as store:
        for first in range(0, 100_000, 10_000):
            write(
                store,
                *[(2, INTEGER, key, INTEGER, key) for key in range(first, first + 10_000)],
                *[(key + 10, STRING, "x", TABLE, key + 11) for key in range(first, first + 10_000)],
                new_tables=[(2,), *[(key + 10,) for key in range(first, first + 10_000)]],
            )
        longest, steps = 0.0, 0
        while True:
            begun = time.process_time()  # What others run meanwhile does not count.
            collected = store.collect_step(no_extra_roots, budget_ms=5)
            longest = max(longest, time.process_time() - begun)
            steps += 1
            if collected is not None:
                break
        assert collected.tables == 100_001
        assert steps > 10
        assert longest < 2  # tens of milliseconds


def test_malformed_images_do_not_hinder(tmp_path: Path) -> None:
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51)
        store.save_image(StoredImage(bytes(32), store.state, 0, (), b"", references=(50,)))
        store._connection.execute("UPDATE images SET refers_to = '[', codes = 'x'")
        assert store.collect().tables == 2


# What others have collected


def test_what_another_session_has_removed_is_not_stored_again(tmp_path: Path) -> None:
    """Only this session's program still holds table 50; it would refer to nothing."""
    with ready(new_store(tmp_path)) as store, new_store(tmp_path) as other:
        chain(store, 50, 51)
        with store.transaction():
            store.define_function(60, store.define_code(new_code()), [])
        other.collect()
        for entry in (
            (1, STRING, "x", TABLE, 50),
            (1, TABLE, 50, INTEGER, 1),
            (50, STRING, "y", INTEGER, 1),
            (1, STRING, "f", FUNCTION, 60),
        ):
            store.begin()
            store.changed_by_others()
            store.apply([entry])
            with pytest.raises(StoreError, match="another session removed"):
                store.commit()
            store.rollback()
        write(store, (1, STRING, "x", TABLE, 70), (70, STRING, "y", TABLE, 1), new_tables=[(70,)])
        assert store.integrity() == []


def test_own_collections_make_nobody_careful(tmp_path: Path) -> None:
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51)
        store.collect()
        store.begin()
        store.collect()
        store.rollback()
        collect_in_steps(store)
        write(store, ONE)
        assert not store._collected_by_others


def test_code_stays_as_long_as_the_vm_may_know_it(tmp_path: Path) -> None:
    """It knows code by its number, and would make a function of it without asking."""
    with ready(new_store(tmp_path)) as store:
        with store.transaction():
            code = store.define_code(new_code())
            looked_at = store.define_code(new_code(1))
        assert store.collect().codes == 0
        store.forget_codes()
        assert store.code(code) is not None
        store.functions()
        store.unsigned_codes()
        store.integrity()
        assert store.collect().codes == 1
        assert store.code(looked_at) is None
