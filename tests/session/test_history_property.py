"""Undo after any evaluations gives exactly what was there before, redo what was there after.

What is compared is all that the roots reach, as the file has it and as the VM sees it, with all
identities: closures and their shared upvalues, metatables, nested and shared tables, roots.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.persistence.states import damage, seen, stored

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
    "collectgarbage()",
    "global = {b}",
    "plain = plain or {{}} plain.held = M.t{a}",
    "if plain and plain.held then plain.held.changed = {b} end",
)
LESS = "function(p, q) return p[1] < q[1] end"
UP = "function M.up1() n = n + 1 s[#s + 1] = n return n end"


class Run:
    """A session, and what its data were after each evaluation that the history has."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.session = Session.open(path)
        self.states = [self.state()]
        """Up to where undo and redo can go."""
        self.position = 0
        self.vm_is_known = True

    def state(self) -> tuple[str, str]:
        in_vm = seen(self.session)
        return stored(self.path), in_vm

    def step(self) -> None:
        roll = self.random.random()
        if roll < 0.62:
            self.evaluate()
        elif roll < 0.78:
            self.go(undone=True)
        elif roll < 0.9:
            self.go(undone=False)
        elif roll < 0.95:
            self.session.close()
            self.session = Session.open(self.path, resume=self.random.random() < 0.5)
            self.check()
        elif roll < 0.97:
            self.session.restart()
            self.check()
        else:
            self.session.collect()
            self.check()

    def evaluate(self) -> None:
        many = self.random.randint(1, 3)
        source = "local M = Memory\n" + "\n".join(
            "do "
            + self.random.choice(STATEMENTS).format(
                a=self.random.randint(1, 3), b=self.random.randint(1, 3), less=LESS, up=UP
            )
            + " end"
            for _ in range(many)
        )
        before = self.newest()
        self.session.evaluate(source)
        state = self.state()
        if self.newest() == before:
            assert state == self.states[self.position]
            return
        del self.states[self.position + 1 :]
        self.states.append(state)
        self.position += 1

    def newest(self) -> tuple[int, bool] | None:
        found = self.session.history(1)
        return (found[0].number, found[0].undone) if found else None

    def go(self, *, undone: bool) -> None:
        count = self.random.randint(1, 3)
        left = self.position if undone else len(self.states) - 1 - self.position
        went = self.session.undo(count) if undone else self.session.redo(count)
        assert len(went.evaluations) == min(count, left)
        self.position += (-1 if undone else 1) * min(count, left)
        self.check()

    def check(self) -> None:
        file, in_vm = self.state()
        assert file == self.states[self.position][0]
        assert in_vm == self.states[self.position][1]


@pytest.mark.parametrize("seed", range(12))
def test_back_and_forth(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "session.db", seed)
        try:
            for _ in range(STEPS):
                run.step()
            while run.position:
                run.go(undone=True)
            while run.position < len(run.states) - 1:
                run.go(undone=False)
        finally:
            run.session.close()
        assert damage(run.path) == []
