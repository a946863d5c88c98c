"""Completion for what stands in no document: the input of a REPL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.beside import completion_of
from lua_ls_persist.server.features.live.completion import completer_for
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.live.completing import Options
from lua_ls_persist.server.live.describing import Describer
from lua_ls_persist.server.live.offering import offered

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


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
    workspace = server.workspace_of(params.uri)
    wanted = completion_of(server, workspace)
    completer = completer_for(server, params.uri, Options(static=wanted != "live"))
    describer = Describer(workspace, server.find_document)
    found = await offered(completer, text, offset, describer.value)
    return {
        "items": [
            {
                "label": one.label,
                "kind": one.kind,
                "parameters": one.parameters,
                "detail": one.detail,
                "insert": one.insert,
                "documentation": one.documentation,
            }
            for one in found.items
        ],
        # As the client counts.
        "start": encoding.units(text[: found.start]),
        "end": encoding.units(text[: found.end]),
        "complete": found.complete,
    }


COMPLETE_TEXT = COMMANDS.add(
    "completeText",
    "Complete Text",
    CompleteTextParams,
    complete_text,
    "{items: [{label, kind, parameters, detail, insert, documentation}], start, end, complete}",
)
