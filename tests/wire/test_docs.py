"""docs/wire-format.md says what the core says."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import Path

import pytest

from lua_ls_persist import protocol
from lua_ls_persist.protocol import (
    Clock,
    Info,
    Operation,
    Outcome,
    RecordOp,
    StoreOperation,
    Stream,
    Tag,
)
from lua_ls_persist.vm import Machine
from tests.wire.test_module import FUNCTIONS, IMPORTS

PAGE = (Path(__file__).parents[2] / "docs" / "wire-format.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match is not None, title
    return match[1]


def numbered_rows(text: str) -> dict[str, int]:
    rows = re.findall(r"^\| (0x[0-9a-f]+|\d+) \| `(\w+)` \|", text, re.MULTILINE)
    return {name: int(number, 0) for number, name in rows}


@pytest.mark.parametrize(
    ("title", "numbers"),
    [
        ("`host.call`", Operation),
        ("`host.clock`", Clock),
        ("Responses", Outcome),
        ("Values", Tag),
        ("The store", StoreOperation),
        ("Batches", RecordOp),
    ],
)
def test_numbers(title: str, numbers: type[IntEnum]) -> None:
    rows = numbered_rows(section(title))
    flags = {"omitted", "cycle", "unopened"} if numbers is Tag else set()
    assert {name: number for name, number in rows.items() if name not in flags} == {
        number.name.lower(): number.value for number in numbers
    }


def test_preview_flags() -> None:
    rows = numbered_rows(section("Values"))
    for name in ("omitted", "cycle", "unopened"):
        assert rows[name] == getattr(protocol, f"PREVIEW_FLAG_{name.upper()}")


def test_streams() -> None:
    found = re.findall(r"(\d) `(\w+)`", section("Output").partition("| `u32`")[0])
    assert {name: int(number) for number, name in found} == {
        stream.name.lower(): stream.value for stream in Stream
    }


def test_the_info_struct() -> None:
    places = {name.lower(): value for name, value in vars(Info).items() if name.isupper()}
    size = places.pop("size")
    text = section("Info")
    assert numbered_rows(text) == places
    assert f"the size of this struct: {size}" in text


def test_imports_and_exports() -> None:
    imports = re.findall(r"^\| `(host)\.(\w+)` \|", section("Imports"), re.MULTILINE)
    assert set(imports) == set(IMPORTS)
    exports = re.findall(r"^\| `(\w+)` \| `?([^|`]+)`? \|", section("Exports"), re.MULTILINE)
    signatures = {name: kind.strip() for name, kind in exports}
    assert set(signatures) == {*FUNCTIONS, "memory", "__stack_pointer"}
    for name, (parameters, results) in FUNCTIONS.items():
        assert signatures[name] == f"({', '.join(parameters)}) -> {results[0]}"


def test_limits() -> None:
    assert f"Layout version: {protocol.LAYOUT_VERSION}." in PAGE
    assert f"its size: {protocol.IO_BUFFER_BYTES}" in section("Info")
    assert f"nested deeper than {protocol.DECODE_DEPTH_MAX}" in section("Values")
    assert f"buffer of {protocol.OUTPUT_BUFFER_BYTES} bytes" in section("Output")
    assert f"buffer of {protocol.TRACE_BUFFER_BYTES} bytes" in section("Notes")
    assert (protocol.EVALUATE_FLAG_EXPRESSION, protocol.EVALUATE_FLAG_LIVE) == (1, 2)
    assert (protocol.EVALUATE_FLAG_STALE, protocol.EVALUATE_FLAG_KEEP) == (4, 8)
    assert f"at most {protocol.STORE_REPLY_BYTES} bytes" in section("`host.call`")
    assert f"longer than {protocol.STORE_REPLY_BYTES} bytes" in section("The store")
    assert f"A record has {protocol.RECORD_BYTES} bytes" in section("Batches")
    assert (protocol.FRAME_FLAG_TAIL_CALL, protocol.FRAME_FLAG_GAP) == (1, 2)


def example(name: str) -> bytes:
    match = re.search(rf"```hex {name}\n(.*?)```", PAGE, re.DOTALL)
    assert match is not None
    return b"".join(
        bytes.fromhex(re.split(r" {3,}", line)[0]) for line in match[1].strip().splitlines()
    )


def test_the_example(machine: Machine) -> None:
    request, response = example("request"), example("response")
    assert f"The request, {len(request)} bytes" in PAGE
    assert f"The response, {len(response)} bytes" in PAGE
    assert machine.call("core_evaluate", request) == response
