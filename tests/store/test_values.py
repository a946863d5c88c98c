"""Every value comes back as it went in, bit for bit, as a value, as a key, and in a cell."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.protocol import Tag
from lua_ls_persist.store import Store, as_native
from lua_ls_persist.store.entries import LONG_STRING_LENGTH
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    NIL,
    PERMANENT,
    STRING,
    TABLE,
)
from lua_ls_persist.store.unpacking import LONG_STRING, PACKED_STRING
from tests.store.helpers import exact, nan_bits, new_store, open_again, rows_of, write

ALL_BYTES = bytes(range(256))

SIGNALLING_NAN = struct.unpack("<q", struct.pack("<Q", 0xFFF4_0000_0000_0001))[0]

SCALARS: list[tuple[int, Any]] = [
    (BOOLEAN, 0),
    (BOOLEAN, 1),
    (INTEGER, 0),
    (INTEGER, 1),
    (INTEGER, -(2**63)),
    (INTEGER, 2**63 - 1),
    (INTEGER, 2**53 + 1),
    (FLOAT, 0.5),
    (FLOAT, 1.5),
    (FLOAT, 5e-324),
    (FLOAT, -2.2250738585072011e-308),
    (FLOAT, 1.7976931348623157e308),
    (FLOAT, math.inf),
    (FLOAT, -math.inf),
    (FLOAT, 1e300),
    (STRING, ""),
    (STRING, "a"),
    (STRING, "ünï🎉"),
    (STRING, "1"),
    (STRING, "1.0"),
    (STRING, b"\x00"),
    (STRING, b"a\x00b"),
    (STRING, b"\xff\xfe"),
    (STRING, b"\xed\xa0\x80"),  # half a character
    (STRING, as_native(ALL_BYTES)),
    (STRING, "x" * LONG_STRING_LENGTH),
    (STRING, "x" * (LONG_STRING_LENGTH + 1)),
    (STRING, b"\xfe" * (LONG_STRING_LENGTH + 1)),
    (FUNCTION, 77),
    (PERMANENT, "string.format"),
    (TABLE, 1),
]
VALUES = [
    *SCALARS,
    (FLOAT, 0.0),
    (FLOAT, -0.0),
    (FLOAT, 1.0),
    (FLOAT, 2.0**63),
    (FLOAT, nan_bits(math.nan)),
    (FLOAT, nan_bits(-math.nan)),
    (FLOAT, SIGNALLING_NAN),
]


def test_values_come_back_exactly(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    write(
        store,
        *[(1, INTEGER, index, *value) for index, value in enumerate(VALUES, 1)],
        cells=[(1000 + index, *value) for index, value in enumerate(VALUES)],
    )
    for _ in range(2):
        found = [(kind, exact(value)) for _, _, kind, value in rows_of(store)]
        assert found == [(kind, exact(value)) for kind, value in VALUES]
        for index, (kind, value) in enumerate(VALUES):
            got = store.get(1, INTEGER, index + 1)
            assert got is not None
            assert (got[0], exact(got[1]), type(got[1])) == (kind, exact(value), type(value))
        cells = store.cells(range(1000, 1000 + len(VALUES)))
        assert [(kind, exact(value)) for kind, value in cells.values()] == found
        store = open_again(store)
    store.close()


def test_keys_come_back_exactly_and_in_order(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    keys = [*SCALARS, (STRING, "z" * 100_000)]
    write(store, *[(1, *key, INTEGER, index) for index, key in enumerate(keys)])
    for _ in range(2):
        rows = rows_of(store)
        assert {(row[0], exact(row[1])): row[3] for row in rows} == {
            (kind, exact(key)): index for index, (kind, key) in enumerate(keys)
        }
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        for kind in (BOOLEAN, INTEGER, FLOAT):
            numbers = [row[1] for row in rows if row[0] == kind]
            assert numbers == sorted(numbers)
        strings = [row[1] for row in rows if row[0] == STRING]
        assert strings == [
            *sorted((s for s in strings if isinstance(s, str)), key=str.encode),
            *sorted(s for s in strings if isinstance(s, bytes)),
        ]
        for index, (kind, key) in enumerate(keys):
            assert store.get(1, kind, key) == (INTEGER, index)
        store = open_again(store)
    store.close()


def test_the_number_1_the_string_1_and_true_are_three_keys() -> None:
    with Store.open(None) as store:
        write(
            store,
            (1, INTEGER, 1, STRING, "integer"),
            (1, STRING, "1", STRING, "string"),
            (1, STRING, b"\xff1", STRING, "bytes"),
            (1, BOOLEAN, 1, STRING, "true"),
            (1, FLOAT, 1.5, STRING, "float"),
            (1, TABLE, 1, STRING, "table"),
            (1, FUNCTION, 1, STRING, "function"),
        )
        assert len(rows_of(store)) == 7
        assert store.get(1, INTEGER, 1) == (STRING, "integer")
        assert store.get(1, BOOLEAN, 1) == (STRING, "true")
        assert store.length(1) == 1


def test_ten_megabytes_as_value_and_as_key(tmp_path: Path) -> None:
    large = as_native(ALL_BYTES * 40_000)
    text = "ä" * 5_000_000
    store = new_store(tmp_path)
    write(store, (1, STRING, "value", STRING, large), (1, STRING, large, STRING, text))
    with open_again(store) as store:
        assert store.get(1, STRING, "value") == (STRING, large)
        assert store.get(1, STRING, large) == (STRING, text)
        page = store.page(1, None, 10, 1)
        assert [row[1] for row in page.rows] == ["value"]
        assert not page.complete
        write(store, (1, STRING, large, INTEGER, 1))
        with store.transaction():
            store.apply(deletes=[(1, STRING, "value")])
        assert store.page(1, None, 10, 1 << 30).rows == [(STRING, large, INTEGER, 1)]
        assert store._connection.execute("SELECT count(*) FROM long_strings").get == 0


def test_what_is_no_value_is_refused() -> None:
    with Store.open(None) as store:
        for wrong in (None, math.nan):
            store.begin()
            with pytest.raises(StoreError):
                store.apply([(1, INTEGER, 1, FLOAT, wrong)])
            store.rollback()
        store.begin()
        with pytest.raises(OverflowError):
            store.apply([(1, INTEGER, 1, INTEGER, 2**63)])
        store.rollback()
        assert rows_of(store) == []


def test_a_string_too_large_for_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import apsw

    with Store.open(None) as store:
        store._connection.limit(apsw.SQLITE_LIMIT_LENGTH, 10_000)
        store.begin()
        with pytest.raises(StoreError, match=r"at most 1,000,000,000 bytes\. Store it in parts"):
            store.apply([(1, INTEGER, 1, STRING, random.Random(1).randbytes(20_000))])
        store.rollback()


@pytest.mark.parametrize(
    ("content", "native"),
    [
        (b"", ""),
        (b"abc", "abc"),
        ("ü".encode(), "ü"),
        (b"a\0", b"a\0"),
        (b"\xff", b"\xff"),
        (b"\xed\xa0\x80", b"\xed\xa0\x80"),
        (b"\xc0\x80", b"\xc0\x80"),
    ],
)
def test_native_strings_are_text_where_sqlite_tools_show_all_of_it(
    content: bytes, native: str | bytes
) -> None:
    assert as_native(content) == native


def test_kinds_are_the_tags_of_the_wire_and_explained_in_the_file() -> None:
    with Store.open(None) as store:
        rows = store._connection.execute("SELECT kind, name FROM kinds ORDER BY kind").fetchall()
    assert {row[0]: row[1] for row in rows} == {
        Tag.NIL: "nil",
        Tag.BOOLEAN: "boolean",
        Tag.INTEGER: "integer",
        Tag.FLOAT: "float",
        Tag.STRING: "string",
        PACKED_STRING: "packed string",
        Tag.FUNCTION: "function",
        Tag.PERMANENT: "permanent",
        Tag.EXTERNAL_TABLE: "table",
        LONG_STRING: "long string",
    }
    assert LONG_STRING not in {int(tag) for tag in Tag}
    assert tuple(range(8)) == (NIL, BOOLEAN, INTEGER, FLOAT, STRING, FUNCTION, PERMANENT, TABLE)
