"""What a session does when nothing has been asked of it for a while, in pieces that end soon.

First an image of the VM is kept and the views of the named tables are brought up to date; later,
what nothing reaches is removed from the store. Any work that comes in goes first.
"""

from __future__ import annotations

import logging
import time
from typing import final

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.session.images import ImageKeeper
from lua_ls_persist.session.owner import Owner
from lua_ls_persist.session.runner import Runner

IMAGE_AFTER_S = 1.5
"""How long nothing may have been asked for before an image is kept."""
IMAGE_TIMES_COST = 20
"""An image that took long to keep is kept only after so many times that long."""
COLLECT_AFTER_S = 30.0
COLLECT_TIMES_COST = 100
"""Collections take at most one part in so many of the time."""

logger = logging.getLogger(__name__)


@final
class IdleWork:
    """Decides what is due. On the session's own thread."""

    def __init__(self, runner: Runner, images: ImageKeeper, owner: Owner) -> None:
        self._runner = runner
        self._images = images
        self._owner = owner
        self._image_after_s = IMAGE_AFTER_S
        self._collected_writes = 0
        """How much had been written when what nothing reaches was last removed."""
        self._collect_not_before = 0.0
        self._collecting_s = 0.0

    def evaluated(self) -> None:
        """An evaluation has ended."""
        self._owner.rest(self._image_after_s)

    def run(self) -> None:
        """Nothing has been asked for as long as was wanted: do what is due."""
        try:
            if self._images.wanted:
                if self.keep_image(may_wait=True):
                    self._owner.rest(COLLECT_AFTER_S)
                else:
                    self._owner.rest(self._image_after_s)
            elif self._runner.persistence.writes != self._collected_writes:
                self._collect()
        except LuaPersistError as error:
            # A full disk, a file that is gone: the next evaluation that writes will tell.
            logger.warning("work in idle time was given up: %s", error)

    def keep_image(self, *, may_wait: bool) -> bool:
        """Keep an image and bring the views up to date; whether that was possible at this moment.

        With `may_wait` it is broken off when something is asked of the session.
        """
        started = time.monotonic()
        kept = self._images.save(self._owner.has_work if may_wait else None)
        if kept and self._runner.persistence.writes:
            self._runner.store.refresh_views()
        self._image_after_s = max(IMAGE_AFTER_S, (time.monotonic() - started) * IMAGE_TIMES_COST)
        return kept

    def _collect(self) -> None:
        """A step of a collection; the next one follows at once, unless there is other work."""
        started = time.monotonic()
        if started < self._collect_not_before:
            self._owner.rest(self._collect_not_before - started)
            return
        writes = self._runner.persistence.writes
        with self._images.collecting():
            removed = self._runner.store.collect_step(self._images.all_references)
        self._runner.persistence.after_own_changes()
        now = time.monotonic()
        self._collecting_s += now - started
        if removed is None:
            self._owner.rest(0.0)
            return
        self._collected_writes = writes
        self._collect_not_before = now + max(
            COLLECT_AFTER_S, self._collecting_s * COLLECT_TIMES_COST
        )
        self._collecting_s = 0.0
