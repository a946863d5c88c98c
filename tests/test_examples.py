"""Every file in `lua/examples` does what its comments say, through each door of the product.

- `-- expect: text`: the next line of output. On a line with code, it is that line that printed it.
- `-- expect: => value`: the values that the file returns, as Lua source would write them.
- `-- expect error: 6 part of the message`: the error that ends the evaluation, and its line.

A file in a folder below is a module for `require`, and no example.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.jsonable import evaluation_to_json
from lua_ls_persist.session import Session
from tests.project.files import ROOT
from tools.editor import View, open_folder

FOLDER = ROOT / "lua" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.lua"))

COMMENT = re.compile(r"^(?P<code>.*?)-- expect(?P<error> error)?: (?P<text>.*)$")


@dataclass(frozen=True)
class Expected:
    output: list[tuple[str, int | None]]
    """Lines of output, each with the line that printed it where the comment says so."""
    values: str
    error: tuple[int, str] | None


def expectations(source: str) -> Expected:
    output: list[tuple[str, int | None]] = []
    values = ""
    error = None
    for number, line in enumerate(source.splitlines(), start=1):
        match = COMMENT.match(line)
        if match is None:
            assert "expect" not in line, f"line {number}: an expectation that nobody reads: {line}"
        elif match["error"]:
            place, _, part = match["text"].partition(" ")
            error = (int(place), part)
        elif match["text"].startswith("=> "):
            values = match["text"].removeprefix("=> ")
        else:
            output.append((match["text"], number if match["code"].strip() else None))
    assert output or values or error, "an example states what it does"
    return Expected(output, values, error)


def check(source: str, result: dict[str, Any]) -> None:
    """Compare an evaluation, as plain data, with what the comments in its source say."""
    expected = expectations(source)
    problems = [(problem["line"], problem["message"]) for problem in result["problems"]]
    if expected.error is None:
        assert problems == []
        assert result["ok"]
    else:
        assert not result["ok"]
        assert [line for line, _ in problems] == [expected.error[0]]
        assert expected.error[1] in problems[0][1]
    assert result["text"] == expected.values
    printed = printed_lines(result["output"])
    assert [text for text, _ in printed] == [text for text, _ in expected.output]
    for (text, line), (_, expected_line) in zip(printed, expected.output, strict=True):
        assert expected_line in {None, line}, f"line {line} printed {text!r}"


def printed_lines(pieces: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    """The output's lines, each with the line of source that wrote its last piece."""
    lines: list[tuple[str, int | None]] = []
    open_line = ""
    for piece in pieces:
        *ended, rest = (open_line + piece["text"]).split("\n")
        lines += [(text, piece["line"]) for text in ended]
        open_line = rest
    assert open_line == "", "examples end their last line"
    return lines


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_in_python(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    with Session.open(folders=[FOLDER]) as session:
        check(source, evaluation_to_json(session.evaluate(source, name=path.name)))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_in_a_terminal(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "lua_ls_persist", "eval", "--json", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    result = json.loads(run.stdout)
    check(path.read_text(encoding="utf-8"), result)
    assert run.returncode == (0 if result["ok"] else 1), run.stderr


def test_in_an_editor() -> None:
    """All of them in one session, one after the other, as a person would try them."""

    async def evaluate_all() -> dict[Path, View]:
        views = {}
        async with open_folder(FOLDER) as editor:
            for path in EXAMPLES:
                editor.open(path)
                views[path] = await editor.evaluate(path)
        return views

    for path, view in asyncio.run(asyncio.wait_for(evaluate_all(), 60)).items():
        source = path.read_text(encoding="utf-8")
        check(source, view.result)
        expected = expectations(source)
        if expected.error is None:
            assert view.diagnostics == []
            assert [text for _, text in view.hints if "=> " in text] != []
        else:
            assert [item.range.start.line + 1 for item in view.diagnostics] == [expected.error[0]]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"ok": True, "text": "2", "output": [], "problems": []}, "'2' == '3'"),
        (
            {"ok": True, "text": "3", "output": [{"text": "x\n", "line": 1}], "problems": []},
            r"\['x'\] == \[\]",
        ),
        (
            {"ok": False, "text": "", "output": [], "problems": [{"line": 1, "message": "no"}]},
            "'no'",
        ),
    ],
)
def test_the_check_sees_a_difference(result: dict[str, Any], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check("return 1 + 2 -- expect: => 3", result)
