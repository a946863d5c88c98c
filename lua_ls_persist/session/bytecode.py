"""Lua 5.4's binary chunks: finding one function in the code of a whole source.

Written after `ldump.c` and `lundump.c`. Reads only what this process's own compiler has just made:
what comes from anywhere else goes to the core's verifier.
"""

from __future__ import annotations

from dataclasses import dataclass

from lua_ls_persist.errors import WireError

HEADER_BYTES = 31
_INSTRUCTION_BYTES = 4
_NUMBER_BYTES = 8
_UPVALUE_BYTES = 3
_CONSTANT_NUMBERS = frozenset({0x03, 0x13})
_CONSTANT_STRINGS = frozenset({0x04, 0x14})


@dataclass(frozen=True, slots=True)
class Found:
    """A function of a chunk, as a chunk of its own."""

    bytecode: bytes
    line_defined: int
    last_line: int
    parameters: int
    is_vararg: bool
    upvalues: tuple[str, ...]


def function_of(chunk: bytes, ordinal: int) -> Found:
    """The function with this number in a binary chunk: the chunk is 0, those in it follow.

    Raises:
        WireError: there is no such function.
    """
    return _Walk(chunk, ordinal).found()


class _Walk:
    """Goes through the functions of a chunk in the order in which they are numbered."""

    def __init__(self, chunk: bytes, ordinal: int) -> None:
        self._chunk = chunk
        self._position = HEADER_BYTES + 1
        self._left = ordinal
        self._found: Found | None = None

    def found(self) -> Found:
        self._function(b"\x80")
        if self._found is None:
            raise WireError("the source has fewer functions than it had")
        return self._found

    def _function(self, outer_source: bytes) -> None:
        wanted = self._left == 0
        self._left -= 1
        source = self._string() or outer_source
        start = self._position
        line_defined, last_line = self._number(), self._number()
        parameters, is_vararg, _stack_size = self._take(3)
        self._take(self._number() * _INSTRUCTION_BYTES)
        for _ in range(self._number()):
            self._constant()
        upvalue_count = self._number()
        self._take(upvalue_count * _UPVALUE_BYTES)
        for _ in range(self._number()):
            self._function(source)
        names = self._debug()
        if wanted:
            own = self._chunk[start : self._position]
            head = self._chunk[:HEADER_BYTES] + bytes((upvalue_count,))
            self._found = Found(
                head + source + own, line_defined, last_line, parameters, is_vararg > 0, names
            )

    def _constant(self) -> None:
        (kind,) = self._take(1)
        if kind in _CONSTANT_NUMBERS:
            self._take(_NUMBER_BYTES)
        elif kind in _CONSTANT_STRINGS:
            self._string()

    def _debug(self) -> tuple[str, ...]:
        """Steps over the lines and the names; the upvalues' names."""
        self._take(self._number())
        for _ in range(self._number()):
            self._number()
            self._number()
        for _ in range(self._number()):
            self._string()
            self._number()
            self._number()
        return tuple(_text(self._string()) for _ in range(self._number()))

    def _string(self) -> bytes:
        """The next string with its length before it; empty if there is none."""
        start = self._position
        length = self._number()
        if length == 0:
            return b""
        self._take(length - 1)
        return self._chunk[start : self._position]

    def _number(self) -> int:
        """The next number: seven bits a byte, the greatest first, the last byte marked."""
        number = 0
        while True:
            (byte,) = self._take(1)
            number = number << 7 | byte & 0x7F
            if byte & 0x80:
                return number

    def _take(self, count: int) -> bytes:
        start = self._position
        self._position += count
        if self._position > len(self._chunk):
            raise WireError("the chunk is truncated")
        return self._chunk[start : self._position]


def _text(string: bytes) -> str:
    """A string without the length before it."""
    at = 0
    while at < len(string) and not string[at] & 0x80:
        at += 1
    return string[at + 1 :].decode("utf-8", "backslashreplace")
