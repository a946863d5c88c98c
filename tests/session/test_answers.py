"""What the VM asks the store, and the replies, without a VM."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest

from lua_ls_persist.errors import StoreError, WireError
from lua_ls_persist.protocol import MEMORY_TABLE_ID, StoreOperation
from lua_ls_persist.session.answers import Answers
from lua_ls_persist.session.records import (
    read_value,
    text_bytes,
    value_bytes,
)
from lua_ls_persist.session.sources import SourceTexts
from lua_ls_persist.store import Store
from lua_ls_persist.wire import Decoder
from tests.session.wire_batches import CELL, METATABLE, NEW_TABLE, SEED, SET, Batch


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
