"""Completion for what stands in no document: the input of a REPL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import completion_of
from lua_ls_persist.server.features.live.completion import completer_for
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.live.completing import Options
from lua_ls_persist.server.live.describing import Describer
from lua_ls_persist.server.positions import Position

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

URI: Final = "lua-persist:/input.lua"
DESCRIBED_MAX: Final = 20
"""So many of the first items come with what there is to say about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTextParams:
    """A text, and where somebody is typing in it."""

    text: str = param("the whole input", may_be_empty=True)
    offset: int | None = param(
        "where the cursor is, counted as in positions of LSP, line ends included; otherwise at "
        "the end",
        None,
    )
    uri: str | None = param("a document or folder: of its session; otherwise of the first", None)


async def complete_text(server: LuaLanguageServer, params: CompleteTextParams) -> Json:
    """Tells what could stand at a place of a text: `insert` from `start` to `end`, best first."""
    encoding = server.documents.encoding
    text = params.text.replace("\r\n", "\n")
    offset = len(text) if params.offset is None else encoding.index(text, params.offset)
    # A document of its own: what it declares is seen, and nothing of it stays.
    document = Document.of_text(URI, text)
    scopes = scopes_of(document)
    workspace = server.workspace_of(params.uri)
    wanted = completion_of(server, workspace)
    position = scopes.position(offset)
    completer = completer_for(server, params.uri, Options(static=wanted != "live"))
    found = await completer.complete(document, position)
    start, end = (position, position)
    if found.range is not None:
        start, end = found.range.start, found.range.end
    describer = Describer(workspace, server.find_document)
    items: list[Json] = []
    for place, one in enumerate(found.candidates):
        documentation = one.documentation
        if not documentation and one.way is not None and place < DESCRIBED_MAX:
            documentation = await describer.value(one.way)
        inserted = one.label if one.insert is None else one.insert
        items.append(
            {
                "label": one.label,
                "kind": one.kind,
                "parameters": one.parameters,
                "detail": one.detail,
                "insert": f"{found.quotes}{inserted}{found.quotes}",
                "documentation": documentation,
            }
        )
    return {
        "items": items,
        "start": _units(server, document, start),
        "end": _units(server, document, end),
        "complete": found.complete,
    }


def _units(server: LuaLanguageServer, document: Document, position: Position) -> int:
    """How the client counts a place, from the beginning of the text."""
    before = scopes_of(document).offset(position)
    return server.documents.encoding.units(document.source[:before])


COMPLETE_TEXT = COMMANDS.add(
    "completeText",
    "Complete Text",
    CompleteTextParams,
    complete_text,
    "{items: [{label, kind, parameters, detail, insert, documentation}], start, end, complete}",
)
