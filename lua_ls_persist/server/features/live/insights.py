"""What the data say about the code, above it: rows and indexes of tables, how queries find their
rows, whether stored functions are what their source says. Lenses, and the same as code actions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server import uris
from lua_ls_persist.server.commands import PREFIX
from lua_ls_persist.server.convert import client_range, position_json
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.drift import drift_of
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.live.questions import Mention, Plan, mentions_in, path_of
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.session.sights import Question, Sight, StoredSight

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

KIND: Final = "source.luaPersist.data"
INDEXES_SHOWN_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Insight:
    """Something to know about a place, and what can be done there."""

    range: Range
    title: str
    command: str
    """The name of a command, without its prefix."""
    params: dict[str, Json]
    action: str = ""
    """What it is called as a code action, where that says more."""
    is_of_table: bool = False
    """It is about the table itself, wherever that is named."""


def register(server: LuaLanguageServer) -> None:
    """Contributes to lenses and code actions."""

    async def lenses(document: Document) -> list[types.CodeLens]:
        if not server.workspace_of(document.uri).settings.data_lenses:
            return []
        return [
            types.CodeLens(
                range=server.converter.range(document, _first_row(one.range)),
                command=_command(one, one.title),
            )
            for one in _once(await insights(server, document))
        ]

    async def actions(document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
        only = params.context.only
        if only is not None and not any(_includes(str(getattr(one, "value", one))) for one in only):
            return []
        selected = server.converter.range_in(document, client_range(params.range))
        found = [
            one for one in await insights(server, document, selected) if _meet(one.range, selected)
        ]
        if _is_command("undo"):
            top = Range(selected.start, selected.start)
            uri: dict[str, Json] = {"uri": document.uri}
            found.append(Insight(top, "Undo Last Evaluation", "undo", uri))
        return [
            types.CodeAction(
                title=one.action or one.title,
                kind=KIND,
                command=_command(one, one.action or one.title),
            )
            for one in found
        ]

    server.lens_sources.append(lenses)
    server.action_sources.append(actions)


def _once(found: list[Insight]) -> list[Insight]:
    """What is about a table, and the same wherever it is named, only at the first place."""
    seen: set[str] = set()
    kept = []
    for one in found:
        key = f"{one.title} {one.params}"
        if not (one.is_of_table and key in seen):
            kept.append(one)
        seen.add(key)
    return kept


async def insights(
    server: LuaLanguageServer, document: Document, rows: Range | None = None
) -> list[Insight]:
    """Everything that is known about places of a document, or about those that meet some rows."""
    workspace = server.workspace_of(document.uri)
    if not workspace.evaluator.opened:
        return []  # Nothing is stored yet, or nobody has looked: nothing to say.
    scopes = await server.scopes(document)
    mentions = [
        one
        for one in mentions_in(scopes, uris.key_of(document.uri))
        if rows is None or _meet(one.range, rows)
    ]
    found = list(await _functions(server, document))
    if mentions:
        tables = [Question(mention.table, stored=True) for mention in mentions]
        sights = await workspace.view.look(tables)
        asked = [(path_of(one.table) or "", one.question) for one in mentions]
        wanted = [one for one in dict.fromkeys(asked) if all(one)]
        plans = dict(zip(wanted, await workspace.view.plans(wanted), strict=True))
        for mention, sight, question in zip(mentions, sights, asked, strict=True):
            path = _path(mention, sight)
            if path is None or sight is None or sight.stored is None:
                continue
            if mention.function == "table":
                found.append(_table(document, mention, path, sight.stored))
            else:
                found += _query(document, mention, path, plans.get(question))
    return [one for one in found if _is_command(one.command)]


def _path(mention: Mention, sight: Sight | None) -> str | None:
    """How commands are told the table: by its own name, if the way there is none."""
    path = path_of(mention.table)
    if path is None and sight is not None and sight.stored is not None:
        return sight.stored.root or None
    return path


def _table(document: Document, mention: Mention, path: str, stored: StoredSight) -> Insight:
    title = _rows(stored.rows)
    names = [index.name for index in stored.indexes[:INDEXES_SHOWN_MAX]]
    if names:
        more = len(stored.indexes) - len(names)
        title += f" · {'index' if len(stored.indexes) == 1 else 'indexes'} {', '.join(names)}"
        title += f" and {more} more" if more else ""
    params: dict[str, Json] = {"what": "table", "path": path, "uri": document.uri}
    action = f"Open Table {path}"
    return Insight(mention.range, title, "open", params, action, is_of_table=True)


def _query(document: Document, mention: Mention, path: str, plan: Plan | None) -> Iterator[Insight]:
    if plan is None:
        return
    if plan.index is not None:
        params: dict[str, Json] = {"what": "table", "path": path, "uri": document.uri}
        title = f"index {plan.index}"
        yield Insight(mention.range, title, "open", params, f"Open Table {path}")
        return
    advice = plan.advice
    if advice is None:
        return
    name = f"{path}({', '.join(advice.fields)})"
    yield Insight(
        mention.range,
        f"scan of {_rows(plan.rows)} · create index {name}",
        "createIndex",
        {
            "table": path,
            "fields": list(advice.fields),
            "kind": advice.kind,
            "each": advice.each,
            "uri": document.uri,
        },
        f"Create Index {name}",
    )


async def _functions(server: LuaLanguageServer, document: Document) -> Iterator[Insight]:
    """The stored functions whose source the document has."""
    workspace = server.workspace_of(document.uri)
    key = uris.key_of(document.uri)
    known: dict[str, bool] = {}
    found: list[Insight] = []
    for function in await workspace.view.functions():
        chunk = function.chunk
        if chunk not in known:
            uri = workspace.places.uri_of(chunk)
            known[chunk] = uri is not None and uris.key_of(uri) == key
        if not known[chunk]:
            continue
        drift = drift_of(function, workspace.places, server.find_document)
        if drift.row is None:
            continue
        place = Range.of(drift.row, 0, drift.row, 0)
        if drift.state == "in_sync":
            params: dict[str, Json] = {
                "what": "function",
                "path": function.path,
                "uri": document.uri,
            }
            title = f"{function.path} · in sync"
            found.append(Insight(place, title, "open", params, f"Open Stored {function.path}"))
        elif drift.state == "edited":
            found.append(_update(server, document, place, function.path))
    return iter(found)


def _update(server: LuaLanguageServer, document: Document, place: Range, path: str) -> Insight:
    title, action = f"{path} · edited: update", f"Update Stored {path}"
    params: dict[str, Json] = {"path": path, "uri": document.uri}
    if _is_command("updateFunction"):
        return Insight(place, title, "updateFunction", params, action)
    # To evaluate its definition does it, too, with new upvalues.
    start = server.converter.position(document, place.start)
    at: dict[str, Json] = {"uri": document.uri, "position": position_json(start)}
    return Insight(place, title, "evaluateForm", at, action)


def _command(one: Insight, title: str) -> types.Command:
    return types.Command(title=title, command=PREFIX + one.command, arguments=[one.params])


def _is_command(name: str) -> bool:
    return any(command.id == PREFIX + name for command in COMMANDS)


def _includes(wanted: str) -> bool:
    return wanted == KIND or KIND.startswith(f"{wanted}.")


def _first_row(range_: Range) -> Range:
    start = Position(range_.start.row, range_.start.column)
    return Range(start, start)


def _meet(one: Range, other: Range) -> bool:
    """Whether two ranges have a row in common."""
    return one.start.row <= other.end.row and other.start.row <= one.end.row


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
