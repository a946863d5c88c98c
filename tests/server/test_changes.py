"""Which tables have changed, as the history tells it: never too few."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from lua_ls_persist.server.changes import ANYTHING, ENTRIES_LOOKED_AT, ChangedTables, DataChange
from lua_ls_persist.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as session:
        session.evaluate("ext.table('users').ann = { age = 1 } ext.table('log')[1] = 1")
        yield session


def look(session: Session, changed: ChangedTables) -> DataChange:
    return changed.look(session.history(ENTRIES_LOOKED_AT))


def test_tables_by_name(session: Session) -> None:
    changed = ChangedTables()
    assert look(session, changed) == ANYTHING, "nobody has looked yet"
    session.evaluate("ext.table('users').ann.age = 2")
    assert look(session, changed) == DataChange(["users"], functions=False)
    session.evaluate("ext.table('log')[2] = 1")
    session.evaluate("Memory.x = 1")
    assert look(session, changed) == DataChange(["Memory", "log"], functions=False)
    session.undo()
    assert look(session, changed) == DataChange(["Memory"], functions=True)
    session.redo()
    assert look(session, changed) == DataChange(["Memory"], functions=False)
    session.evaluate("function Memory.f() end")
    assert look(session, changed) == DataChange(["Memory"], functions=True)


def test_what_the_history_does_not_tell_may_be_anything(session: Session) -> None:
    changed = ChangedTables()
    look(session, changed)
    assert look(session, changed) == ANYTHING, "an index, perhaps"
    session.evaluate("for i = 1, 30 do Memory['k' .. i] = i end")
    assert look(session, changed) == ANYTHING, "not all places are told"
    assert changed.look(None) == ANYTHING
    session.evaluate("Memory.x = 1")
    assert look(session, changed) == ANYTHING, "nobody knows since when"
    session.forget_history()
    session.evaluate("Memory.x = 2")
    assert look(session, changed) == ANYTHING


@pytest.mark.parametrize("seed", range(5))
def test_no_table_is_left_out(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    names = ["a", "b", "c", "d"]
    changed = ChangedTables()
    look(session, changed)
    for _ in range(30):
        before = {name: session.inspect(name).value for name in names if session.info(name)}
        for _ in range(chance.randint(1, 3)):
            action = chance.choice(["set", "set", "set", "undo", "redo", "delete"])
            name, key = chance.choice(names), chance.randint(1, 3)
            if action == "set":
                session.evaluate(f"ext.table('{name}')[{key}] = {chance.randint(1, 9)}")
            elif action == "delete":
                session.evaluate(f"ext.table('{name}')[{key}] = nil")
            else:
                getattr(session, action)()
        told = look(session, changed).tables
        after = {name: session.inspect(name).value for name in names if session.info(name)}
        different = {name for name in names if before.get(name) != after.get(name)}
        assert told is None or different <= set(told)
