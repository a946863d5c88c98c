"""`lua-ls-persist serve`: what it hands to the server, and that a real one answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import TIMEOUT_S, Cli, Start


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The calls of `serve`, which returns at once."""
    calls: list[dict[str, Any]] = []
    note: Callable[..., None] = lambda **arguments: calls.append(arguments)  # noqa: E731
    monkeypatch.setattr("lua_ls_persist.server.serve", note)
    return calls


@pytest.mark.parametrize(
    ("arguments", "tcp"),
    [
        ([], None),
        (["--stdio"], None),
        (["--tcp", "127.0.0.1:8137"], ("127.0.0.1", 8137)),
        (["--tcp", "[::1]:0"], ("::1", 0)),
    ],
)
def test_where_it_listens(
    cli: Cli, served: list[dict[str, Any]], arguments: list[str], tcp: tuple[str, int] | None
) -> None:
    result = cli("serve", *arguments)
    assert (result.status, result.out, result.err) == (0, "", "")
    assert served == [{"tcp": tcp}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tcp", "nowhere"], "'nowhere' is not an address"),
        (["--stdio", "--tcp", "8137"], "Give one of --stdio and --tcp."),
    ],
)
def test_what_it_refuses(
    cli: Cli, served: list[dict[str, Any]], arguments: list[str], message: str
) -> None:
    result = cli("serve", *arguments)
    assert (result.status, served) == (2, [])
    assert message in result.err


def test_an_address_that_is_taken_is_named(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("serve", "--tcp", f"127.0.0.1:{port}")
    assert (result.status, result.out) == (2, "")
    assert f"Cannot serve at 127.0.0.1:{port}: " in result.err
    assert "Name another address." in result.err


def test_a_real_server_answers_and_shuts_down(start: Start) -> None:
    messages: list[dict[str, Any]] = [
        {
            "id": 1,
            "method": "initialize",
            "params": {"processId": None, "rootUri": None, "capabilities": {}},
        },
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    process = start("serve")
    request = b""
    for message in messages:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        request += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    out, _ = process.communicate(request, timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert out.startswith(b"Content-Length: ")
    assert b'"capabilities"' in out
