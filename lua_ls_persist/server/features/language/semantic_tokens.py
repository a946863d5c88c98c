"""Semantic tokens: all, what changed since, and those of a part."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.analysis.tokens import MODIFIERS, TYPES, tokens_of, within_rows
from lua_ls_persist.server.answers import Encoded
from lua_ls_persist.server.common_ends import common_ends
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.speaking import speaks

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

MADE_AT_ONCE_ROWS_MAX = 200
_NUMBERS = tuple(map(str, range(1000)))
"""Nearly all lengths and distances are among them."""
LEGEND = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))


def register(server: LuaLanguageServer) -> None:
    """Answers the three requests."""
    sent: dict[str, tuple[str, list[int]]] = {}
    """By document: what the client has, and the id by which it names that."""

    def remember(uri: str, data: list[int]) -> str:
        id_ = str(int(sent[uri][0]) + 1 if uri in sent else 1)
        if server.documents.get(uri) is not None:
            sent[uri] = (id_, data)
        for closed in [known for known in sent if server.documents.get(known) is None]:
            del sent[closed]
        return id_

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    async def full(params: types.SemanticTokensParams) -> Encoded:
        uri = params.text_document.uri
        data = await _tokens(server, uri)
        return _encoded(data, remember(uri, data))

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, LEGEND)
    async def delta(
        params: types.SemanticTokensDeltaParams,
    ) -> Encoded | types.SemanticTokensDelta:
        uri = params.text_document.uri
        data = await _tokens(server, uri)
        known = sent.get(uri)
        id_ = remember(uri, data)
        if known is None or known[0] != params.previous_result_id:
            return _encoded(data, id_)
        return types.SemanticTokensDelta(_edits(known[1], data), id_)

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, LEGEND)
    async def range_(params: types.SemanticTokensRangeParams) -> Encoded:
        data = await _tokens(server, params.text_document.uri)
        rows = params.range
        return _encoded(within_rows(data, rows.start.line, rows.end.line))


async def _tokens(server: LuaLanguageServer, uri: str) -> list[int]:
    document = server.documents.get(uri)
    if document is None or not speaks(server, document):
        return []
    scopes = await server.scopes(document)
    encoding = server.documents.encoding

    def make(document: Document) -> list[int]:
        data = document.derived.get("tokens")
        if not isinstance(data, list):
            data = document.derived["tokens"] = tokens_of(scopes, encoding)
        return data

    if document.row_count <= MADE_AT_ONCE_ROWS_MAX:
        return make(document)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(server.files.worker, make, document)


def _encoded(data: list[int], id_: str | None = None) -> Encoded:
    """All tokens: cattrs would look at each of the numbers, and json would write each anew."""
    try:
        numbers = ",".join(map(_NUMBERS.__getitem__, data))
    except IndexError:
        numbers = ",".join(map(str, data))
    named = "" if id_ is None else f'"resultId":{json.dumps(id_)},'
    return Encoded(f'{{{named}"data":[{numbers}]}}')


def _edits(old: list[int], new: list[int]) -> list[types.SemanticTokensEdit]:
    """The one part that differs."""
    head, tail = common_ends(old, new)
    if head == len(old) == len(new):
        return []
    removed = len(old) - tail - head
    return [types.SemanticTokensEdit(head, removed, new[head : len(new) - tail])]
