"""Definitions and symbols that the source alone does not have, and completion of a text."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from lua_ls_persist.server import uris
from tests.server.editor import Editor, within
from tests.server.live.cases import TRIES_MAX, Asked, prepared


async def definitions(editor: Editor, marked: str) -> list[str]:
    """Where the name at the cursor leads: `main.lua:3`."""
    asked = Asked(editor, marked)
    found: list[Any] = []
    for _ in range(TRIES_MAX):
        given = await editor.raw(
            types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(*asked.params)
        )
        found = given or []
        if found:
            break
    asked.close()
    return [f"{one['uri'].rpartition('/')[2]}:{one['range']['start']['line'] + 1}" for one in found]


async def test_a_function_of_the_vm(editor: Editor) -> None:
    """Its file is not open, and says the same."""
    uri = await prepared(editor)
    assert await definitions(editor, "Memory.gre‸et()") == ["setup.lua:9"]
    assert await definitions(editor, "local a = account\na:depo‸sit(1)") == ["setup.lua:16"]
    assert uri.endswith("setup.lua")


async def test_a_function_whose_source_is_gone(editor: Editor) -> None:
    await prepared(editor)
    gone = editor.open("function Memory.lost(a)\n  return a\nend", "gone.lua")
    assert (await editor.evaluate(gone))["ok"]
    editor.close(gone)
    asked = Asked(editor, "Memory.lo‸st(1)")
    given: list[Any] = []
    for _ in range(TRIES_MAX):
        given = await editor.raw(
            types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(*asked.params)
        )
        if given:
            break
    (location,) = given
    if location["uri"].startswith("lua-persist:"):
        text = (await editor.run("content", {"uri": location["uri"]}))["text"]
    else:
        path = uris.path_of(location["uri"])
        assert path is not None
        text = path.read_text()
    assert "function Memory.lost(a)" in text


async def symbols(editor: Editor, query: str, wanted: str) -> list[str]:
    found: list[str] = []
    for _ in range(TRIES_MAX):
        given = await within(
            editor.client.workspace_symbol_async(types.WorkspaceSymbolParams(query))
        )
        found = [f"{one.name} {one.container_name}" for one in given or ()]
        if wanted in found:
            break
    return found


async def test_symbols(editor: Editor) -> None:
    await prepared(editor)
    assert "Memory.greet stored" in await symbols(editor, "greet", "Memory.greet stored")
    assert not any("stored" in one for one in await symbols(editor, "zzz", ""))


# lua-persist.completeText


async def labels(editor: Editor, text: str, offset: int | None = None) -> list[str]:
    params: dict[str, Any] = {"text": text}
    if offset is not None:
        params["offset"] = offset
    for _ in range(TRIES_MAX):
        found = await editor.run("completeText", params)
        if found["complete"] or found["items"]:
            break
    return [item["label"] for item in found["items"]]


async def test_complete_text(editor: Editor) -> None:
    await prepared(editor)
    assert await labels(editor, "account:") == ["deposit", "new"]
    assert await labels(editor, "local here = 1 print(her") == ["here"]
    assert await labels(editor, 'ext.table("users").a') == ["ann"]
    assert await labels(editor, "") != []
    text = "é = '𝄞' cou = 2"
    offset = editor.units("é = '𝄞' cou")
    found = await editor.run("completeText", {"text": text, "offset": offset})
    (item,) = [one for one in found["items"] if one["label"] == "counter"]
    assert (found["start"], found["end"]) == (offset - 3, offset)
    assert (item["insert"], item["detail"], item["kind"]) == ("counter", "3", "global")
    assert "counter = 3" in item["documentation"]


async def test_complete_text_beside_nothing(neovim: Editor) -> None:
    """Without a session there are the libraries; and no file is made."""
    assert (await labels(neovim, "pri"))[:1] == ["print"]
    assert not (neovim.folder / ".lua-persist").exists()
