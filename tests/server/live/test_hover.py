"""Hover over values of the VM, under three client profiles."""

from __future__ import annotations

import re

from tests.server.editor import Editor, at
from tests.server.live.cases import hovered, prepared

# The source, and parts that the text must have; `!` before one that it must not have. "" is none.
CASES: list[tuple[str, list[str]]] = [
    ("cou‸nter", ["counter = 3", "integer"]),
    ("lab‸el", ['label = "é𝄞 label"', "12 bytes"]),
    ("local c = counter\nprint(c‸)", ["c = counter = 3"]),
    ("config.de‸bug", ["config.debug = true"]),
    ("con‸fig", ["config = {", "debug = true", "table"]),
    ("local u = ext.table('users')\nu‸", ["external table, 3 rows", "string", "users(age)"]),
    ("ext.table('us‸ers')", ["users  -- external table, 3 rows", "age", "integer (2 of 3)"]),
    ("local e = ext\ne.count('us‸ers')", ["users  -- external table, 3 rows"]),
    ("local count = ext.count\ncount('us‸ers')", ["users  -- external table, 3 rows"]),
    ("ext.query('us‸ers', {})", ["3 rows"]),
    ("ext.query('users', { where = { 'na‸me', '=', x } })", ["users[...].name", "an example"]),
    ("ext.index('users', { 'age', 'home.ci‸ty' })", ["users[...].home.city", "Rome"]),
    ("local q = { order_by = 'a‸ge' }\next.query('users', q)", ["users[...].age", "integer"]),
    ("ext.query('users', { where = { 'name', '=', 'na‸me' } })", []),
    ("ext.query('nobody', { order_by = 'na‸me' })", []),
    ("local u = ext.table('users')\nu.ann.home.ci‸ty", ['users.ann.home.city = "Rome"']),
    ("for _, user in pairs(ext.table('users')) do user‸ end", ["user", "a row of users", "age"]),
    ("for _, user in pairs(ext.table('users')) do user.na‸me end", ["an example", "string"]),
    ("Memory.gre‸et", ["function Memory.greet(whom, ...)", "Greets somebody.\nIn two lines.",
                        "setup.lua:9", "in sync"]),
    ("account:depo‸sit(1)", ["deposit(self, amount)", "Puts money in."]),
    ("Account.ne‸w", ["function Account.new(balance)", "!stored"]),
    ("string.for‸mat('x')", ["string.format(format, ...)", "Puts values into a text"]),
    ("label:up‸per()", ["s:upper()", "capital letters"]),
    ("fm‸t('x')", ["string.format(format, ...)"]),
    ("pri‸nt(1)", ["print(...)", "with tabs between them"]),
    ("ext.que‸ry('users')", ["ext.query(table, spec?)", "where"]),
    ("ma‸th.pi", ["math"]),
    ("math.p‸i", ["3.14159"]),
    ("call‸able(1)", ["callable(self, x)"]),
    ("local function f(a, b) end\nf‸()", ["local function f(a, b)"]),
    ("--- About it.\nlocal limit = 3\nprint(limit‸)", ["local limit = 3", "About it."]),
    ("noth‸ing", []),
    ("nothing.at.al‸l", []),
    ("-- coun‸ter", []),
    ("x = 'coun‸ter'", []),
    ("f().coun‸ter", []),
]  # fmt: skip


async def test_texts(editor: Editor) -> None:
    await prepared(editor)
    wrong = []
    for marked, parts in CASES:
        text, _ = await hovered(editor, marked, again=bool(parts))
        plain = text.replace("`", "")
        if not parts and text:
            wrong.append(f"{marked!r}: nothing was expected, got {text!r}")
        wrong += [
            f"{marked!r}: {part!r} in {text!r}"
            for part in parts
            if (part.removeprefix("!") in plain) == part.startswith("!")
        ]
    assert not wrong, "\n".join(wrong)


async def test_the_range_is_the_name(editor: Editor) -> None:
    await prepared(editor)
    _, range_ = await hovered(editor, "x = '𝄞' print(config.de‸bug)")
    start = editor.units("x = '𝄞' print(config.")
    assert range_ == at(0, start, 0, start + 5)


async def test_drift(neovim: Editor) -> None:
    uri = await prepared(neovim)
    assert "in sync" in (await hovered(neovim, "Memory.gre‸et", "in sync"))[0]
    neovim.insert(uri, 9, 2, "-- edited\n  ")
    assert "edited since" in (await hovered(neovim, "Memory.gre‸et", "edited since"))[0]


async def test_values_are_of_now(neovim: Editor) -> None:
    await prepared(neovim)
    for value in ("4", "5"):
        uri = neovim.open(f"counter = {value}", f"set{value}.lua")
        await neovim.evaluate(uri)
        assert f"counter = {value}" in (await hovered(neovim, "coun‸ter"))[0]


async def test_long_values_are_cut(neovim: Editor) -> None:
    uri = neovim.open("big = {} for i = 1, 5000 do big[i] = ('x'):rep(i % 50) end", "big.lua")
    await neovim.evaluate(uri)
    text, _ = await hovered(neovim, "bi‸g")
    assert len(text) < 3000
    assert re.search(r"5,000 in its list", text)
