"""LuaCATS annotations: `---@class` with its `---@field`s, written from a type and read as one.

What annotations have no words for (ranges, patterns, defaults, references) stands in brackets at
the end of a field's description, as JSON, and is read from there again::

    ---@class User
    ---@field age integer Years since birth. [min = 0, max = 150]
    ---@field email? string [pattern = "@"]
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from lua_ls_persist.pretty import is_name
from lua_ls_persist.schema.definition import definition_of
from lua_ls_persist.schema.model import Type

IN_BRACKETS: Final = (
    "min", "max", "length", "min_length", "max_length", "pattern", "enum", "default", "ref",
)  # fmt: skip

# Writing.


def annotations_of(row: Type, name: str) -> str:
    """The class of a row, and those of the tables inside of it before it."""
    writer = _Writer()
    writer.class_of(row, row.class_name or name)
    return "\n".join("\n".join(block) + "\n" for block in writer.blocks)


def class_name_of(keys: Sequence[object]) -> str:
    """What a row of a table is called: `User` for `users`."""
    name = "".join(char if char.isalnum() else "_" for char in str(keys[-1]))
    if len(name) > 3 and name.endswith("s") and not name.endswith("ss"):
        name = name[:-1]
    return name[:1].upper() + name[1:] if name[:1].isalpha() else f"Row{name}"


class _Writer:
    def __init__(self) -> None:
        self.blocks: list[list[str]] = []
        self._names: set[str] = set()

    def class_of(self, found: Type, wanted: str) -> str:
        """Writes a class for a table with fields; its name."""
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}{number}"
        self._names.add(name)
        block = []
        if found.description:
            block += [f"---{line}" for line in found.description.splitlines()]
        block.append(f"---@class {'(exact) ' if found.extra is False else ''}{name}")
        for one in found.fields:
            label = one.name if is_name(one.name) else f"[{json.dumps(one.name)}]"
            mark = "?" if one.type.optional else ""
            text = self._type(one.type, f"{name}.{one.name}")
            block.append(f"---@field {label}{mark} {text}{_remark(one.type)}")
        if isinstance(found.extra, Type):
            text = self._inner(found.extra, f"{name}.value")
            block.append(f"---@field [any] {text}{_remark(found.extra)}")
        self.blocks.append(block)
        return name

    def _inner(self, found: Type, place: str) -> str:
        return self._type(found, place) + ("|nil" if found.optional else "")

    def _type(self, found: Type, place: str) -> str:
        if found.array is not None:
            element = self._inner(found.array, place)
            return f"({element})[]" if "|" in element else f"{element}[]"
        if found.fields or found.extra is False:
            return self.class_of(found, found.class_name or _class_name(place))
        if isinstance(found.extra, Type):
            return f"table<any, {self._inner(found.extra, place)}>"
        if found.enum and not _has_floats(found):
            return "|".join(
                json.dumps(value, ensure_ascii=False) if value is not True else "true"
                for value in found.enum
            )
        return found.kind


def _has_floats(found: Type) -> bool:
    """Whether annotations have no words for a value of the enumeration."""
    return any(type(value) is float for value in found.enum)


def _class_name(place: str) -> str:
    return re.sub(r"[^\w.]", "_", place)


def _remark(found: Type) -> str:
    """The description, and what annotations have no words for."""
    remark = " ".join(found.description.split())
    parts = []
    tree = definition_of(found)
    if isinstance(tree, Mapping):
        for name in IN_BRACKETS:
            value = tree.get(name)
            if value is not None and (
                name != "enum" or any(type(one) is float for one in found.enum)
            ):
                parts.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
        if found.enum and found.kind != "any":
            parts.append(f'type = "{found.kind}"')
    inner = found.array or (found.extra if isinstance(found.extra, Type) else None)
    if inner is not None and not found.fields and not _is_told(inner):
        parts = [f"{'array' if found.array else 'extra'} = {json.dumps(definition_of(inner))}"]
    if parts:
        remark = f"{remark} [{', '.join(parts)}]"
    return f" {remark.strip()}" if remark else ""


def _is_told(inner: Type) -> bool:
    """Whether annotations have words for all of the type of elements."""
    if inner.fields or inner.extra is False:
        return True
    deeper = inner.array or (inner.extra if isinstance(inner.extra, Type) else None)
    plain = Type(inner.kind, inner.optional, array=inner.array, extra=inner.extra)
    if inner.enum:
        return inner == Type(optional=inner.optional, enum=inner.enum) and not _has_floats(inner)
    return inner == plain and (deeper is None or _is_told(deeper))
