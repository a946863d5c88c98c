"""docs/architecture.md leads to files that are there, and to each file of the largest layers."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.project.files import ROOT, project_files

FOREIGN = {"ljumptab.h"}
"""Files of Lua's own sources."""

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w./*-]+\.(?:py|lua|zig|c|h|s|ts))`", TEXT))
FILES = [path.relative_to(ROOT) for path in project_files()]


def is_named(path: Path, names: set[str]) -> bool:
    """Whether the file is meant by one of these names, which may be patterns."""
    text = path.as_posix()
    return any(fnmatch(text, name) or fnmatch(text, f"*/{name}") for name in names)


@pytest.mark.parametrize("name", sorted(NAMED - FOREIGN))
def test_each_file_that_is_named_is_there(name: str) -> None:
    assert any(is_named(path, {name}) for path in FILES)


@pytest.mark.parametrize("layer", ["session", "store"])
def test_each_file_of_a_large_layer_is_in_its_table(layer: str) -> None:
    table = re.search(rf"^\| files of `{layer}/` .*?\n\n", TEXT, re.MULTILINE | re.DOTALL)
    assert table is not None
    names = set(re.findall(r"`([\w*]+\.py)`", table[0]))
    files = [path for path in FILES if path.match(f"lua_ls_persist/{layer}/[!_]*.py")]
    assert [path.name for path in files if not is_named(path, names)] == []


def test_names_are_compared_as_they_are_meant() -> None:
    path = Path("lua_ls_persist/store/query_sql.py")
    for name in ("query_sql.py", "store/query_sql.py", "query_*.py"):
        assert is_named(path, {name})
    for name in ("sql.py", "session/query_sql.py", "query_*.lua"):
        assert not is_named(path, {name})
