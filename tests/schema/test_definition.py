"""Definitions: what they mean, what is wrong with others, and that they come back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema import Field, Type, definition_of, type_of
from tests.schema.types import types


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("integer", Type("integer")),
        ("string[]", Type("table", array=Type("string"))),
        ({"type": "table", "array": "string?"}, Type("table", array=Type("string", True))),
        ({"fields": {}}, Type("table")),
        ({"fields": {b"b": "any", "a": "number[]?"}}, Type("table", fields=(
            Field("a", Type("table", True, array=Type("number"))), Field("b", Type("any"))))),
        ({"extra": "integer"}, Type("table", extra=Type("integer"))),
        ({"min": 1}, Type("number", minimum=1)),
        ({"pattern": "x"}, Type("string", pattern="x")),
        ({"enum": {1: "x", 2: "y"}}, Type("any", enum=("x", "y"))),
        ({"fields": {"tags": {"array": "string", "default": {}}}}, Type("table", fields=(
            Field("tags", Type("table", array=Type("string"), default={})),))),
    ],
)  # fmt: skip
def test_meaning(definition: Any, expected: Type) -> None:
    assert type_of(definition) == expected


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (3, 'expected a type such as "integer?", or a table, got integer 3'),
        ("int", 'there is no type "int"'),
        ("integer?", "a row is there or is not"),
        ({"fields": {"a": {"type": "integer", "mn": 1}}},
         'fields.a: there is no attribute string "mn"'),
        ({"fields": {"a b": {"min": "x"}}}, 'fields["a b"].min: expected a number, got string "x"'),
        ({"fields": {"a": {"type": "string", "min": 1}}}, "fields.a: a string has no min and max"),
        ({"fields": {"a": {"type": "integer", "length": 1}}}, "fields.a: a integer has no length"),
        ({"fields": {"a": {"min": 3, "max": 2}}}, "fields.a: nothing is between min and max: 3 is"),
        ({"fields": {"a": {"pattern": "[a"}}}, "fields.a.pattern: it is no Lua pattern: a ["),
        ({"fields": {"a": {"pattern": "%1"}}}, "%1 refers to no finished capture"),
        ({"fields": {"a": {"enum": []}}}, "fields.a.enum: expected a list of values"),
        ({"fields": {"a": {"type": "integer", "enum": [1, "x"]}}},
         'fields.a: enum[2]: expected integer, got string "x"'),
        ({"fields": {"a": {"type": "integer", "default": "x"}}},
         'fields.a: default: expected integer, got string "x"'),
        ({"fields": {"a": {"default": {1: 1, "x": 2}}}}, "a table in a default is a list, or has"),
        ({"fields": {1: "string"}}, "fields: the name of a field is a string, not integer 1"),
        ({"fields": ["string"]}, "fields: expected a table of types by name, got table"),
        ({"array": "string", "fields": {"a": "any"}}, "either array, or fields and extra"),
        ({"type": "string", "array": "string"}, "a string has no fields, array or extra"),
        ({"fields": {"a": {"optional": 1}}}, "fields.a.optional: expected true or false"),
        ({"fields": {"a": {"ref": " "}}}, "fields.a.ref: expected the path of a table"),
        ({"fields": {"a": {"type": "string", "length": -1}}}, "fields.a.length: expected a length"),
        ({"min": float("nan")}, "min: expected a number, got number nan"),
        ({"fields": {"a": {"pattern": b"\xff"}}}, "fields.a.pattern: expected a string"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named_with_its_place(definition: Any, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        type_of(definition)
    assert message in str(caught.value)


def test_types_nest_only_so_deep() -> None:
    definition: Any = "integer"
    for _ in range(40):
        definition = {"array": definition}
    with pytest.raises(SchemaError, match="nest at most 30 deep"):
        type_of(definition)


@given(types())
def test_a_definition_comes_back(row: Type) -> None:
    assert type_of(definition_of(row)) == row


@given(types())
def test_json_can_hold_it(row: Type) -> None:
    assert type_of(json.loads(json.dumps(definition_of(row)))) == row


@pytest.mark.parametrize(
    ("definition", "meant"),
    [("int", "integer"), ("bool", "boolean"), ("strng", "string"), ({"field": {}}, "fields")],
)
def test_what_may_have_been_meant_is_told(definition: object, meant: str) -> None:
    with pytest.raises(SchemaError, match=rf"; did you mean {meant}\?$"):
        type_of(definition)


def test_what_is_like_nothing_is_told_without_a_guess() -> None:
    with pytest.raises(SchemaError, match=r"any$"):
        type_of("date")
