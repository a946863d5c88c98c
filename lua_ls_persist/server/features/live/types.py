"""How the features of this folder ask what the sources say of expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist.server.analysis import ExpressionPath
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.navigation import among_files
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.typed import Typed, Types, typed_path

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def types_of(server: LuaLanguageServer) -> Types:
    """Answers about expressions of open documents, outside of the loop."""

    async def look(document: Document, path: ExpressionPath, steps: int) -> Typed:
        inference = Inference(server.navigator)
        return await among_files(server, lambda: typed_path(inference, document, path, steps))

    return look
