"""Random evaluations, undo, redo and restarts in a session, and what its data were after each.

What is compared is all that the roots reach, as the file has it and as the VM sees it, with all
identities, and all definitions: schemas, indexes, versions.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lua_ls_persist.session import Session
from tests.persistence.states import damage, defined, seen, stored

LESS = "function(p, q) return p[1] < q[1] end"
UP = "function M.up1() n = n + 1 s[#s + 1] = n return n end"


class Run:
    """A session, and what its data were after each evaluation that the history has."""

    def __init__(self, path: Path, seed: int, statements: Sequence[str]) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.statements = statements
        self.session = Session.open(path)
        self.states = [self.state()]
        """Up to where undo and redo can go."""
        self.position = 0
        self.vm_is_known = True

    @classmethod
    def back_and_forth(cls, seed: int, statements: Sequence[str], steps: int) -> None:
        """So many steps, then all the way back and forth again; the file is sound at the end."""
        with tempfile.TemporaryDirectory() as folder:
            run = cls(Path(folder) / "session.db", seed, statements)
            try:
                for _ in range(steps):
                    run.step()
                run.to_both_ends()
            finally:
                run.session.close()
            assert damage(run.path) == []

    def state(self) -> tuple[str, str]:
        in_vm = seen(self.session)
        return f"{stored(self.path)}\n{defined(self.path)}", in_vm

    def step(self) -> None:
        roll = self.random.random()
        if roll < 0.62:
            self.change()
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

    def change(self) -> None:
        before = self.newest()
        self.evaluate()
        state = self.state()
        if self.newest() == before:
            assert state == self.states[self.position]
            return
        del self.states[self.position + 1 :]
        self.states.append(state)
        self.position += 1

    def evaluate(self) -> None:
        """Runs some of the statements, at random; an error undoes all of them."""
        many = self.random.randint(1, 3)
        lines = [self.filled(self.random.choice(self.statements)) for _ in range(many)]
        self.session.evaluate("\n".join(("local M = Memory", *(f"do {one} end" for one in lines))))

    def filled(self, statement: str) -> str:
        """The statement with numbers, and functions, in the places that it has for them."""
        a, b = self.random.randint(1, 3), self.random.randint(1, 3)
        return statement.format(a=a, b=b, less=LESS, up=UP)

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

    def to_both_ends(self) -> None:
        """All is undone, and all is redone."""
        while self.position:
            self.go(undone=True)
        while self.position < len(self.states) - 1:
            self.go(undone=False)

    def check(self) -> None:
        file, in_vm = self.state()
        assert file == self.states[self.position][0]
        assert in_vm == self.states[self.position][1]
