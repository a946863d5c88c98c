"""Names, paths and calls at a cursor: `‸` is the cursor, `⟦ ⟧` what is asked for."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.analysis import Name, Scopes, doc_comment, scopes_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range
from tests.server.marks import marked, unmarked


def at(text: str) -> tuple[Document, Scopes, list[Range], Position]:
    document, ranges, cursors = unmarked(text)
    assert len(cursors) == 1
    return document, scopes_of(document), ranges, cursors[0]


def name(text: str) -> Name:
    _, scopes, _, cursor = at(text)
    found = scopes.name_at(cursor)
    assert found is not None
    return found


def check_declaration(text: str) -> None:
    document, scopes, ranges, cursor = at(text)
    found = scopes.name_at(cursor)
    assert found is not None
    declaration = [] if found.declaration is None else [found.declaration]
    assert marked(document, declaration) == marked(document, ranges)


@pytest.mark.parametrize(
    "text",
    [
        "local ⟦x⟧ = 1\nprint(x‸)",
        "local x = 1; local ⟦x⟧ = 2; print(‸x)",
        "local ⟦x⟧ = 1; local x = x‸",
        "local ⟦x⟧; do local x = 1 end print(‸x)",
        "local x; do local ⟦x⟧ = 1; x‸ = 2 end",
        "do local x end print(‸x)",
        "x = 1; print(‸x)",
        "function f(⟦a⟧, ...) return function() return a‸ end end",
        "local function ⟦f⟧() return f‸() end",
        "local f = function() return f‸() end",
        "for ⟦i⟧ = 1, 10 do print(i‸) end",
        "local ⟦i⟧; for i = i‸, 10 do end",
        "for k, ⟦v⟧ in pairs(t) do v‸() end",
        "local ⟦t⟧; for t in pairs(t‸) do end",
        "repeat local ⟦x⟧ = f() until x‸",
        "while x‸ do local x end",
        "if a then local x else print(x‸) end",
        "function ⟦m⟧:f() return ‸self end",
        "function a.b.f(⟦self⟧) return self‸ end",
        "::⟦top⟧:: goto top‸",
        "do ::top:: end goto top‸",
        "goto ‸done; do local a end ::⟦done⟧::",
        "::top:: function f() goto top‸ end",
        "do goto ‸next; ::⟦next⟧:: end ::next::",
        "local ⟦x⟧ = 1 --[[🙂]] print('🙂', x‸)",
        "local a <const>, ⟦b⟧ <close> = 1, nil; print(b‸)",
        "local t = { [x‸] = 1 }",
        "local ⟦x⟧ = 1; local t = { x = x‸ }",
        "local ⟦x⟧ = 1; f{ g(x‸) }",
        # Half-typed code.
        "local ⟦x⟧ = 1\nfoo.\nprint(x‸)",
        "local ⟦x⟧ = 1\nfunction f()\n  x‸",
        "local ⟦x⟧ = 1\nlocal s = 'open\nprint(x‸)",
        "local ⟦x⟧ = 1\nif x‸",
        "local ⟦x⟧ = 1\nf(x‸,",
        "local ⟦x⟧ = 1\nlocal t = { a = x‸",
        "local ⟦x⟧ = 1\nend end\nprint(x‸)",
        "local ⟦x⟧ = 1\nx‸ + 1",
        "local function f() if a then return end\nlocal ⟦b⟧ = 1\nb‸()",
        "function f()\n  local x\n  if a then\nfunction g()\n  x‸()\nend",
        "function f()\n  local ⟦x⟧\n  function g()\n    x‸()\n  end",
        "function f()\nlocal ⟦x⟧\nfunction g()\nx‸()\nend\nend",
        "#!/usr/bin/lua\nlocal ⟦x⟧ = 1; print(x‸)",
    ],
)
def test_declaration(text: str) -> None:
    check_declaration(text)


@pytest.mark.parametrize(
    ("text", "kind", "is_write"),
    [
        ("local x‸ = 1", "local", True),
        ("x‸ = 1", "global", True),
        ("x‸, y = 1", "global", True),
        ("print(x‸)", "global", False),
        ("function f‸() end", "global", True),
        ("function f(x‸) end", "parameter", True),
        ("for x‸ in y do end", "loop", True),
        ("a.b‸ = 1", "field", True),
        ("a‸.b = 1", "global", False),
        ("a.b‸.c = 1", "field", False),
        ("a:b‸()", "method", False),
        ("function a:b‸() end", "method", True),
        ("t = { a‸ = 1 }", "field", True),
        ("t = { ['a‸'] = 1 }", "field", True),
        ("t['a‸'] = 1", "field", True),
        ("::a‸::", "label", True),
        ("goto a‸", "label", False),
    ],
)
def test_kind(text: str, kind: str, is_write: bool) -> None:
    found = name(text)
    assert (found.kind, found.is_write) == (kind, is_write)


@pytest.mark.parametrize(
    "text",
    ["local x = ‸1", "-- x‸", "'x‸'", "‸", "f(‸)", "a.‸", "local function‸ f() end", "[[x‸]]"],
)
def test_no_name(text: str) -> None:
    _, scopes, _, cursor = at(text)
    assert scopes.name_at(cursor) is None


def test_upvalues_and_attributes() -> None:
    assert name("local x <const> = 1; function f() return x‸ end").is_upvalue
    assert name("local x <const> = 1; function f() return x‸ end").attribute == "const"
    assert not name("local x = 1; do print(x‸) end").is_upvalue


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("print(a.b‸)", "a.b"),
        ("print(a‸.b)", "a"),
        ("a.b.c‸.d = 1", "a.b.c"),
        ("a['b c‸'].d = 1", 'a["b c"]'),
        ("a[1].d‸ = 1", "a[1].d"),
        ("a[i].d‸ = 1", "a[?].d"),
        ("a[i‸].d = 1", "i"),
        ("ext.table('users')[1].name‸", "ext.table(...)[1].name"),
        ("a.b:c‸(1)", "a.b:c"),
        ("f(a.b‸, c)", "a.b"),
        ("f(x):g‸()", "f(...):g"),
        ("('x'):rep‸(3)", "(...):rep"),
        ("foo.‸", "foo."),
        ("foo:‸", "foo:"),
        ("foo.‸\nbar()", "foo."),
        ("foo.bar.‸\nlocal x", "foo.bar."),
        ("local x = foo.b‸", "foo.b"),
        ("if foo.‸ then end", "foo."),
        ("f(foo.‸", "foo."),
        ("t = { foo.‸ }", "foo."),
        ("function a.b:c‸() end", "a.b:c"),
        ("function f() return t.‸ end", "t."),
    ],
)
def test_path(text: str, path: str) -> None:
    _, scopes, _, cursor = at(text)
    found = scopes.path_at(cursor)
    assert found is not None
    assert found.text == path


@pytest.mark.parametrize(
    ("text", "function", "argument"),
    [
        ("f(‸)", "f", 0),
        ("f(a, ‸)", "f", 1),
        ("f(a, g(b, ‸c), d)", "g", 1),
        ("f(a, g(b, c)‸, d)", "f", 1),
        ("f(a, g(b, c), ‸", "f", 2),
        ("f(\n  a,\n  ‸", "f", 1),
        ("a.b:c(1, 2, ‸3)", "a.b:c", 2),
        ("ext.table('‸users')", "ext.table", 0),
        ("ext.table'‸users'", "ext.table", 0),
        ("f { x = ‸1 }", "f", 0),
        ("local x = f(1, ‸\nlocal y = 2", "f", 1),
        ("f(function() return 1 end, ‸)", "f", 1),
        ("f(x)(y, ‸)", "f(...)", 1),
    ],
)
def test_call(text: str, function: str, argument: int) -> None:
    _, scopes, _, cursor = at(text)
    call = scopes.call_at(cursor)
    assert call is not None
    assert (call.function.text, call.argument) == (function, argument)


@pytest.mark.parametrize("text", ["f()‸", "‸f()", "f(function() ‸ end)", "x = ‸1", "(‸x)"])
def test_no_call(text: str) -> None:
    _, scopes, _, cursor = at(text)
    assert scopes.call_at(cursor) is None


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("local a; local b; ‸", "b a"),
        ("local a; local a; ‸", "a"),
        ("local a = ‸", ""),
        ("‸ local a", ""),
        ("function f(x, y) local z; ‸ end", "z y x"),
        ("function f(x, y) local z end ‸", ""),
        ("function m:f(x) ‸ end", "x self"),
        ("for k, v in pairs(t) do ‸ end", "v k"),
        ("for k, v in pairs(t) do end ‸", ""),
        ("local function f() ‸ end", "f"),
        ("repeat local x until ‸ ", "x"),
        ("if a then local b; ‸ else local c end", "b"),
        ("if a then local b else local c; ‸ end", "c"),
        ("local a\nlocal function g(x)\n  x.\n  ‸", "x g a"),
        ("local a\nf(function(x) ‸", "x a"),
        ("function f(x)\n  ‸\nfunction g(y)\nend", "x"),
        ("function f(x)\n  \nfunction g(y)\n‸end", "y"),
        ("local a; local t = { f = function(x) ‸ end }", "x a"),
    ],
)
def test_visible(text: str, visible: str) -> None:
    _, scopes, _, cursor = at(text)
    assert [found.text for found in scopes.visible_at(cursor)] == visible.split()


def test_globals() -> None:
    document, _, _ = unmarked("local a = b; function c.d(e) f = e + a end g = { h = i }")
    uses = scopes_of(document).globals()
    assert [(use.text, use.is_write) for use in uses] == [
        ("b", False),
        ("c", False),
        ("f", True),
        ("g", True),
        ("i", False),
    ]
    assert [document.text(use.range) for use in uses] == ["b", "c", "f", "g", "i"]


def test_no_globals_under_an_environment_of_ones_own() -> None:
    document, _, _ = unmarked("a = 1; local _ENV = {}; b = 2; function f() c = 1 end")
    assert [use.text for use in scopes_of(document).globals()] == ["a"]


def test_uses() -> None:
    text = "local ⟦x⟧ = 1; do local x = ⟦x⟧ end; ⟦x⟧ = function(x) return x end; print(⟦‸x⟧, t.x)"
    _, scopes, ranges, cursor = at(text)
    found = scopes.name_at(cursor)
    assert found is not None
    assert [use.range for use in scopes.uses(found)] == sorted(ranges, key=lambda r: r.start)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("local x‸ = a.b(1).c", "path a.b(...).c"),
        ("local y, x‸ = 1, 'text'", "constant text"),
        ("local function f‸(a, ...) end", "function a ..."),
        ("function m:f‸(a) end", "function self: a"),
        ("m.f‸ = function(a, b) end", "function a b"),
        ("t = { f‸ = {} }", "table"),
        ("local x‸", "None"),
        ("local x‸ = a + b", "None"),
    ],
)
def test_value(text: str, shown: str) -> None:
    _, scopes, _, cursor = at(text)
    found = scopes.name_at(cursor)
    assert found is not None
    value = scopes.value_of(found.range)
    if value is None:
        assert shown == "None"
    elif value.function is not None:
        words = ["self:"] * value.function.is_method + [*value.function.parameters]
        words += ["..."] * value.function.variadic
        assert shown == " ".join(["function", *words])
    elif value.path is not None:
        assert shown == f"path {value.path.text}"
    else:
        assert shown == ("table" if value.is_table else f"constant {value.constant}")


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("-- One.\n-- Two.\nfunction f() end", "One.\nTwo."),
        ("--- One.\n---\n--- @param a\nfunction f() end", "One.\n\n@param a"),
        ("-- Other.\n\n-- Mine.\nfunction f() end", "Mine."),
        ("--[[ A block\n   of text. ]]\nfunction f() end", "A block\nof text."),
        ("x = 1\nfunction f() end", ""),
        ("--region Here\nfunction f() end", ""),
        ("--------\n-- Title\n--------\nfunction f() end", "Title"),
        ("function f() end", ""),
    ],
)
def test_doc_comment(text: str, comment: str) -> None:
    document, _, _ = unmarked(text)
    assert doc_comment(document, text.count("\n")) == comment
