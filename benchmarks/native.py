"""Builds native Lua from the stock sources, as its own makefile does, to be the measure of speed.

The C files are those the core is compiled from. The flags are the ones of the makefile that Lua is
released with for Linux, without readline.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.programs import FOLDER

BUILD_FOLDER = FOLDER / ".build"
RUNNER_SOURCE = FOLDER / "native_runner.c"
COMPILER = "gcc"
COMPILE_FLAGS = ("-std=gnu99", "-O2", "-DLUA_COMPAT_5_3", "-DLUA_USE_LINUX")
LINK_FLAGS = ("-Wl,-E", "-lm", "-ldl")
# `onelua.c` includes all others, `ltests.c` debugs Lua itself, `lua.c` has a `main` of its own.
LEFT_OUT = frozenset({"onelua.c", "ltests.c", "lua.c"})


class PeerUnavailableError(Exception):
    """A peer cannot be built or run here; the message says why in one sentence."""


def build_native(sources: Path | None = None) -> Path:
    """Return the path of the native runner, compiled from `sources` if it is not there yet.

    `sources` is the folder of Lua's C files; without it they are fetched as the core's build does.

    Raises:
        PeerUnavailableError: no compiler, no sources, or a file does not compile.
    """
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise PeerUnavailableError(f"Native Lua cannot be built: there is no {COMPILER}.")
    sources = fetch_sources() if sources is None else sources
    files = sorted(path for path in sources.glob("*.c") if path.name not in LEFT_OUT)
    if not files:
        raise PeerUnavailableError(f"Native Lua cannot be built: {sources} has no C files.")
    files.append(RUNNER_SOURCE)

    folder = BUILD_FOLDER / "native" / _fingerprint(compiler, sources)
    runner = folder / "runner"
    if runner.is_file():
        return runner
    folder.mkdir(parents=True, exist_ok=True)

    def compile_one(path: Path) -> Path:
        target = folder / f"{path.stem}.o"
        _run([compiler, *COMPILE_FLAGS, f"-I{sources}", "-c", str(path), "-o", str(target)])
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, files))
    # The runner appears complete or not at all.
    unfinished = folder / f"runner.{os.getpid()}"
    _run([compiler, "-o", str(unfinished), *map(str, objects), *LINK_FLAGS])
    unfinished.replace(runner)
    return runner


def fetch_sources() -> Path:
    """Return the folder of Lua's C files, fetched at the pinned version and hash."""
    from wasm_core.fetch import BuildError, fetch_lua_sources

    try:
        return fetch_lua_sources() / "src"
    except BuildError as error:
        raise PeerUnavailableError(str(error)) from error


def compiler_version() -> str:
    """Return the first line of what the compiler says of itself."""
    try:
        return _run([COMPILER, "--version"]).splitlines()[0]
    except PeerUnavailableError:
        return f"no {COMPILER}"


def _fingerprint(compiler: str, sources: Path) -> str:
    digest = hashlib.sha256()
    digest.update(_run([compiler, "--version"]).encode())
    digest.update(" ".join((*COMPILE_FLAGS, *LINK_FLAGS)).encode())
    for path in sorted([*sources.glob("*.[ch]"), RUNNER_SOURCE]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _run(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PeerUnavailableError(f"{command[0]} cannot be started: {error}.") from error
    if result.returncode != 0:
        raise PeerUnavailableError(
            f"`{' '.join(command)}` failed: {result.stderr.strip() or result.returncode}"
        )
    return result.stdout
