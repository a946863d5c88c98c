"""A session's life: its thread, how its VM begins, what it does in idle time, and its end."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, final

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.model import Evaluation
from lua_ls_persist.session.images import ImageKeeper
from lua_ls_persist.session.owner import Owner
from lua_ls_persist.session.runner import Job, Runner, Settings
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import StoredImage

T = TypeVar("T")

IDLE_S = 1.5
"""How long nothing may have been asked for before an image is kept."""
IDLE_TIMES_COST = 20
"""An image that took long to keep is kept only after so many times that long."""

RESTARTED = "The session was restarted."

logger = logging.getLogger(__name__)


@final
class Life:
    """Owns a session's thread, and on it the runner and the images."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        resume: bool,
        image: StoredImage | None = None,
        folder: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        """Begin with a store that is open; it is closed with this, also if this raises.

        `image` is what to go on from instead of the stored one; `folder` goes when this ends.
        """
        self.settings = settings
        self.path = None if folder is not None else store.path
        self._folder = folder
        self._idle_s = IDLE_S
        self.resumed = False
        self.started = ""
        self.owner = Owner("lua-session", self._idle)
        try:
            self.owner.call(lambda: self._begin(store, resume=resume, image=image))
        except BaseException:
            self.owner.close(lambda: self._give_back(store.close))
            raise

    def _begin(self, store: Store, *, resume: bool, image: StoredImage | None) -> None:
        self.runner = Runner(store, self.settings)
        self._images = ImageKeeper(self.runner)
        if image is not None:
            self._images.take_over(image)
            self.resumed, self.started = True, "A fork goes on where its origin was."
        elif not resume:
            self.started = "The session starts anew, as was asked for."
        else:
            self.resumed, self.started = self._images.resume()

    @property
    def _keeps_images(self) -> bool:
        return self.path is not None

    # -- work

    def evaluate(self, job: Job) -> Evaluation:
        """Run a program. On the thread."""
        evaluation = self.runner.evaluate(job)
        if self._keeps_images:
            self.owner.rest(self._idle_s)
        return evaluation

    def call(self, function: Callable[[Runner], T]) -> T:
        """Do something with the runner, on the thread, and wait for it."""
        return self.owner.call(lambda: function(self.runner))

    def _idle(self) -> None:
        if self._images.kept:
            return
        started = time.monotonic()
        try:
            if not self._images.save(self.owner.has_work):
                self.owner.rest(self._idle_s)
        except LuaPersistError as error:
            logger.warning("no image of the session was kept: %s", error)
        took_s = time.monotonic() - started
        self._idle_s = max(IDLE_S, took_s * IDLE_TIMES_COST)

    # -- another VM, another session

    def restart(self) -> None:
        """Go on with a fresh VM."""
        old = self.runner.machine
        restarted = self.owner.put_first(self._restart)
        self.runner.interrupt_in(old)
        restarted.result()

    def _restart(self) -> None:
        self.runner.restart()
        self.resumed, self.started = False, RESTARTED
        self._images.forget()
        if self._keeps_images:
            # Otherwise the next session would go on from an image of the VM that is gone.
            self._idle()

    def fork(self) -> Life:
        """Another life with a copy of the store and of the VM."""
        return self.owner.call(self._fork)

    def _fork(self) -> Life:
        folder = tempfile.TemporaryDirectory(prefix="lua-ls-persist-")
        try:
            image = self._images.capture()
            path = Path(folder.name) / "session.db"
            self.runner.store.backup(path)
            store = Store.open(path)
        except BaseException:
            folder.cleanup()
            raise
        return Life(store, self.settings, resume=False, image=image, folder=folder)

    # -- the end

    def close(self) -> None:
        """Stop what runs, refuse what waits, keep an image, and give all back. Idempotent."""
        self.runner.refuse_more()
        self.owner.close(self._close)

    def _close(self) -> None:
        try:
            if self._keeps_images and not self._images.kept:
                self._images.save()
        except LuaPersistError as error:
            logger.warning("no image of the session was kept: %s", error)
        finally:
            self._give_back(self.runner.close)

    def _give_back(self, close: Callable[[], Any]) -> None:
        close()
        if self._folder is not None:
            self._folder.cleanup()
