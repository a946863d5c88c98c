"""Chunk names: what Lua calls a piece of source, and what the people who gave it call it."""

from __future__ import annotations

import itertools

from lua_ls_persist.wire import text_or_bytes

NAME_BYTES_MAX = 180
"""Longer names go to the core by an alias: it notes places in buffers of a fixed size."""


class ChunkNames:
    """Translates between names as given and the source names that the core reports."""

    def __init__(self) -> None:
        self._aliases: dict[bytes, str] = {}
        self._sources: dict[str, bytes] = {}
        self._numbers = itertools.count(1)

    def source_of(self, name: str) -> bytes:
        """The core's source name for `name`: a file (`@`) unless the name itself says otherwise."""
        known = self._sources.get(name)
        if known is not None:
            return known
        source = name if name.startswith(("@", "=")) else f"@{name}"
        encoded = source.replace("\0", "\ufffd").encode("utf-8", "surrogateescape")
        if len(encoded) > NAME_BYTES_MAX:
            tail = encoded[-100:].decode("utf-8", "ignore").encode()
            encoded = b"@~%d~%s" % (next(self._numbers), tail)
            self._aliases[encoded] = name.removeprefix("@").removeprefix("=")
        self._sources[name] = encoded
        return encoded

    def name_of(self, source: bytes) -> str:
        """What people call the chunk with this source name: a file's path, or `[string "..."]`."""
        alias = self._aliases.get(source)
        if alias is not None:
            return alias
        if source[:1] in (b"@", b"="):
            return source[1:].decode("utf-8", "replace")
        if not source:
            return ""
        first, newline, _ = source.partition(b"\n")
        text = text_or_bytes(first[:60])
        shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
        return f'[string "{shown}{"..." if newline or len(first) > 60 else ""}"]'
