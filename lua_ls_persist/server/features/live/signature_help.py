"""Signature help: the parameters of the function whose arguments are being typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import CallSite, Scopes, doc_comment, scopes_of
from lua_ls_persist.server.analysis.annotations import note_above
from lua_ls_persist.server.convert import markup
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import is_beside
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.live.calling import (
    Signature,
    live_signature,
    typed_signature,
    written_signatures,
)
from lua_ls_persist.server.live.cursor import typed_at
from lua_ls_persist.server.live.describing import Describer
from lua_ls_persist.server.live.finding import Finder
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.resolving import Resolver
from lua_ls_persist.server.live.shapes import Called
from lua_ls_persist.server.navigation import Navigator

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/signatureHelp`."""

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=[")"]),
    )
    async def signature_help(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return None
        scopes = await server.scopes(document)
        place = params.position
        position = document.position(server.documents.encoding, place.line, place.character)
        call = scopes.call_at(position)
        if call is None or typed_at(scopes, position).kind == "comment":
            return None
        found = await _signatures(server, document, scopes, call)
        return _converted(server, found, call.argument) if found else None


async def _signatures(
    server: LuaLanguageServer, document: Document, scopes: Scopes, call: CallSite
) -> list[Signature]:
    workspace = server.workspace_of(document.uri)
    static = not is_beside(server, workspace)
    if static:
        found = await among_files(server, lambda: _written(server.navigator, document, call))
        if found:
            return found
    resolver = Resolver(scopes, uris.key_of(document.uri))
    describer = Describer(workspace, server.find_document)
    live = await live_signature(describer, resolver, call, static=static)
    return [] if live is None else [live]


def _written(navigator: Navigator, document: Document, call: CallSite) -> list[Signature]:
    """From the definition in the workspace, or from the type that annotations give."""
    path = call.function
    end = path.steps[-1].range.end if path.steps else path.range.end
    for spot in Finder(navigator).definitions(document, end):
        value = scopes_of(spot.document).value_of(spot.range)
        if value is not None and value.function is not None:
            row = spot.range.start.row
            comment = doc_comment(spot.document, row)
            return written_signatures(call, value.function, note_above(spot.document, row), comment)
    shape = Inference(navigator).of_path(document, path, len(path.steps))
    return [typed_signature(call, shape.type)] if isinstance(shape, Called) else []


def _converted(
    server: LuaLanguageServer, found: Sequence[Signature], argument: int
) -> types.SignatureHelp:
    active = next((place for place, one in enumerate(found) if one.active(argument) is not None), 0)
    parameter = found[active].active(argument)
    # Clients take nothing for the first one; beyond the last there is no parameter to mark.
    return types.SignatureHelp(
        signatures=[_signature(server, one) for one in found],
        active_signature=active,
        active_parameter=len(found[active].parameters) if parameter is None else parameter,
    )


def _signature(server: LuaLanguageServer, found: Signature) -> types.SignatureInformation:
    supported = _supported(server)
    formats = getattr(supported, "documentation_format", None)
    offsets = getattr(
        getattr(supported, "parameter_information", None), "label_offset_support", False
    )
    parameters = [
        types.ParameterInformation(label=span if offsets else name)
        for name, span in zip(found.parameters, found.spans(), strict=True)
    ]
    for parameter, text in zip(parameters, found.texts, strict=False):
        if text:
            parameter.documentation = markup(text, formats)
    signature = types.SignatureInformation(label=found.label, parameters=parameters)
    if found.text:
        signature.documentation = markup(found.text, formats)
    return signature


def _supported(server: LuaLanguageServer) -> Any:
    """What the client says of signatures."""
    text_document = server.client_capabilities.text_document
    help_ = text_document.signature_help if text_document else None
    return None if help_ is None else help_.signature_information
