"""The bytes of every tag, once and for all: both sides read and write exactly these.

A change of these bytes is another format: it needs a new layout version, and a new table here.
"""

from __future__ import annotations

import math

import pytest

from lua_ls_persist.model import Preview
from lua_ls_persist.protocol import LAYOUT_VERSION, Outcome, Tag
from lua_ls_persist.vm import Machine
from lua_ls_persist.wire import Decoder, Encodable, encode
from tests.wire.helpers import echo, evaluate, plain

FORMAT = 2

SCALARS: dict[str, Encodable] = {
    "00": None,
    "01 00": False,
    "01 01": True,
    "02 00 00 00 00 00 00 00 00": 0,
    "02 2a 00 00 00 00 00 00 00": 42,
    "02 ff ff ff ff ff ff ff ff": -1,
    "02 ff ff ff ff ff ff ff 7f": 2**63 - 1,
    "02 00 00 00 00 00 00 00 80": -(2**63),
    "03 00 00 00 00 00 00 00 00": 0.0,
    "03 00 00 00 00 00 00 00 80": -0.0,
    "03 00 00 00 00 00 00 f8 3f": 1.5,
    "03 00 00 00 00 00 00 f0 7f": math.inf,
    "03 00 00 00 00 00 00 f0 ff": -math.inf,
    "03 00 00 00 00 00 00 f8 7f": math.nan,
    "03 01 00 00 00 00 00 00 00": 5e-324,
    "04 00 00 00 00": "",
    "04 03 00 00 00 4c 75 61": "Lua",
    "04 02 00 00 00 c3 bc": "ü",
    "04 03 00 00 00 00 ff fe": b"\x00\xff\xfe",
}

TABLES: dict[str, Encodable] = {
    "0a 00 00 00 00": {},
    "0a 01 00 00 00  04 01 00 00 00 61  02 01 00 00 00 00 00 00 00": {"a": 1},
    "0a 02 00 00 00  02 01 00 00 00 00 00 00 00  01 01"
    "                02 02 00 00 00 00 00 00 00  00": [True, None],
    "0a 01 00 00 00  03 00 00 00 00 00 00 e0 3f  0a 00 00 00 00": {0.5: []},
    "0a 01 00 00 00  01 00  04 00 00 00 00": {False: ""},
}

# What the core writes of values that stay in the VM; AAAAAAAA is the value's address.
PREVIEWS: dict[str, tuple[str, Preview]] = {
    "{}": ("0b AAAAAAAA 00  00 00 00 00  00 00 00 00", Preview("table", "{}")),
    "{true}": (
        "0b AAAAAAAA 00  00 00 00 00  01 00 00 00  02 01 00 00 00 00 00 00 00  01 01",
        Preview("table", "{true}", ((1, True),)),
    ),
    "{x = 'long string'}": (
        (
            "0b AAAAAAAA 00  00 00 00 00  01 00 00 00  04 01 00 00 00 78"
            "   0f 0b 00 00 00 00 00 00 00  04 00 00 00 6c 6f 6e 67"
        ),
        Preview(
            "table",
            '{x = "long"... (11 bytes)}',
            (("x", Preview("string", '"long"... (11 bytes)', length_bytes=11)),),
        ),
    ),
    "{1, 2, 3}": (  # two entries are shown: flag 1, omitted
        (
            "0b AAAAAAAA 01  00 00 00 00  02 00 00 00"
            "   02 01 00 00 00 00 00 00 00  02 01 00 00 00 00 00 00 00"
            "   02 02 00 00 00 00 00 00 00  02 02 00 00 00 00 00 00 00"
        ),
        Preview("table", "{1, 2, ...}", ((1, 1), (2, 2)), omitted=True),
    ),
    "setmetatable({}, {__name = 'Point'})": (
        "0b AAAAAAAA 00  05 00 00 00 50 6f 69 6e 74  00 00 00 00",
        Preview("table", "{}", detail="Point"),
    ),
    "print": ("0c AAAAAAAA  00 00 00 00", Preview("function", "<built-in function>")),
    "function() end": (
        "0c AAAAAAAA  0a 00 00 00 74 65 73 74 2e 6c 75 61 3a 31",
        Preview("function", "<function test.lua:1>", detail="test.lua:1"),
    ),
    "io.stdout": (
        "0d AAAAAAAA  05 00 00 00 46 49 4c 45 2a",
        Preview("userdata", "<userdata FILE*>", detail="FILE*"),
    ),
    "coroutine.create(print)": (
        "0e AAAAAAAA  06 00 00 00 74 68 72 65 61 64",
        Preview("thread", "<thread>", detail="thread"),
    ),
}

# Those that take two tables: BBBBBBBB is the inner one's address.
NESTED: dict[str, str] = {
    # Flag 2: the table stands further up.
    "(function() local t = {} t.t = t return t end)()": (
        "0b AAAAAAAA 00  00 00 00 00  01 00 00 00  04 01 00 00 00 74"
        "   0b AAAAAAAA 02  00 00 00 00  00 00 00 00"
    ),
    # Flag 4: not looked into; an empty one has nothing to look into.
    "{t = {{}}}": (
        "0b AAAAAAAA 00  00 00 00 00  01 00 00 00  04 01 00 00 00 74"
        "   0b BBBBBBBB 04  00 00 00 00  00 00 00 00"
    ),
    "{t = {}}": (
        "0b AAAAAAAA 00  00 00 00 00  01 00 00 00  04 01 00 00 00 74"
        "   0b BBBBBBBB 00  00 00 00 00  00 00 00 00"
    ),
}


def test_these_are_the_bytes_of_the_present_format() -> None:
    assert LAYOUT_VERSION == FORMAT


@pytest.mark.parametrize(("golden", "value"), [*SCALARS.items(), *TABLES.items()])
def test_python_writes_these_bytes(golden: str, value: Encodable) -> None:
    assert encode(value) == bytes.fromhex(golden)


@pytest.mark.parametrize(("golden", "value"), SCALARS.items())
def test_python_reads_scalars(golden: str, value: Encodable) -> None:
    decoder = Decoder(bytes.fromhex(golden))
    assert plain(decoder.value()) == plain(value)
    assert decoder.position == len(decoder.data)


@pytest.mark.parametrize(("golden", "value"), SCALARS.items())
def test_the_core_reads_and_writes_scalars(machine: Machine, golden: str, value: object) -> None:
    response = machine.call("core_echo", bytes.fromhex(golden))
    assert response == b"\x00\x01\x00\x00\x00" + bytes.fromhex(golden)


@pytest.mark.parametrize(("golden", "value"), TABLES.items())
def test_the_core_reads_tables(machine: Machine, golden: str, value: Encodable) -> None:
    outcome, rest = echo(machine, bytes.fromhex(golden))
    assert outcome == Outcome.OK
    assert rest.u32() == 1
    assert plain(rest.value()) == plain(value)


def with_addresses(golden: str, **addresses: int) -> bytes:
    for letter, address in addresses.items():
        golden = golden.replace(letter * 8, address.to_bytes(4, "little").hex())
    return bytes.fromhex(golden)


@pytest.mark.parametrize(("source", "golden", "preview"), [(k, *v) for k, v in PREVIEWS.items()])
def test_previews(machine: Machine, source: str, golden: str, preview: Preview) -> None:
    response = evaluate(machine, f"({source})", entries=2, string_bytes=4)
    assert response[:5] == b"\x00\x01\x00\x00\x00"
    found = Decoder(response, 5).value()
    assert isinstance(found, Preview)
    assert found.address > 0
    assert response[5:] == with_addresses(golden, A=found.address)
    again = Decoder(with_addresses(golden, A=0)).value()
    assert again == preview


@pytest.mark.parametrize(("source", "golden"), NESTED.items())
def test_previews_of_tables_in_tables(machine: Machine, source: str, golden: str) -> None:
    response = evaluate(machine, source, depth=1)
    outer = Decoder(response, 5).value()
    assert isinstance(outer, Preview)
    inner = outer.entries[0][1]
    assert isinstance(inner, Preview)
    assert response[5:] == with_addresses(golden, A=outer.address, B=inner.address)


def test_every_tag_is_here() -> None:
    bytes_shown = " ".join([*SCALARS, *TABLES, *(golden for golden, _ in PREVIEWS.values())])
    first = {int(golden.split()[0], 16) for golden in [*SCALARS, *TABLES]}
    first |= {int(golden.split()[0], 16) for golden, _ in PREVIEWS.values()}
    assert "0f" in bytes_shown
    reserved = {
        Tag.FUNCTION, Tag.PERMANENT, Tag.EXTERNAL_TABLE, Tag.BATCH_OPERATION, Tag.COMPRESSED,
    }  # fmt: skip
    assert first | {Tag.STRING_PREVIEW} | reserved == set(Tag)
