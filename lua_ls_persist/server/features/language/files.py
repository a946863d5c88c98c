"""Keeps the index of the workspace: made in the background, renewed when files change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from lua_ls_persist.server.features.progress import progress

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

logger = logging.getLogger(__name__)


def register(server: LuaLanguageServer) -> None:
    """Reads the files once the client is ready, and again when they change."""
    running: list[asyncio.Task[None]] = []

    def folders_changed() -> None:
        running[:] = [asyncio.get_running_loop().create_task(_scan(server, running[-1:]))]

    def files_changed(changes: Sequence[types.FileEvent]) -> None:
        uris = [change.uri for change in changes]
        reading = asyncio.get_running_loop().run_in_executor(
            server.files.worker, server.files.changed, uris
        )
        reading.add_done_callback(lambda done: _done(server, done))

    server.folder_listeners.append(folders_changed)
    server.file_listeners.append(files_changed)
    server.at_end.append(server.files.close)


async def _scan(server: LuaLanguageServer, before: Sequence[asyncio.Task[None]]) -> None:
    """Reads the folders' files; one time after another."""
    for task in before:
        await asyncio.wait([task])
    loop = asyncio.get_running_loop()
    files = server.files
    try:
        with progress(server, "Reading the workspace's Lua files", files.stop_scan, None):
            await loop.run_in_executor(files.worker, files.scan, files.folders)
    except RuntimeError:
        logger.debug("The server stopped before the workspace's files were read")


def _done(server: LuaLanguageServer, answer: asyncio.Future[None]) -> None:
    error = None if answer.cancelled() else answer.exception()
    if error is not None:
        logger.error("Cannot read changed files: %s", error)
    for listener in server.files_read_listeners:
        listener()
