"""Images of a session's VM, kept in its store, so that the next one goes on where this one was.

The store is the durable truth, the image a convenience: where it does not fit, the session starts
with a fresh VM and says why. An image fits one exact build of the core and one state of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import final

from lua_ls_persist.errors import CoreError, SessionError, StoreError
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session import prelude
from lua_ls_persist.session.host import EvaluationHost
from lua_ls_persist.session.records import read_ids
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.store.rows import StoredImage
from lua_ls_persist.vm import Image, Stopped
from lua_ls_persist.wire import Decoder

REFERENCES_TIME_LIMIT_S = 10.0
NAMED_TRIES_MAX = 20
"""An image that somebody asks for waits for those who write."""


@final
class ImageKeeper:
    """Takes images of a runner's VM to its store and back. On the session's own thread."""

    def __init__(self, runner: Runner, *, keeps: bool) -> None:
        """Without `keeps` no image is ever wanted: nobody will open this store again."""
        self._runner = runner
        self._keeps = keeps
        self._kept_evaluations = 0
        """How many evaluations the VM had seen when it was last kept; 0: a fresh VM needs none."""
        self._kept_state = 0
        """Of which state of the store it was."""

    @property
    def wanted(self) -> bool:
        """Whether the VM has changed since an image of it was kept, and somebody may want one."""
        runner = self._runner
        if not self._keeps or self._kept_evaluations == runner.evaluations == 0:
            return False
        # What the session itself changes in the store, between two evaluations, counts as well.
        return (self._kept_evaluations, self._kept_state) != (
            runner.evaluations,
            runner.persistence.state,
        )

    def forget(self) -> None:
        """The VM is another one: the stored image is not of it."""
        self._kept_evaluations = -1

    def resume(self) -> tuple[bool, str]:
        """Go on from the stored image. Whether that was done, and a sentence about it."""
        runner = self._runner
        if runner.store.path is None:
            return False, "The session starts anew, in memory."
        try:
            stored = runner.store.load_image(bytes.fromhex(runner.machine.core.sha256))
        except StoreError as error:
            return False, f"The session starts anew: {error}"
        if isinstance(stored, str):
            return False, f"The session starts anew: {stored}."
        if stored.details.get("prelude") != prelude.digest():
            return False, "The session starts anew: its image is of another version."
        try:
            self.take_over(stored)
        except CoreError as error:
            return False, f"The session starts anew: {error}."
        return True, "The session goes on where the last one was."

    def take_over(self, stored: StoredImage) -> None:
        """Make the VM what it was when this image was captured.

        Raises:
            CoreError: it does not fit; the VM is as it was.
        """
        runner = self._runner
        runner.machine.adopt(Image.of(bytes(stored.content), stored.segments, stored.memory_bytes))
        runner.configure()
        free = stored.details.get("free_source")
        runner.sources.take_over(stored.sources, free if isinstance(free, int) else 0)
        names = stored.details.get("names")
        runner.names.take_over(names if isinstance(names, dict) else {})
        runner.persistence.attach(state=stored.state)
        if runner.store.state != stored.state:
            # A fork's data may have been copied later than its image was captured.
            runner.persistence.mark_stale()
        runner.evaluations = self._kept_evaluations = stored.evaluations
        self._kept_state = stored.state

    def save(self, interrupted: Callable[[], bool] | None = None) -> bool:
        """Keep an image of the VM as it is.

        False: another session is writing, or has changed the data meanwhile, or `interrupted` told
        that something more urgent is waiting.

        Raises:
            StoreError: the store cannot be written.
        """
        stored = self.capture()
        if not self._runner.store.save_image(stored, interrupted=interrupted):
            return False
        self._kept_evaluations, self._kept_state = stored.evaluations, stored.state
        return True

    def save_named(self, name: str) -> None:
        """Keep an image of the VM as it is, under a name.

        Raises:
            StoreError: the store cannot be written, or others write all the time.
        """
        for _ in range(NAMED_TRIES_MAX):
            if self._runner.store.save_image(self.capture(), name=name):
                return
        raise StoreError("Other sessions write all the time. Try again when they have finished.")

    def restore_named(self, name: str) -> str:
        """Make the VM what it was when this image was made; a sentence about it.

        What is stored stays as it is.

        Raises:
            SessionError: there is no such image, or it does not fit.
        """
        runner = self._runner
        stored = runner.store.load_named_image(name)
        if stored is None:
            raise SessionError(f"there is no image {name}")
        if isinstance(stored, str):
            raise SessionError(stored)
        made_by_another = stored.core_sha256 != bytes.fromhex(runner.machine.core.sha256)
        if made_by_another or stored.details.get("prelude") != prelude.digest():
            raise SessionError(f"the image {name} was made by another version of lua-ls-persist")
        try:
            self.take_over(stored)
        except CoreError as error:
            raise SessionError(f"the image {name} does not fit: {error}") from error
        return f"The session goes on from the image {name}."

    def capture(self) -> StoredImage:
        """An image of the VM as it is, with all that it takes to go on from it."""
        runner = self._runner
        references = self.references()
        image = runner.machine.capture()
        sources, free = runner.sources.kept()
        return StoredImage(
            core_sha256=bytes.fromhex(runner.machine.core.sha256),
            state=runner.persistence.state,
            memory_bytes=image.memory_bytes,
            segments=image.segments,
            content=image.content(),
            references=references,
            sources=sources,
            evaluations=runner.evaluations,
            details={
                "free_source": free,
                "names": runner.names.kept(),
                "prelude": prelude.digest(),
            },
        )

    def references(self) -> tuple[int, ...]:
        """The ids of all tables and functions of the store that the VM holds.

        Afterwards the VM is of the present data, whatever others have done to them: what is asked
        collects garbage, so finalizers may run, and what they do is stored.
        """
        decoder = Decoder(self._runner.atomically(self._ask_for_references))
        if decoder.u8() != Outcome.OK:
            raise CoreError(decoder.text().decode("utf-8", "replace"))
        return read_ids(decoder)

    def all_references(self) -> tuple[int, ...]:
        """Those, and those of the VMs that undoing and redoing would bring back."""
        found = set(self.references())
        for state, image in self._runner.points.states():
            if state.references is None:
                state.references = self._references_of(image)
            found.update(state.references or ())
        return tuple(found)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """In this block this session collects, and spares `all_references`."""
        store = self._runner.store
        before = store.collections
        yield
        if store.collections == before + 1:  # nobody else has
            self._runner.points.collected(before)

    def _references_of(self, image: Image) -> tuple[int, ...] | None:
        """What a VM that is kept holds; None if it cannot be asked. Nothing of it lasts."""
        runner = self._runner
        present = runner.machine.capture()
        try:
            runner.machine.restore(image)
            runner.persistence.begin(wait=False)
            host = runner.host(runner.collector())
            decoder = Decoder(
                runner.machine.call(
                    "core_references", host=host, time_limit_s=REFERENCES_TIME_LIMIT_S
                )
            )
            return read_ids(decoder) if decoder.u8() == Outcome.OK else None
        except (CoreError, StoreError, Stopped):
            # Undo will begin a fresh VM instead of this one: what it held may be collected.
            return None
        finally:
            runner.persistence.rollback()
            runner.machine.restore(present)

    def _ask_for_references(self, host: EvaluationHost) -> bytes:
        runner = self._runner
        response = runner.machine.call(
            "core_references", host=host, time_limit_s=REFERENCES_TIME_LIMIT_S
        )
        runner.flush(host)
        return response
