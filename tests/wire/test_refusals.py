"""Bytes that are not values: cut, of unknown tags, random. Both sides refuse them, and live on."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from lua_ls_persist.errors import WireError
from lua_ls_persist.protocol import DECODE_DEPTH_MAX, Outcome, Tag
from lua_ls_persist.session.output import OutputCollector
from lua_ls_persist.session.problems import read_problem
from lua_ls_persist.session.request import PreviewLimits, evaluation_request
from lua_ls_persist.vm import Machine, NoHost
from lua_ls_persist.wire import Decoder, Encodable, encode
from tests.wire.helpers import echo, evaluate, plain, refusal
from tests.wire.test_golden import PREVIEWS, SCALARS, TABLES, with_addresses

SEED = 20_240_607
"""Replay with the same number; the tests print nothing else that is random."""

RICH: Encodable = {
    "list": [1, 2.5, "three", True, None, {}],
    "deep": {"a": {"b": {"c": [[], b"\xff\x00"]}}},
    1.5: "half",
    False: -(2**63),
}
VALUES = [bytes.fromhex(golden) for golden in [*SCALARS, *TABLES]] + [encode(RICH)]
PREVIEW_BYTES = [with_addresses(golden, A=64) for golden, _ in PREVIEWS.values()]

ECHO_HEAD = b"\x00\x01\x00\x00\x00"


def name_of(source: bytes) -> str:
    return source.decode("utf-8", "replace")


def is_alive(machine: Machine) -> bool:
    return evaluate(machine, "6 * 7") == ECHO_HEAD + encode(42)


@pytest.mark.parametrize("encoded", VALUES, ids=bytes.hex)
def test_the_core_refuses_every_truncation(machine: Machine, encoded: bytes) -> None:
    for length in range(len(encoded)):
        assert refusal(machine, encoded[:length]) == "the value is truncated"
    assert refusal(machine, encoded + b"\x00") == "bytes are left over after the value"


@pytest.mark.parametrize(
    "encoded", [*(bytes.fromhex(golden) for golden in SCALARS), *PREVIEW_BYTES], ids=bytes.hex
)
def test_python_refuses_every_truncation(encoded: bytes) -> None:
    Decoder(encoded).value()
    for length in range(len(encoded)):
        with pytest.raises(WireError, match="truncated"):
            Decoder(encoded[:length]).value()


def test_python_refuses_every_truncation_of_a_response(machine: Machine) -> None:
    response = evaluate(machine, "{1, {2, {print, io.stdout, coroutine.create(print)}}, s = 'x'}")
    for length in range(5, len(response)):
        with pytest.raises(WireError, match="truncated"):
            Decoder(response[:length], 5).value()


def test_python_refuses_every_truncation_of_a_problem(machine: Machine) -> None:
    response = evaluate(machine, "(function() local x = nil; error({code = 1}) end)()")
    assert response[0] == Outcome.RUNTIME
    read_problem(Decoder(response, 1), "runtime", name_of)
    for length in range(1, len(response)):
        with pytest.raises(WireError, match="truncated"):
            read_problem(Decoder(response[:length], 1), "runtime", name_of)


class EmptyStore(NoHost):
    """A store that has nothing, whatever it is asked."""

    def store(self, _operation: int, _request: bytes, /) -> bytes:
        return bytes(64)


class Recorder(NoHost):
    """A host that keeps the output records."""

    def __init__(self) -> None:
        self.records = b""

    def output(self, records: bytes, /) -> bool:
        self.records += records
        return True


def test_python_refuses_every_truncation_of_output(machine: Machine) -> None:
    source = b"print('one')\nio.stderr:write('two')\nwarn('three')"
    request = evaluation_request(
        source, b"@t.lua", line=0, expression=False, arguments=(), limits=PreviewLimits()
    )
    recorder = Recorder()
    machine.call("core_evaluate", request, payload=source, host=recorder)

    def collect(records: bytes) -> list[str]:
        collector = OutputCollector(1000, name_of, None)
        collector.take(records)
        return [f"{piece.stream} {piece.line} {piece.text}" for piece in collector.finish()]

    assert collect(recorder.records) == ["stdout 1 one\n", "stderr 2 two", "warning 3 three\n"]
    whole_records = {0}
    decoder = Decoder(recorder.records)
    while decoder.position < len(recorder.records):
        decoder.u8(), decoder.u32(), decoder.text(), decoder.text()
        whole_records.add(decoder.position)
    for length in set(range(len(recorder.records))) - whole_records:
        with pytest.raises(WireError, match="truncated"):
            collect(recorder.records[:length])
    with pytest.raises(WireError, match="unknown stream 3"):
        collect(b"\x03" + recorder.records[1:])


SCALAR_TAGS = {Tag.NIL, Tag.BOOLEAN, Tag.INTEGER, Tag.FLOAT, Tag.STRING}


def test_the_core_refuses_unknown_tags(machine: Machine) -> None:
    for tag in set(range(256)) - SCALAR_TAGS - {Tag.TABLE}:
        for rest in (b"", bytes(16)):
            assert refusal(machine, bytes([tag]) + rest) == "the value has an unknown tag"


def test_python_refuses_unknown_tags() -> None:
    for tag in set(range(256)) - SCALAR_TAGS - set(range(Tag.TABLE_PREVIEW, 16)):
        for rest in (b"", bytes(16)):
            with pytest.raises(WireError, match=f"unknown tag 0x{tag:02x} at 0"):
                Decoder(bytes([tag]) + rest).value()


@pytest.mark.parametrize("flag", [2, 3, 255])
def test_a_boolean_is_0_or_1(machine: Machine, flag: int) -> None:
    encoded = bytes([Tag.BOOLEAN, flag])
    assert refusal(machine, encoded) == "a boolean is neither 0 nor 1"
    with pytest.raises(WireError, match=f"a boolean of {flag} at 1"):
        Decoder(encoded).value()


@pytest.mark.parametrize("key", [b"\x00", bytes.fromhex("03 00 00 00 00 00 00 f8 7f")])
def test_nil_and_nan_are_no_keys(machine: Machine, key: bytes) -> None:
    encoded = b"\x0a\x01\x00\x00\x00" + key + b"\x01\x01"
    assert refusal(machine, encoded) == "a table key is nil or NaN"


@pytest.mark.parametrize("count", [2, 2**16, 2**31, 2**32 - 1])
def test_counts_that_cannot_be_true_reserve_nothing(machine: Machine, count: int) -> None:
    before = machine.number("core_lua_bytes")
    head = count.to_bytes(4, "little")
    assert refusal(machine, b"\x0a" + head + b"\x01\x01\x01") == "the value is truncated"
    assert refusal(machine, b"\x04" + head + b"x") == "the value is truncated"
    assert machine.number("core_lua_bytes") - before < 2000
    with pytest.raises(WireError, match="truncated"):
        Decoder(b"\x0b" + bytes(9) + head + b"\x01\x01\x01").value()


def test_previews_nested_too_deeply() -> None:
    one = bytes.fromhex("0b 00000000 00 00000000 01000000  01 01")
    Decoder(one * DECODE_DEPTH_MAX + b"\x00").value()
    with pytest.raises(WireError, match="nested too deeply"):
        Decoder(one * (DECODE_DEPTH_MAX + 2) + b"\x00").value()


def random_bytes(source: random.Random) -> bytes:
    """Mostly short; small numbers are more likely, so that tags and lengths often make sense."""
    length = source.choice([source.randrange(12), source.randrange(200)])
    return bytes(
        source.choice([source.randrange(16), source.randrange(256), 0]) for _ in range(length)
    )


def mutated(source: random.Random, encoded: bytes) -> bytes:
    content = bytearray(encoded)
    for _ in range(source.randint(1, 4)):
        place = source.randrange(len(content) + 1)
        change = source.randrange(4)
        if change == 0:
            content.insert(place, source.randrange(256))
        elif change == 1:
            del content[place : place + source.randint(1, 5)]
        elif change == 2:
            content[place : place + 1] = bytes([source.choice([source.randrange(16), 255])])
        else:
            content[place:place] = content[: source.randrange(20)]
    return bytes(content)


def accepted(machine: Machine, encoded: bytes) -> bool:
    """Whether the core takes the bytes. If so, both sides agree about what they say."""
    outcome, rest = echo(machine, encoded)
    assert outcome in (Outcome.OK, Outcome.REQUEST)
    if outcome == Outcome.REQUEST:
        assert rest.text() != b""
        return False
    assert rest.u32() == 1
    value = rest.value()
    if encoded[0] <= Tag.STRING:
        assert plain(Decoder(encoded).value()) == plain(value)
    return True


def survives(read: Callable[[bytes], object], content: bytes) -> bool:
    try:
        read(content)
    except WireError:
        return False
    return True


def read_value(content: bytes) -> object:
    return Decoder(content).value()


def read_runtime_problem(content: bytes) -> object:
    return read_problem(Decoder(content), "runtime", name_of)


def read_output(content: bytes) -> object:
    return OutputCollector(100, name_of, None).take(content)


def test_10_000_random_byte_strings(machine: Machine) -> None:
    source = random.Random(SEED)
    taken = read = 0
    for _ in range(10_000):
        content = random_bytes(source)
        taken += accepted(machine, content)
        read += survives(read_value, content)
    assert is_alive(machine)
    assert 0 < taken < 10_000
    assert 0 < read < 10_000


def test_10_000_mutations(machine: Machine) -> None:
    source = random.Random(SEED + 1)
    taken = read = 0
    for _ in range(10_000):
        taken += accepted(machine, mutated(source, source.choice(VALUES)))
        content = mutated(source, source.choice(PREVIEW_BYTES))
        read += survives(read_value, content)
    assert is_alive(machine)
    assert 0 < taken < 10_000
    assert 0 < read < 10_000


def test_mutations_of_problems_and_output(machine: Machine) -> None:
    """A problem or a record that the core could never have written is a WireError, nothing else."""
    source = random.Random(SEED + 2)
    problem = evaluate(machine, "(function() error('x') end)()")[1:]
    record = b"\x00\x01\x00\x00\x00\x06\x00\x00\x00@t.lua\x03\x00\x00\x00abc"
    for _ in range(3000):
        survives(read_runtime_problem, mutated(source, problem))
        survives(read_output, mutated(source, record * 2))


REQUEST = evaluation_request(
    b"return ...", b"@t.lua", line=3, expression=True, arguments=[RICH], limits=PreviewLimits()
)


@pytest.mark.parametrize("function", ["core_evaluate", "core_compile"])
def test_truncated_requests(machine: Machine, function: str) -> None:
    for length in range(len(REQUEST) - len(b"return ...")):
        response = Decoder(machine.call(function, REQUEST[:length]))
        assert response.u8() == Outcome.REQUEST, length
        assert response.text() == b"the request is malformed"
    assert is_alive(machine)


@pytest.mark.parametrize("function", ["core_evaluate", "core_compile", "core_fields"])
def test_random_requests(machine: Machine, function: str) -> None:
    """Whatever is asked, there is an answer, and nothing traps."""
    source = random.Random(SEED + 3)
    for _ in range(2000):
        content = mutated(source, REQUEST) if source.random() < 0.5 else random_bytes(source)
        # So few lines before the source that they are skipped in no time.
        content = content[:6] + bytes(len(content[6:8])) + content[8:]
        payload = source.randbytes(20)
        response = machine.call(
            function, content, payload=payload, host=EmptyStore(), time_limit_s=5
        )
        assert Outcome(response[0]) in Outcome
    assert is_alive(machine)


def test_malformed_arguments_are_refused(machine: Machine) -> None:
    arguments = REQUEST.index(encode(RICH))
    broken = REQUEST[:arguments] + b"\x63" + REQUEST[arguments + 1 :]
    response = Decoder(machine.call("core_evaluate", broken))
    assert response.u8() == Outcome.REQUEST
    assert response.text() == b"the value has an unknown tag"
