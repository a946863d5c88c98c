"""What the core asks for while a call runs: output, files, the store, the time.

Answers the two functions that the core imports. It translates between addresses in linear memory
and the bytes that a `Host` knows; what the bytes mean is the host's business. The one exception are
savepoints: when the store begins or undoes one, the VM's memory does the same at that moment.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from lua_ls_persist.errors import CoreError, StoreError
from lua_ls_persist.protocol import STORE_REPLY_BYTES, Clock, Info, Operation, StoreOperation
from lua_ls_persist.vm.host import Host, NoHost
from lua_ls_persist.vm.image import Image

if TYPE_CHECKING:
    from lua_ls_persist.vm.machine import Machine

FILES_OPEN_MAX = 16
SAVEPOINTS_MAX = 100
"""So many transactions may stand inside of each other; each keeps a copy of the VM's state."""
SAVEPOINT_BYTES_MAX = 2 * 1024**3
"""So much may all those copies of one VM take."""
STORE_REQUEST_BYTES_MAX = 2**32
"""A request is made of what is in a 32-bit memory; one that is longer than that never ends."""

FAILED = -1
"""The answer to what is unknown, not to be had, or went wrong."""

# Plain numbers: an enum's members cost more to compare with.
_OUTPUT, _RESPONSE, _PAYLOAD, _OPEN, _READ, _CLOSE, _STORE, _STORE_PIECE, _STORE_READ, _SOURCE = (
    map(int, Operation)
)
_BEGIN, _RELEASE, _ROLLBACK = map(
    int, (StoreOperation.BEGIN, StoreOperation.RELEASE, StoreOperation.ROLLBACK)
)


class _Savepoint:
    """Where the VM goes back to when a transaction inside an evaluation is undone."""

    __slots__ = ("files", "image")

    def __init__(self, image: Image, files: dict[int, bytes]) -> None:
        self.image = image
        self.files = files


@final
class HostCalls:
    """The host's side of one machine's calls. Only `on_call` and `on_clock` run inside of them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._host: Host = NoHost()
        self._payload: bytes | memoryview = b""
        self._response: list[bytes] = []
        self._files: dict[int, bytes] = {}
        self._pieces: list[bytes] = []
        self._pieces_bytes = 0
        self._reply = b""
        self._savepoints: list[_Savepoint] = []
        self._spare_images: list[Image] = []
        self._error: BaseException | None = None

    # -- around a call

    def begin(self, host: Host | None, payload: bytes | memoryview) -> None:
        """A call begins: who answers, and what the core may fetch in pieces."""
        self._host = host if host is not None else NoHost()
        self._payload = payload
        self._response.clear()

    def end(self) -> BaseException | None:
        """The call has ended: forget what belonged to it. Returns what the host raised first."""
        self._files.clear()
        self._pieces.clear()
        self._pieces_bytes = 0
        self._reply = b""
        if self._savepoints:
            self._savepoints.clear()
        self._spare_images.clear()
        error, self._error = self._error, None
        return error

    def response(self, last: bytes) -> bytes:
        """The whole response, of which this is the last piece."""
        if not self._response:
            return last
        self._response.append(last)
        response = b"".join(self._response)
        self._response.clear()
        return response

    def output(self, records: bytes) -> None:
        """Hand over output that the core could not send any more."""
        self._host.output(records)

    # -- the imports

    def on_call(self, operation: int, handle: int, pointer: int, length: int, offset: int) -> int:
        """Answer `host.call`. Never raises: nothing may unwind through wasm frames."""
        machine = self._machine
        machine.interrupter.enter_host()
        try:
            # A program that corrupted its VM may ask for anything.
            if pointer + length > machine.memory_bytes():
                return FAILED
            return self._serve(operation, handle, pointer, length, offset)
        except BaseException as error:  # noqa: BLE001  (kept for whoever made the call)
            if self._error is None:  # a later one comes of the first
                self._error = error
            # It cannot be raised before the program has ended, so the program shall end.
            machine.interrupter.request()
            return FAILED
        finally:
            machine.interrupter.leave_host()

    def _serve(self, operation: int, handle: int, pointer: int, length: int, offset: int) -> int:
        machine = self._machine
        if operation == _STORE:
            return self._store(handle, machine.read(pointer, length), offset)
        if operation == _OUTPUT:
            records = machine.read(pointer, length)
            # It may be stopped before it notes that this is sent; what is left is sent then.
            machine.words[machine.info[Info.OUTPUT_LENGTH] >> 2] = 0
            return 0 if self._host.output(records) else 1
        if operation == _RESPONSE:
            self._response.append(machine.read(pointer, length))
            return 0
        if operation == _PAYLOAD:
            return machine.write(pointer, self._payload[offset : offset + length])
        if operation == _STORE_READ:
            return machine.write(pointer, self._reply[offset : offset + length])
        if operation == _STORE_PIECE:
            self._pieces_bytes += length
            if self._pieces_bytes > STORE_REQUEST_BYTES_MAX:
                return FAILED
            self._pieces.append(machine.read(pointer, length))
            return 0
        if operation == _OPEN:
            return self._open(machine.read(pointer, length))
        if operation == _READ:
            return machine.write(pointer, self._files.get(handle, b"")[offset : offset + length])
        if operation == _CLOSE:
            self._files.pop(handle, None)
            return 0
        if operation == _SOURCE:
            content = self._files.get(handle)
            return 0 if content is None else self._host.source(content)
        return FAILED

    def _open(self, name: bytes) -> int:
        content = self._host.open(name)
        if content is None or len(self._files) >= FILES_OPEN_MAX:
            return FAILED
        number = next(index for index in range(FILES_OPEN_MAX) if index not in self._files)
        self._files[number] = content
        return number

    # -- the store

    def _store(self, operation: int, last: bytes, target: int) -> int:
        request = last
        if self._pieces:
            self._pieces.append(last)
            request = b"".join(self._pieces)
            self._pieces.clear()
            self._pieces_bytes = 0
        if self._error is not None:
            return FAILED  # the evaluation has failed: nothing more may reach the store
        if target + STORE_REPLY_BYTES > self._machine.memory_bytes():
            return FAILED
        if operation == _BEGIN:
            self._check_room()
        elif operation in (_RELEASE, _ROLLBACK) and not self._savepoints:
            raise CoreError("the core ended a transaction that it had not begun")
        reply = self._reply = self._host.store(operation, request)
        if operation == _ROLLBACK:
            self._undo()
        if target:
            self._machine.write(target, reply[:STORE_REPLY_BYTES])
        if operation == _BEGIN:
            self._keep()
        elif operation == _RELEASE:
            self._spare_images.append(self._savepoints.pop().image)
        return len(reply)

    def _check_room(self) -> None:
        if len(self._savepoints) >= SAVEPOINTS_MAX:
            raise StoreError(f"more than {SAVEPOINTS_MAX} transactions stand inside of each other")
        taken = sum(savepoint.image.size_bytes for savepoint in self._savepoints)
        used = min(self._machine.used_bytes(), self._machine.memory_bytes())
        if taken + used > SAVEPOINT_BYTES_MAX:
            raise StoreError(
                "the transactions inside of each other need more than "
                f"{SAVEPOINT_BYTES_MAX} bytes to be undone; nest fewer of them, or hold less in "
                "plain Lua tables"
            )

    def _keep(self) -> None:
        image = self._spare_images.pop() if self._spare_images else Image()
        self._machine.capture_inside(image)
        self._savepoints.append(_Savepoint(image, dict(self._files)))

    def _undo(self) -> None:
        savepoint = self._savepoints.pop()
        self._machine.restore_inside(savepoint.image)
        self._files = savepoint.files
        self._spare_images.append(savepoint.image)
        # What asks the program to stop stood in the memory that was written over.
        self._machine.interrupter.renew()

    # -- the clock

    @staticmethod
    def on_clock(kind: int, argument: float) -> float:
        """Answer `host.clock`. Never raises."""
        try:
            if kind == Clock.UTC:
                return time.time()
            if kind == Clock.MONOTONIC:
                return time.monotonic()
            local = time.localtime(argument)
            if kind == Clock.LOCAL_DAYLIGHT_SAVING:
                return float(local.tm_isdst > 0)
            return float(local.tm_gmtoff)
        except (ValueError, OverflowError, OSError):
            # A time that the platform's calendar does not reach.
            return 0.0
