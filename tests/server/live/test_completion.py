"""Completion from the VM and the source, under three client profiles."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.server.editor import Editor, within
from tests.server.live.cases import TRIES_MAX, applied, completions, prepared

# The source, and the labels that must be offered first, in this order. `|` ends what is exact:
# nothing follows. `!` before a label: it must not be there.
CASES = [
    ("local u = ext.table('users')\nu.a‸", "ann |"),
    ("local u = ext.table('users')\nu.ann.‸", "age home name tags |"),
    ("local u = ext.table('users')\nu.ann.home.‸", "city |"),
    ("for _, user in pairs(ext.table('users')) do user.‸ end", "name age home tags |"),
    ("for _, r in ipairs(ext.query('users', {})) do r.‸ end", "key value |"),
    ("for _, r in ipairs(ext.query('users', {})) do r.value.‸ end", "name age home tags |"),
    ("for _, r in ipairs(ext.aggregate('users', {})) do r.‸ end", "group count sum min max avg |"),
    ("ext.aggregate('users', { group_by = 'age' })[1].group.‸", "name age home tags |"),
    ("account:‸", "deposit new"),
    ("account:‸", "!balance"),
    ("account.‸", "balance deposit new"),
    ("account.bal‸", "balance |"),
    ("local a = account\na.bal‸", "balance |"),
    ("function Account:close()\n  self.‸\nend", "deposit new close"),
    ("local o = setmetatable({}, Account)\no:dep‸", "deposit |"),
    ("cou‸", "counter"),
    ("config.‸", "debug |"),
    ('config["‸"]', "a␣key debug |"),
    ("config[‸", "a␣key debug |"),
    ("string.form‸", "format |"),
    ('("x"):upp‸', "upper |"),
    ("label:upp‸", "upper |"),
    ("ext.que‸", "query |"),
    ("Memory.‸", "greet |"),
    ("local first, second = 1, 2\nprint(fir‸)", "first |"),
    ("local x = 1\ndo local x2 = 2 print(x‸) end", "x2 x xpcall"),
    ("local function helper() end\nhel‸", "helper |"),
    ("brandnew = 1\nprint(brandn‸)", "brandnew |"),
    ("t = {one = 1, two = 2}\nprint(t.‸)", "one two |"),
    ("function t.x() end\nt.y = 1\nt.‸", "x y |"),
    ("whi‸", "while"),
    ("print('a' .. cou‸)", "counter"),
    ("print('a' ..‸)", "|"),
    ("print('a' .. ‸)", "account"),
    ("ext.table('‸')", "Memory users |"),
    ('ext.query("us‸', "users |"),
    ("ext.index('users', '‸')", "name age home tags |"),
    ("ext.index('users', {'name', 'a‸'})", "age"),
    ("ext.query('users', { ‸ })", "where order_by descending limit after select"),
    ("ext.query('users', { whe‸ })", "where"),
    ("ext.query('users', { order_by = '‸' })", "name age home tags |"),
    ("ext.query('users', { select = {'name', '‸'} })", "name age home tags |"),
    ("ext.query('users', { where = {'‸'} })", "name age home tags |"),
    ("ext.query('users', { where = {{'age', '‸'}} })", "= != < <= > >= in not␣in between"),
    ("ext.query('users', { where = {{'age', 'st‸'}} })", "startsWith endsWith exists"),
    ("ext.query('users', { where = {'age', '=', '‸'} })", "|"),
    ("local u = ext.table('users')\next.count(u, { where = {'na‸'} })", "name"),
    ("ext.aggregate('users', { group_by = 'ag‸' })", "age tags |"),
    ("ext.index('users', 'home.‸')", "home.city |"),
    ("ext.query('users', { where = {'home.c‸', '=', 'Rome'} })", "home.city |"),
    ("ext.query('users', { order_by = { 'age', 'home.‸' } })", "home.city |"),
    ("ext.index('users', 'nothing.‸')", "|"),
    ("ext.batch{{ op = '‸' }}", "set get delete query count insert update |"),
    ("ext.batch{{ ‸ }}", "op table key value where"),
    ("ext.schema('users', { ‸ })", "type optional min"),
    ("ext.schema('users', { fie‸ })", "fields"),
    ("ext.schema('users', { fields = { ‸ } })", "name age home tags"),
    ("ext.schema('users', { fields = { home = { fields = { c‸ } } } })", "city"),
    ("ext.schema('users', { fields = { age = { mi‸ } } })", "min min_length"),
    ("ext.schema('users', { fields = { age = 'int‸' } })", "integer integer? |"),
    ("ext.schema('users', { fields = { age = { type = 'boo‸' } } })", "boolean boolean? |"),
    ("ext.schema('users', { fields = { age = { enum = { '‸' } } } })", "|"),
    # Fields of a row that is written.
    ("ext.table('users').eve = { ‸ }", "name age home tags"),
    ("local u = ext.table('users')\nu.eve = { name = 'Eve', a‸", "age"),
    ("local u = ext.table('users')\nu.eve = { home = { ‸ } }", "city"),
    ("local u = ext.table('users')\nu[counter] = { ta‸ }", "tags"),
    ("local u = ext.table('users')\nu.eve = { name = ‸ }", "!age !home"),
    ("local u = ext.table('users')\nu.eve = { tostring(‸) }", "!age !home"),
    ("local u = ext.table('users')\nu.eve = { function() ‸ end }", "!age !home"),
    # Labels and attributes.
    ("goto ‸\n::first:: do ::inner:: end", "first |"),
    ("for i = 1, 2 do if i then goto c‸ end ::continue:: end ::out::", "continue |"),
    ("::out:: local function f() goto ‸ end", "|"),
    ("local x <c‸> = 1", "close const |"),
    ("local x <const>, y <‸> = 1", "close const |"),
    ("local x\nif counter < cou‸ then end", "counter"),
    ("local e = ext\ne.table('‸')", "Memory users |"),
    ("local ext = ext\next.query('us‸", "users |"),
    ("local index = ext.index\nindex('users', '‸')", "name age home tags |"),
    ("local q = ext.query\nq('users', { order_by = '‸' })", "name age home tags |"),
    ("local q = ext.query\nq('users', { whe‸ })", "where"),
    ("local q = ext.query\nq = f\nq('users', { order_by = '‸' })", "|"),
    ("local function f(ext) ext.table('‸') end", "|"),
    ("require('set‸')", "setup |"),
    # Nothing where nothing belongs.
    ("-- account.‸", "|"),
    ("--[[ account.‸ ]]", "|"),
    ('x = "account.‸"', "|"),
    ("x = [[account.‸]]", "|"),
    ("x = 1‸", "|"),
    ("local nam‸", "|"),
    ("function f(‸) end", "|"),
    ("nothing.‸", "|"),
    ("f().‸", "|"),
    # Half-typed code.
    ("account.‸\nlocal x = 1", "balance deposit new"),
    ("if account.‸ then", "balance deposit new"),
    ("print(account.‸", "balance deposit new"),
    ("function f()\n  account:‸\n", "deposit new"),
    ("é = 1 print('𝄞') account.bal‸", "balance |"),
]


def check(marked: str, expected: str, items: list[types.CompletionItem]) -> str | None:
    """What is wrong; None if nothing is."""
    labels = [item.label for item in items]
    for word in expected.split():
        if word.startswith("!") and word != "!=" and word[1:] in labels:
            return f"{marked!r}: {word[1:]} must not be offered"
    wanted = [
        word.replace("␣", " ")
        for word in expected.split()
        if word != "|" and (not word.startswith("!") or word == "!=")
    ]
    exact = expected.endswith("|")
    if (labels if exact else labels[: len(wanted)]) != wanted:
        return f"{marked!r}: expected {wanted}, got {labels[: len(wanted) + 3]}"
    without_snippets = [
        item.label for item in items if item.kind != types.CompletionItemKind.Snippet
    ]
    if len(set(without_snippets)) != len(without_snippets):
        return f"{marked!r}: {labels} has duplicates"
    return None


async def test_what_is_offered(editor: Editor) -> None:
    await prepared(editor)
    wrong = [
        check(marked, expected, await completions(editor, marked)) for marked, expected in CASES
    ]
    assert not any(wrong), "\n".join(filter(None, wrong))


async def test_edits_are_exact(editor: Editor) -> None:
    await prepared(editor)
    for marked, label, expected in [
        ("é = '𝄞' cou‸ = 1", "counter", "é = '𝄞' counter = 1"),
        ("ext.table('us‸')", "users", "ext.table('users')"),
        ("config[‸]", "a key", 'config["a key"]'),
        ("config['a ‸']", "a key", "config['a key']"),
        ("ext.query('users', { wh‸ })", "where", "ext.query('users', { where =  })"),
        ("account:dep‸", "deposit", "account:deposit"),
    ]:
        items = {item.label: item for item in await completions(editor, marked)}
        assert applied(editor, marked, items[label]) == expected


async def test_details_and_documentation(editor: Editor) -> None:
    await prepared(editor)
    by_label = {item.label: item for item in await completions(editor, "‸")}

    def shown(label: str) -> str:
        item = by_label[label]
        if item.label_details is not None:
            return f"{item.label_details.detail or ''} {item.label_details.description}".strip()
        return item.detail or ""

    assert shown("counter") == "3"
    assert shown("label") == '"é𝄞 label"'
    assert shown("callable") == "table"
    assert shown("pcall") == "(f, ...) function"
    assert by_label["pcall"].kind == types.CompletionItemKind.Function
    assert "catches errors" in documentation(by_label["pcall"])
    methods = {item.label: item for item in await completions(editor, "account:‸")}
    text = documentation(await resolved(editor, methods["deposit"]))
    assert "deposit(self, amount)" in text
    assert "Puts money in." in text
    assert "setup.lua:16" in text
    assert "debug = true" in documentation(await resolved(editor, by_label["config"]))


async def resolved(editor: Editor, item: types.CompletionItem) -> types.CompletionItem:
    """A completion with its documentation, which a busy machine may not have in time."""
    for _ in range(TRIES_MAX):
        found: types.CompletionItem = await within(
            editor.client.completion_item_resolve_async(item)
        )
        if found.documentation is not None:
            return found
    return item


def documentation(item: types.CompletionItem) -> str:
    text = item.documentation
    assert text is not None
    return text if isinstance(text, str) else text.value


async def test_beside_another_server(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"besideLuaServer": "yes"})
    await prepared(unstarted)
    labels = [item.label for item in await completions(unstarted, "local mine = 1\n‸")]
    assert "counter" in labels
    assert not {"mine", "while", "print", "for"} & set(labels)
    assert await completions(unstarted, "string.‸") == []
    assert [one.label for one in await completions(unstarted, "ext.table('‸')")] == [
        "Memory",
        "users",
    ]


@pytest.mark.parametrize("setting", ["off", "live"])
async def test_the_setting(unstarted: Editor, setting: str) -> None:
    await unstarted.start("neovim", options={"completion": setting})
    await prepared(unstarted)
    labels = [item.label for item in await completions(unstarted, "‸")]
    assert ("counter" in labels) == (setting == "live")
    assert "while" not in labels


async def test_while_an_evaluation_runs(neovim: Editor) -> None:
    await prepared(neovim)
    await completions(neovim, "account.‸")
    uri = neovim.open("while true do end", "forever.lua")
    running = neovim.start_command("evaluateFile", {"uri": uri})
    assert [one.label for one in await completions(neovim, "account.ba‸")] == ["balance"]
    assert [one.label for one in await completions(neovim, "local abc\nab‸")][:1] == ["abc"]
    await neovim.run("interrupt")
    assert not (await within(running))["ok"]


async def test_many_globals(neovim: Editor) -> None:
    uri = neovim.open("for i = 1, 20000 do _G['generated_' .. i] = i end", "many.lua")
    await neovim.evaluate(uri)
    items: list[types.CompletionItem] = []
    while not items:  # On a busy machine the VM may not answer in time, at first.
        items = await completions(neovim, "generated_1999‸")
    assert [item.label for item in items][:1] == ["generated_1999"]
    assert 1 < len(items) <= 200


async def test_without_a_session(neovim: Editor) -> None:
    labels = [item.label for item in await completions(neovim, "pri‸")]
    assert "print" in labels
    assert not (neovim.folder / ".lua-persist").exists(), "looking makes no files"


async def test_locals_that_the_session_keeps(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open("local mine = Account.new(7)\nlocal n = #'abc'\n", "kept.lua")
    await neovim.evaluate(uri)
    neovim.insert(uri, 2, 0, "mine.")
    labels: list[str] = []
    while "balance" not in labels:
        found = await within(
            neovim.client.text_document_completion_async(
                types.CompletionParams(types.TextDocumentIdentifier(uri), types.Position(2, 5))
            )
        )
        assert isinstance(found, types.CompletionList)
        labels = [item.label for item in found.items]
    assert labels[:3] == ["balance", "deposit", "new"]
    place = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(1, 6))
    hover = await within(neovim.client.text_document_hover_async(place))
    assert hover is not None
    assert "n = 3" in hover.contents.value
