"""Queries without an index: what they find, in which order, page by page."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError, StoreError
from lua_ls_persist.query import (
    Aggregate,
    Class,
    Field,
    Query,
    parse_aggregate,
    parse_query,
    parse_where,
)
from lua_ls_persist.store import Store
from lua_ls_persist.store.query_pages import FoundRow
from lua_ls_persist.store.rows import FLOAT, INTEGER, STRING, TABLE, Value
from tests.store.helpers import as_value
from tests.store.query_data import ROWS, Made, aggregates, conditions, made, queries, wheres
from tests.store.query_model import Model, Row, ranked

USERS = 10


def filled(made: Made) -> Store:
    store = Store.open(None)
    made.put(store)
    return store


def pages(store: Store, spec: dict[str, Any], table_id: int = ROWS) -> list[FoundRow]:
    """All rows, page by page."""
    rows: list[FoundRow] = []
    after = None
    while True:
        page = store.query(table_id, parse_query({**spec, "after": after}))
        rows += page.rows
        assert len(page.rows) <= spec["limit"]
        if page.next is None:
            return rows
        assert len(page.rows) == spec["limit"]
        after = page.next


def plain(rows: list[FoundRow]) -> list[Row]:
    return [(row.key, row.value) for row in rows]


@given(made(), queries())
def test_what_is_found_is_what_the_model_finds(made: Made, spec: dict[str, Any]) -> None:
    model = Model(made.data, ROWS)
    query = parse_query(spec)
    with filled(made) as store:
        rows = pages(store, spec)
        assert plain(rows) == model.found(query)
        for row in rows:
            of_model = [model.field(field, (row.key, row.value)) for field in query.select]
            assert list(row.fields) == of_model
        assert store.count(ROWS, query.where) == len(rows)


@given(made(), conditions())
@settings(max_examples=300)
def test_each_condition(made: Made, condition: list[Any]) -> None:
    model = Model(made.data, ROWS)
    with filled(made) as store:
        for where in (condition, {"none": condition}, [condition, condition]):
            query = parse_query({"where": where, "limit": 100})
            assert plain(store.query(ROWS, query).rows) == model.found(query)


@given(made(), wheres)
def test_a_row_fulfils_a_condition_or_not(made: Made, where: Any) -> None:
    with filled(made) as store:
        fulfilled = store.count(ROWS, parse_where(where))
        others = store.count(ROWS, parse_where({"none": {"all": where}}))
        assert fulfilled + others == store.table_info(ROWS).entries


@given(made(), made(), queries(), st.data())
def test_rows_that_do_not_change_come_once_whatever_is_written_between_pages(
    made: Made, other: Made, spec: dict[str, Any], data: st.DataObject
) -> None:
    spec = {**spec, "limit": data.draw(st.integers(1, 3))}
    query = parse_query(spec)
    before = Model(made.data, ROWS).found(query)
    seen: list[Row] = []
    with filled(made) as store:
        first = store.query(ROWS, query)
        seen += plain(first.rows)
        with store.transaction():
            store.clear_table(ROWS)
        other.put(store)
        after = first.next
        while after is not None:
            page = store.query(ROWS, parse_query({**spec, "after": after}))
            seen += plain(page.rows)
            after = page.next
    model = Model(other.data, ROWS)
    kept = model.found(query)

    def place(model: Model, row: Row) -> list[Any]:
        return [model.field(order.field, row) for order in query.order_by]

    old = Model(made.data, ROWS)
    unchanged = [row for row in before if row in kept and place(old, row) == place(model, row)]
    for row in unchanged:
        assert seen.count(row) == 1


def of_model(model: Model, aggregate: Aggregate, rows: list[Row]) -> dict[str, Any]:
    """What is to be known of a group, in plain Python."""

    def numbers(field: Field) -> list[Any]:
        found = [model.field(field, row) for row in rows]
        return [value[1] for value in found if ranked(value)[0] == Class.NUMBER and value]

    def extreme(field: Field, which: Any) -> Value | None:
        found = [model.field(field, row) for row in rows]
        comparable = [v for v in found if v and ranked(v)[0] in (Class.NUMBER, Class.STRING)]
        return which(comparable, key=ranked) if comparable else None

    facts: dict[str, Any] = {"count": len(rows)}
    if aggregate.sum is not None:
        facts["sum"] = exact_sum(numbers(aggregate.sum))
    if aggregate.avg is not None:
        values = numbers(aggregate.avg)
        facts["avg"] = average(values) if values else None
    if aggregate.min is not None:
        facts["min"] = extreme(aggregate.min, min)
    if aggregate.max is not None:
        facts["max"] = extreme(aggregate.max, max)
    return facts


def exact_sum(values: list[Any]) -> Any:
    if all(isinstance(value, int) for value in values):
        total = sum(values)
        return total if -(2**63) <= total < 2**63 else float(total)
    return rounded(values, 1)


def average(values: list[Any]) -> float:
    return rounded(values, len(values))


def rounded(values: list[Any], count: int) -> float:
    endless = {value for value in values if isinstance(value, float) and math.isinf(value)}
    if endless:
        return endless.pop() if len(endless) == 1 else math.nan
    return float(sum(map(Fraction, values), Fraction()) / count)


def told(value: Value | None) -> Any:
    """A value as Python has it, NaN as a text."""
    if value is None:
        return None
    kind, native = value
    if kind == FLOAT and isinstance(native, int):
        return "NaN"
    return native


@given(made(), aggregates)
def test_groups_are_those_of_the_model(made: Made, spec: dict[str, Any]) -> None:
    model = Model(made.data, ROWS)
    aggregate = parse_aggregate(spec)
    groups = model.groups(aggregate)
    if not aggregate.group_by and not groups:
        groups = {(): []}
    with filled(made) as store:
        found = store.aggregate(ROWS, aggregate)
    assert [tuple(map(ranked, group.group)) for group in found] == list(groups)
    for group, rows in zip(found, groups.values(), strict=True):
        facts = of_model(model, aggregate, rows)
        assert group.count == facts["count"]
        for name in ("sum", "avg"):
            wanted = facts.get(name)
            is_nan = isinstance(wanted, float) and math.isnan(wanted)
            assert told(getattr(group, name)) == ("NaN" if is_nan else wanted)
            if name in facts and wanted is not None:
                assert getattr(group, name)[0] == (FLOAT if isinstance(wanted, float) else INTEGER)
        for name in ("min", "max"):
            assert ranked(getattr(group, name)) == ranked(facts.get(name))


def test_of_equal_numbers_the_integer_is_told(users: Store) -> None:
    values = [1, 1.0, 2.0, 2, 0.0, -0.0, 2**53, float(2**53)]
    for order in (values, values[::-1]):
        with users.transaction():
            users.clear_table(1)
            users.apply([(1, INTEGER, at, *as_value(value)) for at, value in enumerate(order)])
        spec = {"group_by": "@value", "count": True, "min": "@value", "max": "@value"}
        found = users.aggregate(1, parse_aggregate(spec))
        wanted = [(FLOAT, 0.0), (INTEGER, 1), (INTEGER, 2), (INTEGER, 2**53)]
        assert [group.group for group in found] == [(value,) for value in wanted]
        assert [group.min for group in found] == wanted
        assert [group.max for group in found] == wanted
        assert math.copysign(1, cast("float", found[0].min and found[0].min[1])) == 1


def test_sums_that_do_not_fit(users: Store) -> None:
    def facts(*values: Any) -> tuple[Any, Any]:
        with users.transaction():
            users.clear_table(1)
            users.apply([(1, INTEGER, at, *as_value(value)) for at, value in enumerate(values)])
        (group,) = users.aggregate(1, parse_aggregate({"sum": "@value", "avg": "@value"}))
        return group.sum, group.avg

    most = 2**63 - 1
    assert facts() == ((INTEGER, 0), None)
    assert facts("text", True) == ((INTEGER, 0), None)
    assert facts(most, 1, -1) == ((INTEGER, most), (FLOAT, most / 3))
    assert facts(most, most, -most, -most, 5) == ((INTEGER, 5), (FLOAT, 1.0))
    assert facts(most, 1) == ((FLOAT, 2.0**63), (FLOAT, 2.0**62))
    assert facts(1e308, 1e308, -1e308, 1) == ((FLOAT, 1e308), (FLOAT, 2.5e307))
    assert facts(1e308, 1e308) == ((FLOAT, math.inf), (FLOAT, 1e308))
    assert facts(1e16, 1, -1e16) == ((FLOAT, 1.0), (FLOAT, 1 / 3))
    assert facts(5e-324, 5e-324) == ((FLOAT, 1e-323), (FLOAT, 5e-324))
    assert facts(math.inf, 1, math.nan) == ((FLOAT, math.inf), (FLOAT, math.inf))


def test_more_groups_than_are_told(users: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lua_ls_persist.store.aggregates.GROUPS_MAX", 2)
    spec = {"count": True, "group_by": "age", "where": ["age", "<=", 30]}
    assert len(users.aggregate(USERS, parse_aggregate(spec))) == 2
    with pytest.raises(QueryError, match="group_by: there are more than 2 groups"):
        users.aggregate(USERS, parse_aggregate({"count": True, "group_by": "age"}))


@pytest.fixture
def users() -> Any:
    with Store.open(None) as store:
        with store.transaction():
            people = [("ann", 41), ("bob", 25), ("cid", 41), ("dan", None), ("eve", 30)]
            rows: list[Any] = []
            for number, (name, age) in enumerate(people, USERS + 1):
                rows.append((USERS, STRING, name, TABLE, number))
                rows.append((number, STRING, "name", STRING, name.title()))
                if age is not None:
                    rows.append((number, STRING, "age", INTEGER, age))
            store.apply(rows, new_tables=[(USERS + number,) for number in range(6)])
        yield store


def names(store: Store, **spec: Any) -> list[Any]:
    return [row.key[1] for row in store.query(USERS, parse_query(spec)).rows]


def test_examples(users: Store) -> None:
    assert names(users) == ["ann", "bob", "cid", "dan", "eve"]
    assert names(users, descending=True) == ["eve", "dan", "cid", "bob", "ann"]
    assert names(users, where=["age", ">", 25]) == ["ann", "cid", "eve"]
    assert names(users, where=["age", "!=", 41]) == ["bob", "dan", "eve"]
    assert names(users, order_by="age") == ["dan", "bob", "eve", "ann", "cid"]
    assert names(users, order_by="age", descending=True) == ["cid", "ann", "eve", "bob", "dan"]
    assert names(users, order_by={"field": "age", "descending": True}) == [
        "cid", "ann", "eve", "bob", "dan",
    ]  # fmt: skip
    assert names(users, order_by=[{"field": "age", "descending": True}, "name"]) == [
        "ann", "cid", "eve", "bob", "dan",
    ]  # fmt: skip
    assert names(users, where={"any": [["age", "<", 30], ["name", "endsWith", "e"]]}) == [
        "bob", "eve",
    ]  # fmt: skip


def test_a_path_leads_to_a_table(users: Store) -> None:
    with users.transaction():
        users.apply([(1, STRING, "users", TABLE, USERS), (1, STRING, "n", INTEGER, USERS)])
    assert users.table_at("Memory") == 1
    assert users.table_at("Memory", ["users"]) == USERS
    assert users.table_at("Memory", ["users", "ann"]) == USERS + 1
    assert users.table_at("Memory", ["users", "ann", "name"]) is None
    assert users.table_at("Memory", ["n"]) is None
    assert users.table_at("no") is None


def test_empty_strings(users: Store) -> None:
    with users.transaction():
        users.clear_table(1)
        users.apply([(1, STRING, "", STRING, ""), (1, STRING, "a", STRING, b"\xff")])
    for operator in ("startsWith", "endsWith", "contains"):
        for field in ("@key", "@value"):
            for value, wanted in (("", ["", "a"]), ("b", [])):
                condition = [field, operator, value]
                query = parse_query({"where": condition})
                assert [row.key[1] for row in users.query(1, query).rows] == wanted
                assert users.count(1, parse_where({"none": condition})) == 2 - len(wanted)


def test_a_cursor_of_another_query_is_refused(users: Store) -> None:
    def page(table_id: int = USERS, **spec: Any) -> str | None:
        query = parse_query({"limit": 2, "order_by": "age", "where": ["age", ">", 1], **spec})
        return users.query(table_id, query).next

    cursor = page()
    assert cursor is not None
    page(after=cursor)
    page(after=cursor, limit=1, select="name")
    for changed in (
        {"order_by": "name"},
        {"descending": True},
        {"where": ["age", ">", 2]},
        {"where": ["age", ">", 1.0]},
        {"where": ["age", ">=", 1]},
        {"where": ["name", ">", 1]},
        {"table_id": USERS + 1},
    ):
        with pytest.raises(QueryError, match="after: this cursor is of another query"):
            page(after=cursor, **changed)


def test_what_is_no_cursor_is_refused(users: Store) -> None:
    spec = {"limit": 1, "order_by": ["age", "name"]}
    cursor = users.query(USERS, parse_query(spec)).next
    assert cursor is not None
    for end in range(len(cursor)):
        with pytest.raises(QueryError, match="after: "):
            users.query(USERS, parse_query({**spec, "after": cursor[:end]}))
    for wrong in ("", "x", "é", "null", "W10", "W10" * 100_000, cursor + cursor):
        with pytest.raises(QueryError, match="after: "):
            users.query(USERS, parse_query({**spec, "after": wrong}))


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_as_cursor(text: Any) -> None:
    query: Query = parse_query({"after": text})
    with Store.open(None) as store, pytest.raises(QueryError, match="after: "):
        store.query(1, query)


def test_matches_needs_an_index_of_words(users: Store) -> None:
    query = parse_query({"where": [["age", ">", 1], {"any": [["name", "matches", "ann"]]}]})
    with pytest.raises(QueryError) as caught:
        users.query(USERS, query)
    assert str(caught.value) == (
        "where[2].any[1]: matches needs an index of words: "
        'ext.index(table, "name", { kind = "text" })'
    )


def test_as_many_conditions_and_values_as_are_allowed(users: Store) -> None:
    many: list[Any] = [["age", "!=", number] for number in range(100, 1100)]
    assert len(names(users, where=many)) == 5
    assert len(names(users, where={"any": many})) == 5
    assert names(users, where={"none": [["age", "=", number] for number in range(41, 1041)]}) == [
        "bob", "dan", "eve",
    ]  # fmt: skip
    deep: Any = ["age", "=", 41]
    for _ in range(49):
        deep = {"any": [deep]}
    assert names(users, where=deep) == ["ann", "cid"]
    assert names(users, where=["age", "in", list(range(10_000))]) == ["ann", "bob", "cid", "eve"]


def test_order_by_more_than_can_be_joined(users: Store) -> None:
    fields = [".".join("abcdefg") + f".x{number}" for number in range(8)]
    with pytest.raises(QueryError, match="order_by: the fields have more than 50 steps together"):
        users.query(USERS, parse_query({"order_by": fields}))


def test_a_scan_stops_when_it_is_asked_to(users: Store) -> None:
    with users.transaction():
        users.apply([(1, INTEGER, number, INTEGER, number) for number in range(100_000)])
    asked = []

    def stopping() -> bool:
        asked.append(True)
        return len(asked) == 2

    users.stop_when(stopping)
    with pytest.raises(StoreError, match="interrupted"):
        users.count(1, parse_where(["@value", "<", -1]))
    users.stop_when(lambda: False)
    assert users.count(1, parse_where(["@value", "<", 1000])) == 1000


def test_pages_in_a_transaction_see_what_was_written_in_it(users: Store) -> None:
    with users.transaction():
        users.apply(deletes=[(USERS, STRING, "ann")])
        assert names(users, where=["age", "=", 41]) == ["cid"]
        users.savepoint()
        users.apply(deletes=[(USERS, STRING, "cid")])
        assert names(users, where=["age", "=", 41]) == []
        users.rollback_to()
        assert names(users, where=["age", "=", 41]) == ["cid"]
