"""Images: the VM's whole state, as copied out of the linear memory.

Between calls no wasm frame is live, so static data and heap are the VM; the shadow stack and the
buffers that the host and the core exchange bytes through hold nothing and are left out.

Inside of a call the part of the shadow stack that is in use belongs to the VM as well. What wasm
keeps outside of linear memory (locals, the frames themselves) is not in an image: so one that was
captured inside of a call can be restored only in the same call, from the same frame.
"""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

_HELD_BYTES_MAX = 1024 * 1024
"""Smaller pieces are copied with the interpreter's lock held: giving it up costs more than that."""

_memmove_held = ctypes.PYFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)(ctypes._memmove_addr)  # type: ignore[attr-defined]  # what ctypes.memmove itself is made of


_compare = ctypes.PyDLL("msvcrt" if sys.platform == "win32" else None).memcmp
_compare.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)

IMAGE_PAGE_BYTES = 4096
_BLOCK_BYTES = 16 * IMAGE_PAGE_BYTES
"""Compared at once: most of two images of one VM is the same."""


def copy_memory(target: int, source: int | bytes, length: int) -> None:
    """Copy bytes between addresses, or from bytes; other threads run during long copies."""
    if length <= _HELD_BYTES_MAX:
        _memmove_held(target, source, length)
    else:
        ctypes.memmove(target, source, length)


class Image:
    """A kept buffer with a copy of the VM's state; capturing again uses the same buffer."""

    __slots__ = ("_address", "_buffer", "_segments", "memory_bytes", "stack_pointer")

    def __init__(self) -> None:
        self._buffer = (ctypes.c_char * 0)()
        self._address = 0
        self._segments: tuple[tuple[int, int], ...] = ()
        self.memory_bytes = 0
        """How large the linear memory was; where the image is restored it must be no smaller."""
        self.stack_pointer = 0
        """Where the shadow stack stood, if the image was captured inside of a call; 0 otherwise."""

    @property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """The parts of the memory that the image holds: (address, length) of each, in order."""
        return self._segments

    @property
    def size_bytes(self) -> int:
        """How many bytes of state the image holds."""
        return sum(length for _, length in self._segments)

    def fill(self, base: int, segments: tuple[tuple[int, int], ...], memory_bytes: int) -> None:
        """Copy these parts of the memory at `base`, which has so many bytes."""
        size = sum(length for _, length in segments)
        if size > len(self._buffer):
            # Some room to grow, so that a growing VM does not allocate at every capture.
            self._buffer = (ctypes.c_char * (size + size // 4))()
            self._address = ctypes.addressof(self._buffer)
        position = self._address
        for address, length in segments:
            copy_memory(position, base + address, length)
            position += length
        self._segments = segments
        self.memory_bytes = memory_bytes

    def content(self) -> memoryview:
        """The parts one behind the other, as long as nothing else is captured into this image."""
        return memoryview(self._buffer).cast("B")[: self.size_bytes]

    @classmethod
    def of(cls, content: bytes, segments: tuple[tuple[int, int], ...], memory_bytes: int) -> Image:
        """An image made of what `content`, `segments` and `memory_bytes` were."""
        image = cls()
        assert len(content) == sum(length for _, length in segments)
        image._buffer = (ctypes.c_char * len(content)).from_buffer_copy(content)
        image._address = ctypes.addressof(image._buffer)
        image._segments = segments
        image.memory_bytes = memory_bytes
        return image

    def copy_to(self, base: int) -> None:
        """Copy back to where the parts came from."""
        position = self._address
        for address, length in self._segments:
            copy_memory(base + address, position, length)
            position += length

    def differing(self, other: Image, pages_max: int) -> dict[int, bytes] | None:
        """The pages of this image, by where they begin, that are not the same in the other one.

        None: there are more than `pages_max`.
        """
        mine, others = self._address, other._address
        size, shared = self.size_bytes, min(self.size_bytes, other.size_bytes)
        found: dict[int, bytes] = {}
        for block in range(0, size, _BLOCK_BYTES):
            end = min(block + _BLOCK_BYTES, size)
            if end <= shared and not _compare(mine + block, others + block, end - block):
                continue
            for start in range(block, end, IMAGE_PAGE_BYTES):
                length = min(IMAGE_PAGE_BYTES, end - start)
                if start + length > shared or _compare(mine + start, others + start, length):
                    found[start] = ctypes.string_at(mine + start, length)
            if len(found) > pages_max:
                return None
        return found


@dataclass(frozen=True, slots=True)
class ImagePages:
    """An image, as what it takes to make it from another one of the same VM."""

    pages: dict[int, bytes]
    segments: tuple[tuple[int, int], ...]
    memory_bytes: int
    size_bytes: int
    """What the pages take."""

    @classmethod
    def of(cls, image: Image, *, like: Image, limit_bytes: int) -> ImagePages | None:
        """What makes `image` from `like`; None if that is more than the limit."""
        pages = image.differing(like, limit_bytes // IMAGE_PAGE_BYTES)
        if pages is None:
            return None
        size_bytes = sum(map(len, pages.values()))
        return cls(pages, image.segments, image.memory_bytes, size_bytes)

    def image(self, like: Image) -> Image:
        """The image, made from the one it was compared with."""
        content = bytearray(sum(length for _, length in self.segments))
        shared = min(len(content), like.size_bytes)
        content[:shared] = like.content()[:shared]
        for start, page in self.pages.items():
            content[start : start + len(page)] = page
        return Image.of(bytes(content), self.segments, self.memory_bytes)
