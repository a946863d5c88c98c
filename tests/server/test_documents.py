"""Texts and their edits: whatever a client sends, the text and the edits stay in step."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.server.documents import (
    EDITS_REMEMBERED_MAX,
    Change,
    ClientRange,
    Document,
    Documents,
    split_lines,
)
from lua_ls_persist.server.positions import Encoding, Position, Range
from lua_ls_persist.server.tracking import moved_position
from tests.server.marks import URI


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("\r\r\n\n", ["", "", "", ""]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g", ["a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g"]),
    ],
)
def test_rows_are_split_where_lsp_does(text: str, rows: list[str]) -> None:
    document = Document.of_text(URI, text)
    assert list(document.rows) == rows
    assert document.row_count == len(rows)
    assert "".join(split_lines(text)) == text
    assert document.source == "\n".join(rows)


def test_lone_surrogates_cannot_break_anything() -> None:
    document = Document.of_text(URI, "x = '\ud83d'")
    assert document.source.encode() == "x = '\ufffd'".encode()


def change(text: str, *changes: Change, encoding: Encoding = Encoding.UTF16) -> str:
    """The text after the changes; checks that the edits say what happened."""
    documents = Documents(encoding)
    old = documents.open(URI, text, 1)
    new, edits = documents.change(URI, 2, changes)
    assert new is documents.get(URI)
    assert (new.version, new.revision) == (2, len(changes))
    assert documents.edits_since(URI, 0) == edits
    assert old.source == Document.of_text(URI, text).source, "a snapshot has changed"
    assert list(new.rows) == list(Document.of_text(URI, "".join(new._lines)).rows)
    if len(edits) == 1:
        edit = edits[0]
        before = old.text(Range(Position(0, 0), edit.old.start))
        after = old.text(Range(edit.old.end, old.end))
        inserted = edit.text.replace("\r\n", "\n").replace("\r", "\n")
        if "\r" not in text + edit.text:
            assert new.source == before + inserted + after
            assert moved_position(old.end, edit) == new.end
    return "".join(new._lines)


def at(*numbers: int) -> ClientRange:
    return ClientRange(*numbers)


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        ("", [Change(at(0, 0, 0, 0), "a\nb")], "a\nb"),
        ("ab\ncd\n", [Change(at(0, 1, 1, 1), "X")], "aXd\n"),
        ("ab\ncd\n", [Change(at(1, 0, 2, 0), "")], "ab\n"),
        ("ab\r\ncd\r\n", [Change(at(0, 2, 1, 0), " ")], "ab cd\r\n"),
        ("ab\ncd", [Change(at(1, 2, 1, 2), "\n")], "ab\ncd\n"),
        ("ab\ncd", [Change(at(9, 9, 9, 9), "\nend")], "ab\ncd\nend"),
        ("ab\ncd", [Change(at(0, 99, 0, 99), "!")], "ab!\ncd"),
        ("ab", [Change(at(0, 1, 0, 1), "1"), Change(at(0, 2, 0, 2), "2")], "a12b"),
        ("a\x0cb\ncd", [Change(at(1, 0, 1, 1), "X")], "a\x0cb\nXd"),
        ("a\rb", [Change(at(1, 0, 1, 0), "\n")], "a\r\nb"),
        ("ab\ncd", [Change(None, "new\ntext")], "new\ntext"),
    ],
)
def test_changes(text: str, changes: list[Change], expected: str) -> None:
    assert change(text, *changes) == expected


@pytest.mark.parametrize(
    ("encoding", "start", "end"),
    [(Encoding.UTF8, 5, 9), (Encoding.UTF16, 5, 7), (Encoding.UTF32, 5, 6)],
)
def test_astral_characters(encoding: Encoding, start: int, end: int) -> None:
    changed = change('x = "😀𝄞"', Change(at(0, start, 0, end), "é"), encoding=encoding)
    assert changed == 'x = "é𝄞"'


LINES = st.lists(st.text("ab😀\u2028 ", max_size=4), min_size=1, max_size=6)
ENDS = st.sampled_from(["\n", "\r\n"])


@given(LINES, LINES, ENDS)
def test_a_full_text_becomes_a_small_edit(old: list[str], new: list[str], end: str) -> None:
    assert change(end.join(old), Change(None, end.join(new))) == end.join(new)


@given(LINES, LINES, st.randoms(use_true_random=False), st.sampled_from(list(Encoding)))
def test_any_edit(old: list[str], new: list[str], chance: random.Random, code: Encoding) -> None:
    text = "\n".join(old)
    first = chance.randint(0, len(old) - 1)
    last = chance.randint(first, len(old) - 1)
    start = chance.randint(0, len(old[first]))
    end = chance.randint(start if first == last else 0, len(old[last]))
    wanted = ClientRange(first, code.units(old[first][:start]), last, code.units(old[last][:end]))
    inserted = "\n".join(new)
    expected = "\n".join(
        [*old[:first], old[first][:start] + inserted + old[last][end:], *old[last + 1 :]]
    )
    assert change(text, Change(wanted, inserted), encoding=code) == expected


def test_a_full_text_leaves_what_is_equal_alone() -> None:
    documents = Documents()
    documents.open(URI, "one\ntwo\nthree\n")
    _, (edit,) = documents.change(URI, 2, [Change(None, "one\ntwi\nthree\n")])
    assert edit.old == Range.of(1, 2, 2, 0)
    _, (edit,) = documents.change(URI, 3, [Change(None, "one\ntwi\nthree\n")])
    assert edit.old.empty
    assert not edit.text


def test_documents_are_found_by_any_spelling() -> None:
    documents = Documents()
    opened = documents.open("file:///project/a%20b%2Bc.lua", "x = 1")
    assert documents.get("file:///project/a b+c.lua") is opened
    assert documents.at_path("/project/sub/../a b+c.lua") is opened
    assert documents.open_text(Path("/project/a b+c.lua")) == "x = 1"
    assert documents.open_text(Path("/project/other.lua")) is None
    documents.close("file:///project/a b+c.lua")
    assert documents.get(opened.uri) is None
    assert documents.at_path("/project/a b+c.lua") is None


def test_edits_are_remembered_up_to_the_limit() -> None:
    documents = Documents()
    documents.open(URI, "")
    for version in range(EDITS_REMEMBERED_MAX + 1):
        documents.change(URI, version, [Change(at(0, 0, 0, 0), "x")])
    assert documents.edits_since(URI, 0) is None
    assert len(documents.edits_since(URI, 1) or ()) == EDITS_REMEMBERED_MAX
    assert documents.edits_since(URI, EDITS_REMEMBERED_MAX + 1) == []
    assert documents.edits_since(URI, EDITS_REMEMBERED_MAX + 2) is None
    documents.open(URI, "reopened")
    assert documents.edits_since(URI, 0) == []


def test_places_outside_are_clamped() -> None:
    document = Document.of_text(URI, "ab\ncd")
    assert document.clamp(Position(-1, 5)) == Position(0, 0)
    assert document.clamp(Position(7, 0)) == Position(1, 2)
    assert document.clamp(Position(0, 9)) == Position(0, 2)
    assert document.text(Range.of(0, 1, 9, 9)) == "b\ncd"
    assert document.row(5) == ""
    assert document.client_position(Encoding.UTF16, Position(9, 9)) == (1, 2)
