"""Lenses, and the code actions that mirror them."""

from __future__ import annotations

from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter

from tests.server.editor import Editor, at, within


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


async def test_forms_of_one_line_share_its_lenses(editor: Editor) -> None:
    uri = editor.open("x = 1\nf() g() h()\nwhile x do\nend k()\n")
    lenses = await within(
        editor.client.text_document_code_lens_async(
            types.CodeLensParams(types.TextDocumentIdentifier(uri))
        )
    )
    places = [(lens.command.title, lens.range.start.line) for lens in lenses if lens.command]
    assert places == [
        ("Evaluate File", 0),
        ("Run", 1),
        ("Run Above", 1),
        ("Run", 2),
        ("Run Above", 2),
        ("Run", 3),
        ("Run Above", 3),
    ]


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


async def _execute(editor: Editor, command: types.Command | None) -> Any:
    assert command is not None
    params = types.ExecuteCommandParams(command.command, command.arguments)
    return await within(editor.client.workspace_execute_command_async(params))
