"""How queries through indexes are found: by which index, and looking at how many rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import parse_query, parse_where
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE
from tests.store.helpers import as_value
from tests.store.query_data import (
    PATH,
    ROWS,
    pages,
)

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
