"""What is evaluated, from files to bare expressions, and the values that come back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from lsprotocol import types

from tests.server.editor import Editor, at


async def test_a_file(editor: Editor) -> None:
    uri = editor.open("x = 20\nprint('hello')\nreturn x * 2 + 2, 'é'\n")
    result = await editor.evaluate(uri)
    assert result["ok"]
    assert [(value["type"], value["text"]) for value in result["values"]] == [
        ("integer", "42"),
        ("string", '"é"'),
    ]
    assert result["text"] == '42, "é"'
    assert result["output"] == [
        {"text": "hello\n", "stream": "stdout", "chunk": "main.lua", "line": 2, "uri": uri}
    ]
    assert result["problems"] == []
    assert result["uri"] == uri
    assert 0 < result["duration_s"] < 5
    assert await editor.hints(uri) == ["1 » hello", '2 => 42, "é"']
    assert editor.shown(uri) == []


async def test_state_lasts(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1\n\nreturn n")
    for expected in ("1", "2", "3"):
        assert (await neovim.evaluate(uri))["text"] == expected
    assert (await neovim.evaluate_form(uri, 2))["text"] == "3"


async def test_numbers_that_json_cannot_carry(neovim: Editor) -> None:
    uri = neovim.open("return 2^53 | 0, math.maxinteger, 0/0, 1/0, -1/0, 1.0")
    values = (await neovim.evaluate(uri))["values"]
    assert [(value["type"], value["text"]) for value in values] == [
        ("integer", "9007199254740992"),
        ("integer", "9223372036854775807"),
        ("float", values[2]["text"]),
        ("float", "math.huge"),
        ("float", "-math.huge"),
        ("float", "1.0"),
    ]
    assert all(isinstance(value["text"], str) for value in values)
    assert math.isfinite(2.0**53)


async def test_a_selection(editor: Editor) -> None:
    text = 'local a = "😀𝄞é"; local b = "漢" .. a\n'
    uri = editor.open(text)
    start = text.index('"漢')
    end = start + len('"漢" .. "x"')
    head = text[: text.index(";")]
    one = at(0, editor.units("local a = "), 0, editor.units(head))
    result = await editor.run("evaluateSelection", {"uri": uri, "range": _plain(one)})
    assert [value["content"] for value in result["values"]] == ["😀𝄞é"]
    assert result["range"] == _plain(one)
    two = at(0, editor.units(text[:start]), 0, editor.units(text[: start + 3]))
    result = await editor.run("evaluateSelection", {"uri": uri, "range": _plain(two)})
    assert result["text"] == '"漢"'
    assert end


async def test_an_empty_selection_is_the_form(editor: Editor) -> None:
    uri = editor.open("x = 1\n\nreturn 5")
    result = await editor.run("evaluateSelection", {"uri": uri, "range": _plain(at(2, 3, 2, 3))})
    assert result["text"] == "5"


async def test_a_form_after_astral_characters(editor: Editor) -> None:
    text = 'x = "😀𝄞" y = x .. "é" return y'
    uri = editor.open(text)
    await editor.evaluate(uri)
    result = await editor.evaluate_form(uri, 0, editor.units(text[: text.index("return")]))
    assert result["values"][0]["content"] == "😀𝄞é"
    assert result["range"]["start"]["character"] == editor.units(text[: text.index("return")])


async def test_a_bare_expression(neovim: Editor) -> None:
    uri = neovim.open("x = 5\nx * 2\ny = 6")
    await neovim.evaluate_form(uri, 0)
    assert (await neovim.evaluate_form(uri, 1))["text"] == "10"
    assert await neovim.hints(uri) == ["0 ✓", "1 => 10"]


async def test_a_file_that_is_not_open(neovim: Editor) -> None:
    (neovim.folder / "closed.lua").write_text("return 'closed'")
    assert (await neovim.evaluate(neovim.uri("closed.lua")))["text"] == '"closed"'


async def test_an_untitled_document(neovim: Editor) -> None:
    uri = neovim.open("\nerror('no')", "untitled:Untitled-1")
    result = await neovim.evaluate(uri)
    assert result["problems"][0]["chunk"] == "Untitled-1"
    assert neovim.shown(uri) == ["1:0-11 Error no"]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
async def test_other_line_ends(neovim: Editor, end: str) -> None:
    uri = neovim.open(end.join(["x = [[a", "b]]", "", "error('no')"]))
    assert (await neovim.evaluate(uri))["problems"][0]["line"] == 4
    assert neovim.shown(uri) == ["3:0-11 Error no"]
    assert (await neovim.evaluate_form(uri, 0))["ok"]


@pytest.mark.parametrize("start", ["#!/usr/bin/lua\n", "\ufeff\n", "\ufeff#!/usr/bin/lua\n"])
async def test_first_lines_that_are_no_lua(neovim: Editor, start: str) -> None:
    uri = neovim.open(f"{start}x = nil .. 'é'")
    await neovim.diagnostics(uri, lambda ds: not ds)
    assert not (await neovim.evaluate(uri))["ok"]
    assert neovim.shown(uri)[0].startswith("1:4-15 Error attempt to concatenate")
    neovim.edit(uri, None, f"{start}x y")
    await neovim.diagnostics(uri, lambda ds: any(d.range == at(1, 2, 1, 3) for d in ds))


async def test_changes_of_a_document_that_is_not_open_are_ignored(neovim: Editor) -> None:
    uri = neovim.open("return 1")
    neovim.close(uri)
    neovim.insert(uri, 0, 0, "x")
    assert (await neovim.evaluate(neovim.open("return 2", "other.lua")))["text"] == "2"
    assert neovim.client.messages == []


async def test_rows_that_only_python_would_split(neovim: Editor) -> None:
    uri = neovim.open("x = '\x0c\u2028'\nerror('no')")
    await neovim.evaluate(uri)
    assert neovim.shown(uri) == ["1:0-11 Error no"]


def _plain(range_: types.Range) -> dict[str, Any]:
    return {
        name: {"line": place.line, "character": place.character}
        for name, place in (("start", range_.start), ("end", range_.end))
    }
