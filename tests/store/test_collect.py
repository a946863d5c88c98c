"""Collection removes what nothing reaches, and nothing else, whoever writes meanwhile."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import StoreError
from lua_ls_persist.model import Collected
from lua_ls_persist.store import Store, collect
from lua_ls_persist.store.rows import FUNCTION, INTEGER, STRING, TABLE, StoredImage
from tests.store.helpers import contents, fill, new_code, new_store, write

LONG = "long " * 1000
ONE = (1, STRING, "x", INTEGER, 1)


def no_extra_roots() -> list[int]:
    return []


def ready(store: Store) -> Store:
    """Ids are chosen freely in these tests."""
    with store.transaction():
        store.reserve(200_000)
    return store


def collect_in_steps(
    store: Store, extra_roots: tuple[int, ...] = (), *, budget_ms: float = 1000
) -> Collected:
    for _ in range(10_000):
        collected = store.collect_step(lambda: extra_roots, budget_ms=budget_ms)
        if collected is not None:
            return collected
    raise AssertionError("it does not come to an end")


def tables_of(store: Store) -> set[int]:
    return {row[0] for row in store._connection.execute("SELECT id FROM tables")}


def chain(store: Store, *ids: int, key: str = "next") -> None:
    """Tables, each in the one before."""
    write(
        store,
        *[(a, STRING, key, TABLE, b) for a, b in itertools.pairwise(ids)],
        new_tables=[(table_id,) for table_id in ids],
    )


def test_what_roots_reach_stays(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        before = contents(store)
        assert store.collect() == Collected()
        assert collect_in_steps(store) == Collected()
        assert contents(store) == before


@pytest.mark.parametrize("stepwise", [False, True])
def test_what_nothing_reaches_goes_with_all_that_belongs_to_it(
    tmp_path: Path, stepwise: bool
) -> None:
    with ready(new_store(tmp_path)) as store:
        write(store, (1, STRING, "kept", TABLE, 5), new_tables=[(5,)])
        before = contents(store)
        write(
            store,
            (20, STRING, "next", TABLE, 21),
            (21, STRING, "next", TABLE, 20),
            (21, STRING, "long", STRING, LONG),
            (21, STRING, "f", FUNCTION, 30),
            (22, TABLE, 5, INTEGER, 1),
            new_tables=[(20,), (21,), (22,)],
            metatables=[(22, 20)],
            cells=[(40, STRING, LONG), (41, TABLE, 5)],
        )
        with store.transaction():
            store.define_function(30, store.define_code(new_code()), [40, 41])
        store._codes_known.clear()
        state = store.state
        collected = collect_in_steps(store) if stepwise else store.collect()
        assert (collected.tables, collected.functions, collected.cells, collected.codes) == (
            3,
            1,
            2,
            1,
        )
        assert contents(store) == before
        assert store.state == state + 1
        assert store.integrity() == []
        assert (collect_in_steps(store) if stepwise else store.collect()) == Collected()
        assert store.state == state + 1


@pytest.mark.parametrize(
    "how",
    ["value", "key", "metatable", "cell", "function key", "extra root", "extra function", "image"],
)
@pytest.mark.parametrize("stepwise", [False, True])
def test_every_way_to_be_reached(tmp_path: Path, how: str, stepwise: bool) -> None:
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51)
        extra: tuple[int, ...] = ()
        with store.transaction():
            code = store.define_code(new_code())
            store.define_function(30, code, [40])
            store.apply(cells=[(40, TABLE, 50)])
        if how == "value":
            write(store, (1, INTEGER, 1, TABLE, 50))
        elif how == "key":
            write(store, (1, TABLE, 50, INTEGER, 1))
        elif how == "metatable":
            write(store, metatables=[(50, 1)])
        elif how == "cell":
            write(store, (1, INTEGER, 1, FUNCTION, 30))
        elif how == "function key":
            write(store, (1, FUNCTION, 30, INTEGER, 1))
        elif how == "extra root":
            extra = (50,)
        elif how == "extra function":
            extra = (30,)
        else:
            picture = StoredImage(bytes(32), store.state, 0, (), b"", references=(50, 999))
            assert store.save_image(picture)
        if stepwise:
            collect_in_steps(store, extra)
        else:
            store.collect(extra)
        assert {50, 51} <= tables_of(store)
        assert (store.function(30) is not None) == ("function" in how or how == "cell")
        assert store.integrity() == []


def test_in_an_evaluation_collection_is_part_of_it(tmp_path: Path) -> None:
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51)
        before = contents(store)
        store.begin()
        assert store.collect().tables == 2
        store.rollback()
        assert contents(store) == before
        store.begin()
        store.savepoint()
        assert store.collect([51]).tables == 1
        store.rollback_to()
        assert store.collect([51]).tables == 1
        store.apply([ONE])
        assert store.commit()
        assert tables_of(store) == {1, 51}
        assert store.integrity() == []


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    with ready(new_store(tmp_path)) as store:
        chain(store, 50, 51)
        store.collect(on_progress=lambda phase, count: told.append((phase, count)))
    assert list(dict(told)) == ["marking", "listing", "removing"]
    assert dict(told)["removing"] == 2


def test_a_deep_chain(tmp_path: Path) -> None:
    with ready(new_store(tmp_path)) as store:
        chain(store, *range(10, 10_010))
        write(store, (1, STRING, "chain", TABLE, 10))
        assert store.collect() == Collected()
        write(store, deletes=[(5_000, STRING, "next")])
        assert store.collect().tables == 10_009 - 5_000
        write(store, deletes=[(1, STRING, "chain")])
        assert store.collect().tables == 4_991
        assert tables_of(store) == {1}


def test_large_tables_in_small_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "ROWS_AT_ONCE", 10)
    monkeypatch.setattr(collect, "IDS_AT_ONCE", 7)
    with ready(new_store(tmp_path)) as store:
        kept = range(1000, 1100)
        gone = range(2000, 2100)
        large = range(3000, 3005)
        write(
            store,
            *[(1, INTEGER, key, TABLE, key) for key in kept],
            *[(1, TABLE, key, INTEGER, key) for key in large],
            *[(key, INTEGER, n, TABLE, key) for key in kept for n in range(3)],
            *[(key, INTEGER, n, TABLE, key) for key in gone for n in range(key % 25)],
            *[(key, INTEGER, n, STRING, "x") for key in large for n in range(30)],
            *[(key, STRING, "z", TABLE, key + 500) for key in large],
            new_tables=[(key,) for key in (*kept, *gone, *large, *range(3500, 3505))],
        )
        assert collect_in_steps(store, budget_ms=0).tables == len(gone)
        assert tables_of(store) == {1, *kept, *large, *range(3500, 3505)}
        assert store.table_info(3000).entries == 31
        assert store.integrity() == []


def graph_sizes() -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, 2**32), st.integers(1, 40))


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([1, 3, 1000]))
def test_what_stays_is_what_is_reached(seed: int, stepwise: bool, at_once: int) -> None:
    """Random graphs of tables, functions and cells against a plain search."""
    rng = random.Random(seed)
    tables, functions, cells = range(2, 32), range(100, 120), range(200, 230)
    refers: dict[int, set[int]] = {}

    def reference() -> tuple[int, int]:
        return rng.choice([(TABLE, rng.choice(tables)), (FUNCTION, rng.choice(functions))])

    entries, metatables, cell_rows = {}, [], []
    for _ in range(rng.randrange(60)):
        table, value, key = rng.choice([1, *tables]), reference(), reference()
        if rng.random() < 0.5:
            key = (INTEGER, rng.randrange(9))
        else:
            refers.setdefault(table, set()).add(key[1])
        entry = (table, *key)
        if entry not in entries:
            refers.setdefault(table, set()).add(value[1])
            entries[entry] = value
    for table in rng.sample(tables, 5):
        metatable = rng.choice(tables)
        metatables.append((metatable, table))
        refers.setdefault(table, set()).add(metatable)
    for cell in cells:
        value = reference()
        cell_rows.append((cell, *value))
        refers[cell] = {value[1]}
    with Store.open(None) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(collect, "ROWS_AT_ONCE", at_once)
        patch.setattr(collect, "IDS_AT_ONCE", at_once)
        with store.transaction():
            store.reserve(500)
            store.apply(
                [(*key, *value) for key, value in entries.items()],
                new_tables=[(table,) for table in tables],
                metatables=metatables,
                cells=cell_rows,
            )
            for function in functions:
                own = rng.sample(cells, rng.randrange(3))
                store.define_function(function, store.define_code(new_code(function)), own)
                refers[function] = set(own)
        extra = rng.sample([*tables, *functions], 2)
        reached, waiting = set(), [1, *extra]
        while waiting:
            item = waiting.pop()
            if item not in reached:
                reached.add(item)
                waiting += refers.get(item, ())
        if stepwise:
            collect_in_steps(store, tuple(extra), budget_ms=rng.choice([0, 1000]))
        else:
            store.collect(extra)
        left = {
            row[0]
            for row in store._connection.execute(
                "SELECT id FROM tables UNION ALL SELECT id FROM functions "
                "UNION ALL SELECT id FROM cells"
            )
        }
        everything = {1, *tables, *functions, *cells}
        assert left == reached & everything
        assert store.integrity() == []


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
            begun = time.monotonic()
            collected = store.collect_step(no_extra_roots, budget_ms=5)
            longest = max(longest, time.monotonic() - begun)
            steps += 1
            if collected is not None:
                break
        assert collected.tables == 100_001
        assert steps > 10
        assert longest < 2  # tens of milliseconds; the machine may be busy


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
