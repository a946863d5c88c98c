"""Evaluating to comments: results behind the code, and examples in comments checked in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server import uris
from lua_ls_persist.server.commands import ClientPosition, CommandError, param
from lua_ls_persist.server.convert import command_call, position_json, range_json
from lua_ls_persist.server.documents import ClientRange, Document
from lua_ls_persist.server.features.commands import form_range, place_of
from lua_ls_persist.server.features.evaluating import Piece, evaluate, evaluate_text
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.result_comments import (
    Example,
    TextChange,
    example_change,
    examples_in,
    result_comment,
    result_rows,
)
from lua_ls_persist.server.toplevel import code_of_text

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

EXAMPLES_LENS_TITLE = "Evaluate Examples"


@dataclass(frozen=True, slots=True)
class PlaceParams:
    """A range of a document, or the form at a position."""

    uri: str = param("the document")
    range: ClientRange | None = param("the code; a blank range stands for the form there", None)
    position: ClientPosition | None = param("otherwise: the form at this place", None)


@dataclass(frozen=True, slots=True)
class ExamplesParams:
    """The examples of the comment at a position, or all of a document."""

    uri: str = param("the document")
    position: ClientPosition | None = param("in the comment; otherwise all of the document", None)


async def evaluate_to_comment(server: LuaLanguageServer, params: PlaceParams) -> Json:
    """Evaluates a range or a form, and writes the result into a comment behind it."""
    document = server.document(params.uri)
    if params.range is not None:
        range_ = server.converter.range_in(document, params.range)
        if not document.text(range_).strip():
            range_ = await form_range(server, document, range_.start)
        range_ = _without_blanks(document, range_)
    elif params.position is not None:
        _, position = place_of(server, params.uri, params.position)
        range_ = await form_range(server, document, position)
    else:
        raise CommandError("`range` or `position` is missing: which code is to be evaluated?")
    done = await evaluate(server, Piece(document, range_, quiet=True))
    current = server.documents.get(document.uri)
    edits: list[Json] = []
    if current is not None and done.range is not None:
        syntax = await server.syntax(current)
        change = result_comment(current, syntax, done.range, result_rows(done.evaluation))
        edits = apply_changes(server, current, [change], "Evaluate to Comment")
    return {**done.json, "edits": edits}


async def evaluate_examples(server: LuaLanguageServer, params: ExamplesParams) -> Json:
    """Evaluates `--- >>> expression` comments, and writes the results below them."""
    document = server.document(params.uri)
    wanted = list(examples_in(document))
    if params.position is not None:
        _, position = place_of(server, params.uri, params.position)
        wanted = [one for one in wanted if one.group == _group_at(wanted, position.row)]
    if not wanted:
        raise CommandError(f"there are no examples (`--- >>> expression`) here in {document.uri!r}")
    workspace = server.workspace_of(document.uri)
    workspace.settle_folders(document)
    name, key = workspace.places.name_of(document.uri), uris.key_of(document.uri)
    await server.syntax(document)
    results: dict[tuple[int, str], tuple[str, ...]] = {}
    told: list[Json] = []
    for number, example in enumerate(wanted):
        text, code = code_of_text(example.expression, key, document, row=example.row) or (
            example.expression,
            None,
        )
        evaluation, data = await evaluate_text(
            server, workspace, text, name, code, line=example.row
        )
        rows = tuple(result_rows(evaluation))
        results[number, example.expression] = rows
        told.append(_told(server, document, example, rows, data))
    changes = _changes(server, document, wanted, results)
    current = server.documents.get(document.uri) or document
    edits = apply_changes(server, current, changes, "Evaluate Examples")
    return {"examples": told, "edits": edits}


EVALUATE_TO_COMMENT = COMMANDS.add(
    "evaluateToComment", "Evaluate to Comment", PlaceParams, evaluate_to_comment
)
EVALUATE_EXAMPLES = COMMANDS.add(
    "evaluateExamples", "Evaluate Examples", ExamplesParams, evaluate_examples
)


def register(server: LuaLanguageServer) -> None:
    """A lens above each comment with examples."""

    async def lenses(document: Document) -> list[types.CodeLens]:
        groups = dict.fromkeys(example.group for example in examples_in(document))
        found = []
        for row in groups:
            start = server.converter.position(document, Position(row, 0))
            call = command_call(
                EVALUATE_EXAMPLES, {"uri": document.uri, "position": position_json(start)}
            )
            call.title = EXAMPLES_LENS_TITLE
            found.append(types.CodeLens(range=types.Range(start, start), command=call))
        return found

    server.lens_sources.append(lenses)


def apply_changes(
    server: LuaLanguageServer, document: Document, changes: Iterable[TextChange], label: str
) -> list[Json]:
    """Has the client change a document, if it can; returns the changes in any case."""
    edits = [
        types.TextEdit(server.converter.range(document, change.range), change.text)
        for change in changes
    ]
    workspace = server.client_capabilities.workspace
    if edits and workspace is not None and workspace.apply_edit:
        support = workspace.workspace_edit
        if support is not None and support.document_changes:
            versioned = types.OptionalVersionedTextDocumentIdentifier(
                version=document.version, uri=document.uri
            )
            edit = types.WorkspaceEdit(
                document_changes=[types.TextDocumentEdit(versioned, [*edits])]
            )
        else:
            edit = types.WorkspaceEdit(changes={document.uri: edits})
        # Nobody waits for the answer: a client that refuses has said why to its user.
        server.protocol.send_request(
            types.WORKSPACE_APPLY_EDIT, types.ApplyWorkspaceEditParams(edit, label)
        )
    return [{"range": range_json(edit.range), "new_text": edit.new_text} for edit in edits]


def _without_blanks(document: Document, range_: Range) -> Range:
    """A range without blanks at its end: a selection of whole rows ends in the next one."""
    text = document.text(range_)
    content = text.rstrip()
    rows = content.split("\n")
    start = range_.start
    row = start.row + len(rows) - 1
    column = len(rows[-1]) + (start.column if len(rows) == 1 else 0)
    return Range(start, Position(row, column))


def _group_at(examples: list[Example], row: int) -> int | None:
    """The comment that a row stands in; or the nearest above."""
    return max((example.group for example in examples if example.group <= row), default=None)


def _changes(
    server: LuaLanguageServer,
    document: Document,
    wanted: list[Example],
    results: dict[tuple[int, str], tuple[str, ...]],
) -> list[TextChange]:
    """The results as changes of the document as it is now: examples may have moved meanwhile."""
    current = server.documents.get(document.uri)
    if current is None:
        return []
    now = list(examples_in(current))
    expressions = [example.expression for example in examples_in(document)]
    if [example.expression for example in now] != expressions:
        return []  # Somebody rewrites them at this moment.
    first = next(
        place for place, example in enumerate(examples_in(document)) if example.row == wanted[0].row
    )
    found = (
        example_change(current, now[first + number], rows) for (number, _), rows in results.items()
    )
    return [change for change in found if change is not None]


def _told(
    server: LuaLanguageServer,
    document: Document,
    example: Example,
    rows: tuple[str, ...],
    data: dict[str, Json],
) -> Json:
    was = "\n".join(example.result)
    return {
        "expression": example.expression,
        "range": range_json(server.converter.range(document, example.range)),
        "was": was or None,
        "now": "\n".join(rows),
        "changed": bool(was) and example.result != rows,
        "ok": data["ok"],
        "problems": data["problems"],
    }
