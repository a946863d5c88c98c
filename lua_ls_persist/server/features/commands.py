"""The commands: evaluate a document, a part or a form of it, and direct the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.errors import LuaPersistError, SessionClosedError
from lua_ls_persist.jsonable import Json, evaluation_to_json
from lua_ls_persist.model import Evaluation
from lua_ls_persist.server.columns import PARSED_ROWS_MAX
from lua_ls_persist.server.commands import (
    CommandError,
    DocumentParams,
    OptionalDocumentParams,
    PositionParams,
    RangeParams,
)
from lua_ls_persist.server.convert import range_json
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.evaluator import Job, Source
from lua_ls_persist.server.features.progress import progress
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.presentation import Origin
from lua_ls_persist.server.tracking import moved_range

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace

EVALUATION_NOTIFICATION = "luaPersist/evaluation"


async def evaluate_file(server: LuaLanguageServer, params: DocumentParams) -> Json:
    """Evaluates a whole document."""
    return await _evaluate(server, server.document(params.uri), None)


async def evaluate_selection(server: LuaLanguageServer, params: RangeParams) -> Json:
    """Evaluates a range; a blank one stands for the form at that place."""
    document = server.document(params.uri)
    range_ = server.converter.range_in(document, params.range)
    if not document.text(range_).strip():
        return await _evaluate_form(server, document, range_.start)
    return await _evaluate(server, document, range_)


async def evaluate_form(server: LuaLanguageServer, params: PositionParams) -> Json:
    """Evaluates the top-level form at a position."""
    document = server.document(params.uri)
    place = params.position
    position = document.position(server.documents.encoding, place.row, place.units)
    return await _evaluate_form(server, document, position)


async def interrupt(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Ends what runs and what waits, in one session or in all."""
    chosen = server.workspaces if params.uri is None else [server.workspace_of(params.uri)]
    ended = [workspace.evaluator.interrupt() for workspace in chosen]
    return {"interrupted": any(ended)}


async def restart(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Gives a session, or all, a fresh VM, and changed settings their effect."""
    chosen = server.workspaces if params.uri is None else [server.workspace_of(params.uri)]
    for workspace in chosen:
        await workspace.restart()
        server.clear_results(workspace)
    return {"restarted": True}


async def clear_results(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Removes results and runtime problems, of one document or of all."""
    changed = server.board.clear(params.uri)
    server.show(changed)
    return {"cleared": bool(changed.hints or changed.notes)}


EVALUATE_FILE = COMMANDS.add("evaluateFile", "Evaluate File", DocumentParams, evaluate_file)
EVALUATE_SELECTION = COMMANDS.add(
    "evaluateSelection", "Evaluate Selection", RangeParams, evaluate_selection
)
EVALUATE_FORM = COMMANDS.add(
    "evaluateForm", "Evaluate Top-Level Form", PositionParams, evaluate_form
)
INTERRUPT = COMMANDS.add("interrupt", "Interrupt Evaluation", OptionalDocumentParams, interrupt)
RESTART = COMMANDS.add("restart", "Restart Session", OptionalDocumentParams, restart)
CLEAR_RESULTS = COMMANDS.add(
    "clearResults", "Clear Inline Results", OptionalDocumentParams, clear_results
)


def register(server: LuaLanguageServer) -> None:
    """Advertises the commands; `protocol` runs them."""
    for command in COMMANDS:
        server.command(command.id)(command.handler)


async def _evaluate_form(server: LuaLanguageServer, document: Document, position: Position) -> Json:
    form = (await server.syntax(document)).form_at(position)
    if form is None:
        raise CommandError(f"there is no Lua code in {document.uri!r}")
    return await _evaluate(server, document, form.range)


async def _evaluate(server: LuaLanguageServer, document: Document, range_: Range | None) -> Json:
    """Evaluates a part of a document, or all of it, and shows what came of it."""
    token = server.progress_token.get()
    workspace = server.workspace_of(document.uri)
    workspace.settle_folders(document)
    places = workspace.places
    name = places.name_of(document.uri)
    job = Job(
        Source(document.source, name)
        if range_ is None
        else Source(document.text(range_), name, line=range_.start.row)
    )
    load = places.loaded(document, range_)
    try:
        with progress(server, f"Evaluating {name}", job.interrupt, token):
            evaluation = await workspace.evaluator.evaluate(job)
        if document.row_count <= PARSED_ROWS_MAX:
            # What is shown depends on it, and showing must not wait for it.
            await server.syntax(server.documents.get(document.uri) or document)
    except SessionClosedError:
        raise
    except LuaPersistError as error:  # It says what to do, and many editors hide failed requests.
        server.window_show_message(types.ShowMessageParams(types.MessageType.Error, str(error)))
        raise
    finally:
        # Also when the request was cancelled: then it ran until now, and what it did can be seen.
        if job.evaluation is not None:
            _show(server, workspace, document, range_, job.evaluation)
            if "evaluation" in server.wanted:
                data = _plain(server, workspace, document, range_, job.evaluation)
                server.protocol.notify(EVALUATION_NOTIFICATION, data)
        if job.evaluation is None or not job.evaluation.ok:
            places.rolled_back(load)
    return _plain(server, workspace, document, range_, evaluation)


def _show(
    server: LuaLanguageServer,
    workspace: Workspace,
    document: Document,
    range_: Range | None,
    evaluation: Evaluation,
) -> None:
    """Puts the notes and hints of an evaluation in the place of those it replaces."""
    now = _moved_since(server, document, range_ or document.range, whole=range_ is None)
    whole = range_ is None
    changed = server.board.evaluated(document.uri, None if whole else now or range_)
    origin = Origin(document.uri, workspace.places.name_of(document.uri), whole, now)
    items = workspace.presenter.items(evaluation, origin)
    server.show(changed | server.board.add(document.uri, items))


def _moved_since(
    server: LuaLanguageServer, document: Document, range_: Range, *, whole: bool
) -> Range | None:
    """Where the evaluated code is now; None if it was edited while it ran."""
    edits = server.documents.edits_since(document.uri, document.revision)
    if whole:
        current = server.documents.get(document.uri) or document
        return current.range if edits == [] or edits is None else None
    place: Range | None = range_
    for edit in edits or ():
        place = None if place is None else moved_range(place, edit)
    return place


def _plain(
    server: LuaLanguageServer,
    workspace: Workspace,
    document: Document,
    range_: Range | None,
    evaluation: Evaluation,
) -> dict[str, Json]:
    """The evaluation as plain data, with what was evaluated and the documents of its chunks."""
    data = evaluation_to_json(evaluation)
    data["uri"] = document.uri
    data["range"] = range_json(server.converter.range(document, range_ or document.range))
    known: dict[str, str | None] = {}

    def add(part: Json) -> None:
        if isinstance(part, dict):
            chunk = part.get("chunk")
            if isinstance(chunk, str):
                if chunk not in known:
                    known[chunk] = workspace.places.uri_of(chunk)
                part["uri"] = known[chunk]
            for inner in part.get("traceback") or ():  # type: ignore[union-attr]
                add(inner)

    for key in ("output", "problems"):
        for part in data[key] or ():  # type: ignore[union-attr]
            add(part)
    return data
