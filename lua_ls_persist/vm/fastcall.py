"""The short way across the WebAssembly boundary: calls of exports and imports without wasmtime's
conversions, about twenty times faster than its public Python functions.

This uses private surface of the binding (`wasmtime._ffi`, `Store._context`, `Func._func`), which is
why the dependency's version range is narrow. Where that surface has changed, `available()` is false
and the machine uses the public functions (`plain_export`, `plain_imports`): slower, the same
results. Both ways are tested.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import wasmtime

from lua_ls_persist.errors import TrapError

CallImport: TypeAlias = Callable[[int, int, int, int, int], int]
ClockImport: TypeAlias = Callable[[int, float], float]

_SLOTS = 5
"""Raw values are 16 bytes each; no function of the core takes more than five arguments."""


_CallSlots = ctypes.c_uint32 * (_SLOTS * 4)
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)


class _ClockSlots(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_uint32),
        ("padding", ctypes.c_uint32 * 3),
        ("argument", ctypes.c_double),
    )


class Export(Protocol):
    """A function of the core that takes at most one u32 and returns a u32."""

    def __call__(self, argument: int = 0) -> int:
        """Call it. Raises `TrapError` if the core stopped in the middle."""
        ...


def available() -> bool:
    """Whether this binding has what the fast way needs."""
    try:
        from wasmtime import _ffi
    except ImportError:
        return False
    names = ("wasmtime_func_call_unchecked", "wasmtime_func_new_unchecked", "wasmtime_func_t")
    return (
        all(hasattr(_ffi, name) for name in names)
        and hasattr(_ffi, "dll")
        and hasattr(wasmtime.Store, "_context")
    )


def fast_export(store: wasmtime.Store, function: wasmtime.Func, *, has_argument: bool) -> Export:
    """Bind an export for calls by `wasmtime_func_call_unchecked`."""
    from wasmtime import _ffi

    invoke = _ffi.dll["wasmtime_func_call_unchecked"]
    invoke.restype = ctypes.c_void_p
    invoke.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t, ctypes.c_void_p]
    slots = (ctypes.c_uint32 * 4)()
    trap = ctypes.c_void_p()
    raw_function = function._func
    context_address = ctypes.cast(store._context(), ctypes.c_void_p)
    function_address = ctypes.c_void_p(ctypes.addressof(raw_function))
    slots_address = ctypes.c_void_p(ctypes.addressof(slots))
    trap_address = ctypes.c_void_p(ctypes.addressof(trap))

    def call(argument: int = 0) -> int:
        if has_argument:
            slots[0] = argument
        error = invoke(context_address, function_address, slots_address, 1, trap_address)
        if error is None and not trap.value:
            return slots[0]
        pointer = trap.value
        trap.value = None
        raise TrapError(_describe(pointer, error))

    # The struct lives as long as the function that uses its address.
    call.keep_alive = (raw_function, store)  # type: ignore[attr-defined]
    return call


def _describe(trap: int | None, error: int | None) -> str:
    from wasmtime import _ffi

    if trap:
        trap_pointer = ctypes.cast(ctypes.c_void_p(trap), ctypes.POINTER(_ffi.wasm_trap_t))
        return _cause(wasmtime.Trap._from_ptr(trap_pointer))
    error_pointer = ctypes.cast(ctypes.c_void_p(error), ctypes.POINTER(_ffi.wasmtime_error_t))
    return _cause(wasmtime.WasmtimeError._from_ptr(error_pointer))


def _cause(error: wasmtime.Trap | wasmtime.WasmtimeError) -> str:
    # The first line says that a call failed, the last one why: `    1: wasm trap: ...`.
    return re.sub(r"^\d+: ", "", str(error).strip().splitlines()[-1].strip())


def plain_export(store: wasmtime.Store, function: wasmtime.Func, *, has_argument: bool) -> Export:
    """Bind an export for calls by the public API."""

    def call(argument: int = 0) -> int:
        try:
            result = function(store, argument) if has_argument else function(store)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise TrapError(_cause(error)) from None
        return int(result) & 0xFFFFFFFF

    return call


def _types() -> tuple[wasmtime.FuncType, wasmtime.FuncType]:
    i32, f64 = wasmtime.ValType.i32(), wasmtime.ValType.f64()
    return wasmtime.FuncType([i32] * 5, [i32]), wasmtime.FuncType([i32, f64], [f64])


def fast_imports(
    store: wasmtime.Store, call: CallImport, clock: ClockImport
) -> tuple[wasmtime.Func, wasmtime.Func, Any]:
    """Make the two host functions, and an object that must live as long as they are used.

    Neither `call` nor `clock` may raise.
    """
    from wasmtime import _ffi

    int_slots = _CallSlots.from_address

    def on_call(_env: int, _caller: int, raw: int, _count: int) -> None:
        slots = int_slots(raw)
        slots[0] = call(slots[0], slots[4], slots[8], slots[12], slots[16]) & 0xFFFFFFFF

    def on_clock(_env: int, _caller: int, raw: int, _count: int) -> None:
        slots = _ClockSlots.from_address(raw)
        result = clock(slots.kind, slots.argument)
        ctypes.c_double.from_address(raw).value = result

    create = _ffi.dll["wasmtime_func_new_unchecked"]
    create.restype = None
    create.argtypes = [ctypes.c_void_p] * 6
    functions = []
    callbacks = [_Callback(on_call), _Callback(on_clock)]
    types = _types()
    for callback, function_type in zip(callbacks, types, strict=True):
        raw_function = _ffi.wasmtime_func_t()
        create(
            ctypes.cast(store._context(), ctypes.c_void_p),
            ctypes.cast(function_type.ptr(), ctypes.c_void_p),
            ctypes.cast(callback, ctypes.c_void_p),
            None,
            None,
            ctypes.addressof(raw_function),
        )
        functions.append(wasmtime.Func._from_raw(raw_function))
    return functions[0], functions[1], (callbacks, types)


def plain_imports(
    store: wasmtime.Store, call: CallImport, clock: ClockImport
) -> tuple[wasmtime.Func, wasmtime.Func, Any]:
    """Make the two host functions by the public API."""

    def on_call(*arguments: int) -> int:
        unsigned = [argument & 0xFFFFFFFF for argument in arguments]
        result = call(unsigned[0], unsigned[1], unsigned[2], unsigned[3], unsigned[4])
        return result if result < 0x80000000 else result - 0x100000000

    call_type, clock_type = _types()
    return wasmtime.Func(store, call_type, on_call), wasmtime.Func(store, clock_type, clock), None
