"""The core as a partner for the wire format, and a plain form of values to compare."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any, TypeAlias

from lua_ls_persist.model import Preview
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session.request import PreviewLimits, evaluation_request
from lua_ls_persist.vm import Machine
from lua_ls_persist.wire import Decoder

Plain: TypeAlias = tuple[str, Any]


def echo(machine: Machine, encoded: bytes) -> tuple[Outcome, Decoder]:
    """What the core answers to an encoded value: the outcome, and the rest of the response."""
    decoder = Decoder(machine.call("core_echo", encoded))
    return Outcome(decoder.u8()), decoder


def refusal(machine: Machine, encoded: bytes) -> str:
    """Why the core refuses these bytes."""
    outcome, rest = echo(machine, encoded)
    assert outcome == Outcome.REQUEST
    message = rest.text().decode()
    assert rest.position == len(rest.data)
    return message


def evaluate(machine: Machine, source: str, **limits: int) -> bytes:
    """The raw response to an evaluation."""
    content = source.encode()
    request = evaluation_request(
        content,
        b"@test.lua",
        line=0,
        expression=True,
        arguments=(),
        limits=PreviewLimits(**limits),
    )
    return machine.call("core_evaluate", request, payload=content)


def plain(value: object) -> Plain:
    """A value reduced to what it is in Lua: NaN equals itself, 1 and 1.0 and -0.0 are different."""
    if value is None:
        return ("nil", None)
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int):
        return ("integer", value)
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else struct.pack("<d", value))
    if isinstance(value, str):
        return ("string", value.encode("utf-8", "surrogateescape"))
    if isinstance(value, bytes):
        return ("string", value)
    if isinstance(value, Preview):
        assert value.kind == "table"
        assert not value.omitted
        return _table(dict(value.entries))
    if isinstance(value, Mapping):
        return _table(value)
    assert isinstance(value, (list, tuple))
    return _table(dict(enumerate(value, 1)))


def _table(entries: Mapping[Any, Any]) -> Plain:
    table = {}
    for key, item in entries.items():
        if isinstance(key, float) and key.is_integer() and -(2.0**63) <= key < 2.0**63:
            key = int(key)  # as Lua does with keys
        if item is not None:
            table[plain(key)] = plain(item)
    return ("table", table)
