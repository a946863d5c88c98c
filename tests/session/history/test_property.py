"""Undo after any evaluations gives exactly what was there before, redo what was there after.

What is compared is all that the roots reach, as the file has it and as the VM sees it, with all
identities: closures and their shared upvalues, metatables, nested and shared tables, roots.
"""

from __future__ import annotations

import pytest

from tests.session.history.runs import Run

STEPS = 45

STATEMENTS = (
    # Values, nested and shared tables, deletions.
    "M.k{a} = {b}",
    "M.t{a} = {{ {b}, x = {{ y = {{ z = {b} }} }}, [{b}.5] = true }}",
    "M.t{a} = M.t{b}",
    "if M.t{a} then M.t{a}.x = {{ again = M.t{b}, [M.t{a}] = 'key' }} end",
    "if M.t{a} then M.t{a}.self = M.t{a} M.t{a}[1] = nil end",
    "for i = 1, 20 do M['n' .. i] = i * {b} end",
    "for i = 1, 20 do M['n' .. i] = nil end",
    "M.t{a} = nil",
    "M.text{a} = ('{b} '):rep({b} * 300)",
    "M.list = M.list or {{}} for i = 1, {b} do table.insert(M.list, {{ i }}) end",
    "if M.list then table.remove(M.list, 1) table.sort(M.list, {less}) end",
    # Functions, shared cells.
    "local n, s = {a}, {{}} function M.get{a}() return n, s end {up}",
    "if M.up{a} then M.up{a}() end",
    "if M.up{a} then M.up{b} = M.up{a} end",
    "if M.up{a} then M[M.up{a}] = M.get{a} end",
    "M.up{a} = nil",
    "local s = ('c'):rep({b} * 400) function M.up{a}() s = s .. 'd' return #s end",
    # Metatables.
    "if M.t{a} then setmetatable(M.t{a}, {{ __index = M.t{b}, __name = 'n{b}' }}) end",
    "if M.t{a} then setmetatable(M.t{a}, nil) end",
    "setmetatable(M, {{ __len = function() return {b} end }})",
    "setmetatable(M, nil)",
    # Roots.
    "ext.table('r{a}')[{b}] = M.t{b} or {b}",
    "ext.table('r{a}').back = M",
    "ext.drop('r{a}')",
    # Transactions, errors, anonymous tables, collections.
    "ext.transaction(function() M.k{a} = -{b} M.t{b} = {{ {b} }} end)",
    "pcall(ext.transaction, function() M.k{a} = 0 M.t{a} = {{}} ext.drop('r{a}') error('no') end)",
    "M.k{a} = 0 M.t{b} = nil error('all of it goes')",
    "anonymous = ext.table() anonymous.x = {b}",
    "if anonymous then M.t{a} = anonymous end",
    "if anonymous then anonymous.y = {{ {b} }} end",
    # Tables of many keys that are filled, emptied and filled, also in vain.
    "for i = 1, 20 do ext.table('many')['m' .. i * {b} % 40] = {a} end",
    "local m = ext.table('many') for k in pairs(m) do m[k] = nil end",
    """
    pcall(ext.transaction, function()
      local m = ext.table('many') for k in pairs(m) do m[k] = nil end ext.count(m)
      for i = 1, 20 do m['n' .. i] = {b} end ext.count(m) error('no')
    end)
    for i = 1, 20 do ext.table('many')['m' .. i] = {a} end ext.count('many')
    """,
    "collectgarbage()",
    "global = {b}",
    "plain = plain or {{}} plain.held = M.t{a}",
    "if plain and plain.held then plain.held.changed = {b} end",
)


@pytest.mark.parametrize("seed", range(12))
def test_back_and_forth(seed: int) -> None:
    Run.back_and_forth(seed, STATEMENTS, STEPS)
