"""Chunk names: what Lua calls a piece of source, and what the people who gave it call it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lua_ls_persist.wire import text_or_bytes, text_to_bytes

NAME_BYTES_MAX = 180
"""Longer names go to the core by an alias: it notes places in buffers of a fixed size."""
_ALIAS_TAIL_BYTES = 100
_ALIAS_DIGEST_BYTES = 8
_CODE_SHOWN_BYTES = 60
_SOURCES_KEPT_MAX = 4096


class ChunkNames:
    """Translates between names as given and the source names that the core reports.

    Any thread may ask for source names.
    """

    def __init__(self) -> None:
        # Functions may remember a source name for ever, so what cannot be read from it is kept.
        self._given: dict[bytes, str] = {}
        self._sources: dict[str, bytes] = {}

    def source_of(self, name: str) -> bytes:
        """The core's source name for `name`: a file (`@`) unless the name itself says otherwise."""
        known = self._sources.get(name)
        if known is not None:
            return known
        is_marked = name.startswith(("@", "="))
        source = text_to_bytes(name if is_marked else f"@{name}").replace(b"\0", b"?")
        if len(source) > NAME_BYTES_MAX:
            tail = source[-_ALIAS_TAIL_BYTES:].decode("utf-8", "ignore").encode()
            # The same name has the same alias in every session: stored functions keep it.
            digest = hashlib.blake2b(source, digest_size=_ALIAS_DIGEST_BYTES).hexdigest()
            source = b"@~%s~%s" % (digest.encode(), tail)
        given = name[1:] if is_marked else name
        if self.name_of(source) != given:
            self._given[source] = given
        if len(self._sources) >= _SOURCES_KEPT_MAX:
            self._sources.clear()
        self._sources[name] = source
        return source

    def name_of(self, source: bytes) -> str:
        """What people call the chunk with this source name: a file's path, or `[string "..."]`."""
        given = self._given.get(source)
        if given is not None:
            return given
        if source[:1] in (b"@", b"="):
            return source[1:].decode("utf-8", "replace")
        if not source:
            return ""
        first, newline, _ = source.partition(b"\n")
        text = text_or_bytes(first[:_CODE_SHOWN_BYTES])
        shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
        cut = newline or len(first) > _CODE_SHOWN_BYTES
        return f'[string "{shown}{"..." if cut else ""}"]'

    # -- images

    def kept(self) -> dict[str, str]:
        """The names that cannot be read from their sources, for an image."""
        return {source.hex(): given for source, given in self._given.items()}

    def take_over(self, kept: Mapping[str, str]) -> None:
        """Know the names that the session knew that an image is of."""
        for source, given in kept.items():
            self._given[bytes.fromhex(source)] = given
