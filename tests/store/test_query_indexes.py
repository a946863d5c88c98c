"""Queries through indexes: the same answers as without, and how they are found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import parse_aggregate, parse_query, parse_where
from lua_ls_persist.store import Store
from lua_ls_persist.store import planner as planner_code
from lua_ls_persist.store import query_sources as sources_code
from lua_ls_persist.store.index_forms import STRINGS_HASH
from lua_ls_persist.store.query_pages import FoundRow
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.helpers import as_value
from tests.store.query_data import (
    FIELDS,
    ROWS,
    STRINGS,
    Made,
    aggregates,
    conditions,
    fields,
    made,
    queries,
    wheres,
)
from tests.store.query_model import Model, Row

PATH: tuple[str, list[Any]] = ("Memory", ["rows"])

PLAIN: list[dict[str, Any]] = [{}, {"kind": "hash"}]
OF_ELEMENTS: list[dict[str, Any]] = [{"each": True}, {"kind": "hash", "each": True}]
single: list[dict[str, Any]] = [
    {"fields": [field], **options}
    for field in FIELDS
    for options in (PLAIN if field == "@key" else PLAIN + OF_ELEMENTS)
]
HASHED = [definition for definition in single if definition.get("kind") == "hash"]
compound = st.builds(
    lambda names, kind: {"fields": names, "kind": kind},
    st.lists(fields, min_size=2, max_size=4, unique=True),
    st.sampled_from(["btree", "btree", "hash"]),
)
indexes = st.lists(st.sampled_from(single) | compound, min_size=1, max_size=4)


def filled(made: Made, definitions: list[dict[str, Any]]) -> Store:
    store = Store.open(None)
    made.put(store)
    with store.transaction():
        store.apply([(1, STRING, "rows", TABLE, ROWS)])
    for definition in definitions:
        try:
            store.create_index(*PATH, **definition)
        except QueryError as error:  # the same once more, with and without `each`
            assert "there is an index" in str(error)  # noqa: PT017
    return store


def pages(store: Store, spec: dict[str, Any]) -> list[FoundRow]:
    rows: list[FoundRow] = []
    after = None
    while True:
        page = store.query(ROWS, parse_query({**spec, "after": after}))
        rows += page.rows
        after = page.next
        if after is None:
            return rows


def index_problems(store: Store) -> list[str]:
    """What is wrong with the indexes; these data keep no account of ids."""
    return [problem for problem in store.integrity() if "index" in problem]


def plain(rows: list[FoundRow]) -> list[Row]:
    return [(row.key, row.value) for row in rows]


@pytest.fixture(params=["few", "many"])
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random data are few: what is many is made less, so that all choices are made."""
    if request.param == "many":
        monkeypatch.setattr(planner_code, "FEW", 1)
        monkeypatch.setattr(sources_code, "SCAN_FIRST_ROWS", 3)


@pytest.mark.usefixtures("limits")
class TestAgreement:
    """Index, scan and a model in plain Python agree."""

    @given(made(), queries(), indexes)
    @settings(max_examples=100)
    def test_pages(
        self, made: Made, spec: dict[str, Any], definitions: list[dict[str, Any]]
    ) -> None:
        query = parse_query(spec)
        with filled(made, definitions) as store:
            found = pages(store, spec)
            store.use_indexes = False
            assert pages(store, spec) == found
        assert plain(found) == Model(made.data, ROWS).found(query)

    @given(made(), wheres, indexes)
    @settings(max_examples=100)
    def test_counts(self, made: Made, where: Any, definitions: list[dict[str, Any]]) -> None:
        query = parse_query({"where": where})
        with filled(made, definitions) as store:
            assert store.count(ROWS, query.where) == len(Model(made.data, ROWS).found(query))

    @given(made(), aggregates, indexes)
    def test_aggregates(
        self, made: Made, spec: dict[str, Any], definitions: list[dict[str, Any]]
    ) -> None:
        aggregate = parse_aggregate(spec)
        with filled(made, definitions) as store:
            found = store.aggregate(ROWS, aggregate)
            store.use_indexes = False
            assert store.aggregate(ROWS, aggregate) == found

    @given(made(), made(), queries(), indexes)
    def test_rows_that_do_not_change_come_once_whatever_is_written_between_pages(
        self,
        made: Made,
        other: Made,
        spec: dict[str, Any],
        definitions: list[dict[str, Any]],
    ) -> None:
        spec = {**spec, "limit": 2}
        query = parse_query(spec)
        with filled(made, definitions) as store:
            first = store.query(ROWS, query)
            with store.transaction():
                store.clear_table(ROWS)
            other.put(store)
            rows = first.rows
            if first.next is not None:
                rows = rows + pages_after(store, spec, first.next)
                store.use_indexes = False
                assert rows == first.rows + pages_after(store, spec, first.next)
        old, new = Model(made.data, ROWS), Model(other.data, ROWS)
        for row in old.found(query):
            same = [old.field(o.field, row) == new.field(o.field, row) for o in query.order_by]
            if first.next is not None and all(same) and row in new.found(query):
                assert plain(rows).count(row) == 1


@given(made(), st.lists(conditions(), min_size=1, max_size=3), st.lists(fields, max_size=1))
@settings(max_examples=200)
def test_two_indexes_together_find_what_both_lead_to(
    made: Made, where: list[Any], order_by: list[str]
) -> None:
    spec = {"where": where, "order_by": order_by, "limit": 3}
    names = dict.fromkeys(condition[0] for condition in where)
    definitions = [{"fields": [name]} for name in names]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner_code, "FEW", -1)
        patch.setattr(planner_code, "BOTH_RATIO", 1_000)
        with filled(made, definitions) as store:
            query = parse_query(spec)
            found = Model(made.data, ROWS).found(query)
            assert plain(pages(store, spec)) == found
            assert store.count(ROWS, query.where) == len(found)


def pages_after(store: Store, spec: dict[str, Any], after: str | None) -> list[FoundRow]:
    rows: list[FoundRow] = []
    while after is not None:
        page = store.query(ROWS, parse_query({**spec, "after": after}))
        rows += page.rows
        after = page.next
    return rows


@given(made(), queries(), st.lists(st.sampled_from(HASHED), min_size=1, max_size=3))
def test_values_of_the_same_hash_are_told_apart(
    made: Made, spec: dict[str, Any], definitions: list[dict[str, Any]]
) -> None:
    def hash_of(values: Any) -> int:
        return len(list(values)) % 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lua_ls_persist.store.index_forms.hash_of", hash_of)
        patch.setattr("lua_ls_persist.store.query_sources.hash_of", hash_of)
        with filled(made, definitions) as store:
            found = pages(store, spec)
    assert plain(found) == Model(made.data, ROWS).found(parse_query(spec))


@given(made(), fields.filter(lambda field: field != "@key"), st.sampled_from(STRINGS), queries())
@settings(max_examples=200)
def test_a_hash_of_elements_finds_what_contains_a_string(
    made: Made, field: str, part: Any, spec: dict[str, Any]
) -> None:
    """Arrays with that element, and strings with that in them: as without an index."""
    spec = {**spec, "where": [field, "contains", part]}

    def hash_of(_values: Any) -> int:
        return STRINGS_HASH

    for colliding in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if colliding:  # an element may have the hash that strings have
                patch.setattr("lua_ls_persist.store.index_forms.hash_of", hash_of)
                patch.setattr("lua_ls_persist.store.query_sources.hash_of", hash_of)
            with filled(made, [{"fields": [field], "kind": "hash", "each": True}]) as store:
                found = pages(store, spec)
                assert index_problems(store) == []
                where = parse_query({"where": spec["where"]}).where
                assert store.count(ROWS, where) == len(found)
        assert plain(found) == Model(made.data, ROWS).found(parse_query(spec))


def test_a_hash_of_elements_is_used_for_strings() -> None:
    with Store.open(None) as store:
        rows: list[Any] = [(1, STRING, "rows", TABLE, ROWS)]
        for number in range(500):
            rows.append((ROWS, INTEGER, number, TABLE, 1_000 + number))
            rows.append((1_000 + number, STRING, "tags", TABLE, 2_000 + number))
            rows.append((2_000 + number, INTEGER, 1, STRING, f"t{number % 100}"))
        # In one place a string, and in another one nothing, stands where arrays do.
        rows[2] = (1_000, STRING, "tags", STRING, "t7 and t8")
        del rows[5]
        ids = [(ROWS,), *((first + n,) for first in (1_000, 2_000) for n in range(500))]
        with store.transaction():
            store.apply(rows, new_tables=ids)
        index = store.create_index(*PATH, ["tags"], kind="hash", each=True, unique=False)
        query = parse_query({"where": ["tags", "contains", "t7"], "limit": 10})
        explained = store.explain(ROWS, query)
        assert explained.index == "Memory.rows(tags)"
        assert explained.rows_examined == explained.rows_returned == 6
        with store.transaction():  # no string any more: nothing but elements is looked up
            store.apply([(1_000, STRING, "tags", INTEGER, 7)])
        assert store.explain(ROWS, query).rows_examined == 5
        assert "UNION" not in store.explain(ROWS, query).sql
        assert index.has_strings


def test_a_hash_of_elements_of_an_older_format_is_used_for_strings_once_it_is_rebuilt() -> None:
    with Store.open(None) as store:
        with store.transaction():
            store.apply(
                [
                    (1, STRING, "rows", TABLE, ROWS),
                    (ROWS, INTEGER, 1, TABLE, ROWS + 1),
                    (ROWS + 1, STRING, "tags", STRING, "t7 and t8"),
                ],
                new_tables=[(ROWS,), (ROWS + 1,)],
            )
        store.create_index(*PATH, ["tags"], kind="hash", each=True)
        store._connection.execute("UPDATE indexes SET revision = 1")
        store._connection.execute("DELETE FROM index_1")
        query = parse_query({"where": ["tags", "contains", "t8"]})
        assert index_problems(store) == []
        assert store.explain(ROWS, query).index is None
        assert len(store.query(ROWS, query).rows) == 1
        with store.transaction():
            store.apply([(ROWS + 1, STRING, "tags", STRING, "t8 and t9")])
        assert index_problems(store) == []
        (index,) = store.indexes()
        store.rebuild_index(index)
        assert index_problems(store) == []
        assert store.explain(ROWS, query).index == "Memory.rows(tags)"
        assert len(store.query(ROWS, query).rows) == 1


def test_strings_are_no_elements_of_unique_indexes() -> None:
    with Store.open(None) as store:
        rows: list[Any] = [(1, STRING, "rows", TABLE, ROWS)]
        for number in (1, 2):
            rows.append((ROWS, INTEGER, number, TABLE, ROWS + number))
            rows.append((ROWS + number, STRING, "tags", STRING, "the same"))
        with store.transaction():
            store.apply(rows, new_tables=[(ROWS,), (ROWS + 1,), (ROWS + 2,)])
        index = store.create_index(*PATH, ["tags"], kind="hash", each=True, unique=True)
        with store.transaction():
            store.apply([(ROWS + 1, STRING, "tags", STRING, "another")])
            store.apply([(ROWS + 2, STRING, "tags", STRING, "another")])
        store.rebuild_index(index)
        assert store.index_rows(index) == 2


# How rows are found


COUNT = 3_000


@pytest.fixture(scope="module")
def people() -> Iterator[Store]:
    """Rows with `age` in 0..99, `city` in c0..c9, `name`, `tags`; each a hundredth lacks an age."""
    with Store.open(None) as store:
        rows: list[Any] = [(1, STRING, "rows", TABLE, ROWS)]
        for number in range(COUNT):
            row, tags = 10_000 + number, 20_000 + number
            age = number * 7919 % 100
            rows.append((ROWS, STRING, f"k{number:05}", TABLE, row))
            rows.append((row, STRING, "name", STRING, f"name {number}"))
            rows.append((row, STRING, "city", STRING, f"c{number % 10}"))
            rows.append((row, STRING, "n", INTEGER, number))
            rows.append((row, STRING, "tags", TABLE, tags))
            rows.append((tags, INTEGER, 1, STRING, f"t{number % 500}"))
            if age:
                rows.append((row, STRING, "age", INTEGER, age))
        ids = [(number,) for number in (ROWS, *range(10_000, 10_000 + COUNT))]
        with store.transaction():
            store.apply(rows, new_tables=[*ids, *((20_000 + n,) for n in range(COUNT))])
        definitions: list[dict[str, Any]] = [
            {"fields": ["age"]},
            {"fields": ["city", "age"]},
            {"fields": ["name"], "kind": "hash"},
            {"fields": ["n"]},
            {"fields": ["tags"], "each": True},
            {"fields": ["name"], "kind": "text"},
        ]
        for definition in definitions:
            store.create_index(*PATH, **definition)
        yield store


@pytest.mark.parametrize(
    ("spec", "index", "examined"),
    [
        ({"where": ["age", "=", 42]}, "(age)", 11),
        ({"where": ["age", "=", 42], "order_by": "age"}, "(age)", 11),
        ({"order_by": "age"}, "(age)", 11),
        ({"order_by": "age", "descending": True}, "(age)", 11),
        ({"where": ["age", ">", 95], "order_by": "age"}, "(age)", 11),
        ({"where": ["age", "between", 20, 30], "order_by": "age", "descending": True}, "(age)", 11),
        ({"where": ["age", "missing"]}, "(age)", 11),
        ({"where": [["city", "=", "c3"], ["age", ">", 50]], "order_by": "age"}, "(city, age)", 11),
        ({"where": ["city", "=", "c3"], "order_by": "age"}, "(city, age)", 11),
        ({"where": ["city", "=", "c3"], "order_by": ["city", "age"]}, "(city, age)", 11),
        ({"order_by": ["city", "age"]}, "(city, age)", 11),
        ({"where": ["name", "=", "name 77"]}, "(name)", 1),
        ({"where": ["n", "in", [1, 5, 9]]}, "(n)", 3),
        ({"where": ["n", "<", 20]}, "(n)", 20),
        ({"where": [["n", ">=", 20], ["n", "<", 25]]}, "(n)", 5),
        ({"where": ["tags", "contains", "t7"]}, "(tags)", 6),
        ({"where": ["name", "matches", "77"]}, "(name)", 1),
        (
            {"where": {"any": [["n", "=", 5], ["name", "=", "name 9"]]}},
            "(n) and Memory.rows(name)",
            2,
        ),
        # A look at the first rows finds enough.
        ({"where": ["age", ">", 25]}, None, 15),
        ({}, None, 11),
        ({"where": ["name", "endsWith", "x"]}, None, COUNT),
        ({"order_by": "name"}, None, COUNT),
        ({"where": ["age", "!=", 5], "order_by": "city"}, None, COUNT),
    ],
)  # fmt: skip
def test_how_rows_are_found(
    people: Store, spec: dict[str, Any], index: str | None, examined: int
) -> None:
    explained = people.explain(ROWS, parse_query({"limit": 10, **spec}))
    assert explained.index == (None if index is None else f"Memory.rows{index}")
    assert explained.rows_examined == examined
    if index is not None:
        assert explained.rows_returned == min(10, examined)


@pytest.mark.parametrize(
    "spec",
    [
        {"where": ["age", "=", 42]},
        {"order_by": "age"},
        {"order_by": "age", "descending": True},
        {"where": ["age", ">", 50], "order_by": "age"},
        {"where": [["age", ">", 50], ["age", "<=", 90]], "order_by": "age"},
        {"where": ["age", "between", 20, 80], "order_by": "age", "descending": True},
        {"where": ["age", "exists"], "order_by": "age"},
        {"where": ["city", "=", "c3"], "order_by": "age"},
        {"where": ["city", "=", "c3"], "order_by": ["city", "age"], "descending": True},
        {"order_by": ["city", "age"]},
        {"where": ["city", "startsWith", "c"], "order_by": ["city", "age"]},
        {},
        {"descending": True},
        {"where": ["n", "<", 2900]},
    ],
)
def test_a_late_page_costs_what_the_first_one_does(people: Store, spec: dict[str, Any]) -> None:
    """It is sought, not counted off."""
    whole = {"limit": 200, **spec}
    page = people.query(ROWS, parse_query(whole))
    seen = [row.key for row in page.rows]
    while page.next is not None:
        late = {**spec, "limit": 10, "after": page.next}
        found = people.query(
            ROWS,
            parse_query({**whole, "after": page.next}),
        )
        explained = people.explain(ROWS, parse_query(late))
        assert explained.rows_examined <= 41
        page = found
        seen += [row.key for row in page.rows]
    assert len(set(seen)) == len(seen)


def test_index_and_scan_agree_where_there_is_much(people: Store) -> None:
    for spec in (
        {"where": ["age", ">", 25]},
        {"where": ["age", ">", 25], "order_by": "city"},
        {"where": [["age", ">", 25], ["city", "in", ["c1", "c2"]]], "order_by": "name"},
        {"where": {"any": [["age", "<", 5], ["tags", "contains", "t8"]]}, "order_by": "n"},
    ):
        found = people.query(ROWS, parse_query({**spec, "limit": 2000}))
        people.use_indexes = False
        scanned = people.query(ROWS, parse_query({**spec, "limit": 2000}))
        people.use_indexes = True
        assert found == scanned


def test_two_indexes_that_lead_to_many_are_put_together() -> None:
    rng = random.Random(5)
    with Store.open(None) as store:
        with store.transaction():
            table_id = store.root("t", create=True)
            first = store.reserve(20_000)
            store.apply(
                [
                    entry
                    for row in range(first, first + 20_000)
                    for entry in (
                        (table_id, INTEGER, row, TABLE, row),
                        (row, STRING, "a", INTEGER, rng.randrange(10)),
                        (row, STRING, "b", INTEGER, rng.randrange(10)),
                        (row, STRING, "c", INTEGER, rng.randrange(2)),
                    )
                ],
                new_tables=[(row,) for row in range(first, first + 20_000)],
            )
        for field in "abc":
            store.create_index("t", [], [field])
        where = [["a", "=", 3], ["b", "=", 7], ["c", "=", 1]]
        for spec in ({"where": where, "limit": 5}, {"where": where[:2]}):
            query = parse_query({"order_by": "d", **spec})
            told = store.explain(table_id, query)
            page, count = store.query(table_id, query), store.count(table_id, query.where)
            store.use_indexes = False
            assert store.query(table_id, query) == page
            assert store.count(table_id, query.where) == count
            store.use_indexes = True
            assert told.index == "t(b) and t(a)", "the narrower one comes first"
            assert told.rows_examined < 400
        # The third index leads to too many.
        lopsided = parse_query({"where": [["a", "=", 3], ["c", "=", 1]], "order_by": "d"})
        assert store.explain(table_id, lopsided).index == "t(a)"


@pytest.mark.parametrize(
    "spec",
    [
        {"order_by": "name"},
        {"order_by": ["name", {"field": "n", "descending": True}]},
        {"where": ["age", "=", 42], "order_by": ["age", "name"], "descending": True},
        {"where": ["city", "in", ["c1", "c2"]], "order_by": "name"},
    ],
)
def test_rows_that_come_in_pieces_are_sorted_once(people: Store, spec: dict[str, Any]) -> None:
    statements: list[str] = []

    def trace(_cursor: Any, statement: str, _bindings: object) -> bool:
        statements.append(statement)
        return True

    whole = people.query(ROWS, parse_query({**spec, "limit": COUNT})).rows
    people._connection.exec_trace = trace
    try:
        found = pages(people, {**spec, "limit": max(len(whole) // 10, 1)})
    finally:
        people._connection.exec_trace = None
    assert found == whole
    assert len([sql for sql in statements if sql.startswith("INSERT INTO temp.")]) == 1
    read_sorted = [sql for sql in statements if "FROM temp.sorted_rows" in sql]
    assert len(read_sorted) in (9, 10)


def test_without_room_for_an_order_each_page_is_sorted(people: Store) -> None:
    def trace(_cursor: Any, statement: str, _bindings: object) -> bool:
        if "TEMP TABLE" in statement:
            raise apsw.CantOpenError("no room")
        return True

    whole = people.query(ROWS, parse_query({"order_by": "name", "limit": COUNT})).rows
    people._connection.exec_trace = trace
    try:
        assert pages(people, {"order_by": "name", "limit": 1000}) == whole
    finally:
        people._connection.exec_trace = None


def test_a_kept_order_is_not_used_after_a_write(people: Store, tmp_path: Path) -> None:
    def following(after: str | None) -> tuple[list[Any], str | None]:
        page = people.query(ROWS, parse_query({"order_by": "name", "limit": 5, "after": after}))
        return [row.key[1] for row in page.rows], page.next

    _, after = following(None)
    second, later = following(after)
    assert following(after) == (second, later)
    people.begin(write=True)
    people.apply(deletes=[(ROWS, STRING, second[1])])
    assert following(after)[0][:4] == [second[0], *second[2:]]
    people.rollback()
    assert following(after) == (second, later)
    people.backup(tmp_path / "backup.db")
    with people.transaction():
        people.apply(deletes=[(ROWS, STRING, second[1])])
    changed = following(after)
    assert changed == following(after)
    assert changed[0][:4] == [second[0], *second[2:]]
    people.restore(tmp_path / "backup.db")
    assert following(after) == (second, later)


def test_a_look_that_does_not_find_enough_is_explained_with_what_follows() -> None:
    with Store.open(None) as store:
        with store.transaction():
            table_id = store.root("t", create=True)
            first = store.reserve(5_000)
            rows = range(first, first + 5_000)
            store.apply(
                [(table_id, INTEGER, row, TABLE, row) for row in rows]
                + [(row, STRING, "a", INTEGER, row % 3) for row in rows]
                + [(row, STRING, "b", INTEGER, row) for row in rows],
                new_tables=[(row,) for row in rows],
            )
        store.create_index("t", [], ["a"])
        where = [["a", "in", [1, 2]], ["b", ">", first + 4_990]]
        told = store.explain(table_id, parse_query({"where": where, "limit": 50}))
        assert told.index == "t(a)"
        assert told.sql.count("WITH found") == 2


def test_counts_are_read_from_the_index_alone(people: Store) -> None:
    statements: list[str] = []

    def trace(_cursor: Any, statement: str, _bindings: object) -> bool:
        statements.append(statement)
        return True

    people._connection.exec_trace = trace
    try:
        assert people.count(ROWS, parse_where([["city", "=", "c3"], ["age", ">", 50]])) == 150
    finally:
        people._connection.exec_trace = None
    assert "entries" not in statements[-2]


def test_words(people: Store) -> None:
    def keys(*where: Any) -> list[Any]:
        query = parse_query({"where": list(where), "limit": 100})
        return [row.key[1] for row in people.query(ROWS, query).rows]

    assert keys(["name", "matches", "77"]) == ["k00077"]
    assert keys(["name", "matches", "77 OR 78"]) == ["k00077", "k00078"]
    assert len(keys(["name", "matches", "7*"], ["n", "<", 100])) == 11
    assert keys({"any": [["name", "matches", "77"], ["n", "=", 5]]}) == ["k00005", "k00077"]
    assert keys({"none": [["name", "matches", "name"]]}) == []
    assert people.count(ROWS, parse_where(["name", "matches", "name"])) == COUNT
    for wrong in ('"', "AND", "a b OR", "(", "unknown : x"):
        with pytest.raises(QueryError, match="matches: "):
            keys(["name", "matches", wrong])
        with pytest.raises(QueryError, match="matches: "):
            people.count(ROWS, parse_where(["name", "matches", wrong]))
    with pytest.raises(QueryError, match="where: matches needs an index of words"):
        people.count(ROWS, parse_where(["city", "matches", "c1"]))


def test_words_of_one_field_of_several() -> None:
    with Store.open(None) as store:
        with store.transaction():
            rows: list[Any] = [(1, STRING, "rows", TABLE, ROWS)]
            for number, (title, text) in enumerate([("red", "blue"), ("blue", "red red")], 11):
                rows.append((ROWS, INTEGER, number, TABLE, number))
                rows.append((number, STRING, "title", STRING, title))
                rows.append((number, STRING, "text", STRING, text))
            store.apply(rows, new_tables=[(ROWS,), (11,), (12,)])
        store.create_index(*PATH, ["title", "text"], kind="text")

        def keys(*where: Any) -> list[Any]:
            return [row.key[1] for row in store.query(ROWS, parse_query({"where": where})).rows]

        assert keys(["title", "matches", "red"]) == [11]
        assert keys(["text", "matches", "red"]) == [12]
        assert keys(["text", "matches", "red OR blue"]) == [11, 12]
        assert keys({"none": [["title", "matches", "red OR green"]]}) == [12]
        assert keys(["title", "matches", "blue"], ["text", "matches", "red"]) == [12]


def test_any_of_more_conditions_than_sqlite_puts_together(people: Store) -> None:
    where = {"any": [["n", "=", number] for number in range(1000)]}
    assert people.count(ROWS, parse_where(where)) == 1000
    few = parse_query({"where": {"any": where["any"][:50]}, "limit": 100})
    explained = people.explain(ROWS, few)
    assert (explained.index, explained.rows_examined) == ("Memory.rows(n)", 50)


def test_the_statement_can_be_run_elsewhere(people: Store) -> None:
    explained = people.explain(ROWS, parse_query({"where": ["age", "=", 42], "limit": 10}))
    rows = people._connection.execute(explained.sql).fetchall()
    assert len(rows) == 11
    assert "counted" not in explained.sql
    scan = people.explain(ROWS, parse_query({"where": ["name", "=", "é'\0"], "limit": 10}))
    assert people._connection.execute(scan.sql).fetchall() == []


def test_writes_of_the_same_transaction_are_found(people: Store) -> None:
    def found() -> int:
        return people.count(ROWS, parse_where(["age", "=", 42]))

    before = found()
    people.begin(write=True)
    people.apply([(10_000, STRING, "age", *as_value(42))])
    assert found() == before + 1
    people.savepoint()
    people.apply(deletes=[(10_000, STRING, "age")])
    assert found() == before
    people.rollback_to()
    assert found() == before + 1
    people.rollback()
    assert found() == before
