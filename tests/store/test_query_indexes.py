"""Queries through indexes give the same answers as without."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import parse_aggregate, parse_query
from lua_ls_persist.store import Store
from lua_ls_persist.store import planner as planner_code
from lua_ls_persist.store import query_sources as sources_code
from lua_ls_persist.store.index_forms import STRINGS_HASH
from lua_ls_persist.store.query_pages import FoundRow
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.query_data import (
    FIELDS,
    PATH,
    ROWS,
    STRINGS,
    Made,
    aggregates,
    conditions,
    fields,
    made,
    pages,
    queries,
    wheres,
)
from tests.store.query_model import Model, Row

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
