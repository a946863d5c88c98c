"""One evaluation of a piece of Lua, from the document to everything that is shown of it.

Owns the order: progress and a mark while it runs, output as it comes, then hints, diagnostics and
notifications, then the answer. The commands say what is evaluated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist import session as sessions
from lua_ls_persist.errors import LuaPersistError, SessionClosedError
from lua_ls_persist.jsonable import Json, evaluation_to_json, value_to_json
from lua_ls_persist.server import uris
from lua_ls_persist.server.board import Changed, Hint, Item, Note
from lua_ls_persist.server.columns import PARSED_ROWS_MAX
from lua_ls_persist.server.convert import range_json
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.output import OutputStream
from lua_ls_persist.server.features.progress import progress
from lua_ls_persist.server.jobs import Job, Source
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.presentation import Origin
from lua_ls_persist.server.toplevel import code_of, named_in
from lua_ls_persist.server.tracking import moved_range
from lua_ls_persist.session.documents import DocumentCode

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation, Local, Problem
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.server.workspaces import Workspace

EVALUATION_NOTIFICATION: Final = "luaPersist/evaluation"
PENDING_AFTER_S: Final = 0.15
"""What takes less is not marked as running."""
PENDING_LABEL: Final = "…"


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be evaluated: a document or a range of it, as it was when that was asked for."""

    document: Document
    range: Range | None
    """None: all of it."""
    afresh: bool = False
    """Nothing counts any more of what the document's locals were."""
    quiet: bool = False
    """Values and output are not shown behind the code; problems are."""

    @property
    def place(self) -> Range:
        """The range that is evaluated."""
        return self.document.range if self.range is None else self.range


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it."""

    evaluation: Evaluation
    json: dict[str, Json]
    range: Range | None
    """Where the code is now; None if it was edited in the meantime."""


def register(server: LuaLanguageServer) -> None:
    """Follows what programs do with locals whose values are shown."""
    server.value_listeners.append(
        lambda workspace: server.start(_show_present_locals(server, workspace))
    )


async def evaluate(server: LuaLanguageServer, piece: Piece, *, requested: bool = True) -> Done:
    """Evaluates a piece of a document, and shows what came of it.

    With `requested` the answer to a request tells the client of what is raised.

    Raises:
        LuaPersistError: the session could not be opened, is closed, or runs nothing.
    """
    document = piece.document
    workspace = server.workspace_of(document.uri)
    workspace.settle_folders(document)
    places = workspace.places
    name = places.name_of(document.uri)
    job = await _job(server, workspace, piece, name)
    load = places.loaded(document, piece.range)
    try:
        with _shown_while_running(server, workspace, job, piece):
            await workspace.evaluator.evaluate(job)
    except SessionClosedError:
        raise
    except LuaPersistError as error:  # It says what to do, and many editors hide failed requests.
        if not (requested and "failures" in server.wanted):
            message = types.ShowMessageParams(types.MessageType.Error, str(error))
            server.window_show_message(message)
        raise
    finally:
        # Also when the request was cancelled: then it ran until now, and what it did can be seen.
        done = None
        if job.evaluation is not None:
            done = _finished(server, workspace, piece, job)
        if job.evaluation is None or not job.evaluation.ok:
            places.rolled_back(load)
    if done is None:  # It never started.
        evaluation = job.never_started()
        done = Done(evaluation, _plain(server, workspace, piece, job, evaluation), piece.place)
    return done


async def evaluate_text(
    server: LuaLanguageServer,
    workspace: Workspace,
    text: str,
    name: str,
    code: DocumentCode | None = None,
    *,
    line: int = 0,
) -> tuple[Evaluation, dict[str, Json]]:
    """Evaluates a text that stands in no document; nothing of it is shown.

    Raises:
        LuaPersistError: the session could not be opened, is closed, or runs nothing.
    """
    job = Job(Source(text, name, line=line, code=code), id_=server.next_evaluation_id())
    output = _output(server, workspace, job)
    token = server.progress_token.get()
    try:
        with progress(server, f"Evaluating {name}", job.interrupt, token):
            evaluation = await workspace.evaluator.evaluate(job)
    finally:
        if output is not None:
            output.finish()
    workspace.last = evaluation
    data = with_uris(workspace, evaluation_to_json(evaluation))
    data["id"] = job.id
    if "evaluation" in server.wanted:
        server.protocol.notify(EVALUATION_NOTIFICATION, data)
    return evaluation, data


def with_uris(workspace: Workspace, data: dict[str, Json]) -> dict[str, Json]:
    """An evaluation as plain data, with the documents of its chunks."""
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


def locals_json(
    server: LuaLanguageServer, document: Document, values: Sequence[Local]
) -> list[Json]:
    """Top-level locals with their values, in the order in which they are declared now."""
    current = server.documents.get(document.uri) or document
    ranges = {one.name: one.range for one in named_in(current)} if values else {}
    places = {name: place for place, name in enumerate(ranges)}
    return [
        {
            "name": local.name,
            "value": value_to_json(local.value),
            "range": range_json(server.converter.range(current, ranges[local.name]))
            if local.name in ranges
            else None,
        }
        for local in sorted(values, key=lambda one: places.get(one.name, len(places)))
    ]


async def _job(server: LuaLanguageServer, workspace: Workspace, piece: Piece, name: str) -> Job:
    document, range_ = piece.document, piece.range
    text = document.source if range_ is None else document.text(range_)
    code: DocumentCode | None = None
    if workspace.settings.keep_locals and document.row_count <= PARSED_ROWS_MAX:
        await server.syntax(document)
        key = uris.key_of(document.uri)
        find = partial(code_of, document, range_, key, afresh=piece.afresh)
        described = await server.in_background(document, find)
        if described is not None:
            text, code = described
    source = Source(text, name, line=piece.place.start.row, code=code)
    return Job(source, id_=server.next_evaluation_id())


@contextmanager
def _shown_while_running(
    server: LuaLanguageServer, workspace: Workspace, job: Job, piece: Piece
) -> Iterator[None]:
    """Progress, a mark behind the code, and output, while the block runs."""
    uri = piece.document.uri
    token = server.progress_token.get()
    output = _output(server, workspace, job)

    def mark() -> None:
        now = _moved_since(server, piece)
        document = server.documents.get(uri)
        if now is not None and document is not None:
            end = Position(now.end.row, len(document.row(now.end.row)))
            hint = Hint(end, PENDING_LABEL, "", "pending")
            server.show(server.board.add(uri, [Item(uri, now, hint)]))

    timer = asyncio.get_running_loop().call_later(PENDING_AFTER_S, mark)
    try:
        with progress(server, f"Evaluating {job.source.name}", job.interrupt, token):
            yield
    finally:
        timer.cancel()
        server.show(server.board.remove(uri, "pending"))
        if output is not None:
            output.finish()


def _output(server: LuaLanguageServer, workspace: Workspace, job: Job) -> OutputStream | None:
    if "output" not in server.wanted:
        return None
    output = OutputStream(server, workspace, job.id)
    job.on_output = output.take
    return output


def _finished(server: LuaLanguageServer, workspace: Workspace, piece: Piece, job: Job) -> Done:
    """Shows and tells what came of a job that has run."""
    evaluation = job.evaluation
    assert evaluation is not None
    evaluation = job.evaluation = _placed(evaluation, job.source)
    workspace.last = evaluation
    now = _show(server, workspace, piece, job, evaluation)
    data = _plain(server, workspace, piece, job, evaluation)
    if "evaluation" in server.wanted:
        server.protocol.notify(EVALUATION_NOTIFICATION, data)
    return Done(evaluation, data, now)


def _placed(evaluation: Evaluation, source: Source) -> Evaluation:
    """The evaluation, with no problem above what was evaluated.

    What is stopped before its first statement was at the beginning of its chunk, where nothing but
    empty lines stand for the rest of the document.
    """

    def placed(problem: Problem) -> Problem:
        is_above = problem.line is not None and problem.line <= source.line
        if problem.chunk != source.name or not is_above or len(problem.traceback) > 1:
            return problem
        frames = tuple(replace(frame, line=source.line + 1) for frame in problem.traceback)
        return replace(problem, line=source.line + 1, traceback=frames)

    if not evaluation.problems:
        return evaluation
    return replace(evaluation, problems=tuple(map(placed, evaluation.problems)))


def _show(
    server: LuaLanguageServer,
    workspace: Workspace,
    piece: Piece,
    job: Job,
    evaluation: Evaluation,
) -> Range | None:
    """Puts the notes and hints of an evaluation in the place of those it replaces."""
    document, whole = piece.document, piece.range is None
    now = _moved_since(server, piece)
    changed = server.board.evaluated(document.uri, None if whole else now or piece.place)
    origin = Origin(document.uri, workspace.places.name_of(document.uri), whole, now)
    items = workspace.presenter.items(evaluation, origin, only_problems=piece.quiet)
    changed |= server.board.add(document.uri, items)
    if evaluation.ok and job.source.code is not None:
        changed |= _show_locals(server, workspace, job, document.uri)
    server.show(changed)
    return now


async def _show_present_locals(server: LuaLanguageServer, workspace: Workspace) -> None:
    """Whoever has changed a local whose value is shown: shows the value that it has now."""
    for uri in sorted(workspace.with_locals):
        document = server.documents.get(uri)
        if document is None:
            workspace.with_locals.discard(uri)
            continue
        # While something is evaluated, another time comes when that has ended.
        if workspace.evaluator.busy or not workspace.evaluator.opened:
            return
        find = partial(sessions.Session.locals, document=uris.key_of(uri))
        found = await workspace.evaluator.use(find)
        current = server.documents.get(uri)
        if current is None or current is not document:
            continue
        shown = [hint for hint in server.board.hints(uri) if hint.kind == "local"]
        items = workspace.presenter.local_items(current, found)
        if sorted((item.content for item in items), key=_place_of) != sorted(shown, key=_place_of):
            changed = server.board.remove(uri, "local")
            server.show(changed | server.board.add(uri, items))


def _place_of(content: Note | Hint) -> Position:
    return content.position if isinstance(content, Hint) else content.range.start


def _show_locals(server: LuaLanguageServer, workspace: Workspace, job: Job, uri: str) -> Changed:
    """Puts the values of all locals that are known of a document behind their declarations."""
    changed = server.board.remove(uri, "local")
    document = server.documents.get(uri)
    if document is None or not job.locals:
        return changed
    workspace.with_locals.add(uri)
    return changed | server.board.add(uri, workspace.presenter.local_items(document, job.locals))


def _moved_since(server: LuaLanguageServer, piece: Piece) -> Range | None:
    """Where the evaluated code is now; None if it was edited while it ran."""
    document = piece.document
    edits = server.documents.edits_since(document.uri, document.revision)
    if piece.range is None:
        current = server.documents.get(document.uri) or document
        return current.range if edits == [] or edits is None else None
    place: Range | None = piece.range
    for edit in edits or ():
        place = None if place is None else moved_range(place, edit)
    return place


def _plain(
    server: LuaLanguageServer,
    workspace: Workspace,
    piece: Piece,
    job: Job,
    evaluation: Evaluation,
) -> dict[str, Json]:
    """The evaluation as plain data, with what was evaluated."""
    data = with_uris(workspace, evaluation_to_json(evaluation))
    data["id"] = job.id
    data["uri"] = piece.document.uri
    data["range"] = range_json(server.converter.range(piece.document, piece.place))
    data["locals"] = locals_json(server, piece.document, job.locals)
    return data
