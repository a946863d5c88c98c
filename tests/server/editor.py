"""A client of the language server for tests: opens documents, runs commands, never sleeps."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import make_test_lsp_client

from lua_ls_persist.server import uris

PROFILES = ("neovim", "visual_studio_code", "emacs")
TIMEOUT_S = 20.0
SERVER = (sys.executable, "-c", "from lua_ls_persist.server import serve; serve()")
PATIENT = f"""
from lua_ls_persist.server import serve
from lua_ls_persist.server import evaluator, language_server
evaluator.GLANCE_S = language_server.SETTINGS_WAIT_S_MAX = {TIMEOUT_S / 2}
serve()
"""
"""A server that gives nothing up on a busy machine: what is asked for is told at once, and right.
That it is quick is shown by `benchmarks/`, that it waits for no evaluation by the tests of that."""


class Client(LanguageClient):
    """pytest-lsp's client, which also counts refreshes and keeps our own notifications."""

    refreshes: int
    refreshed: asyncio.Event
    """Set when hints or lenses are to be asked for again."""
    evaluations: list[Any]
    told: dict[str, list[Any]]
    """Our own notifications by name: `status`, `output`, `changed`."""
    registered: list[types.Registration]
    applied: list[types.TextEdit]
    """The changes that the server asked for."""


F = TypeVar("F", bound=Callable[..., Any])


def typed(decorator: Any) -> Callable[[F], F]:
    """A decorator of a library without annotations, which leaves the type as it is."""
    return cast("Callable[[F], F]", decorator)


def make_client() -> Client:
    client = make_test_lsp_client()
    client.__class__ = Client
    assert isinstance(client, Client)
    client.refreshes = 0
    client.refreshed = asyncio.Event()
    client.evaluations = []
    client.told = {"status": [], "output": [], "changed": []}
    client.registered = []
    client.applied = []

    @typed(client.feature(types.WORKSPACE_APPLY_EDIT))
    def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        changes = params.edit.document_changes or ()
        for change in changes:
            if isinstance(change, types.TextDocumentEdit):
                client.applied += [e for e in change.edits if isinstance(e, types.TextEdit)]
        for edits in (params.edit.changes or {}).values():
            client.applied += edits
        return types.ApplyWorkspaceEditResult(applied=True)

    @typed(client.feature(types.WORKSPACE_INLAY_HINT_REFRESH))
    def refresh(_: Any) -> None:
        client.refreshes += 1
        client.refreshed.set()

    @typed(client.feature(types.WORKSPACE_CODE_LENS_REFRESH))
    def refresh_lenses(_: Any) -> None:
        client.refreshes += 1
        client.refreshed.set()

    @typed(client.feature(types.CLIENT_REGISTER_CAPABILITY))
    def register(params: types.RegistrationParams) -> None:
        client.registered.extend(params.registrations)

    @typed(client.feature("luaPersist/evaluation"))
    def evaluation(params: Any) -> None:
        client.evaluations.append(params)

    def keep(name: str) -> None:
        @typed(client.feature(f"luaPersist/{name}"))
        def told(params: Any) -> None:
            client.told[name].append(params)

    for name in client.told:
        keep(name)
    return client


CONFIG = ClientServerConfig(
    server_command=[sys.executable, "-c", PATIENT], client_factory=make_client
)


class Editor:
    """One client with one workspace folder."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.result: types.InitializeResult | None = None
        self._versions: dict[str, int] = {}

    async def start(
        self,
        profile: str,
        *,
        options: dict[str, Any] | None = None,
        adapt: Callable[[types.ClientCapabilities], None] = lambda _: None,
        folders: Sequence[Path] | None = None,
    ) -> None:
        capabilities = client_capabilities(profile)
        adapt(capabilities)
        shown = [self.folder] if folders is None else folders
        self.result = await within(
            self.client.initialize_session(
                types.InitializeParams(
                    capabilities=capabilities,
                    workspace_folders=[
                        types.WorkspaceFolder(uris.uri_of(folder), folder.name) for folder in shown
                    ],
                    initialization_options=options,
                )
            )
        )

    @property
    def encoding(self) -> str:
        assert self.result is not None
        encoding = self.result.capabilities.position_encoding
        return "utf-16" if encoding is None else str(getattr(encoding, "value", encoding))

    @property
    def shows_hints(self) -> bool:
        assert self.client.capabilities is not None
        text_document = self.client.capabilities.text_document
        return text_document is not None and text_document.inlay_hint is not None

    def units(self, text: str) -> int:
        """The length of a text as this client counts it."""
        sizes = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
        codec, size = sizes[self.encoding]
        return len(text.encode(codec)) // size

    def uri(self, name: str) -> str:
        return uris.uri_of(self.folder / name)

    def open(self, text: str, name: str = "main.lua") -> str:
        uri = name if ":" in name else self.uri(name)
        self._versions[uri] = 1
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "lua", 1, text))
        )
        return uri

    def edit(self, uri: str, range_: types.Range | None, text: str) -> None:
        self._versions[uri] += 1
        change: types.TextDocumentContentChangeEvent
        if range_ is None:
            change = types.TextDocumentContentChangeWholeDocument(text)
        else:
            change = types.TextDocumentContentChangePartial(range_, text)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._versions[uri], uri), [change]
            )
        )

    def insert(self, uri: str, line: int, character: int, text: str) -> None:
        self.edit(uri, at(line, character, line, character), text)

    def close(self, uri: str) -> None:
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        )

    async def run(self, command: str, params: dict[str, Any] | None = None) -> Any:
        return await within(self.start_command(command, params))

    def start_command(
        self,
        command: str,
        params: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        msg_id: str | None = None,
    ) -> asyncio.Future[Any]:
        future: Future[Any] = self.client.protocol.send_request(
            types.WORKSPACE_EXECUTE_COMMAND,
            types.ExecuteCommandParams(
                f"lua-persist.{command}", [] if params is None else [params], token
            ),
            msg_id=msg_id,
        )
        answer: asyncio.Future[Any] = asyncio.wrap_future(future)
        return answer

    async def raw(self, method: str, params: Any) -> Any:
        """The answer to a request as it came: lsprotocol takes code actions for commands."""
        future = self.client.protocol.send_request(method, params, msg_id="raw")
        self.client.protocol._result_types["raw"] = None
        return await within(asyncio.wrap_future(future))

    async def evaluate(self, uri: str) -> Any:
        return await self.run("evaluateFile", {"uri": uri})

    async def evaluate_form(self, uri: str, line: int, character: int = 0) -> Any:
        place = {"line": line, "character": character}
        return await self.run("evaluateForm", {"uri": uri, "position": place})

    async def diagnostics(
        self, uri: str, when: Callable[[Sequence[types.Diagnostic]], object]
    ) -> Sequence[types.Diagnostic]:
        """The diagnostics of a document, as soon as they are as wanted."""

        async def wanted() -> Sequence[types.Diagnostic]:
            while uri not in self.client.diagnostics or not when(self.client.diagnostics[uri]):
                await self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
            return self.client.diagnostics[uri]

        found: Sequence[types.Diagnostic] = await within(wanted())
        return found

    async def told(self, name: str, when: Callable[[Any], object]) -> Any:
        """The first of our own notifications that is as wanted, as soon as it is there."""

        async def wanted() -> Any:
            seen = 0
            while True:
                for notification in self.client.told[name][seen:]:
                    seen += 1
                    if when(notification):
                        return notification
                await self.client.wait_for_notification(f"luaPersist/{name}")

        return await within(wanted())

    def shown(self, uri: str) -> list[str]:
        """The diagnostics of a document as `line:start-end level message`, without stand-ins."""
        return [
            f"{d.range.start.line}:{d.range.start.character}-{d.range.end.character}"
            f" {d.severity.name if d.severity else ''} {d.message.splitlines()[0]}"
            for d in self.client.diagnostics.get(uri, ())
            if d.code != "result"
        ]

    async def hints(self, uri: str) -> list[str]:
        """What stands behind the lines, as `line:character label`.

        Where the client knows no inlay hints: from the diagnostics that stand in for them.
        """
        everything = at(0, 0, 9999, 0)
        if not self.shows_hints:
            return [
                f"{d.range.start.line} {d.message}"
                for d in self.client.diagnostics.get(uri, ())
                if d.code == "result" and d.severity == types.DiagnosticSeverity.Hint
            ]
        hints = await within(
            self.client.text_document_inlay_hint_async(
                types.InlayHintParams(types.TextDocumentIdentifier(uri), everything)
            )
        )
        return [f"{hint.position.line} {hint.label}" for hint in hints or ()]


def wanting(*names: str) -> Callable[[types.ClientCapabilities], None]:
    """Adapts capabilities: the client wants these notifications of ours."""

    def adapt(capabilities: types.ClientCapabilities) -> None:
        capabilities.experimental = {"luaPersist": dict.fromkeys(names, True)}

    return adapt


def at(line: int, character: int, end_line: int, end_character: int) -> types.Range:
    return types.Range(types.Position(line, character), types.Position(end_line, end_character))


async def within(awaitable: Any, seconds: float = TIMEOUT_S) -> Any:
    return await asyncio.wait_for(awaitable, seconds)


__all__ = ["CONFIG", "PROFILES", "Client", "Editor", "at", "pytest_lsp", "within"]
