"""What operations of the prelude work with, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

from lua_ls_persist.interchange import Row
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store import Store
from lua_ls_persist.vm import GivenUp

OnProgress: TypeAlias = Callable[[int, int], None]
"""Hears how much of how much is done; 0 where nobody knows how much there is."""

PREPARED_MAX: Final = 64
PREPARED_BYTES_MAX: Final = 2_000
"""So many questions are remembered as they were understood, and none that are longer."""

RowSource: TypeAlias = Callable[[], Iterator[Row]]


@final
class DataServices:
    """The store, and what there is of the evaluation that runs. On the session's own thread."""

    def __init__(self, store: Store, stopping: Callable[[], bool]) -> None:
        self.store = store
        self._stopping = stopping
        self.arguments: Tree = None
        """What the session hands to a function of the prelude that it calls itself."""
        self.rows: RowSource | None = None
        """The file of rows that an evaluation reads, from its beginning each time it is asked."""
        self.reading: Iterator[Row] = iter(())
        """Where it is in them."""
        self.on_progress: OnProgress | None = None
        self._prepared: dict[bytes, Mapping[Any, Tree]] = {}
        """By request, the one that was asked last at the end."""
        self.kept: Tree = None
        """What outlives a transaction that is undone."""

    def prepared(
        self, request: bytes, prepare: Callable[[], Mapping[Any, Tree]]
    ) -> Mapping[Any, Tree]:
        """What was made of this request before, or is now."""
        found = self._prepared.pop(request, None)
        if found is None:
            found = prepare()
            if len(request) > PREPARED_BYTES_MAX:
                return found
            if len(self._prepared) == PREPARED_MAX:
                del self._prepared[next(iter(self._prepared))]
        self._prepared[request] = found  # the last one now
        return found

    def forget(self) -> None:
        """The evaluation has ended."""
        self.arguments = self.on_progress = self.kept = self.rows = None
        self.reading = iter(())

    def go_on(self, done: int = 0, total: int = 0) -> None:
        """Something that takes long has come so far.

        Raises:
            GivenUp: the evaluation is to be stopped.
        """
        if self._stopping():
            raise GivenUp
        if self.on_progress is not None:
            self.on_progress(done, total)


@dataclass(frozen=True, slots=True)
class DataOperation:
    """One that the prelude may ask for, by name."""

    run: Callable[[DataServices, Mapping[Any, Tree]], Tree]
    changes: bool = False
    """It writes: what it has written is undone if it refuses."""
    prepare: Callable[[Mapping[Any, Tree]], Mapping[Any, Tree]] | None = None
    """What can be done with the arguments alone. Of the same bytes it is done once: programs ask
    the same question again and again."""
