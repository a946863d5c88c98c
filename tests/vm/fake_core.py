"""A core that does what a test tells it: a list of calls of the host, one after the other.

It stands in for the real one where a test wants the host functions alone, with arguments that the
real one never has.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import wasmtime

from lua_ls_persist.protocol import IO_BUFFER_BYTES, LAYOUT_VERSION, OUTPUT_BUFFER_BYTES, Info
from lua_ls_persist.vm import CompiledCore, Host, Machine

POKE, SET_STACK = 1000, 1001
"""Operations that are not the host's: write `length` to `pointer`; set the stack pointer."""

STACK_START = 1024
IMAGE_START = STACK_START
INFO = 1024
WORDS = 2048
"""Words that the info points to, one after the other; part of images."""
STATE = 3072
"""Some memory that is part of images."""
IO = 4096
OUTPUT = IO + IO_BUFFER_BYTES
SCRATCH = OUTPUT + OUTPUT_BUFFER_BYTES
"""Some memory that is no part of images: for requests and replies."""
EXCHANGE_END = SCRATCH + 128 * 1024
HEAP_TOP = EXCHANGE_END + 4096

_WORD_OF = {
    Info.HEAP_TOP: WORDS,
    Info.OUTPUT_LENGTH: WORDS + 4,
    Info.OUTPUT_DISCARD: WORDS + 8,
    Info.RUNNING: WORDS + 12,
    Info.INTERRUPT: WORDS + 16,
    Info.BYTECODE: WORDS + 20,
}
INTERRUPT = _WORD_OF[Info.INTERRUPT]
_VALUE_OF = {
    Info.LAYOUT_VERSION: LAYOUT_VERSION,
    Info.IO_BUFFER: IO,
    Info.OUTPUT_BUFFER: OUTPUT,
    Info.IMAGE_START: IMAGE_START,
    Info.EXCHANGE_START: IO,
    Info.EXCHANGE_END: EXCHANGE_END,
} | _WORD_OF

_COMMAND = struct.Struct("<5I")

_CODE = f"""
  (import "host" "call" (func $call (param i32 i32 i32 i32 i32) (result i32)))
  (import "host" "clock" (func $clock (param i32 f64) (result f64)))
  (memory (export "memory") 16)
  (global $stack (export "__stack_pointer") (mut i32) (i32.const {STACK_START}))
  (func (export "core_info") (result i32) i32.const {INFO})
  (func (export "core_evaluate") (param $length i32) (result i32)
    (local $at i32) (local $end i32) (local $operation i32)
    (local.set $at (i32.const {IO}))
    (local.set $end (i32.add (i32.const {IO}) (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $operation (i32.load (local.get $at)))
        (if (i32.eq (local.get $operation) (i32.const {POKE}))
          (then
            (i32.store (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at))))
          (else
            (if (i32.eq (local.get $operation) (i32.const {SET_STACK}))
              (then (global.set $stack (i32.load offset=8 (local.get $at))))
              (else
                (i32.store
                  (local.get $at)
                  (call $call
                    (local.get $operation)
                    (i32.load offset=4 (local.get $at))
                    (i32.load offset=8 (local.get $at))
                    (i32.load offset=12 (local.get $at))
                    (i32.load offset=16 (local.get $at))))))))
        (local.set $at (i32.add (local.get $at) (i32.const {_COMMAND.size})))
        (br $next)))
    (local.get $length))
"""


def fake_core(core: CompiledCore) -> CompiledCore:
    """The core above, in the engine of the real one."""
    info = b"".join(
        struct.pack("<I", _VALUE_OF.get(offset, 0)) for offset in range(0, Info.SIZE, 4)
    )
    data = {INFO: info, _WORD_OF[Info.HEAP_TOP]: struct.pack("<I", HEAP_TOP)}
    parts = [
        *(
            f'(func (export "{name}") (param i32) (result i32) i32.const 0)'
            for name in ("core_compile", "core_echo", "core_fields")
        ),
        *(
            f'(func (export "{name}") (result i32) i32.const 0)'
            for name in (
                "core_collect",
                "core_description",
                "core_flush",
                "core_lua_bytes",
                "core_open",
                "core_references",
            )
        ),
        '(func (export "core_trace") (result i32) i32.const 0)',
        *(f'(data (i32.const {place}) "{_escaped(content)}")' for place, content in data.items()),
    ]
    module = wasmtime.Module(core.engine, f"(module {_CODE} {' '.join(parts)})")
    return CompiledCore(core.engine, module, "0" * 64, core.signals)


def _escaped(content: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in content)


def perform(
    machine: Machine, commands: Sequence[tuple[int, int, int, int, int]], host: Host
) -> list[int]:
    """What `host.call` answered to each of the commands; of those for the fake core, its number."""
    request = b"".join(_COMMAND.pack(*command) for command in commands)
    response = machine.call("core_evaluate", request, host=host, time_limit_s=30.0)
    answers = [fields[0] for fields in _COMMAND.iter_unpack(response)]
    return [answer - 2**32 if answer >= 2**31 else answer for answer in answers]


def put(machine: Machine, address: int, content: bytes) -> None:
    """Put bytes into the machine's memory, for a command to refer to."""
    machine.write(address, content)


def word(machine: Machine, address: int) -> int:
    """A word of the machine's memory."""
    return machine.words[address >> 2]
