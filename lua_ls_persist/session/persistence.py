"""Between the VM and the store: one transaction an evaluation, and what is asked in it.

An evaluation that touches nothing persistent never gets here, and costs the store nothing. The
first question begins the transaction; the runner commits it or rolls it back together with the VM.

The VM caches what it has read, and so must hear when somebody else has committed: `begin` tells
whether its caches are stale, and a transaction that finds them stale later raises
`StoreChangedError`, upon which the evaluation runs again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import final

from lua_ls_persist.errors import StoreChangedError, StoreError, WireError
from lua_ls_persist.protocol import MEMORY_TABLE_ID, StoreOperation
from lua_ls_persist.session.answers import Answers
from lua_ls_persist.session.sources import SourceTexts
from lua_ls_persist.store import Description, HistoryLimits, Store
from lua_ls_persist.vm import GivenUp


@final
class Persistence:
    """The transactions of one session, and how its VM stands to the store's data.

    All methods belong to the session's own thread.
    """

    def __init__(
        self, store: Store, sources: SourceTexts, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """`stopping` tells whether the evaluation that runs is to be stopped."""
        self._store = store
        self._stopping = stopping
        store.stop_when(stopping)
        self._answers = Answers(store, sources, stopping)
        self.services = self._answers.services
        """What operations of the prelude work with."""
        self._shared = store.path is not None
        """Whether anybody else can write to the store."""
        self._attached = False
        self._stale = False
        """What the VM caches is not what the store has."""
        self._state = 0
        """The state of the store that the VM's caches are of."""
        self.writes = 0
        """How often something was written by this session."""
        self.doing: Description = ("", b"")
        """What is being done, for the history: a name and a source."""
        self.collections_before = 0
        """How many collections the store had been through before what was committed last."""
        self._fresh = False
        """The evaluation that runs has dropped the caches, so anything read is of its snapshot."""

    def keep_history(self, limits: HistoryLimits) -> None:
        """What this session writes is recorded, within these limits."""
        self._store.keep_history(
            session=uuid.uuid4().hex, limits=limits, describe=lambda: self.doing
        )

    def load_no_code(self) -> None:
        """Stored functions do not come into the VM from now on."""
        self._answers.loads_code = False

    def attach(self, *, state: int | None = None) -> None:
        """A VM is taken into use: a fresh one, or one whose caches are of this state."""
        first, self._attached = not self._attached, True
        self._stale = False
        if state is not None:
            self._state = state
            return
        if first and not self._shared:
            return  # nothing can be there, and most sessions in memory never open theirs
        if self._shared:
            # In this order: what is committed in between is noticed later.
            self._store.changed_by_others()
            self._state = self._store.state
        # Operators of `Memory` work without asking anybody, so a VM must know its metatable before.
        self._stale = bool(self._store.metatables([MEMORY_TABLE_ID]))

    @property
    def state(self) -> int:
        """The state of the store that the VM is of; meaningless while it is stale."""
        return self._state

    @property
    def used(self) -> bool:
        """Whether the evaluation that runs has asked the store anything."""
        return self._store.in_transaction

    def is_stale(self) -> bool:
        """Whether somebody else has changed data since the VM read or wrote them.

        Raises:
            StoreError: the store cannot be asked.
        """
        if self._shared and not self._stale and self._store.changed_by_others():
            # Others may have committed without changing data: an image, a backup.
            self._stale = self._store.state != self._state
        return self._stale

    def present_state(self) -> int:
        """The state that the store has at this moment. Outside of a transaction."""
        return self._store.state if self.is_stale() or not self._attached else self._state

    def mark_stale(self) -> None:
        """The data were changed behind the VM's back, by this session itself."""
        self._stale = True

    # -- around an evaluation

    def begin(self, *, wait: bool) -> bool:
        """An evaluation begins. True: the VM must be told that its caches are stale.

        With `wait` this waits until nobody else writes, and then nobody can: what the VM has
        cached is of the state that the evaluation will write to.

        Raises:
            StoreError: others wrote for longer than one waits.
        """
        self._fresh = self.is_stale()
        if wait and self._shared and not self._store.read_only:
            self._store.begin(write=True)
            self._answers.reset()
            self._fresh = self._look_for_changes()
        return self._fresh

    def commit(self) -> int:
        """What the evaluation did lasts, and the VM goes on with it.

        The number that the history has it under; 0 if it has changed nothing.

        Raises:
            StoreChangedError: somebody else was faster; roll back and run it again.
            StoreError: it cannot be written; roll back.
        """
        number = 0
        if self._store.in_transaction:
            self.collections_before = self._store.collections
            if self._fresh:
                # Read in the transaction: it is the state of its snapshot.
                self._state = self._store.state
            if self._store.commit():
                self._state += 1
                self.writes += 1
                number = self._store.recorded
            self._stale = False
        # Caches dropped without anything read since then are still dropped: nothing is stale. But
        # the state is not known, so the next evaluation drops them once more.
        return number

    def rollback(self) -> None:
        """Nothing of the evaluation lasts. Idempotent; the caller takes the VM back as well."""
        if self._store.in_transaction:
            self._store.rollback()

    # -- what the VM asks

    def serve(self, operation: int, request: bytes) -> bytes:
        """Answer a `StoreOperation` of the evaluation that runs.

        Raises:
            StoreChangedError: somebody else has changed what the VM has read.
            StoreError: the store failed, or the VM asked nonsense.
            GivenUp: the evaluation is to be stopped, and something took too long for that.
        """
        if not self._store.in_transaction:
            self._begin_transaction()
        try:
            return self._answers.answer(operation, request)
        except WireError as error:
            name = _name_of(operation)
            raise StoreError(f"the VM's request {name} is malformed: {error}") from error
        except StoreError as error:
            if self._stopping():
                raise GivenUp from error
            raise

    def _begin_transaction(self) -> None:
        self._store.begin()
        self._answers.reset()
        if self._look_for_changes() and not self._fresh:
            # The evaluation may have read from its caches already.
            raise StoreChangedError(f"{self._store.path} was changed by another session")

    def _look_for_changes(self) -> bool:
        """Whether the caches are not of the transaction that has just begun."""
        if self._shared and self._store.changed_by_others():
            self._stale = self._stale or self._store.state != self._state
        return self._stale

    # -- what the session itself does

    @contextmanager
    def own_transaction(
        self, *, changes_entries: bool, doing: Description = ("", b"")
    ) -> Iterator[Store]:
        """A transaction of the session itself, outside of any evaluation.

        With `changes_entries` the VM's caches are stale afterwards. `doing` is for the history.
        """
        self.doing = doing
        self.is_stale()
        store = self._store
        store.begin(write=True)
        try:
            stale = self._look_for_changes()
            state = store.state
            yield store
            written = store.commit()
        except BaseException:
            store.rollback()
            raise
        self._state = state + written
        self.writes += written
        self._stale = stale or (changes_entries and written)

    def after_own_changes(self) -> None:
        """The store has changed by itself, in a way that leaves the VM's caches right."""
        state = self._store.state
        # Of what others did meanwhile nothing is known but that there was something.
        self._stale = self._stale or (self._shared and self._store.changed_by_others())
        self._state = state


def _name_of(operation: int) -> str:
    try:
        return StoreOperation(operation).name
    except ValueError:
        return str(operation)
