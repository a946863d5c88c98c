"""Definitions of rows as LuaCATS annotations, by the path of their table."""

from __future__ import annotations

from typing import Any

from lua_ls_persist.paths import Path, keys_of
from lua_ls_persist.schema import annotations_of, class_name_of, type_of


def annotations_for(table: Path, definition: Any) -> str:
    """The definition of a table's rows as LuaCATS annotations.

    Raises:
        SchemaError: the definition makes no sense.
    """
    return annotations_of(type_of(definition), class_name_of(keys_of(table)))


def row_class_of(table: Path) -> str:
    """What annotations call the rows of a table."""
    return class_name_of(keys_of(table))
