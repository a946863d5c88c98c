"""What a parse takes over from the parse of the text before an edit."""

from __future__ import annotations

import sys
from typing import Final

from lua_ls_persist.server.analysis.nodes import Chunk, Statement
from lua_ls_persist.server.common_ends import common_ends

NEVER_REUSED: Final = sys.maxsize
"""The reach of a statement that depends on more than its own text."""


class Reuse:
    """Statements of an earlier text that stand in the new one as they are."""

    def __init__(self, previous: Chunk, source: str) -> None:
        old = previous.source
        self._head, tail = common_ends(old, source)
        self._old_end = len(old) - tail
        self._new_end = len(source) - tail
        self._known: dict[int, Statement] = {}
        """By where they began in the old text."""
        self.enter(0, previous.root)

    def find(self, start: int) -> tuple[int, Statement] | None:
        """The statement that began here, and where that was."""
        if start >= self._new_end:
            old = start - self._new_end + self._old_end
        elif start <= self._head:
            old = start
        else:
            return None
        statement = self._known.get(old)
        return None if statement is None else (old, statement)

    def untouched(self, start: int, statement: Statement) -> bool:
        """Whether nothing was edited that decided the statement which began here."""
        if statement.reach == NEVER_REUSED:
            return False
        return start >= self._new_end or start + statement.reach <= self._head

    def enter(self, old: int, statement: Statement) -> None:
        """From now on looks for the statements inside one that was edited, too."""
        for block in statement.blocks:
            for offset, inner in zip(block.offsets, block.statements, strict=True):
                self._known[old + offset] = inner
