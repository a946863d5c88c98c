"""How completion looks at a VM: whatever stands between the two.

A server asks through `View`, which never waits; a terminal has its session for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, final

from lua_ls_persist.session.sights import Question, Sight

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredTable
    from lua_ls_persist.session import Session


class Looks(Protocol):
    """Answers questions about values, without running anything of the program."""

    is_behind: bool
    """The last question was answered from memory: asking again may tell more."""

    async def look(self, questions: Sequence[Question]) -> list[Sight | None]:
        """The answers; None for what is not there, and for what nobody knows."""

    async def see(self, question: Question) -> Sight | None:
        """The answer to one question."""

    async def tables(self) -> list[StoredTable]:
        """The named tables of the store."""


@final
class SessionLooks:
    """Asks a session that nobody else uses at the moment."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.is_behind = False

    async def look(self, questions: Sequence[Question]) -> list[Sight | None]:
        """The answers of now."""
        return self._session.look(questions)

    async def see(self, question: Question) -> Sight | None:
        """The answer to one question."""
        (answer,) = await self.look([question])
        return answer

    async def tables(self) -> list[StoredTable]:
        """The named tables of the store."""
        return self._session.tables()
