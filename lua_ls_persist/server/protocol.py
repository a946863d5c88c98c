"""What this server does otherwise than pygls: each override says why.

Owns the edge between the wire and the features.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.answers import Encoded
from lua_ls_persist.server.commands import CommandError
from lua_ls_persist.server.features import notebooks, sync
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

SHUTDOWN_WAIT_S_MAX = 0.6
"""How long a shutdown waits for the answers to running commands, after it interrupted them."""
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INTERNAL_ERROR = -32603
SERVER_NOT_INITIALIZED = -32002
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
        self._initialized = False
        self._stopped: asyncio.Event | None = None
        """There is one as soon as the client has asked for the shutdown."""
        self._running_commands: set[asyncio.Task[Any]] = set()

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Lets the server know the client, and says which commands there are.

        pygls would know only of those that are loaded.
        """
        result = yield from super().lsp_initialize(params)
        self._initialized = True
        self._server.connect(params)
        self._server.connect_settings(params.initialization_options)
        result.capabilities.execute_command_provider = types.ExecuteCommandOptions(
            COMMANDS.ids, work_done_progress=True
        )
        for edit in self._server.capability_editors:
            edit(result.capabilities)
        return result

    def receive(self, body: bytes) -> None:
        """Handles one message of the client; a request that makes no sense gets an error.

        pygls answers only what fits the types, and reads each object inside of a message as if it
        were one.
        """
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            self._refuse(None, PARSE_ERROR, f"the message is no JSON: {error}")
            return
        if not isinstance(data, dict) or data.get("jsonrpc") != self.VERSION:
            self._refuse(None, INVALID_REQUEST, "the message is no object of JSON-RPC 2.0")
            return
        id_ = data.get("id")
        asked = isinstance(id_, (int, str)) and "method" in data
        if not isinstance(data.get("method", ""), str) or isinstance(
            id_, (bool, float, dict, list)
        ):
            self._refuse(None, INVALID_REQUEST, "the message's method or id makes no sense")
            return
        if asked and not self._accepts(data["method"], id_):
            return
        try:
            message = self.structure_message(data)
        except JsonRpcException as error:
            text = _misfit(error.__cause__)
            if asked:
                self._refuse(id_, JsonRpcInvalidParams.CODE, f"{data['method']}: {text}")
            else:
                logger.warning("Ignored a message (%s): %s", data.get("method", "an answer"), text)
            return
        self.handle_message(message)

    def _accepts(self, method: str, id_: Any) -> bool:
        """Whether a request comes at its time; if not, it has been answered."""
        if self._stopped is not None:
            self._refuse(id_, INVALID_REQUEST, "the server is shutting down")
        elif method == types.INITIALIZE and self._initialized:
            self._refuse(id_, INVALID_REQUEST, "the server is initialized already")
        elif method != types.INITIALIZE and not self._initialized:
            self._refuse(id_, SERVER_NOT_INITIALIZED, "the server is not initialized yet")
        else:
            return True
        return False

    def _refuse(self, id_: Any, code: int, text: str) -> None:
        logger.warning("Refused a message: %s", text)
        error = {"code": code, "message": text}
        self._send_data({"jsonrpc": self.VERSION, "id": id_, "error": error})

    def _handle_request(self, msg_id: int | str, method_name: str, params: Any) -> None:
        """Lets those who work in the background know for how long somebody waits.

        Not of commands: some evaluate for as long as their program runs.
        """
        super()._handle_request(msg_id, method_name, params)
        future = self._request_futures.get(msg_id)
        if future is not None and method_name != types.WORKSPACE_EXECUTE_COMMAND:
            self._server.foreground.begin()
            future.add_done_callback(lambda _: self._server.foreground.end())

    def _run_generator(
        self, future: Future[Any] | None, *, gen: Generator[Any, Any, Any], result_future: Any
    ) -> None:
        """Ends with the handler that it waits for; pygls lets the cancellation out of a callback.

        A client that leaves at once cancels what `initialized` has begun.
        """
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)

    def _send_handler_result(self, future: Future[Any], *, msg_id: int | str) -> None:
        """Says what went wrong in a sentence for people; pygls sends the traceback."""
        error = None if future.cancelled() else future.exception()
        if error is None or isinstance(error, JsonRpcException):
            super()._send_handler_result(future, msg_id=msg_id)
            return
        self._request_futures.pop(msg_id, None)
        if isinstance(error, LuaPersistError):
            self._refuse(msg_id, REQUEST_FAILED, str(error))
            return
        logger.error("A request failed", exc_info=error)
        self._refuse(msg_id, INTERNAL_ERROR, f"this should not have happened: {error!r}")

    def encoded(self, data: Any) -> str:
        """Objects of lsprotocol, or plain data, as JSON."""
        return json.dumps(data, default=self._serialize_message)

    def _send_response(
        self, msg_id: int | str, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        """Sends an answer as it is where a feature has encoded it."""
        if error is None and isinstance(result, Encoded):
            self._result_types.pop(msg_id, None)
            head = f'{{"jsonrpc":"{self.VERSION}","id":{json.dumps(msg_id)},"result":'
            self._send_text(f"{head}{result.text}}}")
        else:
            super()._send_response(msg_id, result, error)

    def _send_data(self, data: Any) -> None:
        self._send_text(self.encoded(data))

    def _send_text(self, text: str) -> None:
        """Sends nothing any more to a client that left; pygls reports its failure, which fails."""
        if self._left:
            return
        if self.writer is None:
            logger.error("Nothing can be sent: there is no connection")
            return
        body = text.encode()
        try:
            self.writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        except BrokenPipeError:
            raise
        except Exception:
            logger.exception("A message could not be sent")

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

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """To our documents."""
        notebooks.did_open(self._server, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(
        self, params: types.DidChangeNotebookDocumentParams
    ) -> None:
        """To our documents."""
        notebooks.did_change(self._server, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(
        self, params: types.DidCloseNotebookDocumentParams
    ) -> None:
        """To our documents."""
        notebooks.did_close(self._server, params)

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
        self._stopped = asyncio.Event()
        try:
            await self._server.stop()
            if self._running_commands:
                await asyncio.wait(self._running_commands, timeout=SHUTDOWN_WAIT_S_MAX)
        finally:
            self._shutdown = True
            self._stopped.set()

    @lsp_method(types.EXIT)
    async def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        """Ends the process, and not before a `shutdown` that is under way is done.

        Remembers for the exit status whether there was one; pygls loses it, and ends the process
        from inside of the loop, whose other tasks complain.
        """
        if self._stopped is not None:
            await self._stopped.wait()
        self.left_without_shutdown = not self._shutdown
        self._left = True
        self._server.leave()


def _misfit(error: BaseException | None) -> str:
    """What of a message does not fit its type, and where."""
    if isinstance(error, Exception):
        return "; ".join(transform_error(error, path="$")[:3])
    return "it does not fit the type"
