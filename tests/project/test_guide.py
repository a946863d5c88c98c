"""docs/guide.md is walked through from its beginning to its end, in one folder.

Each Lua block is evaluated in an editor that is opened for it and closed after it; the console
blocks run in between, in the folder of the editor.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.expectations import check, expectations
from tests.project.files import ROOT
from tests.project.test_documents import console_examples
from tools.editor import open_folder

GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(lua|console)\n.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_walk(tmp_path: Path) -> None:
    folder = tmp_path / "garden"
    folder.mkdir()
    kinds = []
    for match in BLOCK.finditer(GUIDE):
        kinds.append(match[1])
        if match[1] == "console":
            for command, printed in console_examples(match[0] + "\n"):
                assert run(command, folder) == printed, command
        else:
            source = match[0].removeprefix("```lua\n").removesuffix("```")
            asyncio.run(asyncio.wait_for(evaluate(source, folder, len(kinds)), 60))
    assert kinds.count("lua") >= 5
    assert kinds.count("console") >= 5


async def evaluate(source: str, folder: Path, number: int) -> None:
    """In an editor that is open for this one evaluation."""
    path = folder / ("garden.lua" if number == 1 else f"block{number}.lua")
    path.write_text(source, encoding="utf-8")
    async with open_folder(folder) as editor:
        editor.open(path)
        view = await editor.evaluate(path)
    check(source, view.result)
    expected = expectations(source)
    if expected.error is not None:
        assert [item.range.start.line + 1 for item in view.diagnostics] == [expected.error[0]]
    else:
        assert f"=> {expected.values}" in [text.strip() for _, text in view.hints]


def run(command: str, folder: Path) -> str:
    """What a command prints, its errors included."""
    if command.startswith("sqlite3 ") and shutil.which("sqlite3") is None:
        match = re.fullmatch(r"sqlite3 (\S+) '(.*)'", command)
        assert match is not None
        with sqlite3.connect(folder / match[1]) as connection:
            rows = connection.execute(match[2]).fetchall()
        return "".join("|".join(map(str, row)) + "\n" for row in rows)
    bin_folder = Path(sys.executable).parent
    return subprocess.run(
        ["/bin/sh", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        cwd=folder,
    ).stdout


def test_the_sentences_are_those_of_the_package() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "lua_ls_persist").rglob("*.py")
    )
    sentences = re.findall(r"^\| `(The session [^`]+)\.` \|", GUIDE, re.MULTILINE)
    assert len(sentences) >= 5
    for sentence in sentences:
        assert sentence.removeprefix("The session starts anew: ") in sources
