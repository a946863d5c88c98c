"""Fields of rows by globals of which only the VM knows that they hold tables of the store."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from lua_ls_persist.server.positions import Encoding, Range
from tests.server.editor import Editor, within
from tests.server.live.cases import TRIES_MAX, hovered
from tests.server.marks import marked, unmarked

SETUP = """\
for _, name in ipairs { "users", "pets" } do
  ext.table(name)[1] = { age = 41 }
  _G["all_" .. name] = ext.table(name)
end
_G["made"] = ext.table("users")
plain = { age = 1 }
"""
# `⟦ ⟧`: the references of the field at the cursor.
CASES = [
    'print(all_users[1].⟦age⟧, all_pets[1].age)\next.query(all_users, { order_by = "⟦age‸⟧" })',
    'ext.index("users", "⟦age⟧")\nfor _, u in pairs(all_users) do print(u.⟦age‸⟧, plain.age) end',
    # What files say counts more; what a function has returned they do not say.
    'made = make()\nprint(ext.table("users")[1].⟦age‸⟧, made[1].⟦age⟧)',
    'made = ext.table("pets")\nprint(ext.table("users")[1].⟦age‸⟧, made[1].age)',
    'made = made or {}\nprint(ext.table("users")[1].⟦age‸⟧, made[1].age)',
    'made = plain\nprint(ext.table("users")[1].⟦age‸⟧, made[1].age)',
    'local all_users = {}\nprint(ext.table("users")[1].⟦age‸⟧, all_users[1].age)',
]


async def asked(editor: Editor, text: str) -> tuple[str, str]:
    """The marked references, as they were found and as they are expected."""
    document, ranges, cursors = unmarked(text)
    uri = editor.open(document.source, "case.lua")
    row = document.row(cursors[0].row)[: cursors[0].column]
    place = types.Position(cursors[0].row, editor.units(row))
    expected, got = marked(document, ranges), ""
    for _ in range(TRIES_MAX):
        found: Any = await within(
            editor.client.text_document_references_async(
                types.ReferenceParams(
                    types.ReferenceContext(True), types.TextDocumentIdentifier(uri), place
                )
            )
        )
        encoding = Encoding(editor.encoding)
        got = marked(
            document,
            [
                Range(
                    document.position(encoding, one.range.start.line, one.range.start.character),
                    document.position(encoding, one.range.end.line, one.range.end.character),
                )
                for one in found or ()
                if one.uri == uri
            ],
        )
        if got == expected:
            break
    editor.close(uri)
    return got, expected


async def test_references(editor: Editor) -> None:
    setup = editor.open(SETUP, "setup.lua")
    assert (await editor.evaluate(setup))["ok"]
    editor.close(setup)
    for case in CASES:
        got, expected = await asked(editor, case)
        assert got == expected


async def test_hover(neovim: Editor) -> None:
    setup = neovim.open(SETUP, "setup.lua")
    assert (await neovim.evaluate(setup))["ok"]
    text, _ = await hovered(neovim, 'ext.query(all_users, { order_by = "a‸ge" })')
    assert "users[...].age" in text
