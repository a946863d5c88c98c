"""Collection removes what nothing reaches, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.model import Collected
from lua_ls_persist.store import Store, collect
from lua_ls_persist.store.rows import FUNCTION, INTEGER, STRING, TABLE, StoredImage
from tests.store.collecting import ONE, chain, collect_in_steps, ready, tables_of
from tests.store.helpers import contents, fill, new_code, new_store, write

LONG = "long " * 1000


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
