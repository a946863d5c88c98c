"""The type-tagged byte format of values: what the core and its host say to each other.

Little endian; every length is checked before anything is read. The Zig side is
wasm_core/src/wire.zig; docs/wire-format.md tells the format byte by byte; the numbers come from the
core (`lua_ls_persist.protocol`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from lua_ls_persist.errors import WireError
from lua_ls_persist.model import Preview
from lua_ls_persist.pretty import long_string_text, sort_entries, table_preview
from lua_ls_persist.protocol import (
    DECODE_DEPTH_MAX,
    PREVIEW_FLAG_CYCLE,
    PREVIEW_FLAG_OMITTED,
    PREVIEW_FLAG_UNOPENED,
    Tag,
)

if TYPE_CHECKING:
    from lua_ls_persist.model import Value

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
_FLOAT_VALUE = struct.Struct("<Bd")
_U64 = struct.Struct("<Q")
_PREVIEW_HEAD = struct.Struct("<IBI")


def encode(value: Encodable) -> bytes:
    """Encode a Python value for Lua.

    Raises:
        WireError: an integer beyond 64 bits, a key that is None or NaN, tables nested deeper than
            `DECODE_DEPTH_MAX`, or a type that Lua does not have.
    """
    encoder = _Encoder()
    encoder.write(value, 0)
    return b"".join(encoder.parts)


class _Encoder:
    """One value on its way to bytes. Names that come again, as those of fields do, are kept."""

    __slots__ = ("_names", "parts")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._names: dict[str, bytes] = {}

    def write(self, value: Encodable, depth: int) -> None:
        """A value inside of so many tables."""
        if depth > DECODE_DEPTH_MAX:
            raise WireError(_TOO_DEEP)
        add = self.parts.append
        if type(value) is dict:
            self._write_fields(value, depth)
        elif isinstance(value, str):
            add(_string_bytes(value))
        elif value is None:
            add(bytes((_NIL,)))
        elif isinstance(value, bool):
            add(bytes((_BOOLEAN, value)))
        elif isinstance(value, int):
            if not INTEGER_MIN <= value <= INTEGER_MAX:
                raise WireError(f"{value} does not fit into a Lua integer (64 bits)")
            add(_INTEGER_VALUE.pack(_INTEGER, value))
        elif isinstance(value, float):
            add(_FLOAT_VALUE.pack(_FLOAT, value))
        elif isinstance(value, (bytes, bytearray, memoryview)):
            content = bytes(value)
            add(_HEAD.pack(_STRING, len(content)) + content)
        elif isinstance(value, (Mapping, Sequence)):
            is_mapping = isinstance(value, Mapping)
            add(_HEAD.pack(_TABLE, len(value)))
            for key, item in value.items() if isinstance(value, Mapping) else enumerate(value, 1):
                if is_mapping:
                    _check_key(key)
                self.write(key, depth + 1)
                self.write(item, depth + 1)
        else:
            raise WireError(f"a Python {type(value).__name__} has no counterpart in Lua")

    def _write_fields(self, fields: dict[Any, Encodable], depth: int) -> None:
        """What there is most of: batches have tens of thousands of strings and numbers in these."""
        add, name_of = self.parts.append, self._names.get
        add(_HEAD.pack(_TABLE, len(fields)))
        if fields and depth == DECODE_DEPTH_MAX:
            raise WireError(_TOO_DEEP)
        for key, item in fields.items():
            name = name_of(key) if type(key) is str else None
            if name is not None:
                add(name)
            else:
                _check_key(key)
                self.write(key, depth + 1)
                if type(key) is str:
                    self._names[key] = self.parts[-1]
            if type(item) is str:
                add(_string_bytes(item))
            elif type(item) is dict:
                self.write(item, depth + 1)
            elif type(item) is int and INTEGER_MIN <= item <= INTEGER_MAX:
                add(_INTEGER_VALUE.pack(_INTEGER, item))
            else:
                self.write(item, depth + 1)


def _string_bytes(text: str) -> bytes:
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = text_to_bytes(text)
    length = len(content)
    return (_HEADS[length] if length < len(_HEADS) else _HEAD.pack(_STRING, length)) + content


_TOO_DEEP = f"the value is nested deeper than {DECODE_DEPTH_MAX} tables"
_HEADS = tuple(_HEAD.pack(_STRING, length) for length in range(64))
"""What stands before short strings."""


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
        # What there is most of, read at once; a response may have tens of thousands of values.
        data, position = self.data, self.position
        end = position + 9
        if end <= len(data):
            tag = data[position]
            if tag == _STRING:
                start = position + 5
                end = start + _U32.unpack_from(data, position + 1)[0]
                if end <= len(data):
                    self.position = end
                    return text_or_bytes(data[start:end])
            elif tag == _INTEGER:
                self.position = end
                integer: int = _I64.unpack_from(data, position + 1)[0]
                return integer
            elif tag == _FLOAT:
                self.position = end
                number: float = _F64.unpack_from(data, position + 1)[0]
                return number
            elif tag == _BOOLEAN and data[position + 1] <= 1:
                self.position = position + 2
                return data[position + 1] == 1
        return self._any_value(depth)

    def _any_value(self, depth: int) -> Value:
        tag = self.u8()
        if tag == _STRING:
            return text_or_bytes(self.text())
        if tag == _INTEGER:
            return self.i64()
        if tag == _FLOAT:
            last: float = _F64.unpack_from(self.data, self._advance(8))[0]
            return last
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
        address, flags, length = _PREVIEW_HEAD.unpack_from(self.data, self._advance(9))
        name = self.take(length).decode("utf-8", "replace") if length else ""
        value, below = self.value, depth + 1
        entries = sort_entries([(value(below), value(below)) for _ in range(self.count(2))])
        omitted = bool(flags & (PREVIEW_FLAG_OMITTED | PREVIEW_FLAG_UNOPENED))
        if flags & PREVIEW_FLAG_CYCLE:
            return Preview("table", "<cycle>", entries, omitted, address, name)
        return table_preview(entries, omitted=omitted, address=address, detail=name)


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
