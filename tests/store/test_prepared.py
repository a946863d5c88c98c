"""Statements that are kept for questions that differ in their values only."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Query, parse_query
from lua_ls_persist.store import Store
from lua_ls_persist.store import prepared as prepared_code
from lua_ls_persist.store.planner import SCAN
from lua_ls_persist.store.prepared import Prepared
from lua_ls_persist.store.query_pages import Statement
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.query_data import ROWS, Made, made, scalars

PATH: tuple[str, list[Any]] = ("Memory", ["rows"])

compared = st.tuples(
    st.sampled_from(["a", "b", "@key"]), st.sampled_from(["=", "<", "<=", ">", ">="]), scalars
).map(list)
between = st.tuples(st.sampled_from(["a", "b"]), st.just("between"), scalars, scalars).map(list)
listed = st.tuples(st.sampled_from(["a", "b"]), st.just("in"), st.lists(scalars, max_size=3)).map(
    list
)
present = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["exists", "missing"])).map(list)
specs = st.fixed_dictionaries(
    {"where": st.lists(compared | between | listed | present, max_size=2)},
    optional={
        "order_by": st.sampled_from(["a", "b"]),
        "descending": st.booleans(),
        "limit": st.sampled_from([1, 3]),
        "select": st.sampled_from(["a", "c.a", "@value"]),
    },
)
changes = st.sampled_from(["index a", "index a, b", "drop", "write"])


@given(made(), st.lists(specs | changes, min_size=2, max_size=12))
@settings(max_examples=150)
def test_the_answers_are_those_of_a_scan(made: Made, steps: list[dict[str, Any] | str]) -> None:
    with Store.open(None) as store:
        made.put(store)
        with store.transaction():
            store.apply([(1, STRING, "rows", TABLE, ROWS)])
        store.create_index(*PATH, ["a"])
        number = 10_000
        for step in steps:
            if isinstance(step, str):
                number += 1
                _change(store, step, number)
                continue
            try:
                query = parse_query(step)
            except QueryError:
                continue  # bounds of two sorts
            found = store.query(ROWS, query)
            again = store.query(ROWS, query)
            store.use_indexes = False
            assert store.query(ROWS, query) == found == again
            store.use_indexes = True


def _change(store: Store, change: str, number: int) -> None:
    if change == "drop":
        for index in store.indexes():
            store.drop_index(index)
    elif change == "write":
        with store.transaction():
            store.apply(
                [(ROWS, INTEGER, number, TABLE, number), (number, STRING, "a", INTEGER, 1)],
                new_tables=[(number,)],
            )
    else:
        fields = change.removeprefix("index ").split(", ")
        if all([field.text for field in index.fields] != fields for index in store.indexes()):
            store.create_index(*PATH, fields)


class Maker:
    """Makes statements that say for which question they were made."""

    def __init__(self) -> None:
        self.asked: list[Query] = []

    def __call__(self, query: Query) -> Statement | None:
        self.asked.append(query)
        values = [value.value for node in query.where.members for value in node.operands]  # type: ignore[union-attr]  # comparisons
        return Statement("SELECT", ("first", *reversed(values)), SCAN)


@pytest.fixture
def maker() -> Maker:
    return Maker()


def ask(prepared: Prepared, maker: Maker, spec: dict[str, Any], **changed: Any) -> Any:
    arguments: dict[str, Any] = {"table_id": 1, "limit": 10, "indexes": [], **changed}
    statement = prepared.statement(query=parse_query(spec), make=maker, **arguments)
    return None if statement is None else statement.parameters


class TestKeeping:
    def test_other_values_take_the_places_of_those_before(self, maker: Maker) -> None:
        prepared = Prepared()
        for low, high in ((1, 2), (3.5, 4), (5, 5)):
            spec = {"where": [["age", ">", low], ["age", "<", high]]}
            assert ask(prepared, maker, spec) == ("first", high, low)
        assert len(maker.asked) == 1

    @pytest.mark.parametrize(
        "other",
        [
            {"where": [["age", ">", "1"]]},
            {"where": [["age", ">=", 1]]},
            {"where": [["size", ">", 1]]},
            {"where": [["age", ">", 1], ["age", ">", 1]]},
            {"where": [["age", ">", 1]], "order_by": "age"},
            {"where": [["age", ">", 1]], "descending": True},
            {"where": [["age", ">", 1]], "select": "name"},
        ],
    )
    def test_a_question_of_another_shape_is_another_one(
        self, maker: Maker, other: dict[str, Any]
    ) -> None:
        prepared = Prepared()
        ask(prepared, maker, {"where": [["age", ">", 1]]})
        ask(prepared, maker, other)
        assert len(maker.asked) == 2

    @pytest.mark.parametrize("changed", [{"table_id": 2}, {"limit": 11}, {"indexes": [None]}])
    def test_so_is_one_about_something_else(self, maker: Maker, changed: dict[str, Any]) -> None:
        prepared = Prepared()
        ask(prepared, maker, {"where": [["age", ">", 1]]})
        ask(prepared, maker, {"where": [["age", ">", 1]]}, **changed)
        assert len(maker.asked) == 2

    @pytest.mark.parametrize(
        "where",
        [
            [["name", "startsWith", "a"]],
            [["tags", "contains", 1]],
            [["text", "matches", "word"]],
            [["age", "!=", 1]],
            [{"any": [["age", "=", 1]]}],
        ],
    )
    def test_what_depends_on_more_than_the_shape_is_not_kept(
        self, maker: Maker, where: list[Any]
    ) -> None:
        assert ask(Prepared(), maker, {"where": where}) is None
        assert maker.asked == []

    def test_only_so_many_are_kept(self, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(prepared_code, "KEPT_MAX", 2)
        prepared = Prepared()
        for limit in (1, 2, 3, 2, 3, 1):
            ask(prepared, maker, {}, limit=limit)
        assert len(maker.asked) == 4
