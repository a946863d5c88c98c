"""The call hierarchy of stored functions: between themselves, and with buffers."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from lua_ls_persist.server import uris
from tests.server.editor import Editor, within
from tests.server.live.cases import TRIES_MAX, Asked

BANK = """\
local Account, balance = {}, 10
Account.__index = Account
local function fee(x)
  return x > 100 and fee(x / 2) or x
end
local helpers = { round = function(x) return x // 1 end }
function Account:check() return balance end
function Account:deposit(x)
  self:check()
  balance = balance + fee(x) + helpers.round(x)
  return logged(balance)
end
function logged(x) return x end
Memory.bank = setmetatable({}, Account)
Memory.bank.deposit, Memory.bank.helpers = Account.deposit, helpers
function Memory.pay(x)
  local bank = Memory.bank
  bank:deposit(x)
  Memory.bank:check()
  ext.table("tools").note(x)
end
ext.table("tools").note = function(x)
  return x
end
"""


class Asking:
    """The hierarchy of what stands at a place, in words."""

    def __init__(self, editor: Editor) -> None:
        self.client = editor.client
        self.editor = editor

    async def prepare(self, uri: str, position: types.Position) -> types.CallHierarchyItem:
        params = types.CallHierarchyPrepareParams(types.TextDocumentIdentifier(uri), position)
        for _ in range(TRIES_MAX):
            found = await within(self.client.text_document_prepare_call_hierarchy_async(params))
            if found:
                break
        (item,) = found
        assert isinstance(item, types.CallHierarchyItem)
        return item

    async def at(self, marked: str) -> types.CallHierarchyItem:
        asked = Asked(self.editor, marked)
        item = await self.prepare(asked.uri, asked.position)
        asked.close()
        return item

    async def incoming(self, item: types.CallHierarchyItem) -> list[str]:
        params = types.CallHierarchyIncomingCallsParams(item)
        found = await within(self.client.call_hierarchy_incoming_calls_async(params))
        return sorted(f"{place(one.from_)} {rows(one.from_ranges)}" for one in found or ())

    async def outgoing(self, item: types.CallHierarchyItem) -> list[str]:
        params = types.CallHierarchyOutgoingCallsParams(item)
        found = await within(self.client.call_hierarchy_outgoing_calls_async(params))
        return sorted(f"{place(one.to)} {rows(one.from_ranges)}" for one in found or ())


def place(item: types.CallHierarchyItem) -> str:
    """`fee bank.lua:3`; of what is stored only `Memory.pay stored`."""
    if is_stored(item):
        return f"{item.name} stored"
    return f"{item.name} {item.uri.rpartition('/')[2]}:{item.selection_range.start.line + 1}"


def is_stored(item: types.CallHierarchyItem) -> bool:
    return item.uri.startswith("lua-persist:") or "/documents/" in item.uri


def rows(ranges: Any) -> str:
    return ",".join(str(range_.start.line + 1) for range_ in ranges)


@pytest.fixture
async def bank(editor: Editor) -> Asking:
    result = await editor.evaluate(editor.open(BANK, "bank.lua"))
    assert result["ok"], result["problems"]
    return Asking(editor)


@pytest.fixture
async def gone(editor: Editor) -> Asking:
    """The same, restarted, and nobody has the source any more."""
    uri = editor.open(BANK, "bank.lua")
    assert (await editor.evaluate(uri))["ok"]
    editor.close(uri)
    await editor.run("restart")
    return Asking(editor)


async def test_in_the_buffer(bank: Asking) -> None:
    """What is in sync leads to the buffer, whether the source alone knows it or not."""
    item = await bank.at("local x = Memory.pa‸y(1)")
    assert place(item) == "Memory.pay bank.lua:16"
    assert await bank.outgoing(item) == [
        "Account:check bank.lua:7 19",
        "Account:deposit bank.lua:8 18",
        "ext.table().note bank.lua:22 20",
    ]


async def test_globals_that_are_not_stored(bank: Asking) -> None:
    """`logged` is in the VM only: it leads to where it is defined."""
    item = await bank.at("Memory.bank.depo‸sit(Memory.bank, 1)")
    assert place(item) == "Account:deposit bank.lua:8"
    assert await bank.outgoing(item) == [
        "Account:check bank.lua:7 9",
        "fee bank.lua:3 10",
        "logged bank.lua:13 11",
        "round bank.lua:6 10",
    ]
    assert await bank.incoming(item) == ["Memory.pay bank.lua:16 18"]


async def test_a_caller_in_another_buffer(bank: Asking) -> None:
    other = bank.editor.open(
        "function Memory.twice()\n  Memory.pay(1)\n  Memory.pay(2)\nend\n"
        "local t = ext.table('tools')\nt.note(3)\n",
        "other.lua",
    )
    item = await bank.at("Memory.pa‸y(1)")
    assert await bank.incoming(item) == ["Memory.twice other.lua:1 2,3"]
    item = await bank.at("ext.table('tools').no‸te(1)")
    assert await bank.incoming(item) == ["Memory.pay bank.lua:16 20", "other.lua other.lua:1 6"]
    bank.editor.close(other)


async def test_what_is_stored_alone(gone: Asking) -> None:
    item = await gone.at("Memory.pa‸y(1)")
    assert place(item) == "Memory.pay stored"
    assert item.detail == "(x) stored"
    assert await gone.incoming(item) == []
    assert await gone.outgoing(item) == [
        "Memory.bank.deposit stored 3",
        "getmetatable(Memory.bank).check stored 4",
        "tools.note stored 5",
    ]
    item = await gone.at("Memory.bank.depo‸sit(1)")
    assert await gone.incoming(item) == ["Memory.pay stored 3"]


async def test_in_its_virtual_document(gone: Asking) -> None:
    item = await gone.at("Memory.bank.depo‸sit(1)")
    assert await gone.outgoing(item) == [
        "Memory.bank.deposit (upvalue fee) stored 3",
        "Memory.bank.helpers.round stored 3",
        "getmetatable(Memory.bank).check stored 2",
    ]
    # In its text, on a call: the function that is called.
    row = next(at for at, line in enumerate(BANK.split("\n")) if "helpers.round(x)" in line) - 7
    column = BANK.split("\n")[row + 7].index("fee(")
    fee = await gone.prepare(item.uri, types.Position(row, column))
    assert "fee" in fee.name
    assert is_stored(fee)
    # It calls itself.
    assert await gone.outgoing(fee) == [f"{fee.name} stored 2"]
    assert len(await gone.incoming(fee)) == 2
    # Elsewhere in it: itself.
    own = await gone.prepare(item.uri, types.Position(0, 0))
    assert (own.name, own.uri) == (item.name, item.uri)


async def test_where_it_was_edited(bank: Asking) -> None:
    """The buffer is what its author means; what is stored calls what it did."""
    editor = bank.editor
    uri = editor.uri("bank.lua")
    editor.edit(uri, None, BANK.replace("  bank:deposit(x)\n", "  print(x)\n"))
    row = BANK[: BANK.index("function Memory.pay")].count("\n")
    item = await bank.prepare(uri, types.Position(row, len("function Memory.p")))
    assert place(item) == "Memory.pay bank.lua:16"
    assert not any("deposit" in one for one in await bank.outgoing(item))
    deposit = await bank.prepare(uri, types.Position(7, len("function Account:d")))
    assert "Memory.pay stored 3" in await bank.incoming(deposit)


async def test_beside_another_server(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"besideLuaServer": "yes"})
    await unstarted.evaluate(unstarted.open(BANK, "bank.lua"))
    asking = Asking(unstarted)
    item = await asking.at("Memory.pa‸y(1)")
    assert place(item) == "Memory.pay bank.lua:16"
    asked = Asked(unstarted, "local function plai‸n() end")
    params = types.CallHierarchyPrepareParams(*asked.params)
    found = await within(unstarted.client.text_document_prepare_call_hierarchy_async(params))
    assert not found
    assert uris.path_of(item.uri) == unstarted.folder / "bank.lua"
