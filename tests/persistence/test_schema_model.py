"""Random assignments to rows of a table with a random schema, with restarts in between.

Those are accepted that leave what the plain checker has nothing against, and no others; and the
store never has anything else.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.schema import Checker, Type, definition_of
from lua_ls_persist.session import Session
from tests.schema.types import NAMES, conforming, types, values

ASSIGN = """
local path, key, value = ...
local rows = ext.table("rows")
for _, step in ipairs(path) do rows = rows[step] end
local ok, message = pcall(function() rows[key] = value end)
return ok, message
"""
KEYS = st.one_of(st.sampled_from(NAMES), st.integers(1, 3))
KINDS_OF_STEPS = st.sampled_from(("right", "right", "right", "wild", "nothing"))


def tree_of(value: Any) -> Any:
    """The same with lists as Lua has them."""
    if isinstance(value, list):
        value = dict(enumerate(value, 1))
    if isinstance(value, dict):
        return {key: tree_of(one) for key, one in value.items() if one is not None}
    return value


def filled(found: Type, value: Any) -> Any:
    """The value with defaults in their places."""
    if not isinstance(value, dict):
        return value
    full = dict(value)
    for field in found.fields:
        if field.type.default is not None and field.name not in full:
            full[field.name] = tree_of(field.type.default)
    checker = Checker()
    for key, inner in full.items():
        below = checker.inner(found, key)
        if isinstance(below, Type):
            full[key] = filled(below, inner)
    return full


def path_into(rows: dict[Any, Any], choices: list[int]) -> list[Any]:
    """A way from the table to one of the tables in it, as far as there are any."""
    path: list[Any] = []
    at = rows
    for choice in choices:
        tables = [key for key, inner in at.items() if isinstance(inner, dict)]
        if not tables:
            break
        path.append(tables[choice % len(tables)])
        at = at[path[-1]]
    return path


def changed(rows: Any, path: list[Any], key: Any, value: Any) -> dict[Any, Any]:
    copy = dict(rows)
    if path:
        copy[path[0]] = changed(copy[path[0]], path[1:], key, value)
    elif value is None:
        copy.pop(key, None)
    else:
        copy[key] = tree_of(value)
    return copy


def step(data: st.DataObject, row: Type, rows: dict[Any, Any]) -> tuple[list[Any], Any, Any]:
    """An assignment: the way to a table, a key, and a value that is mostly right there."""
    way = path_into(rows, data.draw(st.lists(st.integers(0, 20), max_size=3)))
    found: Any = Type("table", extra=row)
    for key in way:
        found = Checker().inner(found, key) if isinstance(found, Type) else None
    names = [field.name for field in found.fields] if isinstance(found, Type) else []
    key = data.draw(st.one_of(st.sampled_from(names), KEYS) if names else KEYS)
    inner = Checker().inner(found, key) if isinstance(found, Type) else None
    kind = data.draw(KINDS_OF_STEPS)
    if kind == "nothing":
        return way, key, None
    if kind == "right" and isinstance(inner, Type):
        return way, key, data.draw(conforming(inner))
    return way, key, data.draw(values())


@settings(max_examples=40, deadline=None)
@given(row=types().filter(lambda row: row.is_structured), data=st.data())
def test_as_the_plain_checker(row: Type, data: st.DataObject) -> None:
    rows: dict[Any, Any] = {}
    checker = Checker()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.db"
        session = Session.open(path)
        try:
            session.set_schema("rows", definition_of(row))
            for _ in range(data.draw(st.integers(1, 12))):
                restart = data.draw(st.integers(0, 9))
                if restart < 2:
                    session.close()
                    session = Session.open(path, resume=restart == 0)
                way, key, value = step(data, row, rows)
                after = changed(rows, way, key, value)
                after = {name: filled(row, one) for name, one in after.items()}
                wrong = [one for name in after for one in checker.check(row, after[name], "x")]
                result = session.evaluate(ASSIGN, arguments=[way, key, value])
                assert result.ok, result.problems
                ok, message = result.values
                assert ok is (wrong == []), (way, key, value, message, wrong)
                rows = rows if wrong else after
            assert session.check_schemas() == []
            info = session.info("rows")
            assert info is not None
            assert info.entries == len(rows)
        finally:
            session.close()
