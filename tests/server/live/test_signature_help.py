"""Signatures of functions of the VM, of the source and of the libraries."""

from __future__ import annotations

from lsprotocol import types

from tests.server.editor import Editor, within
from tests.server.live.cases import Asked, prepared, signature

CASES = [
    ("Memory.greet(‸)", "Memory.greet(<whom>, ...)"),
    ("Memory.greet('x', ‸)", "Memory.greet(whom, <...>)"),
    ("Memory.greet('x', 1, 2, ‸", "Memory.greet(whom, <...>)"),
    ("account:deposit(‸)", "account:deposit(<amount>)"),
    ("account.deposit(‸)", "account.deposit(<self>, amount)"),
    ("account:deposit(1, ‸)", "account:deposit(amount)"),
    ("Account.new(‸", "Account.new(<balance>)"),
    ("callable(‸)", "callable(<x>)"),
    ("string.find(s, ‸)", "string.find(s, <pattern>, init?, plain?)"),
    ("label:find(‸)", "label:find(<pattern>, init?, plain?)"),
    ("fmt(‸)", "fmt(<format>, ...)"),
    ("print(‸", "print(<...>)"),
    ("ext.query('users', {‸})", "ext.query(table, <spec?>)"),
    ("local function f(a, b) end\nf(1, ‸)", "f(a, <b>)"),
    ("function M.f(a, ...) end\nM.f(‸)", "M.f(<a>, ...)"),
    ("function M:f(a) end\nM:f(‸)", "M:f(<a>)"),
    ("function M:f(a) end\nM.f(‸)", "M.f(<self>, a)"),
    ("print(Memory.greet(‸), 1)", "Memory.greet(<whom>, ...)"),
    ("print(1, function() return ‸ end)", ""),
    ("nothing(‸)", ""),
    ("‸", ""),
    ("print(1) ‸", ""),
]


async def test_signatures(editor: Editor) -> None:
    await prepared(editor)
    wrong = []
    for marked, expected in CASES:
        found = await signature(editor, marked, again=bool(expected))
        if found != expected:
            wrong.append(f"{marked!r}: expected {expected!r}, got {found!r}")
    assert not wrong, "\n".join(wrong)


async def test_what_it_does(editor: Editor) -> None:
    await prepared(editor)
    for marked, expected in [
        ("Memory.greet(‸)", "Greets somebody.\nIn two lines."),
        ("string.rep(‸)", "The text `n` times"),
        ("--- Adds.\nlocal function add(a, b) end\nadd(‸)", "Adds."),
    ]:
        asked = Asked(editor, marked)
        found = await within(
            editor.client.text_document_signature_help_async(
                types.SignatureHelpParams(*asked.params)
            )
        )
        asked.close()
        assert found is not None
        text = found.signatures[0].documentation
        shown = text if isinstance(text, str) else text.value if text else ""
        assert expected.replace("`", "") in shown.replace("`", "")
