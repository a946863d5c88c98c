"""Semantic tokens: what kind of thing each name in a text is.

Owns the kinds and the encoding that LSP prescribes, in which every token counts from the one before
it. The tokens of a statement are kept with it as long as what it takes from outside means the same;
so after a key press only those around it are made anew.

Only names have tokens: keywords, strings, numbers and comments are left to the editor's grammar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.entities import unwrapped
from lua_ls_persist.server.analysis.library import LIBRARY_FUNCTIONS, LIBRARY_TABLES
from lua_ls_persist.server.analysis.nodes import Block, Chain, Expression, Statement, Step
from lua_ls_persist.server.analysis.resolving import free_names
from lua_ls_persist.server.analysis.scopes import Scopes
from lua_ls_persist.server.positions import Encoding

TYPES: Final = ("variable", "parameter", "function", "method", "property", "namespace")
MODIFIERS: Final = (
    "declaration",
    "readonly",
    "static",
    "modification",
    "defaultLibrary",
    "upvalue",
)
"""`static` is a global; `upvalue` a local of a function around."""

_VARIABLE, _PARAMETER, _FUNCTION, _METHOD, _PROPERTY, _NAMESPACE = range(len(TYPES))
_DECLARATION, _READONLY, _STATIC, _MODIFICATION, _LIBRARY, _UPVALUE = (
    1 << bit for bit in range(len(MODIFIERS))
)


class _Binding(NamedTuple):
    """What a local is."""

    type: int
    readonly: bool
    level: int


class _Outside(NamedTuple):
    """What a statement needs to know of a local that it does not declare."""

    type: int
    readonly: bool
    is_upvalue: bool


_Scope = dict[str, _Binding]


@dataclass(slots=True)
class _Run:
    """Encoded tokens in a row. The first counts from nowhere yet."""

    data: list[int] = field(default_factory=list)
    first: tuple[int, int] = (0, 0)
    """Row and column of the first token, from where the statement begins."""
    last: tuple[int, int] = (0, 0)

    def add(self, row: int, column: int, length: int, type_: int, modifiers: int) -> None:
        if not self.data:
            self.first = (row, column)
        last_row, last_column = self.last
        rows = row - last_row
        columns = column if rows else column - last_column
        self.data += (rows, columns, length, type_, modifiers)
        self.last = (row, column)

    def append(self, other: _Run, row: int, column: int) -> None:
        """Adds the tokens of a statement that begins at a place."""
        if not other.data:
            return
        first_row, first_column = _from(other.first, row, column)
        if not self.data:
            self.first = (first_row, first_column)
        rows = first_row - self.last[0]
        at = len(self.data)
        self.data += other.data
        self.data[at] = rows
        self.data[at + 1] = first_column if rows else first_column - self.last[1]
        self.last = _from(other.last, row, column)


class _Kept(NamedTuple):
    """The tokens of a statement, and for what surroundings they hold."""

    names: tuple[str, ...]
    outside: tuple[_Outside | None, ...]
    encoding: Encoding
    run: _Run


def tokens_of(scopes: Scopes, encoding: Encoding) -> list[int]:
    """The tokens of a whole text, encoded."""
    maker = _Maker(scopes, encoding)
    parts: list[_Part] = []
    maker.inside(scopes.chunk.block, 0, {}, 0, parts)
    return maker.joined(parts, 0).data


def within_rows(data: list[int], first: int, last: int) -> list[int]:
    """Those of encoded tokens that lie on some rows."""
    row, start, count, skipped_row = 0, None, len(data), 0
    skipped_column = column = 0
    for at in range(0, count, 5):
        rows = data[at]
        row += rows
        column = data[at + 1] if rows else column + data[at + 1]
        if row > last:
            count = at
            break
        if start is None and row >= first:
            start, skipped_row, skipped_column = at, row, column
    if start is None or start >= count:
        return []
    return [skipped_row, skipped_column, *data[start + 2 : count]]


class _Token(NamedTuple):
    start: int
    end: int
    type: int
    """Negative: none."""
    modifiers: int


_Part = tuple[int, "_Run | _Token"]
"""Where it begins, and a token or those of a statement."""


class _Maker:
    """One pass over a text."""

    def __init__(self, scopes: Scopes, encoding: Encoding) -> None:
        self._scopes = scopes
        self._encoding = encoding
        self._is_ascii = scopes.chunk.source.isascii()

    def inside(
        self, block: Block, base: int, scope: _Scope, level: int, found: list[_Part]
    ) -> None:
        """The tokens of the statements in a block."""
        level += block.kind == "function"
        if block.kind != "table":
            scope = dict(scope)
            type_ = _PARAMETER if block.kind == "function" else _VARIABLE
            for name in block.head:
                scope[name.text] = _Binding(type_, False, level)
        for offset, statement in zip(block.offsets, block.statements, strict=True):
            here = base + offset
            run = self._statement(statement, here, scope, level)
            if run.data:
                found.append((here, run))
            self._declare(statement, scope, level)
        for event in block.tail:
            if isinstance(event, Block):
                self.inside(event, base, scope, level, found)

    def joined(self, parts: list[_Part], start: int) -> _Run:
        """Tokens in the order of the text, from where a statement begins."""
        run = _Run()
        origin = self._place(start)
        parts.sort(key=lambda part: part[0])
        for at, part in parts:
            row, column = self._place(at)
            if row == origin[0]:
                column -= origin[1]
            row -= origin[0]
            if isinstance(part, _Run):
                run.append(part, row, column)
            else:
                run.add(row, column, part.end - part.start, part.type, part.modifiers)
        return run

    def _declare(self, statement: Statement, scope: _Scope, level: int) -> None:
        if statement.kind in ("local", "local function"):
            for index, name in enumerate(statement.targets):
                if isinstance(name, nodes.Name):
                    values = statement.values
                    value = values[index] if index < len(values) else None
                    type_ = _FUNCTION if _is_function(value) else _VARIABLE
                    scope[name.text] = _Binding(type_, name.attribute is not None, level)

    def _statement(self, statement: Statement, base: int, scope: _Scope, level: int) -> _Run:
        kept = statement.tokens
        if isinstance(kept, _Kept):
            names = kept.names
        else:
            names = tuple({name.text for _, name in free_names(statement)})
        outside = tuple(
            None
            if (binding := scope.get(name)) is None
            else _Outside(binding.type, binding.readonly, binding.level < level)
            for name in names
        )
        if (
            not isinstance(kept, _Kept)
            or kept.outside != outside
            or kept.encoding is not self._encoding
        ):
            run = self._made(statement, base, scope, level)
            kept = statement.tokens = _Kept(names, outside, self._encoding, run)
        return kept.run

    def _made(self, statement: Statement, base: int, scope: _Scope, level: int) -> _Run:
        if statement.kind == "local function":
            scope = dict(scope)
            self._declare(statement, scope, level)
        parts: list[_Part] = [
            (token.start, token) for token in self._own(statement, base, scope, level)
        ]
        for event in statement.events:
            if isinstance(event, Block):
                self.inside(event, base, scope, level, parts)
        return self.joined(parts, base)

    def _own(self, statement: Statement, base: int, scope: _Scope, level: int) -> list[_Token]:
        """The tokens right in a statement."""
        called = {id(chain.base) for chain in statement.chains if chain.steps[0].kind == "("}
        found: list[_Token] = []
        functions = _function_targets(statement)
        for event in statement.events:
            if isinstance(event, Block):
                self._in_block(event, base, scope, level, called, found)
            else:
                is_called = id(event) in called or id(event) in functions
                found.append(_variable(event, base, scope, level, is_called))
        for chain in statement.chains:
            found += _steps(chain, base, scope, functions)
        for target in statement.targets:
            if isinstance(target, Step) and isinstance(target.key, str):
                type_ = _FUNCTION if id(target) in functions else _PROPERTY
                start, end = base + target.key_start, base + target.key_end
                if self._scopes.chunk.source[start - 1 : start] not in ('"', "'"):
                    found.append(_Token(start, end, type_, _DECLARATION))
        return [token for token in found if token.type >= 0 and token.end > token.start]

    def _in_block(
        self,
        block: Block,
        base: int,
        scope: _Scope,
        level: int,
        called: set[int],
        found: list[_Token],
    ) -> None:
        """The parameters of a block, and the condition of `until`."""
        type_ = _PARAMETER if block.kind == "function" else _VARIABLE
        found += [
            _Token(base + name.offset, base + name.end, type_, _DECLARATION)
            for name in block.head
            if name.role != nodes.SELF
        ]
        if block.tail:
            inner = dict(scope)
            for statement in block.statements:
                self._declare(statement, inner, level)
            for event in block.tail:
                if isinstance(event, Block):
                    self._in_block(event, base, inner, level, called, found)
                else:
                    found.append(_variable(event, base, inner, level, id(event) in called))

    def _place(self, offset: int) -> tuple[int, int]:
        """Row and column as the client counts them."""
        position = self._scopes.position(offset)
        if self._is_ascii:
            return position.row, position.column
        text = self._scopes.chunk.source[offset - position.column : offset]
        return position.row, self._encoding.units(text)


def _variable(name: nodes.Name, base: int, scope: _Scope, level: int, is_called: bool) -> _Token:
    start, end, role = base + name.offset, base + name.end, name.role
    if role in (nodes.LABEL, nodes.GOTO):
        return _Token(start, end, -1, 0)
    written = _MODIFICATION if role == nodes.WRITE else 0
    if role in (nodes.LOCAL, nodes.FUNCTION):
        readonly = _READONLY if name.attribute is not None else 0
        return _Token(start, end, _FUNCTION if is_called else _VARIABLE, _DECLARATION | readonly)
    binding = scope.get(name.text)
    if binding is not None:
        type_ = _FUNCTION if is_called and binding.type == _VARIABLE else binding.type
        upvalue = _UPVALUE if binding.level < level else 0
        readonly = _READONLY if binding.readonly else 0
        return _Token(start, end, type_, written | upvalue | readonly)
    if name.text in LIBRARY_FUNCTIONS:
        return _Token(start, end, _FUNCTION, _STATIC | _LIBRARY | written)
    if name.text in LIBRARY_TABLES or name.text in ("_G", "ext"):
        return _Token(start, end, _NAMESPACE, _STATIC | _LIBRARY | written)
    return _Token(start, end, _FUNCTION if is_called else _VARIABLE, _STATIC | written)


def _steps(chain: Chain, base: int, scope: _Scope, functions: set[int]) -> Iterable[_Token]:
    library = frozenset[str]()
    if chain.base is not None and chain.base.text not in scope:
        library = LIBRARY_TABLES.get(chain.base.text, library)
    for index, step in enumerate(chain.steps):
        if step.kind in (".", ":") and step.key:
            following = chain.steps[index + 1] if index + 1 < len(chain.steps) else None
            is_called = following is not None and following.kind == "("
            is_defined = step.write and id(chain) in functions
            type_ = _FUNCTION if is_called or is_defined else _PROPERTY
            type_ = _METHOD if step.kind == ":" else type_
            modifiers = _MODIFICATION if step.write else 0
            if is_defined:
                modifiers = _DECLARATION
            if index == 0 and step.key in library:
                modifiers |= _LIBRARY
                type_ = _PROPERTY if step.key in ("pi", "huge") else _FUNCTION
            yield _Token(base + step.key_start, base + step.key_end, type_, modifiers)


def _function_targets(statement: Statement) -> set[int]:
    """The targets that get a function, and the base of a `function f()`."""
    found: set[int] = set()
    for target, value in zip(statement.targets, statement.values, strict=False):
        if _is_function(value):
            found.add(id(target))
            if isinstance(target, Chain) and not target.steps:
                found.add(id(target.base))
    return found


def _is_function(value: Expression) -> bool:
    inner = unwrapped(value)
    return isinstance(inner, Block) and inner.kind == "function"


def _from(place: tuple[int, int], row: int, column: int) -> tuple[int, int]:
    """A place that was counted from another, from where that is counted."""
    return row + place[0], place[1] + (0 if place[0] else column)
