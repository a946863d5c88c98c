"""Whether an installation is sound: what is installed, and whether all of it works.

Nothing here gives up: what cannot be found out is reported as such, and a check that fails does not
keep the others from being made.
"""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lua_ls_persist._version import __version__
from lua_ls_persist.errors import LuaPersistError

if TYPE_CHECKING:
    from lua_ls_persist.session import Session

INTERRUPT_WITHIN_S = 0.1
"""What the VM promises: any program ends this soon after it was asked to."""
CHECK_MEMORY_LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried."""

    name: str
    ok: bool
    detail: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that the doctor found; every field is plain JSON data."""

    ok: bool
    versions: dict[str, str]
    core: dict[str, str | int]
    paths: dict[str, str]
    cache: dict[str, str | int]
    checks: list[Check]


def lua_version() -> str:
    """The core's Lua version, such as `Lua 5.4.8`, or what keeps the core from telling it."""
    try:
        from lua_ls_persist.vm import core_info

        version = core_info().lua_version
    except LuaPersistError as error:
        return f"no Lua: {error}"
    return version if version.startswith("Lua") else f"Lua {version}"


def examine(
    checks: Mapping[str, Callable[[], str]],
    paths: Mapping[str, str],
    db: Path | None = None,
) -> Report:
    """Collects versions, makes the checks, and looks into a session's file.

    Args:
        checks: what is tried: `CHECKS`, and what the caller knows besides.
        paths: where things are, besides what is known here.
        db: the session's file, if one is to be checked.
    """
    core, core_ok = _core()
    cache = _cache()  # before the checks, which may fill it
    made = [_made(name, check) for name, check in checks.items()]
    if db is not None:
        made.append(_made("session's file", lambda: _check_file(db)))
    return Report(
        ok=core_ok and all(check.ok for check in made),
        versions=_versions(),
        core=core,
        paths={"package": str(Path(__file__).parent), **paths, "signing key": _key_path()},
        cache=cache,
        checks=made,
    )


def _key_path() -> str:
    from lua_ls_persist.store.keys import key_path

    return str(key_path())


def _versions() -> dict[str, str]:
    from lua_ls_persist.store import library_versions

    return {
        "lua-ls-persist": __version__,
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": platform.platform(),
        "Lua": lua_version().removeprefix("Lua "),
        **{name: _distribution_version(name) for name in ("wasmtime", "pygls", "lsprotocol")},
        **library_versions(),
    }


def _distribution_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _core() -> tuple[dict[str, str | int], bool]:
    try:
        from lua_ls_persist.vm import core_info

        info = core_info()
    except LuaPersistError as error:
        return {"problem": str(error)}, False
    return {
        "file": str(info.path),
        "size_bytes": info.wasm_bytes,
        "sha256": info.sha256,
        "layout_version": info.layout_version,
    }, True


def _cache() -> dict[str, str | int]:
    from lua_ls_persist.vm import cache_folder

    folder = cache_folder()
    try:
        sizes = [file.stat().st_size for file in folder.iterdir() if file.is_file()]
    except FileNotFoundError:
        sizes = []
    except OSError as error:
        return {"folder": str(folder), "problem": f"cannot be read: {error.strerror or error}"}
    return {"folder": str(folder), "compiled_cores": len(sizes), "size_bytes": sum(sizes)}


def _made(name: str, check: Callable[[], str]) -> Check:
    start_s = time.perf_counter()
    try:
        detail, ok = check(), True
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the report is for
        detail, ok = f"{error}" or type(error).__name__, False
    return Check(name, ok, detail, round(time.perf_counter() - start_s, 6))


class _Wrong(Exception):  # noqa: N818
    """A check came out otherwise than it must; the message says how."""


def _opened(memory_limit_bytes: int = 64 * 1024 * 1024) -> Session:
    from lua_ls_persist.session import Session

    return Session.open(None, memory_limit_bytes=memory_limit_bytes)


def _check_evaluates() -> str:
    with _opened() as session:
        result = session.evaluate("local t = {1, 2, 3} return #t * 14, _VERSION", name="doctor")
    if not result.ok or result.values[0] != 42:
        raise _Wrong(f"42 was expected, not {result.text or result.problems}")
    return f"#t * 14 is {result.values[0]}"


def _check_prints() -> str:
    with _opened() as session:
        result = session.evaluate("\nprint('héllo')", name="doctor")
    found = [(piece.text, piece.line) for piece in result.output]
    if found != [("héllo\n", 2)]:
        raise _Wrong(f"one line of output from line 2 was expected, not {found}")
    return "output comes with its line"


def _check_errors() -> str:
    with _opened() as session:
        session.evaluate("x = 1", name="doctor")
        result = session.evaluate("x = 2\nerror('planned')", name="doctor")
        after = session.evaluate("x", name="doctor").values
    places = [str(problem) for problem in result.problems]
    if places != ["doctor:2: planned"]:
        raise _Wrong(f"an error at doctor:2 was expected, not {places}")
    if after != (1,):
        raise _Wrong(f"the failed evaluation was not undone: x is {after}")
    return "an error is located, and what failed is undone"


def _check_interrupt() -> str:
    with _opened() as session:
        future = session.submit("while true do end", name="doctor", time_limit_s=5.0)
        while not (session.evaluating or future.done()):
            concurrent.futures.wait([future], 0.001)
        start_s = time.perf_counter()
        session.interrupt()
        result = future.result()
        took_s = time.perf_counter() - start_s
    kinds = [problem.kind for problem in result.problems]
    if kinds != ["interrupt"]:
        raise _Wrong(f"an interrupt was expected, not {kinds}")
    if took_s > INTERRUPT_WITHIN_S:
        raise _Wrong(f"the interrupt took {took_s * 1000:.0f} ms")
    return f"an endless loop ended {took_s * 1000:.1f} ms after the interrupt"


def _check_time_limit() -> str:
    with _opened() as session:
        result = session.evaluate("while true do end", name="doctor", time_limit_s=0.05)
    kinds = [problem.kind for problem in result.problems]
    if kinds != ["timeout"]:
        raise _Wrong(f"a timeout was expected, not {kinds}")
    return f"an endless loop with 50 ms of time ended after {result.duration_s * 1000:.0f} ms"


def _check_memory_limit() -> str:
    with _opened(memory_limit_bytes=CHECK_MEMORY_LIMIT_BYTES) as session:
        result = session.evaluate("local t = {} while true do t[#t + 1] = {} end", name="doctor")
        committed = session.memory().committed_bytes
        after = session.evaluate("1 + 1", name="doctor").values
    kinds = [problem.kind for problem in result.problems]
    if kinds != ["memory"]:
        raise _Wrong(f"running out of memory was expected, not {kinds}")
    if committed > CHECK_MEMORY_LIMIT_BYTES or after != (2,):
        raise _Wrong(f"afterwards the VM had {committed} bytes, and 1 + 1 was {after}")
    return f"a program that wants more than {CHECK_MEMORY_LIMIT_BYTES} bytes ends, the VM goes on"


def _check_store() -> str:
    from lua_ls_persist.store import Store

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "session.db"
        with Store.open(path) as store:
            made = store.meta()
        with Store.open(path) as store:
            if store.meta() != made:
                raise _Wrong(f"the file changed by being opened: {store.meta()}")
            return f"a session's file opens again, format {store.format_version}"


def _check_file(path: Path) -> str:
    from lua_ls_persist.session import Session

    if not path.exists():
        raise _Wrong(f"there is no file {path}")
    with Session.open(path, resume=False) as session:
        problems = session.integrity()
        sizes = session.sizes()
    with Session.open(path) as session:
        started = session.started
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise _Wrong(
            f"{path}: {problems[0]}{more}; doctor --db {path} --repair NEW writes what can be read "
            "of it to a new file"
        )
    return f"{path} is sound: {sizes.entries} entries, {sizes.file_bytes} bytes. {started}"


CHECKS: dict[str, Callable[[], str]] = {
    "evaluate": _check_evaluates,
    "output": _check_prints,
    "error": _check_errors,
    "interrupt": _check_interrupt,
    "time limit": _check_time_limit,
    "memory limit": _check_memory_limit,
    "store": _check_store,
}
