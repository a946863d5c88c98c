"""Images: the VM's whole state, as copied out of the linear memory.

Between calls no wasm frame is live, so static data and heap are the VM; the shadow stack and the
buffers that the host and the core exchange bytes through hold nothing and are left out.

Inside of a call the part of the shadow stack that is in use belongs to the VM as well. What wasm
keeps outside of linear memory (locals, the frames themselves) is not in an image: so one that was
captured inside of a call can be restored only in the same call, from the same frame.
"""

from __future__ import annotations

import ctypes

_HELD_BYTES_MAX = 1024 * 1024
"""Smaller pieces are copied with the interpreter's lock held: giving it up costs more than that."""

_memmove_held = ctypes.PYFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)(ctypes._memmove_addr)  # type: ignore[attr-defined]  # what ctypes.memmove itself is made of


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
