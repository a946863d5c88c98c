"""Syntax errors as you type."""

from __future__ import annotations

from lsprotocol import types

from tests.server.editor import Editor, at, within

FOREVER = "while true do end"


async def test_syntax_errors_as_you_type(editor: Editor) -> None:
    text = 'x = "😀" y'
    uri = editor.open(text)
    (diagnostic,) = await editor.diagnostics(uri, len)
    assert diagnostic.code == "syntax"
    assert diagnostic.severity == types.DiagnosticSeverity.Error
    end = types.Position(0, editor.units(text))
    assert diagnostic.range == types.Range(types.Position(0, editor.units(text) - 1), end)
    editor.edit(uri, types.Range(end, end), " = 1")
    await editor.diagnostics(uri, lambda ds: not ds)
    editor.edit(uri, None, "for i = 1, 2 do\n\n")
    (diagnostic,) = await editor.diagnostics(uri, len)
    assert diagnostic.message.startswith("'end' expected (to close 'for' at line 1)")
    if diagnostic.related_information is not None:
        (related,) = diagnostic.related_information
        assert related.location.range == at(0, 0, 0, 3)


async def test_a_syntax_error_is_not_shown_twice(neovim: Editor) -> None:
    uri = neovim.open("x = = 1")
    await neovim.diagnostics(uri, len)
    result = await neovim.evaluate(uri)
    assert result["problems"][0]["kind"] == "syntax"
    assert len(neovim.shown(uri)) == 1


async def test_typing_is_answered_while_something_runs(neovim: Editor) -> None:
    uri = neovim.open(FOREVER)
    running = neovim.start_command("evaluateFile", {"uri": uri})
    other = neovim.open("x y", "other.lua")
    await neovim.diagnostics(other, len)
    assert not running.done()
    await neovim.run("interrupt")
    assert not (await within(running))["ok"]
