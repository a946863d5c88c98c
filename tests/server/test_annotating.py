"""Where types of a table's rows are written in a document."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.annotating import annotation_changes, key_type_of
from tests.server.marks import document

USER = "---@class (exact) User\n---@field age integer?\n---@field name string"
TWO = f"---@class User.address\n---@field city string\n\n{USER}"


def written(text: str, annotations: str = USER, row: int | None = None) -> str:
    """The text after the changes."""
    before = document(text)
    changes = annotation_changes(before, row, "users", annotations, ("string", "User"))
    lines = text
    for range_, new_text in sorted(changes, key=lambda one: one[0].start, reverse=True):
        offsets = [0]
        for line in text.split("\n"):
            offsets.append(offsets[-1] + len(line) + 1)
        start = offsets[range_.start.row] + range_.start.column
        end = offsets[range_.end.row] + range_.end.column
        lines = lines[:start] + new_text + lines[end:]
    return lines


@pytest.mark.parametrize(
    "line", ["local users = ext.table('users')", 'users = ext.table( "users" )', "local u = users"]
)
def test_above_the_line_that_names_the_table(line: str) -> None:
    assert written(f"-- first\n{line}\nprint(1)\n") == (
        f"-- first\n{USER}\n\n---@type table<string, User>\n{line}\nprint(1)\n"
    )


def test_written_twice_it_is_there_once() -> None:
    once = written("-- first\nlocal users = ext.table('users')\n", TWO)
    assert once.count("---@class") == 2
    assert written(once, TWO) == once


def test_a_class_that_changed_is_replaced_where_it_is() -> None:
    once = written("local users = ext.table('users')\nlocal x = 1\n", TWO)
    changed = TWO.replace("age integer?", "age number").replace("city string", "city string?")
    again = written(once, changed)
    assert again == written("local users = ext.table('users')\nlocal x = 1\n", changed)


def test_at_a_row() -> None:
    assert written("a = 1\nb = 2\n", row=1) == f"a = 1\n{USER}\n\nb = 2\n"
    assert written("a = 1\n") == f"{USER}\n\na = 1\n"
    assert written("") == f"{USER}\n\n"


def test_a_class_at_the_end() -> None:
    assert written("x = 1\n---@class User\n---@field old any") == f"x = 1\n{USER}\n"


def test_types_of_keys() -> None:
    assert key_type_of(["string", "string"]) == "string"
    assert key_type_of(["string", "integer"]) == "any"
    assert key_type_of([]) == "any"
