"""Completion: names, fields, keys of rows, tables, fields in queries, modules.

What takes a look at a value itself (its text, its documentation) is looked up when it is selected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server import uris
from lua_ls_persist.server.answers import Encoded
from lua_ls_persist.server.convert import markup, range_json
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.beside import completion_of
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.features.live.types import types_of
from lua_ls_persist.server.live.candidates import Candidate, CandidateKind
from lua_ls_persist.server.live.completing import Completer, Completions, Options
from lua_ls_persist.server.live.describing import Describer, member, way_of_json, way_to_json

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

TRIGGERS: Final = [".", ":", '"', "'", "["]

_KINDS: Final[dict[CandidateKind, types.CompletionItemKind]] = {
    "local": types.CompletionItemKind.Variable,
    "global": types.CompletionItemKind.Variable,
    "field": types.CompletionItemKind.Field,
    "function": types.CompletionItemKind.Function,
    "method": types.CompletionItemKind.Method,
    "module": types.CompletionItemKind.Module,
    "table": types.CompletionItemKind.Struct,
    "keyword": types.CompletionItemKind.Keyword,
    "snippet": types.CompletionItemKind.Snippet,
    "constant": types.CompletionItemKind.Constant,
    "value": types.CompletionItemKind.Value,
    "file": types.CompletionItemKind.File,
    "operator": types.CompletionItemKind.Operator,
}


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/completion` and `completionItem/resolve`."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=TRIGGERS, resolve_provider=True),
    )
    async def completion(params: types.CompletionParams) -> Encoded | None:
        document = server.documents.get(params.text_document.uri)
        workspace = server.workspace_of(params.text_document.uri)
        wanted = completion_of(server, workspace)
        if document is None or wanted == "off":
            return None
        await server.scopes(document)
        place = params.position
        position = document.position(server.documents.encoding, place.line, place.character)
        completer = completer_for(
            server,
            document.uri,
            Options(
                static=wanted == "all", snippets=bool(_item_support(server, "snippet_support"))
            ),
        )
        found = await completer.complete(document, position)
        return _Items(server, document).listed(found)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    async def resolve(item: types.CompletionItem) -> types.CompletionItem:
        data: Any = item.data
        uri, way = member(data, "uri"), way_of_json(member(data, "way"))
        if not isinstance(uri, str) or way is None:
            return item
        describer = Describer(server.workspace_of(uri), server.find_document)
        text = await describer.value(way)
        if text:
            item.documentation = markup(text, _item_support(server, "documentation_format"))
        return item


def completer_for(server: LuaLanguageServer, uri: str | None, options: Options) -> Completer:
    """A completer for a document."""
    workspace = server.workspace_of(uri)

    async def modules() -> Iterable[str]:
        return await among_files(server, server.files.modules)

    key = None if uri is None else uris.key_of(uri)
    return Completer(workspace.view, modules, options, key, types_of(server))


class _Items:
    """The items of one document for one client."""

    def __init__(self, server: LuaLanguageServer, document: Document) -> None:
        self._server = server
        self._document = document
        self._label_details = bool(_item_support(server, "label_details_support"))
        self._formats = _item_support(server, "documentation_format")

    def listed(self, found: Completions) -> Encoded:
        assert found.range is not None or not found.candidates
        items: list[object] = []
        if found.range is not None:
            range_ = range_json(self._server.converter.range(self._document, found.range))
            items = [
                self._item(place, one, range_, found.quotes)
                for place, one in enumerate(found.candidates)
            ]
        data = {"isIncomplete": not found.complete, "items": items}
        return Encoded(self._server.encoded(data))

    def _item(
        self, place: int, one: Candidate, range_: Mapping[str, Json], quotes: str
    ) -> dict[str, object]:
        text = one.label if one.insert is None else one.insert
        if quotes:
            text = f"{quotes}{text}{quotes}"
        item: dict[str, object] = {
            "label": one.label,
            "kind": _KINDS[one.kind].value,
            "sortText": f"{place:04}",
            "textEdit": {"range": range_, "newText": text},
        }
        if quotes:
            item["filterText"] = text
        if one.parameters or one.detail:
            if self._label_details:
                named = {"detail": one.parameters, "description": one.detail}
                item["labelDetails"] = {name: part for name, part in named.items() if part}
            else:
                item["detail"] = f"{one.parameters} {one.detail}".strip()
        if one.is_snippet:
            item["insertTextFormat"] = types.InsertTextFormat.Snippet.value
        if one.documentation:
            item["documentation"] = markup(one.documentation, self._formats)
        if one.way is not None:
            item["data"] = {"uri": self._document.uri, "way": way_to_json(one.way)}
        return item


def _item_support(server: LuaLanguageServer, name: str) -> Any:
    """What the client says of completion items."""
    text_document = server.client_capabilities.text_document
    completion = text_document.completion if text_document else None
    item = completion.completion_item if completion else None
    return getattr(item, name, None)
