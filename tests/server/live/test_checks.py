"""Diagnostics that take a look at the VM, and what they offer."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.live.reading import reading_of
from tests.server.editor import Editor, at, within
from tests.server.live.cases import Asked, prepared
from tests.server.marks import document

CODES = {"undefined-global", "misspelt-field", "too-many-arguments"}

# The source with what is wrong marked, and the messages.
WRONG = [
    ("print(⟦cuonter⟧)", ["undefined global 'cuonter'; did you mean 'counter'?"]),
    ("return ⟦wholly_unknown⟧.x", ["undefined global 'wholly_unknown': neither the VM has it"]),
    ("local u = ext.table('users')\nprint(u.ann.⟦nmae⟧)",
     ["no row of users has a field 'nmae'; did you mean 'name'?"]),
    ("for _, user in pairs(ext.table('users')) do print(user.⟦agee⟧) end", ["did you mean 'age'?"]),
    ("for _, r in ipairs(ext.query('users', {})) do print(r.value.⟦naem⟧) end", ["'name'?"]),
    ("return ext.query('users', { where = { '⟦agee⟧', '>', 5 } })",
     ["no row of users has a field 'agee'; did you mean 'age'?"]),
    ("local u = ext.table('users') ext.count(u, { where = { any = { { '⟦naem⟧', '=', 1 } } } })",
     ["'name'?"]),
    ("local q = ext.query\nreturn q('users', { order_by = { field = '⟦nmae⟧' }, select = 'name' })",
     ["'name'?"]),
    ("return ext.aggregate('users', { group_by = { 'name', '⟦aeg⟧' }, sum = 'age' })", ["'age'?"]),
    ("ext.index('users', { '⟦nmae⟧', 'age' })", ["'name'?"]),
    ("return ext.query('users', { select = { 'name', '⟦hmoe⟧.city' } })", ["'home'?"]),
    ("Account.new(1, ⟦2, 3⟧)", ["'Account.new' takes 1 argument, 3 are given"]),
    ("account:deposit(1, ⟦2⟧)", ["'account.deposit' takes 1 argument, 2 are given"]),
    ("é = '𝄞' print(⟦cuonter⟧)", ["did you mean 'counter'?"]),
]  # fmt: skip

RIGHT = """\
print(counter, brandnew, _G.whatever, _VERSION)
brandnew = 1
local cuonter = 2
print(cuonter)
local users = ext.table("users")
print(users.ann.name, users.bob.tags, users.nobody, users.ann.unheard_of)
users.ann.nmae = 3
print(users.ann.nmae)
Account.new(1)
account:deposit(2)
account.deposit(account, 2)
Memory.greet("x", 1, 2, 3)
callable(1, 2, 3)
string.rep("x", 2, 3, 4)
for key, user in pairs(users) do print(key, user.name, user.home.city) end
local function f(a) return a end
f(1, 2)
ext.query("users", { where = { { "age", ">", 5 }, { "home.city", "=", counter } } })
ext.query("users", { where = { "@key", "=", "nmea" }, select = { "tags[1]", "nmae" } })
ext.index("users", "unheard_of")
ext.query("nobody", { where = { "agee", "=", 1 } })
local other = { query = print }
other.query("users", { where = { "agee", "=", 1 } })
config.anything()
"""


async def found(editor: Editor, uri: str, expected: int) -> list[types.Diagnostic]:
    """The diagnostics of ours, as soon as there are so many."""

    def ours(all_: Any) -> list[types.Diagnostic]:
        return [one for one in all_ if one.code in CODES]

    return ours(await editor.diagnostics(uri, lambda all_: len(ours(all_)) >= expected))


async def test_what_is_wrong(editor: Editor) -> None:
    await prepared(editor)
    for number, (marked, messages) in enumerate(WRONG):
        asked = Asked(editor, marked, f"wrong{number}.lua")
        diagnostics = await found(editor, asked.uri, len(messages))
        assert len(diagnostics) == len(messages)
        for one, message, range_ in zip(diagnostics, messages, asked.ranges, strict=True):
            assert message in one.message
            assert one.severity == types.DiagnosticSeverity.Information
            row = asked.document.row(range_.start.row)
            start = editor.units(row[: range_.start.column])
            end = editor.units(row[: range_.end.column])
            assert (one.range.start.character, one.range.end.character) == (start, end)


async def test_what_is_right(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open(RIGHT + "print(wrong_at_last)\n", "right.lua")
    (only,) = await found(neovim, uri, 1)
    assert "wrong_at_last" in only.message


async def test_the_action(editor: Editor) -> None:
    await prepared(editor)
    uri = editor.open("print(cuonter)", "wrong.lua")
    (diagnostic,) = await found(editor, uri, 1)
    given = await editor.raw(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            diagnostic.range,
            types.CodeActionContext(diagnostics=[diagnostic], only=["quickfix"]),
        ),
    )
    (action,) = given
    assert action["title"] == "Change to 'counter'"
    (edit,) = action["edit"]["changes"][uri]
    assert edit["newText"] == "counter"
    assert edit["range"] == {
        "start": {"line": 0, "character": 6},
        "end": {"line": 0, "character": 13},
    }


async def test_they_go_when_it_is_evaluated_or_edited(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open("print(later)\nprint(cuonter)", "wrong.lua")
    assert len(await found(neovim, uri, 2)) == 2
    other = neovim.open("later = 1", "other.lua")
    await neovim.evaluate(other)
    await neovim.diagnostics(uri, lambda all_: [d.code for d in all_] == ["undefined-global"])
    neovim.edit(uri, at(1, 6, 1, 13), "counter")
    await neovim.diagnostics(uri, lambda all_: not all_)


async def test_a_global_that_another_document_sets(neovim: Editor) -> None:
    await prepared(neovim)
    neovim.open("set_there = 1", "there.lua")
    (neovim.folder / "file.lua").write_text("function set_in_file() end")
    uri = neovim.open("print(set_there, wrong_at_last)", "here.lua")
    (only,) = await found(neovim, uri, 1)
    assert "wrong_at_last" in only.message


async def test_a_global_that_a_document_sets_when_it_is_opened(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open("print(set_there)", "here.lua")
    await found(neovim, uri, 1)
    neovim.open("set_there = 1", "there.lua")
    await neovim.diagnostics(uri, lambda all_: not all_)


async def test_a_global_that_a_file_sets(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open("print(set_there)", "here.lua")
    await found(neovim, uri, 1)
    file = neovim.folder / "there.lua"

    def tell(kind: types.FileChangeType) -> None:
        event = types.FileEvent(neovim.uri("there.lua"), kind)
        neovim.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    file.write_text("set_there = 1")
    tell(types.FileChangeType.Created)
    await neovim.diagnostics(uri, lambda all_: not all_)
    file.unlink()
    tell(types.FileChangeType.Deleted)
    await found(neovim, uri, 1)


async def test_a_global_that_another_document_sets_no_more(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open("print(set_there)", "here.lua")
    assert len(await found(neovim, uri, 1)) == 1
    there = neovim.open("set_here = 1", "there.lua")
    # It is known what that sets when its own check is done.
    neovim.edit(there, None, "set_here = 1 print(wrong_there)")
    await found(neovim, there, 1)
    neovim.edit(there, None, "set_there = 1")
    await neovim.diagnostics(uri, lambda all_: not all_)
    neovim.edit(there, None, "set_elsewhere = 1")
    await found(neovim, uri, 1)
    neovim.edit(there, None, "set_there = 2")
    await neovim.diagnostics(uri, lambda all_: not all_)
    neovim.close(there)
    await found(neovim, uri, 1)


@pytest.mark.parametrize("command", ["restart", "reset"])
async def test_a_global_that_is_gone_with_the_vm(neovim: Editor, command: str) -> None:
    await prepared(neovim)
    uri = neovim.open("print(for_now, never)", "here.lua")
    assert len(await found(neovim, uri, 2)) == 2
    await neovim.run("evaluateText", {"text": "for_now = 1"})
    await neovim.diagnostics(uri, lambda all_: len(all_) == 1)
    await neovim.run(command)
    assert len(await found(neovim, uri, 2)) == 2


async def test_a_function_that_was_edited_since(neovim: Editor) -> None:
    await prepared(neovim)
    uri = neovim.open(
        "function Account.new(balance, name) end\nAccount.new(1, 'x')\nprint(wrong_at_last)"
    )
    (only,) = await found(neovim, uri, 1)
    assert "wrong_at_last" in only.message


@pytest.mark.parametrize(
    "options",
    [
        {"checks.undefinedGlobals": "off"},
        {"besideLuaServer": "yes"},
    ],
)
async def test_quiet(unstarted: Editor, options: dict[str, str]) -> None:
    await unstarted.start("neovim", options={**options, "checks.tooManyArguments": "on"})
    await prepared(unstarted)
    uri = unstarted.open("print(cuonter)\nAccount.new(1, 2)", "wrong.lua")
    (only,) = await found(unstarted, uri, 1)
    assert only.code == "too-many-arguments"


async def test_settings_count_at_once(unstarted: Editor) -> None:
    await unstarted.start("neovim")
    await prepared(unstarted)
    uri = unstarted.open("print(cuonter)\nAccount.new(1, 2)", "wrong.lua")
    await found(unstarted, uri, 2)
    for value, expected in (
        ("off", ["too-many-arguments"]),
        ("on", ["too-many-arguments", "undefined-global"]),
    ):
        settings = {"checks": {"undefinedGlobals": value}}
        unstarted.client.set_configuration(settings, section="luaPersist")
        unstarted.client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams({"luaPersist": settings})
        )
        await unstarted.diagnostics(
            uri,
            lambda all_: sorted(one.code for one in all_ if one.code in CODES) == expected,  # noqa: B023 - asked at once
        )


async def test_nothing_without_a_session(neovim: Editor) -> None:
    uri = neovim.open("print(cuonter)", "wrong.lua")
    other = neovim.open("x = = 1", "syntax.lua")
    await neovim.diagnostics(other, lambda all_: all_)
    await within(neovim.run("status"))
    assert neovim.shown(uri) == []


def test_reading_ends_as_soon_as_somebody_types_on() -> None:
    scopes = scopes_of(document("print(a.b)\n" * 100))
    asked = []

    def is_wanted() -> bool:
        asked.append(True)
        return len(asked) < 10

    assert reading_of(scopes, None, is_wanted) is None
    assert len(asked) == 10
