"""The commands that evaluate, and those that direct the sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lua_ls_persist.jsonable import Json
from lua_ls_persist.pretty import one_line
from lua_ls_persist.server import uris
from lua_ls_persist.server.columns import non_blank
from lua_ls_persist.server.commands import (
    ClientPosition,
    CommandError,
    DocumentParams,
    OptionalDocumentParams,
    PositionParams,
    RangeParams,
    param,
)
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.evaluating import (
    Piece,
    evaluate,
    evaluate_text,
    locals_json,
)
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.toplevel import code_of_text

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace

REPL_NAME: Final = "(repl)"


@dataclass(frozen=True, slots=True)
class TextParams:
    """A text to evaluate, as of a REPL: an expression, or statements."""

    text: str = param("an expression, or statements")
    uri: str | None = param("a document or folder: of its session; otherwise of the first", None)
    name: str | None = param("what messages call it; texts of one name share locals", None)


async def evaluate_file(server: LuaLanguageServer, params: DocumentParams) -> Json:
    """Evaluates a whole document."""
    return (await evaluate(server, Piece(server.document(params.uri), None))).json


async def evaluate_selection(server: LuaLanguageServer, params: RangeParams) -> Json:
    """Evaluates a range; a blank one stands for the form at that place."""
    document = server.document(params.uri)
    range_ = server.converter.range_in(document, params.range)
    if not document.text(range_).strip():
        range_ = await form_range(server, document, range_.start)
    return (await evaluate(server, Piece(document, range_))).json


async def evaluate_form(server: LuaLanguageServer, params: PositionParams) -> Json:
    """Evaluates the top-level form at a position."""
    document, position = place_of(server, params.uri, params.position)
    range_ = await form_range(server, document, position)
    return (await evaluate(server, Piece(document, range_))).json


async def evaluate_line(server: LuaLanguageServer, params: PositionParams) -> Json:
    """Evaluates the text of one line."""
    document, position = place_of(server, params.uri, params.position)
    range_ = non_blank(document, position.row)
    if range_.empty:
        raise CommandError(f"line {position.row + 1} of {document.uri!r} is empty")
    return (await evaluate(server, Piece(document, range_))).json


async def evaluate_to_cursor(server: LuaLanguageServer, params: PositionParams) -> Json:
    """Evaluates everything from the start of a document to the form at a position, with it."""
    document, position = place_of(server, params.uri, params.position)
    form = (await server.syntax(document)).form_at(position)
    if form is None:
        raise CommandError(f"there is no Lua code in {document.uri!r}")
    end = form.range.end if form.range.start <= position else position
    range_ = Range(Position(0, 0), end)
    return (await evaluate(server, Piece(document, range_, afresh=True))).json


async def evaluate_text_command(server: LuaLanguageServer, params: TextParams) -> Json:
    """Evaluates a text that stands in no document; its locals last."""
    workspace = server.workspace_of(params.uri)
    name = params.name or REPL_NAME
    text, code = params.text, None
    if workspace.settings.keep_locals:
        described = code_of_text(text, f"repl:{name}")
        if described is not None:
            text, code = described
    _, data = await evaluate_text(server, workspace, text, name, code)
    return data


async def interrupt(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Ends what runs and what waits, in one session or in all."""
    ended = [workspace.evaluator.interrupt() for workspace in _chosen(server, params)]
    return {"interrupted": any(ended)}


async def restart(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Gives a session, or all, a fresh VM, and changed settings their effect."""
    for workspace in _chosen(server, params):
        await workspace.restart()
        server.clear_results(workspace)
    return {"restarted": True}


async def reset(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Begins again from what is stored: globals and the image of the VM are dropped."""
    workspace = server.workspace_of(params.uri)
    await workspace.restart()
    server.clear_results(workspace)
    # A session that has not been opened yet would go on from its image.
    session = await workspace.evaluator.open_kept()
    if session is not None and session.resumed:
        await workspace.restart()
    return {"reset": True, "started": None if session is None else session.started}


async def clear_results(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """Removes results and runtime problems, of one document or of all."""
    changed = server.board.clear(params.uri)
    server.show(changed)
    return {"cleared": bool(changed.hints or changed.notes)}


async def copy_last_result(server: LuaLanguageServer, params: OptionalDocumentParams) -> Json:
    """The values of the last evaluation as text."""
    last = server.workspace_of(params.uri).last
    if last is None:
        raise CommandError("nothing was evaluated yet")
    if last.problems:
        return {"text": "\n".join(map(str, last.problems))}
    return {"text": last.text or ", ".join(map(one_line, last.values))}


async def local_values(server: LuaLanguageServer, params: DocumentParams) -> Json:
    """The top-level locals of a document as the last evaluations of it left them."""
    document = server.document(params.uri)
    await server.syntax(document)
    key = uris.key_of(document.uri)
    found = await server.evaluator_of(params.uri).use(lambda session: session.locals(key))
    return {"locals": locals_json(server, document, found)}


EVALUATE_FILE = COMMANDS.add("evaluateFile", "Evaluate File", DocumentParams, evaluate_file)
EVALUATE_SELECTION = COMMANDS.add(
    "evaluateSelection", "Evaluate Selection", RangeParams, evaluate_selection
)
EVALUATE_FORM = COMMANDS.add(
    "evaluateForm", "Evaluate Top-Level Form", PositionParams, evaluate_form
)
EVALUATE_LINE = COMMANDS.add("evaluateLine", "Evaluate Line", PositionParams, evaluate_line)
EVALUATE_TO_CURSOR = COMMANDS.add(
    "evaluateToCursor", "Evaluate from Start to Cursor", PositionParams, evaluate_to_cursor
)
EVALUATE_TEXT = COMMANDS.add("evaluateText", "Evaluate Text", TextParams, evaluate_text_command)
INTERRUPT = COMMANDS.add("interrupt", "Interrupt Evaluation", OptionalDocumentParams, interrupt)
RESTART = COMMANDS.add("restart", "Restart Session", OptionalDocumentParams, restart)
RESET = COMMANDS.add("reset", "Reset Session to What Is Stored", OptionalDocumentParams, reset)
CLEAR_RESULTS = COMMANDS.add(
    "clearResults", "Clear Inline Results", OptionalDocumentParams, clear_results
)
COPY_LAST_RESULT = COMMANDS.add(
    "copyLastResult", "Copy Last Result", OptionalDocumentParams, copy_last_result
)
LOCAL_VALUES = COMMANDS.add("localValues", "Show Values of Locals", DocumentParams, local_values)


def place_of(
    server: LuaLanguageServer, uri: str, place: ClientPosition
) -> tuple[Document, Position]:
    """The document, and the place in it, that a client speaks of."""
    document = server.document(uri)
    return document, document.position(server.documents.encoding, place.row, place.units)


async def form_range(server: LuaLanguageServer, document: Document, position: Position) -> Range:
    """The top-level form at a position.

    Raises:
        CommandError: there is none.
    """
    form = (await server.syntax(document)).form_at(position)
    if form is None:
        raise CommandError(f"there is no Lua code in {document.uri!r}")
    return form.range


def _chosen(server: LuaLanguageServer, params: OptionalDocumentParams) -> list[Workspace]:
    return list(server.workspaces) if params.uri is None else [server.workspace_of(params.uri)]
