"""Values that operations of the prelude take and give: trees of scalars and plain tables.

The same tags as everywhere on the wire (docs/wire-format.md). A plain table is a list if its keys
are 1 to n, and a dict otherwise; an empty one is an empty list. What has an identity in the store
stays what the store knows it by.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, Union

from lua_ls_persist.errors import WireError
from lua_ls_persist.protocol import DECODE_DEPTH_MAX, Tag
from lua_ls_persist.session.records import Metatables, read_value, value_bytes
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    PERMANENT,
    STRING,
    TABLE,
    Native,
    Pair,
)
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN, Decoder, text_or_bytes, text_to_bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A value as a row of the store has it: an external table, a function, a permanent."""

    kind: int
    native: Native


@dataclass(frozen=True, slots=True)
class Encoded:
    """A tree that stands in bytes already."""

    content: bytes


Tree: TypeAlias = Union[
    bool, int, float, str, bytes, Stored, Encoded, "Sequence[Tree]", "Mapping[Any, Tree]", None
]
"""`Any` because a mapping's type is invariant in its keys."""

_TABLE_TAG: Final = int(Tag.TABLE)
_INTEGER_TAG: Final = int(Tag.INTEGER)
_REFERENCES: Final = frozenset({FUNCTION, PERMANENT, TABLE})
_F64 = struct.Struct("<d")
_I64 = struct.Struct("<q")
_HEAD = struct.Struct("<BI")
_INTEGER = struct.Struct("<Bq")
_FLOAT = struct.Struct("<Bd")
_NIL_BYTES, _FALSE, _TRUE = b"\0", b"\1\0", b"\1\1"


def read_tree(decoder: Decoder, depth: int = 0) -> Tree:
    """The next value.

    Raises:
        WireError: it is malformed.
    """
    if depth > DECODE_DEPTH_MAX:
        raise WireError("tables are nested too deeply")
    if decoder.position < len(decoder.data) and decoder.data[decoder.position] == _TABLE_TAG:
        decoder.u8()
        pairs = [
            (read_tree(decoder, depth + 1), read_tree(decoder, depth + 1))
            for _ in range(decoder.count(2))
        ]
        return _table(pairs)
    return tree_of(*read_value(decoder))


def tree_of(kind: int, native: Native) -> Tree:
    """A value of the store as part of a tree."""
    if kind in _REFERENCES:
        return Stored(kind, native)
    if kind == BOOLEAN:
        return native == 1
    if kind == FLOAT and isinstance(native, int):
        number: float = _F64.unpack(_I64.pack(native))[0]
        return number
    if kind == STRING and isinstance(native, bytes):
        return text_or_bytes(native)
    return native


def _table(pairs: list[tuple[Tree, Tree]]) -> Tree:
    keys = [key for key, _ in pairs]
    if any(isinstance(key, (list, dict)) for key in keys):
        raise WireError("a plain table is no key here")
    if all(type(key) is int for key in keys) and set(keys) == set(range(1, len(keys) + 1)):
        by_place = dict(pairs)
        return [by_place[place] for place in range(1, len(keys) + 1)]
    table = dict(pairs)
    if len(table) < len(pairs):
        raise WireError("a table here cannot have both true and 1 as keys, nor both false and 0")
    return table


def table_of(tree: Tree, what: str) -> Mapping[Any, Tree]:
    """The fields of what must be a table with names.

    Raises:
        WireError: it is none.
    """
    if isinstance(tree, Mapping):
        return tree
    if isinstance(tree, list) and not tree:
        return {}
    raise WireError(f"{what} is no table of fields")


def tree_bytes(tree: Tree, metatables: Metatables) -> bytes:
    """A value as the core reads it.

    Raises:
        WireError: there is something in it that Lua has no value for.
    """
    parts: list[bytes] = []
    _write(tree, parts, metatables, 0)
    return b"".join(parts)


def _write(tree: Tree, parts: list[bytes], metatables: Metatables, depth: int) -> None:
    # What there is most of, in the pages of queries, is told by its exact type: that is faster.
    if type(tree) is Stored:
        parts.append(value_bytes(tree.kind, tree.native, metatables))
    elif type(tree) is dict and depth < DECODE_DEPTH_MAX:
        parts.append(_HEAD.pack(_TABLE_TAG, len(tree)))
        for key, value in tree.items():
            if type(key) is str:
                parts.append(_name_bytes(key))
            else:
                _check_key(key)
                _write(key, parts, metatables, depth + 1)
            _write(value, parts, metatables, depth + 1)
    elif type(tree) is list and depth < DECODE_DEPTH_MAX:
        parts.append(_HEAD.pack(_TABLE_TAG, len(tree)))
        for place, value in enumerate(tree, 1):
            parts.append(_INTEGER.pack(_INTEGER_TAG, place))
            _write(value, parts, metatables, depth + 1)
    else:
        _write_any(tree, parts, metatables, depth)


@lru_cache(maxsize=256)
def _name_bytes(name: str) -> bytes:
    """A key that is a name; there are few."""
    content = text_to_bytes(name)
    return _HEAD.pack(STRING, len(content)) + content


def _write_any(tree: Tree, parts: list[bytes], metatables: Metatables, depth: int) -> None:
    if isinstance(tree, (str, bytes, bytearray, memoryview)):
        content = text_to_bytes(tree) if isinstance(tree, str) else bytes(tree)
        parts += (_HEAD.pack(STRING, len(content)), content)
    elif tree is None:
        parts.append(_NIL_BYTES)
    elif isinstance(tree, bool):
        parts.append(_TRUE if tree else _FALSE)
    elif isinstance(tree, int):
        if not INTEGER_MIN <= tree <= INTEGER_MAX:
            raise WireError(f"{tree} does not fit into a Lua integer (64 bits)")
        parts.append(_INTEGER.pack(Tag.INTEGER, tree))
    elif isinstance(tree, float):
        parts.append(_FLOAT.pack(Tag.FLOAT, tree))
    elif isinstance(tree, Stored):
        parts.append(value_bytes(tree.kind, tree.native, metatables))
    elif isinstance(tree, Encoded):
        parts.append(tree.content)
    elif isinstance(tree, (Mapping, Sequence)):
        if depth >= DECODE_DEPTH_MAX:
            raise WireError(f"the value is nested deeper than {DECODE_DEPTH_MAX} tables")
        is_mapping = isinstance(tree, Mapping)
        pairs = tree.items() if isinstance(tree, Mapping) else enumerate(tree, 1)
        parts.append(_HEAD.pack(_TABLE_TAG, len(tree)))
        for key, value in pairs:
            if is_mapping:
                _check_key(key)
            _write(key, parts, metatables, depth + 1)
            _write(value, parts, metatables, depth + 1)
    else:
        raise WireError(f"a Python {type(tree).__name__} has no counterpart in Lua")


def _check_key(key: Tree) -> None:
    if key is None or (isinstance(key, float) and math.isnan(key)):
        raise WireError(f"{key!r} cannot be the key of a Lua table")
    if isinstance(key, Stored) and key.kind == FUNCTION:
        raise WireError("a function cannot be a key of a plain table here")


def tables_of(tree: Tree) -> list[Pair]:
    """The external tables in a tree, as if they were entries of one."""
    return [(TABLE, found, TABLE, found) for found in dict.fromkeys(_table_ids(tree))]


def _table_ids(tree: Tree) -> Iterator[int]:
    waiting: list[Any] = [tree]
    while waiting:
        one = waiting.pop()
        exact = type(one)
        if exact is Stored:
            if one.kind == TABLE:
                yield one.native
        elif exact in _SCALARS:
            continue
        elif isinstance(one, Mapping):
            waiting += one.keys()
            waiting += one.values()
        elif isinstance(one, Sequence):
            waiting += one


_SCALARS: Final = frozenset((str, int, bytes, bool, float, Encoded, type(None)))
