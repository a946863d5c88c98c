"""The outline of a document: functions, methods, locals of the outermost level, table fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal as OneOf

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.entities import unwrapped
from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.nodes import Block, Chain, Chunk, Expression, Statement, Step
from lua_ls_persist.server.analysis.scopes import scopes_of
from lua_ls_persist.server.documents import Document

SYMBOLS_MAX = 5000
"""Of one document; data tables have more fields than anybody reads in an outline."""

SymbolKind = OneOf["function", "method", "module", "table", "constant", "variable", "field"]


@dataclass(slots=True)
class Symbol:
    """A named thing, in offsets of the text."""

    name: str
    kind: SymbolKind
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    children: list[Symbol] = field(default_factory=list)

    def moved(self, offset: int) -> Symbol:
        """The same further behind in a text."""
        return Symbol(
            self.name,
            self.kind,
            self.detail,
            self.start + offset,
            self.end + offset,
            self.name_start + offset,
            self.name_end + offset,
            [child.moved(offset) for child in self.children],
        )

    def walk(self, container: str = "") -> Iterator[tuple[Symbol, str]]:
        """It and all in it, each with what it is in."""
        yield self, container
        for child in self.children:
            yield from child.walk(self.name)


def symbols_of(document: Document) -> list[Symbol]:
    """The symbols of a document, in its order."""
    found = document.derived.get("symbols")
    if not isinstance(found, list):
        found = [
            symbol.moved(base)
            for base, _, outline in symbols_by_statement(scopes_of(document).chunk)
            for symbol in outline.symbols
        ]
        document.derived["symbols"] = found
    return found


def symbols_by_statement(chunk: Chunk) -> Iterator[tuple[int, Statement, Outline]]:
    """Of each statement of the outermost level, with its offset."""
    left = SYMBOLS_MAX
    for base, statement in outermost(chunk):
        if not statement.blocks and not statement.targets:
            continue
        outline = fact(statement, Outline, partial(Outline, statement, SYMBOLS_MAX))
        if outline.count > left:
            outline = Outline(statement, left)
        left -= outline.count
        if outline.symbols:
            yield base, statement, outline


class Outline:
    """The symbols in one statement of the outermost level. Their offsets count from its own."""

    def __init__(self, statement: Statement, symbols_max: int) -> None:
        self._left = symbols_max
        self.symbols: list[Symbol] = []
        self._statement(statement, 0, self.symbols, outermost=True, named=True)
        self.count = symbols_max - self._left
        """How many there are, children included."""

    def block(self, block: Block, base: int, *, outermost: bool, named: bool) -> list[Symbol]:
        """The symbols in a block; the plain fields of a table only if that has a name itself."""
        found: list[Symbol] = []
        for offset, statement in zip(block.offsets, block.statements, strict=True):
            if statement.blocks or (outermost and statement.targets) or block.kind == "table":
                self._statement(statement, base + offset, found, outermost=outermost, named=named)
        return found

    def _statement(
        self,
        statement: Statement,
        base: int,
        found: list[Symbol],
        *,
        outermost: bool,
        named: bool,
    ) -> None:
        kind = statement.kind
        if kind in ("local", "local function", "assign", "function", "field"):
            # What has a name owns what is in its value.
            rest = set(map(id, statement.blocks))
            values = statement.values + [None] * len(statement.targets)
            for target, value in zip(statement.targets, values, strict=False):
                if outermost or _is_function(value) or (kind == "field" and named):
                    self._named(statement, target, value, base, found)
                    rest.discard(id(unwrapped(value)))
        else:
            rest = set(map(id, statement.blocks))
        is_export = outermost and kind == "return"
        for block in statement.blocks:
            if id(block) in rest:
                deeper = outermost and block.kind not in ("function", "table")
                found += self.block(block, base, outermost=deeper, named=is_export)

    def _named(
        self,
        statement: Statement,
        target: nodes.Name | Chain | Step,
        value: Expression,
        base: int,
        found: list[Symbol],
    ) -> None:
        name = _name(target)
        if not name or self._left <= 0:
            return
        self._left -= 1
        start, end = _name_range(target)
        inner = unwrapped(value)
        symbol = Symbol(
            name,
            _kind(target, value, inner),
            _detail(inner),
            base,
            base + statement.end,
            base + start,
            base + end,
        )
        if isinstance(inner, Block):
            symbol.children = self.block(inner, base, outermost=False, named=True)
        found.append(symbol)


def _is_function(value: Expression) -> bool:
    return isinstance(value, Block) and value.kind == "function"


def _name(target: nodes.Name | Chain | Step) -> str:
    if isinstance(target, nodes.Name):
        return target.text
    if isinstance(target, Step):
        return _key(target)
    name = "" if target.base is None else target.base.text
    for step in target.steps:
        if step.kind == "(":
            name += "()"
        elif step.kind == "[":
            name += f"[{_key(step)}]"
        else:
            name += f"{step.kind}{step.key}"
    return name


def _key(step: Step) -> str:
    if isinstance(step.key, str):
        return step.key
    return "?" if step.key is None else str(step.key)


def _name_range(target: nodes.Name | Chain | Step) -> tuple[int, int]:
    if isinstance(target, nodes.Name):
        return target.offset, target.end
    if isinstance(target, Step):
        return target.key_start, target.key_end
    return target.start, target.end


def _kind(target: nodes.Name | Chain | Step, value: Expression, inner: Expression) -> SymbolKind:
    if isinstance(inner, Block):
        if inner.kind == "table":
            return "table"
        is_method = isinstance(target, Chain) and target.steps and target.steps[-1].kind == ":"
        return "method" if is_method else "function"
    if isinstance(value, Chain) and value.base is not None and value.base.text == "require":
        return "module"
    if isinstance(target, nodes.Name):
        return "constant" if target.attribute == "const" else "variable"
    if isinstance(target, Chain) and not target.steps:
        return "variable"
    return "field"


def _detail(value: Expression) -> str:
    """The parameters of a function, or a short constant."""
    if isinstance(value, Block) and value.kind == "function":
        names = [name.text for name in value.head if name.role != nodes.SELF]
        return f"({', '.join(names + ['...'] * value.variadic)})"
    if isinstance(value, nodes.Literal) and isinstance(value.value, (str, int, float, bool)):
        text = f'"{value.value}"' if isinstance(value.value, str) else str(value.value)
        return text if len(text) <= 40 and "\n" not in text else ""
    return ""
