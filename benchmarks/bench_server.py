"""`python -m benchmarks.bench_server`: evaluating `1+1` through the language server.

Measured from the request of a client to its answer, against a command of a bare pygls server that
returns a constant: what is above it is ours. Both servers run at once and are asked in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.bars import LANGUAGE_SERVER, Judgement, format_judgements
from benchmarks.measure import Sample, Subject, format_table, format_time, measure

ROUNDS_DEFAULT = 20
REPEATS = 50

BARE = "a bare pygls command"
OURS = "lua-persist.evaluateFile of 1+1"
LARGE = "the same beside 5000 open lines"

OUR_SERVER = "from lua_ls_persist.server import serve; serve()"
BARE_SERVER = """
from pygls.lsp.server import LanguageServer
server = LanguageServer("bare", "1")
@server.command("bare")
async def bare(params: dict) -> dict:
    return {"ok": True}
server.start_io()
"""
BYTECODE = Path(__file__).parent / ".build" / "bytecode"
URI = "untitled:one"
LARGE_URI = "untitled:large"
LARGE_TEXT = "local t = { x = 1, y = 'two' }\nfunction f(a) return a.b.c end\n" * 2500


CAPABILITIES: dict[str, Any] = {
    "textDocument": {"inlayHint": {}},
    "workspace": {"inlayHint": {"refreshSupport": True}},
}


class Client:
    """The least that talks LSP over pipes; answers what the server asks with null."""

    def __init__(
        self,
        program: str,
        *,
        folder: Path | None = None,
        capabilities: dict[str, Any] = CAPABILITIES,
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
        )
        self._last_id = 0
        uri = None if folder is None else folder.as_uri()
        params: dict[str, Any] = {"processId": None, "rootUri": uri, "capabilities": capabilities}
        if folder is not None:
            params["workspaceFolders"] = [{"uri": uri, "name": folder.name}]
        self.request("initialize", params)
        self.notify("initialized", {})

    def __enter__(self) -> Client:  # noqa: PYI034 - Self is newer than Python 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.request("shutdown", None)
        self.notify("exit", None)
        self._process.wait()

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Any) -> Any:
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" not in message and message.get("id") == self._last_id:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                return message["result"]
            self._react(message)

    def until_diagnostics(
        self, uri: str, wanted: Callable[[list[Any]], bool], *, version: int
    ) -> None:
        """Waits until the diagnostics of a version of a document are as wanted."""
        while True:
            message = self._receive()
            self._react(message)
            if message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                is_of_it = params["uri"] == uri and params.get("version") == version
                if is_of_it and wanted(params["diagnostics"]):
                    return

    def _react(self, message: dict[str, Any]) -> None:
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": None})

    def command(self, name: str, params: Any) -> Any:
        return self.request("workspace/executeCommand", {"command": name, "arguments": [params]})

    def open(self, uri: str, text: str) -> None:
        item = {"uri": uri, "languageId": "lua", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        size = 0
        while (line := self._process.stdout.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        if not line:
            raise RuntimeError("the server has ended")
        return json.loads(self._process.stdout.read(size))


def _environment() -> dict[str, str]:
    """That of somebody who has installed the package: its modules are compiled to bytecode.

    A checkout's are not, where Python was told to write none; then each start compiles them anew.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(BYTECODE)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def samples(rounds: int) -> dict[str, Sample]:
    """The seconds of each request, in interleaved rounds."""
    with Client(BARE_SERVER) as bare, Client(OUR_SERVER) as ours:
        ours.open(URI, "1+1")
        assert ours.command("lua-persist.evaluateFile", {"uri": URI})["text"] == "2"
        large = _large(ours)
        subjects = [
            Subject(BARE, lambda: bare.command("bare", {"uri": URI}), REPEATS),
            Subject(OURS, lambda: ours.command("lua-persist.evaluateFile", {"uri": URI}), REPEATS),
            Subject(LARGE, large, REPEATS),
        ]
        return measure(subjects, rounds=rounds)


def _large(client: Client) -> Callable[[], object]:
    client.open(LARGE_URI, LARGE_TEXT + "local x = 1+1")
    end = {"line": LARGE_TEXT.count("\n"), "character": 0}
    part = {"start": {**end, "character": 10}, "end": {**end, "character": 13}}
    params = {"uri": LARGE_URI, "range": part}
    assert client.command("lua-persist.evaluateSelection", params)["text"] == "2"
    return lambda: client.command("lua-persist.evaluateSelection", params)


def judge(measured: dict[str, Sample]) -> Judgement:
    """What is above the bare command, by the medians: a queue waits for the slow ones too."""
    above_s = measured[OURS].median_s - measured[BARE].median_s
    ratio = measured[OURS].median_s / measured[BARE].median_s
    return Judgement(LANGUAGE_SERVER, above_s * 1000, note=f"{ratio:.2f} times the bare command")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS_DEFAULT, help="default: %(default)s")
    options = parser.parse_args(arguments)
    measured = samples(options.rounds)
    bare_s = measured[BARE].median_s
    rows = [
        [
            name,
            format_time(sample.best_s),
            format_time(sample.median_s),
            f"{sample.median_s / bare_s:.2f}",
            f"{(sample.median_s - bare_s) * 1000:+.2f} ms",
        ]
        for name, sample in measured.items()
    ]
    header = ["request and answer", "best", "median", "ratio", "difference"]
    print(format_table(header, rows), end="\n\n")
    judgement = judge(measured)
    print(format_judgements([judgement]))
    return 0 if judgement.met else 1


if __name__ == "__main__":
    sys.exit(main())
