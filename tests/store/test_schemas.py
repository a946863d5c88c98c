"""Schemas in the store: whatever way rows are written, what does not follow them is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from lua_ls_persist.errors import SchemaError, SchemaViolationError, StoreError
from lua_ls_persist.schema import definition_of, type_of
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import FLOAT, STRING, TABLE
from tests.store.helpers import as_value, failing, new_store, open_again

USER = {
    "fields": {
        "name": "string",
        "age": {"type": "integer", "min": 0},
        "home": {"optional": True, "fields": {"city": "string"}},
        "tags": "string[]?",
    },
    "extra": False,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = new_store(tmp_path)
    yield store
    store.close()


def put(store: Store, table_id: int, key: Any, value: Any) -> None:
    """Sets an entry; a dict becomes a new table, whose entries are written before it is put."""
    kind, native = (TABLE, tree(store, value)) if isinstance(value, dict) else as_value(value)
    store.apply([(table_id, *as_value(key), kind, native)])


def tree(store: Store, content: dict[Any, Any]) -> int:
    table_id = store.reserve(1)
    store.apply(new_tables=[(table_id,)])
    for key, value in content.items():
        put(store, table_id, key, value)
    return table_id


def at(store: Store, *path: Any) -> int:
    """The table that keys lead to."""
    table_id = store.root(path[0], create=True)
    for key in path[1:]:
        found = store.get(table_id, *as_value(key))
        assert found is not None
        assert isinstance(found[1], int)
        table_id = found[1]
    return table_id


def set_schema(store: Store, definition: Any, *keys: Any) -> None:
    with store.transaction():
        store.set_schema(keys or ("users",), type_of(definition))


def refused(store: Store, change: Any) -> list[str]:
    """What the commit of a change says."""
    with pytest.raises(SchemaViolationError) as caught, store.transaction():
        change()
    return [str(violation) for violation in caught.value.violations]


def accepted(store: Store, change: Any) -> None:
    with store.transaction():
        change()


def test_rows_are_checked_when_they_are_written(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    accepted(store, lambda: put(store, users, "ann", {"name": "Ann", "age": 41}))
    assert refused(store, lambda: put(store, users, "eve", {"name": "Eve", "age": "old"})) == [
        'users.eve.age: expected integer, got string "old"'
    ]
    assert refused(store, lambda: put(store, users, "eve", {"name": "Eve", "x": 1, "age": -1})) == [
        "users.eve.age: expected at least 0, got integer -1",
        "users.eve.x: expected no such field, got integer 1",
    ]
    assert refused(store, lambda: put(store, users, "eve", {})) == [
        "users.eve.age: expected integer, got nil",
        "users.eve.name: expected string, got nil",
    ]
    assert refused(store, lambda: put(store, users, "eve", 3)) == [
        "users.eve: expected table, got integer 3"
    ]
    assert store.table_info(users).entries == 1


def test_a_row_may_be_completed_in_the_same_transaction(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    with store.transaction():
        put(store, users, "eve", {"name": 3})
        eve = at(store, "users", "eve")
        put(store, eve, "age", 1)
        put(store, eve, "name", "Eve")
    assert refused(store, lambda: store.apply(deletes=[(eve, STRING, "name")])) == [
        "users.eve.name: expected string, got nil"
    ]
    assert refused(store, lambda: store.clear_table(eve))[1] == (
        "users.eve.name: expected string, got nil"
    )
    accepted(store, lambda: store.apply(deletes=[(users, STRING, "eve")]))


def test_nested_tables_are_checked_also_when_they_are_reached_otherwise(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    home = {"city": "Paris"}
    accepted(
        store,
        lambda: put(store, users, "a", {"name": "A", "age": 1, "home": home, "tags": {1: "x"}}),
    )
    store = open_again(store)
    tags = at(store, "users", "a", "tags")
    assert refused(store, lambda: put(store, tags, 2, 3)) == [
        "users.a.tags[2]: expected string, got integer 3"
    ]
    assert refused(store, lambda: put(store, tags, "x", "y")) == [
        'users.a.tags.x: expected integer keys from 1 on, got string "y"'
    ]
    city = at(store, "users", "a", "home")
    assert refused(store, lambda: put(store, city, "city", False)) == [
        "users.a.home.city: expected string, got boolean false"
    ]
    store.close()


def test_what_is_no_row_any_more_is_free(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    accepted(store, lambda: put(store, users, "a", {"name": "A", "age": 1}))
    ann = at(store, "users", "a")
    accepted(store, lambda: store.apply([(1, STRING, "kept", TABLE, ann)]))
    accepted(store, lambda: store.apply(deletes=[(users, STRING, "a")]))
    accepted(store, lambda: put(store, ann, "age", "old"))
    assert refused(store, lambda: store.apply([(users, STRING, "b", TABLE, ann)])) == [
        'users.b.age: expected integer, got string "old"'
    ]


def test_a_table_may_be_a_row_of_two_tables(store: Store) -> None:
    set_schema(store, {"fields": {"age": "integer"}}, "a")
    set_schema(store, {"fields": {"age": {"type": "integer", "max": 10}}}, "b")
    row = 0
    with store.transaction():
        row = tree(store, {"age": 5})
        store.apply([(at(store, "a"), STRING, "x", TABLE, row)])
        store.apply([(at(store, "b"), STRING, "y", TABLE, row)])
    assert refused(store, lambda: put(store, row, "age", 11)) == [
        "b.y.age: expected at most 10, got integer 11"
    ]
    assert refused(store, lambda: put(store, row, "age", "x")) == [
        'a.x.age: expected integer, got string "x"',
        'b.y.age: expected integer, got string "x"',
    ]


def test_setting_a_schema_reports_all_that_is_there_and_changes_nothing(store: Store) -> None:
    users = at_new(store, "users")
    with store.transaction():
        for number in range(1500):
            put(store, users, number, {"name": number, "age": 1})
    with pytest.raises(SchemaViolationError) as caught:
        set_schema(store, USER)
    assert len(caught.value.violations) == 1000
    assert caught.value.more
    assert str(caught.value.violations[7]) == "users[7].name: expected string, got integer 7"
    assert store.schemas() == []
    accepted(store, lambda: put(store, users, "x", 3))


def at_new(store: Store, name: str) -> int:
    with store.transaction():
        return store.root(name, create=True)


def test_a_schema_that_does_not_fit_leaves_the_one_before(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    accepted(store, lambda: put(store, users, "a", {"name": "A", "age": 1}))
    with pytest.raises(SchemaViolationError):
        set_schema(store, {"fields": {"age": "string"}})
    found = store.schema(("users",))
    assert found is not None
    assert found.row == type_of(USER)
    assert refused(store, lambda: put(store, users, "b", 1)) != []
    accepted(store, lambda: store.drop_schema(("users",)))
    accepted(store, lambda: put(store, users, "b", 1))


def test_a_schema_follows_its_path(store: Store) -> None:
    keys = ("Memory", "app", "users")
    set_schema(store, USER, *keys)
    with store.transaction():
        put(store, 1, "app", {"users": {"a": {"name": "A", "age": 1}}})
    assert refused(store, lambda: put(store, at(store, *keys), "b", 1)) == [
        "Memory.app.users.b: expected table, got integer 1"
    ]
    assert refused(store, lambda: put(store, at(store, "Memory", "app"), "users", {"c": {}})) == [
        "Memory.app.users.c.age: expected integer, got nil",
        "Memory.app.users.c.name: expected string, got nil",
    ]
    old = at(store, *keys)
    accepted(store, lambda: put(store, 1, "app", {"users": {}}))
    accepted(store, lambda: put(store, old, "b", 1))
    assert refused(store, lambda: put(store, 1, "app", {"users": {"x": 1}})) == [
        "Memory.app.users.x: expected table, got integer 1"
    ]


def test_what_is_rolled_back_is_not_checked(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    with store.transaction():
        store.savepoint()
        put(store, users, "a", 1)
        store.rollback_to()
        put(store, users, "b", {"name": "B", "age": 1})
    with store.transaction():
        store.savepoint()
        store.drop_schema(("users",))
        put(store, users, "c", 1)
        store.rollback_to()
    assert refused(store, lambda: put(store, users, "c", 1)) != []


def test_another_process_s_schema_is_noticed(store: Store) -> None:
    assert store.path is not None
    at_new(store, "users")
    with Store.open(store.path) as other:
        set_schema(other, USER)
        store.changed_by_others()
        users = at(store, "users")
        assert refused(store, lambda: put(store, users, "a", 1)) != []
        accepted(other, lambda: other.drop_schema(("users",)))
        store.changed_by_others()
        accepted(store, lambda: put(store, users, "a", 1))


def test_references(store: Store) -> None:
    set_schema(store, {"fields": {"team": {"ref": "Memory.teams"}}})
    users = at(store, "users")
    accepted(store, lambda: put(store, 1, "teams", {"red": {}, 1: {}}))
    red = at(store, "Memory", "teams", "red")
    accepted(store, lambda: put(store, users, "a", {"team": "red"}))
    accepted(store, lambda: put(store, users, "b", {"team": 1.0}))
    row = 0
    with store.transaction():
        row = tree(store, {})
        store.apply([(row, STRING, "team", TABLE, red), (users, STRING, "c", TABLE, row)])
    values: tuple[Any, ...] = ("blue", 2, 0.5, True, {})
    for value in values:
        (text,) = refused(store, partial(put, store, users, "d", {"team": value}))
        assert text.startswith("users.d.team: expected a row of Memory.teams, got ")
    nan = as_value(float("nan"))
    assert nan[0] == FLOAT
    assert refused(store, lambda: store.apply([(row, STRING, "team", *nan)])) != []
    with pytest.raises(SchemaError, match="ref: "):
        set_schema(store, {"fields": {"x": {"ref": "1x"}}})


def test_imports_are_checked(tmp_path: Path) -> None:
    text = io.StringIO()
    with Store.open(None) as source:
        users = at_new(source, "users")
        with source.transaction():
            put(source, users, "a", {"name": "A", "age": "x"})
            put(source, 1, "users", {"b": 1})
        source.export_lines(text)
    with new_store(tmp_path) as target:
        set_schema(target, USER, "Memory", "users")
        with pytest.raises(SchemaViolationError) as caught, target.transaction():
            target.import_lines(text.getvalue().splitlines())
        assert str(caught.value) == "Memory.users.b: expected table, got integer 1"
        assert target.table_info(1).entries == 0


def test_exports_have_schemas(tmp_path: Path) -> None:
    text = io.StringIO()
    with Store.open(None) as source:
        set_schema(source, USER)
        users = at(source, "users")
        accepted(source, lambda: put(source, users, "a", {"name": "A", "age": 1}))
        source.export_lines(text)
    lines = text.getvalue().splitlines()
    with new_store(tmp_path) as target:
        accepted(target, lambda: target.import_lines(lines))
        found = target.schema(("users",))
        assert found is not None
        assert found.row == type_of(USER)
        a = at(target, "users", "a")
        assert refused(target, lambda: put(target, a, "age", "x")) == [
            'users.a.age: expected integer, got string "x"'
        ]
    broken = [line.replace('"string[]?"', '"strng"') for line in lines]
    with Store.open(None) as target, pytest.raises(StoreError, match="there is no type"):
        accepted(target, lambda: target.import_lines(broken))


@pytest.mark.parametrize("at_statement", range(1, 30))
def test_a_schema_that_fails_to_be_set_is_not_set(store: Store, at_statement: int) -> None:
    users = at_new(store, "users")
    accepted(store, lambda: put(store, users, "a", {"name": "A", "age": 1, "tags": {1: "x"}}))
    with failing(store, at_statement, apsw.FullError("full")) as run, suppress(StoreError):
        set_schema(store, USER)
    is_set = store.schema(("users",)) is not None
    assert is_set is (len(run) < at_statement)
    a = at(store, "users", "a")
    if is_set:
        assert refused(store, lambda: put(store, a, "age", "x")) != []
    else:
        accepted(store, lambda: put(store, a, "age", "x"))


def test_a_dropped_name_drops_its_schemas(store: Store) -> None:
    set_schema(store, USER)
    set_schema(store, USER, "users", "inner")
    accepted(store, lambda: store.drop_root("users"))
    assert store.schemas() == []
    users = at_new(store, "users")
    accepted(store, lambda: put(store, users, "a", 1))


def test_a_restored_backup_brings_its_schemas(store: Store, tmp_path: Path) -> None:
    set_schema(store, USER)
    store.backup(tmp_path / "copy.db")
    accepted(store, lambda: store.drop_schema(("users",)))
    accepted(store, lambda: put(store, at(store, "users"), "a", 1))
    store.restore(tmp_path / "copy.db")
    assert refused(store, lambda: put(store, at(store, "users"), "a", 1)) != []


def test_checking_again_finds_what_came_by_other_ways(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    store._connection.execute("INSERT INTO entries VALUES (?, 4, 'a', 2, 3)", (users,))
    with store.transaction():
        found = store.check_schemas()
    assert [str(one) for one in found] == ["users.a: expected table, got integer 3"]
    with store.transaction():
        assert store.check_schemas(("other",)) == []


def test_deriving(store: Store) -> None:
    users = at_new(store, "users")
    with store.transaction():
        put(store, users, "a", {"name": "A", "age": 1, "home": {"city": "X"}, "tags": {1: "x"}})
        put(store, users, "b", {"name": "B", "age": 2.5, "tags": {}})
    found = store.derive_schema(("users",))
    assert found is not None
    assert definition_of(found) == {
        "fields": {
            "name": "string",
            "age": "number",
            "home": {"type": "table?", "fields": {"city": "string"}},
            "tags": "string[]",
        }
    }
    with store.transaction():
        store.set_schema(("users",), found)
    assert store.derive_schema(("nothing",)) is None


def test_tables_inside_of_each_other_end_somewhere(store: Store) -> None:
    node = {"fields": {"next": {"optional": True, "fields": {"next": {"optional": True, "fields": {
        "name": "string"}}}}}}  # fmt: skip
    set_schema(store, node)
    users = at(store, "users")
    with store.transaction():
        row = tree(store, {"name": "x"})
        store.apply([(row, STRING, "next", TABLE, row), (users, STRING, "a", TABLE, row)])
    assert refused(store, lambda: store.apply(deletes=[(row, STRING, "name")])) == [
        "users.a.next.next.name: expected string, got nil"
    ]


def test_collection_forgets_places(store: Store) -> None:
    set_schema(store, USER)
    users = at(store, "users")
    accepted(store, lambda: put(store, users, "a", {"name": "A", "age": 1}))
    accepted(store, lambda: store.apply(deletes=[(users, STRING, "a")]))
    with store.transaction():
        store.collect()
    assert store._connection.execute("SELECT count(*) FROM schema_tables").get == 0
