"""Code lenses, and the same as code actions for editors that show no lenses.

The commands carry their parameters, so that an editor needs to know nothing about them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.answers import PLACE, RANGE, Encoded, listed, pattern
from lua_ls_persist.server.commands import Command
from lua_ls_persist.server.convert import client_range, command_call, position_json, range_json
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.commands import (
    EVALUATE_FILE,
    EVALUATE_FORM,
    EVALUATE_SELECTION,
    EVALUATE_TO_CURSOR,
)
from lua_ls_persist.server.features.result_comments import EVALUATE_EXAMPLES, EVALUATE_TO_COMMENT
from lua_ls_persist.server.forms import Form
from lua_ls_persist.server.positions import Encoding, Position
from lua_ls_persist.server.result_comments import Example, examples_in

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

ACTION_KINDS = ("quickfix", "source.luaPersist.data", "source.luaPersist.evaluate")
"""All that any module contributes."""
T = TypeVar("T")

LENSES_MAX = 1000
ACTION_KIND = "source.luaPersist.evaluate"
"""A kind of `source` action: editors do not light a bulb on every line for these."""
RUN_TITLE = "Run"
RUN_ABOVE_TITLE = "Run Above"

logger = logging.getLogger(__name__)


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/codeLens` and `textDocument/codeAction`."""

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions())
    async def code_lens(params: types.CodeLensParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return listed(())
        syntax = await server.syntax(document)
        # What would be refused is not offered.
        trusted = syntax.forms and server.workspace_of(document.uri).trusted
        own = _run_lenses(document, server.documents.encoding, syntax.forms) if trusted else []
        given = [await given_by(source(document)) for source in server.lens_sources]
        return listed(own + [server.encoded(lens) for lenses in given for lens in lenses])

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=list(ACTION_KINDS)),
    )
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return []
        all_given = [await given_by(source(document, params)) for source in server.action_sources]
        given = [action for actions in all_given for action in actions]
        trusted = server.workspace_of(document.uri).trusted
        if not _wanted(params.context.only) or not trusted:
            return given
        uri = document.uri
        selected = server.converter.range_in(document, client_range(params.range))
        at: dict[str, Json] = {"uri": uri, "position": position_json(params.range.start)}
        calls = [
            command_call(EVALUATE_FORM, at),
            command_call(EVALUATE_FILE, {"uri": uri}),
            command_call(EVALUATE_TO_CURSOR, at),
            command_call(EVALUATE_TO_COMMENT, at),
        ]
        syntax = await server.syntax(document)
        above = [form for form in syntax.forms if form.range.end <= selected.start]
        form = syntax.form_at(selected.start)
        if above and form is not None and form != above[-1]:
            calls.append(_run_above(server, document, above[-1]))
        if any(_in_comment(example, selected.start.row) for example in examples_in(document)):
            calls.insert(0, command_call(EVALUATE_EXAMPLES, at))
        if not selected.empty:
            chosen: dict[str, Json] = {"uri": uri, "range": range_json(params.range)}
            calls.insert(0, command_call(EVALUATE_SELECTION, chosen))
        own = [types.CodeAction(title=call.title, kind=ACTION_KIND, command=call) for call in calls]
        # What mends something stands first, and what evaluates before all the rest.
        mending = [action for action in given if action.kind == types.CodeActionKind.QuickFix]
        return mending + own + [action for action in given if action not in mending]


def _run_lenses(document: Document, encoding: Encoding, forms: Sequence[Form]) -> list[str]:
    """The lenses that evaluate the document, each of its forms, and what is above each of them."""
    uri = document.uri
    file = command_call(EVALUATE_FILE, {"uri": uri})
    run = _pattern(RUN_TITLE, EVALUATE_FORM, uri)
    run_above = _pattern(RUN_ABOVE_TITLE, EVALUATE_TO_CURSOR, uri)
    top = {"line": 0, "character": 0}
    command = {"title": file.title, "command": file.command, "arguments": file.arguments}
    lenses = [json.dumps({"range": {"start": top, "end": top}, "command": command})]
    above: Form | None = None
    shown = -1
    for form in forms:
        line = form.range.start.row
        # All lenses of a line stand in a row: only the first of its forms can be told by its place.
        if form.deserves_lens and line != shown and len(lenses) < LENSES_MAX:
            shown = line
            start = document.client_position(encoding, form.range.start)
            lenses.append(run % (*start, *start, *start))
            if above is not None:
                end = document.client_position(encoding, _last_place(above))
                lenses.append(run_above % (*start, *start, *end))
        above = form
    return lenses


def _pattern(title: str, command: Command[Any, Any], uri: str) -> str:
    """A lens that calls a command with a position: the numbers are its range, and this."""
    call = {"title": title, "command": command.id, "arguments": [{"uri": uri, "position": PLACE}]}
    return pattern({"range": RANGE, "command": call})


async def given_by(source: Awaitable[list[T]]) -> list[T]:
    """What one of several sources gives; one that fails must not take the others along."""
    try:
        return await source
    except Exception:  # logged, and the others are shown
        logger.exception("A lens or an action could not be made")
        return []


def _run_above(server: LuaLanguageServer, document: Document, above: Form) -> types.Command:
    """Evaluates everything above a form, up to the one right above it."""
    place = position_json(server.converter.position(document, _last_place(above)))
    call = command_call(EVALUATE_TO_CURSOR, {"uri": document.uri, "position": place})
    call.title = RUN_ABOVE_TITLE
    return call


def _last_place(form: Form) -> Position:
    """Before its last character: behind that, the next form may begin."""
    end = Position(form.range.end.row, max(form.range.end.column - 1, 0))
    return max(end, form.range.start)


def _in_comment(example: Example, row: int) -> bool:
    return example.group <= row <= example.last_row


def _wanted(only: object) -> bool:
    """Whether the client asks for actions of our kind, or of all kinds."""
    if not isinstance(only, (list, tuple)) or not only:
        return True
    kinds = [str(getattr(kind, "value", kind)) for kind in only]
    return any(
        not kind or kind == ACTION_KIND or ACTION_KIND.startswith(f"{kind}.") for kind in kinds
    )
