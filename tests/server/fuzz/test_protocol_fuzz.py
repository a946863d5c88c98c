"""Nothing that a client says ends the server or goes unanswered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.server.fuzz.messages import OF_CLIENTS, TEXTS, Messages, is_request
from tests.server.fuzz.raw_client import RawClient

SOURCES = (
    "local x = 1\nlocal t = {a = x, ['b c'] = {}}\nfunction t.f(a, ...) return a + x, ... end\n",
    "Memory.users = {{name = 'Ann', age = 41}, {name = '😀'}}\nreturn Memory.users[1].na\n",
    "print('é')\nfor i = 1, 3 do goto done end ::done::\nlocal m = require('m')\n",
    "ext.table('users').eve = {}\next.query('users', {where = {'age', '>', 1}})\n",
    "if x then\n  foo(\n",
)
INVALID_PARAMS, METHOD_NOT_FOUND, CANCELLED, REQUEST_FAILED = -32602, -32601, -32800, -32803
KNOWN_ERRORS = frozenset({INVALID_PARAMS, METHOD_NOT_FOUND, CANCELLED, REQUEST_FAILED})
NOT_FUZZED = frozenset({"textDocument/didOpen", "textDocument/didChange", "textDocument/didClose"})
"""What would change the documents under the test's feet; they are in the test of texts."""
CAPABILITIES: dict[str, Any] = {
    "workspace": {"applyEdit": True, "configuration": True, "workspaceFolders": True},
    "textDocument": {"inlayHint": {}, "publishDiagnostics": {"relatedInformation": True}},
    "window": {"workDoneProgress": True},
    "experimental": {"luaPersist": {"evaluation": True, "output": True, "changed": True}},
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[RawClient]:
    client = RawClient(tmp_path, log=tmp_path / "log.txt")
    yield client
    client.kill()


def start(client: RawClient, *encodings: str) -> list[str]:
    """Initializes, opens all sources, and says what they are called and what commands there are."""
    general = {"general": {"positionEncodings": list(encodings)}} if encodings else {}
    result = client.initialize(**CAPABILITIES, **general)
    for number, source in enumerate(SOURCES):
        open_document(client, f"{client.folder.as_uri()}/{number}.lua", source)
    commands: list[str] = result["capabilities"]["executeCommandProvider"]["commands"]
    return commands


def open_document(client: RawClient, uri: str, text: str) -> None:
    item = {"uri": uri, "languageId": "lua", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": item})


def is_well(client: RawClient) -> bool:
    uri = f"{client.folder.as_uri()}/well.lua"
    open_document(client, uri, "return 6 * 7")
    return bool(client.run("evaluateFile", {"uri": uri})["text"] == "42")


def answered_once(client: RawClient, begun: dict[int, Any]) -> None:
    """Every request was answered, once, by a result or by an error that is meant for clients."""
    for request, (method, params) in begun.items():
        answer = client.finish(request)
        assert len(client.answers[request]) == 1
        error = answer.get("error")
        assert error is None or error["code"] in KNOWN_ERRORS, (method, params, error)


@pytest.mark.parametrize("seed", range(4))
def test_requests_well_formed_and_broken(client: RawClient, seed: int) -> None:
    random = Random(seed)
    commands = start(client)
    uris = [f"{client.folder.as_uri()}/{number}.lua" for number in range(len(SOURCES))]
    messages = Messages(random, uris, commands)
    client.answer = lambda _: (
        {"result": None} if random.random() < 0.7 else {"error": {"code": -1, "message": "no"}}
    )
    begun: dict[int, Any] = {}
    for _ in range(300):
        method = random.choice(OF_CLIENTS)
        if method in NOT_FUZZED:
            continue
        params = messages.params(method)
        if random.random() < 0.4:
            params = messages.broken(params)
        if is_request(method):
            begun[client.begin(method, params)] = (method, params)
        else:
            client.notify(method, params)
        if begun and random.random() < 0.1:
            client.notify("$/cancelRequest", {"id": random.choice(list(begun))})
    answered_once(client, begun)
    client.answer = lambda _: {"result": None}
    assert is_well(client)
    assert client.close() == 0


BODIES = (
    b"null",
    b"[]",
    b'{"id": 1,',
    b"\xff\xfe\xfd",
    b"{}",
    b'{"jsonrpc":"2.0"}',
    b'{"jsonrpc":"2.0","id":null}',
    b'{"jsonrpc":"2.0","id":99,"result":{}}',
    b'{"jsonrpc":"2.0","id":"x","error":{"code":"y"}}',
    b'{"jsonrpc":"2.0","id":[],"method":{"a":"b"}}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"shutdown"}',
    b'{"jsonrpc":"2.0","method":"x/y"}',
    b"[" * 100_001,
    b"9" * 100_001,
)
FRAMES = (
    *(b"content-length:%d\r\n\r\n%s" % (len(body), body) for body in BODIES),
    b"Content-Length: 99999999999999999999\r\n\r\n",
    b"nonsense\r\n\r\n\r\n" + b"x" * 20_000 + b"\r\n\r\n",
)


def test_frames_that_make_no_sense(client: RawClient) -> None:
    start(client)
    for frame in FRAMES:
        client.send_bytes(frame)
        assert is_well(client), frame[:80]
    assert client.close() == 0


def test_an_evaluation_keeps_nobody_waiting(client: RawClient) -> None:
    commands = start(client)
    uri = f"{client.folder.as_uri()}/loop.lua"
    open_document(client, uri, "local x = 1\nwhile true do x = x + 1 end")
    loop = client.begin("workspace/executeCommand", _call("evaluateFile", uri))
    messages = Messages(Random(7), [uri, f"{client.folder.as_uri()}/0.lua"], commands)
    begun: dict[int, Any] = {}
    for method in OF_CLIENTS:
        if is_request(method) and method.startswith(("textDocument/", "codeLens/")):
            params = messages.params(method)
            begun[client.begin(method, params)] = (method, params)
    answered_once(client, begun)
    assert loop not in client.answers, "it runs on"
    client.run("interrupt", {})
    assert client.finish(loop)["result"]["problems"][0]["kind"] == "interrupt"


def test_killed_at_any_time_nothing_is_lost(tmp_path: Path) -> None:
    random = Random(3)
    seen = 0
    for round_ in range(8):
        client = RawClient(tmp_path, log=tmp_path / "log.txt")
        client.initialize(**CAPABILITIES)
        uri = f"{tmp_path.as_uri()}/count.lua"
        open_document(client, uri, "Memory.n = (Memory.n or 0) + 1\nreturn Memory.n")
        count = int(client.run("evaluateFile", {"uri": uri})["text"])
        assert count > seen, f"round {round_}"
        requests = [
            client.begin("workspace/executeCommand", _call("evaluateFile", uri))
            for _ in range(random.randint(1, 30))
        ]
        answer = client.finish(random.choice(requests))
        seen = max(
            int(one["result"]["text"])
            for request in requests
            for one in client.answers.get(request, [answer])
        )
        client.kill()


def _call(name: str, uri: str) -> dict[str, Any]:
    return {"command": f"lua-persist.{name}", "arguments": [{"uri": uri}]}


def test_every_text_is_one_that_json_carries() -> None:
    assert all(not re.search("[\ud800-\udfff]", text) for text in TEXTS)
