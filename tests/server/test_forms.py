"""The top-level form that a person means."""

from __future__ import annotations

import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.server.documents import Change, ClientRange, Document, Documents
from lua_ls_persist.server.forms import syntax_of
from lua_ls_persist.server.positions import Encoding
from tests.server.marks import marked, unmarked

FILE = """\
#!/usr/bin/lua
local x = 1; y = 2
-- about f
-- 😀
function f(a)
  return a
end

print "😀"; print(y)

-- the end"""


def check(text: str) -> None:
    """The form at each cursor is the marked range; without a mark there is none."""
    document, ranges, cursors = unmarked(text)
    assert cursors
    for cursor in cursors:
        form = syntax_of(document).form_at(cursor)
        found = [] if form is None else [form.range]
        assert marked(document, found) == marked(document, ranges), cursor


@pytest.mark.parametrize(
    "text",
    [
        "‸⟦f()‸⟧‸",
        "⟦f(\n‸1,\n2‸)⟧",
        "a = 1 ⟦b‸ = 2⟧",
        "⟦a = 1⟧‸ b = 2",
        "  ‸  ⟦a = 1⟧",
        "f()\n‸-- about g\n‸--[[ more\n‸ ]]\n⟦g()⟧",
        "⟦f()⟧\n‸-- a remark\n\ng()",
        "⟦f()⟧\n‸\n‸\n-- about g\ng()",
        "‸\n\n⟦f()⟧",
        "⟦f()⟧\n-- the end‸\n‸",
        "-- nothing\n‸",
        "‸",
        'x = "😀𝄞" ⟦y = ‸"é"⟧ z = 3',
        "⟦1 ‸+ 1⟧\nx = 5",
        "x = 5\n  ⟦t.x.‸y⟧\nx = 6",
        "x = 5\n⟦#‸t⟧ ",
        "#!/usr/bin/lua\n⟦f()‸⟧",
        "⟦‸do\n  local x = 1\n  print(‸x)\nend⟧",
        "⟦return‸ 1⟧",
    ],
)
def test_form_at(text: str) -> None:
    check(text)


def test_broken_code_is_still_a_form() -> None:
    document, _, (cursor,) = unmarked("foo(\nx = ‸= 5\ny = 7")
    form = syntax_of(document).form_at(cursor)
    assert form is not None
    assert form.broken
    assert form.range.holds(cursor)


def test_lenses_stand_above_what_deserves_the_room() -> None:
    document, _, _ = unmarked(
        "local x = 1\ny = 2\nlocal t = {\n  1,\n}\nfunction f() end\nprint(y)\n"
        "for i = 1, 2 do end\n-- remark\n::label::\nif x then\nend\nreturn x"
    )
    rows = [f.range.start.row for f in syntax_of(document).forms if f.deserves_lens]
    assert rows == [2, 5, 6, 7, 10]


def test_forms_of_a_file() -> None:
    document, _, _ = unmarked(FILE)
    forms = syntax_of(document).forms
    assert [document.text(form.range) for form in forms] == [
        "local x = 1",
        "y = 2",
        "function f(a)\n  return a\nend",
        'print "😀"',
        "print(y)",
    ]
    assert [form.is_function for form in forms] == [False, False, True, False, False]


def test_a_tree_is_parsed_once() -> None:
    document, _, _ = unmarked(FILE)
    assert syntax_of(document) is syntax_of(document)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_tree_after_edits_is_that_of_the_text(data: st.DataObject) -> None:
    text = "".join(f"local function f{i}(🙂x)\n  return x + {i} -- 🙂\nend\n" for i in range(9))
    text = text.replace("(🙂x)", "(x)")
    documents = Documents()
    documents.encoding = Encoding.UTF32
    current = documents.open("file:///x.lua", text)
    syntax_of(current)
    for _ in range(4):
        row = data.draw(st.integers(0, current.row_count - 1))
        lines = ("x = 1\n", "-- 🙂\n", "if a then b() end\n", "local s = '🙂é'\n", "--[[ \n ]]")
        text = data.draw(st.sampled_from(lines))
        end = row + data.draw(st.sampled_from((0, 0, 0, 1, 3)))
        current, _ = documents.change(
            "file:///x.lua", 1, [Change(ClientRange(row, 0, end, 0), text)]
        )
        again = syntax_of(Document.of_text("file:///x.lua", current.source))
        if not again.root.has_error:  # Recovery from errors may go another way.
            assert str(syntax_of(current).root) == str(again.root)
            assert syntax_of(current).forms == again.forms


def test_a_document_that_nobody_has_any_more_is_gone_at_once() -> None:
    document = Document.of_text("file:///a.lua", "x = 1\ny = 2\n")
    assert len(syntax_of(document).forms) == 2
    gone = weakref.ref(document)
    gc.disable()
    try:
        del document
        assert gone() is None, "there is a circle, and each key press leaves a whole text behind"
    finally:
        gc.enable()
