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
from lua_ls_persist.server.live.questions import Mention, Plan, mentions_in, path_of, share_row
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
            for one in await insights(server, document, once=True)
        ]

    async def actions(document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
        only = params.context.only
        if only is not None and not any(_includes(str(getattr(one, "value", one))) for one in only):
            return []
        selected = server.converter.range_in(document, client_range(params.range))
        found = [
            one
            for one in await insights(server, document, selected)
            if share_row(one.range, selected)
        ]
        if _is_command("undo") and server.workspace_of(document.uri).trusted:
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


async def insights(
    server: LuaLanguageServer,
    document: Document,
    rows: Range | None = None,
    *,
    once: bool = False,
) -> list[Insight]:
    """Everything that is known about places of a document, or about those that meet some rows.

    With `once`, what is about a table itself only at the first place where that is named.
    """
    workspace = server.workspace_of(document.uri)
    if not workspace.evaluator.opened:
        return []  # Nothing is stored yet, or nobody has looked: nothing to say.
    scopes = await server.scopes(document)
    mentions = mentions_in(scopes, uris.key_of(document.uri), rows)
    found = list(await _functions(server, document))
    if mentions:
        paths = {table: path_of(table) for table in dict.fromkeys(one.table for one in mentions)}
        sights = dict(
            zip(
                paths,
                await workspace.view.look([Question(table, stored=True) for table in paths]),
                strict=True,
            )
        )
        asked = [(paths[one.table] or "", one.question) for one in mentions]
        wanted = [one for one in dict.fromkeys(asked) if all(one)]
        plans = dict(zip(wanted, await workspace.view.plans(wanted), strict=True))
        told: set[str] = set()
        for mention, question in zip(mentions, asked, strict=True):
            sight = sights[mention.table]
            path = _path(paths[mention.table], sight)
            if path is None or sight is None or sight.stored is None:
                continue
            if mention.function != "table":
                found += _query(document, mention, path, plans.get(question))
            elif not (once and path in told):
                told.add(path)
                found.append(_table(document, mention, path, sight.stored))
    return [one for one in found if _is_command(one.command)]


def _path(path: str | None, sight: Sight | None) -> str | None:
    """How commands are told the table: by its own name, if the way there is none."""
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
    return Insight(mention.range, title, "open", params, action)


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
    return PREFIX + name in COMMANDS


def _includes(wanted: str) -> bool:
    return wanted == KIND or KIND.startswith(f"{wanted}.")


def _first_row(range_: Range) -> Range:
    start = Position(range_.start.row, range_.start.column)
    return Range(start, start)


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
