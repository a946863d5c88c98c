"""Installs wasmoon, Lua compiled to WebAssembly by Emscripten, to be the peer that runs on node."""

from __future__ import annotations

import json
import shutil
import subprocess

from benchmarks.native import BUILD_FOLDER, PeerUnavailableError
from benchmarks.programs import FOLDER

VERSION = "1.16.0"
RUNNER = FOLDER / "wasmoon_runner.mjs"
PACKAGES_FOLDER = BUILD_FOLDER / "node"
INSTALL_TIMEOUT_S = 120.0


def wasmoon_command() -> list[str]:
    """Return the command that starts the runner, with wasmoon installed if it is not there yet.

    Raises:
        PeerUnavailableError: no node, no npm, or the package cannot be installed.
    """
    node = shutil.which("node")
    if node is None:
        raise PeerUnavailableError("wasmoon is left out: there is no node.")
    if _installed_version() != VERSION:
        _install()
    return [node, str(RUNNER), str(PACKAGES_FOLDER)]


def node_version() -> str:
    """Return node's version, such as `v20.20.2`, or `none`."""
    try:
        result = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return result.stdout.strip()


def _installed_version() -> str | None:
    try:
        manifest = PACKAGES_FOLDER / "node_modules" / "wasmoon" / "package.json"
        version = json.loads(manifest.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError):
        return None
    return str(version)


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise PeerUnavailableError("wasmoon is left out: it is not installed and there is no npm.")
    PACKAGES_FOLDER.mkdir(parents=True, exist_ok=True)
    # No lock file: it would name the registry, which is the user's setting. The version is exact.
    command = [npm, "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
    command += ["--prefix", str(PACKAGES_FOLDER), f"wasmoon@{VERSION}"]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerUnavailableError(f"wasmoon is left out: npm failed: {error}.") from error
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if "npm error" in line] or ["unknown"]
        raise PeerUnavailableError(f"wasmoon is left out: npm failed: {lines[0]}")
