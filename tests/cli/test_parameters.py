"""How sizes, durations and addresses are written on the command line."""

from __future__ import annotations

import math
from pathlib import Path

import click
import pytest

from lua_ls_persist.cli.parameters import SessionOptions, address, seconds, size_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("2097152", 2097152),
        ("2MiB", 2 * 1024**2),
        ("2 MiB", 2 * 1024**2),
        ("64M", 64 * 1024**2),
        ("64m", 64 * 1024**2),
        ("64MB", 64_000_000),
        ("512k", 512 * 1024),
        ("512KiB", 512 * 1024),
        ("1.5MiB", 1536 * 1024),
        ("1G", 1024**3),
        ("100b", 100),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert size_bytes(text) == expected


@pytest.mark.parametrize(
    "text", ["", "MiB", "-1", "2Mi", "2T", "1e6", "0x10", "2 M iB", "٣", "nan"]
)
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size"):
        size_bytes(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("10", 10.0), ("0.25", 0.25), ("1e3", 1000.0), ("None", math.inf)]
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "10s", "-0.0"])
def test_what_is_not_a_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a number of seconds"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8137", ("127.0.0.1", 8137)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        (":8137", ("127.0.0.1", 8137)),
        ("8137", ("127.0.0.1", 8137)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "text", ["", "host", "host:", "host:x", "h:65536", "::1:80", "h:-1", "h:٣"]
)
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not an address|is ambiguous"):
        address(text)


def test_what_was_not_given_is_left_to_the_session() -> None:
    assert SessionOptions().arguments() == {"keep_error_effects": False}
    options = SessionOptions(
        Path("x.db"),
        2**20,
        math.inf,
        5,
        keep_error_effects=True,
        history_limit_evaluations=3,
        history_limit_bytes=2**10,
    )
    assert options.arguments() == {
        "memory_limit_bytes": 2**20,
        "time_limit_s": None,
        "output_limit_bytes": 5,
        "keep_error_effects": True,
        "history_limit_evaluations": 3,
        "history_limit_bytes": 2**10,
    }
