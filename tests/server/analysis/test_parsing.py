"""The parser never fails, and a parse after edits is that of the text it came to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lua_ls_persist.server.analysis import doc_comment, nodes, scopes_of
from lua_ls_persist.server.analysis.nodes import Chunk
from lua_ls_persist.server.analysis.parsing import parse
from lua_ls_persist.server.documents import Change, ClientRange, Document, Documents
from lua_ls_persist.server.positions import Encoding, Position

EXAMPLES = sorted((Path(__file__).parents[3] / "lua").rglob("*.lua"))
TEXTS = [path.read_text(encoding="utf-8") for path in EXAMPLES]
PIECES = (
    *("local ", "function ", " end ", " do ", " then ", "if ", "repeat ", " until ", "else "),
    *(
        "return ",
        "goto x ",
        "::x::",
        "for i = 1, 2 ",
        "x",
        "x.",
        "x:",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
    ),
    *(
        "=",
        ",",
        ";",
        "'",
        '"',
        "[[",
        "]]",
        "[==[",
        "]==]",
        "--",
        "--[[",
        "\n",
        "\\",
        "🙂",
        "1",
        "+",
    ),
    *("and ", "<const>", "...", "\r\n", "\x00", "x = {\n", "a = 1,\n", "function() ", "~", "#"),
)


def shape(node: Any, seen: dict[int, int] | None = None) -> Any:
    """A node as plain data; what is only remembered is left out, and nothing is there twice."""
    seen = {} if seen is None else seen
    if isinstance(node, (list, tuple)):
        return [shape(part, seen) for part in node]
    slots = getattr(type(node), "__slots__", None)
    if slots is None or not type(node).__module__.endswith("nodes"):
        return sorted(node) if isinstance(node, set) else node
    if id(node) in seen:
        return seen[id(node)]
    seen[id(node)] = len(seen)
    left_out = {"facts", "free", "reach", "tokens"}
    parts = (shape(getattr(node, slot), seen) for slot in slots if slot not in left_out)
    return [type(node).__name__, *parts]


def assert_same(chunk: Chunk) -> None:
    assert shape(chunk.root) == shape(parse(chunk.source).root)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_whole_programs_leave_nothing_open(path: Path) -> None:
    def check(statement: nodes.Statement) -> None:
        for event in statement.events:
            if isinstance(event, nodes.Block):
                assert event.closed
                for inner in event.statements:
                    check(inner)

    check(parse(path.read_text(encoding="utf-8")).root)


def texts() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(TEXTS),
        st.lists(st.sampled_from(PIECES), max_size=60).map("".join),
        st.tuples(st.sampled_from(TEXTS), st.integers(0, 3000), st.integers(0, 900)).map(
            lambda cut: cut[0][cut[1] : cut[1] + cut[2]]
        ),
    )


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[tuple[float, int, str]]]:
    """A text and changes: where (as a part of the text), how much goes, what comes."""
    text = draw(texts())
    new = st.one_of(st.sampled_from(PIECES), st.lists(st.sampled_from(PIECES)).map("".join))
    change = st.tuples(st.floats(0, 1), st.integers(0, 8), st.one_of(st.just(""), new))
    return text, draw(st.lists(change, min_size=1, max_size=6))


@settings(max_examples=200, deadline=None)
@given(edits())
@example(("f()\ng()\n", [(0.5, 0, "local x\n")]))
@example(("local x = 1 -- [==\n]==] y()\n", [(0.5, 0, "[")]))
@example(("x = 1\ny = 2", [(1.0, 0, "3")]))
@example(("{\r\nlocal ", [(0.0, 0, "if ")]))
def test_a_parse_after_edits_is_that_of_the_text(
    start: tuple[str, list[tuple[float, int, str]]],
) -> None:
    text, changes = start
    chunk = parse(text)
    for where, removed, inserted in changes:
        at = round(where * len(text))
        text = text[:at] + inserted + text[at + removed :]
        chunk = parse(text, chunk)
        assert_same(chunk)


@settings(max_examples=100, deadline=None)
@given(texts(), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_every_question_has_an_answer_anywhere(text: str, places: list[float]) -> None:
    document = Document.of_text("file:///x.lua", text)
    scopes = scopes_of(document)
    for use in scopes.globals():
        found = scopes.name_at(use.range.start)
        assert found is not None
        assert (found.text, found.range, found.kind) == (use.text, use.range, "global")
    for place in places:
        position = scopes.position(round(place * len(document.source)))
        name = scopes.name_at(position)
        if name is not None:
            assert name.range.holds(position)
            assert document.text(name.range) == name.text or name.kind == "field"
            scopes.value_of(name.range)
            assert name in scopes.uses(name) or name.kind in ("field", "method")
        path = scopes.path_at(position)
        assert path is None or path.text
        call = scopes.call_at(position)
        assert call is None or call.range.holds(position)
        assert len({found.text for found in scopes.visible_at(position)}) == len(
            scopes.visible_at(position)
        )
        doc_comment(document, position.row)


def test_deep_nesting_is_read_to_its_end() -> None:
    for opening in ("(", "{", "f(", "{\n", "function() ", "do ", "a[", "if x then "):
        document = Document.of_text("file:///x.lua", f"x = {opening * 3000}y")
        scopes = scopes_of(document)
        scopes.name_at(document.end)
        assert scopes.chunk.block.end == len(document.source)


def test_documents_hand_on_what_was_analysed() -> None:
    documents = Documents()
    documents.encoding = Encoding.UTF16
    text = "".join(f"function f{i}(🙂)\n  return {i}\nend\n" for i in range(50))
    first = scopes_of(documents.open("file:///x.lua", text))
    change = Change(ClientRange(4, 9, 4, 10), "x + 1")
    document, _ = documents.change("file:///x.lua", 2, [change])
    second = scopes_of(document)
    same = set(map(id, first.chunk.block.statements)) & set(map(id, second.chunk.block.statements))
    assert len(same) == len(second.chunk.block.statements) - 1
    assert_same(second.chunk)
    assert second.position(len(document.source)) == document.end
    assert second.offset(Position(4, 3)) == document.source.index("return x + 1") + 1
