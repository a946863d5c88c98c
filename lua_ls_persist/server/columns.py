"""Which part of a row a message of Lua is about.

Lua's messages carry a line and no column. Owns the search for the column: in a syntax error for the
token it names, in a runtime error for the expression it describes. Must not know LSP types or
sessions. Where the answer is not certain, the range is wider rather than wrong: at the widest the
row's text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.forms import Syntax, syntax_of
from lua_ls_persist.server.positions import Position, Range

PARSED_ROWS_MAX = 20_000
"""Documents of more rows are not parsed whole to find a column: that would delay the editor."""

_NEAR = re.compile(r" near (?:'(?P<token>.*)'|<eof>)\Z", re.DOTALL)
_UNRESOLVED_JUMP = re.compile(r"(?:(?P<kind>break) outside loop|<?goto.*) at line (?P<line>\d+)")
_OPENING = re.compile(
    r"\(to close '(?P<closed>[^']+)' at line (?P<line>\d+)\)"
    r"|\(starting at line (?P<string_line>\d+)\)"
    r"|already defined on line (?P<label_line>\d+)"
)
_BYTE = re.compile(r"<\\(\d+)>")
_STRING = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_QUOTED_NAME = re.compile(r"'([A-Za-z_]\w*)'")
_VARIABLE = re.compile(
    r"\((?:local|global|field|upvalue|method|constant) '(?P<name>.*)'\)\Z", re.DOTALL
)
_ARGUMENT = re.compile(r"\Abad argument #(?P<number>\d+) to '(?P<function>[^']*)'")
_FUNCTION_PART = re.compile(r"[\w]+\Z")

_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%", "^"})
_BITWISE = frozenset({"&", "|", "~", "<<", ">>"})
_OPERATORS: tuple[tuple[str, frozenset[str]], ...] = (
    ("attempt to perform arithmetic", _ARITHMETIC),
    ("attempt to perform 'n//0'", frozenset({"//"})),
    ("attempt to perform 'n%%0'", frozenset({"%"})),
    ("attempt to perform bitwise", _BITWISE),
    ("number has no integer representation", _BITWISE),
    ("attempt to concatenate", frozenset({".."})),
    ("attempt to compare", frozenset({"<", ">", "<=", ">="})),
    ("attempt to get length", frozenset({"#"})),
)
_INDEXING = frozenset(
    {"dot_index_expression", "bracket_index_expression", "method_index_expression"}
)


@dataclass(frozen=True, slots=True)
class SyntaxPlace:
    """Where a syntax error is, and what else it speaks of."""

    range: Range
    opening: Range | None = None
    """The row of the unclosed block or string, if the message names one."""
    opening_text: str = ""


def non_blank(document: Document, row: int) -> Range:
    """The text of a row without the blanks around it; an empty row gives an empty range."""
    text = document.row(row)
    end = len(text.rstrip())
    start = min(len(text) - len(text.lstrip()), end)
    return Range.of(row, start, row, end)


def syntax_place(
    document: Document,
    message: str,
    row: int,
    fails_at: Callable[[str], str | None],
    *,
    start: Position = Position(0, 0),  # noqa: B008 - frozen
) -> SyntaxPlace:
    """The place of a compiler's message about the code from `start` on.

    `fails_at` compiles a source and gives the message or None; with it, a token that stands on the
    row several times is told apart: the first one with which the source so far fails is the one.
    """
    row = max(0, min(row, document.row_count - 1))
    place = _opening(document, message)
    jump = _UNRESOLVED_JUMP.search(message)
    if jump is not None:
        jump_row = int(jump["line"]) - 1
        word = jump["kind"] or "goto"
        return SyntaxPlace(_only(_words(document, jump_row, word)) or non_blank(document, jump_row))
    near = _NEAR.search(message)
    if near is None:
        name = _QUOTED_NAME.search(message)
        # The compiler complains when it meets the name again: the last one is it.
        range_ = _last(_words(document, row, name[1])) if name else None
    elif near["token"] in {None, "<eof>"}:
        range_ = _last_text(document)
    else:
        range_ = _token(document, row, near["token"], fails_at, start)
    return SyntaxPlace(range_ or non_blank(document, row), *place)


def runtime_range(
    document: Document, message: str, row: int, *, called: str | None = None
) -> Range:
    """The expression on `row` that a runtime message describes, clipped to that row.

    Where the message describes none, it is the call of `called`: the function that raised it.
    """
    row_range = non_blank(document, row)
    if row_range.empty:
        return row_range
    if document.row_count > PARSED_ROWS_MAX:
        # tree-sitter makes sense of one row as well, and of a large file it takes too long.
        alone = Document.of_text(document.uri, document.row(row))
        part = runtime_range(alone, message, 0, called=called)
        return Range.of(row, part.start.column, row, part.end.column)
    syntax = syntax_of(document)
    found = [syntax.range_of(node) for node in _described(syntax, message, row, called)]
    if not found:
        return row_range
    start = max(min(range_.start for range_ in found), row_range.start)
    end = min(max(range_.end for range_ in found), row_range.end)
    return row_range if start >= end else Range(start, end)


def _opening(document: Document, message: str) -> tuple[Range | None, str]:
    match = _OPENING.search(message)
    if match is None:
        return None, ""
    if match["line"]:
        row, word = int(match["line"]) - 1, match["closed"]
        return (
            _only(_words(document, row, word)) or non_blank(document, row),
            f"'{word}' is opened here",
        )
    row = int(match["string_line"] or match["label_line"]) - 1
    return non_blank(document, row), "starts here" if match["string_line"] else "defined here"


def _token(
    document: Document,
    row: int,
    token: str,
    fails_at: Callable[[str], str | None],
    start: Position,
) -> Range | None:
    byte = _BYTE.fullmatch(token)
    if byte is not None:
        candidates = list(_characters(document, row, int(byte[1])))
    else:
        # A token of several rows, a long string, ends on the reported row.
        candidates = list(_words(document, row, token.rpartition("\n")[2]))
    if len(candidates) == 1:
        return candidates[0]

    def broken(end: Position) -> bool:
        message = fails_at(document.text(Range(start, end)))
        return message is not None and not message.endswith(" near <eof>")

    if candidates:
        return next((range_ for range_ in candidates if broken(range_.end)), candidates[-1])
    # The message shows a string with its escapes resolved: no such text on the row.
    ends = range(len(document.row(row)) + 1)
    end = bisect_left(ends, True, key=lambda column: broken(Position(row, column)))
    return _token_before(document, row, end)


def _token_before(document: Document, row: int, end: int) -> Range | None:
    """The string, or else the run of characters, that ends at a column."""
    text = document.row(row)[:end]
    strings = [match.start() for match in _STRING.finditer(text) if match.end() == end]
    start = strings[0] if strings else end - len(text.split(" ")[-1])
    return Range.of(row, start, row, end) if start < end else None


def _characters(document: Document, row: int, byte: int) -> Iterator[Range]:
    """Where a row has a character whose UTF-8 form begins with `byte`."""
    for column, character in enumerate(document.row(row)):
        if character.encode()[0] == byte:
            yield Range.of(row, column, row, column + 1)


def _words(document: Document, row: int, word: str) -> Iterator[Range]:
    """Where `word` stands on a row; a name only as a whole word."""
    pattern = re.escape(word)
    if re.match(r"\w", word):
        pattern = r"(?<!\w)" + pattern
    if re.search(r"\w\Z", word):
        pattern += r"(?!\w)"
    for match in re.finditer(pattern, document.row(row)):
        yield Range.of(row, match.start(), row, match.end())


def _only(ranges: Iterator[Range]) -> Range | None:
    found = list(ranges)
    return found[0] if len(found) == 1 else None


def _last(ranges: Iterator[Range]) -> Range | None:
    found = list(ranges)
    return found[-1] if found else None


def _last_text(document: Document) -> Range | None:
    """The last word of the document: the end of file itself has nothing to underline."""
    for row in range(document.row_count - 1, -1, -1):
        text = document.row(row).rstrip()
        if text:
            start = max(text.rfind(" "), text.rfind("\t")) + 1
            return Range.of(row, start, row, len(text))
    return None


def _described(syntax: Syntax, message: str, row: int, called: str | None) -> list[Node]:
    """The nodes on a row that fit a runtime message."""
    nodes = list(syntax.nodes_on_row(row))
    argument = _ARGUMENT.match(message)
    if argument is not None:
        return _arguments(nodes, argument["function"], int(argument["number"]))
    if message.startswith("attempt to call"):
        names = [name for node in nodes if (name := _called(node)) is not None]
        return _named(names, message)
    if message.startswith("attempt to index"):
        indexed = [
            table
            for node in nodes
            if node.type in _INDEXING and (table := node.child_by_field_name("table")) is not None
        ]
        return _named(indexed, message)
    for start, operators in _OPERATORS:
        if message.startswith(start):
            operations = [node for node in nodes if _operator(node) in operators]
            operands = [operand for node in operations for operand in _operands(node)]
            return _named(operands, message) if _VARIABLE.search(message) else operations
    raising = {"assert", "error"} if called is None else {called}
    calls = [(node, name) for node in nodes if (name := _called(node)) is not None]
    return [node for node, name in calls if _last_name(name) in raising]


def _named(nodes: list[Node], message: str) -> list[Node]:
    """Those of the nodes that are the variable which the message names; all where it names none."""
    variable = _VARIABLE.search(message)
    if variable is None:
        return nodes if len(nodes) == 1 else []
    return [node for node in nodes if _last_name(node) == variable["name"]]


def _last_name(node: Node) -> str | None:
    """The name by which Lua's messages call the value of an expression."""
    if node.type == "identifier":
        return _text(node)
    if node.type in _INDEXING:
        part = node.child_by_field_name("field") or node.child_by_field_name("method")
        if part is None:
            return None
        if part.type == "string":
            content = part.child_by_field_name("content")
            return None if content is None else _text(content)
        return _text(part)
    if node.type == "string":
        content = node.child_by_field_name("content")
        return None if content is None else _text(content)
    if node.type == "parenthesized_expression" and node.named_child_count == 1:
        return _last_name(node.named_child(0))
    return None


def _called(node: Node) -> Node | None:
    return node.child_by_field_name("name") if node.type == "function_call" else None


def _arguments(nodes: list[Node], function: str, number: int) -> list[Node]:
    """The argument of that number in each call of that function, or the call if it has none."""
    part = _FUNCTION_PART.search(function)
    found: list[Node] = []
    for node in nodes:
        name = _called(node)
        if name is None or part is None or _last_name(name) != part[0]:
            continue
        arguments = node.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        found.append(given[number - 1] if 0 < number <= len(given) else node)
    return found


def _operator(node: Node) -> str:
    if node.type == "binary_expression":
        return node.child(1).type
    if node.type == "unary_expression":
        return node.child(0).type
    return ""


def _operands(node: Node) -> Iterator[Node]:
    for field in ("left", "right", "operand"):
        operand = node.child_by_field_name(field)
        if operand is not None:
            yield operand


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
