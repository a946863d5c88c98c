"""The top-level form that a person means."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.forms import syntax_of
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
