"""A client that speaks JSON-RPC by hand, so that it can say what no proper client would."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SERVER = (sys.executable, "-c", "from lua_ls_persist.server import serve; serve()")
TIMEOUT_S = 60.0


class ServerGoneError(AssertionError):
    """The server has ended though nobody asked it to."""


class RawClient:
    """A server process and all it has said. Requests of the server are answered with `answer`."""

    def __init__(self, folder: Path, *, log: Path, command: Sequence[str] = SERVER) -> None:
        self.folder = folder
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"XDG_DATA_HOME": str(folder / ".data")},
        )
        self._next_id = 0
        self._inbox: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.answers: dict[int | str, list[dict[str, Any]]] = {}
        self.notifications: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"result": None}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # -- sending

    def send_bytes(self, content: bytes) -> None:
        """Writes bytes as they are."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(content)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ServerGoneError(f"status {self._process.wait()}") from error

    def send(self, message: Any) -> None:
        """Sends a message in a proper frame, whatever it is."""
        body = json.dumps(message).encode("utf-8", "surrogatepass")
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any) -> None:
        """Sends a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def begin(self, method: str, params: Any) -> int:
        """Sends a request without waiting; its id."""
        self._next_id += 1
        self.send({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params})
        return self._next_id

    # -- receiving

    def finish(self, request: int) -> dict[str, Any]:
        """The answer to a request, when it has come: with `result` or `error`."""
        while request not in self.answers:
            self._take()
        return self.answers[request][0]

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request that must succeed."""
        answer = self.finish(self.begin(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    def run(self, command: str, params: dict[str, Any]) -> Any:
        """The result of a command."""
        params = {"command": f"lua-persist.{command}", "arguments": [params]}
        return self.ask("workspace/executeCommand", params)

    def _take(self) -> None:
        try:
            message = self._inbox.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise AssertionError("the server does not answer any more") from None
        if message is None:
            raise ServerGoneError(f"status {self._process.wait()}")
        if "method" not in message:
            self.answers.setdefault(message["id"], []).append(message)
        elif "id" in message:
            answer = self.answer(message)
            self.send({"jsonrpc": "2.0", "id": message["id"], **answer})
        else:
            self.notifications.append(message)

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while True:
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                self._inbox.put(None)
                return
            self._inbox.put(json.loads(stream.read(length)))

    # -- life

    def initialize(self, *, options: Any = None, **capabilities: Any) -> dict[str, Any]:
        """The handshake."""
        uri = self.folder.as_uri()
        params = {
            "processId": os.getpid(),
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": "work"}],
            "capabilities": capabilities,
            "initializationOptions": options,
        }
        result: dict[str, Any] = self.ask("initialize", params)
        self.notify("initialized", {})
        return result

    @property
    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends the server without a word."""
        self._process.kill()
        self._end()

    def close(self) -> int:
        """Ends the server politely; its exit status."""
        self.ask("shutdown", None)
        self.notify("exit", None)
        status = self._process.wait(TIMEOUT_S)
        self._end()
        return status

    def _end(self) -> None:
        self._process.wait(TIMEOUT_S)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._reader.join(TIMEOUT_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
