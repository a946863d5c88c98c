"""What can be evaluated besides files, selections and forms, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.server.editor import Editor, wanting, within

COUNTER = "local n = 0\nfunction hit() n = n + 1 return n end\n"


def place(line: int, character: int = 0) -> dict[str, Any]:
    return {"line": line, "character": character}


def texts(edits: list[Any]) -> list[tuple[int, str]]:
    return [(edit["range"]["start"]["line"], edit["new_text"]) for edit in edits]


# Parts


async def test_a_line(editor: Editor) -> None:
    uri = editor.open("x = 20\n  x = x + 1 -- two\n\nfor i = 1, 2 do\nend")
    await editor.run("evaluateLine", {"uri": uri, "position": place(0)})
    result = await editor.run("evaluateLine", {"uri": uri, "position": place(1)})
    assert result["range"]["start"] == place(1, 2)
    assert (await editor.run("evaluateText", {"text": "x"}))["text"] == "21"
    with pytest.raises(JsonRpcException, match=r"line 3 of .* is empty"):
        await editor.run("evaluateLine", {"uri": uri, "position": place(2)})
    broken = await editor.run("evaluateLine", {"uri": uri, "position": place(3)})
    assert broken["problems"][0]["kind"] == "syntax"


async def test_up_to_the_cursor(editor: Editor) -> None:
    uri = editor.open("local a = 1\nb = a + 1\n\nc = b\n+ a\nd = 1")
    result = await editor.run("evaluateToCursor", {"uri": uri, "position": place(3)})
    assert result["range"] == {"start": place(0), "end": place(4, 3)}
    assert (await editor.run("evaluateText", {"text": "return b, c, d"}))["text"] == "2, 3, nil"


async def test_forms_and_selections_see_the_locals(editor: Editor) -> None:
    uri = editor.open(COUNTER + "hit()\nn\n")
    whole = COUNTER.rstrip("\n")
    await editor.run(
        "evaluateSelection",
        {"uri": uri, "range": {"start": place(0), "end": place(1, len(whole))}},
    )
    assert (await editor.evaluate_form(uri, 2))["text"] == "1"
    assert (await editor.run("evaluateLine", {"uri": uri, "position": place(3)}))["text"] == "1"
    result = await editor.run("evaluateForm", {"uri": uri, "position": place(0)})
    assert [(one["name"], one["value"]["text"]) for one in result["locals"]] == [("n", "0")]
    assert result["locals"][0]["range"] == {"start": place(0, 6), "end": place(0, 7)}
    assert (await editor.evaluate_form(uri, 2))["text"] == "1"


async def test_locals_can_be_forgotten(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"keepLocals": False})
    uri = unstarted.open("local n = 1\nreturn n")
    await unstarted.evaluate(uri)
    assert (await unstarted.evaluate_form(uri, 1))["text"] == "nil"
    assert (await unstarted.run("localValues", {"uri": uri})) == {"locals": []}


# Locals


async def test_values_of_locals_are_shown(editor: Editor) -> None:
    text = (
        "local a, b = 1, {x = 1}\nlocal s = 'a text'\nlocal function f() end\n"
        "local sum = a + 1\nreturn sum\n"
    )
    uri = editor.open(text)
    await editor.evaluate(uri)
    assert await editor.hints(uri) == ["0 · a = 1, b = {x = 1}", "3 · sum = 2", "4 => 2"]
    values = (await editor.run("localValues", {"uri": uri}))["locals"]
    assert [(one["name"], one["value"]["type"]) for one in values] == [
        ("a", "integer"),
        ("b", "table"),
        ("s", "string"),
        ("f", "function"),
        ("sum", "integer"),
    ]
    # Those of edited declarations go, the others move along.
    editor.insert(uri, 0, 0, "-- a remark\n")
    editor.insert(uri, 4, 16, "0")
    if editor.shows_hints:  # Others move diagnostics themselves.
        assert await editor.hints(uri) == ["1 · a = 1, b = {x = 1}", "5 => 2"]


async def test_shown_values_follow_what_other_code_does(unstarted: Editor) -> None:
    await unstarted.start("neovim", adapt=wanting("changed"))
    uri = unstarted.open(COUNTER + "local m = n + 1\n")
    await unstarted.evaluate(uri)
    assert await unstarted.hints(uri) == ["2 · m = 1", "2 ✓"]
    await unstarted.run("evaluateText", {"text": "hit() hit()"})
    # The declaration says 0: only now there is something to show.
    refreshed = unstarted.client.refreshed
    refreshed.clear()
    while await unstarted.hints(uri) != ["0 · n = 2", "2 · m = 1", "2 ✓"]:
        await within(refreshed.wait())
        refreshed.clear()


async def test_hints_can_be_turned_off(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"hints": {"locals": False, "output": False}})
    uri = unstarted.open("local a = 1 + 1 print(a)\nreturn a")
    await unstarted.evaluate(uri)
    assert await unstarted.hints(uri) == ["1 => 2"]


# Comments


async def test_a_result_as_a_comment(editor: Editor) -> None:
    uri = editor.open("x = 6\nreturn x * 7\n")
    await editor.evaluate_form(uri, 0)
    result = await editor.run("evaluateToComment", {"uri": uri, "position": place(1)})
    assert (result["text"], texts(result["edits"])) == ("42", [(1, " -- => 42")])
    assert await editor.hints(uri) == ["0 ✓"]
    assert applied(editor) == [" -- => 42"]


async def test_a_selection_to_a_comment(neovim: Editor) -> None:
    uri = neovim.open("  f = 5\n")
    rows = {"start": place(0), "end": place(1)}
    result = await neovim.run("evaluateToComment", {"uri": uri, "range": rows})
    assert texts(result["edits"]) == [(0, " -- => ok")]
    with pytest.raises(JsonRpcException, match="`range` or `position` is missing"):
        await neovim.run("evaluateToComment", {"uri": uri})


async def test_an_error_as_a_comment(neovim: Editor) -> None:
    uri = neovim.open("error('no')")
    result = await neovim.run("evaluateToComment", {"uri": uri, "position": place(0)})
    assert texts(result["edits"]) == [(0, " -- => error: no")]
    assert neovim.shown(uri) == ["0:0-11 Error no"]


async def test_a_comment_is_written_where_the_code_is_by_then(neovim: Editor) -> None:
    uri = neovim.open("x = 1\nwhile true do end\n")
    await neovim.run("evaluateText", {"text": "1"})  # The session is there.
    command = {"uri": uri, "position": place(1)}
    running = neovim.start_command("evaluateToComment", command)
    await within(neovim.client.wait_for_notification(types.PROGRESS))
    neovim.insert(uri, 0, 0, "-- a remark\n\n")
    await neovim.run("interrupt")
    ((line, text),) = texts((await within(running))["edits"])
    assert (line, text[:12]) == (3, " -- => error")


async def test_code_that_was_edited_gets_no_comment(neovim: Editor) -> None:
    uri = neovim.open("while true do end\n")
    await neovim.run("evaluateText", {"text": "1"})  # The session is there.
    running = neovim.start_command("evaluateToComment", {"uri": uri, "position": place(0)})
    await within(neovim.client.wait_for_notification(types.PROGRESS))
    neovim.insert(uri, 0, 5, " not")
    await neovim.run("interrupt")
    assert (await within(running))["edits"] == []


EXAMPLES = """\
local total = 10
--- Adds to the total.
--- >>> add(5)
--- >>> add(1) + total
--- 33
local function add(n) return total + n end

--- >>> nothing.at.all
"""


async def test_examples(editor: Editor) -> None:
    uri = editor.open(EXAMPLES)
    await editor.evaluate(uri)
    lenses = await within(
        editor.client.text_document_code_lens_async(
            types.CodeLensParams(types.TextDocumentIdentifier(uri))
        )
    )
    titles = [(lens.command.title, lens.range.start.line) for lens in lenses]
    assert [row for title, row in titles if title == "Evaluate Examples"] == [1, 7]
    result = await editor.run("evaluateExamples", {"uri": uri, "position": place(3)})
    assert [(one["was"], one["now"], one["changed"]) for one in result["examples"]] == [
        (None, "15", False),
        ("33", "21", True),
    ]
    assert texts(result["edits"]) == [(2, "\n--- 15"), (3, "\n--- WAS 33\n--- NOW 21")]
    assert applied(editor) == ["\n--- 15", "\n--- WAS 33\n--- NOW 21"]
    result = await editor.run("evaluateExamples", {"uri": uri})
    assert [one["ok"] for one in result["examples"]] == [True, True, False]
    assert result["examples"][2]["problems"][0]["line"] == 8
    with pytest.raises(JsonRpcException, match="there are no examples"):
        await editor.run("evaluateExamples", {"uri": editor.open("x = 1", "none.lua")})


def applied(editor: Editor) -> list[str]:
    """The texts of all changes that the client was asked for."""
    return [edit.new_text for edit in editor.client.applied]


# Texts


async def test_a_text(editor: Editor) -> None:
    result = await editor.run("evaluateText", {"text": "local x = 5 y = x return x, y"})
    assert (result["ok"], result["text"]) == (True, "5, 5")
    assert (await editor.run("evaluateText", {"text": "x + y"}))["text"] == "10"
    assert (await editor.run("evaluateText", {"text": "x", "name": "(other)"}))["text"] == "nil"
    wrong = await editor.run("evaluateText", {"text": "x x"})
    assert wrong["problems"][0]["kind"] == "syntax"


async def test_the_last_result(neovim: Editor) -> None:
    with pytest.raises(JsonRpcException, match="nothing was evaluated yet"):
        await neovim.run("copyLastResult")
    uri = neovim.open("return {a = 1}, 'x'")
    await neovim.evaluate(uri)
    assert (await neovim.run("copyLastResult"))["text"] == '{a = 1}, "x"'
    await neovim.run("evaluateText", {"text": "error('no')"})
    assert (await neovim.run("copyLastResult"))["text"] == "(repl):1: no"


async def test_reset(neovim: Editor) -> None:
    uri = neovim.open("x = 1 Memory.x = 2")
    await neovim.evaluate(uri)
    result = await neovim.run("reset")
    assert result["reset"] is True
    assert (await neovim.run("evaluateText", {"text": "x, Memory.x"}))["text"] == "nil, 2"


# While it runs


async def test_output_arrives_while_it_runs(unstarted: Editor) -> None:
    await unstarted.start("neovim", adapt=wanting("output", "evaluation", "status"))
    uri = unstarted.open("io.write('half ')\nprint('early')\nwhile true do end")
    running = unstarted.start_command("evaluateFile", {"uri": uri})
    await unstarted.told("output", lambda note: "early" in note.pieces[-1].text)
    await unstarted.run("interrupt")
    result = await within(running)
    pieces = [piece for note in unstarted.client.told["output"] for piece in note.pieces]
    assert "".join(piece.text for piece in pieces) == "half early\n"
    assert [(piece.line, piece.uri, piece.stream) for piece in pieces] == [
        (1, uri, "stdout"),
        (2, uri, "stdout"),
    ]
    assert {note.id for note in unstarted.client.told["output"]} == {result["id"]}
    assert unstarted.client.evaluations[0].id == result["id"]


async def test_much_output_comes_whole_and_in_order(unstarted: Editor) -> None:
    await unstarted.start("neovim", adapt=wanting("output"))
    uri = unstarted.open("for i = 1, 50000 do print(i) end")
    await unstarted.evaluate(uri)
    notes = unstarted.client.told["output"]
    text = "".join(piece.text for note in notes for piece in note.pieces)
    assert text == "".join(f"{i}\n" for i in range(1, 50001))
    assert all(sum(len(piece.text) for piece in note.pieces) <= 65536 for note in notes)
    assert all("50000" not in message.message for message in unstarted.client.log_messages)


async def test_a_mark_while_it_runs(editor: Editor) -> None:
    uri = editor.open("x = 1\nwhile true do end\n")
    await editor.run("evaluateText", {"text": "1"})  # The session is there.
    running = editor.start_command("evaluateForm", {"uri": uri, "position": place(1)})
    if editor.shows_hints:
        await within(editor.client.wait_for_notification(types.PROGRESS))
    else:
        await editor.diagnostics(uri, lambda ds: any(d.message == "…" for d in ds))
    assert await editor.hints(uri) == ["1 …"]
    editor.insert(uri, 0, 0, "\n")
    if editor.shows_hints:  # Others move diagnostics themselves.
        assert await editor.hints(uri) == ["2 …"]
    await editor.run("interrupt")
    assert (await within(running))["problems"][0]["kind"] == "interrupt"
    assert await editor.hints(uri) == []
    assert editor.shown(uri)[0].startswith("2:")
