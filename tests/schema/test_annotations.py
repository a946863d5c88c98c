"""LuaCATS annotations, written and read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema import (
    Type,
    annotations_of,
    definition_of,
    type_from_annotations,
    type_of,
)
from tests.schema.types import types

USER = """\
---@class User.home
---@field city string

--- Who may log in.
---@class (exact) User
---@field age integer Years since birth. [min = 0, max = 150]
---@field email? string [pattern = "^[^@]+@[^@]+$"]
---@field ["first name"] string
---@field friends (string|nil)[]
---@field home? User.home
---@field role "admin"|"user" [default = "user"]
---@field scores table<any, number>
---@field tags string[]
"""
DEFINITION = {
    "description": " Who may log in.",
    "class": "User",
    "fields": {
        "age": {"type": "integer", "min": 0, "max": 150, "description": "Years since birth."},
        "email": {"type": "string?", "pattern": "^[^@]+@[^@]+$"},
        "first name": "string",
        "friends": {"array": "string?"},
        "home": {"fields": {"city": "string"}, "optional": True, "class": "User.home"},
        "role": {"enum": ["admin", "user"], "default": "user"},
        "scores": {"extra": "number"},
        "tags": "string[]",
    },
    "extra": False,
}


def test_written() -> None:
    assert annotations_of(type_of(DEFINITION), "Whatever") == USER


def test_read() -> None:
    assert type_from_annotations(USER) == ("User", type_of(DEFINITION))


def without_names(found: Type) -> Type:
    """Annotations give names to what has none."""
    return replace(
        found,
        class_name="",
        array=None if found.array is None else without_names(found.array),
        fields=tuple(replace(one, type=without_names(one.type)) for one in found.fields),
        extra=without_names(found.extra) if isinstance(found.extra, Type) else found.extra,
    )


@given(types())
def test_what_is_written_is_read_again(inner: Type) -> None:
    row = type_of({"fields": {"x": definition_of(inner)}})
    text = annotations_of(row, "Row")
    assert without_names(type_from_annotations(text, "Row")[1]) == row


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("---@field a string|nil", {"a": "string?"}),
        ("---@field a? fun(x: integer, y?: string): boolean does it", {
            "a": {"type": "function?", "description": "does it"}}),
        ("---@field private a integer|number # remark", {
            "a": {"type": "number", "description": "remark"}}),
        ("---@field a string|integer", {"a": "any"}),
        ("---@field a { x: integer, y: { z: string } }", {"a": "table"}),
        ("---@field a table<string, integer[]>", {"a": {"extra": "integer[]"}}),
        ("---@field a Unknown", {"a": "any"}),
        ("---@field a Role", {"a": {"enum": ["x", "y"]}}),
        ("---@field a 'x'|1|true", {"a": {"enum": ["x", 1, True]}}),
        ("---@field a Base[]", {"a": {"array": {"fields": {"id": "integer"}, "class": "Base"}}}),
    ],
)  # fmt: skip
def test_as_people_write_them(text: str, fields: Any) -> None:
    lines = [
        "local M = {}", "---@alias Role", '---| "x" # first', "---| 'y'", "",
        "---@class Base", "---@field id integer", "", "---@class Row", text, "local Row = {}",
    ]  # fmt: skip
    found = type_from_annotations("\n".join(lines), "Row")[1]
    assert found == type_of({"class": "Row", "fields": fields})


def test_fields_are_inherited() -> None:
    text = "---@class Base\n---@field id integer\n---@class Row: Base\n---@field a string\n"
    assert type_from_annotations(text) == (
        "Row", type_of({"class": "Row", "fields": {"id": "integer", "a": "string"}}))  # fmt: skip


def test_a_class_inside_of_itself_ends_somewhere() -> None:
    found = type_from_annotations("---@class Node\n---@field next? Node\n")[1]
    assert found.fields[0].type.kind == "table"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("local x", "there is no ---@class"),
        ("---@field a string", "line 1: a field stands before its class"),
        ("---@class A\n---@field a |", "line 2: expected a type"),
        ("---@class A\n---@field a string [min = x]", "line 2: min: "),
        ("---@class A\n---@field a string [min = 1]", "a string has no min and max"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        type_from_annotations(text)
    assert message in str(caught.value)
