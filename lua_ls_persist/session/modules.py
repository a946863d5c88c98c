"""Where `require`, `dofile` and `loadfile` find source: open buffers first, then the folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from lua_ls_persist.wire import text_to_bytes

FILE_BYTES_MAX = 64 * 1024 * 1024

OpenBuffers = Callable[[Path], "str | None"]


class ModuleFiles:
    """The files that a program may read: those inside the workspace's folders, by relative name.

    `open_buffers` is asked first for each candidate: the text of an editor's open buffer, or None.
    """

    def __init__(self, folders: Sequence[Path], open_buffers: OpenBuffers | None) -> None:
        self._folders = tuple(folder.absolute() for folder in folders)
        self._open_buffers = open_buffers

    def read(self, name: str) -> bytes | None:
        """The content of the first file of this name, or None."""
        # Both kinds of slashes part folders, so that a program means the same on every system.
        relative = PurePosixPath(name.replace("\\", "/"))
        if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\0" in name:
            return None
        for folder in self._folders:
            path = folder / relative
            if not path.is_relative_to(folder):
                continue  # a drive of its own, on Windows
            content = self._read_candidate(folder, path)
            if content is not None:
                return content
        return None

    def _read_candidate(self, folder: Path, path: Path) -> bytes | None:
        if self._open_buffers is not None:
            text = self._open_buffers(path)
            if text is not None:
                return text_to_bytes(text)
        try:
            # A link that leads out of the folder is not followed.
            if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
                return None
            if path.stat().st_size > FILE_BYTES_MAX:
                return None
            return path.read_bytes()
        except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
            return None
