"""To and from LSP's types. The only module that builds them from ours.

Must not decide anything: what is shown and where is settled before it comes here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lsprotocol import types

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.board import Hint, Note, NoteLevel
from lua_ls_persist.server.commands import Command
from lua_ls_persist.server.documents import Change, ClientRange, Document
from lua_ls_persist.server.positions import Encoding, Position, Range

SOURCE = "lua-persist"

_FENCE = re.compile(r"^```+\w*\n?", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")

_SEVERITIES: dict[NoteLevel, types.DiagnosticSeverity] = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


class Converter:
    """Conversion for one client: its position encoding, and what it understands."""

    def __init__(
        self,
        encoding: Encoding,
        document: Callable[[str], Document | None],
        *,
        related_information: bool,
    ) -> None:
        self.encoding = encoding
        self._document = document
        self._related_information = related_information

    def range_in(self, document: Document, range_: ClientRange) -> Range:
        """A range of a document as the client gave it."""
        start = document.position(self.encoding, range_.start_row, range_.start_units)
        end = document.position(self.encoding, range_.end_row, range_.end_units)
        return Range(start, max(start, end))

    def position(self, document: Document | None, position: Position) -> types.Position:
        """A place of a document for the client; as it is where the text is not known."""
        if document is None:
            return types.Position(position.row, position.column)
        return types.Position(*document.client_position(self.encoding, position))

    def range(self, document: Document | None, range_: Range) -> types.Range:
        """A range of a document for the client."""
        return types.Range(
            self.position(document, range_.start), self.position(document, range_.end)
        )

    def diagnostics(self, uri: str, notes: Iterable[Note]) -> list[types.Diagnostic]:
        """The notes of a document."""
        document = self._document(uri)
        return [self._diagnostic(document, note) for note in notes]

    def inlay_hints(self, document: Document, hints: Iterable[Hint]) -> list[types.InlayHint]:
        """The hints of a document."""
        return [
            types.InlayHint(
                position=self.position(document, hint.position),
                label=hint.label,
                padding_left=True,
                tooltip=types.MarkupContent(types.MarkupKind.Markdown, hint.details)
                if hint.details
                else None,
            )
            for hint in hints
        ]

    def _diagnostic(self, document: Document | None, note: Note) -> types.Diagnostic:
        message = note.text
        related: list[types.DiagnosticRelatedInformation] | None = None
        if note.related and self._related_information:
            related = [
                types.DiagnosticRelatedInformation(
                    types.Location(part.uri, self.range(self._document(part.uri), part.range)),
                    part.text,
                )
                for part in note.related
            ]
        elif note.related:
            places = (
                f"{part.uri.rpartition('/')[2]}:{part.range.start.row + 1}: {part.text}"
                for part in note.related
            )
            message = "\n".join([message, *places])
        return types.Diagnostic(
            range=self.range(document, note.range),
            severity=_SEVERITIES[note.level],
            code=note.code,
            source=SOURCE,
            message=message,
            related_information=related,
        )


def markup(text: str, formats: Sequence[types.MarkupKind] | None) -> types.MarkupContent | str:
    """Markdown for a client that knows it, else the same without its marks."""
    if types.MarkupKind.Markdown in (formats or ()):
        return types.MarkupContent(types.MarkupKind.Markdown, text)
    plain = _FENCE.sub("", text)
    plain = _LINK.sub(r"\1", plain).replace("`", "")
    if types.MarkupKind.PlainText in (formats or ()):
        return types.MarkupContent(types.MarkupKind.PlainText, plain.strip())
    return plain.strip()


def changes_of(
    changes: Sequence[types.TextDocumentContentChangeEvent],
) -> list[Change]:
    """The changes of a `textDocument/didChange`."""
    return [
        Change(client_range(change.range), change.text)
        if isinstance(change, types.TextDocumentContentChangePartial)
        else Change(None, change.text)
        for change in changes
    ]


def client_range(range_: types.Range) -> ClientRange:
    """A range as the client counts it."""
    start, end = range_.start, range_.end
    return ClientRange(start.line, start.character, end.line, end.character)


def range_json(range_: types.Range) -> dict[str, Json]:
    """A range as plain data."""
    return {"start": position_json(range_.start), "end": position_json(range_.end)}


def position_json(position: types.Position) -> dict[str, Json]:
    """A position as plain data."""
    return {"line": position.line, "character": position.character}


def command_call(command: Command[Any, Any], params: dict[str, Json]) -> types.Command:
    """A command that the client sends back as it is."""
    return types.Command(title=command.title, command=command.id, arguments=[params])


def encoding_of(kind: types.PositionEncodingKind | str | None) -> Encoding:
    """The encoding that was negotiated; UTF-16 where nothing was."""
    if kind is None:
        return Encoding.UTF16
    return Encoding(kind.value if isinstance(kind, types.PositionEncodingKind) else kind)
