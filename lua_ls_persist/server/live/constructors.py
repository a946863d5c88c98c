"""What a table that is being written may have: definitions of schemas, operations, rows; and words.

Owns what can be told of it by the place alone. What the rows of a table have, the VM says. Must not
know LSP types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from lua_ls_persist.pretty import is_name
from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.nodes import Block, Chain, Name
from lua_ls_persist.server.live.candidates import BATCH_OPERATIONS, BATCH_PARTS, Candidate
from lua_ls_persist.server.live.cursor import InTable, in_table
from lua_ls_persist.server.live.resolving import Resolver
from lua_ls_persist.server.live.schemas import table_of_row
from lua_ls_persist.server.positions import Position
from lua_ls_persist.session.sights import ANY, Way

TYPES: Final = ("string", "number", "integer", "boolean", "table", "function", "any")
ATTRIBUTES: Final = {
    "type": "the name of a type",
    "optional": "true: it may be missing",
    "min": "the least number",
    "max": "the greatest number",
    "length": "the length in bytes",
    "min_length": "the least length in bytes",
    "max_length": "the greatest length in bytes",
    "pattern": "a Lua pattern that is found in the string",
    "enum": "a list of the values that may be",
    "default": "stands there when nothing is assigned",
    "ref": "the path of the table whose row it names",
    "array": "the type of the elements",
    "fields": "the types of fields by name",
    "extra": "what other keys have: true, false or a type",
    "class": "a name for annotations",
    "description": "a sentence for annotations",
}
"""What a type may have in a schema that is written as a table."""

_ATTRIBUTE = re.compile(r"\blocal\s+(?:\w+\s*(?:<\s*\w+\s*>\s*)?,\s*)*\w+\s*<\s*\Z", re.ASCII)
_LINE_MAX: Final = 300


def attributes(scopes: Scopes, start: int) -> list[Candidate]:
    """`const` and `close`, where an attribute of a local is being written."""
    before = scopes.chunk.source[max(0, start - _LINE_MAX) : start]
    if _ATTRIBUTE.search(before) is None:
        return []
    return [Candidate(word, "keyword", 100) for word in ("const", "close")]


def labels(scopes: Scopes, offset: int) -> list[Candidate]:
    """The labels that a `goto` at a place reaches."""
    return [Candidate(name, "constant", 100, detail="label") for name in _labels(scopes, offset)]


def _labels(scopes: Scopes, offset: int) -> Iterator[str]:
    for base, statement in scopes.around(offset):
        for block in statement.blocks:
            if not block.start <= offset - base <= block.end:
                continue
            for inner in block.statements:
                if inner.kind == "label":
                    yield from (one.text for one in inner.targets if isinstance(one, Name))
            if block.kind == "function":
                return


def definition_parts(place: InTable) -> list[Candidate]:
    """What a type in the definition of a schema may have at a place."""
    if place.is_value or not place.keys or _kind_of(place.keys[:-1]) != "type":
        return []
    return [
        Candidate(name, "field", rank, detail=text, insert=f"{name} = ")
        for rank, (name, text) in enumerate(ATTRIBUTES.items())
    ]


def named_fields(place: InTable) -> tuple[str, ...] | None:
    """The keys to the table whose fields are being defined; None where no field is."""
    outer = place.keys[:-1]
    if place.is_value or _kind_of(outer) != "fields":
        return None
    return tuple(str(key) for key in outer[:-1] if key != "fields") if _is_plain(outer) else None


def definition_types(place: InTable) -> list[Candidate]:
    """The names of types, where one is written as a string."""
    keys = place.keys
    if not place.is_value or not keys:
        return []
    if keys[-1] == "type":
        keys = keys[:-1]
    if _kind_of(keys) != "type":
        return []
    return [
        Candidate(name + mark, "constant", 100 + 10 * bool(mark) + rank)
        for mark in ("", "?")
        for rank, name in enumerate(TYPES)
    ]


def _kind_of(keys: tuple[str | int, ...]) -> str:
    """What stands at a place of a definition: `type`, `fields`, or something else."""
    kind = "type"
    for key in keys:
        if kind == "fields" and isinstance(key, str):
            kind = "type"
        elif kind == "type":
            kind = {"fields": "fields", "array": "type", "extra": "type"}.get(str(key), "")
        else:
            return ""
    return kind


def _is_plain(keys: tuple[str | int, ...]) -> bool:
    """Whether only fields of fields are defined there, no elements of arrays."""
    return all(key == "fields" for key in keys[::2]) and len(keys) % 2 == 1


def operation_parts(place: InTable) -> list[Candidate]:
    """What an operation of a batch may have."""
    if len(place.keys) != 2 or place.is_value:
        return []
    return [
        Candidate(name, "field", rank, detail=text, insert=f"{name} = ")
        for rank, (name, text) in enumerate(BATCH_PARTS.items())
    ]


def operations() -> list[Candidate]:
    """The kinds of operation of a batch."""
    return [Candidate(one, "constant", 200 + rank) for rank, one in enumerate(BATCH_OPERATIONS)]


def row_at(scopes: Scopes, position: Position, key: str | None) -> Way | None:
    """The row, or the table in one, whose field is being named in a constructor assigned to it."""
    offset = scopes.offset(position)
    for base, statement in scopes.around(offset):
        if statement.kind != "assign":
            continue
        for target, value in zip(statement.targets, statement.values, strict=False):
            if not isinstance(value, Block) or value.kind != "table":
                continue
            start = base + value.start
            is_inside = start < offset <= base + value.end
            if is_inside and isinstance(target, Chain) and target.steps:
                within = scopes.range(start, base + value.end)
                call = scopes.call_at(position)
                if call is not None and call.range.start > within.start:
                    return None  # What is given to a call in it is no field of it.
                if scopes.function_around(offset) > start:
                    return None
                place = in_table(scopes, position, within)
                way = Resolver(scopes, key).target(scopes.path(target, base))
                if place.is_value or not isinstance(way, Way) or table_of_row(way) is None:
                    return None
                for step in place.keys[:-1]:
                    way = way / step
                return way
    return None


def elements_like(way: Way) -> Way:
    """The same of any row: the first row of a table that is reached by name says little."""
    if way.root is None or not way.steps:
        return way
    return Way((ANY, *way.steps[1:]), way.root, way.document)


def inside(table: Way, keys: Iterable[str]) -> Way:
    """What the rows of a table have at some keys."""
    way = table / ANY
    for key in keys:
        way = way / key
    return way


def as_keys(fields: Iterable[Candidate]) -> list[Candidate]:
    """Fields for a constructor."""
    return [
        replace(one, rank=one.rank - 100, insert=f"{one.label} = ")
        for one in fields
        if is_name(one.label)
    ]
