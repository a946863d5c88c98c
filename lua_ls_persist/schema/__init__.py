"""Schemas: what the rows of a table look like, told once and checked wherever rows are written.

Pure: nothing here reads a file, a store or a VM. A definition (a tree of plain values, as Lua,
Python or JSON write it) becomes a `Type`; values are checked against it; types are derived from
values, and from LuaCATS annotations, and written as them. docs/schemas.md tells it to people.

Names are loaded when they are first used: who reads annotations checks no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist._loading import names_from

if TYPE_CHECKING:
    from lua_ls_persist.schema.annotations import annotations_of, class_name_of
    from lua_ls_persist.schema.annotations_read import type_from_annotations
    from lua_ls_persist.schema.checker import Checker, Refers
    from lua_ls_persist.schema.definition import definition_of, type_of
    from lua_ls_persist.schema.derive import Deriving
    from lua_ls_persist.schema.model import Field, Kind, Tree, Type
    from lua_ls_persist.schema.patterns import LuaPattern
    from lua_ls_persist.schema.shape import POSITIONS_MAX, ROWS, Shape
    from lua_ls_persist.schema.values import LuaFunction, LuaTable, Permanent, key_text

__all__ = [
    "POSITIONS_MAX",
    "ROWS",
    "Checker",
    "Deriving",
    "Field",
    "Kind",
    "LuaFunction",
    "LuaPattern",
    "LuaTable",
    "Permanent",
    "Refers",
    "Shape",
    "Tree",
    "Type",
    "annotations_of",
    "class_name_of",
    "definition_of",
    "key_text",
    "type_from_annotations",
    "type_of",
]

_MODULES = (
    ".model",
    ".values",
    ".annotations_read",
    ".annotations",
    ".patterns",
    ".shape",
    ".definition",
    ".derive",
    ".checker",
)

if not TYPE_CHECKING:  # a type checker that saw it would accept any name
    __getattr__ = names_from(__name__, __all__, _MODULES)
