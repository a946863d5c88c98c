"""The VM as language features see it: at once, or as it was seen last, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server.evaluator import Evaluator
from lua_ls_persist.server.live.questions import Plan, plan, question_of
from lua_ls_persist.session.sights import Question, Sight, StoredWay

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction, StoredTable
    from lua_ls_persist.session import Session

SEEN_MAX: Final = 1000
REACH_S: Final = 5.0
"""Who asks for the calls of stored functions waits longer than at a key press."""


@final
class View:
    """Asks one evaluator's session, and remembers what it said."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._seen: OrderedDict[Question, Sight | None] = OrderedDict()
        self._tables: list[StoredTable] = []
        self._functions: list[StoredFunction] = []
        self._functions_state: object = None
        self._plans: dict[tuple[str, str], Plan | None] = {}
        self._plans_state: object = None
        self.is_behind = False
        """The last question was answered from memory: asking again may tell more."""

    async def look(self, questions: Sequence[Question]) -> list[Sight | None]:
        """The answers of now. While an evaluation runs: those of before it, as far as known.

        None for what is not there, and for what nobody knows.
        """
        if not questions:
            return []
        try:
            answers = await self._evaluator.glance(lambda session: session.look(questions))
        except LuaPersistError:  # The session cannot be opened; evaluating says why.
            answers = None
        self.is_behind = answers is None
        if answers is None:
            return [self._seen.get(question) for question in questions]
        for question, answer in zip(questions, answers, strict=True):
            self._seen[question] = answer
            self._seen.move_to_end(question)
        while len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return answers

    async def see(self, question: Question) -> Sight | None:
        """The answer to one question."""
        (answer,) = await self.look([question])
        return answer

    async def tables(self) -> list[StoredTable]:
        """The named tables of the store, as far as they are known."""
        try:
            found = await self._evaluator.glance(lambda session: session.tables())
        except LuaPersistError:
            found = None
        self.is_behind = self.is_behind or found is None
        if found is not None:
            self._tables = found
        return self._tables

    async def functions(self, *, timeout_s: float | None = None) -> list[StoredFunction]:
        """The stored functions, as far as they are known; read again when something changed.

        What takes longer than that is known when it is asked for again.
        """

        def read(session: Session) -> None:
            state = session.state()
            if state is None or state != self._functions_state:
                self._functions, self._functions_state = session.functions(), state

        # Of a session that cannot be opened, evaluating says why.
        with contextlib.suppress(LuaPersistError):
            await self._evaluator.glance(read, timeout_s=timeout_s)
        return self._functions

    async def reached(self, ways: Sequence[StoredWay]) -> list[str | None]:
        """The stored functions at the end of ways; none while nobody can look."""
        nothing: list[str | None] = [None] * len(ways)
        if not ways or self._evaluator.evaluating is not None:
            return nothing
        using = self._evaluator.use(lambda session: session.reached(ways))
        try:
            return await asyncio.wait_for(using, REACH_S)
        except (LuaPersistError, asyncio.TimeoutError):
            return nothing

    async def plans(self, asked: Sequence[tuple[str, str]]) -> list[Plan | None]:
        """How questions to tables are answered, by a table's path and the question's source."""
        known = self._plans

        def find(session: Session) -> None:
            state = session.state()
            if state is None or state != self._plans_state:
                known.clear()
                self._plans_state = state
            for path, text in asked:
                if (path, text) not in known:
                    question = question_of(text)
                    known[path, text] = None if question is None else plan(session, path, question)

        # What is not found in time is there when it is asked for again; of a session that cannot be
        # opened, evaluating says why.
        with contextlib.suppress(LuaPersistError):
            await self._evaluator.glance(find)
        return [known.get(one) for one in asked]
