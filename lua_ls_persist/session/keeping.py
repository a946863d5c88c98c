"""Images of the VM that people keep and go back to, and forks, seen from Python."""

from __future__ import annotations

import os
from pathlib import Path as FilePath

from lua_ls_persist.model import ImageInfo
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.runner import Runner


class KeptImages:
    """The part of a session that is about images of its VM."""

    _life: Life

    def images(self) -> list[ImageInfo]:
        """The images of the VM in the session's file, the newest first."""

        def look(runner: Runner) -> list[ImageInfo]:
            core = bytes.fromhex(runner.machine.core.sha256)
            return [
                ImageInfo(
                    name=row.name,
                    made_utc=row.saved_utc,
                    evaluations=row.evaluations,
                    bytes=row.bytes,
                    fits=row.core_sha256 == core,
                    is_current=row.state == runner.store.state,
                )
                for row in runner.store.images()
            ]

        return self._life.call(look)

    def save_image(self, name: str) -> None:
        """Keep the VM as it is, under a name: all globals, sleeping coroutines and so on.

        In the place of another image of that name. Data are no part of it.

        Raises:
            StoreError: the name cannot be one, or the file cannot be written.
        """
        self._life.call(lambda _runner: self._life.save_image(name))

    def restore_image(self, name: str) -> str:
        """Make the VM what it was when `save_image` was called; a sentence about it.

        What is stored stays as it is: tables and functions that the VM holds have their present
        content.

        Raises:
            SessionError: there is no such image, or another version has made it.
        """
        return self._life.call(lambda _runner: self._life.restore_image(name))

    def drop_image(self, name: str) -> bool:
        """Forget an image with a name; whether there was one."""

        def drop(runner: Runner) -> bool:
            with runner.persistence.own_transaction(changes_entries=False) as store:
                return store.drop_image(name)

        return self._life.call(drop)

    def fork_to(self, path: str | os.PathLike[str]) -> None:
        """Write a file from which a session begins as this one is: the same VM, the same data.

        Raises:
            StoreError: it cannot be written, or something else is in its place.
        """
        target = FilePath(path)
        self._life.call(lambda _runner: self._life.fork_to(target))
