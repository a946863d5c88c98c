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

from lua_ls_persist.errors import StoreError, WireError
from lua_ls_persist.protocol import MEMORY_TABLE_ID, StoreOperation, Tag
from lua_ls_persist.session.answers import Answers
from lua_ls_persist.session.records import (
    Changes,
    ids_bytes,
    nested_bytes,
    read_batch,
    read_ids,
    read_value,
    rows_bytes,
    text_bytes,
    value_bytes,
)
from lua_ls_persist.session.sources import SourceTexts
from lua_ls_persist.store import Native, Nested, Pair, Store, Value, as_native
from lua_ls_persist.wire import Decoder

SEED = 20_26
RECORD = struct.Struct("<qqqBBB5x")
SET, DELETE, NEW_TABLE, METATABLE, CELL, CLEAR = range(1, 7)
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


class Batch:
    """Builds batches as the core does."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.strings: list[bytes] = []

    def add(self, op: int, identity: int, key: Value = (0, None), value: Value = (0, None)) -> None:
        self.records.append(
            RECORD.pack(identity, self._number(key), self._number(value), op, key[0], value[0])
        )

    def _number(self, value: Value) -> int:
        native = value[1]
        if native is None:
            return 0
        if isinstance(native, float):
            number: int = struct.unpack("<q", struct.pack("<d", native))[0]
            return number
        if isinstance(native, int):
            return native
        self.strings.append(native.encode() if isinstance(native, str) else native)
        return len(self.strings) - 1

    def bytes(self) -> bytes:
        head = struct.pack("<II", len(self.records), len(self.strings))
        strings = b"".join(struct.pack("<I", len(text)) + text for text in self.strings)
        return head + b"".join(self.records) + strings


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


# Questions and replies, without a VM


class Asking:
    """A store that is asked as the core asks it."""

    def __init__(self) -> None:
        self.store = Store.open(None)
        self.sources = SourceTexts()
        self.answers = Answers(self.store, self.sources)
        self.store.begin()

    def __call__(self, operation: StoreOperation, request: bytes = b"") -> Decoder:
        return Decoder(self.answers.answer(operation, request))


@pytest.fixture
def ask() -> Asking:
    return Asking()


def id_of(number: int) -> bytes:
    return struct.pack("<q", number)


def filled(ask: Asking, count: int = 5) -> None:
    batch = Batch()
    for number in range(1, count + 1):
        batch.add(SET, MEMORY_TABLE_ID, (2, number), (4, f"value {number}"))
    ask(StoreOperation.APPLY, batch.bytes())


def test_reserved_ids_are_given_once(ask: Asking) -> None:
    first = ask(StoreOperation.RESERVE, struct.pack("<I", 10)).i64()
    assert ask(StoreOperation.RESERVE, struct.pack("<I", 1)).i64() >= first + 10
    with pytest.raises(WireError):
        ask(StoreOperation.RESERVE, struct.pack("<I", 0))


def test_pages_follow_each_other(ask: Asking) -> None:
    filled(ask, 5)
    request = id_of(MEMORY_TABLE_ID) + b"\0" + struct.pack("<I", 3)
    page = ask(StoreOperation.PAGE, request)
    assert (page.u8(), page.u32()) == (0, 3)
    keys = [(read_value(page)[1], read_value(page)[1]) for _ in range(3)]
    assert keys == [(1, "value 1"), (2, "value 2"), (3, "value 3")]
    assert page.u32() == 0
    after = id_of(MEMORY_TABLE_ID) + b"\1" + value_bytes(2, 3, {}) + struct.pack("<I", 3)
    page = ask(StoreOperation.PAGE, after)
    assert (page.u8(), page.u32()) == (1, 2)


def test_nested_tables_come_along_with_their_metatables(ask: Asking) -> None:
    batch = Batch()
    for table in (10, 11, 12, 13):
        batch.add(NEW_TABLE, table)
    batch.add(METATABLE, 10, value=(7, 11))
    batch.add(SET, MEMORY_TABLE_ID, (4, "t"), (7, 10))
    batch.add(SET, MEMORY_TABLE_ID, (7, 12), (2, 1))
    batch.add(METATABLE, 12, value=(7, 13))
    batch.add(SET, 10, (2, 1), (7, 12))
    ask(StoreOperation.APPLY, batch.bytes())
    page = ask(StoreOperation.PAGE, id_of(MEMORY_TABLE_ID) + b"\0" + struct.pack("<I", 10))
    assert (page.u8(), page.u32()) == (1, 2)
    assert read_value(page) == (4, "t")
    assert (page.u8(), page.i64(), page.i64()) == (7, 10, 11)
    assert (page.u8(), page.i64(), page.i64()) == (7, 12, 13)
    assert read_value(page) == (2, 1)
    assert page.u32() == 1
    assert (page.i64(), page.i64(), page.u8(), page.u32()) == (10, 11, 1, 1)
    assert read_value(page) == (2, 1)
    assert (page.u8(), page.i64(), page.i64()) == (7, 12, 13)
    found = ask(StoreOperation.GET, id_of(MEMORY_TABLE_ID) + value_bytes(4, "t", {}))
    assert (found.u8(), found.i64(), found.i64(), found.u32()) == (7, 10, 11, 1)


def test_single_entries(ask: Asking) -> None:
    filled(ask)
    there = ask(StoreOperation.GET, id_of(MEMORY_TABLE_ID) + value_bytes(2, 2, {}))
    assert (read_value(there), there.u32()) == ((4, "value 2"), 0)
    missing = ask(StoreOperation.GET, id_of(MEMORY_TABLE_ID) + value_bytes(2, 9, {}))
    assert (read_value(missing), missing.u32()) == ((0, None), 0)
    assert ask(StoreOperation.LENGTH, id_of(MEMORY_TABLE_ID)).i64() == 5
    assert ask(StoreOperation.LENGTH, id_of(77)).i64() == 0


def test_roots(ask: Asking) -> None:
    assert ask(StoreOperation.ROOT, text_bytes("users") + b"\0").i64() == 0
    made = ask(StoreOperation.ROOT, text_bytes("users") + b"\1").i64()
    assert made > 1
    assert ask(StoreOperation.ROOT, text_bytes("users") + b"\0").i64() == made
    info = ask(StoreOperation.TABLE_INFO, id_of(made))
    assert (info.u8(), info.i64(), info.i64(), info.text()) == (1, 0, 0, b"users")
    assert ask(StoreOperation.TABLE_INFO, id_of(99)).u8() == 0
    assert ask(StoreOperation.DROP, text_bytes("users")).u8() == 1
    assert ask(StoreOperation.DROP, text_bytes("users")).u8() == 0


def define_code(ask: Asking, serial: int, text: bytes = b"", code: bytes = b"code") -> int:
    request = b"".join(
        (
            struct.pack("<IIiiBB", serial, 1, 3, 5, 1, 1),
            text_bytes("@a.lua"),
            struct.pack("<I", 1) + text_bytes("x"),
            struct.pack("<I", 2) + text_bytes("n") + text_bytes("_ENV"),
            text_bytes(text),
            text_bytes(code),
        )
    )
    return ask(StoreOperation.DEFINE_CODE, request).i64()


def test_functions(ask: Asking) -> None:
    serial = ask.sources.number_of(b"the text", 2)
    code = define_code(ask, serial)
    assert define_code(ask, serial) == code, "stored once"
    row = ask.store.code(code)
    assert row is not None
    assert (row.text, row.chunk, row.ordinal) == ("\n\nthe text", "@a.lua", 1)
    assert (row.parameters, row.is_vararg, row.upvalues) == (("x",), True, ("n", "_ENV"))
    batch = Batch()
    batch.add(CELL, 21, value=(2, 7))
    batch.add(CELL, 22, value=(6, "_G"))
    ask(StoreOperation.APPLY, batch.bytes())
    defined = id_of(20) + id_of(code) + struct.pack("<I", 2) + id_of(21) + id_of(22)
    assert ask(StoreOperation.DEFINE_FUNCTION, defined).data == b""
    found = ask(StoreOperation.FUNCTION, id_of(20))
    assert (found.u8(), found.i64(), found.u32()) == (1, code, 2)
    assert (found.i64(), read_value(found)) == (21, (2, 7))
    assert (found.i64(), read_value(found)) == (22, (6, "_G"))
    bytecode = ask(StoreOperation.CODE, id_of(code))
    assert (bytecode.u8(), bytecode.text()) == (1, b"code")
    cells = ask(StoreOperation.CELLS, struct.pack("<I", 2) + id_of(21) + id_of(99))
    assert (cells.u8(), read_value(cells), cells.u8(), read_value(cells)) == (
        1, (2, 7), 0, (0, None),
    )  # fmt: skip
    assert ask(StoreOperation.VERIFY_CODE, text_bytes(b"code")).u8() == 1
    refused = ask(StoreOperation.VERIFY_CODE, text_bytes(b"cod"))
    assert refused.u8() == 0
    assert refused.text() != b""


def test_texts_that_nobody_has(ask: Asking) -> None:
    for serial, text, expected in ((99, b"", None), (0, b"own", "own"), (0, b"", None)):
        row = ask.store.code(define_code(ask, serial, text, code=b"%d" % serial + text))
        assert row is not None
        assert row.text == expected


def test_what_is_not_there(ask: Asking) -> None:
    for operation in (StoreOperation.FUNCTION, StoreOperation.CODE):
        reply = ask(operation, id_of(77))
        assert reply.u8() == 0
        assert b"77" in reply.text()


def test_transactions_inside(ask: Asking) -> None:
    filled(ask, 1)
    assert ask(StoreOperation.BEGIN).u32() == 1
    filled(ask, 2)
    assert ask(StoreOperation.BEGIN).u32() == 2
    filled(ask, 3)
    ask(StoreOperation.RELEASE)
    assert ask(StoreOperation.LENGTH, id_of(MEMORY_TABLE_ID)).i64() == 3
    ask(StoreOperation.ROLLBACK)
    assert ask(StoreOperation.LENGTH, id_of(MEMORY_TABLE_ID)).i64() == 1
    assert ask(StoreOperation.BEGIN).u32() == 1


def test_sizes_and_collection(ask: Asking) -> None:
    filled(ask, 3)
    batch = Batch()
    batch.add(NEW_TABLE, 50)
    batch.add(NEW_TABLE, 51)
    ask(StoreOperation.APPLY, batch.bytes())
    removed = ask(StoreOperation.COLLECT, struct.pack("<I", 1) + id_of(50))
    assert [removed.i64() for _ in range(4)] == [1, 0, 0, 0]


def test_questions_that_make_no_sense(ask: Asking) -> None:
    with pytest.raises(WireError, match="no such operation"):
        ask(99)  # type: ignore[arg-type]
    source = random.Random(SEED)
    for operation in StoreOperation:
        if operation in (StoreOperation.BEGIN, StoreOperation.RELEASE, StoreOperation.ROLLBACK):
            continue
        for _ in range(50):
            # Whatever is asked, it is answered or refused.
            with contextlib.suppress(WireError, StoreError):
                ask(operation, source.randbytes(source.randrange(40)))
            if ask.store.in_transaction:
                ask.store.rollback()
            ask.store.begin()
