"""What the syntax tree says about a document: its top-level forms, and expressions on a row.

Owns tree-sitter. Must not know LSP types or sessions. tree-sitter counts columns in bytes of UTF-8;
nothing but `Syntax` sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import tree_sitter_lua
from tree_sitter import Language, Node, Parser, Tree

from lua_ls_persist.server.common_ends import common_ends
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range

LUA = Language(tree_sitter_lua.language())

_NOT_FORMS = frozenset({"comment", "hash_bang_line", "empty_statement"})
_FUNCTIONS = frozenset({"function_declaration"})
_SHORT_KINDS = frozenset(
    {
        "variable_declaration",
        "assignment_statement",
        "return_statement",
        "label_statement",
        "goto_statement",
        "break_statement",
        "ERROR",
    }
)


@dataclass(frozen=True, slots=True)
class Form:
    """A statement of the outermost level of a file."""

    range: Range
    kind: str
    """tree-sitter's name of the node."""
    broken: bool
    """Whether its syntax has an error."""

    @property
    def is_function(self) -> bool:
        """Whether it declares a function."""
        return self.kind in _FUNCTIONS

    @property
    def deserves_lens(self) -> bool:
        """Whether a line of its own above it is worth the room: not for one-line assignments."""
        many_rows = self.range.end.row > self.range.start.row
        return many_rows or self.kind not in _SHORT_KINDS


def syntax_of(document: Document) -> Syntax:
    """The syntax tree of a document, parsed once; after an edit only around it. Any thread."""
    syntax = document.derived.get("syntax")
    if not isinstance(syntax, Syntax):
        syntax = Syntax(document)
        document.derived["syntax"] = syntax
    return syntax


def is_parsed(document: Document) -> bool:
    """Whether `syntax_of` takes little time."""
    return "syntax" in document.derived or "tree" in document.basis


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A tree and the text it is of."""

    source: bytes
    tree: Tree


def _tree_of(document: Document) -> _Parsed:
    """The tree of a document, from that of an earlier state where there is one."""
    source = document.source.encode()
    basis = document.basis.get("tree")
    if isinstance(basis, _Parsed):
        tree = Parser(LUA).parse(source, _edited(basis, source))
    else:
        tree = Parser(LUA).parse(source)
    parsed = _Parsed(source, tree)
    document.derived["tree"] = parsed
    return parsed


def _edited(old: _Parsed, source: bytes) -> Tree:
    """A copy of the old tree that knows which part of the text is another now."""
    before = old.source
    head, tail = common_ends(before, source)
    while head > 0 and (before[head - 1] >= 0x80 or source[head - 1] >= 0x80):
        head -= 1  # Not within a character.
    while tail > 0 and before[len(before) - tail] & 0xC0 == 0x80:
        tail -= 1
    old_end, new_end = len(before) - tail, len(source) - tail
    tree = old.tree.copy()
    tree.edit(
        head,
        old_end,
        new_end,
        _point(before, head),
        _point(before, old_end),
        _point(source, new_end),
    )
    return tree


def _point(source: bytes, offset: int) -> tuple[int, int]:
    return source.count(b"\n", 0, offset), offset - source.rfind(b"\n", 0, offset) - 1


class Syntax:
    """The syntax tree of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document.bare()
        self._is_ascii = document.source.isascii()
        self._tree = _tree_of(document).tree

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """The statements of the outermost level."""
        return tuple(self._forms())

    @property
    def root(self) -> Node:
        """The whole tree."""
        return self._tree.root_node

    def range_of(self, node: Node) -> Range:
        """Where a node lies, in code points."""
        return Range(
            self._position(node.start_point[0], node.start_point[1]),
            self._position(node.end_point[0], node.end_point[1]),
        )

    def form_at(self, position: Position) -> Form | None:
        """The form that a person means who has the cursor at `position`.

        The form under the cursor; on a row with several, the last one that starts before the
        cursor; in the comment right above a form, that form; else the nearest above, else the
        nearest below.
        """
        row = position.row
        on_row = [form for form in self.forms if form.range.start.row <= row <= form.range.end.row]
        if on_row:
            started = [form for form in on_row if form.range.start <= position]
            form = started[-1] if started else on_row[0]
            return self._expression_row(form, row) or form
        below = next((form for form in self.forms if form.range.start.row > row), None)
        if below is not None and self._comment_between(row, below.range.start.row):
            return below
        above = [form for form in self.forms if form.range.end.row < row]
        return above[-1] if above else below

    def ranges_around(self, position: Position) -> list[Range]:
        """What the nodes around a place cover, outer ones first."""
        column = len(self.document.row(position.row)[: position.column].encode())
        place = (position.row, column)
        found: list[Range] = []
        node = self.root.descendant_for_point_range(place, place)
        while node is not None:
            found.append(self.range_of(node))
            node = node.parent
        return found[::-1]

    def nodes_on_row(self, row: int) -> Iterator[Node]:
        """All named nodes that start or end on a row, outer ones first."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            if node.start_point[0] > row or node.end_point[0] < row:
                continue
            if node.is_named and row in (node.start_point[0], node.end_point[0]):
                yield node
            stack.extend(reversed(node.children))

    def _forms(self) -> Iterator[Form]:
        # A root that is an error itself has no statements to tell apart; its rows are still
        # evaluated one by one through `_expression_row`.
        if self.root.is_error:
            yield Form(self.range_of(self.root), "ERROR", broken=True)
            return
        for node in self.root.named_children:
            if node.type not in _NOT_FORMS:
                yield Form(self.range_of(node), node.type, broken=node.has_error)

    def _expression_row(self, form: Form, row: int) -> Form | None:
        """The row itself as a form, where `form` is broken and the row is well-formed Lua.

        A bare expression such as `1 + 1` is not a statement of Lua, but people write it in scratch
        buffers to see its value.
        """
        if not form.broken:
            return None
        text = self.document.row(row)
        content = text.strip()
        if not content or not (parses(f"return {content}") or parses(content)):
            return None
        start = len(text) - len(text.lstrip())
        return Form(Range.of(row, start, row, start + len(content)), "expression", broken=False)

    def _comment_between(self, row: int, form_row: int) -> bool:
        """Whether rows from `row` to the one above a form are all part of comments."""
        return all(
            self.document.row(between).strip() and self._in_comment(between)
            for between in range(row, form_row)
        )

    def _in_comment(self, row: int) -> bool:
        column = len(self.document.row(row)) - len(self.document.row(row).lstrip())
        place = (row, len(self.document.row(row)[:column].encode()))
        node = self.root.descendant_for_point_range(place, place)
        while node is not None and node.type != "comment":
            node = node.parent
        return node is not None

    def _position(self, row: int, byte_column: int) -> Position:
        if self._is_ascii:
            return Position(row, byte_column)
        text = self.document.row(row)
        if text.isascii():
            return Position(row, min(byte_column, len(text)))
        return Position(row, len(text.encode()[:byte_column].decode(errors="ignore")))


def parses(source: str) -> bool:
    """Whether `source` is a Lua chunk without syntax errors, as far as tree-sitter sees."""
    return not Parser(LUA).parse(source.encode()).root_node.has_error
