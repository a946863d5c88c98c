"""What an edit does to code that has results: the marked range is tracked."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.documents import Change, ClientRange, Documents
from lua_ls_persist.server.tracking import moved_range, moved_row, row_after
from tests.server.marks import URI, marked, unmarked


def check(before: str, edit: ClientRange, text: str, after: str | None) -> None:
    """`after` is the text with the range where it should be; None if the edit should end it."""
    document, (range_,), _ = unmarked(before)
    documents = Documents()
    documents.open(URI, document.source)
    changed, (made,) = documents.change(URI, 2, [Change(edit, text)])
    moved = moved_range(range_, made)
    assert (None if moved is None else marked(changed, [moved])) == after


@pytest.mark.parametrize(
    ("before", "edit", "text", "after"),
    [
        # above
        ("a\n⟦f()⟧", (0, 0, 0, 0), "b\n", "b\na\n⟦f()⟧"),
        ("a\n⟦f()⟧", (0, 0, 1, 0), "", "⟦f()⟧"),
        ("a\n⟦f()⟧", (0, 1, 0, 1), "bc", "abc\n⟦f()⟧"),
        ("a\n⟦f()⟧", (0, 1, 1, 0), "", None),
        ("a\n⟦f()⟧", (1, 0, 1, 0), "\n", "a\n\n⟦f()⟧"),
        ("a\n⟦f()⟧", (1, 0, 1, 0), "b\n", "a\nb\n⟦f()⟧"),
        ("a\n⟦f()⟧", (1, 0, 1, 0), "  ", "a\n  ⟦f()⟧"),
        ("a\n⟦f()⟧", (1, 0, 1, 0), "x = ", None),
        # below
        ("⟦f()⟧\na", (1, 0, 1, 1), "", "⟦f()⟧\n"),
        ("⟦f()⟧\na", (0, 3, 0, 3), "\nb", "⟦f()⟧\nb\na"),
        ("⟦f()⟧ \na", (0, 4, 0, 4), "+ 1", None),
        ("⟦f()⟧", (0, 3, 0, 3), ".x", None),
        ("⟦f()⟧\na", (0, 3, 1, 1), "", None),
        # inside
        ("⟦f(1,\n2)⟧", (0, 3, 0, 3), "1", None),
        ("⟦f(1,\n2)⟧", (0, 5, 0, 5), "\n", None),
        ("a\n⟦f()⟧\nb", (0, 0, 2, 1), "", None),
        # nothing
        ("⟦f()⟧", (0, 1, 0, 1), "", "⟦f()⟧"),
    ],
)
def test_ranges(before: str, edit: tuple[int, int, int, int], text: str, after: str | None) -> None:
    check(before, ClientRange(*edit), text, after)


@pytest.mark.parametrize(
    ("edit", "text", "row"),
    [
        ((0, 0, 0, 0), "a\nb\n", 4),
        ((3, 0, 4, 0), "", 2),
        ((2, 1, 2, 1), "typed", 2),
        ((2, 1, 2, 1), "\n", 2),
        ((2, 0, 2, 0), "\n", 3),
        ((2, 0, 3, 0), "", None),
        ((1, 0, 2, 0), "", 1),
        ((1, 0, 4, 0), "", None),
        ((1, 1, 2, 1), "", 1),
    ],
)
def test_rows(edit: tuple[int, int, int, int], text: str, row: int | None) -> None:
    """Where row 2 is after the edit."""
    documents = Documents()
    documents.open(URI, "zero\none\ntwo\nthree\nfour")
    _, (made,) = documents.change(URI, 2, [Change(ClientRange(*edit), text)])
    assert moved_row(2, made) == row
    assert row_after(2, [made, made] if row is None else [made]) == row
