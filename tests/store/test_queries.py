"""Queries without an index: what they find, in which order, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import QueryError, StoreError
from lua_ls_persist.query import Query, parse_query, parse_where
from lua_ls_persist.store import Store
from lua_ls_persist.store.queries import FoundRow
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.query_data import ROWS, Made, conditions, made, queries, wheres
from tests.store.query_model import Model, Row

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
