"""The engine and the compiled core, shared by all machines of a process.

Compiling takes a fifth of a second, loading a compiled module well under a millisecond; so it is
kept in the user's cache folder, keyed by the wasm's hash, wasmtime's version and the engine's
settings. Loading trusts the file's content, so it is only done after its checksum was found right;
a file that is not is compiled again and replaced, atomically: any number of processes may do so.
What was found is noted beside it with the file's size and times (`_Receipt`): as long as those are
the same, the next process need not read and sum up the files again, which would take most of a
start.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import platformdirs
import wasmtime

from lua_ls_persist.errors import CoreError
from lua_ls_persist.vm.interrupt import SignalHandler, StopKind, default_stop_kind

WASM_STACK_BYTES_MAX = 512 * 1024
"""Native stack that wasm code may use. 61 torture programs of deep recursion needed less."""

CACHED_CORES_MAX = 8
CLOCK_TOLERANCE_NS = 60_000_000_000
"""What was written so much later than now may have been: by another process, or another machine."""
"""Versions of the package, of wasmtime and kinds of core may share a cache; older ones go."""

CACHE_ENVIRONMENT_VARIABLE = "LUA_LS_PERSIST_CACHE"
_DIGEST_BYTES = 32
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class CoreInfo:
    """What is known of the core without running it."""

    path: Path
    wasm_bytes: int
    sha256: str
    lua_version: str
    layout_version: int
    wasmtime_version: str


@dataclass(frozen=True, slots=True)
class CompiledCore:
    """An engine and the core compiled for it."""

    engine: wasmtime.Engine
    module: wasmtime.Module
    sha256: str
    signals: SignalHandler | None
    """How calls are stopped: by protection, with these handlers; without them by epoch checks."""


def wasm_path() -> Path:
    """Where the core is: beside this file, put there by the package build."""
    return Path(__file__).with_name("lua_core.wasm")


def cache_folder() -> Path:
    """Where compiled cores are kept: `$LUA_LS_PERSIST_CACHE`, or the user's cache folder."""
    configured = os.environ.get(CACHE_ENVIRONMENT_VARIABLE)
    return (
        Path(configured)
        if configured
        else platformdirs.user_cache_path("lua-ls-persist", appauthor=False)
    )


@functools.cache
def wasmtime_version() -> str:
    """The version of the installed wasmtime binding."""
    # The metadata's folder names the version; reading it by importlib.metadata takes 2 ms.
    names = os.listdir(Path(wasmtime.__file__).parent.parent)  # noqa: PTH208  (half a millisecond)
    versions = [
        name.removeprefix("wasmtime-").removesuffix(".dist-info")
        for name in names
        if name.startswith("wasmtime-") and name.endswith(".dist-info")
    ]
    return versions[0] if len(versions) == 1 else importlib.metadata.version("wasmtime")


Stamp: TypeAlias = tuple[int, int, int, int]
"""What changes when a file is written to or replaced: size, inode, two times."""


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return (status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


@functools.cache
def _wasm_sha256(path: Path, stamp: Stamp) -> str:
    receipt = _Receipt(f"wasm-{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]}")
    digest = receipt.read(stamp)
    if digest is None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        receipt.write(stamp, digest)
    return digest


def wasm_sha256(path: Path) -> str:
    """The core's hash, which names the images and compiled modules that belong to it.

    Raises:
        CoreError: there is no core, or it cannot be read.
    """
    try:
        return _wasm_sha256(path, _stamp(path))
    except OSError as error:
        raise CoreError(
            f"the WebAssembly core {path} cannot be read ({error.strerror}); "
            "reinstall the package, or run 'python -m wasm_core.build' in a checkout"
        ) from error


class _Receipt:
    """A note in the cache of what a file's content was found to be, good while its stamp is."""

    def __init__(self, name: str) -> None:
        self._path = cache_folder() / f"{name}.receipt"

    def read(self, stamp: Stamp) -> str | None:
        """What was noted for this stamp; None if nothing was, or for another one."""
        try:
            noted, _, value = self._path.read_bytes().partition(b"\n")
        except OSError:
            return None
        if noted != _stamp_bytes(stamp) or not value:
            return None
        return value.decode("latin-1")

    def write(self, stamp: Stamp, value: str) -> None:
        """Note it; without a note everything works, only later starts are slower."""
        # The folder of caches may be read-only, or the disk full.
        with contextlib.suppress(OSError):
            _replace(self._path, [_stamp_bytes(stamp), b"\n", value.encode("latin-1")])


def _stamp_bytes(stamp: Stamp) -> bytes:
    return b"%d %d %d %d" % stamp


def core_info(path: Path | None = None) -> CoreInfo:
    """Describe the core, e.g. for `doctor`."""
    from lua_ls_persist.vm.machine import Machine

    path = wasm_path() if path is None else path
    with Machine(load_core(path)) as machine:
        return CoreInfo(
            path=path,
            wasm_bytes=path.stat().st_size,
            sha256=wasm_sha256(path),
            lua_version=machine.lua_version,
            layout_version=machine.layout_version,
            wasmtime_version=wasmtime_version(),
        )


_loaded: dict[str, CompiledCore] = {}


def load_core(path: Path | None = None, *, stop_kind: StopKind | None = None) -> CompiledCore:
    """Load the compiled core, compiling it if there is no good copy in the cache.

    `stop_kind` says how calls are stopped (see `lua_ls_persist.vm.interrupt`); by default as is
    best on this platform. With `"epoch"` every loop of the core looks whether it shall stop, which
    costs about a quarter of its speed; such a core has an engine of its own, for epochs are an
    engine's.

    Raises:
        CoreError: the core is missing or is not a WebAssembly module.
    """
    path = wasm_path() if path is None else path
    digest = wasm_sha256(path)
    if (stop_kind or default_stop_kind()) == "epoch":
        engine = wasmtime.Engine(_config(epoch_checks=True))
        module = _load_module(engine, path, digest, epoch_checks=True)
        return CompiledCore(engine, module, digest, None)
    with _lock:
        if digest not in _loaded:
            engine = wasmtime.Engine(_config(epoch_checks=False))
            # The engine has just seen to it that wasmtime handles memory faults.
            signals = next((core.signals for core in _loaded.values()), None) or SignalHandler()
            module = _load_module(engine, path, digest, epoch_checks=False)
            _loaded[digest] = CompiledCore(engine, module, digest, signals)
        return _loaded[digest]


def _config(*, epoch_checks: bool) -> wasmtime.Config:
    config = wasmtime.Config()
    config.cranelift_opt_level = "speed"
    config.max_wasm_stack = WASM_STACK_BYTES_MAX
    config.epoch_interruption = epoch_checks
    config.wasm_threads = False
    config.wasm_simd = False
    config.wasm_relaxed_simd = False
    # An image of the VM is restored by plain copying: the memory's base must not move.
    config.memory_may_move = False
    return config


def cache_path(digest: str, *, epoch_checks: bool) -> Path:
    """The file in which the core with this hash is kept compiled."""
    kind = "checked" if epoch_checks else "plain"
    name = f"core-{digest[:16]}-wasmtime-{wasmtime_version()}-{platform.machine()}-{kind}.bin"
    return cache_folder() / name


def _load_module(
    engine: wasmtime.Engine, path: Path, digest: str, *, epoch_checks: bool
) -> wasmtime.Module:
    cached = cache_path(digest, epoch_checks=epoch_checks)
    module = _read_cached(engine, cached)
    if module is not None:
        return module
    try:
        module = wasmtime.Module(engine, path.read_bytes())
    except wasmtime.WasmtimeError as error:
        raise CoreError(f"{path} is not a module that wasmtime can run: {error}") from error
    # Without a cache everything works, only later starts are slower.
    with contextlib.suppress(OSError):
        _write_cached(cached, bytes(module.serialize()))
    return module


def _checksum(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).digest()


def _read_cached(engine: wasmtime.Engine, cached: Path) -> wasmtime.Module | None:
    try:
        if not _is_whole(cached):
            return None
        # Mapped from the file, which is ten times faster than from bytes. The checksum behind the
        # module is outside of every section; files are replaced, never written over.
        return wasmtime.Module.deserialize_file(engine, str(cached))
    except (OSError, wasmtime.WasmtimeError):
        return None


def _is_whole(cached: Path) -> bool:
    stamp = _stamp(cached)
    receipt = _Receipt(cached.stem)
    if receipt.read(stamp) == "whole":
        return True
    content = cached.read_bytes()
    view = memoryview(content)
    compiled, digest = view[:-_DIGEST_BYTES], view[-_DIGEST_BYTES:]
    if len(content) <= _DIGEST_BYTES or _checksum(compiled) != digest:
        return False
    receipt.write(stamp, "whole")
    return True


def _write_cached(cached: Path, compiled: bytes) -> None:
    _replace(cached, [compiled, _checksum(compiled)])
    _prune(cached)


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    """Put a file in its place at once, whatever other processes do at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".core-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
        draft.replace(path)
    except BaseException:
        # What failed first is what is told.
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _prune(newest: Path) -> None:
    """Delete what newer cores have made useless: all but the last few, by time.

    Those of the future go first, or after a correction of the clock they would stay, and nothing
    that is compiled from then on would.
    """
    at_most_ns = newest.stat().st_mtime_ns + CLOCK_TOLERANCE_NS

    def written_ns(file: Path) -> int:
        at_ns = file.stat().st_mtime_ns
        return at_ns if at_ns <= at_most_ns else -at_ns

    files = sorted(newest.parent.glob("core-*.bin"), key=written_ns, reverse=True)
    for file in files[CACHED_CORES_MAX:]:
        if file != newest:
            for useless in (file, file.with_suffix(".receipt")):
                # Another process may have removed it, or have it open.
                with contextlib.suppress(OSError):
                    useless.unlink()
