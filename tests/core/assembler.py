"""Binary chunks of Lua 5.4 made by hand, also such as no compiler makes."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

OPCODES = """
MOVE LOADI LOADF LOADK LOADKX LOADFALSE LFALSESKIP LOADTRUE LOADNIL GETUPVAL SETUPVAL
GETTABUP GETTABLE GETI GETFIELD SETTABUP SETTABLE SETI SETFIELD NEWTABLE SELF ADDI ADDK
SUBK MULK MODK POWK DIVK IDIVK BANDK BORK BXORK SHRI SHLI ADD SUB MUL MOD POW DIV IDIV
BAND BOR BXOR SHL SHR MMBIN MMBINI MMBINK UNM BNOT NOT LEN CONCAT CLOSE TBC JMP EQ LT LE
EQK EQI LTI LEI GTI GEI TEST TESTSET CALL TAILCALL RETURN RETURN0 RETURN1 FORLOOP FORPREP
TFORPREP TFORCALL TFORLOOP SETLIST CLOSURE VARARG VARARGPREP EXTRAARG
"""
NUMBERS = {name: number for number, name in enumerate(re.findall(r"\w+", OPCODES))}

HEADER = (
    b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08"
    + struct.pack("<q", 0x5678)
    + struct.pack("<d", 370.5)
)
JUMP_OFFSET = (1 << 24) - 1


def abc(name: str, a: int = 0, b: int = 0, c: int = 0, k: int = 0) -> int:
    return NUMBERS[name] | a << 7 | k << 15 | b << 16 | c << 24


def abx(name: str, a: int, bx: int) -> int:
    return NUMBERS[name] | a << 7 | bx << 15


def asbx(name: str, a: int, value: int) -> int:
    return abx(name, a, value + 0xFFFF)


def ax(value: int) -> int:
    return NUMBERS["EXTRAARG"] | value << 7


def jump(offset: int) -> int:
    return NUMBERS["JMP"] | offset + JUMP_OFFSET << 7


def number(value: int) -> bytes:
    """Seven bits a byte, the last one marked."""
    parts = [value & 0x7F | 0x80]
    while value := value >> 7:
        parts.append(value & 0x7F)
    return bytes(reversed(parts))


def string(content: bytes | None) -> bytes:
    return number(0) if content is None else number(len(content) + 1) + content


def constant(value: bool | float | bytes | None) -> bytes:
    match value:
        case None:
            return b"\x00"
        case bool():
            return b"\x11" if value else b"\x01"
        case int():
            return b"\x03" + struct.pack("<q", value)
        case float():
            return b"\x13" + struct.pack("<d", value)
        case bytes():
            return (b"\x04" if len(value) <= 40 else b"\x14") + string(value)


@dataclass(frozen=True)
class Function:
    """A prototype: what `dump` writes, without debug information where none is given."""

    code: Sequence[int]
    registers: int = 8
    parameters: int = 0
    is_vararg: int = 0
    constants: Sequence[bytes] = ()
    upvalues: Sequence[tuple[int, int, int]] = ()
    functions: Sequence[Function] = ()
    lines: bytes = b""
    absolute_lines: Sequence[tuple[int, int]] = ()
    variables: Sequence[tuple[bytes | None, int, int]] = ()
    names: Sequence[bytes] = ()
    source: bytes | None = None

    def with_(self, **changes: object) -> Function:
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def content(self) -> bytes:
        return b"".join(
            (
                string(self.source),
                number(1),
                number(2),
                bytes((self.parameters, self.is_vararg, self.registers)),
                number(len(self.code)),
                struct.pack(f"<{len(self.code)}I", *self.code),
                number(len(self.constants)),
                *self.constants,
                number(len(self.upvalues)),
                *(bytes(upvalue) for upvalue in self.upvalues),
                number(len(self.functions)),
                *(function.content for function in self.functions),
                number(len(self.lines)),
                self.lines,
                number(len(self.absolute_lines)),
                *(number(pc) + number(line) for pc, line in self.absolute_lines),
                number(len(self.variables)),
                *(
                    string(name) + number(start) + number(end)
                    for name, start, end in self.variables
                ),
                number(len(self.names)),
                *map(string, self.names),
            )
        )

    @property
    def chunk(self) -> bytes:
        return HEADER + bytes((len(self.upvalues) & 255,)) + self.content
