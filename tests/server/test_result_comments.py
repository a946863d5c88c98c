"""Results behind the code, and examples in comments: how they are written and found again."""

from __future__ import annotations

import pytest

from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.forms import syntax_of
from lua_ls_persist.server.result_comments import (
    TextChange,
    example_change,
    examples_in,
    result_comment,
    result_rows,
)
from tests.server.marks import unmarked


def applied(document: Document, change: TextChange) -> str:
    """The text of a document after a change."""
    head = document.text(document.range.__class__(document.range.start, change.range.start))
    tail = document.text(document.range.__class__(change.range.end, document.range.end))
    return head + change.text + tail


def commented(marked: str, *rows: str) -> str:
    """The document after the result of the marked code was written, once and once more."""
    document, (code,), _ = unmarked(marked)
    once = applied(document, result_comment(document, syntax_of(document), code, rows))
    again, twice = Document.of_text("file:///a.lua", once), ""
    twice = applied(again, result_comment(again, syntax_of(again), code, rows))
    assert once == twice, "what is there is replaced"
    return once


@pytest.mark.parametrize(
    ("marked", "rows", "text"),
    [
        ("⟦f()⟧", ["42"], "f() -- => 42"),
        ("⟦f()⟧ -- => old", ["42"], "f() -- => 42"),
        ("⟦f()⟧ -- a remark", ["42"], "f() -- a remark -- => 42"),
        ("⟦f()⟧ -- a remark -- => old", ["42"], "f() -- a remark -- => 42"),
        ("⟦x = '-- => no'⟧", ["ok"], "x = '-- => no' -- => ok"),
        ("⟦x = 1⟧ y = 2\nz = 3", ["ok"], "x = 1 y = 2 -- => ok\nz = 3"),
        ("⟦f()⟧\ng()", ["{", "  1,", "}"], "f()\n-- => {\n--      1,\n--    }\ng()"),
        ("  ⟦f()⟧\n", ["1,", "2"], "  f()\n  -- => 1,\n  --    2\n"),
        ("⟦f()⟧\n-- => {\n--      1,\n--    }\n-- own", ["42"], "f() -- => 42\n-- own"),
        ("⟦f()⟧ -- => 42\n-- own", ["{", "}"], "f()\n-- => {\n--    }\n-- own"),
        ("⟦f(1,\n  2)⟧\n", ["3"], "f(1,\n  2) -- => 3\n"),
    ],
)
def test_results(marked: str, rows: list[str], text: str) -> None:
    assert commented(marked, *rows) == text


def test_what_is_said_of_evaluations() -> None:
    problem = Problem("runtime", "no\nreally", "a.lua", 1)
    assert result_rows(Evaluation(True, (1, "a"), '1, "a"')) == ['1, "a"']
    assert result_rows(Evaluation(True)) == ["ok"]
    assert result_rows(Evaluation(False, problems=(problem,))) == ["error: no", "really"]
    long = "x" * 100
    assert result_rows(Evaluation(True, (long,), "{\n  a,\n}")) == ["{", "  a,", "}"]
    assert len(result_rows(Evaluation(True, (long,), "\n".join("x" * 1000)))) == 101


EXAMPLES = """\
--- Adds.
--- >>> add(1, 2)
--- 3
--- >>> add(1, nil)
--- error: no
---
--- More text.
---@param a number
local function add(a, b) end

-- >>> no example
--- >>> other()
---@return number
  --- >>> deep()
  --- WAS 1
  --- NOW 2
"""


def test_examples_are_found() -> None:
    document = Document.of_text("file:///a.lua", EXAMPLES)
    assert [
        (one.group, one.row, one.last_row, one.expression, one.result)
        for one in examples_in(document)
    ] == [
        (0, 1, 2, "add(1, 2)", ("3",)),
        (0, 3, 4, "add(1, nil)", ("error: no",)),
        (11, 11, 11, "other()", ()),
        (11, 13, 15, "deep()", ("2",)),
    ]


@pytest.mark.parametrize(
    ("before", "rows", "after"),
    [
        ("--- >>> f()", ["1"], "--- >>> f()\n--- 1"),
        ("--- >>> f()\n--- 1\n", ["1"], None),
        ("--- >>> f()\n--- 1\nlocal x", ["2"], "--- >>> f()\n--- WAS 1\n--- NOW 2\nlocal x"),
        ("--- >>> f()\n--- WAS 1\n--- NOW 2", ["2"], "--- >>> f()\n--- 2"),
        ("--- >>> f()\n--- WAS 1\n--- NOW 2", ["3"], "--- >>> f()\n--- WAS 2\n--- NOW 3"),
        ("  --- >>> f()\n  ---\n", ["{", "}"], "  --- >>> f()\n  --- {\n  --- }\n  ---\n"),
    ],
)
def test_examples_are_written(before: str, rows: list[str], after: str | None) -> None:
    document = Document.of_text("file:///a.lua", before)
    (example,) = examples_in(document)
    change = example_change(document, example, rows)
    assert (None if change is None else applied(document, change)) == after
