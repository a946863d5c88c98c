"""Tarantool as a peer: a process of its own that runs tarantool_peer.lua and is asked line by line.

It is Debian's package. Where it is not installed, it is left out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.native import PeerUnavailableError

SCRIPT = Path(__file__).with_name("tarantool_peer.lua")


class Tarantool:
    """A running one, with its data in an empty folder."""

    def __init__(self, folder: Path) -> None:
        """Start it.

        Raises:
            PeerUnavailableError: it is not installed, or does not start.
        """
        program = shutil.which("tarantool")
        if program is None:
            raise PeerUnavailableError("Tarantool is left out: it is not installed.")
        folder.mkdir()
        self._process = subprocess.Popen(
            [program, str(SCRIPT), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, operation: str, **arguments: Any) -> Any:
        """The answer to one request."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"op": operation, **arguments}) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.close()
            raise PeerUnavailableError("Tarantool is left out: it has ended by itself.")
        return json.loads(answer)

    def close(self) -> None:
        """End it."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
