"""Signature help: the parameters of the function whose arguments are being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import CallSite, Scopes, doc_comment, scopes_of
from lua_ls_persist.server.convert import markup
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import is_beside
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.live.calling import Signature, live_signature, written_signature
from lua_ls_persist.server.live.cursor import typed_at
from lua_ls_persist.server.live.describing import Describer
from lua_ls_persist.server.live.resolving import Resolver
from lua_ls_persist.server.navigation import in_order

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
        found = await _signature(server, document, scopes, call)
        return None if found is None else _converted(server, found, call.argument)


async def _signature(
    server: LuaLanguageServer, document: Document, scopes: Scopes, call: CallSite
) -> Signature | None:
    workspace = server.workspace_of(document.uri)
    static = not is_beside(server, workspace)
    if static:
        found = await _written(server, document, call)
        if found is not None:
            return found
    resolver = Resolver(scopes, uris.key_of(document.uri))
    describer = Describer(workspace, server.find_document)
    return await live_signature(describer, resolver, call, static=static)


async def _written(
    server: LuaLanguageServer, document: Document, call: CallSite
) -> Signature | None:
    """From the definition in the workspace, if there is one."""
    path = call.function
    end = path.steps[-1].range.end if path.steps else path.range.end

    def look() -> Signature | None:
        for spot in in_order(server.navigator.definitions(document, end)):
            value = scopes_of(spot.document).value_of(spot.range)
            if value is not None and value.function is not None:
                text = doc_comment(spot.document, spot.range.start.row)
                return written_signature(call, value.function, text)
        return None

    return await among_files(server, look)


def _converted(server: LuaLanguageServer, found: Signature, argument: int) -> types.SignatureHelp:
    supported = _supported(server)
    offsets = getattr(
        getattr(supported, "parameter_information", None), "label_offset_support", False
    )
    parameters = [
        types.ParameterInformation(label=span if offsets else name)
        for name, span in zip(found.parameters, found.spans(), strict=True)
    ]
    signature = types.SignatureInformation(label=found.label, parameters=parameters)
    if found.text:
        formats = getattr(supported, "documentation_format", None)
        signature.documentation = markup(found.text, formats)
    active = found.active(argument)
    # Clients take nothing for the first one; beyond the last there is no parameter to mark.
    return types.SignatureHelp(
        signatures=[signature],
        active_signature=0,
        active_parameter=len(parameters) if active is None else active,
    )


def _supported(server: LuaLanguageServer) -> Any:
    """What the client says of signatures."""
    text_document = server.client_capabilities.text_document
    help_ = text_document.signature_help if text_document else None
    return None if help_ is None else help_.signature_information
