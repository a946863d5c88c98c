"""Lua's official test suite, of the same release as the pinned sources, runs inside the VM.

The files are those of the archive, unmodified. Each runs in a fresh session; a failing assertion in
it is a Lua error, and so a failing test here. Three settings of the suite are used:

portable    `_port=true _soft=true _nomsg=true T=nil`, the suite's settings for any machine
full        `_port=false _soft=false`: what depends on a Unix machine too, and the long loops
2 MiB       portable, in a VM of 2 MiB

What cannot run, and why, is in the tables below and in docs/lua-conformance.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from lua_ls_persist.model import Evaluation, OutputPiece, Value
from lua_ls_persist.session import Session
from wasm_core.fetch import fetch_lua_sources

HERE = Path(__file__).resolve().parent

MIB = 1024 * 1024
MEMORY_LIMIT_BYTES = 512 * MIB
SMALL_MEMORY_LIMIT_BYTES = 2 * MIB
TIME_LIMIT_S = 240.0
OUTPUT_LIMIT_BYTES = 64 * MIB

PORTABLE = "_port = true; _soft = true; _nomsg = true; T = nil"
FULL = "_port = false; _soft = false; _nomsg = true; T = nil"

RESULTS: dict[str, Value] = {
    "attrib.lua": 27,
    "big.lua": "a",
    "events.lua": 12,
    "locals.lua": 5,
    "verybig.lua": 10,
}
"""What all.lua expects a file to return; the others return nothing that matters."""

WHOLE = (
    "api.lua",
    "attrib.lua",
    "big.lua",
    "bitwise.lua",
    "bwcoercion.lua",
    "calls.lua",
    "closure.lua",
    "code.lua",
    "constructs.lua",
    "coroutine.lua",
    "cstack.lua",
    "db.lua",
    "errors.lua",
    "events.lua",
    "gc.lua",
    "gengc.lua",
    "goto.lua",
    "heavy.lua",
    "literals.lua",
    "locals.lua",
    "main.lua",
    "math.lua",
    "nextvar.lua",
    "pm.lua",
    "sort.lua",
    "strings.lua",
    "tpack.lua",
    "tracegc.lua",
    "utf8.lua",
    "vararg.lua",
    "verybig.lua",
)
"""Files that pass from the first line to the last under the portable settings."""

IN_PARTS = {
    "all.lua": "runs every other file, and so files.lua too; passes with that one left out",
    "files.lua": "needs files that can be written and read, and environment variables",
}
"""Files that cannot pass whole, with the reason. What can run of them does, below."""

IN_PARTS_WHEN_FULL = {
    "main.lua": "needs a shell and the stand-alone interpreter; returns at once where _port is set",
}
"""Files that pass whole under the portable settings only because those skip what cannot run."""

NOT_TESTS = {
    "libs": "C sources for dynamic libraries, which the sandbox has not",
    "packtests": "the shell script that packs the suite",
}

WANT_WRITTEN_FILES = frozenset({"attrib.lua", "verybig.lua"})
"""Files whose full run writes Lua programs and then loads them (see written_files.lua)."""

RUNS_AS_COROUTINE = frozenset({"big.lua"})
"""Files whose full run yields, so that all.lua wraps them."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A file that needs more memory than the 2 MiB profile has."""

    line: int
    """Where it ends there."""
    passes_bytes: int
    """A limit that is enough for it."""
    reason: str


TOO_LARGE = {
    "cstack.lua": TooLarge(29, 64 * MIB, "fills Lua's stack of a million slots (16 MB)"),
    "gc.lua": TooLarge(460, 32 * MIB, "makes two strings of 4 MB"),
    "locals.lua": TooLarge(611, 64 * MIB, "fills Lua's stack of a million slots (16 MB)"),
}
"""Files that do not fit into 2 MiB. Nothing but memory keeps them from passing."""


def suite_folder() -> Path:
    return fetch_lua_sources() / "testes"


class WrittenFiles:
    """Serves the programs that a test wrote through written_files.lua to loadfile and require."""

    def __init__(self, folder: Path, replaced: dict[str, str]) -> None:
        self._folder = folder
        self._replaced = replaced
        self._written: dict[str, bytes] = {}
        self._pending = ""

    def listen(self, piece: OutputPiece) -> None:
        """Take note of the records in what the program prints to stderr."""
        if piece.stream != "stderr":
            return
        *lines, self._pending = (self._pending + piece.text).split("\n")
        for line in lines:
            if not line.startswith("@file "):
                continue
            _, command, name, content = line.split(" ", 3)
            if command == "written":
                self._written[name] = unquote_to_bytes(content)
            else:
                self._written.pop(name, None)

    def read(self, path: Path) -> str | None:
        """For `open_buffers`."""
        name = path.relative_to(self._folder).as_posix()
        if name in self._replaced:
            return self._replaced[name]
        content = self._written.get(name)
        return None if content is None else content.decode("utf-8", "surrogateescape")


def run(
    source: str | bytes,
    *,
    name: str,
    settings: str = PORTABLE,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
    with_files: bool = False,
    replaced: dict[str, str] | None = None,
    preludes: Sequence[str] = (),
) -> Evaluation:
    """Run a file's text, or parts of it, in a fresh session; the session must work afterwards."""
    files = WrittenFiles(suite_folder().absolute(), replaced or {})
    with Session.open(
        memory_limit_bytes=memory_limit_bytes,
        time_limit_s=TIME_LIMIT_S,
        output_limit_bytes=OUTPUT_LIMIT_BYTES,
        allow_bytecode=True,
        folders=[suite_folder()],
        open_buffers=files.read,
    ) as session:
        assert session.evaluate(settings, mode="chunk").ok
        if with_files:
            preludes = ("written_files.lua", *preludes)
        for prelude in preludes:
            check_ok(
                session.evaluate(
                    (HERE / prelude).read_bytes(),
                    name=prelude,
                    mode="chunk",
                    on_output=files.listen,
                )
            )
        evaluation = session.evaluate(source, name=name, mode="chunk", on_output=files.listen)
        assert session.evaluate("6 * 7").values == (42,)
    return evaluation


def check_ok(evaluation: Evaluation) -> None:
    if evaluation.ok:
        return
    problem = evaluation.problems[0]
    lines = [f"{problem.kind}: {problem}"]
    lines += [f"  {frame.chunk}:{frame.line} {frame.function}" for frame in problem.traceback]
    pytest.fail("\n".join([*lines, evaluation.output_text[-500:]]), pytrace=False)


def check_result(name: str, evaluation: Evaluation) -> None:
    check_ok(evaluation)
    if name in RESULTS:
        assert evaluation.values[0] == RESULTS[name]


def test_every_file_of_the_suite_is_in_a_table() -> None:
    assert not set(WHOLE) & set(IN_PARTS)
    present = {path.name for path in suite_folder().iterdir()}
    assert present == set(WHOLE) | set(IN_PARTS) | set(NOT_TESTS)


def test_every_exception_is_told_in_the_documentation(project_root: Path) -> None:
    text = (project_root / "docs" / "lua-conformance.md").read_text()
    for name in [*IN_PARTS, *IN_PARTS_WHEN_FULL, *TOO_LARGE]:
        assert f"| `{name}` |" in text
    for name, large in TOO_LARGE.items():
        row = next(line for line in text.splitlines() if f"| `{name}` | line " in line)
        assert f"line {large.line} |" in row


@pytest.mark.parametrize("name", WHOLE)
def test_portable(name: str) -> None:
    if name == "main.lua":
        # Its first line is a comment for loadfile, which the language does not know.
        check_ok(run("return dofile('main.lua')", name="(run)"))
        return
    check_result(name, run((suite_folder() / name).read_bytes(), name=name))


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in IN_PARTS_WHEN_FULL])
def test_full(name: str) -> None:
    source: str | bytes = (suite_folder() / name).read_bytes()
    if name in RUNS_AS_COROUTINE:
        source = f"""
            local run = coroutine.wrap(assert(loadfile('{name}')))
            assert(run() == 'b')
            return run()
        """
    with_files = name in WANT_WRITTEN_FILES
    check_result(name, run(source, name=name, settings=FULL, with_files=with_files))


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in TOO_LARGE])
def test_portable_in_2_mib(name: str) -> None:
    source = (suite_folder() / name).read_bytes()
    if name == "main.lua":
        source = b"return dofile('main.lua')"
    evaluation = run(source, name=name, memory_limit_bytes=SMALL_MEMORY_LIMIT_BYTES)
    check_result(name, evaluation)


@pytest.mark.parametrize("name", TOO_LARGE)
def test_only_memory_keeps_a_file_from_running_in_2_mib(name: str) -> None:
    source = (suite_folder() / name).read_bytes()
    large = TOO_LARGE[name]
    small = run(source, name=name, memory_limit_bytes=SMALL_MEMORY_LIMIT_BYTES)
    assert not small.ok
    assert (small.problems[0].chunk, small.problems[0].line) == (name, large.line)
    assert small.problems[0].kind in {"memory", "runtime"}
    check_result(name, run(source, name=name, memory_limit_bytes=large.passes_bytes))


ALL_LUA_RUNS = {
    "portable": (PORTABLE + "; _U = true", ("files.lua",)),
    # At its end all.lua notes in a file how long it took.
    "long": (
        """
        _port = true; _soft = false; _nomsg = true; T = nil
        local file = { write = function(self) return self end, close = function() end }
        function io.open(_, mode) return mode and file end
        """,
        ("files.lua", "verybig.lua"),
    ),
}


@pytest.mark.parametrize("settings", ALL_LUA_RUNS)
def test_all_lua_without_the_files_that_cannot_run(settings: str) -> None:
    """all.lua sends most files through string.dump and load, one after the other in one VM."""
    globals_, left_out = ALL_LUA_RUNS[settings]
    evaluation = run(
        "dofile('all.lua')",
        name="(run)",
        settings=globals_,
        replaced=dict.fromkeys(left_out, "return 10"),
    )
    check_ok(evaluation)
    assert "final OK !!!" in evaluation.output_text


# heavy.lua, as it comes, calls one of its functions. Two of the others are left out: `manylines`
# compiles 2 GiB of line ends, and `controlstruct` counts on the shorter code of an older release.

HEAVY_FUNCTIONS = {
    "teststring": 64 * MIB,
    "hugeid": 64 * MIB,
    "toomanyconst": 32 * MIB,
    "toomanyinst": 32 * MIB,
    "toomanystr": 32 * MIB,
}


@pytest.mark.parametrize("function", HEAVY_FUNCTIONS)
def test_heavy_functions_run_out_of_memory_cleanly(function: str) -> None:
    source = only_lines("heavy.lua", (1, 160)) + f"\n{function}()".encode()
    evaluation = run(source, name="heavy.lua", memory_limit_bytes=HEAVY_FUNCTIONS[function])
    check_ok(evaluation)
    assert re.search("not enough memory|overflow", evaluation.output_text)


# The parts of files.lua and main.lua that need nothing that is not there.


def only_lines(name: str, *ranges: tuple[int, int]) -> bytes:
    """These lines of a file, at their places: the others are left empty."""
    lines = (suite_folder() / name).read_bytes().split(b"\n")
    kept = {line for first, last in ranges for line in range(first, last + 1)}
    return b"\n".join(text if line in kept else b"" for line, text in enumerate(lines, 1))


HELPERS = (15, 23)
FILES_PARTS = {
    "dofile that yields": ((193, 205),),
    "loadfile": ((514, 614),),
}


@pytest.mark.parametrize("part", FILES_PARTS)
def test_files_that_are_written_and_loaded(part: str) -> None:
    source = b"local file, otherfile = os.tmpname(), os.tmpname() " + only_lines(
        "files.lua", HELPERS, *FILES_PARTS[part]
    )
    check_ok(run(source, name="files.lua", settings=FULL, with_files=True))


@pytest.mark.parametrize("settings", [PORTABLE, FULL])
def test_files_date_and_time(settings: str) -> None:
    lines = (suite_folder() / "files.lua").read_text("latin-1").split("\n")
    assert lines[780] == 'print("testing date/time")'
    source = b"local maxint = math.maxinteger " + only_lines(
        "files.lua", HELPERS, (781, len(lines))
    )
    evaluation = run(source, name="files.lua", settings=settings)
    check_ok(evaluation)
    assert "test done on " in evaluation.output_text


MAIN_PARTS = {
    "a program over many lines": ((88, 94),),
    "byte order marks": ((100, 124),),
    "comments in the first line": ((427, 433),),
    "warn": ((505, 514),),
}


@pytest.mark.parametrize("part", MAIN_PARTS)
def test_main_programs(part: str) -> None:
    source = only_lines("main.lua", *MAIN_PARTS[part])
    check_ok(
        run(
            source,
            name="main.lua",
            settings=FULL,
            with_files=True,
            preludes=["run_programs.lua"],
        )
    )


def test_main_warnings() -> None:
    """The interpreter puts `Lua warning: ` before each; here warnings are a stream of their own."""
    evaluation = run(only_lines("main.lua", (274, 282)), name="main.lua", settings=FULL)
    check_ok(evaluation)
    warnings = [piece.text for piece in evaluation.output if piece.stream == "warning"]
    expected = only_lines("main.lua", (286, 288)).decode().strip() + "\n"
    assert "".join(warnings) == expected.replace("Lua warning: ", "")


def test_main_error_objects() -> None:
    program = "\n".join(only_lines("main.lua", (394, 399)).decode().split("\n")[393:])
    evaluation = run(program, name="main.lua", settings=FULL)
    assert [problem.message for problem in evaluation.problems] == ["6"]
    evaluation = run("error{}", name="main.lua", settings=FULL)
    assert re.search("error object is a table value", evaluation.problems[0].message)
