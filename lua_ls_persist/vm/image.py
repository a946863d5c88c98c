"""Images: the VM's whole state, as copied out of the linear memory between two calls.

Between calls no wasm frame is live, so static data and heap are the VM; the shadow stack and the
buffers that the host and the core exchange bytes through hold nothing and are left out.
"""

from __future__ import annotations

import ctypes


class Image:
    """A kept buffer with a copy of the VM's state; capturing again uses the same buffer."""

    __slots__ = ("_address", "_buffer", "_segments")

    def __init__(self) -> None:
        self._buffer = (ctypes.c_char * 0)()
        self._address = 0
        self._segments: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """The linear memory must reach up to this address for the image to be restored."""
        return max((address + length for address, length in self._segments), default=0)

    @property
    def size_bytes(self) -> int:
        """How many bytes of state the image holds."""
        return sum(length for _, length in self._segments)

    def fill(self, base: int, segments: tuple[tuple[int, int], ...]) -> None:
        """Copy these parts of the memory at `base`."""
        size = sum(length for _, length in segments)
        if size > len(self._buffer):
            # Some room to grow, so that a growing VM does not allocate at every capture.
            self._buffer = (ctypes.c_char * (size + size // 4))()
            self._address = ctypes.addressof(self._buffer)
        position = self._address
        for address, length in segments:
            ctypes.memmove(position, base + address, length)
            position += length
        self._segments = segments

    def copy_to(self, base: int) -> None:
        """Copy back to where the parts came from."""
        position = self._address
        for address, length in self._segments:
            ctypes.memmove(base + address, position, length)
            position += length
