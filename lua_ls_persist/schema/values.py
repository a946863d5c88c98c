"""Lua values as a checker sees them, and how violations call them.

The checker inside the VM (lua/prelude/schema_texts.lua) writes the same; a property test compares.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lua_ls_persist.pretty import is_name

STRING_BYTES_SHOWN_MAX: Final = 40
NAME_LENGTH_MAX: Final = 200
"""Longer keys are cut in a path also where they could stand as names."""

_CUT_CHARACTER = re.compile(rb"[\xc0-\xff][\x80-\xbf]*\Z")
_ESCAPED = re.compile(rb'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class LuaFunction:
    """A function, whichever."""

    id: int = 0


@dataclass(frozen=True, slots=True)
class Permanent:
    """A value that is stored by its name: a function, a table or a userdata; who knows."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class LuaTable:
    """A table of which only its number is known; its entries are looked at elsewhere."""

    id: int = 0


def decoded(value: object) -> object:
    """Bytes that are text, as that text, which is how fields are named; all else as it is."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


def type_name(value: object) -> str:
    """What Lua's `type` says, with integers told from other numbers."""
    if value is None:
        return "nil"
    for name, classes in _CLASSES:
        if isinstance(value, classes):
            return name
    raise TypeError(f"a Python {type(value).__name__} has no counterpart in Lua")


_CLASSES: Final[tuple[tuple[str, type | tuple[type, ...]], ...]] = (
    ("boolean", bool),
    ("integer", int),
    ("number", float),
    ("string", (str, bytes)),
    ("table", (Mapping, Sequence, LuaTable)),
    ("function", LuaFunction),
    ("permanent", Permanent),
)


def entries_of(table: object) -> Iterator[tuple[object, object]]:
    """The keys and values of a tree's table."""
    if isinstance(table, Mapping):
        for key, value in table.items():
            if value is not None:
                yield key, value
    elif isinstance(table, Sequence):
        for index, value in enumerate(table, 1):
            if value is not None:
                yield index, value


def is_table(value: object) -> bool:
    """Whether Lua sees a table, of whatever kind."""
    return not isinstance(value, (str, bytes)) and isinstance(value, (Mapping, Sequence, LuaTable))


def bytes_of(text: str | bytes) -> bytes:
    """A Lua string."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def value_text(value: object) -> str:
    """How a violation calls a value: `string "old"`, `integer 3`, `nil`, `table`."""
    name = type_name(value)
    if isinstance(value, (bool, int, float, str, bytes)):
        return f"{name} {scalar_text(value)}"
    return name


def scalar_text(value: bool | float | str | bytes) -> str:
    """A scalar as Lua source has it; long strings are cut."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    content = bytes_of(value)
    dots = ""
    if len(content) > STRING_BYTES_SHOWN_MAX:
        content = _CUT_CHARACTER.sub(b"", content[:STRING_BYTES_SHOWN_MAX])
        dots = "..."
    escaped = _ESCAPED.sub(_escape, content)
    return f'"{escaped.decode("utf-8", "surrogateescape")}"{dots}'


def _escape(match: re.Match[bytes]) -> bytes:
    char = match[0]
    return b"\\" + char if char in b'"\\' else b"\\%03d" % char[0]


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "nan"
    text = f"{value:.14g}"
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def key_text(key: object) -> str:
    """A step of a path: `.name`, `["a b"]`, `[3]`, `[function]`; a long one is cut."""
    if isinstance(key, str) and len(key) <= NAME_LENGTH_MAX and is_name(key):
        return f".{key}"
    if isinstance(key, (bool, int, float, str, bytes)):
        return f"[{scalar_text(key)}]"
    return f"[{type_name(key)}]"


def equal(one: object, other: object) -> bool:
    """Whether two scalars are the same to Lua: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (str, bytes)) and isinstance(other, (str, bytes)):
        return bytes_of(one) == bytes_of(other)
    return one == other
