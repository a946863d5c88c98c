"""The Lua blocks of the documents print what they say, `-- restart` lines included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lua_ls_persist.jsonable import evaluation_to_json
from lua_ls_persist.session import Session
from tests.expectations import check

DOCS = Path(__file__).parents[2] / "docs"
NAMES = ("lua-api.md", "queries.md", "schemas.md")
PART = re.compile(r"^## (?P<heading>.*?)$|^```lua\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
RESTART = re.compile(r"^-- restart\n", re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """Each block with the document and the heading above it."""
    found: list[tuple[str, str]] = []
    for name in NAMES:
        title = name
        for match in PART.finditer((DOCS / name).read_text(encoding="utf-8")):
            title = f"{name} {match['heading']}" if match["heading"] else title
            if match["code"]:
                found.append((title, match["code"]))
    return found


def test_there_are_blocks() -> None:
    assert len(blocks()) >= 15


@pytest.mark.parametrize(
    "code",
    [code for _, code in blocks()],
    ids=[f"{number} {title}" for number, (title, _) in enumerate(blocks(), 1)],
)
def test_blocks(code: str, tmp_path: Path) -> None:
    parts = RESTART.split(code)
    assert "-- expect" in parts[-1], "a block states what comes of it"
    for part in parts:
        with Session.open(tmp_path / "session.db", resume=False) as session:
            result = evaluation_to_json(session.evaluate(part, name="example.lua"))
        check(part, result, silent=True)
