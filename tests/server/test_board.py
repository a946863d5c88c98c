"""Which results stay, move and go."""

from __future__ import annotations

from lua_ls_persist.server.board import Board, Changed, Hint, Item, Note, Related
from lua_ls_persist.server.documents import Change, ClientRange, Documents, Edit
from lua_ls_persist.server.positions import Position, Range

A, B = "file:///a.lua", "file:///b.lua"
TEXT = "one()\ntwo()\nthree()\n"


def note(row: int, text: str = "bad", related: tuple[Related, ...] = ()) -> Note:
    return Note("error", "runtime", text, Range.of(row, 0, row, 5), related)


def noted(uri: str, row: int, text: str = "bad", related: tuple[Related, ...] = ()) -> Item:
    return Item(uri, Range.of(row, 0, row, 5), note(row, text, related))


def hinted(uri: str, row: int, label: str = "=> 1") -> Item:
    return Item(uri, Range.of(row, 0, row, 5), Hint(Position(row, 5), label))


def edits(*change: int, text: str) -> list[Edit]:
    documents = Documents()
    documents.open(A, TEXT)
    return documents.change(A, 2, [Change(ClientRange(*change), text)])[1]


def shown(board: Board, uri: str) -> list[str]:
    """`row:text` of each note and hint."""
    return [f"{note.range.start.row}:{note.text}" for note in board.notes(uri)] + [
        f"{hint.position.row}:{hint.label}" for hint in board.hints(uri)
    ]


def test_results_are_found_by_document() -> None:
    board = Board()
    changed = board.add(A, [hinted(A, 1, "=> 2"), hinted(A, 0), noted(B, 2)])
    assert changed == Changed(frozenset({B}), frozenset({A}))
    assert shown(board, A) == ["0:=> 1", "1:=> 2"]
    assert shown(board, "file:///%62.lua") == ["2:bad"]
    assert board.add(A, []) == Changed()


def test_a_new_evaluation_of_a_form_replaces_what_stands_there() -> None:
    board = Board()
    board.add(A, [hinted(A, 0), hinted(A, 1), noted(B, 0)])
    board.add(B, [noted(A, 1, "from b")])
    assert board.evaluated(A, Range.of(1, 0, 1, 5)) == Changed(frozenset({A}), frozenset({A}))
    assert shown(board, A) == ["0:=> 1"]
    assert shown(board, B) == ["0:bad"]


def test_a_new_evaluation_of_a_document_replaces_all_of_it() -> None:
    board = Board()
    board.add(A, [hinted(A, 0), noted(B, 0, "in b from a")])
    board.add(B, [noted(B, 2, "in b from b"), noted(A, 2, "in a from b")])
    board.evaluated(A, None)
    assert shown(board, A) == []
    assert shown(board, B) == ["2:in b from b"]


def test_edits_shift_and_end() -> None:
    board = Board()
    board.add(A, [hinted(A, 0), hinted(A, 1, "two"), hinted(A, 2, "three")])
    changed = board.edited(A, edits(1, 0, 1, 0, text="new()\nx = "))
    assert changed == Changed(hints=frozenset({A}))
    assert shown(board, A) == ["0:=> 1", "3:three"]
    assert board.edited(B, edits(0, 0, 0, 1, text="")) == Changed()


def test_a_line_break_behind_a_form_leaves_its_hint() -> None:
    board = Board()
    board.add(A, [hinted(A, 0), noted(A, 0)])
    assert board.edited(A, edits(0, 5, 0, 5, text="\n  ")) == Changed()
    assert board.hints(A)[0].position == Position(0, 5)
    assert board.notes(A)[0].range == Range.of(0, 0, 0, 5)


def test_related_places_move_in_their_own_document() -> None:
    board = Board()
    related = (Related(A, Range.of(2, 0, 2, 5), "in f"), Related(B, Range.of(2, 0, 2, 5), "in g"))
    board.add(B, [noted(B, 0, related=related)])
    board.edited(A, edits(0, 0, 0, 0, text="\n"))
    (moved,) = board.notes(B)
    assert [part.range.start.row for part in moved.related] == [3, 2]
    assert moved.range.start.row == 0


def test_clearing() -> None:
    def board() -> Board:
        board = Board()
        board.add(A, [hinted(A, 0), noted(B, 0)])
        board.add(B, [noted(B, 1)])
        return board

    one = board()
    one.clear(A)
    assert (shown(one, A), shown(one, B)) == ([], ["1:bad"])
    everything = board()
    assert everything.clear() == Changed(frozenset({B}), frozenset({A}))
    assert (shown(everything, A), shown(everything, B)) == ([], [])
    closed = board()
    closed.closed(B)
    assert (shown(closed, A), shown(closed, B)) == (["0:=> 1"], [])
