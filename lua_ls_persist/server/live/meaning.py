"""What the types of annotations mean: shapes, where a type is one thing.

Must not know LSP types or sessions. Not for the loop's thread, because other files may have to be
read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema.type_texts import FunctionType, parts_of
from lua_ls_persist.server.live.resolving import Literally
from lua_ls_persist.server.live.shapes import Called, Instance, ListOf, Shape
from lua_ls_persist.server.workspace_files import WorkspaceFiles

DEPTH_MAX: Final = 20

Bound: TypeAlias = "Mapping[str, Shape | None]"
"""What names of generic types stand for in one call, and `self`."""

Parts: TypeAlias = "Sequence[str | tuple[str, object]]"


def shape_of_type(
    files: WorkspaceFiles, text: str, bound: Bound | None = None, depth: int = DEPTH_MAX
) -> Shape | None:
    """What an annotation means, if it is one thing, nil aside."""
    parts = parts_in(text)
    return None if parts is None or depth == 0 else _of_parts(files, parts, bound or {}, depth - 1)


def parts_in(text: str) -> Parts | None:
    """The parts of a type; None where it is none."""
    try:
        return parts_of(text)[0]
    except (SchemaError, ValueError):
        return None


def function_type(text: str) -> FunctionType | None:
    """The type of a function, which may be missing; None where a text is no such type."""
    found = None
    for part in parts_in(text) or ():
        if isinstance(part, tuple) and part[0] == "fun" and isinstance(part[1], FunctionType):
            if found is not None:
                return None
            found = part[1]
    return found


def _of_parts(files: WorkspaceFiles, parts: object, bound: Bound, depth: int) -> Shape | None:
    if not isinstance(parts, list):
        return None
    given = [one for one in parts if one != "nil"]
    if len(given) != 1:
        return None
    part = given[0]
    if isinstance(part, str):
        return _of_name(files, part, bound, depth)
    what, inner = part
    if what in ("array", "map"):
        element = _of_parts(files, inner, bound, depth)
        return None if element is None else ListOf(element, has_names=what == "map")
    if what == "fun":
        return Called(inner)
    return _of_parts(files, inner, bound, depth) if what == "union" else None


def _of_name(files: WorkspaceFiles, name: str, bound: Bound, depth: int) -> Shape | None:
    if name in bound:
        return bound[name]
    if name == "string":
        return Literally()
    if any(True for _ in files.classes(name)):
        return Instance(name)
    alias = next(files.aliases(name), None)
    return None if alias is None else shape_of_type(files, alias, bound, depth)


def bind(name: str, type_: str, given: Shape | None, element: Shape | None) -> Shape | None:
    """What a generic name stands for, if a parameter of a type gets something.

    Args:
        name: the generic name.
        type_: the parameter's type.
        given: what it gets.
        element: what somebody gets who goes through that.
    """
    for part in parts_in(type_) or ():
        if part == name:
            return given
        if isinstance(part, tuple) and part[0] in ("array", "map") and part[1] == [name]:
            return element
    return None
