"""Whatever Python hands to Lua comes back as it was."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import WireError
from lua_ls_persist.model import Preview
from lua_ls_persist.protocol import DECODE_DEPTH_MAX, Outcome
from lua_ls_persist.vm import Machine
from lua_ls_persist.wire import Encodable, encode, text_or_bytes, text_to_bytes
from tests.wire.helpers import echo, plain, refusal

# The machine keeps nothing from one example to the next.
same_machine = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

integers = st.integers(-(2**63), 2**63 - 1)
scalars = st.none() | st.booleans() | integers | st.floats() | st.text(max_size=60) | st.binary()
keys = st.booleans() | integers | st.floats(allow_nan=False) | st.binary(max_size=30)
tables = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=25,
)


def round_trip(machine: Machine, value: Encodable) -> object:
    outcome, rest = echo(machine, encode(value))
    assert outcome == Outcome.OK
    assert rest.u32() == 1
    result = rest.value()
    assert rest.position == len(rest.data)
    return result


@same_machine
@given(value=scalars)
def test_scalars(machine: Machine, value: Encodable) -> None:
    assert plain(round_trip(machine, value)) == plain(value)


@same_machine
@given(value=tables)
def test_tables(machine: Machine, value: Encodable) -> None:
    assert plain(round_trip(machine, value)) == plain(value)


def test_every_byte(machine: Machine) -> None:
    for byte in range(256):
        content = bytes([byte])
        assert round_trip(machine, content) == text_or_bytes(content)
        assert round_trip(machine, b"a" + content + b"z") == text_or_bytes(b"a" + content + b"z")
    assert round_trip(machine, bytes(range(256))) == bytes(range(256))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65530, 65531])
def test_strings_up_to_the_buffer(machine: Machine, size: int) -> None:
    """The response is a few bytes longer than the request: the last ones come in two pieces."""
    assert round_trip(machine, "x" * size) == "x" * size


def test_a_response_larger_than_the_buffer(machine: Machine) -> None:
    names = {f"key{number:04}": number for number in range(3000)}
    encoded = encode(names)
    assert len(encoded) > 60_000
    assert plain(round_trip(machine, names)) == plain(names)
    # The same as a list of tables is far longer as previews than it was as a request.
    lists: list[Encodable] = [[] for _ in range(4600)]
    assert len(encode(lists)) < 65536
    result = round_trip(machine, lists)
    assert isinstance(result, Preview)
    assert len(result.entries) == 4600


def test_a_table_may_be_a_key(machine: Machine) -> None:
    result = round_trip(machine, {("a", "b"): 1})
    assert isinstance(result, Preview)
    ((key, value),) = result.entries
    assert plain(key) == plain(["a", "b"])
    assert value == 1


def test_sequences_and_byte_strings_of_all_kinds(machine: Machine) -> None:
    expected = plain([1, 2, 3])
    for sequence in ((1, 2, 3), [1, 2, 3], range(1, 4)):
        assert plain(round_trip(machine, sequence)) == expected
    for content in (b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"\xff\x00")):
        assert round_trip(machine, content) == b"\xff\x00"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("Käse", b"K\xc3\xa4se"),
        ("\udcff.lua", b"\xff.lua"),  # a byte, as Python's file names carry it
        ("\ud83d", b"\xed\xa0\xbd"),  # half a character
        ("\ud83d\udcff", b"\xed\xa0\xbd\xed\xb3\xbf"),
    ],
)
def test_text_becomes_bytes(text: str, content: bytes) -> None:
    assert text_to_bytes(text) == content
    assert encode(text) == encode(content)


def nested(depth: int) -> Encodable:
    value: Encodable = 1
    for _ in range(depth):
        value = [value]
    return value


def test_depth(machine: Machine) -> None:
    """Tables may be nested so deep on the way in; on the way out they are shown less deep."""
    assert isinstance(round_trip(machine, nested(DECODE_DEPTH_MAX)), Preview)
    with pytest.raises(WireError, match="nested deeper than 100 tables"):
        encode(nested(DECODE_DEPTH_MAX + 1))
    deeper = encode(nested(DECODE_DEPTH_MAX)).replace(encode(1)[:1] + bytes(8), b"")
    wrapped = encode([0]).removesuffix(encode(0)) + deeper
    assert refusal(machine, wrapped) == "tables are nested too deeply"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2**63, "does not fit into a Lua integer"),
        (-(2**63) - 1, "does not fit into a Lua integer"),
        ({None: 1}, "None cannot be the key"),
        ({math.nan: 1}, "nan cannot be the key"),
        ({1, 2}, "a Python set has no counterpart in Lua"),
        (1j, "a Python complex has no counterpart in Lua"),
        ([[object()]], "a Python object has no counterpart in Lua"),
    ],
)
def test_what_lua_has_no_value_for(value: object, message: str) -> None:
    with pytest.raises(WireError, match=message):
        encode(value)  # type: ignore[arg-type]


def test_a_list_that_contains_itself() -> None:
    endless: list[Encodable] = []
    endless.append(endless)
    with pytest.raises(WireError, match="nested deeper"):
        encode(endless)
