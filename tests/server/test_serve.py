"""The server's process: its streams, its port, its exit status."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from lua_ls_persist.server.starting import COMMANDS
from tests.server.editor import SERVER

PRINTING = """
import os
from lua_ls_persist.server.transports import guarded_stdio
print("before")
with guarded_stdio() as (stdin, stdout):
    print("stray")
    os.write(1, b"stray from C\\n")
    stdout.write(b"real " + stdin.read())
print("after")
"""


def test_stray_prints_go_to_standard_error() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PRINTING], input=b"input\n", capture_output=True, check=True
    )
    assert run.stdout == b"before\nreal input\n"
    assert run.stderr.splitlines() == [b"stray", b"stray from C", b"after"]


def frame(method: str, id_: int | None = None, **params: Any) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params or None}
    if id_ is not None:
        message["id"] = id_
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def answer(stream: IO[bytes], id_: int) -> Any:
    """The answer to a request; notifications before it are passed over."""
    while True:
        size = 0
        while (line := stream.readline()).strip():
            name, _, value = line.partition(b":")
            size = int(value) if name == b"Content-Length" else size
        assert line, "the connection ended"
        message = json.loads(stream.read(size))
        if message.get("id") == id_ and "method" not in message:
            return message["result"]


INITIALIZE = frame("initialize", 1, processId=None, rootUri=None, capabilities={})


def test_exit_status() -> None:
    leave = INITIALIZE + frame("shutdown", 2) + frame("exit")
    assert subprocess.run(SERVER, input=leave, capture_output=True, check=False).returncode == 0
    rude = INITIALIZE + frame("exit")
    assert subprocess.run(SERVER, input=rude, capture_output=True, check=False).returncode == 1


def test_a_client_that_leaves_at_once_is_no_trouble() -> None:
    # It can be asked for its settings, does not say them, and is gone while they are waited for.
    asked = {"workspace": {"configuration": True}}
    start = frame("initialize", 1, processId=None, rootUri=None, capabilities=asked)
    gone = start + frame("initialized")
    ended = subprocess.run(SERVER, input=gone, capture_output=True, check=True, timeout=20)
    assert b'"workspace/configuration"' in ended.stdout
    assert b"Error" not in ended.stderr
    assert b"Exception" not in ended.stderr


def test_a_client_that_disappears_ends_the_server() -> None:
    uri = "untitled:loop"
    item = {"uri": uri, "languageId": "lua", "version": 1, "text": "while true do end"}
    run = {"command": "lua-persist.evaluateFile", "arguments": [{"uri": uri}]}
    gone = (
        INITIALIZE
        + frame("initialized")
        + frame("textDocument/didOpen", textDocument=item)
        + frame("workspace/executeCommand", 2, **run)
    )
    ended = subprocess.run(SERVER, input=gone, capture_output=True, check=False, timeout=20)
    assert ended.returncode == 0


def test_an_input_that_cannot_be_read_ends_the_server(tmp_path: Path) -> None:
    with (tmp_path / "written").open("wb") as only_written:
        ended = subprocess.run(
            SERVER, stdin=only_written, capture_output=True, check=False, timeout=20
        )
    assert ended.returncode == 0
    assert b"messages cannot be read" in ended.stderr


def test_tcp() -> None:
    program = "from lua_ls_persist.server import serve; serve(tcp=('127.0.0.1', 0))"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        line = server.stderr.readline().decode()
        assert line.startswith("Listening on 127.0.0.1:")
        address = ("127.0.0.1", int(line.rpartition(":")[2]))
        with socket.create_connection(address) as client, client.makefile("rb") as stream:
            with socket.create_connection(address) as second:
                client.sendall(INITIALIZE)
                assert answer(stream, 1)["serverInfo"]["name"] == "lua-ls-persist"
                second.settimeout(10)
                assert second.recv(1) == b"", "one client only"
            client.sendall(frame("shutdown", 2))
            assert answer(stream, 2) is None
            client.sendall(frame("exit"))
        assert server.wait(10) == 0


def test_what_no_first_answer_needs_is_not_loaded_at_the_start() -> None:
    program = """
import sys
from lua_ls_persist.server.starting import COMMANDS, create_server
create_server()
print(*COMMANDS.ids)
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    ids, loaded = (line.split() for line in run.stdout.decode().splitlines())
    assert "lua_ls_persist.server.features.lenses" in loaded
    late = ("apsw", "wasmtime", "lua_ls_persist.store", "lua_ls_persist.vm", "zstandard")
    assert [one for one in loaded if one.startswith(late)] == []
    areas = [one for one in loaded if one.startswith("lua_ls_persist.server.features.data.")]
    assert areas == ["lua_ls_persist.server.features.data.running"]
    parts = {"stored", "rows", "history"}
    assert parts.isdisjoint(one.removeprefix("lua_ls_persist.model.") for one in loaded)
    assert "lua_ls_persist.schema.checker" not in loaded
    assert ids == [command.id for command in COMMANDS], "and yet all commands are known"
