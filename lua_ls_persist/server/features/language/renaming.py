"""Rename, with a preview where the client has one: globals and fields are confirmed by the user.

Fields that are perhaps the same stand apart in it; without a preview they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.navigation import among_files, finder_for, place
from lua_ls_persist.server.navigation import Spot
from lua_ls_persist.server.renaming import RenameError, Renaming, renamable, rename

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

REQUEST_FAILED = -32803
ANNOTATION = "rename"
POSSIBLE = "perhaps"

Places: TypeAlias = "list[tuple[types.Range, str | None]]"
"""Ranges, each with the annotation of its change."""


def register(server: LuaLanguageServer) -> None:
    """Answers `textDocument/prepareRename` and `textDocument/rename`."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare_rename(
        params: types.PrepareRenameParams,
    ) -> types.PrepareRenamePlaceholder | None:
        at = await place(server, params)
        if at is None:
            return None
        finder = await finder_for(server, *at)
        try:
            found = await among_files(server, lambda: renamable(finder, *at))
        except RenameError as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error
        if found is None:
            return None
        range_ = server.converter.range(at[0], found)
        return types.PrepareRenamePlaceholder(range_, at[0].text(found))

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def rename_(params: types.RenameParams) -> types.WorkspaceEdit | None:
        at = await place(server, params)
        if at is None:
            return None
        new = params.new_name
        finder = await finder_for(server, *at)
        try:
            renaming = await among_files(server, lambda: rename(finder, *at, new))
        except RenameError as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error
        return _workspace_edit(server, renaming)


def _workspace_edit(server: LuaLanguageServer, renaming: Renaming) -> types.WorkspaceEdit:
    workspace = server.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    if edits is None or not edits.document_changes:
        return types.WorkspaceEdit(
            changes={
                document.uri: [types.TextEdit(range_, renaming.text) for range_, _ in found]
                for document, found in _by_document(server, renaming.spots, None)
            }
        )
    if renaming.is_certain or edits.change_annotation_support is None:
        # What is only possible changes for nobody who cannot be asked.
        annotations = None
        found = _by_document(server, renaming.spots, None)
    else:
        annotations = _annotations(renaming)
        found = [
            *_by_document(server, renaming.spots, ANNOTATION),
            *_by_document(server, renaming.possible, POSSIBLE),
        ]
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version),
                [_edit(renaming.text, range_, annotation) for range_, annotation in places],
            )
            for document, places in _merged(found)
        ],
        change_annotations=annotations,
    )


def _annotations(renaming: Renaming) -> dict[str, types.ChangeAnnotation]:
    found = {
        ANNOTATION: types.ChangeAnnotation(
            label="Rename", needs_confirmation=True, description=renaming.description
        )
    }
    if renaming.possible:
        found[POSSIBLE] = types.ChangeAnnotation(
            label="Perhaps the same field",
            needs_confirmation=True,
            description="A field of that name of a table that the sources do not tell",
        )
    return found


def _edit(
    text: str, range_: types.Range, annotation: str | None
) -> types.TextEdit | types.AnnotatedTextEdit:
    if annotation is None:
        return types.TextEdit(range_, text)
    return types.AnnotatedTextEdit(annotation, range_, text)


def _by_document(
    server: LuaLanguageServer, spots: Iterable[Spot], annotation: str | None
) -> list[tuple[Document, Places]]:
    """The places of each document, with what is said about them."""
    return _merged(
        (spot.document, [(server.converter.range(spot.document, spot.range), annotation)])
        for spot in spots
    )


def _merged(found: Iterable[tuple[Document, Places]]) -> list[tuple[Document, Places]]:
    merged: dict[str, tuple[Document, Places]] = {}
    for document, places in found:
        merged.setdefault(document.uri, (document, []))[1].extend(places)
    return list(merged.values())
