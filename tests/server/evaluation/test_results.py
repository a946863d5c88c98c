"""What stays behind the code: it moves, is replaced, is cleared."""

from __future__ import annotations

from tests.server.editor import Editor


async def test_results_move_and_go_with_edits(editor: Editor) -> None:
    uri = editor.open("a = 1\nerror('no')\nb = 2\n")
    await editor.evaluate(uri)
    await editor.evaluate_form(uri, 0)
    await editor.evaluate_form(uri, 2)
    assert await editor.hints(uri) == ["0 ✓", "2 ✓"]
    editor.insert(uri, 1, 0, "\n\n")
    if editor.shows_hints:
        assert await editor.hints(uri) == ["0 ✓", "4 ✓"]
    await editor.evaluate_form(uri, 0)
    assert editor.shown(uri) == ["1:0-11 Error no"] or editor.shown(uri) == ["3:0-11 Error no"]
    editor.insert(uri, 4, 5, "0")
    editor.insert(uri, 3, 7, "!")
    await editor.diagnostics(uri, lambda ds: not any(d.code == "runtime" for d in ds))
    assert await editor.hints(uri) == ["0 ✓"]


async def test_evaluating_again_replaces(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1 if n == 1 then print(n) end\nreturn n")
    await neovim.evaluate(uri)
    assert await neovim.hints(uri) == ["0 » 1", "1 => 1"]
    await neovim.evaluate(uri)
    assert await neovim.hints(uri) == ["1 => 2"]


async def test_results_can_be_cleared(editor: Editor) -> None:
    uri = editor.open("print(1)\nerror('no')")
    await editor.evaluate(uri)
    assert editor.shown(uri)
    assert await editor.run("clearResults", {"uri": editor.uri("other.lua")}) == {"cleared": False}
    assert await editor.run("clearResults", {"uri": uri}) == {"cleared": True}
    assert (editor.shown(uri), await editor.hints(uri)) == ([], [])
    await editor.evaluate(uri)
    assert await editor.run("clearResults") == {"cleared": True}
    assert (editor.shown(uri), await editor.hints(uri)) == ([], [])


async def test_a_closed_document_shows_nothing(neovim: Editor) -> None:
    uri = neovim.open("error('no')")
    await neovim.evaluate(uri)
    neovim.close(uri)
    await neovim.diagnostics(uri, lambda ds: not ds)
    neovim.open("error('no')")
    await neovim.diagnostics(uri, lambda ds: not ds)


async def test_hints_are_refreshed(neovim: Editor) -> None:
    uri = neovim.open("return 1")
    await neovim.evaluate(uri)
    await neovim.hints(uri)
    # The first one opens the session; if that takes long, there was a mark for it, too.
    before = neovim.client.refreshes
    assert before > 0
    await neovim.evaluate(uri)
    await neovim.hints(uri)
    assert neovim.client.refreshes == before + 1
