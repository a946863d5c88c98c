"""The store's rows on the wire: batches of changes from the core, values and pages to it.

docs/wire-format.md tells both byte by byte. Everything here is on the way of every entry that a
program reads or writes, so the loops are plain ones, and nothing is looked up twice.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from lua_ls_persist.errors import WireError
from lua_ls_persist.protocol import RECORD_BYTES, RecordOp, Tag
from lua_ls_persist.store.rows import Entry, Key, Native, Nested, Pair, Value, as_native
from lua_ls_persist.wire import Decoder

_NIL, _BOOLEAN, _INTEGER, _FLOAT, _STRING, _FUNCTION, _PERMANENT, _TABLE = range(8)
assert (_NIL, _FLOAT, _TABLE) == (Tag.NIL, Tag.FLOAT, Tag.EXTERNAL_TABLE)
_SET, _DELETE, _NEW_TABLE, _METATABLE, _CELL, _CLEAR = map(int, RecordOp)

_RECORDS = struct.Struct("<qqqBBB5x")
assert _RECORDS.size == RECORD_BYTES
_U32 = struct.Struct("<I")
_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")
_TAG_U8 = struct.Struct("<BB")
_TAG_I64 = struct.Struct("<Bq")
_TAG_F64 = struct.Struct("<Bd")
_TAG_U32 = struct.Struct("<BI")
_TAG_IDS = struct.Struct("<Bqq")
_NIL_VALUE = bytes((_NIL,))

Metatables = Mapping[int, int]
"""Table's id to its metatable's id, of those that have one."""


# From the core.


def float_native(bits: int) -> float | int:
    """A float by its bits, as the store keeps it: a NaN stays the integer of its bits."""
    number: float = _F64.unpack(_I64.pack(bits))[0]
    return bits if math.isnan(number) else number


def read_value(decoder: Decoder) -> Value:
    """The next value, as a row has it."""
    tag = decoder.u8()
    if tag in (_INTEGER, _FUNCTION):
        return tag, decoder.i64()
    if tag == _STRING:
        return tag, as_native(decoder.text())
    if tag == _FLOAT:
        return tag, float_native(decoder.i64())
    if tag == _BOOLEAN:
        return tag, _boolean(decoder.u8())
    if tag == _TABLE:
        identity = decoder.i64()
        decoder.i64()  # the metatable, which is not asked about
        return tag, identity
    if tag == _PERMANENT:
        return tag, read_text(decoder)
    if tag == _NIL:
        return tag, None
    raise WireError(f"a value with tag {tag:#04x} is nothing for the store")


def read_text(decoder: Decoder) -> str:
    """A text that the core made: a name, UTF-8 mostly."""
    return decoder.text().decode("utf-8", "backslashreplace")


def _boolean(number: int) -> int:
    if number > 1:
        raise WireError(f"a boolean of {number}")
    return number


@dataclass(slots=True)
class Changes:
    """What a batch asks for, in the order in which it is to be done: tables before entries."""

    clears: list[int] = field(default_factory=list)
    """Tables that lose all entries, before the rest of this."""
    sets: list[Entry] = field(default_factory=list)
    deletes: list[Key] = field(default_factory=list)
    new_tables: list[tuple[int]] = field(default_factory=list)
    metatables: list[tuple[int | None, int]] = field(default_factory=list)
    """(the metatable's id or None, the table's id)"""
    cells: list[tuple[int, int, Native]] = field(default_factory=list)


def read_batch(request: bytes) -> list[Changes]:
    """The changes of an APPLY request. More than one where a table is emptied in between.

    Raises:
        WireError: it is malformed.
    """
    decoder = Decoder(request)
    record_count, string_count = decoder.u32(), decoder.u32()
    start = decoder.position
    decoder.take(record_count * RECORD_BYTES)
    if string_count * 4 > len(request) - decoder.position:
        raise WireError(f"truncated: {string_count} strings cannot all be there")
    strings = _read_strings(request, decoder.position, string_count)
    records = request[start : start + record_count * RECORD_BYTES]
    try:
        return [_plain(records, strings)] if _is_plain(records) else _group(records, strings)
    except IndexError:
        raise WireError(f"a record refers to more than {string_count} strings") from None


def _read_strings(data: bytes, position: int, count: int) -> list[str | bytes]:
    section = data[position:]
    if len(section) <= _SHORT_SECTION_BYTES and section.isascii():
        plain = _read_plain_strings(section, count)
        if plain is not None:
            return plain
    strings: list[str | bytes] = []
    add, length_at, end = strings.append, _U32.unpack_from, len(data)
    for _ in range(count):
        if position + 4 > end:
            raise WireError("truncated: a string is missing")
        start = position + 4
        position = start + length_at(data, position)[0]
        if position > end:
            raise WireError("truncated: a string is cut")
        add(as_native(data[start:position]))
    return strings


_SHORT_SECTION_BYTES = 0xFFFF


def _read_plain_strings(section: bytes, count: int) -> list[str | bytes] | None:
    """The strings of a section in which all bytes are ASCII, lengths included.

    They are decoded at once. None: some have zero bytes, or the section is not well formed.
    """
    text = section.decode("ascii")
    strings: list[str | bytes] = []
    add, position, end = strings.append, 0, len(section)
    for _ in range(count):
        if position + 4 > end:
            return None
        start = position + 4
        # The section is so short that the upper half of a length is zero.
        position = start + section[position] + (section[position + 1] << 8)
        add(text[start:position])
    is_whole = position <= end and "\0" not in "".join(strings)  # type: ignore[arg-type]  # all str
    return strings if is_whole else None


def _is_plain(records: bytes) -> bool:
    """Whether the records are of the sort that most are.

    That is: new tables, and entries of strings, integers, booleans, tables and functions.
    """
    ops = records[_OP_AT::RECORD_BYTES]
    key_tags, value_tags = records[_KEY_AT::RECORD_BYTES], records[_VALUE_AT::RECORD_BYTES]
    return (
        _PLAIN_OPS.issuperset(ops)
        and _PLAIN_TAGS.issuperset(key_tags)
        and _PLAIN_TAGS.issuperset(value_tags)
        # No key and no value is nil where there must be one.
        and key_tags.count(_NIL) == value_tags.count(_NIL) == ops.count(_NEW_TABLE)
    )


_OP_AT, _KEY_AT, _VALUE_AT = 24, 25, 26
_PLAIN_OPS = frozenset({_SET, _NEW_TABLE})
_PLAIN_TAGS = frozenset({_NIL, _BOOLEAN, _INTEGER, _STRING, _FUNCTION, _TABLE})


def _plain(records: bytes, strings: list[str | bytes]) -> Changes:
    unpacked = _RECORDS.iter_unpack(records)
    sets: list[Entry] = [
        (
            identity,
            key_tag,
            strings[key] if key_tag == 4 else key,
            value_tag,
            strings[value] if value_tag == 4 else value,
        )
        for identity, key, value, op, key_tag, value_tag in unpacked
        if op == 1
    ]
    changes = Changes(sets=sets)
    if len(sets) * RECORD_BYTES != len(records):
        changes.new_tables = [
            (fields[0],) for fields in _RECORDS.iter_unpack(records) if fields[3] == _NEW_TABLE
        ]
    return changes


assert (_SET, _STRING) == (1, 4)  # plain numbers in the loop above, which is the hottest one


def _group(records: bytes, strings: list[str | bytes]) -> list[Changes]:
    changes = Changes()
    groups = [changes]
    add_set, add_delete = changes.sets.append, changes.deletes.append
    for identity, key, value, op, key_tag, value_tag in _RECORDS.iter_unpack(records):
        if op == _SET:
            # Integers, booleans and ids are what they are; of the rest, strings are most.
            if key_tag == _STRING:
                key = strings[key]
            elif key_tag in _INDIRECT:
                key = _native(key_tag, key, strings)
            elif key_tag == _NIL or key_tag > _TABLE:
                raise WireError(f"a key with tag {key_tag:#04x}")
            if value_tag == _STRING:
                value = strings[value]
            elif value_tag in _INDIRECT:
                value = _native(value_tag, value, strings)
            elif value_tag == _NIL or value_tag > _TABLE:
                raise WireError(f"an entry's value with tag {value_tag:#04x}")
            add_set((identity, key_tag, key, value_tag, value))
        elif op == _DELETE:
            add_delete((identity, key_tag, _native(key_tag, key, strings)))
        elif op == _NEW_TABLE:
            changes.new_tables.append((identity,))
        elif op == _METATABLE:
            changes.metatables.append((value if value_tag == _TABLE else None, identity))
        elif op == _CELL:
            changes.cells.append((identity, value_tag, _native(value_tag, value, strings)))
        elif op == _CLEAR:
            # What came before may have been about the same table.
            changes = Changes(clears=[identity])
            groups.append(changes)
            add_set, add_delete = changes.sets.append, changes.deletes.append
        else:
            raise WireError(f"a record that does {op}")
    return groups


_INDIRECT = frozenset({_FLOAT, _PERMANENT})
"""Tags, besides the string's, whose number in a record is not the value itself."""


def _native(tag: int, number: int, strings: list[str | bytes]) -> Native:
    if tag == _STRING:
        return strings[number]
    if tag == _FLOAT:
        return float_native(number)
    if tag == _PERMANENT:
        name = strings[number]
        return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
    if tag == _NIL:
        return None
    if tag > _TABLE:
        raise WireError(f"a record with tag {tag:#04x}")
    return number


# To the core.


def value_bytes(kind: int, native: Native, metatables: Metatables) -> bytes:
    """A value as the core reads it."""
    if kind in (_STRING, _PERMANENT):
        content = native.encode() if isinstance(native, str) else native
        assert isinstance(content, bytes)
        return _TAG_U32.pack(kind, len(content)) + content
    if kind in (_INTEGER, _FUNCTION):
        return _TAG_I64.pack(kind, native)
    if kind == _TABLE:
        assert isinstance(native, int)
        return _TAG_IDS.pack(kind, native, metatables.get(native, 0))
    if kind == _BOOLEAN:
        return _TAG_U8.pack(kind, native)
    if kind == _FLOAT:
        # An integer here is a NaN's bits.
        return (_TAG_I64 if isinstance(native, int) else _TAG_F64).pack(kind, native)
    assert kind == _NIL
    return _NIL_VALUE


def rows_bytes(rows: list[Pair], metatables: Metatables) -> bytes:
    """A count, and that many pairs of key and value."""
    parts = [_U32.pack(len(rows))]
    add = parts.append
    pack_string, pack_integer, pack_ids = _TAG_U32.pack, _TAG_I64.pack, _TAG_IDS.pack
    metatable_of = metatables.get
    for key_kind, key, kind, value in rows:
        if key_kind == _STRING:
            content = key.encode() if type(key) is str else key
            add(pack_string(_STRING, len(content)))  # type: ignore[arg-type]  # str or bytes
            add(content)  # type: ignore[arg-type]
        elif key_kind == _INTEGER:
            add(pack_integer(_INTEGER, key))
        else:
            add(value_bytes(key_kind, key, metatables))
        if kind == _STRING:
            content = value.encode() if type(value) is str else value
            add(pack_string(_STRING, len(content)))  # type: ignore[arg-type]
            add(content)  # type: ignore[arg-type]
        elif kind == _INTEGER:
            add(pack_integer(_INTEGER, value))
        elif kind == _TABLE:
            add(pack_ids(_TABLE, value, metatable_of(value, 0)))  # type: ignore[arg-type]
        else:
            add(value_bytes(kind, value, metatables))
    return b"".join(parts)


def tables_in(rows: list[Pair]) -> list[int]:
    """The ids of the tables that the rows refer to as values, without repetition, in order."""
    found = {row[3]: None for row in rows if row[2] == _TABLE}
    return list(found)  # type: ignore[arg-type]  # a table's native value is its id


def tables_as_keys(rows: list[Pair]) -> list[int]:
    """The ids of the tables that are keys in the rows."""
    return [row[1] for row in rows if row[0] == _TABLE]  # type: ignore[misc]


def nested_bytes(nested: Mapping[int, Nested], metatables: Metatables) -> bytes:
    """The nested section: tables that the core need not ask for one by one."""
    parts = [_U32.pack(len(nested))]
    for identity, table in nested.items():
        parts.append(_I64.pack(identity))
        parts.append(_I64.pack(metatables.get(identity, 0)))
        parts.append(b"\1" if table.complete else b"\0")
        parts.append(rows_bytes(table.rows, metatables))
    return b"".join(parts)


def text_bytes(text: str | bytes) -> bytes:
    """A u32 length and the bytes."""
    content = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return _U32.pack(len(content)) + content


def ids_bytes(ids: list[int]) -> bytes:
    """Ids one behind the other."""
    return struct.pack(f"<{len(ids)}q", *ids)


def read_ids(decoder: Decoder) -> tuple[int, ...]:
    """A count and that many ids."""
    count = decoder.count(8)
    ids: tuple[int, ...] = struct.unpack(f"<{count}q", decoder.take(count * 8))
    return ids
