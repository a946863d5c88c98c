"""Processes that are cheap to start, because one that has imported everything is forked.

A test writes what a child shall do into a module of its own: `module:function` is called in the
child with a `Child`, by which it acknowledges what it has done. The test kills it when it likes.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import final

ROOT = Path(__file__).resolve().parents[2]
STARTED_S_MAX = 60.0
SAID_S_MAX = 900.0


class Child:
    """What a child knows: its task, and whom to tell."""

    def __init__(self, descriptor: int, task: dict[str, object]) -> None:
        self._descriptor = descriptor
        self.task = task

    def say(self, message: object) -> None:
        """Tell the test; when this returns it has been told, whatever happens to this process."""
        os.write(self._descriptor, json.dumps(message).encode() + b"\n")


class Process:
    """A child, as its test sees it."""

    def __init__(self, pid: int, descriptor: int, ended: Callable[[int], None]) -> None:
        self._pid = pid
        self._on_end = ended
        self._descriptor = descriptor
        self._received = b""
        self._ended = False

    def kill(self) -> None:
        """End it at this moment, wherever it is. Before `hear_all`, which gives its number back."""
        os.kill(self._pid, signal.SIGKILL)

    def wait_until(self, moment: float) -> None:
        """Wait for a moment of `time.monotonic`, or for its end; what it says is kept."""
        while not self._ended and (left := moment - time.monotonic()) > 0:
            self._receive(left)

    def hear(self) -> object:
        """The next message; None when it has ended."""
        while b"\n" not in self._received:
            if self._ended:
                return None
            assert self._receive(SAID_S_MAX), "the process says nothing"
        line, self._received = self._received.split(b"\n", 1)
        return json.loads(line)

    def hear_all(self) -> list[object]:
        """Everything that it says until its end."""
        messages = []
        while (message := self.hear()) is not None:
            messages.append(message)
        os.close(self._descriptor)
        self._on_end(self._pid)
        return messages

    def _receive(self, timeout_s: float) -> bool:
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return False
        received = os.read(self._descriptor, 65536)
        self._received += received
        self._ended = not received
        return True


@final
class Zygote:
    """The process that is forked. It starts no thread."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.persistence.zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
        )
        theirs.close()
        self._socket.settimeout(STARTED_S_MAX)
        self._ended: list[int] = []

    def start(self, function: str, **task: object) -> Process:
        """Fork a child that runs `module:function`."""
        reading, writing = os.pipe()
        message = json.dumps([function, task, self._ended]).encode()
        self._ended.clear()
        socket.send_fds(self._socket, [message], [writing])
        os.close(writing)
        return Process(int(self._socket.recv(100)), reading, self._ended.append)

    def __enter__(self) -> Zygote:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._process.wait(STARTED_S_MAX)


def main() -> None:
    """Fork when told to, until the test is gone."""
    from lua_ls_persist.session import Session  # noqa: F401  (so that children have it)
    from lua_ls_persist.vm import load_core

    load_core()
    connection = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 65536, 1)
        if not message:
            return
        name, task, ended = json.loads(message)
        for pid in ended:  # not before: until then nobody else has the number
            os.waitpid(pid, 0)
        module, function = name.split(":")
        run: Callable[[Child], None] = getattr(importlib.import_module(module), function)
        pid = os.fork()
        if pid == 0:
            connection.close()
            _live(run, Child(descriptors[0], task))
        os.close(descriptors[0])
        connection.send(str(pid).encode())


def _live(run: Callable[[Child], None], child: Child) -> None:
    try:
        run(child)
    except BaseException:
        child.say({"failed": traceback.format_exc()})
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
