"""A name looked up in its own outermost statement means what it means in the whole text."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.nodes import SELF, WRITE
from lua_ls_persist.server.analysis.resolving import Meanings, occurrences
from lua_ls_persist.server.documents import Document
from tools.node_tools import ROOT

SOURCES = (
    "local x = x; local x = x + x; do local x = x; x = x end; x = x",
    "local function f(f) return f end; local f = f; function f.g:h() return self, f end",
    "local a, b <const>, a = a, b; for a, b in a do a(b) end; repeat local a = b until a",
    "local self; function t:m() self.x = self; local self = self end; self = self",
    "goto a; ::a:: local a; goto a; return a",
    "local x = function() local y; y = x; x = y; return function() y = x end end",
    "x = 1 local x = ",
    "print((...)) local _ENV = {} print(_ENV)",
    "",
)
FILES = sorted((ROOT / "lua").rglob("*.lua"))


def _check(text: str) -> int:
    chunk = scopes_of(Document.of_text("file:///a.lua", text)).chunk
    names = {name for statement in chunk.block.statements for name in statement.mentions}
    count = 0
    for name in sorted(names):
        meanings = Meanings(chunk.block)
        whole = [use for use in occurrences(chunk.root, name) if use.role != SELF]
        for use in whole:
            assert meanings.occurrence(name, use.start) == use
            count += 1
            if use.declaration is None or use.start != use.declaration.start:
                continue
            inside = meanings.uses(use.declaration)
            if inside is not None:
                assert list(inside) == [one for one in whole if one.declaration == use.declaration]
    return count


@pytest.mark.parametrize("text", SOURCES)
def test_of_short_texts(text: str) -> None:
    assert _check(text) == 0 if not text else _check(text) > 0


def test_of_the_files_of_the_project() -> None:
    assert sum(_check(path.read_text(encoding="utf-8")) for path in FILES) > 4000


def test_where_nothing_stands() -> None:
    scopes = scopes_of(Document.of_text("file:///a.lua", "-- x\nx = 1"))
    meanings = Meanings(scopes.chunk.block)
    assert meanings.occurrence("x", 3) is None
    assert meanings.occurrence("y", 5) is None
    found = meanings.occurrence("x", 5)
    assert found is not None
    assert found.role == WRITE
