"""A real VS Code for tests and for trying by hand: code-server, with a profile of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tools import node_tools
from tools.node_tools import ToolError

if TYPE_CHECKING:
    from typing_extensions import Self

START_S_MAX = 60.0
POLL_S = 0.1

SETTINGS: dict[str, Any] = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
}
"""What keeps the editor quiet."""

BROWSER_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class CodeServer(contextlib.AbstractContextManager["CodeServer"]):
    """A running code-server; a context manager."""

    def __init__(
        self,
        profile: Path,
        *,
        settings: Mapping[str, Any] | None = None,
        trust: bool = True,
        environment: Mapping[str, str] | None = None,
        without: Collection[str] = (),
        driver: bool = False,
    ) -> None:
        """With `trust`, whether a folder is trusted is asked as usual; else every folder is.

        It runs in this process' environment, less what `without` names, and with `environment`.
        With `driver`, tests can run inside of the editor; notifications are not shown then.
        """
        self._entry = node_tools.code_server()
        self._node = str(node_tools.node_home() / "bin/node")
        self.profile = profile
        inherited = {name: value for name, value in os.environ.items() if name not in without}
        self._environment = {**inherited, **(environment or {})}
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._trust = trust
        self._driver = driver
        own = {**SETTINGS, "security.workspace.trust.enabled": trust, **(settings or {})}
        # Settings that choose programs count only among those of the machine.
        for name in ("User", "Machine"):
            folder = profile / "data" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "settings.json").write_text(json.dumps(own, indent=2), encoding="utf-8")

    def __enter__(self) -> Self:
        flags = [
            *("--auth", "none", "--bind-addr", f"127.0.0.1:{self.port}", "--disable-telemetry"),
            *("--disable-update-check", "--disable-getting-started-override", "--disable-proxy"),
            *([] if self._trust else ["--disable-workspace-trust"]),
            "-e",
            *(["--vscode-option", "enable-smoke-test-driver"] if self._driver else []),
        ]
        self._process = subprocess.Popen(
            self._command(*flags),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log(),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends it with everything that it has started. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
                break

    def wait(self) -> None:
        """Until it ends."""
        assert self._process is not None
        self._process.wait()

    def install(self, vsix: Path) -> None:
        """Installs an extension from its package."""
        node_tools.run(self._command("--install-extension", str(vsix)))

    def url(self, folder: Path, **payload: str) -> str:
        """The address at which a folder, or a file that names several, is open."""
        kind = "workspace" if folder.suffix == ".code-workspace" else "folder"
        query = {kind: str(folder)}
        if payload:
            query["payload"] = json.dumps([[name, value] for name, value in payload.items()])
        return f"http://127.0.0.1:{self.port}/?{urllib.parse.urlencode(query)}"

    def remote(self, path: Path) -> str:
        """A file of this machine as the browser's half of the editor names it."""
        return f"vscode-remote://127.0.0.1:{self.port}{path}"

    @property
    def log(self) -> str:
        """What it has printed."""
        return (self.profile / "code-server.log").read_text(encoding="utf-8", errors="replace")

    def _command(self, *arguments: str) -> list[str]:
        data, extensions = self.profile / "data", self.profile / "extensions"
        folders = ("--user-data-dir", str(data), "--extensions-dir", str(extensions))
        return [self._node, str(self._entry), "--config", os.devnull, *folders, *arguments]

    def _log(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.open(self.profile / "code-server.log", flags, 0o600)

    def _wait_until_healthy(self) -> None:
        assert self._process is not None
        end = time.monotonic() + START_S_MAX
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise ToolError(f"code-server ended:\n{self.log}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(POLL_S)
        raise ToolError(f"code-server does not answer:\n{self.log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
