"""The Lua sources of the prelude keep to what makes them safe from programs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_lua

from lua_ls_persist.session import Session, prelude

FILES = sorted(prelude.SOURCES.glob("*.lua"))
LUA = tree_sitter.Language(tree_sitter_lua.language())


def nodes(text: str) -> list[tree_sitter.Node]:
    """All nodes of a source's syntax tree."""
    found = [tree_sitter.Parser(LUA).parse(text.encode()).root_node]
    for node in found:
        found += node.children
    return found


def test_there_are_files() -> None:
    assert {path.stem for path in FILES} == set(prelude.FUNCTIONS.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_methods_are_called(path: Path) -> None:
    """Those of strings are whatever a program has made of them."""
    kinds = {node.type for node in nodes(path.read_text())}
    assert "function_call" in kinds
    assert "method_index_expression" not in kinds


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_globals_are_taken_at_the_beginning(path: Path) -> None:
    """So each is read once, and none is written."""
    text = path.read_text()
    with Session.open() as session:
        result = session.evaluate(
            """
            local text = ...
            local wanted, written = {}, {}
            local globals = setmetatable({}, {
              __index = function(_, name) wanted[#wanted + 1] = name return _G[name] end,
              __newindex = function(_, name) written[#written + 1] = name end,
            })
            local given = { need = function() return print end }
            for _, name in ipairs { "data", "fail", "flush", "table" } do given[name] = print end
            assert(load(text, "=(prelude)", "t", globals))(given)
            return #written, table.concat(wanted, " ")
            """,
            arguments=[text],
        )
        assert result.ok, result.problems
        assert result.values[0] == 0
        taken = set(str(result.values[1]).split())
    own = {match[1] for match in re.finditer(r"^local (.+?) =", text, re.MULTILINE)}
    names = {name.strip() for group in own for name in group.split(",")}
    functions = {name for name in taken if name not in ("debug", "math", "string", "table")}
    assert functions <= names, "every global has a local of its name"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_style(path: Path) -> None:
    for line in path.read_text().splitlines():
        assert len(line) <= 100, line
        assert (len(line) - len(line.lstrip())) % 2 == 0, line
        assert line == line.rstrip(), line
        assert "\t" not in line, line


def test_each_function_is_in_its_file() -> None:
    with Session.open() as session:
        for name in prelude.FUNCTIONS:
            text = prelude.text_of(name).decode()
            assert re.search(rf"^function \w+\.{name}\(", text, re.MULTILINE), name
            assert session.evaluate("return load(...) ~= nil", arguments=[text]).values == (True,)
    assert prelude.text_of("nothing") == b""


def test_the_digest_is_of_the_content() -> None:
    code = "from lua_ls_persist.session import prelude; print(prelude.digest())"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert other.strip() == prelude.digest()
