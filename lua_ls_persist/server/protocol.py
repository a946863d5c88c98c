"""What this server does otherwise than pygls: each override says why.

Owns the edge between the wire and the features.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.commands import CommandError
from lua_ls_persist.server.features import sync
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

SHUTDOWN_WAIT_S_MAX = 0.6
"""How long a shutdown waits for the answers to running commands, after it interrupted them."""
REQUEST_FAILED = -32803
"""LSP's code for a request that was understood and failed."""

logger = logging.getLogger(__name__)


class LuaProtocol(LanguageServerProtocol):
    """pygls' protocol with our own documents, commands and shutdown."""

    _server: LuaLanguageServer

    def __init__(self, server: LuaLanguageServer, converter: Any) -> None:
        super().__init__(server, converter)
        self.left_without_shutdown = False
        self._left = False
        self._running_commands: set[asyncio.Task[Any]] = set()

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Lets the server know the client, and completes what pygls says of commands."""
        result = yield from super().lsp_initialize(params)
        self._server.connect(params)
        self._server.connect_settings(params.initialization_options)
        provider = result.capabilities.execute_command_provider
        if provider is not None:
            provider.work_done_progress = True
        return result

    def _send_data(self, data: Any) -> None:
        """Sends nothing any more to a client that left; pygls reports its failure, which fails."""
        if not self._left:
            super()._send_data(data)

    # pygls' own documents split lines where LSP does not (see `documents`), so they are not used.

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """To our documents."""
        sync.did_open(self._server, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """To our documents."""
        sync.did_change(self._server, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """To our documents."""
        sync.did_close(self._server, params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Json:
        """Runs a command as a task of its own.

        pygls answers the cancellation of a command and lets its handler run on; it does not hand
        the progress token to the handler; and its message about wrong arguments counts Python
        parameters.
        """
        task = asyncio.current_task()
        assert task is not None
        self._running_commands.add(task)
        try:
            command = COMMANDS.get(params.command)
            arguments = command.parse(params.arguments)
            self._server.progress_token.set(params.work_done_token)
        except CommandError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        else:
            try:
                return await command.handler(self._server, arguments)
            except LuaPersistError as error:
                raise JsonRpcException(f"{command.id}: {error}", REQUEST_FAILED) from error
        finally:
            self._running_commands.discard(task)

    @lsp_method(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def lsp_work_done_progress_cancel(self, params: types.WorkDoneProgressCancelParams) -> None:
        """Ends the work itself; pygls only marks the token."""
        cancel = self._server.progress_cancels.get(params.token)
        if cancel is not None:
            cancel()

    @lsp_method(types.SHUTDOWN)
    async def lsp_shutdown(self, *_: Any) -> None:  # type: ignore[override]
        """Ends evaluations first, and answers their requests.

        pygls cancels all requests, which fails while one of them is removed from its table, and
        leaves what they started running.
        """
        await self._server.stop()
        if self._running_commands:
            await asyncio.wait(self._running_commands, timeout=SHUTDOWN_WAIT_S_MAX)
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """Remembers for the exit status whether there was a `shutdown`; pygls loses it."""
        self.left_without_shutdown = not self._shutdown
        self._left = True
        yield from super().lsp_exit(*args)
