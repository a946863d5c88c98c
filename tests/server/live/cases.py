"""A session with something in it, and marked sources to ask about.

Each case is a source with a cursor (`‸`) and what is expected there. All cases of a test share one
server, as all requests of a person do.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from lua_ls_persist.server.live.candidates import CANDIDATES_MAX
from tests.server.editor import Editor, within
from tests.server.marks import unmarked

SETUP = """\
local users = ext.table("users")
users.ann = { name = "Ann", age = 41, tags = { "admin" }, home = { city = "Rome" } }
users.bob = { name = "Bob", age = 25 }
users["a key"] = { name = "Cid" }
ext.index("users", "age")

--- Greets somebody.
--- In two lines.
function Memory.greet(whom, ...)
  return "Hello, " .. whom
end

Account = {}
Account.__index = Account
--- Puts money in.
function Account:deposit(amount) self.balance = self.balance + amount end
function Account.new(balance) return setmetatable({ balance = balance }, Account) end
account = Account.new(10)
counter, label, ratio = 3, "é𝄞 label", 0.5
config = { debug = true, ["a key"] = 1 }
fmt = string.format
callable = setmetatable({}, { __call = function(self, x) end })
"""


async def prepared(editor: Editor) -> str:
    """The setup, evaluated; its URI."""
    uri = editor.open(SETUP, "setup.lua")
    result = await editor.evaluate(uri)
    assert result["ok"], result["problems"]
    return uri


class Asked:
    """One marked source, open in the editor."""

    def __init__(self, editor: Editor, marked: str, name: str = "case.lua") -> None:
        self.document, self.ranges, cursors = unmarked(marked)
        self.text = self.document.source
        self.uri = editor.open(self.text, name)
        self.params: Any = None
        if cursors:
            row = self.document.row(cursors[0].row)[: cursors[0].column]
            self.position = types.Position(cursors[0].row, editor.units(row))
            self.params = (types.TextDocumentIdentifier(self.uri), self.position)
        self._editor = editor

    def close(self) -> None:
        self._editor.close(self.uri)


TRIES_MAX = 20
"""So often something is asked again: a busy machine may not answer in time for a key press."""


async def completions(editor: Editor, marked: str) -> list[types.CompletionItem]:
    """What is offered at the cursor, best first."""
    asked = Asked(editor, marked)
    for _ in range(TRIES_MAX):
        found = await within(
            editor.client.text_document_completion_async(types.CompletionParams(*asked.params))
        )
        if found is None or not found.is_incomplete or len(found.items) >= CANDIDATES_MAX:
            break
    asked.close()
    items = [] if found is None else found.items
    return sorted(items, key=lambda item: item.sort_text or item.label)


def applied(editor: Editor, marked: str, item: types.CompletionItem) -> str:
    """The source after an item was chosen, as the editor does it."""
    document, _, _ = unmarked(marked)
    edit = item.text_edit
    assert isinstance(edit, types.TextEdit)
    rows = list(document.rows)
    row = rows[edit.range.start.line]
    start = _index(editor, row, edit.range.start.character)
    end = _index(editor, row, edit.range.end.character)
    assert edit.range.start.line == edit.range.end.line
    rows[edit.range.start.line] = row[:start] + edit.new_text + row[end:]
    return "\n".join(rows)


def _index(editor: Editor, row: str, units: int) -> int:
    return next(index for index in range(len(row) + 1) if editor.units(row[:index]) == units)


async def hovered(
    editor: Editor, marked: str, *parts: str, again: bool = True
) -> tuple[str, types.Range | None]:
    """The text of a hover at the cursor, and its range.

    Asked again while there is none, or `parts` are missing: what is not found in time is there when
    it is asked for again.
    """
    asked = Asked(editor, marked)
    text, range_ = "", None
    for _ in range(TRIES_MAX):
        found = await within(
            editor.client.text_document_hover_async(types.HoverParams(*asked.params))
        )
        if found is not None:
            contents = found.contents
            text = contents.value if isinstance(contents, types.MarkupContent) else str(contents)
            range_ = found.range
        if not again or (found is not None and all(part in text for part in parts)):
            break
    asked.close()
    return text, range_


async def signature(editor: Editor, marked: str, *, again: bool = True) -> str:
    """The signature at the cursor, its active parameter between `<` and `>`; empty if none."""
    asked = Asked(editor, marked)
    for _ in range(TRIES_MAX if again else 1):
        found = await within(
            editor.client.text_document_signature_help_async(
                types.SignatureHelpParams(*asked.params)
            )
        )
        if found is not None:
            break
    asked.close()
    if found is None:
        return ""
    (one,) = found.signatures
    label = str(one.label)
    parameters = list(one.parameters or ())
    active = found.active_parameter
    if active is None or active >= len(parameters):
        return label
    place = parameters[active].label
    if isinstance(place, str):
        start = label.index(place, label.index("("))
        end = start + len(place)
    else:
        start, end = place
    return f"{label[:start]}<{label[start:end]}>{label[end:]}"
