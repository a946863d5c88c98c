"""The store's rows on the wire: batches from the core, values and pages to it."""

from __future__ import annotations

import contextlib
import math
import random
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.errors import WireError
from lua_ls_persist.protocol import Tag
from lua_ls_persist.session.records import (
    Changes,
    ids_bytes,
    nested_bytes,
    read_batch,
    read_ids,
    read_value,
    rows_bytes,
    value_bytes,
)
from lua_ls_persist.store import Native, Nested, Pair, Value, as_native
from lua_ls_persist.wire import Decoder
from tests.session.wire_batches import CELL, CLEAR, DELETE, METATABLE, NEW_TABLE, SEED, SET, Batch

NAN_BITS = struct.unpack("<q", struct.pack("<Q", 0xFFF8_0000_0000_0123))[0]

INTEGERS = st.integers(-(2**63), 2**63 - 1)

IDS = st.integers(1, 2**63 - 1)

STRINGS = st.binary(max_size=20) | st.text(max_size=10).map(str.encode)

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.tuples(st.just(int(Tag.BOOLEAN)), st.integers(0, 1)),
    st.tuples(st.just(int(Tag.INTEGER)), INTEGERS),
    st.tuples(st.just(int(Tag.FLOAT)), st.floats(allow_nan=False)),
    st.just((int(Tag.FLOAT), NAN_BITS)),
    st.tuples(st.just(int(Tag.STRING)), STRINGS.map(as_native)),
    st.tuples(st.just(int(Tag.FUNCTION)), IDS),
    st.tuples(st.just(int(Tag.PERMANENT)), st.text(max_size=10)),
    st.tuples(st.just(int(Tag.EXTERNAL_TABLE)), IDS),
)


def bits(native: Native) -> object:
    """A native value so that -0.0 is not 0.0."""
    return struct.pack("<d", native) if isinstance(native, float) else native


def same(one: Sequence[tuple[Native, ...]], other: Sequence[tuple[Native, ...]]) -> bool:
    return [tuple(map(bits, row)) for row in one] == [tuple(map(bits, row)) for row in other]


# Batches


@given(st.lists(st.tuples(IDS, VALUES, VALUES), max_size=30))
def test_sets(entries: list[tuple[int, Value, Value]]) -> None:
    batch = Batch()
    for table, key, value in entries:
        batch.add(SET, table, key, value)
    (changes,) = read_batch(batch.bytes())
    assert same(changes.sets, [(table, *key, *value) for table, key, value in entries])
    assert changes == Changes(sets=changes.sets)


@given(st.lists(st.tuples(IDS, VALUES), max_size=20))
def test_deletes_and_cells(items: list[tuple[int, Value]]) -> None:
    batch = Batch()
    for identity, value in items:
        batch.add(DELETE, identity, value)
        batch.add(CELL, identity, value=value)
    (changes,) = read_batch(batch.bytes())
    rows = [(identity, *value) for identity, value in items]
    assert same(changes.deletes, rows)
    assert same(changes.cells, rows)


@pytest.mark.parametrize(
    "strings",
    [
        [],
        [""],
        ["", "", "a"],
        ["a" * 127, "b" * 128, "c" * 255, "d" * 256, "e" * 4096],
        ["plain", b"zero\0inside"],
        [b"\0", b"\0\0", ""],
        [b"\0" * 3 + b"a" * 256],
        ["x" * 70_000],
        ["x" * 40_000, b"\0" * 40_000],
        ["gr\u00fcn", "plain"],
        [b"\xff", "plain"],
    ],
    ids=range(11),
)
def test_strings_of_every_sort(strings: list[str | bytes]) -> None:
    batch = Batch()
    for number, string in enumerate(strings):
        batch.add(SET, 5, (2, number), (4, string))
    (changes,) = read_batch(batch.bytes())
    assert [row[4] for row in changes.sets] == strings


def test_the_other_records() -> None:
    batch = Batch()
    batch.add(NEW_TABLE, 5)
    batch.add(METATABLE, 5, value=(7, 6))
    batch.add(METATABLE, 7)
    batch.add(CELL, 8)
    (changes,) = read_batch(batch.bytes())
    assert changes == Changes(
        new_tables=[(5,)], metatables=[(6, 5), (None, 7)], cells=[(8, 0, None)]
    )


def test_a_table_that_is_emptied_in_between() -> None:
    batch = Batch()
    batch.add(SET, 5, (2, 1), (2, 10))
    batch.add(CLEAR, 5)
    batch.add(SET, 5, (2, 2), (2, 20))
    batch.add(CLEAR, 6)
    first, second, third = read_batch(batch.bytes())
    assert first == Changes(sets=[(5, 2, 1, 2, 10)])
    assert second == Changes(clears=[5], sets=[(5, 2, 2, 2, 20)])
    assert third == Changes(clears=[6])


@pytest.mark.parametrize(
    ("op", "key", "value"),
    [
        (SET, (0, None), (2, 1)),
        (SET, (2, 1), (0, None)),
        (SET, (8, 1), (2, 1)),
        (SET, (2, 1), (10, 1)),
        (DELETE, (9, 1), (0, None)),
        (CELL, (0, None), (11, 1)),
        (0, (2, 1), (2, 1)),
        (7, (2, 1), (2, 1)),
    ],
)
def test_records_that_make_no_sense(op: int, key: Value, value: Value) -> None:
    batch = Batch()
    batch.add(op, 5, key, value)
    with pytest.raises(WireError):
        read_batch(batch.bytes())


def rich_batch() -> bytes:
    batch = Batch()
    batch.add(NEW_TABLE, 5)
    batch.add(SET, 5, (4, "key"), (4, "value"))
    batch.add(SET, 5, (2, 1), (3, 1.5))
    batch.add(DELETE, 5, (4, "gone"))
    batch.add(CELL, 6, value=(6, "print"))
    batch.add(CLEAR, 7)
    return batch.bytes()


def test_every_truncation_of_a_batch_is_refused() -> None:
    content = rich_batch()
    for length in range(len(content)):
        with pytest.raises(WireError):
            read_batch(content[:length])


def test_mutations_of_a_batch_are_refused_or_read() -> None:
    source = random.Random(SEED)
    content = rich_batch()
    for _ in range(3000):
        mutant = bytearray(content)
        for _ in range(source.randint(1, 3)):
            mutant[source.randrange(len(mutant))] = source.randrange(256)
        with contextlib.suppress(WireError):
            read_batch(bytes(mutant))


# Values and rows


@given(VALUES)
def test_a_value_comes_back(value: Value) -> None:
    decoder = Decoder(value_bytes(*value, {}))
    assert same([read_value(decoder)], [value])
    assert decoder.position == len(decoder.data)


def test_the_bytes_of_values() -> None:
    cases: list[tuple[Value, dict[int, int], str]] = [
        ((0, None), {}, "00"),
        ((1, 1), {}, "01 01"),
        ((2, -2), {}, "02 fe ff ff ff ff ff ff ff"),
        ((3, 1.0), {}, "03 00 00 00 00 00 00 f0 3f"),
        ((3, NAN_BITS), {}, "03 23 01 00 00 00 00 f8 ff"),
        ((4, "hü"), {}, "04 03 00 00 00 68 c3 bc"),
        ((4, b"\xff"), {}, "04 01 00 00 00 ff"),
        ((5, 3), {}, "05 03 00 00 00 00 00 00 00"),
        ((6, "_G"), {}, "06 02 00 00 00 5f 47"),
        ((7, 3), {}, "07 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"),
        ((7, 3), {3: 4}, "07 03 00 00 00 00 00 00 00 04 00 00 00 00 00 00 00"),
    ]
    for value, metatables, expected in cases:
        kind, native = value
        assert value_bytes(kind, native, metatables) == bytes.fromhex(expected)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=20))
def test_rows(pairs: list[tuple[Value, Value]]) -> None:
    rows: list[Pair] = [(*key, *value) for key, value in pairs]
    decoder = Decoder(rows_bytes(rows, {}))
    found = [(*read_value(decoder), *read_value(decoder)) for _ in range(decoder.u32())]
    assert same(found, rows)
    assert decoder.position == len(decoder.data)


def test_nested_tables() -> None:
    nested = {5: Nested(6, [(2, 1, 2, 2)], complete=True), 7: Nested(0, [], complete=False)}
    assert nested_bytes(nested, {5: 6}) == bytes.fromhex(
        "02 00 00 00"
        "05 00 00 00 00 00 00 00  06 00 00 00 00 00 00 00  01  01 00 00 00"
        "   02 01 00 00 00 00 00 00 00  02 02 00 00 00 00 00 00 00"
        "07 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  00  00 00 00 00"
    )


def test_a_nan_keeps_its_bits() -> None:
    assert read_value(Decoder(value_bytes(3, NAN_BITS, {}))) == (3, NAN_BITS)
    kind, zero = read_value(Decoder(value_bytes(3, -0.0, {})))
    assert isinstance(zero, float)
    assert (kind, zero, math.copysign(1, zero)) == (3, 0.0, -1)


def test_ids() -> None:
    assert read_ids(Decoder(struct.pack("<I", 2) + ids_bytes([1, -1]))) == (1, -1)
    with pytest.raises(WireError):
        read_ids(Decoder(struct.pack("<I", 3) + ids_bytes([1, 2])))


@pytest.mark.parametrize("tag", [8, 9, 10, 11, 255])
def test_values_that_are_nothing_for_the_store(tag: int) -> None:
    with pytest.raises(WireError):
        read_value(Decoder(bytes((tag, 0, 0, 0, 0, 0, 0, 0, 0, 0))))
