"""What a document says to somebody who compares it with the VM: read statement by statement, it is
the same as when each name is looked up in the whole text.
"""

from __future__ import annotations

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.nodes import READ
from lua_ls_persist.server.analysis.resolving import free_names, occurrences
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.reading import Reading, reading_of
from tools.node_tools import ROOT

SOURCES = {
    "a local hides what is below it": "print(x) local x = 1 print(x) y(x)",
    "a local does not see itself": "local x = x(1) print(x.y)",
    "a local function sees itself": "local function f(n) return f(n - 1) end print(f(2))",
    "parameters and loops": "function f(a, ...) for i = 1, a do g(i, a, b) end end g(i, a)",
    "until sees the block": "local a = 1 repeat local b = a(1) until b.c(a) b(1)",
    "a method has self": "function t.u:v(w) self.x(w) self(u) end self(1)",
    "two of one name": "local a = f() do local a = a.b(1) a(2) end a(3) local a = a(4) a(5)",
    "another _ENV": "print(1) local _ENV = {} print(2) x = y(3)",
    "an _ENV inside": "do local _ENV = e print(1) end print(2)",
    "a global that is set": "a = b function c.d() e = a(1) end function f() end",
    "half typed": "local x = \nprint(x.\nfor i = 1 do y(i) local z =",
}
FILES = sorted((ROOT / "lua").rglob("*.lua"))


def _read(text: str) -> Reading:
    reading = reading_of(scopes_of(Document.of_text("file:///a.lua", text)), None)
    assert reading is not None
    return reading


def _check(text: str) -> int:
    """Compares the ways to globals with what a look at the whole text gives."""
    reading = _read(text)
    source = reading.scopes.chunk.source
    root = reading.scopes.chunk.root
    free = [(base + one.offset, one) for base, one in free_names(root)]
    written = {one.text for _, one in free if one.role != READ}
    reads: dict[str, list[int]] = {}
    for start, one in free:
        if one.role == READ and one.text not in written:
            reads.setdefault(one.text, []).append(start)
    assert reading.written == written
    assert reading.globals == reads
    starts = {start for start, _ in free}
    for call in reading.calls:
        if call.function.is_global and len(call.function.steps) == 1:
            start, end = call.name
            name = source[start:end]
            uses = {one.start: one for one in occurrences(root, name)}
            if start in uses and uses[start].declaration is None:
                assert start in starts
                assert call.function.steps == (name,)
    return len(reading.globals) + len(reading.calls)


@pytest.mark.parametrize("text", SOURCES.values(), ids=list(SOURCES))
def test_names_mean_what_they_mean_in_the_whole_text(text: str) -> None:
    assert _check(text)


def test_the_files_of_the_project_are_read_so_too() -> None:
    assert sum(_check(path.read_text(encoding="utf-8")) for path in FILES) > 500


def _called(text: str) -> list[str]:
    return [str(call.function) for call in _read(text).calls]


def test_what_is_called_is_known_through_locals() -> None:
    users = 'local users = ext.table("users") '
    assert _called(users + "users.greet(1)")[1:] == ["users.greet"]
    assert _called("local f = m.n f(1) do local f = o f(2) end f(3)") == ["m.n", "o", "m.n"]
    assert _called("function t:m(a) self.n(a) end") == ["t.n"]
    assert _called("local function f(g) g(1) f(2) end print(3)") == ["print"]


def test_a_reading_ends_between_two_statements() -> None:
    answers = iter([True, True, False])
    scopes = scopes_of(Document.of_text("file:///a.lua", "a(1) b(2) c(3) d(4)"))
    assert reading_of(scopes, None, lambda: next(answers)) is None
    assert next(answers, None) is None
