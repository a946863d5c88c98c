"""A language client as small as can be: opens Lua files, evaluates them, sees what an editor sees.

The demo and the tests of the examples look through it. It starts the server as an editor does, as
a process of its own with which it speaks over stdin and stdout, and knows nothing of the server's
code.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

SERVER = (sys.executable, "-m", "lua_ls_persist", "serve")
EVALUATE_FILE = "lua-persist.evaluateFile"
ANSWER_TIME_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class View:
    """What is on the screen after an evaluation. Lines and columns count from 0, as in LSP."""

    result: dict[str, Any]
    """The evaluation as the command returned it, see `lua_ls_persist.jsonable`."""
    hints: list[tuple[int, str]]
    """The line and the text of each inlay hint."""
    diagnostics: list[types.Diagnostic]

    @property
    def output(self) -> str:
        """Everything the program printed."""
        return "".join(piece["text"] for piece in self.result["output"])


@dataclass
class Editor:
    """An open folder with a running language server; made by `open_folder`."""

    _client: LanguageClient
    _folder: Path
    _published: dict[str, list[types.Diagnostic]] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def open(self, path: Path) -> None:
        """Show a file. Nothing is evaluated by that."""
        self._client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                types.TextDocumentItem(
                    uri=path.as_uri(),
                    language_id="lua",
                    version=1,
                    text=path.read_text(encoding="utf-8"),
                )
            )
        )

    def scratch(self, text: str) -> str:
        """Show a text that is in no file; its URI."""
        uri = f"{self._folder.as_uri()}/scratch.lua"
        item = types.TextDocumentItem(uri=uri, language_id="lua", version=1, text=text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    async def command(self, name: str, params: Mapping[str, object]) -> Any:
        """Run a command of the server; its result."""
        return await self._client.workspace_execute_command_async(
            types.ExecuteCommandParams(command=f"lua-persist.{name}", arguments=[params])
        )

    async def hover(self, uri: str, line: int, character: int) -> str:
        """What is told of what stands at a place, as Markdown."""
        hover = await self._client.text_document_hover_async(
            types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
        )
        contents = None if hover is None else hover.contents
        return contents.value if isinstance(contents, types.MarkupContent) else ""

    async def completion(self, uri: str, line: int, character: int) -> list[str]:
        """What could stand at a place."""
        found = await self._client.text_document_completion_async(
            types.CompletionParams(
                types.TextDocumentIdentifier(uri), types.Position(line, character)
            )
        )
        items = found.items if isinstance(found, types.CompletionList) else found or ()
        return [item.label for item in items]

    async def evaluate(self, path: Path) -> View:
        """Evaluate an open file and wait for all that the editor shows of it."""
        uri = path.as_uri()
        result = await self._client.workspace_execute_command_async(
            types.ExecuteCommandParams(command=EVALUATE_FILE, arguments=[{"uri": uri}])
        )
        assert isinstance(result, dict), f"{EVALUATE_FILE} returns an object, not {result!r}"
        hints = await self._client.text_document_inlay_hint_async(
            types.InlayHintParams(
                text_document=types.TextDocumentIdentifier(uri),
                range=types.Range(types.Position(0, 0), types.Position(2**31 - 1, 0)),
            )
        )
        await self._wait_for_diagnostics(uri, bool(result["problems"]))
        return View(
            result=result,
            hints=sorted((hint.position.line, _label(hint)) for hint in hints or ()),
            diagnostics=self._published.get(uri, []),
        )

    async def _wait_for_diagnostics(self, uri: str, expected: bool) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._published.get(uri)) == expected)

    async def on_diagnostics(self, params: types.PublishDiagnosticsParams) -> None:
        """Take what the server has found in a file, in place of what it had found before."""
        async with self._changed:
            self._published[params.uri] = list(params.diagnostics)
            self._changed.notify_all()


@asynccontextmanager
async def open_folder(
    folder: Path,
    server: Sequence[str] = SERVER,
    *,
    settings: Mapping[str, object] | None = None,
) -> AsyncIterator[Editor]:
    """Start the language server on a folder, and stop it politely in the end.

    `settings` are those of the server, as an editor's user would write them.

    Raises:
        RuntimeError: the server ended before it answered.
    """
    client = _Client("lua-ls-persist-demo", "1")
    editor = Editor(client, folder)
    _register(client, editor)
    await client.start_io(*server)
    try:
        await client.initialize_async(
            types.InitializeParams(
                capabilities=_capabilities(),
                root_uri=folder.as_uri(),
                initialization_options=settings,
                workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name=folder.name)],
            )
        )
        client.initialized(types.InitializedParams())
        try:
            yield editor
        finally:
            await asyncio.wait_for(client.shutdown_async(None), ANSWER_TIME_S_MAX)
            client.exit(None)
    finally:
        await asyncio.wait_for(client.stop(), ANSWER_TIME_S_MAX)  # type: ignore[no-untyped-call]


class _Client(LanguageClient):
    """The client, which shows what a server wrote to stderr before it failed."""

    async def server_exit(self, server: asyncio.subprocess.Process) -> None:
        if server.returncode != 0 and server.stderr is not None:
            sys.stderr.write((await server.stderr.read()).decode(errors="replace"))


def _capabilities() -> types.ClientCapabilities:
    # utf-32 makes a column an index into a Python string.
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(
            position_encodings=[types.PositionEncodingKind.Utf32]
        ),
        text_document=types.TextDocumentClientCapabilities(
            inlay_hint=types.InlayHintClientCapabilities(),
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=True
            ),
        ),
        workspace=types.WorkspaceClientCapabilities(workspace_folders=True),
    )


def _register(client: LanguageClient, editor: Editor) -> None:
    """Answer what a server may say to an editor without having been asked."""

    # pygls keeps notes on a handler: it must be a function, not a bound method.
    async def on_diagnostics(params: types.PublishDiagnosticsParams) -> None:
        await editor.on_diagnostics(params)

    def on_message(params: types.LogMessageParams | types.ShowMessageParams) -> None:
        if params.type == types.MessageType.Error:
            print(f"server: {params.message}", file=sys.stderr)

    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(on_diagnostics)
    client.feature(types.WINDOW_LOG_MESSAGE)(on_message)
    client.feature(types.WINDOW_SHOW_MESSAGE)(on_message)


def _label(hint: types.InlayHint) -> str:
    if isinstance(hint.label, str):
        return hint.label
    return "".join(part.value for part in hint.label)
