"""Lenses at tables, queries and stored functions, and the same as code actions."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from tests.server.editor import Editor, at, within
from tests.server.live.cases import TRIES_MAX, Asked, prepared


async def lenses(editor: Editor, uri: str) -> list[str]:
    """`line title` of the lenses about data."""
    found = await editor.raw(
        types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(types.TextDocumentIdentifier(uri))
    )
    titles = [(lens["range"]["start"]["line"], lens["command"]["title"]) for lens in found or ()]
    return [
        f"{line} {title}"
        for line, title in titles
        if any(word in title for word in ("·", "row", "index"))
    ]


async def actions(editor: Editor, uri: str, range_: types.Range, only: list[str]) -> list[Any]:
    found = await editor.raw(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            range_,
            types.CodeActionContext(diagnostics=[], only=list(only)),
        ),
    )
    return list(found or ())


async def test_queries(editor: Editor) -> None:
    await prepared(editor)
    asked = Asked(
        editor,
        "local u = ext.table('users')\n"
        'ext.query(u, { where = { "age", ">", 30 } })\n'
        'ext.query("users", { where = { "name", "=", who } })\n'
        'ext.query("nobody", { where = { "name", "=", who } })\n',
    )
    expected = ["2 scan of 3 rows · create index users(name)"]
    found: list[str] = []
    for _ in range(TRIES_MAX):
        found = [one for one in await lenses(editor, asked.uri) if "scan" in one]
        if found == expected:
            break
    assert found == expected
    given = await actions(editor, asked.uri, at(2, 5, 2, 5), ["source.luaPersist.data"])
    (action,) = [one for one in given if one["title"] == "Create Index users(name)"]
    assert action["kind"] == "source.luaPersist.data"
    await editor.run("createIndex", action["command"]["arguments"][0])
    for _ in range(TRIES_MAX):
        found = [one for one in await lenses(editor, asked.uri) if "scan" in one]
        if not found:
            break
    assert found == []


async def test_a_table_has_one_lens(neovim: Editor) -> None:
    await prepared(neovim)
    asked = Asked(neovim, "local u = ext.table('users')\nlocal v = ext.table('users')")
    expected = ["0 3 rows · index users(age)"]
    found: list[str] = []
    for _ in range(TRIES_MAX):
        found = await lenses(neovim, asked.uri)
        if found == expected:
            break
    assert found == expected


async def test_an_edited_function(neovim: Editor) -> None:
    uri = await prepared(neovim)
    neovim.insert(uri, 9, 2, "-- edited\n  ")
    expected = "8 Memory.greet · edited: update"
    found: list[str] = []
    for _ in range(TRIES_MAX):
        found = await lenses(neovim, uri)
        if expected in found:
            break
    assert expected in found
    given = await actions(neovim, uri, at(8, 0, 8, 0), ["source.luaPersist.data"])
    (action,) = [one for one in given if one["title"] == "Update Stored Memory.greet"]
    command = action["command"]["command"].removeprefix("lua-persist.")
    await neovim.run(command, action["command"]["arguments"][0])
    for _ in range(TRIES_MAX):
        found = await lenses(neovim, uri)
        if expected not in found:
            break
    assert expected not in found


async def test_undo(editor: Editor) -> None:
    await prepared(editor)
    uri = editor.open("Memory.undone = 1", "undone.lua")
    assert (await editor.evaluate(uri))["ok"]
    given = await actions(editor, uri, at(0, 0, 0, 0), ["source.luaPersist.data"])
    (action,) = [one for one in given if one["title"] == "Undo Last Evaluation"]
    await editor.run("undo", action["command"]["arguments"][0])
    check = editor.open("return Memory.undone", "check.lua")
    assert (await editor.evaluate(check))["text"] == "nil"


async def test_undoing_is_not_offered_where_nothing_is_changed(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"trusted": False})
    uri = unstarted.open("Memory.undone = 1", "undone.lua")
    assert await actions(unstarted, uri, at(0, 0, 0, 0), ["source.luaPersist.data"]) == []


async def test_only_what_is_asked_for(neovim: Editor) -> None:
    uri = await prepared(neovim)
    assert await actions(neovim, uri, at(0, 0, 0, 0), ["refactor"]) == []
    assert await actions(neovim, uri, at(0, 0, 0, 0), ["source.luaPersist"]) != []


async def test_the_setting(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"dataLenses": False})
    uri = await prepared(unstarted)
    assert await lenses(unstarted, uri) == []


async def test_nothing_without_a_session(neovim: Editor) -> None:
    uri = neovim.open("ext.query('users', { where = { 'a', '=', 1 } })")
    assert await lenses(neovim, uri) == []
    assert not (neovim.folder / ".lua-persist").exists()


async def test_while_an_evaluation_runs(neovim: Editor) -> None:
    uri = await prepared(neovim)
    forever = neovim.open("while true do end", "forever.lua")
    running = neovim.start_command("evaluateFile", {"uri": forever})
    await within(lenses(neovim, uri))
    await neovim.run("interrupt")
    assert not (await within(running))["ok"]
