"""Runtime errors, their tracebacks and values, and warnings."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.server.editor import Editor, at, wanting, within

FOREVER = "while true do end"


async def test_a_runtime_error(editor: Editor) -> None:
    text = '\nlocal t = {}\nlocal s = "😀" .. t.x.y\n'
    uri = editor.open(text)
    result = await editor.evaluate(uri)
    assert not result["ok"]
    (problem,) = result["problems"]
    assert problem["line"] == 3
    assert problem["uri"] == uri
    row = text.split("\n")[2]
    start, end = (editor.units(row[: row.index(part)]) for part in ("t.x", ".y"))
    assert editor.shown(uri) == [f"2:{start}-{end} Error {problem['message']}"]
    diagnostic = editor.client.diagnostics[uri][0]
    assert diagnostic.source == "lua-persist"
    assert diagnostic.code == "runtime"


async def test_a_traceback(editor: Editor) -> None:
    (editor.folder / "lib.lua").write_text("return function()\n  error('deep')\nend\n")
    uri = editor.open("local f = require 'lib'\n\nlocal function g()\n  f()\nend\ng()")
    await editor.evaluate(uri)
    lib = editor.uri("lib.lua")
    assert editor.shown(lib) == ["1:2-15 Error deep"]
    assert editor.shown(uri) == ["3:2-5 Error deep (at lib.lua:2)"]
    there = editor.client.diagnostics[lib][0]
    assert editor.client.capabilities is not None
    text_document = editor.client.capabilities.text_document
    assert text_document is not None
    publish = text_document.publish_diagnostics
    if publish is not None and publish.related_information:
        assert [
            (part.location.uri, part.location.range.start.line)
            for part in there.related_information or ()
        ] == [(uri, 3), (uri, 5)]
    else:
        assert there.related_information is None
        assert there.message.splitlines()[1].startswith("main.lua:4: in ")
    editor.edit(uri, at(0, 17, 0, 22), "'lua'")
    assert editor.shown(lib) == ["1:2-15 Error deep"]
    uri = editor.open("return 1", "main.lua")
    await editor.evaluate(uri)
    assert (editor.shown(lib), editor.shown(uri)) == ([], [])


async def test_positions_keep_up_with_typing_during_an_evaluation(unstarted: Editor) -> None:
    neovim = unstarted
    await neovim.start("neovim", adapt=wanting("output"))
    uri = neovim.open(f"print('before')\n{FOREVER}")
    running = neovim.start_command("evaluateFile", {"uri": uri})
    await neovim.told("output", bool)  # It is behind the first line.
    neovim.insert(uri, 1, 0, "-- a remark\n\n")
    await neovim.run("interrupt")
    assert (await within(running))["problems"][0]["line"] == 2
    assert neovim.shown(uri) == ["3:0-17 Information interrupted"]
    assert await neovim.hints(uri) == ["0 » before"]


async def test_an_error_value(neovim: Editor) -> None:
    uri = neovim.open("error({code = 1})")
    result = await neovim.evaluate(uri)
    assert result["problems"][0]["value"]["type"] == "table"
    assert neovim.shown(uri) == ["0:0-17 Error error value: {code = 1}"]


@pytest.mark.parametrize("value", ["1", "'text'", "{}"])
async def test_an_error_value_with_a_message_of_its_own(neovim: Editor, value: str) -> None:
    made = f"setmetatable({{ {value} }}, {{ __tostring = function() return 'no such item' end }})"
    uri = neovim.open(f"local E = {made}\nerror(E)")
    await neovim.evaluate(uri)
    assert neovim.shown(uri) == ["1:0-8 Error no such item"]


async def test_an_error_in_an_open_module(neovim: Editor) -> None:
    lib = neovim.open("local M = {}\nfunction M.f()\n  return nil + 1\nend\nreturn M", "lib.lua")
    uri = neovim.open("L = require 'lib'")
    assert (await neovim.evaluate(uri))["ok"]
    neovim.insert(lib, 0, 0, "-- a remark\n")
    uri = neovim.open("L.f()", "second.lua")
    await neovim.evaluate(uri)
    assert neovim.shown(lib)[0].startswith("3:9-16 Error attempt to perform arithmetic")


async def test_warnings(editor: Editor) -> None:
    uri = editor.open("warn('@on')\nwarn('careful')\nreturn 1")
    assert (await editor.evaluate(uri))["ok"]
    diagnostics = editor.client.diagnostics[uri]
    (diagnostic,) = [found for found in diagnostics if found.code != "result"]
    assert diagnostic.severity == types.DiagnosticSeverity.Warning
    assert "careful" in diagnostic.message
    assert diagnostic.range == at(1, 0, 1, 15)
