"""Compression of what people do not read in the file anyway, where that makes it smaller."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import zstandard

PACK_BYTES_MIN: Final = 200
"""Below this nothing is won."""

UNPACKED_BYTES_MAX: Final = 256 * 1024 * 1024
"""What claims to be larger is damaged, or made to fill the memory."""

_LEVEL = 3


class Packer:
    """Compresses with zstd. The library is loaded when it is first needed: that takes 10 ms."""

    def pack(self, content: bytes | memoryview) -> tuple[bytes, bool]:
        """The content, compressed if that is smaller, and whether it is."""
        if len(content) >= PACK_BYTES_MIN:
            packed = self._compressor.compress(content)
            if len(packed) < len(content):
                return packed, True
        return bytes(content), False

    def unpack(self, content: bytes, compressed: bool, size_bytes: int) -> bytes | None:
        """The content as it was; None if it is damaged."""
        if compressed:
            return self._unpacked(content, size_bytes)
        return content if len(content) == size_bytes else None

    def _unpacked(self, content: bytes, size_bytes: int) -> bytes | None:
        import zstandard

        if not 0 <= size_bytes <= UNPACKED_BYTES_MAX:
            return None
        try:
            if zstandard.frame_content_size(content) != size_bytes:
                return None
            return self._decompressor.decompress(content)
        except zstandard.ZstdError:
            return None

    @cached_property
    def _compressor(self) -> zstandard.ZstdCompressor:
        import zstandard

        return zstandard.ZstdCompressor(level=_LEVEL)

    @cached_property
    def _decompressor(self) -> zstandard.ZstdDecompressor:
        import zstandard

        return zstandard.ZstdDecompressor()
