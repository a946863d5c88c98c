"""Parameters, locals and results of calls have fields: completion, hover, definition, hints."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.server.editor import Editor, at
from tests.server.live.cases import completions, hovered, prepared
from tests.server.live.test_checks import found
from tests.server.live.test_stored import definitions

USER = """\
--- Somebody.
---@class User
---@field name string the full name
---@field friends User[]
---@field boss? User
local User = {}
--- Says hello.
---@param whom User
function User:greet(whom) end
"""
MOVED = """\
local A = {}
A.__index = A
function A.new() return setmetatable({ x = 1 }, A) end
--- Moves it.
function A:move(by) end
"""


async def labels(editor: Editor, marked: str) -> list[str]:
    return [item.label for item in await completions(editor, marked)]


async def test_completion(editor: Editor) -> None:
    await prepared(editor)
    for marked, expected in [
        (USER + "---@param u User\nfunction f(u) u.‸ end", ["boss", "friends", "greet", "name"]),
        (USER + "---@param u User\nfunction f(u) u.boss.na‸ end", ["name"]),
        (USER + "---@param u User\nfunction f(u) u:‸ end", ["greet"]),
        ("local function make() return { zip = 1, zap = 'x' } end\nmake().‸", ["zap", "zip"]),
        (MOVED + "local a = A.new()\na.‸", ["move", "new", "x"]),
        (MOVED + "local a = setmetatable({}, A)\na:mo‸", ["move"]),
        # What the store has of it.
        ("local function get(id) return ext.table('users')[id] end\nlocal u = get(1)\nu.‸",
         ["name", "age", "home", "tags"]),
        ("---@param s string\nfunction f(s) s:upp‸ end", ["upper"]),
        ("function f(u) u.‸ end", []),
    ]:  # fmt: skip
        assert await labels(editor, marked) == expected, marked
    declared = editor.open(USER, "user.lua")
    items = await completions(editor, "---@param u User\nfunction f(u) u.‸ end")
    (name,) = [item for item in items if item.label == "name"]
    (greet,) = [item for item in items if item.label == "greet"]
    details = name.label_details
    assert (name.detail if details is None else details.description) == "string"
    assert said(name) == "the full name"
    assert said(greet) == "Says hello."
    details = greet.label_details
    assert (greet.detail or "") if details is None else details.detail == "(self, whom)"
    editor.close(declared)


def said(item: types.CompletionItem) -> str:
    text = item.documentation
    assert text is not None
    return text if isinstance(text, str) else text.value


async def test_hover(editor: Editor) -> None:
    await prepared(editor)
    text, range_ = await hovered(
        editor, USER + "---@param u User\nfunction f(u) return u.na‸me end"
    )
    assert "(field) User.name: string" in text
    assert "the full name" in text
    assert range_ == at(10, 23, 10, 27)
    text, _ = await hovered(editor, USER + "---@param u User\nfunction f(u‸) end")
    assert "parameter u: User" in text
    assert "- `name` string: the full name" in text
    text, _ = await hovered(editor, USER + "---@param u User\nfunction f(u) u:gre‸et() end")
    assert "function User.greet(self, whom: User)" in text
    assert "Says hello." in text
    assert "@param" not in text
    text, _ = await hovered(editor, USER + "---@type User[]\nlocal all‸ = f()")
    assert "local all: User[]" in text
    text, _ = await hovered(editor, "local function make() return { zip = 7 } end\nmake().zi‸p = 1")
    assert "(field) zip = 7" in text
    # A row of the store, by way of a call.
    text, _ = await hovered(
        editor, "local function get(id) return ext.table('users')[id] end\nlocal u = get(1)\nu‸.x()"
    )
    assert "a row of users" in text
    assert "`name` string" in text


ANNOTATED = """\
--- Finds somebody.
---@param id integer the number
---@param strict? boolean
---@return User?
---@overload fun(name: string): User[]
"""
HOVERS = [
    (ANNOTATED + "local function find‸(id, strict) end",
     ["local function find(id: integer, strict?: boolean): User?",
      "function find(name: string): User[]", "Finds somebody.", "`id`: the number", "!@param"]),
    (ANNOTATED + "local function find(id‸, strict) end", ["parameter id: integer"]),
    ("---@alias Mode 'r'|'w'\n---@param mode Mode\nlocal function open(mode‸) end",
     ["parameter mode: Mode", "Mode = 'r'|'w'"]),
    ("---@alias Mode\n---| 'r' # to read\n---| 'w' # to write\n---@type Mode\nlocal mode‸ = f()",
     ["local mode: Mode", "Mode = 'r'|'w'"]),
    ("---@type fun(a: integer): string\nlocal f‸ = g()", ["local f: fun(a: integer): string"]),
    ("local M = {}\n" + ANNOTATED + "function M.find(id, strict) end\nM.fi‸nd()",
     ["function M.find(id: integer, strict?: boolean): User?", "Finds somebody."]),
    (MOVED + "local a = A.new()\na:mo‸ve(1)", ["function A.move(self, by)", "Moves it."]),
    ("local A = {}\nA.__index = A\nlocal a‸ = setmetatable({}, A)", ["local a: A"]),
    ("local t = { size = 7 }\nlocal u = t\nprint(u.si‸ze)", ["(field) size = 7"]),
]  # fmt: skip


async def test_hover_of_annotations_and_idioms(editor: Editor) -> None:
    wrong = []
    for marked, parts in HOVERS:
        text, _ = await hovered(editor, marked)
        wrong += [
            f"{marked!r}: {part!r} in {text!r}"
            for part in parts
            if (part.removeprefix("!") in text) == part.startswith("!")
        ]
    assert not wrong, "\n".join(wrong)


async def test_definition(editor: Editor) -> None:
    other = editor.open("local other = { name = 1 }\nfunction greet() end", "other.lua")
    use = "---@param u User\nfunction f(u) return u.na‸me end"
    assert await definitions(editor, USER + use) == ["case.lua:3"]
    declared = editor.open(USER, "user.lua")
    assert await definitions(editor, use) == ["user.lua:3"]
    use = "---@param u User\nfunction f(u) u.boss:gre‸et() end"
    assert await definitions(editor, use) == ["user.lua:9"]
    use = "local function make() return { zip = 7 } end\nlocal zip = make()\nprint(zip.zi‸p)"
    assert await definitions(editor, use) == ["case.lua:1"]
    for uri in (other, declared):
        editor.close(uri)


SCHEMA = """\
ext.schema("planned", {
  fields = { title = "string", due = { type = "integer", optional = true }, owner = "string?" },
  extra = false,
})
"""


async def test_rows_that_only_a_schema_knows(editor: Editor) -> None:
    await editor.evaluate(editor.open(SCHEMA, "schema.lua"))
    every = "for _, one in pairs(ext.table('planned')) do one."
    assert await labels(editor, every + "‸ end") == ["due", "owner", "title"]
    asked = "for _, one in ipairs(ext.query('planned', {})) do one.value."
    assert await labels(editor, asked + "ti‸ end") == ["title"]
    by_call = "local function get(id) return ext.table('planned')[id] end\nget(1)."
    assert await labels(editor, by_call + "‸") == ["due", "owner", "title"]
    text, _ = await hovered(editor, every + "du‸e = 1 end")
    assert "due: integer?" in text
    assert "schema of planned" in text
    text, _ = await hovered(editor, "for _, one in pairs(ext.table('planned')) do o‸ne() end")
    assert "`title` string" in text
    assert "`due` integer?" in text
    assert "nothing else" in text
    uri = editor.open(every + "ttile = one.titel end", "wrong.lua")
    (one,) = await found(editor, uri, 1)
    assert one.message == "no row of planned has a field 'titel'; did you mean 'title'?"


WRONG = [
    ("---@param u User\nfunction f(u) return u.⟦nmae⟧ end",
     "class User has no field 'nmae'; did you mean 'name'?"),
    ("---@param u User\nfunction f(u) return u.boss.⟦freinds⟧ end", "did you mean 'friends'?"),
    ("---@param u User\nfunction f(u) u:⟦gret⟧() end", "did you mean 'greet'?"),
    ("local function get(id) return ext.table('users')[id] end\nlocal u = get(1)\nprint(u.⟦agee⟧)",
     "no row of users has a field 'agee'; did you mean 'age'?"),
]  # fmt: skip

RIGHT = """\
---@param u User
---@param v User|nil
---@param w Unknown
function f(u, v, w)
  print(u.name, v.friends, w.nmae, u.wholly_else)
  u.gret = 1
  print(u.gret, u.boss.boss.name, u:greet(v))
end
local function make() return { name = 1 } end
print(make().nmae)
"""


async def test_misspelt_fields(editor: Editor) -> None:
    await prepared(editor)
    for number, (marked, message) in enumerate(WRONG):
        text = USER + marked
        source = text.replace("⟦", "").replace("⟧", "")
        uri = editor.open(source, f"wrong{number}.lua")
        (one,) = await found(editor, uri, 1)
        assert message in one.message
        row = text[: text.index("⟦")].count("\n")
        line = text.split("\n")[row]
        assert one.range == at(row, line.index("⟦"), row, line.index("⟧") - 1)
        editor.close(uri)
    # What is wrong at the end shows that the rest has been looked at.
    uri = editor.open(USER + RIGHT + "print(cuonter)", "right.lua")
    (one,) = await found(editor, uri, 1)
    assert "'cuonter'" in one.message


@pytest.mark.parametrize("beside", ["yes", "no"])
async def test_beside_another_server(unstarted: Editor, beside: str) -> None:
    """It knows annotations itself; what the store has of a row it does not."""
    await unstarted.start("neovim", options={"besideLuaServer": beside})
    await prepared(unstarted)
    annotated = USER + "---@param u User\nfunction f(u) u.‸ end"
    assert bool(await labels(unstarted, annotated)) == (beside == "no")
    stored = "local function get(id) return ext.table('users')[id] end\nlocal u = get(1)\nu.na‸"
    assert await labels(unstarted, stored) == ["name"]
    text, _ = await hovered(
        unstarted, USER + "---@param u User\nfunction f(u) return u.na‸me end", again=False
    )
    assert bool(text) == (beside == "no")
