"""Where texts name fields of rows: in the parts of a question, and in calls that make indexes.

`{ where = { "address.city", "=", "Rome" }, order_by = "age" }`, `ext.index("users", "age")`. Owns
the places; of which rows they are fields is another question. What is found in a statement of the
outermost level stays with it, so that after an edit one statement is looked at anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis.ext_names import EXT, ExtNames
from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.key_uses import KeyUse, moved, table_around
from lua_ls_persist.server.analysis.lexer import LONG_STRING, NAME, STRING, TOKEN
from lua_ls_persist.server.analysis.naming import FIELD_CALLS, FIELD_PARTS, is_part
from lua_ls_persist.server.analysis.nodes import (
    CONSTANT_KEY,
    LOCAL,
    PARAMETER,
    Block,
    Chain,
    Literal,
    Statement,
    Step,
)
from lua_ls_persist.server.analysis.scopes import Scopes

DEPTH_MAX: Final = 60
"""Conditions that nest deeper are not looked into; questions are refused before."""
TEXT_MAX: Final = 1_000
"""The name of a field is no longer."""

_NAMING: Final = FIELD_PARTS | FIELD_CALLS
_GROUPS: Final = frozenset({"all", "any", "none"})
_ENDS: Final = frozenset({",", ";", "}", ")", ""})
_OPENING: Final = frozenset({"(", "{", "["})
_CLOSING: Final = frozenset({")", "}", "]"})
_LONG_OPENING = re.compile(r"\[=*\[")
_STEP = re.compile(
    r"\s*(?:(?P<dot>\.?)\s*(?P<name>[A-Za-z_]\w*)"
    r"|\[\s*(?:(?P<quote>[\"'])(?P<text>[^\"'\\]*)(?P=quote)|(?P<number>-?\d+)"
    r"|(?P<boolean>true|false))\s*\])\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Text:
    """A string that is a whole value: where its content stands."""

    start: int
    end: int


_Node: TypeAlias = "_Text | list[tuple[str | None, _Node]] | None"
"""A value: a string, the entries of a table with their names, or something computed."""


def field_texts(scopes: Scopes, key: str) -> Iterator[KeyUse]:
    """Where texts name a field, or a part of the way to one, in the order of the text."""
    source = scopes.chunk.source
    if _NAMING.isdisjoint(scopes.chunk.root.mentions):
        return
    names = ExtNames(scopes)
    for base, statement in outermost(scopes.chunk):
        if key in statement.mentions and not _NAMING.isdisjoint(statement.mentions):
            find = partial(_found, source, base, statement, key)
            for found in fact(statement, ("field text", key), find):
                use = moved(found, base)
                if _is_field(scopes, use, names):
                    yield use


def texts_in_call(
    source: str, base: int, chain: Chain, place: int, function: str
) -> Iterator[KeyUse]:
    """Where the second argument of a call of `ext.<function>` names fields, as far as it is there.

    Such a part of a question as a variable holds is not seen.
    """
    arguments = chain.steps[place].arguments
    if len(arguments) < 2:
        return
    node = _Values(source, base + arguments[1].start, base + arguments[1].end).value()
    if function in FIELD_CALLS:
        texts = _listed(node)
    else:
        parts = node if isinstance(node, list) else []
        texts = (text for name, part in parts if name in FIELD_PARTS for text in _texts(name, part))
    for text in texts:
        yield from _steps(source, text, base, chain, place, -1)


def field_text_at(scopes: Scopes, offset: int) -> KeyUse | None:
    """The name of a field in a text at a place."""
    source = scopes.chunk.source
    for base, statement in scopes.around(offset):
        names = ExtNames(scopes)
        found = (*_in_calls(source, base, statement), *_in_assigned(source, base, statement))
        uses = [use for use in found if _is_field(scopes, use, names)]
        table = None if _part_of(statement) is None else table_around(scopes, base)
        if table is not None:
            uses += _in_part(source, base, statement, table)
        for use in uses:
            if use.start <= offset <= use.end:
                return use
    return None


def _is_field(scopes: Scopes, use: KeyUse, names: ExtNames) -> bool:
    """Whether the call that gets a text is one of `ext`, as far as it goes by another name.

    Of a part that is assigned, whether it is one of a local.
    """
    chain = use.chain
    if chain is None or chain.base is None:
        return True
    if chain.steps[use.steps].kind != "(":
        declaration = scopes.occurrence(chain.base, use.base).declaration
        return declaration is not None and declaration.role in (LOCAL, PARAMETER)
    if chain.base.text == EXT:
        return True
    called = names.function(chain, use.base)
    return called is not None and called[0] in FIELD_CALLS and called[1] == use.steps


def _found(source: str, base: int, statement: Statement, key: str) -> tuple[KeyUse, ...]:
    """The same for one statement, in offsets from where it begins."""
    uses = (
        moved(use, -base)
        for use in _uses(source, base, statement, key)
        if source[use.start : use.end] == key
    )
    return tuple(sorted(uses, key=lambda use: use.start))


def _uses(source: str, base: int, statement: Statement, key: str) -> Iterator[KeyUse]:
    yield from _in_calls(source, base, statement)
    yield from _in_assigned(source, base, statement)
    for block in statement.blocks:
        for offset, inner in zip(block.offsets, block.statements, strict=True):
            if key not in inner.mentions:
                continue
            if _part_of(inner) is not None:
                yield from _in_part(source, base + offset, inner, base + block.start)
            yield from _uses(source, base + offset, inner, key)


def _in_calls(source: str, base: int, statement: Statement) -> Iterator[KeyUse]:
    """The fields of indexes that are made, or dropped."""
    for chain in statement.chains:
        place = _field_call(chain)
        if place is not None:
            yield from texts_in_call(source, base, chain, place, "index")


def _field_call(chain: Chain) -> int | None:
    """Which step may be a call that says fields: `ext.index(...)`, or `index(...)` of a local."""
    if chain.base is None:
        return None
    if chain.steps[0].kind == "(":
        return 0 if chain.base.text in FIELD_CALLS else None
    return 1 if chain.steps[0].key in FIELD_CALLS and len(chain.steps) > 1 else None


def _part_of(statement: Statement) -> str | None:
    """The part of a question that a field of a constructor is; None if it is none."""
    target = statement.targets[0] if statement.kind == "field" and statement.targets else None
    key = target.key if isinstance(target, Step) else None
    return key if isinstance(key, str) and key in FIELD_PARTS and statement.values else None


def _in_part(source: str, base: int, statement: Statement, table: int) -> Iterator[KeyUse]:
    target = statement.targets[0]
    assert isinstance(target, Step)
    start, end = source.find("=", base + target.end) + 1, base + statement.end
    node = _Values(source, start, end).value() if start else None
    for text in _texts(_part_of(statement), node):
        yield from _steps(source, text, base, None, 0, table)


def _in_assigned(source: str, base: int, statement: Statement) -> Iterator[KeyUse]:
    """The fields of `question.order_by = "age"`."""
    if statement.kind != "assign":
        return
    for target, value in zip(statement.targets, statement.values, strict=False):
        if is_part(target) and isinstance(value, (Block, Literal)):
            assert isinstance(target, Chain)
            node = _Values(source, base + value.start, base + statement.end).value()
            for text in _texts(target.steps[0].key, node):
                yield from _steps(source, text, base, target, 0, -1)


# -- which strings of a value are fields


def _texts(part: CONSTANT_KEY | None, node: _Node) -> Iterator[_Text]:
    """Those of a part of a question."""
    if part == "where":
        return _conditions(node)
    return _orders(node) if part == "order_by" else _listed(node)


def _listed(node: _Node) -> Iterator[_Text]:
    """A field, or a list of fields."""
    for one in _positional(node) if isinstance(node, list) else (node,):
        if isinstance(one, _Text):
            yield one


def _orders(node: _Node) -> Iterator[_Text]:
    """A field, `{ field = ... }`, or a list of these."""
    yield from _listed(node)
    if isinstance(node, list):
        for one in (node, *_positional(node)):
            for name, inner in one if isinstance(one, list) else ():
                if name == "field" and isinstance(inner, _Text):
                    yield inner


def _conditions(node: _Node) -> Iterator[_Text]:
    """The field of a condition, those of a list of them and of groups."""
    if not isinstance(node, list):
        return
    first = next(iter(_positional(node)), None)
    if isinstance(first, _Text):
        yield first
        return
    for name, inner in node:
        if name is None or name in _GROUPS:
            yield from _conditions(inner)


def _positional(node: list[tuple[str | None, _Node]]) -> list[_Node]:
    return [inner for name, inner in node if name is None]


# -- the text of one field


def _steps(
    source: str, text: _Text, base: int, chain: Chain | None, place: int, table: int
) -> Iterator[KeyUse]:
    """The names on the way that a text describes: `address` and `city` of `address.city`."""
    found: list[tuple[CONSTANT_KEY, int, int, bool]] = []
    at = text.start
    while at < text.end:
        step = _STEP.match(source, at, text.end)
        # Only the first one has no dot, and names alone have one.
        if step is None or (step["name"] is not None and bool(step["dot"]) != bool(found)):
            return
        group = next(one for one in ("name", "text", "number", "boolean") if step[one] is not None)
        keys: dict[str, CONSTANT_KEY] = {"boolean": step[group] == "true"}
        key = int(step[group]) if group == "number" else keys.get(group, step[group])
        found.append((key, step.start(group), step.end(group), group == "text"))
        at = step.end()
    for count, (key, start, end, quoted) in enumerate(found):
        if isinstance(key, str):
            before = tuple(one for one, *_ in found[:count])
            more = count + 1 < len(found)
            yield KeyUse(start, end, False, quoted, base, chain, place, table, before, more)


class _Values:
    """Reads the constants of an expression that may be half typed; what is computed is None."""

    def __init__(self, source: str, start: int, end: int) -> None:
        self._source = source
        self._end = end
        self._at = start
        self._kind = 0
        self._word = ""
        self._start = start
        self._advance()

    def _advance(self) -> None:
        match = TOKEN.match(self._source, self._at, self._end)
        assert match is not None
        assert match.lastindex is not None
        self._kind, self._word = match.lastindex, match[match.lastindex]
        self._start, self._at = match.span(match.lastindex)

    def value(self, depth: int = 0) -> _Node:
        """The next value, up to the comma behind it."""
        node: _Node = None
        if self._kind in (STRING, LONG_STRING):
            node = self._text()
            self._advance()
        elif self._word == "{" and depth < DEPTH_MAX:
            node = self._table(depth)
        if self._word in _ENDS:
            return node
        self._skip()
        return None

    def _text(self) -> _Text | None:
        token = self._word
        if "\\" in token or "\n" in token or len(token) > TEXT_MAX:
            return None  # What stands there is not what it means.
        opening = _LONG_OPENING.match(token)
        width = opening.end() if opening else 1
        closing = token[:width].replace("[", "]")
        closed = len(token) >= 2 * width and token.endswith(closing)
        return _Text(self._start + width, self._at - width if closed else self._at)

    def _table(self, depth: int) -> list[tuple[str | None, _Node]]:
        found: list[tuple[str | None, _Node]] = []
        self._advance()
        while self._word not in ("}", ""):
            name = self._key()
            node = self.value(depth + 1)
            found.append((name, node))
            if self._word == ")":
                break
            if self._word in (",", ";"):
                self._advance()
        if self._word == "}":
            self._advance()
        return found

    def _key(self) -> str | None:
        """The name of an entry, and goes to its value; None where it has none that is written."""
        at = self._kind, self._word, self._start, self._at
        name: str | None = None
        if self._kind == NAME:
            name = self._word
        elif self._word == "[":
            self._advance()
            text = self._text() if self._kind in (STRING, LONG_STRING) else None
            if text is not None:
                name = self._source[text.start : text.end]
                self._advance()
            if self._word != "]":
                name = None
        if name is not None:
            self._advance()
            if self._word == "=":
                self._advance()
                return name
        self._kind, self._word, self._start, self._at = at
        return None

    def _skip(self) -> None:
        """Goes to the end of what is computed."""
        depth = 0
        while self._word and not (depth == 0 and self._word in _ENDS):
            if self._kind not in (STRING, LONG_STRING):
                depth += (self._word in _OPENING) - (self._word in _CLOSING)
            self._advance()
