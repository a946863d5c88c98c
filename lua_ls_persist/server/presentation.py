"""What an evaluation shows in the documents.

Turns an `Evaluation` into the notes and hints of the board: problems at the code they are about,
with their traceback; values behind the code that gave them; output behind the code that printed it.
Must not know LSP types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.model import Preview
from lua_ls_persist.pretty import one_line, pretty_values
from lua_ls_persist.server import uris
from lua_ls_persist.server.board import Hint, Item, Note, NoteLevel, Related
from lua_ls_persist.server.columns import (
    PARSED_ROWS_MAX,
    SyntaxPlace,
    non_blank,
    runtime_range,
    syntax_place,
)
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.forms import syntax_of
from lua_ls_persist.server.places import Place, Places
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.toplevel import Named, named_in

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation, Frame, Local, OutputPiece, Problem, Value

LABEL_WIDTH_MAX = 80
DETAILS_CHARACTERS_MAX = 10_000
RELATED_MAX = 20
WARNINGS_MAX = 50
OUTPUT_HINTS_MAX = 1000

RESULT_MARK = "=> "
OUTPUT_MARK = "» "
LOCAL_MARK = "· "
LOCALS_WIDTH_MAX = 60
DONE_LABEL = "✓"
LINE_MARK = " ⏎ "

_QUOTED = re.compile(r"'([^']*)'\Z")
_NO_MESSAGE = "(error object is a "
"""So begins what stands for the message of an error value that has none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The code that was evaluated: a document, or a range of it, where it is now."""

    uri: str
    name: str
    whole: bool
    range: Range | None
    """None if the code was edited in the meantime."""


@dataclass(frozen=True, slots=True)
class _Located:
    """A level of a traceback in a document, and the name of the function that it called."""

    place: Place
    text: str
    called: str | None


@dataclass(frozen=True, slots=True)
class Presenter:
    """What is needed to find places: the documents, the chunks' names, and a compiler."""

    documents: Documents
    places: Places
    fails_at: Callable[[str], str | None]

    def items(
        self, evaluation: Evaluation, origin: Origin, *, only_problems: bool = False
    ) -> list[Item]:
        """Everything that the evaluation shows, in the documents as they are now."""
        items: list[Item] = []
        for problem in evaluation.problems:
            items += self._problem_items(problem, origin)
        if only_problems:
            return items
        items += self._output_items(evaluation.output, origin)
        if evaluation.ok:
            items += self._value_items(evaluation, origin)
        return items

    def local_items(self, document: Document, values: Sequence[Local]) -> list[Item]:
        """The values of a document's locals behind the rows that declare them.

        Not those that say nothing new: functions, and what the declaration itself says.
        """
        known = {local.name: local.value for local in values}
        by_row: dict[int, list[tuple[Named, Value]]] = {}
        for named in {one.name: one for one in named_in(document)}.values():
            if named.name in known and not _is_plain(named, known[named.name]):
                row = named.range.end.row
                by_row.setdefault(row, []).append((named, known[named.name]))
        items: list[Item] = []
        for row, shown in by_row.items():
            width = max(LOCALS_WIDTH_MAX // len(shown), 12)
            parts = [f"{named.name} = {one_line(value, width=width)}" for named, value in shown]
            label = LOCAL_MARK + clipped(", ".join(parts), LABEL_WIDTH_MAX)
            details = "\n".join(
                f"{named.name} = {pretty_values((value,))}" for named, value in shown
            )
            position = Position(row, len(document.row(row)))
            hint = Hint(position, label, fenced(details, "lua"), "local")
            items.append(Item(document.uri, shown[0][0].statement, hint))
        return items

    def document(self, uri: str) -> Document | None:
        """The open document, or the file on disk."""
        return self.documents.get(uri) or read_document(uri)

    def row_range(self, uri: str, row: int) -> Range:
        """The text of a row of a document."""
        document = self.document(uri)
        return Range.of(row, 0, row, 0) if document is None else non_blank(document, row)

    def _problem_items(self, problem: Problem, origin: Origin) -> list[Item]:
        frames = self._located(problem.traceback)
        place = self.places.locate(problem.chunk, problem.line)
        if place is None:
            place = frames[0].place if frames else self._start_of(origin)
        if place is None:
            return []
        if problem.kind == "syntax":
            found = self._syntax_place(problem, place, origin)
            range_, related = found.range, self._related(frames, place)
            if found.opening is not None:
                related = (Related(place.uri, found.opening, found.opening_text), *related)
        else:
            called = next((frame.called for frame in frames if frame.place == place), None)
            range_ = self._described_range(place, problem.message, called)
            related = self._related(frames, place)
        note = Note(_level(problem), problem.kind, _message(problem), range_, related)
        items = [Item(place.uri, self._watched(origin, place), note)]
        here = next((frame for frame in frames if self._inside(origin, frame.place)), None)
        if here is not None and not self._inside(origin, place):
            # The error is elsewhere: the evaluated code has a note of its own, at the call that led
            # there.
            raised = _Located(place, "raised here", None)
            caller = Note(
                note.level,
                note.code,
                f"{note.text} (at {problem.location})",
                self._described_range(here.place, "", here.called),
                self._related([raised, *frames], here.place),
            )
            items.append(Item(here.place.uri, self._watched(origin, here.place), caller))
        return items

    def _syntax_place(self, problem: Problem, place: Place, origin: Origin) -> SyntaxPlace:
        document = self.document(place.uri)
        if document is None:
            return SyntaxPlace(self.row_range(place.uri, place.row))
        start = Position(0, 0)
        if origin.range is not None and self._inside(origin, place):
            start = origin.range.start
        return syntax_place(document, problem.message, place.row, self.fails_at, start=start)

    def _described_range(self, place: Place, message: str, called: str | None) -> Range:
        document = self.document(place.uri)
        if document is None:
            return self.row_range(place.uri, place.row)
        return runtime_range(document, message, place.row, called=called)

    def _warning_item(self, text: str, place: Place, origin: Origin) -> Item:
        note = Note("warning", "warning", text, self._described_range(place, "", "warn"))
        return Item(place.uri, self._watched(origin, place), note)

    def _output_items(self, output: Sequence[OutputPiece], origin: Origin) -> list[Item]:
        texts: dict[tuple[Place, bool], list[str]] = {}
        for piece in output:
            place = self.places.locate(piece.chunk, piece.line) or self._end_of(origin)
            if place is not None:
                texts.setdefault((place, piece.stream == "warning"), []).append(piece.text)
        warnings = [(place, texts) for (place, warning), texts in texts.items() if warning]
        prints = [(place, texts) for (place, warning), texts in texts.items() if not warning]
        return [
            *(
                self._warning_item("".join(parts).strip("\n"), place, origin)
                for place, parts in warnings[:WARNINGS_MAX]
            ),
            *(
                item
                for place, parts in prints[:OUTPUT_HINTS_MAX]
                if (item := self._output_item("".join(parts), place, origin)) is not None
            ),
        ]

    def _output_item(self, text: str, place: Place, origin: Origin) -> Item | None:
        document = self.documents.get(place.uri)
        if document is None:
            return None
        label = OUTPUT_MARK + clipped(text.rstrip("\r\n"), LABEL_WIDTH_MAX)
        position = Position(place.row, len(document.row(place.row)))
        hint = Hint(position, label, fenced(text, ""), "output")
        return Item(place.uri, self._watched(origin, place), hint)

    def _value_items(self, evaluation: Evaluation, origin: Origin) -> list[Item]:
        document = self.documents.get(origin.uri)
        range_ = self._value_range(document, origin)
        if document is None or range_ is None:
            return []
        row = range_.end.row
        position = Position(row, len(document.row(row)))
        if not evaluation.values:
            return [Item(origin.uri, range_, Hint(position, DONE_LABEL))]
        width = max(LABEL_WIDTH_MAX // len(evaluation.values) - 2, 8)
        parts = [one_line(value, width=width) for value in evaluation.values]
        label = RESULT_MARK + clipped(", ".join(parts), LABEL_WIDTH_MAX)
        text = evaluation.text or ", ".join(parts)
        return [Item(origin.uri, range_, Hint(position, label, fenced(text, "lua")))]

    def _value_range(self, document: Document | None, origin: Origin) -> Range | None:
        """The code behind which the values stand: that range, or the last form of a file."""
        if document is None or origin.range is None:
            return None
        if not origin.whole:
            return origin.range
        if document.row_count <= PARSED_ROWS_MAX:
            forms = syntax_of(document).forms
            return forms[-1].range if forms else None
        rows = range(document.row_count - 1, -1, -1)
        return next((non_blank(document, row) for row in rows if document.row(row).strip()), None)

    def _located(self, frames: Sequence[Frame]) -> list[_Located]:
        located: list[_Located] = []
        called: str | None = None
        for frame in frames:
            place = self.places.locate(frame.chunk, frame.line)
            if place is not None:
                text = f"in {frame.function or 'a function'}"
                located.append(_Located(place, text, called))
            called = _function_name(frame)
        return located

    def _related(self, frames: Sequence[_Located], own: Place) -> tuple[Related, ...]:
        related: list[Related] = []
        previous: Place | None = None
        own_is_known = False
        for frame in frames:
            place = frame.place
            repeats = place == previous or (place == own and not own_is_known)
            own_is_known = own_is_known or place == own
            previous = place
            document = self.document(place.uri)
            if repeats or document is None:
                continue
            related.append(Related(place.uri, non_blank(document, place.row), frame.text))
        return tuple(related[:RELATED_MAX])

    def _inside(self, origin: Origin, place: Place) -> bool:
        if uris.key_of(place.uri) != uris.key_of(origin.uri):
            return False
        range_ = origin.range
        return origin.whole or (
            range_ is not None and range_.start.row <= place.row <= range_.end.row
        )

    def _watched(self, origin: Origin, place: Place) -> Range:
        """The code whose edit ends an item: what was evaluated, or in a whole file the row."""
        if origin.range is not None and not origin.whole and self._inside(origin, place):
            return origin.range
        return self.row_range(place.uri, place.row)

    def _start_of(self, origin: Origin) -> Place | None:
        return None if origin.range is None else Place(origin.uri, origin.range.start.row)

    def _end_of(self, origin: Origin) -> Place | None:
        return None if origin.range is None else Place(origin.uri, origin.range.end.row)


def read_document(uri: str) -> Document | None:
    """The file that a URI names, as a document; None if there is no such file or it is no text."""
    path = uris.path_of(uri)
    if path is None:
        return None
    try:
        return Document.of_text(uri, path.read_bytes().decode("utf-8", "replace"))
    except OSError:
        return None


def clipped(text: str, width: int) -> str:
    """A text on one line of at most `width` characters."""
    line = LINE_MARK.join(text.split("\n")).replace("\r", "").replace("\t", " ")
    return line if len(line) <= width else line[: width - 1] + "…"


def fenced(text: str, language: str) -> str:
    """A text as a block of code in Markdown, bounded in length."""
    if len(text) > DETAILS_CHARACTERS_MAX:
        text = text[:DETAILS_CHARACTERS_MAX] + "\n…"
    fence = "```"
    while fence in text:
        fence += "`"
    text = text.rstrip("\n")
    return f"{fence}{language}\n{text}\n{fence}"


def _is_plain(named: Named, value: Value) -> bool:
    """Whether a local's value says nothing that its declaration does not say."""
    if isinstance(value, Preview) and value.kind == "function":
        return True
    if isinstance(value, str) and named.value[:1] in ("'", '"'):
        return True
    return named.value != "" and one_line(value) == named.value


def _level(problem: Problem) -> NoteLevel:
    if problem.kind == "interrupt":
        return "information"
    return "warning" if problem.severity == "warning" else "error"


def _message(problem: Problem) -> str:
    """The problem's message; for an error value that has none, the value.

    A table has one by its `__tostring`, as classes of errors do.
    """
    has_none = problem.message.startswith(_NO_MESSAGE) or not problem.message
    if has_none and isinstance(problem.value, (Preview, bool)):
        return f"error value: {one_line(problem.value)}"
    return problem.message or problem.kind


def _function_name(frame: Frame) -> str | None:
    """The last name in a traceback's description: `insert` of `function 'table.insert'`."""
    name = _QUOTED.search(frame.function)
    return None if name is None else re.split("[.:]", name[1])[-1]
