"""The examples of docs/library.md, queries.md and interchange.md run, and print what they say."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from pathlib import Path
from typing import get_args

import pytest

import lua_ls_persist
from lua_ls_persist.model import Evaluation, Problem, ProblemKind
from lua_ls_persist.session import (
    MEMORY_LIMIT_BYTES_DEFAULT,
    OUTPUT_LIMIT_BYTES_DEFAULT,
    TIME_LIMIT_S_DEFAULT,
    Session,
)
from lua_ls_persist.session.modules import FILE_BYTES_MAX
from lua_ls_persist.session.request import PreviewLimits
from lua_ls_persist.vm.module import CACHE_ENVIRONMENT_VARIABLE

DOCS = Path(__file__).parents[2] / "docs"
LIBRARY = (DOCS / "library.md").read_text(encoding="utf-8")
SECURITY = (DOCS / "security.md").read_text(encoding="utf-8")
TROUBLESHOOTING = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
PAGES = [
    (DOCS / name).read_text(encoding="utf-8")
    for name in ("queries.md", "schemas.md", "interchange.md")
]
EXAMPLES = re.findall(
    r"^(?:## (.*?)$)|^```python\n(.*?)^```$", "".join((LIBRARY, *PAGES)), re.MULTILINE | re.DOTALL
)


def examples() -> list[tuple[str, str]]:
    """Each example with the heading above it."""
    found: list[tuple[str, str]] = []
    title = ""
    for heading, code in EXAMPLES:
        title = heading or title
        if code:
            found.append((title, code))
    return found


@pytest.mark.parametrize(
    "code",
    [code for _, code in examples()],
    ids=[f"{number} {title}" for number, (title, _) in enumerate(examples(), 1)],
)
def test_examples(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = re.findall(r"# -> (.*)$", code, re.MULTILINE)
    assert expected, "an example shows what comes of it"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "docs/library.md", "exec"), {"__name__": "example"})
    assert printed.getvalue().splitlines() == expected


def test_there_are_examples() -> None:
    assert len(examples()) >= 10


def table(text: str, heading: str) -> dict[str, str]:
    """The first table under the heading: first column to second column."""
    part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert part is not None
    _, _, body = part[1].partition("\n|---")
    return dict(re.findall(r"^\| `?(\w+)`? \| ([^|]+?) \|", body, re.MULTILINE))


def test_fields_of_an_evaluation() -> None:
    assert set(table(LIBRARY, "Evaluate")) == {*Evaluation.__slots__, "output_text"}


def test_kinds_of_problems() -> None:
    kinds = set(table(LIBRARY, "Problems"))
    assert kinds == set(get_args(ProblemKind))
    assert set(Problem.__slots__) >= {"kind", "message", "traceback"}


def test_arguments_of_open() -> None:
    rows = table(LIBRARY, "Limits")
    parameters = {
        name: parameter.default
        for name, parameter in inspect.signature(Session.open).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert set(rows) == set(parameters)
    mib = 1024 * 1024
    assert rows["memory_limit_bytes"] == f"{MEMORY_LIMIT_BYTES_DEFAULT // mib} MiB"
    assert rows["time_limit_s"] == f"{TIME_LIMIT_S_DEFAULT:g}"
    assert rows["output_limit_bytes"] == f"{OUTPUT_LIMIT_BYTES_DEFAULT // mib} MiB"
    for name in ("keep_error_effects", "allow_bytecode"):
        assert rows[name] == f"`{parameters[name]}`"
    assert f"{MEMORY_LIMIT_BYTES_DEFAULT // mib} MiB (`memory_limit_bytes`)" in SECURITY
    assert f"{TIME_LIMIT_S_DEFAULT:g} s (`time_limit_s`)" in SECURITY
    assert f"{OUTPUT_LIMIT_BYTES_DEFAULT // mib} MiB (`output_limit_bytes`)" in SECURITY
    assert f"| a module's file | {FILE_BYTES_MAX // mib} MiB |" in SECURITY


def test_limits_of_previews() -> None:
    limits = PreviewLimits()
    assert f"at most {limits.entries} entries a table, {limits.nodes} in all" in LIBRARY
    assert f"goes {limits.depth} tables deep" in LIBRARY


def test_exceptions() -> None:
    names = set(table(LIBRARY, "Exceptions"))
    assert names == {
        name
        for name in lua_ls_persist.__all__
        if name.endswith("Error") and isinstance(getattr(lua_ls_persist, name), type)
    }


def test_messages_in_troubleshooting_are_those_of_the_package() -> None:
    """Every part of a quoted message is found in the sources, core and prelude included."""
    root = DOCS.parent
    sources = [*root.joinpath("lua_ls_persist").rglob("*.py")]
    sources += [
        *root.joinpath("wasm_core").glob("src/*.zig"),
        *root.joinpath("wasm_core/c").iterdir(),
        *root.joinpath("lua/prelude").glob("*.lua"),
    ]
    # Without quotes and line ends inside of messages that are written in several parts.
    text = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text("utf-8") for path in sources))
    of_lua = {"stack overflow", "not enough memory", "module '", "' not found", "attempt to yield"}
    of_wasmtime = {"mmap failed to reserve"}
    messages = re.findall(r"^\*\*(`.*?)\*\*", TROUBLESHOOTING, re.MULTILINE)
    assert len(messages) > 15
    missing = [
        part
        for message in messages
        for quoted in re.findall(r"`([^`]+)`", message)
        for part in filter(None, (piece.strip() for piece in quoted.split("...")))
        if part not in text
        and not any(known in part or part in known for known in of_lua | of_wasmtime)
    ]
    known_numbers = {"stopped after 10 s: the time limit"}
    assert set(missing) - known_numbers == set()


def test_the_cache_variable_is_named() -> None:
    assert CACHE_ENVIRONMENT_VARIABLE in SECURITY
    assert CACHE_ENVIRONMENT_VARIABLE in TROUBLESHOOTING
