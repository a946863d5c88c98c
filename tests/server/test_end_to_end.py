"""The server as a process, under the capabilities of three editors."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcException

from lua_ls_persist._version import __version__
from lua_ls_persist.server import uris
from lua_ls_persist.server.features.registry import COMMANDS
from tests.server.editor import Editor, at, within

FOREVER = "while true do end"
Hint = types.DiagnosticSeverity.Hint


async def test_initialize(editor: Editor) -> None:
    result = editor.result
    assert result is not None
    assert result.server_info == types.ServerInfo("lua-ls-persist", __version__)
    capabilities = result.capabilities
    sync = capabilities.text_document_sync
    assert isinstance(sync, types.TextDocumentSyncOptions)
    assert sync.open_close
    assert sync.change == types.TextDocumentSyncKind.Incremental
    assert capabilities.execute_command_provider is not None
    commands = capabilities.execute_command_provider.commands
    assert sorted(commands) == sorted(command.id for command in COMMANDS)
    assert capabilities.execute_command_provider.work_done_progress
    assert capabilities.inlay_hint_provider is not None
    assert capabilities.code_lens_provider is not None
    assert capabilities.diagnostic_provider is None, "push only"
    assert editor.encoding == {
        "neovim": "utf-8",
        "visual_studio_code": "utf-16",
        "emacs": "utf-32",
    }.get(_profile(editor), editor.encoding)


def _profile(editor: Editor) -> str:
    assert editor.client.capabilities is not None
    general = editor.client.capabilities.general
    encodings = general.position_encodings if general else None
    return {None: "visual_studio_code", "utf-8": "neovim", "utf-32": "emacs"}[
        str(getattr(encodings[0], "value", encodings[0])) if encodings else None
    ]


# Values


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


# Problems


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


async def test_positions_keep_up_with_typing_during_an_evaluation(neovim: Editor) -> None:
    uri = neovim.open(f"print('before')\n{FOREVER}")
    running = neovim.start_command("evaluateFile", {"uri": uri})
    await within(neovim.client.wait_for_notification(types.PROGRESS))
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


# Syntax as you type


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


# Lenses and actions


async def test_lenses_carry_all_they_need(editor: Editor) -> None:
    text = 'local s = "😀"; function f()\nend\nlocal x = 1\nprint(f)\n'
    uri = editor.open(text)
    lenses = await within(
        editor.client.text_document_code_lens_async(
            types.CodeLensParams(types.TextDocumentIdentifier(uri))
        )
    )
    assert [(lens.command.title, lens.range.start.line) for lens in lenses] == [
        ("Evaluate File", 0),
        ("Run", 0),
        ("Run Above", 0),
        ("Run", 3),
        ("Run Above", 3),
    ]
    assert lenses[1].range.start.character == editor.units('local s = "😀"; ')
    for lens in lenses:
        assert (await _execute(editor, lens.command))["ok"]


async def test_actions_mirror_lenses(editor: Editor) -> None:
    uri = editor.open("x = 1\nreturn 2\n")

    async def actions(range_: types.Range, **context: Any) -> list[types.CodeAction]:
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            range_,
            types.CodeActionContext(diagnostics=[], **context),
        )
        found = await editor.raw(types.TEXT_DOCUMENT_CODE_ACTION, params)
        return [get_converter().structure(action, types.CodeAction) for action in found]

    found = await actions(at(1, 0, 1, 0), only=["source.luaPersist.evaluate"])
    texts = {action.title: (await _execute(editor, action.command))["text"] for action in found}
    assert texts == {
        "Evaluate Top-Level Form": "2",
        "Evaluate File": "2",
        "Evaluate from Start to Cursor": "2",
        "Evaluate to Comment": "2",
        "Run Above": "",
    }
    found = await actions(at(1, 7, 1, 8), only=["source"])
    assert found[0].title == "Evaluate Selection"
    assert (await _execute(editor, found[0].command))["text"] == "2"
    assert await actions(at(0, 0, 0, 0), only=["quickfix"]) == []


# Bad requests


@pytest.mark.parametrize(
    ("command", "params", "message"),
    [
        ("evaluateFile", None, "lua-persist.evaluateFile: `uri` is missing"),
        ("evaluateForm", {"uri": "file:///a"}, "lua-persist.evaluateForm: `position` is missing"),
        ("evaluateFile", {"uri": "file:///nowhere.lua"}, "no document 'file:///nowhere.lua'"),
        ("unknown", None, "unknown command 'lua-persist.unknown'"),
    ],
)
async def test_bad_arguments(neovim: Editor, command: str, params: Any, message: str) -> None:
    with pytest.raises(JsonRpcException, match=message):
        await neovim.run(command, params)


async def test_nothing_to_evaluate(neovim: Editor) -> None:
    uri = neovim.open("-- nothing\n")
    with pytest.raises(JsonRpcException, match="there is no Lua code in"):
        await neovim.evaluate_form(uri, 0)
    assert (await neovim.evaluate(uri))["ok"]


# Queue, interrupt, restart


async def test_evaluations_queue(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1 return n")
    running = [neovim.start_command("evaluateFile", {"uri": uri}) for _ in range(10)]
    results = await within(asyncio.gather(*running))
    assert [result["text"] for result in results] == [str(n) for n in range(1, 11)]


async def test_interrupt_ends_all(neovim: Editor) -> None:
    uri = neovim.open(f"print('before')\n{FOREVER}")
    running = neovim.start_command("evaluateFile", {"uri": uri})
    waiting = neovim.start_command("evaluateFile", {"uri": uri})
    assert await neovim.run("interrupt") == {"interrupted": True}
    first, second = await within(asyncio.gather(running, waiting))
    assert first["problems"][0]["kind"] == second["problems"][0]["kind"] == "interrupt"
    assert await neovim.run("interrupt") == {"interrupted": False}
    uri = neovim.open("return 1", "next.lua")
    assert (await neovim.evaluate(uri))["text"] == "1"


async def test_an_interrupted_evaluation_shows_where(neovim: Editor) -> None:
    await neovim.evaluate(neovim.open("return 1", "opens the session.lua"))
    uri = neovim.open(f"print('before')\n\n{FOREVER}")
    neovim.client.progress_reports["ours"] = []
    running = neovim.start_command("evaluateFile", {"uri": uri}, token="ours")
    await within(neovim.client.wait_for_notification(types.PROGRESS))
    await neovim.run("interrupt")
    result = await within(running)
    assert result["problems"][0]["line"] == 3
    assert result["output"][0]["text"] == "before\n"
    assert neovim.shown(uri)[0].startswith("2:0-17 Information ")
    assert await neovim.hints(uri) == ["0 » before"]


async def test_cancelling_the_request_interrupts(neovim: Editor) -> None:
    uri = neovim.open(FOREVER)
    waiting_uri = neovim.open("return 1", "waiting.lua")
    await neovim.evaluate(waiting_uri)  # It opens the session.
    running = neovim.start_command("evaluateFile", {"uri": uri}, msg_id="run")
    await within(neovim.client.wait_for_notification(types.PROGRESS))
    waiting = neovim.start_command("evaluateFile", {"uri": waiting_uri}, msg_id="wait")
    last = neovim.start_command("evaluateFile", {"uri": waiting_uri})
    neovim.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams("wait"))
    neovim.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams("run"))
    for cancelled in (running, waiting):
        with pytest.raises(JsonRpcException, match="cancel"):
            await within(cancelled)
    assert neovim.shown(uri) == ["0:0-17 Information interrupted"]
    assert (await within(last))["text"] == "1"


async def test_progress_can_be_cancelled(editor: Editor) -> None:
    uri = editor.open(FOREVER)
    running = editor.start_command("evaluateFile", {"uri": uri})
    await within(editor.client.wait_for_notification(types.PROGRESS))
    reports: dict[Any, list[Any]] = dict(editor.client.progress_reports)
    ((token, (begin,)),) = reports.items()
    assert begin == types.WorkDoneProgressBegin("Evaluating main.lua", cancellable=True)
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    assert (await within(running))["problems"][0]["kind"] == "interrupt"
    assert reports[token][-1] == types.WorkDoneProgressEnd()


async def test_short_evaluations_announce_nothing(neovim: Editor) -> None:
    uri = neovim.open("return 1")
    await neovim.evaluate(uri)  # The first one opens the session, which may take a moment.
    announced = len(neovim.client.progress_reports)
    await neovim.evaluate(uri)
    assert len(neovim.client.progress_reports) == announced


async def test_restart(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1 return n")
    await neovim.evaluate(uri)
    assert await neovim.run("restart") == {"restarted": True}
    assert await neovim.hints(uri) == []
    assert (await neovim.evaluate(uri))["text"] == "1"
    running = neovim.start_command("evaluateFile", {"uri": neovim.open(FOREVER, "loop.lua")})
    assert await neovim.run("restart") == {"restarted": True}
    assert not (await within(running))["ok"]
    assert (await neovim.evaluate(uri))["text"] == "1"


async def test_a_failed_evaluation_leaves_nothing(neovim: Editor) -> None:
    uri = neovim.open("n = (n or 0) + 1\nif n == 1 then error('no') end\nreturn n")
    for _ in range(2):
        assert not (await neovim.evaluate(uri))["ok"]


# Modules


async def test_open_buffers_come_before_files(neovim: Editor) -> None:
    (neovim.folder / "m.lua").write_text("return 'file'")
    neovim.open("return 'buffer'", "m.lua")
    uri = neovim.open("return require 'm'")
    assert (await neovim.evaluate(uri))["values"][0]["content"] == "buffer"


async def test_without_a_workspace_the_files_folder_serves(unstarted: Editor) -> None:
    await unstarted.start("neovim", folders=())
    (unstarted.folder / "m.lua").write_text("return 5")
    uri = unstarted.open("return (require 'm')")
    assert (await unstarted.evaluate(uri))["text"] == "5"


async def test_folders_that_come_later_serve_after_a_restart(neovim: Editor) -> None:
    added = neovim.folder / "added"
    added.mkdir()
    (added / "m.lua").write_text("return 5")
    uri = neovim.open("return (require 'm')")
    assert not (await neovim.evaluate(uri))["ok"]
    folder = types.WorkspaceFolder(uris.uri_of(added), "added")
    neovim.client.workspace_did_change_workspace_folders(
        types.DidChangeWorkspaceFoldersParams(
            types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
        )
    )
    await neovim.run("restart")
    assert (await neovim.evaluate(uri))["text"] == "5"


async def test_the_single_root_of_older_clients(unstarted: Editor) -> None:
    (unstarted.folder / "m.lua").write_text("return 5")
    params = types.InitializeParams(
        capabilities=types.ClientCapabilities(), root_uri=uris.uri_of(unstarted.folder)
    )
    unstarted.result = await within(unstarted.client.initialize_session(params))
    uri = unstarted.open("return (require 'm')", "sub/main.lua")
    assert (await unstarted.evaluate(uri))["text"] == "5"


# Settings


async def test_initialization_options(unstarted: Editor) -> None:
    await unstarted.start("emacs", options={"timeLimitSeconds": 0.2, "keepErrorEffects": True})
    uri = unstarted.open(FOREVER)
    assert (await unstarted.evaluate(uri))["problems"][0]["kind"] == "timeout"
    uri = unstarted.open("n = (n or 0) + 1 if n == 1 then error('no') end return n", "n.lua")
    assert not (await unstarted.evaluate(uri))["ok"]
    assert (await unstarted.evaluate(uri))["text"] == "2"


async def test_wrong_settings_are_named(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"timeLimitSeconds": "fast"})
    await unstarted.evaluate(unstarted.open("return 1"))
    (message,) = unstarted.client.messages
    assert "luaPersist.timeLimitSeconds must be" in message.message


async def test_the_client_is_asked_for_settings(unstarted: Editor) -> None:
    client = unstarted.client
    client.set_configuration({"timeLimitSeconds": 0.2}, section="luaPersist")
    await unstarted.start("visual_studio_code")
    uri = unstarted.open(FOREVER)
    assert (await unstarted.evaluate(uri))["problems"][0]["kind"] == "timeout"
    assert [registration.method for registration in client.registered] == [
        types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
    ]
    client.set_configuration({"keepErrorEffects": True}, section="luaPersist")
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    await within(client.wait_for_notification(types.WINDOW_SHOW_MESSAGE))
    assert "when the Lua session is restarted" in client.messages[0].message
    uri = unstarted.open("n = (n or 0) + 1 if n == 1 then error('no') end return n", "n.lua")
    await unstarted.run("restart")
    assert not (await unstarted.evaluate(uri))["ok"]
    assert (await unstarted.evaluate(uri))["text"] == "2"


async def test_settings_that_are_pushed(unstarted: Editor) -> None:
    def cannot_be_asked(capabilities: types.ClientCapabilities) -> None:
        assert capabilities.workspace is not None
        capabilities.workspace.configuration = False

    await unstarted.start("neovim", adapt=cannot_be_asked)
    unstarted.client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"luaPersist": {"timeLimitSeconds": 0.2}})
    )
    uri = unstarted.open(FOREVER)
    assert (await unstarted.evaluate(uri))["problems"][0]["kind"] == "timeout"


async def test_a_database_that_cannot_be_opened(unstarted: Editor) -> None:
    (unstarted.folder / "bad.db").write_text("this is no database" * 100)
    await unstarted.start("neovim", options={"databasePath": "bad.db"})
    uri = unstarted.open("return 1")
    with pytest.raises(JsonRpcException, match=r"bad\.db"):
        await unstarted.evaluate(uri)
    assert "bad.db" in unstarted.client.messages[0].message


async def test_evaluations_are_announced_to_those_who_want_it(unstarted: Editor) -> None:
    def wants(capabilities: types.ClientCapabilities) -> None:
        capabilities.experimental = {"luaPersist": {"evaluation": True}}

    await unstarted.start("neovim", adapt=wants)
    uri = unstarted.open("return 1")
    await unstarted.evaluate(uri)
    (announced,) = unstarted.client.evaluations
    assert (announced.uri, announced.ok, announced.text) == (uri, True, "1")


# The end


@pytest.mark.parametrize("open_first", [True, False])
async def test_shutdown_while_something_runs(unstarted: Editor, open_first: bool) -> None:
    await unstarted.start("neovim")
    if open_first:
        await unstarted.evaluate(unstarted.open("return 1"))
    uri = unstarted.open(FOREVER, "loop.lua")
    running = unstarted.start_command("evaluateFile", {"uri": uri})
    waiting = unstarted.start_command("evaluateFile", {"uri": uri})
    if open_first:
        await unstarted.hints(uri)  # An answer: by now it runs.
        await within(unstarted.client.shutdown_async(None), 1.0)
    else:
        await within(unstarted.client.shutdown_async(None))
    results = await within(asyncio.gather(running, waiting, return_exceptions=True))
    assert all(isinstance(result, JsonRpcException) or not result["ok"] for result in results)
    unstarted.client.exit(None)
    server = unstarted.client._server
    assert server is not None
    assert await within(server.wait(), 5.0) == 0
    unstarted.client.capabilities = None  # The fixture need not shut it down again.


async def test_exit_without_shutdown(unstarted: Editor) -> None:
    await unstarted.start("neovim")
    unstarted.start_command("evaluateFile", {"uri": unstarted.open(FOREVER)}).cancel()
    unstarted.client.exit(None)
    server = unstarted.client._server
    assert server is not None
    assert await within(server.wait(), 5.0) == 1
    unstarted.client.capabilities = None


def _plain(range_: types.Range) -> dict[str, Any]:
    return {
        name: {"line": place.line, "character": place.character}
        for name, place in (("start", range_.start), ("end", range_.end))
    }


async def _execute(editor: Editor, command: types.Command | None) -> Any:
    assert command is not None
    params = types.ExecuteCommandParams(command.command, command.arguments)
    return await within(editor.client.workspace_execute_command_async(params))


async def test_what_persists_is_there_again(unstarted: Editor) -> None:
    """Without any setting the session's file lies in the workspace, out of version control."""
    await unstarted.start("neovim")
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert (unstarted.folder / ".lua-persist" / "session.db").is_file()
    assert (unstarted.folder / ".lua-persist" / ".gitignore").is_file()
    await unstarted.run("restart")
    assert (await unstarted.evaluate(uri))["text"] == "2"


async def test_a_session_in_memory(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"databasePath": None})
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert not (unstarted.folder / ".lua-persist").exists()


async def test_a_default_place_that_cannot_be_used(unstarted: Editor) -> None:
    (unstarted.folder / ".lua-persist").write_text("a file where the folder should be")
    await unstarted.start("neovim")
    uri = unstarted.open("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count")
    assert (await unstarted.evaluate(uri))["text"] == "1"
    assert any(".lua-persist" in message.message for message in unstarted.client.messages)
