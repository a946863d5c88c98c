"""Rows by their number, whatever the order and the filter; and facts about columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError, StoreError
from lua_ls_persist.query import Aggregate, Class, Query, parse_field, parse_query, parse_where
from lua_ls_persist.store import Store, grid_facts, grids
from lua_ls_persist.store.grid_facts import COLUMNS_MAX, FIELDS_SAMPLED_MAX
from lua_ls_persist.store.grids import GRID_LIMIT_MAX, ORDERS_KEPT_MAX, Grid
from lua_ls_persist.store.rows import BOOLEAN, FLOAT, INTEGER, STRING, TABLE, Entry, Value
from lua_ls_persist.store.searching import Search
from tests.store.helpers import write
from tests.store.query_data import ROWS, Made, fields, made, queries, wheres
from tests.store.query_model import Model, Row, ranked

pages = st.lists(st.tuples(st.integers(0, 14), st.integers(1, 6)), min_size=1, max_size=4)
searches = st.sampled_from(["", "", "a", "B", "1", "é", "Ä", "tru", "%", "_", "\\", "0.5", "zz"])
USERS = 10


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Places are noted on the way also in small tables."""
    monkeypatch.setattr(grids, "STEPS_BETWEEN_PLACES", 2)


def text_of(value: Value | None) -> str:
    """What the search looks at."""
    kind, native = value or (0, None)
    if kind == STRING:
        return native.decode("utf-8", "replace") if isinstance(native, bytes) else str(native)
    if kind == BOOLEAN:
        return "true" if native else "false"
    if kind == FLOAT:
        return "nan" if isinstance(native, int) else repr(native)
    return str(native) if kind == INTEGER else ""


def has(text: str, shown: str) -> bool:
    if text.isascii():  # as SQLite's LIKE has it
        return _folded(text) in _folded(shown.split("\0", maxsplit=1)[0])
    return text.casefold() in shown.casefold()


def _folded(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def shown_rows(model: Model, grid: Grid) -> list[Row]:
    return searched(model, model.found(grid.query), grid.search)


def searched(model: Model, rows: list[Row], search: Search) -> list[Row]:
    if not search:
        return rows
    return [
        row
        for row in rows
        if has(search.text, text_of(row[0]))
        or any(has(search.text, text_of(model.field(field, row))) for field in search.columns)
    ]


def grid_of(spec: dict[str, Any], search: str) -> Grid:
    query = parse_query(
        {name: spec[name] for name in ("where", "order_by", "descending", "select")}
    )
    return Grid(query, Search(search, query.select))


def check(store: Store, model: Model, grid: Grid, offset: int, limit: int) -> None:
    expected = shown_rows(model, grid)
    found = store.grid(ROWS, grid, offset, limit)
    assert [(row.key, row.value) for row in found.rows] == expected[offset : offset + limit]
    assert found.filtered == len(expected)
    assert found.total == len(model.rows)
    for row in found.rows:
        of_model = [model.field(field, (row.key, row.value)) for field in grid.query.select]
        assert list(row.fields) == of_model


@given(made(), queries(), searches, pages)
@settings(max_examples=200)
def test_rows_are_those_of_the_model(
    made: Made, spec: dict[str, Any], search: str, pages: list[tuple[int, int]]
) -> None:
    grid = grid_of(spec, search)
    with Store.open(None) as store:
        made.put(store)
        for offset, limit in pages:
            check(store, Model(made.data, ROWS), grid, offset, limit)


@given(made(), queries(), searches, fields)
def test_all_that_tells_of_rows_tells_of_the_same(
    made: Made, spec: dict[str, Any], search: str, name: str
) -> None:
    """Grids, counts, groups, profiles, points, exports and plans, with a text to look for."""
    grid = grid_of(spec, search)
    where, field = grid.query.where, parse_field(name)
    with Store.open(None) as store:
        made.put(store)
        model = Model(made.data, ROWS)
        by_key = searched(model, model.found(Query(where)), grid.search)
        assert store.count(ROWS, where, grid.search) == len(by_key)
        (group,) = store.aggregate(ROWS, Aggregate(where, count=True), grid.search)
        assert group.count == len(by_key)
        assert store.profile(ROWS, field, where, grid.search).rows == len(by_key)
        assert store.points(ROWS, field, field, where, 5, grid.search).rows == len(by_key)
        with store.found_rows(ROWS, where, grid.search) as (count, page):
            found = [row for start in range(0, count, 3) for row in page(start, 3)]
        assert [(row.key, row.value) for row in found] == by_key
        explained = store.explain_grid(ROWS, grid)
        assert explained.rows_returned == len(by_key)
        assert explained.rows_examined >= len(by_key)


@given(st.lists(st.one_of(st.integers(-1, 5), st.booleans(), st.just(1.5), st.just("x"))))
@example([])
@example([1, 2, 3])
def test_what_a_list_is(keys: list[Any]) -> None:
    kinds = {bool: BOOLEAN, int: INTEGER, float: FLOAT, str: STRING}
    with Store.open(None) as store:
        entries: list[Any] = [(USERS, kinds[type(key)], key, INTEGER, 1) for key in keys]
        with store.transaction():
            store.apply(entries, new_tables=[(USERS,)])
        there = {(type(key), key) for key in keys}
        wanted = {(int, number) for number in range(1, len(there) + 1)}
        assert store.is_list(USERS) is (there == wanted)


@given(made(), st.lists(fields, min_size=1, max_size=2, unique=True), wheres, pages, st.booleans())
def test_with_indexes_it_is_the_same(
    made: Made, order: list[str], where: Any, pages: list[tuple[int, int]], down: bool
) -> None:
    spec = {"where": where, "order_by": order, "descending": down, "select": order}
    with Store.open(None) as store:
        made.put(store)
        with store.transaction():
            store._connection.execute("INSERT INTO roots VALUES ('rows', ?)", (ROWS,))
        with store.transaction():
            store.create_index("rows", [], order)
            store.create_index("rows", [], order[:1])
        for question in (spec, spec | {"where": ()}, spec | {"where": [order[0], "exists"]}):
            for offset, limit in pages:
                check(store, Model(made.data, ROWS), grid_of(question, ""), offset, limit)


@given(made(), fields, wheres)
def test_profiles_are_those_of_the_model(made: Made, name: str, where: Any) -> None:
    field, model = parse_field(name), Model(made.data, ROWS)
    with Store.open(None) as store:
        made.put(store)
        found = store.profile(ROWS, field, parse_where(where))
    rows = model.found(parse_query({"where": where}))
    values = [model.field(field, row) for row in rows]
    there = [value for value in values if value is not None]
    assert (found.rows, found.missing) == (len(rows), len(values) - len(there))
    counts = Counter(ranked(value) for value in there)
    assert found.distinct == len(counts)
    assert sum(found.types.values()) == len(there)
    assert found.types.get("table", 0) == sum(kind == TABLE for kind, _ in there)
    assert found.types.get("integer", 0) == sum(kind == INTEGER for kind, _ in there)
    numbers = [ranked(value)[1] for value in there if ranked(value)[0] == Class.NUMBER]
    if numbers:
        assert found.least is not None
        assert found.greatest is not None
        assert (found.least[1], found.greatest[1]) == (min(numbers), max(numbers))
    finite = [number for number in numbers if math.isfinite(number)]
    assert sum(bar.count for bar in found.bars) == len(finite)
    for value, count in found.top:
        assert counts[ranked(value)] == count
    assert [count for _, count in found.top] == sorted(
        (n for (kind, _), n in counts.items() if kind not in (Class.TABLE, Class.FUNCTION)),
        reverse=True,
    )[: len(found.top)]


def people(store: Store, count: int, first: int = 1) -> None:
    entries: list[Any] = []
    for number in range(first, first + count):
        entries.append((USERS, INTEGER, number, TABLE, 1000 + number))
        entries.append((1000 + number, STRING, "name", STRING, f"user {number}"))
        entries.append((1000 + number, STRING, "age", INTEGER, number * 7 % 31))
    tables = [(USERS,), *((1000 + number,) for number in range(first, first + count))]
    with store.transaction(write=True):
        store.apply(entries, new_tables=tables)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "session.db") as store:
        people(store, 100)
        yield store


def keys(store: Store, grid: Grid, offset: int = 0, limit: int = 5) -> list[Any]:
    return [row.key[1] for row in store.grid(USERS, grid, offset, limit).rows]


ALL = Grid(Query())


def test_a_row_is_reached_from_the_nearest_known_place(store: Store) -> None:
    examined = [store.grid(USERS, ALL, offset, 5).examined for offset in (0, 95, 50, 45, 55, 53)]
    assert examined[:2] == [5, 5], "the ends"
    assert examined[2] <= 50
    assert examined[3:] == [5, 5, 6], "beside the places where somebody was"


def test_what_is_written_is_seen_at_once(store: Store) -> None:
    by_name = Grid(parse_query({"order_by": "name"}))
    with Store.open(store.path) as other:
        for number, session in enumerate((store, other, store), 101):
            assert store.grid(USERS, ALL, 0, 1).total == number - 1
            assert store.grid(USERS, by_name, 0, 1).filtered == number - 1
            people(session, 1, first=number)
            assert store.grid(USERS, ALL, 0, 1).total == number
            assert store.grid(USERS, by_name, 0, 1).filtered == number
            assert keys(store, ALL, number - 1) == [number]


def test_only_so_many_orders_are_kept(store: Store) -> None:
    for number in range(3 * ORDERS_KEPT_MAX):
        keys(store, Grid(Query(), Search(f"user {number}", (parse_field("name"),))))
    tables = store._connection.execute(
        "SELECT count(*) FROM sqlite_temp_schema WHERE type = 'table'"
    ).get
    assert tables == ORDERS_KEPT_MAX + 1, "one waits to be dropped"


def test_an_order_that_is_broken_off_leaves_nothing(store: Store) -> None:
    by_age = Grid(parse_query({"order_by": "age"}))
    people_many = Grid(parse_query({"order_by": ["age", "name"]}))
    store._connection.set_progress_handler(lambda: True, 1)
    with pytest.raises(StoreError):
        keys(store, people_many)
    store._connection.set_progress_handler(None)
    assert keys(store, by_age)[0] == 31
    assert keys(store, people_many)[0] == 31
    tables = store._connection.execute(
        "SELECT count(*) FROM sqlite_temp_schema WHERE type = 'table'"
    ).get
    assert tables == 2


def test_a_backup_that_is_brought_back_is_what_is_shown(store: Store, tmp_path: Path) -> None:
    store.backup(tmp_path / "copy.db")
    people(store, 5, first=101)
    assert store.grid(USERS, ALL, 0, 1).total == 105
    store.restore(tmp_path / "copy.db")
    assert store.grid(USERS, ALL, 0, 1).total == 100


def test_columns_are_found_at_both_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_facts, "SAMPLE_ROWS", 2)
    write(store, (1100, STRING, "last", BOOLEAN, 1), (1100, INTEGER, 3, FLOAT, 0.5),
          (USERS, STRING, "x", STRING, "no table"))  # fmt: skip
    found = {field.text: types for field, types in store.columns(USERS)}
    assert found == {
        "name": {"string": 3},
        "age": {"integer": 3},
        "last": {"boolean": 1},
        "[3]": {"float": 1},
        "@value": {"string": 1},
    }
    many = [(1100, STRING, f"c{number}", INTEGER, 1) for number in range(COLUMNS_MAX - 10)]
    write(store, *many)
    assert len(store.columns(USERS)) == COLUMNS_MAX - 5
    names = [field.text for field, _ in store.columns(USERS)]
    assert names[:2] == ["age", "name"]
    others = [name for name in names if name.startswith("c")]
    assert others == [f"c{number}" for number in range(COLUMNS_MAX - 10)]


def test_rows_of_many_fields_have_columns(store: Store) -> None:
    """Also rows that are too large to be read whole with their table."""
    with store.transaction():
        table_id = store.root("wide", create=True)
        first = store.reserve(2)
        store.apply(
            [(table_id, INTEGER, row, TABLE, row) for row in (first, first + 1)]
            + [(first, STRING, f"c{number}", INTEGER, number) for number in range(300)]
            + [(first + 1, INTEGER, number, INTEGER, 1) for number in range(5_000)],
            new_tables=[(first,), (first + 1,)],
        )
    names = [field.text for field, _ in store.columns(table_id)]
    assert names[:3] == ["[0]", "[1]", "[2]"]
    assert len(names) == 300 + FIELDS_SAMPLED_MAX
    assert names[-1] == "c299"


def test_rows_without_fields_are_shown_whole(store: Store) -> None:
    with store.transaction():
        table_id = store.root("odd", create=True)
        first = store.reserve(2)
        store.apply(
            [(table_id, INTEGER, row, TABLE, row) for row in (first, first + 1)]
            + [(first, BOOLEAN, 1, INTEGER, 1)],
            new_tables=[(first,), (first + 1,)],
        )
    assert [(field.text, types) for field, types in store.columns(table_id)] == [
        ("@value", {"table": 2})
    ]


@pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, 0), (0, GRID_LIMIT_MAX + 1)])
def test_pages_that_make_no_sense(store: Store, offset: int, limit: int) -> None:
    with pytest.raises(QueryError, match="must be"):
        store.grid(USERS, ALL, offset, limit)
    assert len(store.grid(USERS, ALL, 0, GRID_LIMIT_MAX).rows) == 100


def test_behind_the_end_there_is_nothing(store: Store) -> None:
    for grid in (ALL, Grid(parse_query({"order_by": "age"}))):
        found = store.grid(USERS, grid, 100, 5)
        assert (found.rows, found.filtered) == ([], 100)
        assert len(store.grid(USERS, grid, 98, 5).rows) == 2


def test_strings_that_are_no_text_are_searched(store: Store) -> None:
    with store.transaction():
        table_id = store.root("bytes", create=True)
        first = store.reserve(3)
        strings: tuple[str | bytes, ...] = (b"one\0two", b"\xffONE", "none of these")
        names: list[Entry] = [
            (first + number, STRING, "name", STRING, text) for number, text in enumerate(strings)
        ]
        store.apply(
            [(table_id, INTEGER, row, TABLE, row) for row in range(first, first + 3)] + names,
            new_tables=[(row,) for row in range(first, first + 3)],
        )
    name = parse_field("name")
    for _ in range(2):
        for text, expected in (("two", [0]), ("one", [0, 1, 2]), ("THESE", [2]), ("x", [])):
            found = store.grid(table_id, Grid(Query(), Search(text, (name,))), 0, 10)
            assert [row.key[1] - first for row in found.rows] == expected  # type: ignore[operator]
        store.create_index("bytes", [], ["name"])
