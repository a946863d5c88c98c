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


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A type `fun(a: integer, b?: User): boolean`, its parts as they are written."""

    parameters: tuple[tuple[str, str], ...]
    """The name and the type of each, the type empty where there is none; `...` is a name."""
    returns: tuple[str, ...]


def parts_of(text: str) -> tuple[list[str | tuple[str, object]], str]:
    """The parts of the type that a text begins with, and what stands behind it.

    A part is a name, `("value", literal)`, or `("array", parts)`, `("map", parts)` of the values,
    `("union", parts)`, `("fun", FunctionType)`; tables with named fields are `table`.

    Raises:
        SchemaError: it begins with no type.
    """
    parser = _Parser(text, 1)
    return parser.union(), parser.rest()


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
                    raise _error(number, "a field stands before its class")
                label, mark, rest = found.groups()
                current.fields.append((label, mark == "?", rest, number))
            elif found := _ALIAS.match(stripped):
                alias = found[1]
                self._aliases[alias] = (found[2], number)
            elif (found := _ALIAS_PART.match(stripped)) and alias:
                before, at = self._aliases[alias]
                part = _Parser(found[1], number).first_text()
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
                label = _Parser(inner, number).string()
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
        parser = _Parser(rest, number)
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
            return self._definition(_Parser(text, at).union(), at, depth + 1)
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
_TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])"""
    r"""|[A-Za-z_][\w.*-]*|\[\]|[|?(){}<>,:\[\]]|\.\.\.)"""
)


class _Parser:
    """Reads the type at the beginning of a text."""

    def __init__(self, text: str, number: int) -> None:
        self._text = text
        self._number = number
        self._at = 0

    def rest(self) -> str:
        return self._text[self._at :].strip()

    def first_text(self) -> str:
        """The text of the type alone, without the remark behind it."""
        self.union()
        return self._text[: self._at]

    def string(self) -> str:
        symbol = self._next()
        return str(_literal(symbol)) if symbol[:1] in "\"'" else symbol

    def _peek(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        return found[1] if found else ""

    def _next(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise _error(self._number, f"expected a type at {self.rest()[:20]!r}")
        self._at = found.end()
        return found[1]

    def _expect(self, symbol: str) -> None:
        if self._next() != symbol:
            raise _error(self._number, f"expected {symbol} in {self._text!r}")

    def union(self) -> list[str | tuple[str, object]]:
        """The parts between `|`: names, `("value", literal)`, `("array", union)` ..."""
        parts = self._part()
        while self._peek() == "|":
            self._next()
            parts += self._part()
        return parts

    def _part(self) -> list[str | tuple[str, object]]:
        symbol = self._next()
        part: str | tuple[str, object]
        if symbol == "(":
            part = ("union", self.union())
            self._expect(")")
        elif symbol == "{":
            self._skip("{", "}")
            part = "table"
        elif symbol == "fun" and self._peek() == "(":
            part = self._function()
        elif symbol[:1] in "\"'" or symbol[:1] in "-0123456789" or symbol in ("true", "false"):
            part = ("value", _literal(symbol))
        elif re.fullmatch(r"[A-Za-z_][\w.*-]*", symbol):
            part = symbol
            if symbol == "table" and self._peek() == "<":
                part = ("map", self._map())
        else:
            raise _error(self._number, f"expected a type, got {symbol}")
        optional = False
        # A bracket may also begin a remark: only an empty pair belongs to the type.
        while self._peek() in ("[]", "?"):
            if self._next() == "[]":
                part = ("array", [part])
            else:
                optional = True
        return [part, "nil"] if optional else [part]

    def _function(self) -> str | tuple[str, object]:
        """What stands behind `fun`; only `fun` where its parts are of some other language."""
        start = self._at
        try:
            return ("fun", FunctionType(self._parameters(), self._returns()))
        except SchemaError:
            self._at = start
        self._next()
        self._skip("(", ")")
        if self._peek() == ":":
            self._next()
            self.union()
        return "fun"

    def _parameters(self) -> tuple[tuple[str, str], ...]:
        self._next()
        found: list[tuple[str, str]] = []
        while self._peek() != ")":
            name = self._next()
            optional = self._peek() == "?"
            if optional:
                self._next()
            type_ = ""
            if self._peek() == ":":
                self._next()
                type_ = self._text_of_union()
            found.append((name, f"{type_}|nil" if optional and type_ else type_))
            if self._peek() != ",":
                break
            self._next()
        self._expect(")")
        return tuple(found)

    def _returns(self) -> tuple[str, ...]:
        found: list[str] = []
        before = self._at
        while self._peek() == ("," if found else ":"):
            self._next()
            try:
                type_ = self._text_of_union()
            except SchemaError:
                type_ = ""
            if not type_ or (found and self._peek() == ":"):
                self._at = before  # The comma belongs to what stands around the function's type.
                break
            found.append(type_)
            before = self._at
        return tuple(found)

    def _text_of_union(self) -> str:
        start = self._at
        self.union()
        return self._text[start : self._at].strip()

    def _map(self) -> object:
        self._next()
        self.union()
        self._expect(",")
        values = self.union()
        self._expect(">")
        return values

    def _skip(self, opening: str, closing: str) -> None:
        depth = 1
        while depth:
            symbol = self._next()
            depth += (symbol == opening) - (symbol == closing)


def _literal(symbol: str) -> Tree:
    if symbol[:1] == "'":
        symbol = json.dumps(symbol[1:-1].replace("\\'", "'"))
    value: Tree = json.loads(symbol)
    return value


def _assignments(text: str, number: int) -> Iterator[tuple[str, Tree]]:
    """`min = 0, max = 150`: names and JSON."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        found = re.compile(r"\s*,?\s*(\w+) = ").match(text, at)
        if found is None:
            raise _error(number, f"expected name = value at {text[at : at + 20]!r}")
        try:
            value, at = decoder.raw_decode(text, found.end())
        except ValueError as error:
            raise _error(number, f"{found[1]}: {error}") from None
        yield found[1], value


def _error(number: int, message: str) -> SchemaError:
    return SchemaError(f"line {number}: {message}")
