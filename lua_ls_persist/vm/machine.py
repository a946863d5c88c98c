"""One instance of the core: its memory, its calls, its images.

A machine knows nothing of sessions, files or databases: whoever calls it hands it a `Host`, which
takes output and answers what the program asks for. All methods but `interrupt` belong to one thread
at a time.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import final

import wasmtime

from lua_ls_persist.errors import CoreError, TrapError, WireError
from lua_ls_persist.protocol import IO_BUFFER_BYTES, LAYOUT_VERSION, Bytecode, Info
from lua_ls_persist.vm import fastcall
from lua_ls_persist.vm.host import GivenUp, Host, Stopped
from lua_ls_persist.vm.hostcalls import HostCalls
from lua_ls_persist.vm.image import Image, copy_memory
from lua_ls_persist.vm.interrupt import Cause, Interrupter, write_hook
from lua_ls_persist.vm.module import CompiledCore

PAGE_BYTES = 65536
MEMORY_LIMIT_BYTES_MIN = 1024 * 1024
MEMORY_LIMIT_BYTES_MAX = 2**32 - PAGE_BYTES
TRACE_TIME_LIMIT_S = 0.02
_OTHER_VERSION = "core and package are of different versions; reinstall the package"
_STACK_POINTER = "__stack_pointer"


@final
class Machine:
    """A Lua VM in WebAssembly.

    Args:
        core: the compiled core, from `load_core`.
        memory_limit_bytes: the linear memory's cap; at least 1 MiB.
        fast: whether to use the fast route across the boundary; by default where it is available.

    Raises:
        CoreError: the core has another layout, or the limit is too small or too large.
    """

    def __init__(
        self,
        core: CompiledCore,
        *,
        memory_limit_bytes: int = 64 * 1024 * 1024,
        fast: bool | None = None,
    ) -> None:
        if not MEMORY_LIMIT_BYTES_MIN <= memory_limit_bytes <= MEMORY_LIMIT_BYTES_MAX:
            raise CoreError(
                f"the memory limit of {memory_limit_bytes} bytes is not between "
                f"{MEMORY_LIMIT_BYTES_MIN} and {MEMORY_LIMIT_BYTES_MAX}"
            )
        self.core = core
        self.memory_limit_bytes = memory_limit_bytes // PAGE_BYTES * PAGE_BYTES
        self._calls = HostCalls(self)
        self._closed = False
        self.failure: Stopped | None = None
        """If the host raised in the last call: how that call ended, and where Lua was."""
        self.restores = 0
        """How often it went back to an image."""
        self._store = wasmtime.Store(core.engine)
        self._store.set_limits(memory_size=self.memory_limit_bytes)
        if core.signals is None:
            self._store.set_epoch_deadline(1)
        self._fast = fastcall.available() if fast is None else fast
        imports = fastcall.fast_imports if self._fast else fastcall.plain_imports
        call, clock, self._keep_alive = imports(
            self._store, self._calls.on_call, self._calls.on_clock
        )
        self._instantiate({"call": call, "clock": clock})
        self.interrupter = Interrupter(self, core.engine, core.signals)
        self._open()

    def _instantiate(self, functions: dict[str, wasmtime.Func]) -> None:
        try:
            imports = [functions[item.name or ""] for item in self.core.module.imports]
            self._instance = wasmtime.Instance(self._store, self.core.module, imports)
        except KeyError as error:
            raise CoreError(f"the core wants an import {error}: {_OTHER_VERSION}") from None
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            lines = [line.strip() for line in str(error).splitlines()]
            message = ": ".join(line for line in lines if line not in ("", "Caused by:"))
            if "mmap" in message:
                message += (
                    "; each VM reserves about 8 GiB of address space (not memory): "
                    "raise the limit on address space (ulimit -v), or open fewer VMs"
                )
            raise CoreError(f"the core cannot be started: {message}") from error
        exports = self._instance.exports(self._store)
        try:
            memory, stack = exports["memory"], exports[_STACK_POINTER]
            exported = {name: exports[name] for name in _FUNCTIONS}
        except KeyError as error:
            raise CoreError(f"the core has no export {error}: {_OTHER_VERSION}") from None
        assert isinstance(memory, wasmtime.Memory)
        assert isinstance(stack, wasmtime.Global)
        self._memory = memory
        self._stack_pointer = stack
        self._stack_start = int(stack.value(self._store))
        self.base = ctypes.addressof(memory.data_ptr(self._store).contents)
        """Address of the linear memory in this process."""
        self.words = (ctypes.c_uint32 * (self.memory_limit_bytes // 4)).from_address(self.base)
        """The linear memory as u32, up to the limit; only `memory_bytes()` of it are accessible."""
        bind = fastcall.fast_export if self._fast else fastcall.plain_export
        self._functions: dict[str, fastcall.Export] = {}
        for name, function in exported.items():
            assert isinstance(function, wasmtime.Func)
            has_argument = len(function.type(self._store).params) > 0
            self._functions[name] = bind(self._store, function, has_argument=has_argument)

    def _open(self) -> None:
        place = self._functions["core_info"]() >> 2
        words = self.words
        if words[place + Info.LAYOUT_VERSION // 4] != LAYOUT_VERSION:
            raise CoreError(
                f"the core has layout {words[place]}, this package needs {LAYOUT_VERSION}: "
                f"{_OTHER_VERSION}"
            )
        self.info = {offset: words[place + offset // 4] for offset in range(0, Info.SIZE, 4)}
        self.layout_version = LAYOUT_VERSION
        self.lua_version = self.read(
            self.info[Info.LUA_VERSION], self.info[Info.LUA_VERSION_LENGTH]
        ).decode()
        self._io = self.base + self.info[Info.IO_BUFFER]
        if self._functions["core_open"]() != 0:
            raise CoreError(
                f"the VM does not fit into {self.memory_limit_bytes} bytes; raise the memory limit"
            )

    # -- calls

    def call(
        self,
        name: str,
        request: bytes = b"",
        *,
        payload: bytes | memoryview = b"",
        host: Host | None = None,
        time_limit_s: float | None = None,
    ) -> bytes:
        """Call an export with a request of at most `IO_BUFFER_BYTES`; return its whole response.

        `payload` is what the core fetches in pieces, if the request refers to it.

        Raises:
            Stopped: interrupted, out of time, or trapped; restore an image before the next call.
            BaseException: what a method of the host raised; restore an image as well.
        """
        assert len(request) <= IO_BUFFER_BYTES
        self._calls.begin(host, payload)
        return self._response(self._run(name, request, time_limit_s))

    def _response(self, length: int) -> bytes:
        """The whole response, of which the last `length` bytes are in the I/O buffer."""
        last = ctypes.string_at(self._io, min(length, IO_BUFFER_BYTES))
        return self._calls.response(last)

    def number(
        self, name: str, *, host: Host | None = None, time_limit_s: float | None = None
    ) -> int:
        """Call an export without a request that returns a number. Raises as `call`."""
        self._calls.begin(host, b"")
        return self._run(name, b"", time_limit_s)

    def _check_open(self) -> None:
        # The memory of a closed machine is not mapped any more: touching it would end the process.
        if self._closed:
            raise CoreError("the machine is closed")

    def _run(self, name: str, request: bytes, time_limit_s: float | None) -> int:
        self._check_open()
        self.failure = None
        if request:
            copy_memory(self._io, request, len(request))
        if self.core.signals is None:
            self._store.set_epoch_deadline(1)
        interrupter = self.interrupter
        interrupter.begin(time_limit_s)
        trap: TrapError | None = None
        result = 0
        try:
            result = self._functions[name](len(request))
        except TrapError as error:
            trap = error
        finally:
            cause = interrupter.end()
        host_error = self._calls.end()
        if host_error is not None:
            self.failure = self._stop(trap, cause, result)
            if isinstance(host_error, GivenUp):
                raise self.failure from None
            raise host_error
        if trap is not None:
            # The core may have been stopped while it wrote a record: what is cut is left out.
            with contextlib.suppress(WireError):
                self._drain_output()
        if trap is not None or cause is not None or not self._heap_is_sane():
            raise self._stop(trap, cause, result) from None
        return result

    def _stop(self, trap: TrapError | None, cause: Cause | None, result: int) -> Stopped:
        """How a call ended that did not end by itself."""
        if trap is not None:
            return Stopped(str(trap), cause, response=b"", trace=self._post_mortem())
        if cause is not None:
            # What asked it to stop may have been written anywhere: the memory counts as broken.
            return Stopped("stopped", cause, response=self._response(result), trace=b"")
        return Stopped("the program corrupted its memory", None, response=b"", trace=b"")

    def _heap_is_sane(self) -> bool:
        """Whether the heap's top, up to which images are copied, lies within the memory.

        Loaded bytecode may have written anything anywhere.
        """
        top = self.words[self.info[Info.HEAP_TOP] >> 2]
        start = self.info[Info.EXCHANGE_END]
        return start <= top <= self._memory.data_len(self._store) - 4 and top & 3 == 0

    def _post_mortem(self) -> bytes:
        """Ask the core, stopped in the middle, where Lua was."""
        if self.core.signals is None:
            self._store.set_epoch_deadline(1)
        self.interrupter.begin(TRACE_TIME_LIMIT_S)
        try:
            length = self._functions["core_trace"]()
        except TrapError:  # the VM is broken so that nobody can tell where Lua was
            length = 0
        self.interrupter.end()
        return ctypes.string_at(self._io, min(length, IO_BUFFER_BYTES))

    def _drain_output(self) -> None:
        length = self.words[self.info[Info.OUTPUT_LENGTH] >> 2]
        if 0 < length <= self.info[Info.EXCHANGE_END] - self.info[Info.OUTPUT_BUFFER]:
            self._calls.output(self.read(self.info[Info.OUTPUT_BUFFER], length))

    # -- interrupts

    def expect_call(self) -> None:
        """A call follows at once; an interrupt from now on is meant for it."""
        self.interrupter.expect()

    def expect_nothing(self) -> None:
        """What was expected does not come: the host did its work without a call."""
        self.interrupter.expect_nothing()

    @property
    def stopping(self) -> bool:
        """Whether the call that runs was asked to stop: what takes long in a host looks here."""
        return self.interrupter.stopping

    def interrupt(self) -> bool:
        """Stop the call that runs, see `vm.interrupt`. Any thread. False if none runs."""
        return self.interrupter.request()

    @property
    def stop_kind(self) -> str:
        """How calls are stopped that do not listen: `protection` or `epoch`."""
        return self.interrupter.kind

    def ask_to_stop(self) -> None:
        """For the interrupter: make the next instruction of Lua code raise an error."""
        write_hook(self)

    # -- memory

    def memory_bytes(self) -> int:
        """The linear memory's present size."""
        self._check_open()
        return self._memory.data_len(self._store)

    def used_bytes(self) -> int:
        """How far the linear memory is in use: stack, static data, buffers, heap up to its top."""
        self._check_open()
        return self.words[self.info[Info.HEAP_TOP] >> 2]

    def allow_bytecode(self, which: Bytecode) -> None:
        """Which binary chunks the program may load: at first, none."""
        self._check_open()
        self.words[self.info[Info.BYTECODE] >> 2] = which

    def limit_cache(self, entries_max: int) -> None:
        """How many entries of the store the VM may keep in its caches between evaluations."""
        self._check_open()
        self.words[self.info[Info.CACHE_ENTRIES_MAX] >> 2] = entries_max

    def read(self, address: int, length: int) -> bytes:
        """For host functions: bytes of the linear memory. They must be inside of it."""
        return ctypes.string_at(self.base + address, length)

    def write(self, address: int, content: bytes | memoryview) -> int:
        """For host functions: put bytes into the linear memory, which must have room for them.

        Returns how many.
        """
        copy_memory(self.base + address, bytes(content), len(content))
        return len(content)

    # -- images

    def segments(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The parts of the linear memory that are the VM's state: (address, length) of each."""
        self._check_open()
        info = self.info
        start, gap, rest = (
            info[Info.IMAGE_START],
            info[Info.EXCHANGE_START],
            info[Info.EXCHANGE_END],
        )
        # The word at the heap's top is the header of the unused rest.
        top = self.words[info[Info.HEAP_TOP] >> 2] + 4
        return (start, gap - start), (rest, top - rest)

    def capture(self, image: Image | None = None) -> Image:
        """Copy the VM's state, into `image` if one is given."""
        image = Image() if image is None else image
        segments = self.segments()
        image.fill(self.base, segments, self._memory.data_len(self._store))
        return image

    def adopt(self, image: Image) -> None:
        """Restore an image that was kept somewhere else, after a look at whether it is one.

        Raises:
            CoreError: it is no image of a VM of this core, or does not fit into the memory limit.
        """
        info = self.info
        start, gap, rest = (
            info[Info.IMAGE_START],
            info[Info.EXCHANGE_START],
            info[Info.EXCHANGE_END],
        )
        segments = image.segments
        end = image.memory_bytes
        if (
            len(segments) != 2
            or segments[0] != (start, gap - start)
            or segments[1][0] != rest
            or not 0 < segments[1][1] <= end - rest
            or end % PAGE_BYTES != 0
        ):
            raise CoreError("the image is not one of this core")
        before = self.capture()
        self.restore(image)
        if self.used_bytes() + 4 != rest + segments[1][1]:
            self.restore(before)
            raise CoreError("the image is not one of this core")

    def restore(self, image: Image) -> None:
        """Make the VM what it was when `image` was captured, also in another machine's memory.

        Raises:
            CoreError: the image does not fit into the memory limit.
        """
        missing = image.memory_bytes - self.memory_bytes()
        if missing > 0:
            # The VM in the image knows how large its memory was and relies on it.
            try:
                self._memory.grow(self._store, missing // PAGE_BYTES)
            except wasmtime.WasmtimeError as error:
                raise CoreError(
                    f"an image of a VM with {image.memory_bytes} bytes of memory does not fit "
                    f"into the memory limit of {self.memory_limit_bytes} bytes"
                ) from error
        image.copy_to(self.base)
        self.restores += 1
        self._stack_pointer.set_value(self._store, self._stack_start)

    def capture_inside(self, image: Image) -> None:
        """For host functions: copy the VM's state in the middle of a call, stack included.

        Raises:
            CoreError: the program corrupted its memory.
        """
        if not self._heap_is_sane():
            raise CoreError("the program corrupted its memory")
        pointer = int(self._stack_pointer.value(self._store))
        stack = (pointer, self._stack_start - pointer)
        image.fill(self.base, (stack, *self.segments()), self._memory.data_len(self._store))
        image.stack_pointer = pointer

    def restore_inside(self, image: Image) -> None:
        """For host functions: go back to an image of this same call.

        Raises:
            CoreError: the core asks for it from another frame than the one that was captured.
        """
        if int(self._stack_pointer.value(self._store)) != image.stack_pointer:
            raise CoreError("the core begins and undoes a transaction in different frames")
        image.copy_to(self.base)

    # -- life

    def close(self) -> None:
        """Give the memory back. Idempotent."""
        self._closed = True
        self.interrupter.close()
        self._store.close()

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_FUNCTIONS = (
    "core_collect",
    "core_compile",
    "core_description",
    "core_echo",
    "core_evaluate",
    "core_fields",
    "core_flush",
    "core_info",
    "core_lua_bytes",
    "core_open",
    "core_references",
    "core_trace",
)
