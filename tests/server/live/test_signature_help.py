"""Signatures of functions of the VM, of the source and of the libraries."""

from __future__ import annotations

from lsprotocol import types

from tests.server.editor import Editor, within
from tests.server.live.cases import Asked, prepared, signature

FIND = """\
---@param a User who
---@param b? integer
---@return boolean ok
local function f(a, b) end
"""
EACH = "---@class B\n---@field on fun(self: B, f: fun(u: B)): self\n\n---@param b B\n"
OBJECT = """\
local A = {}
A.__index = A
function A.new() return setmetatable({}, A) end
function A:f(x, y) end
"""
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
    # Annotations.
    (FIND + "f(1, ‸)", "f(a: User, <b?: integer>): boolean"),
    ("---@param ... string\nfunction M.f(...) end\nM.f(1, ‸)", "M.f(<...: string>)"),
    ("---@generic T\n---@param l T[]\n---@return T\nlocal function first(l) end\nfirst(‸)",
     "first(<l: T[]>): T"),
    ("---@param n integer\nfunction M:f(n) end\nM:f(‸)", "M:f(<n: integer>)"),
    ("---@param f fun(a: User, b?: integer): string\nfunction g(f) f(1, ‸) end",
     "f(a: User, <b?: integer>): string"),
    (EACH + "function g(b) b:on(‸) end", "b:on(<f: fun(u: B)>): self"),
    (EACH + "function g(b) b.on(‸) end", "b.on(<self: B>, f: fun(u: B)): self"),
    # Objects, by what they are.
    (OBJECT + "A.new():f(1, ‸)", "A.new(...):f(x, <y>)"),
    ("print(1, function() return ‸ end)", ""),
    ("nothing(‸)", ""),
    ("‸", ""),
    ("print(1) ‸", ""),
]  # fmt: skip


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


async def test_overloads(editor: Editor) -> None:
    source = """\
--- Finds somebody.
---@param id integer the number
---@return User
---@overload fun(name: string, exact?: boolean): User[]
function find(id) end
"""
    for marked, active in [("find(‸)", 0), ("find(1, ‸)", 1), ("find(1, 2, 3, ‸)", 0)]:
        asked = Asked(editor, source + marked)
        found = await within(
            editor.client.text_document_signature_help_async(
                types.SignatureHelpParams(*asked.params)
            )
        )
        asked.close()
        assert found is not None
        assert [one.label for one in found.signatures] == [
            "find(id: integer): User",
            "find(name: string, exact?: boolean): User[]",
        ]
        assert found.active_signature == active
        documented = found.signatures[0].documentation
        assert documented is not None
        text = documented if isinstance(documented, str) else documented.value
        assert text == "Finds somebody."
        parameters = list(found.signatures[0].parameters or ())
        assert len(parameters) == 1
        said = parameters[0].documentation
        assert said is not None
        assert (said if isinstance(said, str) else said.value) == "the number"
