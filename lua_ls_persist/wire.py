"""The type-tagged byte format of values: what the core and its host say to each other.

Little endian; every length is checked before anything is read. The Zig side is
wasm_core/src/wire.zig; docs/wire-format.md tells the format byte by byte; the numbers come from the
core (`lua_ls_persist.protocol`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, Union

from lua_ls_persist.errors import WireError
from lua_ls_persist.model import Preview, Value
from lua_ls_persist.pretty import long_string_text, sort_entries, table_text
from lua_ls_persist.protocol import (
    DECODE_DEPTH_MAX,
    PREVIEW_FLAG_CYCLE,
    PREVIEW_FLAG_OMITTED,
    PREVIEW_FLAG_UNOPENED,
    Tag,
)

Encodable: TypeAlias = Union[
    bool, int, float, str, bytes, "Sequence[Encodable]", "Mapping[Any, Encodable]", None
]
"""What Python can hand to Lua: scalars, sequences (as tables 1..n) and mappings.

The keys of a mapping are encodable, too; `Any` because a mapping's type is invariant in its keys.
"""

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1

# Plain numbers: an enum's members cost more to compare with than the rest of reading a scalar.
_NIL, _BOOLEAN, _INTEGER, _FLOAT, _STRING, _TABLE = map(
    int, (Tag.NIL, Tag.BOOLEAN, Tag.INTEGER, Tag.FLOAT, Tag.STRING, Tag.TABLE)
)

_I32 = struct.Struct("<i")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")
_U32 = struct.Struct("<I")
_HEAD = struct.Struct("<BI")
_INTEGER_VALUE = struct.Struct("<Bq")
_U64 = struct.Struct("<Q")


def encode(value: Encodable) -> bytes:
    """Encode a Python value for Lua.

    Raises:
        WireError: an integer beyond 64 bits, a key that is None or NaN, tables nested deeper than
            `DECODE_DEPTH_MAX`, or a type that Lua does not have.
    """
    parts: list[bytes] = []
    _encode(value, parts, 0)
    return b"".join(parts)


def _encode(value: Encodable, parts: list[bytes], depth: int) -> None:
    if depth > DECODE_DEPTH_MAX:
        raise WireError(f"the value is nested deeper than {DECODE_DEPTH_MAX} tables")
    # The usual types first, by what they are exactly: batches have tens of thousands of values.
    kind = type(value)
    if kind is str:
        content = text_to_bytes(value)  # type: ignore[arg-type]
        parts.append(_HEAD.pack(_STRING, len(content)) + content)
        return
    if kind is int and INTEGER_MIN <= value <= INTEGER_MAX:  # type: ignore[operator]
        parts.append(_INTEGER_VALUE.pack(_INTEGER, value))
        return
    if kind is dict:
        parts.append(_HEAD.pack(_TABLE, len(value)))  # type: ignore[arg-type]
        for key, item in value.items():  # type: ignore[union-attr]
            if type(key) is not str:
                _check_key(key)
            _encode(key, parts, depth + 1)
            _encode(item, parts, depth + 1)
        return
    if value is None:
        parts.append(bytes((Tag.NIL,)))
    elif isinstance(value, bool):
        parts.append(bytes((Tag.BOOLEAN, value)))
    elif isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise WireError(f"{value} does not fit into a Lua integer (64 bits)")
        parts.append(bytes((Tag.INTEGER,)) + _I64.pack(value))
    elif isinstance(value, float):
        parts.append(bytes((Tag.FLOAT,)) + _F64.pack(value))
    elif isinstance(value, (str, bytes, bytearray, memoryview)):
        content = text_to_bytes(value) if isinstance(value, str) else bytes(value)
        parts.append(bytes((Tag.STRING,)) + _U32.pack(len(content)) + content)
    elif isinstance(value, Mapping):
        parts.append(bytes((Tag.TABLE,)) + _U32.pack(len(value)))
        for key, item in value.items():
            _check_key(key)
            _encode(key, parts, depth + 1)
            _encode(item, parts, depth + 1)
    elif isinstance(value, Sequence):
        parts.append(bytes((Tag.TABLE,)) + _U32.pack(len(value)))
        for index, item in enumerate(value, 1):
            _encode(index, parts, depth + 1)
            _encode(item, parts, depth + 1)
    else:
        raise WireError(f"a Python {type(value).__name__} has no counterpart in Lua")


def _check_key(key: object) -> None:
    if key is None or (isinstance(key, float) and math.isnan(key)):
        raise WireError(f"{key!r} cannot be the key of a Lua table")


def text_to_bytes(text: str) -> bytes:
    """A Python string as Lua gets it: UTF-8.

    Surrogates that stand for a byte (as in Python's file names) become that byte again; where
    others are among them (half a character, as an editor may send), all take the three bytes that
    they would have in UTF-8.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def text_or_bytes(content: bytes) -> str | bytes:
    """A Lua string as Python shows it: str if it is UTF-8, bytes otherwise."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


class Decoder:
    """Reads a response of the core, or anything else that claims to be in this format.

    Every method raises `WireError` when the bytes end too early or make no sense.
    """

    __slots__ = ("data", "position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def _advance(self, count: int) -> int:
        """Step over the next `count` bytes; where they begin."""
        position = self.position
        end = position + count
        if end > len(self.data):
            raise WireError(
                f"truncated: {count} bytes are missing at {position} of {len(self.data)}"
            )
        self.position = end
        return position

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        position = self._advance(count)
        return self.data[position : self.position]

    def u8(self) -> int:
        """An unsigned byte."""
        return self.data[self._advance(1)]

    def u32(self) -> int:
        """An unsigned 32-bit integer."""
        number: int = _U32.unpack_from(self.data, self._advance(4))[0]
        return number

    def u64(self) -> int:
        """An unsigned 64-bit integer."""
        number: int = _U64.unpack_from(self.data, self._advance(8))[0]
        return number

    def i32(self) -> int:
        """A signed 32-bit integer."""
        number: int = _I32.unpack_from(self.data, self._advance(4))[0]
        return number

    def i64(self) -> int:
        """A signed 64-bit integer."""
        number: int = _I64.unpack_from(self.data, self._advance(8))[0]
        return number

    def text(self) -> bytes:
        """Bytes behind their u32 length."""
        return self.take(self.u32())

    def count(self, bytes_each: int) -> int:
        """A u32 count of items that take at least so many bytes each."""
        count = self.u32()
        if count * bytes_each > len(self.data) - self.position:
            raise WireError(f"truncated: {count} items at {self.position} cannot all be there")
        return count

    def value(self, depth: int = 0) -> Value:
        """The next value."""
        tag = self.u8()
        if tag == _STRING:
            return text_or_bytes(self.text())
        if tag == _INTEGER:
            integer: int = _I64.unpack_from(self.data, self._advance(8))[0]
            return integer
        if tag == _FLOAT:
            number: float = _F64.unpack_from(self.data, self._advance(8))[0]
            return number
        if tag == _NIL:
            return None
        if tag == _BOOLEAN:
            flag = self.u8()
            if flag > 1:
                raise WireError(f"a boolean of {flag} at {self.position - 1}")
            return flag == 1
        return self._preview(tag, depth)

    def _preview(self, tag: int, depth: int) -> Preview:
        if depth > DECODE_DEPTH_MAX:
            raise WireError("previews are nested too deeply")
        if tag == Tag.TABLE_PREVIEW:
            return self._table(depth)
        if tag == Tag.STRING_PREVIEW:
            length = self.u64()
            head = text_or_bytes(_whole_characters(self.text()))
            text = long_string_text(head, length_bytes=length)
            return Preview("string", text, length_bytes=length)
        if tag == Tag.FUNCTION_PREVIEW:
            address, place = self.u32(), self.text().decode("utf-8", "replace")
            text = f"<function {place}>" if place else "<built-in function>"
            return Preview("function", text, address=address, detail=place)
        if tag == Tag.USERDATA_PREVIEW:
            address, name = self.u32(), self.text().decode("utf-8", "replace")
            text = f"<userdata {name}>" if name else "<userdata>"
            return Preview("userdata", text, address=address, detail=name)
        if tag == Tag.THREAD_PREVIEW:
            address, detail = self.u32(), self.text().decode("utf-8", "replace")
            return Preview("thread", "<thread>", address=address, detail=detail)
        raise WireError(f"unknown tag {tag:#04x} at {self.position - 1}")

    def _table(self, depth: int) -> Preview:
        address, flags = self.u32(), self.u8()
        name = self.text().decode("utf-8", "replace")
        entries = sort_entries(
            [(self.value(depth + 1), self.value(depth + 1)) for _ in range(self.count(2))]
        )
        omitted = bool(flags & (PREVIEW_FLAG_OMITTED | PREVIEW_FLAG_UNOPENED))
        cycle = flags & PREVIEW_FLAG_CYCLE
        text = "<cycle>" if cycle else table_text(entries, omitted=omitted)
        return Preview("table", text, entries, omitted, address, name)


def _whole_characters(head: bytes) -> bytes:
    """A string's beginning without the UTF-8 character that its end was cut through."""
    for back in range(1, min(4, len(head)) + 1):
        byte = head[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return head[:-back] if needed > back else head
    return head
