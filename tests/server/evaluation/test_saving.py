"""What happens when documents are saved, and when files change on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from lua_ls_persist.server.modules import names_of
from tests.server.editor import PROFILES, Editor, wanting

LIBRARY = """\
local lib = { count = 0 }
function lib.name() return "old" end
function lib.gone() end
return lib
"""
NEW = LIBRARY.replace('"old"', '"new"').replace("gone", "added").replace("count = 0", "count = 5")
MAIN = "lib = require 'lib'\nlib.count = lib.count + 1\nreturn lib.name(), lib.count\n"


def save(editor: Editor, uri: str) -> None:
    editor.client.text_document_did_save(
        types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri))
    )


def change_file(editor: Editor, path: Path, text: str) -> None:
    path.write_text(text)
    event = types.FileEvent(editor.uri(path.name), types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))


async def start(editor: Editor, profile: str = "neovim", **settings: Any) -> Path:
    library = editor.folder / "lib.lua"
    library.write_text(LIBRARY)
    await editor.start(profile, options=settings, adapt=wanting("evaluation"))
    return library


async def text_of(editor: Editor, text: str) -> str:
    return str((await editor.run("evaluateText", {"text": text}))["text"])


# Evaluating


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_file_is_evaluated_when_it_is_saved(unstarted: Editor, profile: str) -> None:
    await unstarted.start(profile, options={"evaluateOnSave": "file"})
    uri = unstarted.open("n = (n or 0) + 1\nreturn n")
    save(unstarted, uri)
    # What comes later is evaluated later.
    assert await text_of(unstarted, "n") == "1"
    assert await unstarted.hints(uri) == ["1 => 1"]


async def test_nothing_is_evaluated_by_default(neovim: Editor) -> None:
    save(neovim, neovim.open("n = 1"))
    assert await text_of(neovim, "n") == "nil"


async def test_nothing_is_evaluated_untrusted(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"evaluateOnSave": "file", "trusted": False})
    save(unstarted, unstarted.open("n = 1"))
    unstarted.client.protocol.notify("luaPersist/trusted", {"trusted": True})
    assert await text_of(unstarted, "n") == "nil"


# Modules


async def test_the_next_require_loads_a_changed_module(unstarted: Editor) -> None:
    library = await start(unstarted)
    uri = unstarted.open(MAIN)
    assert (await unstarted.evaluate(uri))["text"] == '"old", 1'
    change_file(unstarted, library, NEW)
    # What was loaded goes on as it was, until it is required again.
    assert await text_of(unstarted, "return lib.name(), lib.count") == '"old", 1'
    assert (await unstarted.evaluate(uri))["text"] == '"new", 6'


async def test_a_module_is_loaded_again_in_place(unstarted: Editor) -> None:
    library = await start(unstarted, reloadModules="inPlace")
    await unstarted.evaluate(unstarted.open(MAIN))
    change_file(unstarted, library, NEW)
    shown = "return lib.name(), lib.count, lib.added ~= nil, lib.gone, lib == require 'lib'"
    assert await text_of(unstarted, shown) == '"new", 1, true, nil, true'


async def test_a_module_that_cannot_be_loaded(unstarted: Editor) -> None:
    library = await start(unstarted, reloadModules="inPlace")
    await unstarted.evaluate(unstarted.open(MAIN))
    change_file(unstarted, library, "local lib = {}\nerror('not now')\n")
    assert await text_of(unstarted, "return lib.name(), require('lib') == lib") == '"old", true'
    uri = unstarted.uri("lib.lua")
    (shown,) = await unstarted.diagnostics(uri, lambda found: found)
    assert (shown.message, shown.range.start.line) == ("not now", 1)


async def test_modules_can_stay_as_they_are(unstarted: Editor) -> None:
    library = await start(unstarted, reloadModules="off")
    uri = unstarted.open(MAIN)
    await unstarted.evaluate(uri)
    change_file(unstarted, library, NEW)
    assert (await unstarted.evaluate(uri))["text"] == '"old", 2'


async def test_many_files_change_at_once(unstarted: Editor) -> None:
    library = await start(unstarted)
    uri = unstarted.open(MAIN)
    await unstarted.evaluate(uri)
    library.write_text(NEW)
    names = [f"other{number}.lua" for number in range(100)]
    for name in names:
        (unstarted.folder / name).write_text("return 1")
    unstarted.client.workspace_did_change_watched_files(
        types.DidChangeWatchedFilesParams(
            [
                types.FileEvent(unstarted.uri(name), types.FileChangeType.Changed)
                for name in ("lib.lua", *names)
            ]
        )
    )
    # Nothing tells when the last file was looked at: it is asked for until it is there.
    while (await unstarted.evaluate(uri))["text"].startswith('"old"'):
        pass
    assert await text_of(unstarted, "return lib.name()") == '"new"'


async def test_a_module_in_a_buffer(unstarted: Editor) -> None:
    library = await start(unstarted)
    uri, module = unstarted.open(MAIN), unstarted.open(LIBRARY, "lib.lua")
    await unstarted.evaluate(uri)
    unstarted.edit(module, None, NEW)
    assert (await unstarted.evaluate(uri))["text"] == '"old", 2'
    save(unstarted, module)
    assert (await unstarted.evaluate(uri))["text"] == '"new", 6'
    # The same news from the file system change nothing any more.
    change_file(unstarted, library, NEW)
    assert (await unstarted.evaluate(uri))["text"] == '"new", 7'


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a.lua", ["a"]),
        ("a/b.lua", ["a.b", "a/b"]),
        ("a/init.lua", ["a.init", "a/init", "a"]),
        ("init.lua", ["init"]),
        ("a.txt", []),
        ("../other/a.lua", []),
    ],
)
def test_names_of_modules(tmp_path: Path, path: str, names: list[str]) -> None:
    file = Path(str(tmp_path / path).replace(f"{tmp_path.name}/../", ""))
    assert names_of(file, [tmp_path]) == names


# What was said of files that changed


FAULTY = "local lib = {}\nfunction lib.name() return nil + 1 end\nreturn lib\n"


@pytest.mark.parametrize("reload", ["next", "off"])
async def test_a_problem_in_a_file_goes_when_the_file_is_mended(
    unstarted: Editor, reload: str
) -> None:
    library = await start(unstarted, reloadModules=reload)
    library.write_text(FAULTY)
    uri = unstarted.open("return require('lib').name()")
    await unstarted.evaluate(uri)
    there = unstarted.uri("lib.lua")
    await unstarted.diagnostics(there, lambda found: len(found) == 1)
    change_file(unstarted, library, LIBRARY)
    await unstarted.diagnostics(there, lambda found: not found)


async def test_a_problem_in_a_file_goes_with_the_file(unstarted: Editor) -> None:
    library = await start(unstarted)
    library.write_text("local lib = {\nreturn lib\n")
    uri = unstarted.open("return require('lib').name()")
    await unstarted.evaluate(uri)
    there = unstarted.uri("lib.lua")
    await unstarted.diagnostics(there, lambda found: len(found) == 1)
    library.unlink()
    event = types.FileEvent(there, types.FileChangeType.Deleted)
    unstarted.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    await unstarted.diagnostics(there, lambda found: not found)
