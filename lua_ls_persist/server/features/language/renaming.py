"""Rename, with a preview where the client has one: globals and fields are confirmed by the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.navigation import among_files, place
from lua_ls_persist.server.renaming import RenameError, Renaming, renamable, rename

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

REQUEST_FAILED = -32803
ANNOTATION = "rename"


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/prepareRename` and `textDocument/rename`."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare_rename(
        params: types.PrepareRenameParams,
    ) -> types.PrepareRenamePlaceholder | None:
        at = await place(server, params)
        if at is None:
            return None
        try:
            name = await among_files(server, lambda: renamable(server.navigator, *at))
        except RenameError as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error
        if name is None:
            return None
        range_ = server.converter.range(at[0], name.range)
        return types.PrepareRenamePlaceholder(range_, name.text)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename_(params: types.RenameParams) -> types.WorkspaceEdit | None:
        at = await place(server, params)
        if at is None:
            return None
        new = params.new_name
        try:
            renaming = await among_files(server, lambda: rename(server.navigator, *at, new))
        except RenameError as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error
        return _workspace_edit(server, renaming)


def _workspace_edit(server: LuaLanguageServer, renaming: Renaming) -> types.WorkspaceEdit:
    by_uri: dict[str, tuple[Document, list[types.Range]]] = {}
    for spot in renaming.spots:
        range_ = server.converter.range(spot.document, spot.range)
        by_uri.setdefault(spot.document.uri, (spot.document, []))[1].append(range_)
    workspace = server.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    if edits is None or not edits.document_changes:
        return types.WorkspaceEdit(
            changes={
                uri: [types.TextEdit(range_, renaming.text) for range_ in ranges]
                for uri, (_, ranges) in by_uri.items()
            }
        )
    annotated = not renaming.is_certain and edits.change_annotation_support is not None

    def edit(range_: types.Range) -> types.TextEdit | types.AnnotatedTextEdit:
        if annotated:
            return types.AnnotatedTextEdit(ANNOTATION, range_, renaming.text)
        return types.TextEdit(range_, renaming.text)

    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(uri, document.version),
                [edit(range_) for range_ in ranges],
            )
            for uri, (document, ranges) in by_uri.items()
        ],
        change_annotations={
            ANNOTATION: types.ChangeAnnotation(
                label="Rename", needs_confirmation=True, description=renaming.description
            )
        }
        if annotated
        else None,
    )
