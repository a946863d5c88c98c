"""What the VM was before the evaluations that changed the data: for undoing them together.

The newest state is kept whole, each older one as the pages that are not the same in the one after
it: so a state costs what its evaluation changed. The oldest go when all of them together take too
much; to undo their evaluations a fresh VM is begun from the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

from lua_ls_persist.vm import Image, ImagePages

IMAGE_BYTES_PART: Final = 4
"""A VM that takes more than one part in so many of the limit is not kept: it would be alone."""
PAGES_BYTES_MAX: Final = 1024 * 1024
"""Where a state differs from the next one by more, it is not kept: copying it would be felt."""


@dataclass(slots=True)
class State:
    """What a VM was before an evaluation, or after it; or that it has nothing to do with it."""

    number: int
    """Of the evaluation."""
    collections: int = 0
    """How many collections the store had been through: what the VM holds was there then."""
    image: Image | None = None
    pages: ImagePages | None = None
    """What makes its image from that of the next one. Without this and an image: no VM."""
    references: tuple[int, ...] | None = None
    """The tables and functions of the store that it holds, once somebody has asked."""

    @property
    def is_of_vm(self) -> bool:
        """Whether the VM is another one than after the evaluation."""
        return self.image is not None or self.pages is not None


@final
class Points:
    """The states of one session's VM at the points of the history."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._before: list[State] = []
        """In the order of the evaluations."""
        self._after: list[State] = []
        """Those that undoing has left, with whole images, in the order in which that was done."""
        self._pages_bytes = 0

    def recorded(self, number: int, before: Image, collections: int) -> Image:
        """An evaluation was recorded; nothing that was undone can be redone any more.

        The image is kept; the one that is returned is free for the next capture.
        """
        self._after.clear()
        return self._push(State(number, collections, before))

    def recorded_outside(self, number: int) -> None:
        """What was recorded was not done by the VM; undoing it leaves the VM as it is."""
        if number:
            self._after.clear()
            self._before.append(State(number))

    def undone(self, number: int, present: State | None) -> State | None:
        """An evaluation is undone: what the VM was before it; None if that is not known.

        `present` is what it is now, None if that is a fresh one.
        """
        while self._before and self._before[-1].number > number:
            self._pop()
        is_known = bool(self._before) and self._before[-1].number == number
        found = self._pop() if is_known else None
        if found is not None and not found.is_of_vm:
            self._after.append(found)
            return present
        if present is not None:
            self._after.append(State(number, present.collections, present.image))
        return found

    def redone(self, number: int, present: State | None) -> State | None:
        """An evaluation is redone: what the VM was after it; None if that is not known."""
        while self._after and self._after[-1].number < number:
            self._after.pop()
        found = None
        if self._after and self._after[-1].number == number:
            found = self._after.pop()
        if found is not None and not found.is_of_vm:
            self._before.append(found)
            return present
        if present is not None and present.image is not None:
            self._push(State(number, present.collections, present.image))
        return found

    def states(self) -> Iterator[tuple[State, Image]]:
        """All that are kept, with their images, which are made one after another."""
        newer: Image | None = None
        for state in reversed(self._before):
            if state.pages is not None and newer is not None:
                newer = state.pages.image(newer)
            elif state.image is not None:
                newer = state.image
            if state.is_of_vm and newer is not None:
                yield state, newer
        for state in self._after:
            if state.image is not None:
                yield state, state.image

    def collected(self, collections: int) -> None:
        """A collection has spared what the states hold, as far as that was known."""
        for state in (*self._before, *self._after):
            if state.references is not None and state.collections == collections:
                state.collections = collections + 1

    def forget(self, number: int) -> None:
        """Evaluations up to this number cannot be undone any more."""
        while self._before and self._before[0].number <= number:
            self._drop_oldest()

    def clear(self) -> None:
        """Nothing is known any more."""
        self._before.clear()
        self._after.clear()
        self._pages_bytes = 0

    @property
    def held_bytes(self) -> int:
        """What all of it takes."""
        whole = (self._newest(), *self._after)
        return self._pages_bytes + sum(
            state.image.size_bytes for state in whole if state is not None and state.image
        )

    def _newest(self) -> State | None:
        """The newest state of the VM before an evaluation: the whole one."""
        for state in reversed(self._before):
            if state.image is not None:
                return state
        return None

    def _push(self, state: State) -> Image:
        assert state.image is not None
        if state.image.size_bytes * IMAGE_BYTES_PART > self._limit_bytes:
            return state.image
        newest = self._newest()
        free = Image()
        if newest is not None and newest.image is not None:
            free, newest.image = newest.image, None
            newest.pages = ImagePages.of(free, like=state.image, limit_bytes=PAGES_BYTES_MAX)
            if newest.pages is None:
                self._before.clear()
                self._pages_bytes = 0
            else:
                self._pages_bytes += newest.pages.size_bytes
        self._before.append(state)
        while self.held_bytes > self._limit_bytes and len(self._before) > 1:
            self._drop_oldest()
        return free

    def _drop_oldest(self) -> None:
        oldest = self._before.pop(0)
        if oldest.pages is not None:
            self._pages_bytes -= oldest.pages.size_bytes

    def _pop(self) -> State:
        state = self._before.pop()
        if state.image is None:
            return state
        for older in reversed(self._before):
            if older.pages is not None:
                self._pages_bytes -= older.pages.size_bytes
                older.image = older.pages.image(state.image)
                older.pages = None
                break
        return state
