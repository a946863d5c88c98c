"""Hover: what a name, a field or a table is at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import ExpressionPath, Scopes, doc_comment, scopes_of
from lua_ls_persist.server.analysis.annotations import note_above
from lua_ls_persist.server.analysis.field_texts import field_text_at
from lua_ls_persist.server.convert import markup
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import is_beside
from lua_ls_persist.server.features.language.navigation import among_files, finder_for
from lua_ls_persist.server.features.live.types import types_of
from lua_ls_persist.server.live.annotated import function_text, words
from lua_ls_persist.server.live.cursor import typed_at
from lua_ls_persist.server.live.describing import Describer, documented_text
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.labels import way_to
from lua_ls_persist.server.live.resolving import (
    Group,
    Groups,
    Literally,
    QueryRow,
    QueryRows,
    Resolver,
    Target,
    named_table,
)
from lua_ls_persist.server.live.typed import typed_text
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.stdlib import documentation
from lua_ls_persist.session.sights import ANY, Way

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/hover`."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return None
        scopes = await server.scopes(document)
        place = params.position
        position = document.position(server.documents.encoding, place.line, place.character)
        found = await _text_at(server, document, scopes, position)
        if found is None:
            return None
        text, range_ = found
        return types.Hover(
            markup(text, _formats(server)),
            server.converter.range(document, range_),
        )


def _formats(server: LuaLanguageServer) -> Sequence[types.MarkupKind] | None:
    text_document = server.client_capabilities.text_document
    return text_document.hover.content_format if text_document and text_document.hover else None


async def _text_at(
    server: LuaLanguageServer, document: Document, scopes: Scopes, position: Position
) -> tuple[str, Range] | None:
    workspace = server.workspace_of(document.uri)
    describer = Describer(workspace, server.find_document)
    typed = typed_at(scopes, position)
    if typed.kind in ("comment", "number", "long string"):
        return None
    if typed.kind == "string":
        name = named_table(Resolver(scopes, uris.key_of(document.uri)), position)
        if name is None:
            return await _named_field(server, document, describer, position)
        content = Range(scopes.position(typed.start), scopes.position(typed.end))
        text = await describer.value(name)
        return (text, content) if text else None
    path = scopes.path_at(position)
    if path is None:
        return None
    range_ = path.steps[-1].range if path.steps else path.range
    target = Resolver(scopes, uris.key_of(document.uri)).target(path)
    text = await _target_text(describer, target, path)
    if not text:
        inferred = await types_of(server)(document, path, len(path.steps))
        text = await _target_text(describer, inferred.target, path)
    if not text and not is_beside(server, workspace):
        inference = Inference(server.navigator)
        text = await among_files(server, lambda: typed_text(inference, document, path))
        text = text or _static_text(document, scopes, path)
    return (text, range_) if text else None


async def _named_field(
    server: LuaLanguageServer, document: Document, describer: Describer, position: Position
) -> tuple[str, Range] | None:
    """A field of rows that a question or an index names."""
    scopes = scopes_of(document)
    use = field_text_at(scopes, scopes.offset(position))
    if use is None:
        return None
    finder = await finder_for(server, document, position)
    field = await among_files(server, lambda: finder.field_named_at(document, position))
    way = None if field is None or field.entity is None else way_to(field.entity)
    text = "" if way is None else await describer.value(way)
    return (text, scopes.range(use.start, use.end)) if text else None


async def _target_text(describer: Describer, target: Target | None, path: ExpressionPath) -> str:
    colon = bool(path.steps) and path.steps[-1].kind == ":"
    if isinstance(target, QueryRows):
        return f"Rows of {target.table} that a query has found"
    if isinstance(target, Groups):
        return f"Groups of the rows of {target.table}"
    if isinstance(target, Group):
        return f"A group of rows of {target.table}"
    if isinstance(target, QueryRow):
        target = target.table / ANY
    if isinstance(target, Literally):
        return ""
    if isinstance(target, Way):
        name = str(target)
        if not path.steps and path.base is not None and path.base.text != name:
            name = f"{path.base.text} = {name}"
        text = await describer.value(target, name, colon=colon)
        if text:
            return text
        entry = documentation().get(str(target))
        if entry is not None:
            return documented_text(entry, method=colon)
    return ""


def _static_text(document: Document, scopes: Scopes, path: ExpressionPath) -> str:
    """What the source alone says of a local or a function that was not evaluated."""
    if path.steps or path.base is None:
        return ""
    declaration = path.base.declaration
    if declaration is None:
        return ""
    value = scopes.value_of(declaration)
    head = f"{path.base.kind} {path.base.text}"
    comment = ""
    if path.base.kind == "local":
        note = note_above(document, declaration.start.row)
        comment = words(doc_comment(document, declaration.start.row), note)
    if value is not None and value.function is not None:
        note = note_above(document, declaration.start.row)
        head = f"{path.base.kind} {function_text(path.base.text, value.function, note)}"
    elif value is not None and value.constant is not None:
        head += f" = {document.text(value.range)}"
    return f"```lua\n{head}\n```" + (f"\n\n{comment}" if comment else "")
