"""Formatting of documents and ranges, offered only where there is something that formats."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.convert import client_range
from lua_ls_persist.server.features.language.speaking import speaks
from lua_ls_persist.server.formatters import (
    NONE,
    Formatter,
    FormatterError,
    formatted,
    formatter_of,
)
from lua_ls_persist.server.positions import Range

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

LUA = [types.TextDocumentFilterLanguage(language="lua")]
METHODS = {
    types.TEXT_DOCUMENT_FORMATTING: types.DocumentFormattingRegistrationOptions,
    types.TEXT_DOCUMENT_RANGE_FORMATTING: types.DocumentRangeFormattingRegistrationOptions,
}

logger = logging.getLogger(__name__)


def register(server: LuaLanguageServer) -> None:
    """Answers the requests, and says to the client that it does as soon as that is true."""
    offers = _Offers(server)
    server.folder_listeners.append(offers.ready)
    server.settings_listeners.append(offers.update)
    server.capability_editors.append(offers.edit)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        return await _format(server, params.text_document.uri, None)

    @server.feature(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def range_formatting(
        params: types.DocumentRangeFormattingParams,
    ) -> list[types.TextEdit] | None:
        return await _format(server, params.text_document.uri, params.range)


class _Offers:
    """What the client was told of formatting."""

    def __init__(self, server: LuaLanguageServer) -> None:
        self._server = server
        self._ready = False
        self._registered: set[str] = set()

    def edit(self, capabilities: types.ServerCapabilities) -> None:
        """Leaves in the first answer what clients cannot be told later."""
        wanted = self._wanted()
        if self._is_dynamic(types.TEXT_DOCUMENT_FORMATTING) or (
            types.TEXT_DOCUMENT_FORMATTING not in wanted
        ):
            capabilities.document_formatting_provider = None
        if self._is_dynamic(types.TEXT_DOCUMENT_RANGE_FORMATTING) or (
            types.TEXT_DOCUMENT_RANGE_FORMATTING not in wanted
        ):
            capabilities.document_range_formatting_provider = None

    def ready(self) -> None:
        """The client takes requests from now on."""
        self._ready = True
        self.update()

    def update(self) -> None:
        """Tells the client what has changed."""
        if not self._ready:
            return
        wanted = {method for method in self._wanted() if self._is_dynamic(method)}
        came, went = wanted - self._registered, self._registered - wanted
        self._registered = wanted
        if came:
            self._server.protocol.send_request(
                types.CLIENT_REGISTER_CAPABILITY,
                types.RegistrationParams(
                    [
                        types.Registration(f"luaPersist.{method}", method, METHODS[method](LUA))
                        for method in sorted(came)
                    ]
                ),
            )
        if went:
            self._server.protocol.send_request(
                types.CLIENT_UNREGISTER_CAPABILITY,
                types.UnregistrationParams(
                    [
                        types.Unregistration(f"luaPersist.{method}", method)
                        for method in sorted(went)
                    ]
                ),
            )

    def _wanted(self) -> set[str]:
        """The methods that some workspace has a formatter for."""
        workspaces = list(self._server.workspaces)
        settings = [workspace.settings for workspace in workspaces] or [self._server.base_settings]
        found: set[str] = set()
        for one in settings:
            formatter = formatter_of(one.formatter)
            if formatter.whole is not None or formatter.part is not None:
                found.add(types.TEXT_DOCUMENT_FORMATTING)
            if formatter.part is not None:
                found.add(types.TEXT_DOCUMENT_RANGE_FORMATTING)
        return found

    def _is_dynamic(self, method: str) -> bool:
        known = self._server.client_capabilities.text_document
        if known is None:
            return False
        is_whole = method == types.TEXT_DOCUMENT_FORMATTING
        client = known.formatting if is_whole else known.range_formatting
        return client is not None and bool(client.dynamic_registration)


async def _format(
    server: LuaLanguageServer, uri: str, range_: types.Range | None
) -> list[types.TextEdit] | None:
    document = server.documents.get(uri)
    if document is None or not speaks(server, document):
        return None
    part = None if range_ is None else server.converter.range_in(document, client_range(range_))
    try:
        formatter = _allowed(server, uri, part)
        changes = await formatted(formatter, document, part)
    except FormatterError as error:
        # Many editors hide failed requests.
        message = types.ShowMessageParams(types.MessageType.Error, str(error))
        server.window_show_message(message)
        return None
    if server.documents.get(uri) is not document:
        logger.info("The formatted text of %s is not that of the editor any more", uri)
        return None
    return [
        types.TextEdit(server.converter.range(document, change.range), change.text)
        for change in changes
    ]


def _allowed(server: LuaLanguageServer, uri: str, part: Range | None) -> Formatter:
    workspace = server.workspace_of(uri)
    configured = workspace.settings.formatter
    if configured and not workspace.trusted:
        raise FormatterError("In a folder that is not trusted, no command of its settings is run")
    formatter = formatter_of(configured)
    if formatter == NONE or (part is not None and formatter.part is None):
        raise FormatterError(
            "There is nothing that formats: install StyLua, or name a command in"
            " `luaPersist.formatter`"
        )
    return formatter
