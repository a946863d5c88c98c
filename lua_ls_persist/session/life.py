"""A session's life: its thread, how its VM begins, what it does in idle time, and its end."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, final

from lua_ls_persist.errors import LuaPersistError, SessionError, StoreError
from lua_ls_persist.model import Collected, Evaluation, Problem, Went
from lua_ls_persist.session import going
from lua_ls_persist.session.damage import NONSENSE, damage_behind
from lua_ls_persist.session.idle import IdleWork
from lua_ls_persist.session.images import ImageKeeper
from lua_ls_persist.session.jobs import Job, Settings
from lua_ls_persist.session.owner import Owner
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import StoredImage

T = TypeVar("T")

LOOKS_ONLY = (
    "Nothing is run in this session: it was opened to look at data that nobody vouches for."
)
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
        self.resumed = False
        self.started = ""
        self._has_begun = False
        self.owner = Owner("lua-session", self._run_idle)
        try:
            self._call(lambda: self._begin(store, resume=resume, image=image), store)
        except BaseException:
            self.owner.close(lambda: self._give_back(store.close))
            raise

    @property
    def read_only(self) -> str:
        """See `Session.read_only`."""
        return self.runner.store.read_only

    def _begin(self, store: Store, *, resume: bool, image: StoredImage | None) -> None:
        self.runner = Runner(store, self.settings)
        self._has_begun = True
        keeps = self.path is not None and self.settings.runs_code and not store.read_only
        self._images = ImageKeeper(self.runner, keeps=keeps)
        self._idle = IdleWork(self.runner, self._images, self.owner)
        if image is not None:
            self._images.take_over(image)
            self.resumed, self.started = True, "A fork goes on where its origin was."
        elif not resume:
            self.started = "The session starts anew, as was asked for."
            if not self.settings.runs_code:
                self.started = "The session is for looking only: nothing is run, no code is loaded."
        else:
            self.resumed, self.started = self._images.resume()

    # -- work

    def evaluate(self, job: Job) -> Evaluation:
        """Run a program. On the thread."""
        if not self.settings.runs_code:
            raise SessionError(LOOKS_ONLY)
        try:
            evaluation = self.runner.evaluate(job)
        except NONSENSE as error:
            damage = self._damage_behind(error, self.runner.store)
            if damage is None:
                raise
            problem = Problem("persistence", str(damage), job.name, None)
            return Evaluation(False, problems=(problem,))
        self._idle.evaluated()
        return evaluation

    def call(self, function: Callable[[Runner], T]) -> T:
        """Do something with the runner, on the thread, and wait for it."""
        return self._call(lambda: function(self.runner), self.runner.store)

    def _call(self, function: Callable[[], T], store: Store) -> T:
        """Raises what `function` does, or what is wrong with the file if that is why."""

        def run() -> T:
            try:
                return function()
            except NONSENSE as error:
                damage = self._damage_behind(error, store)
                if damage is None:
                    raise
                raise damage from error

        return self.owner.call(run)

    def _damage_behind(self, error: Exception, store: Store) -> StoreError | None:
        """What is wrong with the file, if that is why; nobody waits for it at the end."""
        if self._has_begun and self.runner.closing:
            return None
        return damage_behind(error, store)

    def work(self, what: str, function: Callable[[Runner], T]) -> T:
        """The same with something that may take long: it counts as an evaluation.

        Raises:
            SessionError: it was interrupted; `what` says what.
        """

        def run(runner: Runner) -> T:
            with runner.interruptible(what):
                return function(runner)

        return self.call(run)

    def _run_idle(self) -> None:
        self._idle.run()

    # -- another VM, another session

    def restart(self) -> None:
        """Go on with a fresh VM."""
        old = self.runner.machine
        restarted = self.owner.put_first(self._restart)
        self.runner.interrupt_in(old)
        restarted.result()

    def _restart(self) -> None:
        self.runner.points.clear()
        self.begin_afresh(RESTARTED)
        # Nothing has the VM any more that knew it.
        self.runner.store.forget_codes()

    def begin_afresh(self, why: str) -> None:
        """Go on with a fresh VM, for which `why` is the sentence to tell. On the thread."""
        self.runner.restart()
        self.resumed, self.started = False, why
        self._images.forget()
        # Otherwise the next session would go on from an image of the VM that is gone.
        self._idle.run()

    def collect(self, on_progress: Callable[[str, int], None] | None = None) -> Collected:
        """Remove from the store what nothing reaches. On the thread.

        Raises:
            SessionError: it was interrupted, and nothing was removed.
        """
        references = self._images.all_references()
        with (
            self._images.collecting(),
            self.runner.persistence.own_transaction(changes_entries=False) as store,
            self.runner.interruptible("collecting"),
        ):
            return store.collect(references, on_progress=on_progress)

    # -- back and forth in the history

    def go(self, count: int, *, undone: bool) -> Went:
        """Undo or redo evaluations, in the store and in the VM. On the thread.

        Raises:
            StoreError: one of them cannot be; nothing was changed.
        """
        if undone:
            went, image = going.undo(self.runner, count)
        else:
            went, image = going.redo(self.runner, count)
        if not went.evaluations:
            return went
        if went.vm == "fresh":
            self.begin_afresh(went.text)
        else:
            if image is not None:
                self.runner.machine.restore(image)
                self.runner.configure()
            self.runner.persistence.mark_stale()
            self._images.forget()
            self._idle.evaluated()
        return went

    def save_image(self, name: str) -> None:
        """Keep an image of the VM under a name. On the thread."""
        self._images.save_named(name)

    def restore_image(self, name: str) -> str:
        """Go on from an image with a name. On the thread."""
        self.started = self._images.restore_named(name)
        self.resumed = True
        # The image that was kept by itself is not of this VM.
        self._images.forget()
        self._idle.evaluated()
        return self.started

    def fork_to(self, path: Path) -> None:
        """A file with a copy of the store and of the VM. On the thread.

        Raises:
            StoreError: it cannot be written, or something else is in its place.
        """
        image = self._images.capture()
        self.runner.store.backup(path)
        with Store.open(path) as store:
            store.save_image(replace(image, state=store.state))

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
            if self._images.wanted:
                self._idle.keep_image(may_wait=False)
        except LuaPersistError as error:
            logger.warning("no image of the session was kept: %s", error)
        finally:
            self._give_back(self.runner.close)

    def _give_back(self, close: Callable[[], Any]) -> None:
        close()
        if self._folder is not None:
            self._folder.cleanup()
