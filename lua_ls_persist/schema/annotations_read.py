"""Reading LuaCATS annotations: the lines of `---@class`, `---@field` and `---@alias`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema.annotations import IN_BRACKETS
from lua_ls_persist.schema.definition import DEPTH_MAX, definition_of, type_of
from lua_ls_persist.schema.model import KINDS, Tree, Type
from lua_ls_persist.schema.type_texts import TypeReader, error_at


@dataclass(slots=True)
class _Class:
    line: int
    exact: bool
    parents: list[str]
    description: str
    fields: list[tuple[str, bool, str, int]] = field(default_factory=list)
    """(name in its brackets or without, whether optional, the rest of the line, its number)"""


_CLASS = re.compile(
    r"---@class\s+(\((?:exact|partial|key)\)\s+)?([\w.]+)\s*(?::\s*([\w., ]+))?(.*)"
)
_FIELD = re.compile(
    r"---@field\s+(?:(?:public|private|protected|package)\s+)?(\[[^\]]*\]|[\w.]+)(\??)\s+(.*)"
)
_ALIAS = re.compile(r"---@alias\s+([\w.]+)\s*(.*)")
_ALIAS_PART = re.compile(r"---\|\s*[+>]?\s*(.*)")
_BRACKETS = re.compile(rf"\[((?:{'|'.join(IN_BRACKETS)}|type|array|extra) = .*)\]\s*$")


def type_from_annotations(text: str, name: str | None = None) -> tuple[str, Type]:
    """The name and the type of a class: the one of that name, or the last that no other uses.

    Raises:
        SchemaError: there is no such class, or an annotation cannot be read; names the line.
    """
    reader = _Reader(text)
    name = name or reader.main()
    return name, type_of(definition_of(reader.class_type(name, 0)))


class _Reader:
    def __init__(self, text: str) -> None:
        self._classes: dict[str, _Class] = {}
        self._aliases: dict[str, tuple[str, int]] = {}
        self._used: set[str] = set()
        self._read(text)

    def _read(self, text: str) -> None:
        current: _Class | None = None
        alias = ""
        remarks: list[str] = []
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip()
            if found := _CLASS.match(stripped):
                exact, name, parents, _ = found.groups()
                current = self._classes[name] = _Class(
                    number,
                    exact is not None and "exact" in exact,
                    [parent.strip() for parent in (parents or "").split(",") if parent.strip()],
                    "\n".join(remarks),
                )
                remarks = []
            elif found := _FIELD.match(stripped):
                if current is None:
                    raise error_at(number, "a field stands before its class")
                label, mark, rest = found.groups()
                current.fields.append((label, mark == "?", rest, number))
            elif found := _ALIAS.match(stripped):
                alias = found[1]
                self._aliases[alias] = (found[2], number)
            elif (found := _ALIAS_PART.match(stripped)) and alias:
                before, at = self._aliases[alias]
                part = TypeReader(found[1], number).first_text()
                self._aliases[alias] = (f"{before}|{part}" if before.strip() else part, at)
            elif stripped.startswith("---") and not stripped.startswith("---@"):
                remarks.append(stripped[3:])
            else:
                remarks = []
                if not stripped.startswith("---"):
                    current, alias = None, ""

    def main(self) -> str:
        if not self._classes:
            raise SchemaError("there is no ---@class in these annotations")
        for name in self._classes:
            self.class_type(name, 0)
        unused = [name for name in self._classes if name not in self._used]
        return (unused or list(self._classes))[-1]

    def class_type(self, name: str, depth: int) -> Type:
        found = self._classes.get(name)
        if found is None:
            raise SchemaError(f"there is no ---@class {name} in these annotations")
        fields: dict[Tree, Tree] = {}
        extra: Tree = not found.exact
        for parent in found.parents:
            if parent in self._classes and depth < DEPTH_MAX:
                self._used.add(parent)
                inherited = definition_of(self.class_type(parent, depth + 1))
                if isinstance(inherited, Mapping):
                    fields.update(cast("Mapping[Tree, Tree]", inherited.get("fields", {})))
        for label, optional, rest, number in found.fields:
            definition = self._field(rest, number, depth, optional=optional)
            if label.startswith("["):
                inner = label[1:-1].strip()
                if not inner.startswith(('"', "'")):
                    extra = definition
                    continue
                label = TypeReader(inner, number).string()
            fields[label] = definition
        tree: dict[Tree, Tree] = {"fields": fields, "extra": extra, "class": name}
        if found.description:
            tree["description"] = found.description
        return type_of(tree)

    def _field(self, rest: str, number: int, depth: int, *, optional: bool) -> Tree:
        bracketed: dict[str, Tree] = {}
        if brackets := _BRACKETS.search(rest):
            bracketed = dict(_assignments(brackets[1], number))
            rest = rest[: brackets.start()]
        parser = TypeReader(rest, number)
        definition = self._definition(parser.union(), number, depth)
        remark = parser.rest().lstrip("#").strip()
        definition.update(cast("Mapping[Tree, Tree]", bracketed))
        if remark:
            definition["description"] = remark
        if optional:
            definition["optional"] = True
        return definition

    def _definition(
        self, union: list[str | tuple[str, object]], number: int, depth: int
    ) -> dict[Tree, Tree]:
        values: list[Tree] = []
        found: list[dict[Tree, Tree]] = []
        optional = False
        for part in union:
            if part == "nil":
                optional = True
            elif isinstance(part, tuple) and part[0] == "value":
                values.append(cast("Tree", part[1]))
            else:
                found.append(self._one(part, number, depth))
        definition: dict[Tree, Tree]
        if values and not found:
            definition = {"enum": values}
        elif len(found) == 1 and not values:
            definition = dict(found[0])
        elif {str(one.get("type")) for one in found} == {"integer", "number"} and not values:
            definition = {"type": "number"}
        else:
            definition = {"type": "any"}
        if optional:
            definition["optional"] = True
        return definition

    def _one(self, part: str | tuple[str, object], number: int, depth: int) -> dict[Tree, Tree]:
        if isinstance(part, tuple):
            what, inner = part
            if what == "fun":
                return {"type": "function"}
            if what == "union":
                return self._definition(
                    cast("list[str | tuple[str, object]]", inner), number, depth
                )
            element = self._definition(cast("list[str | tuple[str, object]]", inner), number, depth)
            if what == "array":
                return {"array": element}
            return {"type": "table"} if element == {"type": "any"} else {"extra": element}
        if part in self._aliases and depth < DEPTH_MAX:
            text, at = self._aliases[part]
            return self._definition(TypeReader(text, at).union(), at, depth + 1)
        if part in self._classes:
            self._used.add(part)
            if depth >= DEPTH_MAX // 2:
                return {"type": "table"}  # a class that has itself as a field
            inner_type = definition_of(self.class_type(part, depth + 1))
            return dict(inner_type) if isinstance(inner_type, Mapping) else {"type": inner_type}
        if part in KINDS:
            return {"type": part}
        return {"type": _OTHER_NAMES.get(part, "any")}


_OTHER_NAMES: Final = {"fun": "function", "int": "integer", "float": "number", "bool": "boolean"}


def _assignments(text: str, number: int) -> Iterator[tuple[str, Tree]]:
    """`min = 0, max = 150`: names and JSON."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        found = re.compile(r"\s*,?\s*(\w+) = ").match(text, at)
        if found is None:
            raise error_at(number, f"expected name = value at {text[at : at + 20]!r}")
        try:
            value, at = decoder.raw_decode(text, found.end())
        except ValueError as error:
            raise error_at(number, f"{found[1]}: {error}") from None
        yield found[1], value
