"""Results as comments in the text, and examples in comments that are evaluated in place.

Owns how both are written and found again. Must not know LSP types or sessions.

    local total = sum(list)   -- => 42
    return everything()
    -- => {
    --      name = "Ann",
    --    }

    --- >>> sum {1, 2}
    --- 3
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.forms import Syntax
from lua_ls_persist.server.positions import Position, Range

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation

MARK: Final = "-- => "
CONTINUED: Final = "--    "
ROW_WIDTH_MAX: Final = 200
ROWS_MAX: Final = 100
NOTHING: Final = "ok"
"""What is said of code that gives no values."""

_PROMPT: Final = ">>>"
_EXAMPLE: Final = re.compile(r"(?P<indent>[ \t]*)---[ \t]*>>>[ \t]?(?P<expression>.*)\Z")
_COMMENT: Final = re.compile(r"[ \t]*---(?P<text>.*)\Z")
_WAS: Final = re.compile(r"WAS (.*)\Z")
_NOW: Final = re.compile(r"NOW (.*)\Z")


@dataclass(frozen=True, slots=True)
class TextChange:
    """New text for a range of a document."""

    range: Range
    text: str


def result_rows(evaluation: Evaluation) -> list[str]:
    """What came of an evaluation, as rows of text."""
    if evaluation.problems:
        rows = f"error: {evaluation.problems[0].message}".split("\n")
    elif not evaluation.values:
        rows = [NOTHING]
    else:
        rows = evaluation.text.split("\n")
    if len(rows) > ROWS_MAX:
        rows[ROWS_MAX:] = [f"... {len(rows) - ROWS_MAX} more rows"]
    return [_clipped(row.rstrip().replace("\r", "")) for row in rows]


def result_comment(
    document: Document, syntax: Syntax, code: Range, rows: Sequence[str]
) -> TextChange:
    """The change that puts a result behind some code, or below it, instead of one that is there."""
    row = code.end.row
    text = document.row(row)
    start = _mark_on(syntax, row, code.end.column)
    end = Position(row, len(text))
    below = row + 1
    if start is not None or row + 1 < document.row_count:
        below = _end_of_block(document, row + 1, started=start is not None)
        if below > row + 1:
            end = Position(below - 1, len(document.row(below - 1)))
    kept = text[: len(text) if start is None else start].rstrip()
    begin = Position(row, len(kept))
    if len(rows) == 1:
        return TextChange(Range(begin, end), f" {MARK}{rows[0]}")
    first = document.row(code.start.row)
    indent = first[: len(first) - len(first.lstrip())]
    lines = [f"{indent}{MARK if not place else CONTINUED}{line}" for place, line in enumerate(rows)]
    return TextChange(Range(begin, end), "".join(f"\n{line.rstrip()}" for line in lines))


def _clipped(row: str) -> str:
    return row if len(row) <= ROW_WIDTH_MAX else row[: ROW_WIDTH_MAX - 3] + "..."


def _mark_on(syntax: Syntax, row: int, column: int) -> int | None:
    """Where a result stands in a comment behind the code of a row."""
    text = syntax.document.row(row)
    for node in syntax.nodes_on_row(row):
        if node.type == "comment" and node.start_point[0] == row:
            range_ = syntax.range_of(node)
            found = text.find(MARK.rstrip(), max(range_.start.column, column))
            if found >= 0 and range_.start.column <= found:
                return found
    return None


def _end_of_block(document: Document, row: int, *, started: bool) -> int:
    """The row behind the comment rows of a result that stands below its code."""
    if not started:
        if not document.row(row).lstrip().startswith(MARK.rstrip()):
            return row
        row += 1
    elif not document.row(row).lstrip().startswith(CONTINUED):
        return row
    while row < document.row_count and document.row(row).lstrip().startswith(CONTINUED):
        row += 1
    return row


@dataclass(frozen=True, slots=True)
class Example:
    """An expression in a comment: `--- >>> expression`, and the rows of its result below."""

    row: int
    last_row: int
    """The last row of its result; its own if there is none."""
    indent: str
    expression: str
    result: tuple[str, ...]
    """What stood there, without marks; of WAS and NOW, what is now."""
    group: int
    """The first row of the comment that it stands in."""

    @property
    def range(self) -> Range:
        """The example and its result."""
        return Range.of(self.row, 0, self.last_row + 1, 0)


def examples_in(document: Document) -> Iterator[Example]:
    """All examples of a document, in order."""
    if _PROMPT not in document.source:
        return  # Most documents have none, and have many rows.
    row, group = 0, 0
    while row < document.row_count:
        text = document.row(row)
        if _COMMENT.match(text) is None:
            row += 1
            group = row
            continue
        start = _EXAMPLE.match(text)
        row += 1
        if start is None or not start["expression"].strip():
            continue
        first = row - 1
        found: list[str] = []
        while row < document.row_count and (line := _result_row(document.row(row))) is not None:
            found.append(line)
            row += 1
        expression = start["expression"].strip()
        yield Example(first, row - 1, start["indent"], expression, _present(found), group)


def _result_row(text: str) -> str | None:
    """A row of a result; None for what ends it: an example, a tag, an empty row, no comment."""
    comment = _COMMENT.match(text)
    if comment is None or _EXAMPLE.match(text) is not None:
        return None
    content = comment["text"]
    if not content.strip() or content.lstrip().startswith("@"):
        return None
    return content.removeprefix(" ").rstrip()


def _present(rows: Sequence[str]) -> tuple[str, ...]:
    """What a result says now: without what was, if both are told."""
    if not any(_WAS.match(row) for row in rows):
        return tuple(rows)
    return tuple(found[1] for row in rows if (found := _NOW.match(row)) is not None)


def example_change(document: Document, example: Example, rows: Sequence[str]) -> TextChange | None:
    """The change that writes a result below an example; None if it stands there already.

    One that differs from what was there shows both, as the user may have expected the old one.
    """
    differs = bool(example.result) and tuple(rows) != example.result
    lines = list(rows)
    if differs:
        lines = [f"WAS {row}" for row in example.result] + [f"NOW {row}" for row in rows]
    text = "".join(f"\n{example.indent}--- {line}".rstrip() for line in lines)
    start = Position(example.row, len(document.row(example.row)))
    range_ = Range(start, Position(example.last_row, len(document.row(example.last_row))))
    return None if document.text(range_) == text else TextChange(range_, text)
