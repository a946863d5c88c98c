"""The index of the workspace's files: on disk, beside what is open."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from lua_ls_persist.server import uris, workspace_files
from lua_ls_persist.server.documents import Documents
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from tests.server.editor import Editor, at, within


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / ".lua-persist").mkdir()
    (tmp_path / ".lua-persist" / "hidden.lua").write_text("function hidden() end")
    (tmp_path / "main.lua").write_text("local m = require('lib.m')\nm.f()\ntotal = 1\n")
    (tmp_path / "lib" / "m.lua").write_text("local M = {}\nfunction M.f() end\nreturn M\n")
    (tmp_path / "lib" / "init.lua").write_text("print(total)\n")
    (tmp_path / "bytes.lua").write_bytes(b"total = '\xff'\n")
    (tmp_path / "notes.txt").write_text("total")
    return tmp_path


def indexed(folder: Path, documents: Documents | None = None) -> WorkspaceFiles:
    files = WorkspaceFiles(documents or Documents())
    files.folders = (folder,)
    files.scan([folder])
    files.close()
    return files


def names(files: WorkspaceFiles, text: str) -> list[str]:
    return sorted(str(document.uri.rpartition("/")[2]) for document in files.mentioning(text))


def test_what_is_mentioned_where(folder: Path) -> None:
    files = indexed(folder)
    assert names(files, "total") == ["bytes.lua", "init.lua", "main.lua"]
    assert names(files, "hidden") == []
    assert names(files, "f") == ["m.lua", "main.lua"]


def test_open_documents_come_first(folder: Path) -> None:
    documents = Documents()
    documents.open(uris.uri_of(folder / "main.lua"), "other = 1")
    files = indexed(folder, documents)
    assert names(files, "total") == ["bytes.lua", "init.lua"]
    assert names(files, "other") == ["main.lua"]
    assert [symbol.name for symbol in files.symbols()] == ["other", "total", "M", "M.f"]


def test_changes_on_disk(folder: Path) -> None:
    files = indexed(folder)
    main, new = folder / "main.lua", folder / "new.lua"
    assert files.document(uris.uri_of(main)) is files.document(uris.uri_of(main))
    main.write_text("changed = 1")
    new.write_text("total = 2")
    (folder / "bytes.lua").unlink()
    hidden = folder / ".lua-persist" / "hidden.lua"
    files.changed(uris.uri_of(path) for path in (main, new, folder / "bytes.lua", hidden))
    assert names(files, "total") == ["init.lua", "new.lua"]
    assert names(files, "changed") == ["main.lua"]
    assert names(files, "hidden") == []


def test_modules(folder: Path) -> None:
    files = indexed(folder)
    assert files.modules() == ["bytes", "lib", "lib.m", "main"]
    for name, path in (("lib.m", "lib/m.lua"), ("lib", "lib/init.lua"), ("main", "main.lua")):
        module = files.module(name)
        assert module is not None
        assert module.uri == uris.uri_of(folder / path)
    assert files.module("nothing") is None
    assert files.module("") is None
    assert files.module("/etc/passwd") is None


def test_limits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "large.lua").write_text("total = 1 -- " + "x" * 2000)
    monkeypatch.setattr(workspace_files, "FILE_BYTES_MAX", 2000)
    assert "large.lua" not in names(indexed(folder), "total")
    monkeypatch.setattr(workspace_files, "FILES_MAX", 2)
    assert names(indexed(folder), "total") == ["bytes.lua"]
    monkeypatch.setattr(workspace_files, "TOTAL_BYTES_MAX", 1)
    assert list(indexed(folder).mentioning("total")) == []


async def symbols(editor: Editor, query: str) -> list[str]:
    found = await within(editor.client.workspace_symbol_async(types.WorkspaceSymbolParams(query)))
    return [
        f"{one.name} {one.location.uri.rpartition('/')[2]}:{one.location.range.start.line}"
        for one in found
    ]


async def test_a_definition_in_a_file_that_is_not_open(folder: Path, editor: Editor) -> None:
    uri = editor.open((folder / "main.lua").read_text())
    params = types.DefinitionParams(types.TextDocumentIdentifier(uri), types.Position(1, 2))
    found = await within(editor.client.text_document_definition_async(params))
    assert [(one.uri, one.range) for one in found] == [(editor.uri("lib/m.lua"), at(1, 11, 1, 12))]


async def test_files_that_the_client_says_have_changed(folder: Path, unstarted: Editor) -> None:
    editor = unstarted
    await editor.start("neovim")
    (folder / "new.lua").write_text("function brand_new() end\n")
    kind = types.FileChangeType.Created
    editor.client.workspace_did_change_watched_files(
        types.DidChangeWatchedFilesParams([types.FileEvent(editor.uri("new.lua"), kind)])
    )
    while "brand_new new.lua:0" not in await symbols(editor, "brnew"):
        pass
    assert await symbols(editor, "hidden") == []
    assert await symbols(editor, "M.f") == ["M.f m.lua:1"]


async def test_a_preview_where_the_client_has_one(folder: Path, editor: Editor) -> None:
    uri = editor.open((folder / "main.lua").read_text())
    document = types.TextDocumentIdentifier(uri)
    place = types.Position(2, 1)
    prepared = await within(
        editor.client.text_document_prepare_rename_async(types.PrepareRenameParams(document, place))
    )
    assert (prepared.placeholder, prepared.range) == ("total", at(2, 0, 2, 5))
    while True:  # Until the files were read.
        edit = await within(
            editor.client.text_document_rename_async(types.RenameParams(document, place, "sum"))
        )
        changed = edit.changes or {c.text_document.uri: c.edits for c in edit.document_changes}
        if len(changed) == 3:
            break
    assert {uri.rpartition("/")[2] for uri in changed} == {"main.lua", "bytes.lua", "init.lua"}
    capabilities = editor.client.capabilities
    assert capabilities is not None
    assert capabilities.workspace is not None
    known = capabilities.workspace.workspace_edit
    if known is not None and known.change_annotation_support is not None:
        (annotation,) = edit.change_annotations.values()
        assert annotation.needs_confirmation
        assert annotation.description == "The global `total` to `sum` in 3 files"
        assert all(one.annotation_id for change in edit.document_changes for one in change.edits)
    else:
        assert edit.change_annotations is None
