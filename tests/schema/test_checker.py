"""What a checker says of values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from lua_ls_persist.errors import VIOLATIONS_SHOWN_MAX, SchemaViolationError
from lua_ls_persist.model import SchemaViolation
from lua_ls_persist.schema import Checker, Deriving, LuaFunction, Permanent, Type, type_of
from tests.schema.types import types, values

USERS = {
    "fields": {
        "name": "string",
        "age": {"type": "integer", "min": 0, "max": 150},
        "email": {"type": "string?", "pattern": "^[^@]+@[^@]+$"},
        "role": {"enum": ["admin", "user"], "default": "user"},
        "code": {"type": "string?", "length": 2},
        "tags": "string[]?",
        "home": {"optional": True, "fields": {"city": {"type": "string", "min_length": 1}}},
    },
    "extra": False,
}
NAN = float("nan")


def check(definition: Any, value: Any) -> list[str]:
    return [str(one) for one in Checker().check(type_of(definition), value, "x")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "Eve", "age": 41}, []),
        ({"name": b"\xff", "age": 0, "email": "a@b", "role": "admin", "tags": ["x"]}, []),
        ({"name": "Eve", "age": "old"}, ['x.age: expected integer, got string "old"']),
        ({"name": "Eve", "age": 1.0}, ["x.age: expected integer, got number 1.0"]),
        ({"name": "Eve", "age": True}, ["x.age: expected integer, got boolean true"]),
        ({"name": "Eve", "age": 151}, ["x.age: expected 0 to 150, got integer 151"]),
        ({"age": 1}, ["x.name: expected string, got nil"]),
        ({"name": "E", "age": 1, "email": "e"},
         ['x.email: expected a string that matches "^[^@]+@[^@]+$", got string "e"']),
        ({"name": "E", "age": 1, "role": "x"},
         ['x.role: expected one of "admin", "user", got string "x"']),
        ({"name": "E", "age": 1, "code": "abc"},
         ['x.code: expected a string of 2 bytes, got string "abc"']),
        ({"name": "E", "age": 1, "tags": ["a", 2, {}]},
         ["x.tags[2]: expected string, got integer 2", "x.tags[3]: expected string, got table"]),
        ({"name": "E", "age": 1, "tags": {"a": "b"}},
         ['x.tags.a: expected integer keys from 1 on, got string "b"']),
        ({"name": "E", "age": 1, "home": {"city": ""}},
         ['x.home.city: expected a string of at least 1 bytes, got string ""']),
        ({"name": "E", "age": 1, "zip": NAN, "end": 1},
         ["x.zip: expected no such field, got number nan",
          'x["end"]: expected no such field, got integer 1']),
        (3, ["x: expected table, got integer 3"]),
        (None, ["x: expected table, got nil"]),
    ],
)  # fmt: skip
def test_rows(value: Any, expected: list[str]) -> None:
    assert check(USERS, value) == expected


@pytest.mark.parametrize(
    ("definition", "value", "right"),
    [
        ("function", LuaFunction(1), True),
        ("function", Permanent("print"), True),
        ("function", "print", False),
        ("table", Permanent("string"), True),
        ("table", [], True),
        ("any", None, True),
        ({"enum": [1, True]}, 1.0, True),
        ({"enum": [1]}, True, False),
        ({"enum": [1]}, None, False),
        ({"min": 2**53 + 1}, float(2**53), False),
        ({"min": 0}, NAN, False),
        ({"extra": "integer"}, {"a": 1, 5: 2}, True),
        ({"extra": "integer"}, {"a": 1, 5: "x"}, False),
    ],
)
def test_single_types(definition: Any, value: Any, right: bool) -> None:
    assert (check(definition, value) == []) is right


def test_references_are_asked_about() -> None:
    asked = []

    def refers(path: str, value: object) -> bool:
        asked.append((path, value))
        return value == "red"

    row = type_of({"fields": {"team": {"type": "string", "ref": "teams"}}})
    checker = Checker(refers)
    assert list(checker.check(row, {"team": "red"}, "x")) == []
    (violation,) = checker.check(row, {"team": "blue"}, "x")
    assert str(violation) == 'x.team: expected a row of teams, got string "blue"'
    assert asked == [("teams", "red"), ("teams", "blue")]


def test_long_strings_are_cut_between_characters() -> None:
    (text,) = check("integer", "é" * 30)
    assert text == 'x: expected integer, got string "' + "é" * 19 + '"...'


def test_an_error_lists_what_there_is_room_for() -> None:
    violations = [SchemaViolation(f"x[{n}]", "integer", "nil") for n in range(30)]
    error = SchemaViolationError(violations, more=True)
    assert len(error.violations) == 30
    assert str(error).splitlines()[-1] == f"and {30 - VIOLATIONS_SHOWN_MAX} or more others"


@given(types(), values())
def test_derived_types_hold_for_what_they_were_derived_from(row: Type, value: Any) -> None:
    found = Deriving()
    found.add(value)
    found.add({"a": value})
    assert list(Checker().check(found.type, value, "x")) == []
    assert list(Checker().check(found.type, {"a": value}, "x")) == []


def test_derived_types_are_narrow() -> None:
    found = Deriving()
    found.add({"name": "Ann", "age": 41, "tags": ["a"], "home": {"city": "X"}, "f": LuaFunction()})
    found.add({"name": "Bob", "age": 41.5, "tags": [], "f": LuaFunction()})
    assert found.type == type_of(
        {
            "fields": {
                "name": "string",
                "age": "number",
                "tags": "string[]",
                "home": {"fields": {"city": "string"}, "optional": True},
                "f": "function",
            }
        }
    )


def test_many_keys_are_a_map() -> None:
    found = Deriving()
    found.add({f"word{n}": n for n in range(200)})
    assert found.type == type_of({"extra": "integer"})
