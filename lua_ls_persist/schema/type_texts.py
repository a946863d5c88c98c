"""The types of LuaCATS annotations as text: `string|nil`, `User[]`, `fun(a: integer): boolean`.

Must know nothing of schemas: the language features read the same texts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.errors import SchemaError

if TYPE_CHECKING:
    from lua_ls_persist.schema.model import Tree

_TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])"""
    r"""|[A-Za-z_][\w.*-]*|\[\]|[|?(){}<>,:\[\]]|\.\.\.)"""
)


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
    parser = TypeReader(text, 1)
    return parser.union(), parser.rest()


class TypeReader:
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
            raise error_at(self._number, f"expected a type at {self.rest()[:20]!r}")
        self._at = found.end()
        return found[1]

    def _expect(self, symbol: str) -> None:
        if self._next() != symbol:
            raise error_at(self._number, f"expected {symbol} in {self._text!r}")

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
            raise error_at(self._number, f"expected a type, got {symbol}")
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


def error_at(number: int, message: str) -> SchemaError:
    """What is wrong with the annotation in a line."""
    return SchemaError(f"line {number}: {message}")
