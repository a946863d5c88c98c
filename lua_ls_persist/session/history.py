"""The history of a session, seen from Python."""

from __future__ import annotations

from typing import Final

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import Difference, HistoryEntry, Went
from lua_ls_persist.session.going import entry_of
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.shown import Shown
from lua_ls_persist.store.history import KEYS_TOLD_MAX

LIMIT_DEFAULT: Final = 20
DIFFERENCES_DEFAULT: Final = 1_000


class HistoryData:
    """The part of a session that is about its history."""

    _life: Life

    def history(self, limit: int = LIMIT_DEFAULT) -> list[HistoryEntry]:
        """The newest evaluations that changed what is stored, the newest first.

        Those that were undone are among them, until something else is written.

        Raises:
            SessionError: `limit` is less than 1.
            StoreError: the history is damaged.
        """
        if limit < 1:
            raise SessionError(f"limit is {limit}; it must be 1 or more")
        return self._life.call(lambda runner: entries(runner, limit))

    def undo(self, count: int = 1) -> Went:
        """Undo the last evaluations that changed what is stored: in the store and in the VM.

        Those of this session, then those from before it was opened. What was evaluated since and
        changed nothing stored is gone from the VM as well. Nothing is undone if one of them cannot
        be.

        Raises:
            SessionError: `count` is less than 1.
            StoreError: others have changed the same since, or the history does not know enough.
        """
        return self._life.call(lambda _runner: self._life.go(count, undone=True))

    def redo(self, count: int = 1) -> Went:
        """Redo the evaluations that were undone last; possible until something else is written.

        Raises:
            SessionError: `count` is less than 1.
            StoreError: others have changed the same since.
        """
        return self._life.call(lambda _runner: self._life.go(count, undone=False))

    def diff(
        self, before: int = 0, after: int | None = None, *, limit: int = DIFFERENCES_DEFAULT
    ) -> list[Difference]:
        """How what is stored differs between two points of the history.

        A point is the number of an evaluation: how things were after it. 0 is what there was before
        the oldest evaluation that the history has; None is now. A table that was made or dropped
        in between is one difference.

        Raises:
            StoreError: there is no such evaluation in the history, or it does not know enough.
        """
        return self._life.work(
            "the comparison", lambda runner: differences(runner, before, after, limit)
        )

    def forget_history(self) -> int:
        """Forget all evaluations, so that none can be undone; how many there were.

        The next collection removes what only they referred to.
        """

        def forget(runner: Runner) -> int:
            runner.points.clear()
            with runner.persistence.own_transaction(changes_entries=False) as store:
                return store.forget_history()

        return self._life.call(forget)


def entries(runner: Runner, limit: int) -> list[HistoryEntry]:
    """The newest entries, as `Session.history` has them."""
    return [entry_of(row) for row in runner.store.history(limit, keys_max=KEYS_TOLD_MAX)]


def differences(runner: Runner, before: int, after: int | None, limit: int) -> list[Difference]:
    """Differences, as `Session.diff` has them."""
    shown = Shown(runner.store, runner.names)
    return [
        Difference(row.place, shown.value(*row.before), shown.value(*row.after))
        for row in runner.store.difference(before, after, limit)
    ]
