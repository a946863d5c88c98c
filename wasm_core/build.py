"""Builds `lua_core.wasm`: the stock Lua sources and our Zig core, by the Zig compiler of `ziglang`.

Called by the package build (hatch_build.py), by `make wasm`, and by hand:
`python -m wasm_core.build`. Nothing is compiled when the module was built from the same inputs:
their hash is kept in a file beside it. One call of `zig build-exe` with hand-written externs takes
seconds where `build.zig` would take minutes, and gives the same bytes every time.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from wasm_core.fetch import SDIST_SHA256, BuildError, fetch_lua_sources

__all__ = ["BuildError", "build"]

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "lua_ls_persist" / "vm" / "lua_core.wasm"
ZIG_VERSION = "0.17.0"
MODULE_SIZE_BYTES_MAX = 400_000

STACK_SIZE_BYTES = 256 * 1024
"""The shadow stack. With Lua's limit of 200 nested C calls, torture programs used 190 KB."""

MODULE_FLAGS = ["-fstrip", "-fsingle-threaded", "-fno-stack-check", "-fno-unwind-tables"]

CPU = "mvp+mutable_globals+nontrapping_fptoint+sign_ext+exception_handling"
"""Without bulk memory: then only code of the module itself touches the linear memory while the
module runs, which is what the host's interrupts rely on (lua_ls_persist/vm/interrupt.py)."""

HOT_FLAGS = [
    "-O3",
    # A fifth less than the default, which takes 7 KB more and is no faster.
    *("-mllvm", "-inline-threshold=200"),
    # Tests of a value's type become a table of jumps.
    *("-mllvm", "-jump-table-density=40"),
    # What these keep alive across the interpreter's loop, Cranelift keeps on the stack.
    *("-mllvm", "-enable-pre=false"),
    *("-mllvm", "-enable-load-pre=false"),
    *("-mllvm", "-sink-common-insts=false"),
]
COLD_FLAGS = ["-Os"]
COMMON_FLAGS = [
    "-std=gnu99",
    "-fno-math-errno",
    "-ffp-contract=off",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-fvisibility=hidden",
    "-w",
    # long double is double, as on 32-bit ARM, whose musl headers are used: printf and strtod are
    # exact for doubles all the same, without software arithmetic of 128 bits.
    "-Xclang",
    "-mlong-double-64",
    "-DLUA_COMPAT_5_3",
    '-DLUA_USER_H="lua_user.h"',
    "-DL_tmpnam=32",
]

COLD_LUA_FILES = [
    "lcode.c",
    "lctype.c",
    "ldebug.c",
    "ldump.c",
    "llex.c",
    "loadlib.c",
    "lopcodes.c",
    "loslib.c",
    "lparser.c",
    "lstate.c",
    "lundump.c",
    "lutf8lib.c",
    "lzio.c",
]

DEBUG_LIBRARY_NAMES = [
    # See c/external.h.
    "-Dlua_getmetatable=core_getmetatable",
    "-Dlua_setmetatable=core_setmetatable",
    "-Dlua_upvaluejoin=core_upvaluejoin",
    # See c/internals.h.
    "-Dlua_getinfo=core_getinfo",
    "-Dlua_getlocal=core_getlocal",
    "-Dlua_setlocal=core_setlocal",
    "-Dlua_getupvalue=core_getupvalue",
    "-Dlua_setupvalue=core_setupvalue",
    "-Dlua_upvalueid=core_upvalueid",
]

MUSL_FILES = [
    "internal/floatscan.c",
    "internal/shgetc.c",
    "math/__expo2.c",
    "math/__math_divzero.c",
    "math/__math_invalid.c",
    "math/__math_oflow.c",
    "math/__math_uflow.c",
    "math/__math_xflow.c",
    "math/atan2.c",
    "math/exp_data.c",
    "math/expm1.c",
    "math/pow.c",
    "math/pow_data.c",
    "math/scalbn.c",
    "math/sinh.c",
    "stdio/__towrite.c",
    "stdio/fwrite.c",
    "stdio/snprintf.c",
    "stdio/vfprintf.c",
    "stdio/vsnprintf.c",
    "stdlib/strtod.c",
    "time/__month_to_secs.c",
    "time/__secs_to_tm.c",
    "time/__tm_to_secs.c",
    "time/__year_to_secs.c",
]

EXPORTS = [
    "core_collect",
    "core_compile",
    "core_description",
    "core_echo",
    "core_evaluate",
    "core_fields",
    "core_flush",
    "core_info",
    "core_lua_bytes",
    "core_open",
    "core_references",
    "core_trace",
    "__stack_pointer",
]


def build(output: Path | None = None, *, force: bool = False) -> Path:
    """Build the module if its inputs changed, and return its path.

    Raises:
        BuildError: saying in one sentence why it cannot be built.
    """
    output = OUTPUT if output is None else output
    stamp = output.with_suffix(".stamp")
    inputs = _inputs_hash()
    if not force and output.exists() and stamp.exists() and stamp.read_text() == inputs:
        return output
    lua = fetch_lua_sources() / "src"
    zig_library = _zig_library()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=output.parent) as scratch_name:
        scratch = Path(scratch_name)
        built = scratch / "lua_core.wasm"
        _compile(_command(lua, zig_library, built), scratch)
        size = built.stat().st_size
        if size > MODULE_SIZE_BYTES_MAX:
            raise BuildError(
                f"The core has {size} bytes, more than the {MODULE_SIZE_BYTES_MAX} it may have."
            )
        stamp.unlink(missing_ok=True)
        built.replace(output)
    stamp.write_text(inputs)
    return output


def _inputs_hash() -> str:
    """Hash of everything that the module is made from."""
    digest = hashlib.sha256()
    digest.update(f"{ZIG_VERSION} {SDIST_SHA256}\n".encode())
    for path in [
        Path(__file__),
        *sorted((HERE / "src").rglob("*")),
        *sorted((HERE / "c").rglob("*")),
    ]:
        if path.is_file():
            digest.update(path.relative_to(HERE).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _zig_library() -> Path:
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise BuildError(
            f"The core needs the Zig compiler to be built: pip install ziglang=={ZIG_VERSION}."
        )
    return Path(spec.origin).parent / "lib"


def _command(lua: Path, zig_library: Path, output: Path) -> list[str]:
    musl = zig_library / "libc" / "musl"
    includes = [
        f"-I{HERE / 'c'}",
        f"-I{lua}",
        f"-I{zig_library / 'libc' / 'include' / 'arm-linux-musl'}",
        f"-I{zig_library / 'libc' / 'include' / 'generic-musl'}",
    ]
    musl_includes = [
        # musl's printf and strtod include its system calls, and make none.
        "-D_INTERNAL_SYSCALL_H",
        # compiler_rt has these two for a long double of 128 bits.
        "-Dfabsl=core_fabsl",
        "-Dfmodl=core_fmodl",
        f"-I{musl / 'src' / 'include'}",
        f"-I{musl / 'src' / 'internal'}",
        f"-I{musl / 'arch' / 'generic'}",
    ]

    def sources(flags: list[str], files: list[Path]) -> list[str]:
        return ["-cflags", *flags, "--", *map(str, files)]

    return [
        sys.executable,
        "-m",
        "ziglang",
        "build-exe",
        "-target",
        "wasm32-freestanding",
        f"-mcpu={CPU}",
        "-fno-entry",
        "-fno-sanitize-c",
        "-OReleaseFast",
        *MODULE_FLAGS,
        "--stack",
        str(STACK_SIZE_BYTES),
        *(f"--export={name}" for name in EXPORTS),
        f"-femit-bin={output}",
        *sources([*COMMON_FLAGS, *HOT_FLAGS, *includes], [HERE / "c" / "hot.c"]),
        *sources(
            [*COMMON_FLAGS, *COLD_FLAGS, *includes],
            [
                HERE / "c" / "internals.c",
                HERE / "c" / "external.c",
                HERE / "c" / "code.c",
                *(lua / name for name in COLD_LUA_FILES),
            ],
        ),
        *sources([*COMMON_FLAGS, *COLD_FLAGS, *DEBUG_LIBRARY_NAMES, *includes], [lua / "ldblib.c"]),
        *sources(
            # See libc.zig.
            [*COMMON_FLAGS, *COLD_FLAGS, "-Dlog2=core_log2", "-Dlog10=core_log10", *includes],
            [lua / "lmathlib.c"],
        ),
        *sources(
            [*COMMON_FLAGS, *COLD_FLAGS, *musl_includes, *includes],
            [musl / "src" / name for name in MUSL_FILES],
        ),
        *sources(["-g0"], [HERE / "c" / "try.s"]),
        *("--dep", "core", f"-Mroot={HERE / 'src' / 'main.zig'}"),
        *("-OReleaseSmall", *MODULE_FLAGS, f"-Mcore={HERE / 'src' / 'core.zig'}"),
    ]


def _compile(command: list[str], scratch: Path) -> None:
    environment = dict(os.environ)
    environment.setdefault("ZIG_LOCAL_CACHE_DIR", str(HERE / ".cache" / "zig"))
    environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(HERE / ".cache" / "zig-global"))
    try:
        done = subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise BuildError(f"The Zig compiler cannot be started: {error}.") from error
    if done.returncode != 0:
        raise BuildError(f"The Zig compiler refused the core's sources:\n{done.stderr.strip()}")


def main() -> None:
    """Build by hand."""
    parser = argparse.ArgumentParser(prog="python -m wasm_core.build", description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    parser.add_argument("--output", type=Path, default=None, metavar="PATH")
    arguments = parser.parse_args()
    try:
        path = build(arguments.output, force=arguments.force)
    except BuildError as error:
        sys.exit(f"error: {error}")
    print(f"{path} ({path.stat().st_size} bytes)")


if __name__ == "__main__":
    main()
