"""Scopes agree with Lua's own compiler: what it takes from `_ENV`, and which locals it knows.

`string.dump` gives the code of a program with its debug information; it is read here after
`ldump.c`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lua_ls_persist import Session
from lua_ls_persist.server.analysis import nodes, scopes_of
from lua_ls_persist.server.documents import Document

EXAMPLES = sorted((Path(__file__).parents[3] / "lua").rglob("*.lua"))
GETTABUP, SETTABUP = 11, 15
HEADER_BYTES = 32


@dataclass
class Compiled:
    """What a compiled program has to do with names."""

    globals: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """With whether they are written."""
    locals: Counter[str] = field(default_factory=Counter)


class Reader:
    """Reads a binary chunk."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        self.at = HEADER_BYTES
        self.compiled = Compiled()

    def take(self, count: int) -> bytes:
        self.at += count
        return self.chunk[self.at - count : self.at]

    def number(self) -> int:
        value = 0
        while True:
            byte = self.take(1)[0]
            value = value << 7 | byte & 0x7F
            if byte & 0x80:
                return value

    def string(self) -> str:
        size = self.number()
        return self.take(size - 1).decode(errors="replace") if size else ""

    def function(self) -> None:
        self.string()
        self.number()
        self.number()
        self.take(3)
        code = [int.from_bytes(self.take(4), "little") for _ in range(self.number())]
        constants = [self.constant() for _ in range(self.number())]
        self.take(3 * self.number())
        for _ in range(self.number()):
            self.function()
        self.take(self.number())
        for _ in range(self.number()):
            self.number(), self.number()
        for _ in range(self.number()):
            self.compiled.locals[self.string()] += 1
            self.number(), self.number()
        upvalues = [self.string() for _ in range(self.number())]
        for instruction in code:
            opcode = instruction & 0x7F
            a, b, c = instruction >> 7 & 0xFF, instruction >> 16 & 0xFF, instruction >> 24
            if opcode == GETTABUP and upvalues[b] == "_ENV":
                self.compiled.globals[str(constants[c]), False] += 1
            elif opcode == SETTABUP and upvalues[a] == "_ENV":
                self.compiled.globals[str(constants[b]), True] += 1

    def constant(self) -> object:
        kind = self.take(1)[0]
        if kind in (0x03, 0x13):
            return self.take(8)
        return self.string() if kind in (0x04, 0x14) else None


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open(None) as opened:
        yield opened


def compiled(session: Session, source: str) -> Compiled | None:
    """What Lua makes of a source; None if that is no Lua."""
    quotes = "=" * 6
    text = f"[{quotes}[\n{source}]{quotes}]"
    answer = session.evaluate(f"local f = load({text}) return f and string.dump(f)")
    assert answer.ok, answer.problems
    (chunk,) = answer.values
    if not isinstance(chunk, bytes):
        return None
    reader = Reader(chunk)
    reader.function()
    return reader.compiled


def analysed(source: str) -> Compiled:
    """What our analysis makes of it."""
    scopes = scopes_of(Document.of_text("file:///x.lua", source))
    found = Compiled()
    for use in scopes.globals():
        found.globals[use.text, use.is_write] += 1

    def visit(statement: nodes.Statement) -> None:
        for event in statement.events:
            if isinstance(event, nodes.Name) and event.role in nodes.DECLARES:
                found.locals[event.text] += 1
        for block in statement.blocks:
            for name in block.head:
                found.locals[name.text] += 1
            for inner in block.statements:
                visit(inner)

    visit(scopes.chunk.root)
    return found


def assert_same(session: Session, source: str) -> None:
    theirs = compiled(session, source)
    assume(theirs is not None)
    assert theirs is not None
    ours = analysed(source)
    assert ours.globals == theirs.globals, source
    internal = {name: count for name, count in theirs.locals.items() if not name.startswith("(")}
    assert ours.locals == internal, source


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_programs(session: Session, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    ours, theirs = analysed(source), compiled(session, source)
    assert theirs is not None
    # Large functions reach some globals by other instructions; constants are no locals.
    assert theirs.globals <= ours.globals
    internal = {name: count for name, count in theirs.locals.items() if not name.startswith("(")}
    assert Counter(internal) <= ours.locals


NAMES = st.sampled_from(("a", "b", "c", "d"))
STATEMENTS = (
    "local {0}",
    "local {0}, {1} = {2}, {0}",
    "local {0} = {0}",
    "{0} = {1}",
    "{0}, {1} = {1}, {2}",
    "{0}.x = {1}.y[{2}]",
    "{0}({1}, {2}.{0})",
    "{0}:{1}({2})",
    "{0} = {{ {1} = {2}, [{0}] = {1}, {2}, function({0}) return {0} + {1} end }}",
    "do {body} end",
    "do {body} end {0} = {1}",
    "if {0} then {body} elseif {1} then {body} else {body} end",
    "while {0} do {body} end",
    "repeat {body} until {0} == {1}",
    "repeat {body} until (function() return {0} end)()",
    "for {0} = {0}, {1} do {body} end",
    "for {0}, {1} in {2}, {0} do {body} end",
    "local function {0}({1}, ...) {body} end",
    "function {0}({1}) {body} end",
    "function {0}.{1}:{2}({0}) {body} self = {0} end",
    "local {0} = function() {body} return {0} end",
    "goto {0} do {body} end ::{0}::",
    "{0} = -{1} .. #{2} // 2 -- {0}",
    "{0}'{1}' {1}[[{2}]]",
)


@st.composite
def bodies(draw: st.DrawFn, depth: int = 3) -> str:
    lines = []
    for template in draw(st.lists(st.sampled_from(STATEMENTS), max_size=4)):
        if "{body}" in template and depth == 0:
            continue
        first, *others = template.split("{body}")
        names = [draw(NAMES) for _ in range(3)]
        text = first.format(*names)
        for piece in others:
            text += f"\n{draw(bodies(depth=depth - 1))}\n{piece.format(*names)}"
        lines.append(text)
    return "\n".join(f"{line};" if "--" not in line else line for line in lines)


@settings(max_examples=150, deadline=None)
@given(source=bodies())
def test_random_programs(session: Session, source: str) -> None:
    assert_same(session, source)
