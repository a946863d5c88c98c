"""Runs suites of `vscode-extension/test/host` inside a real VS Code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import node_tools
from tools.code_server import BROWSER_FLAGS, CodeServer
from tools.node_tools import EXTENSION

RUN_S_MAX = 480.0
POLL_S = 0.1
UNASKED = {
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.untrustedFiles": "open",
}
"""Nobody is there to answer questions about trust."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    title: str
    passed: bool
    error: str


def server_command() -> list[str]:
    """The server of these sources."""
    return [sys.executable, "-m", "lua_ls_persist", "serve"]


def run_suites(
    folder: Path,
    suites: str,
    *,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    trust: bool = False,
    folders: Sequence[str] = (),
) -> list[Outcome]:
    """Opens an editor on a fresh workspace below `folder`, and runs the suites of those names.

    With `folders`, the workspace has several, of these names.
    """
    workspace, results = folder / "workspace", folder / "results.json"
    workspace.mkdir(parents=True)
    if folders:
        for name in folders:
            (workspace / name).mkdir()
        workspace /= "several.code-workspace"
        listed = [{"path": name} for name in folders]
        workspace.write_text(json.dumps({"folders": listed}), encoding="utf-8")
    own = {"luaPersist.server.command": server_command(), **UNASKED, **(settings or {})}
    variables = {
        "LUA_PERSIST_TEST_RESULTS": str(results),
        "LUA_PERSIST_TEST_SUITE": suites,
        "PYTHONPATH": str(node_tools.ROOT),
        **(environment or {}),
    }
    profile = folder / "profile"
    with CodeServer(
        profile, settings=own, trust=trust, environment=variables, driver=True
    ) as server:
        url = server.url(
            workspace,
            extensionDevelopmentPath=server.remote(EXTENSION),
            extensionTestsPath=server.remote(EXTENSION / "dist/test/host.cjs"),
        )
        with browser(url, folder / "browser"):
            end = time.monotonic() + RUN_S_MAX
            while not results.exists():
                assert time.monotonic() < end, f"no results in time\n{server.log}"
                time.sleep(POLL_S)
        return [
            Outcome(data["title"], data["state"] == "passed", data.get("error", ""))
            for data in json.loads(results.read_text(encoding="utf-8"))
        ]


def failures(outcomes: list[Outcome]) -> str:
    """The failed tests, as a report."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    return "\n\n".join(f"{outcome.title}\n{outcome.error}" for outcome in failed)


@contextlib.contextmanager
def browser(url: str, folder: Path) -> Iterator[None]:
    """A browser without a screen that has the address open."""
    command = [node_tools.chromium(), *BROWSER_FLAGS, f"--user-data-dir={folder}", url]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
