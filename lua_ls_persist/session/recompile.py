"""Compiling a stored function again from its stored source, when its code is refused."""

from __future__ import annotations

from lua_ls_persist.errors import StoreError, WireError
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session.bytecode import function_of
from lua_ls_persist.session.request import PreviewLimits, evaluation_request
from lua_ls_persist.store import CodeRow
from lua_ls_persist.vm import Machine, Stopped, load_core
from lua_ls_persist.wire import Decoder, text_to_bytes

MEMORY_LIMIT_BYTES = 256 * 1024 * 1024
TIME_LIMIT_S = 20.0

# An evaluated source was tried as an expression first; its functions have the same numbers then.
_COMPILE = (
    b"local text, chunk = %s, %s\n"
    b"local f = load('return nil, ' .. text, chunk, 't') or assert(load(text, chunk, 't'))\n"
    b"return string.dump(f)"
)


def compiled_again(code: CodeRow) -> bytes:
    """The bytecode of a function whose source is stored.

    Raises:
        StoreError: its source is not stored, or is none of it.
    """
    place = f"{code.chunk.lstrip('@=')}:{code.line_defined}"
    if code.text is None:
        raise StoreError(
            f"The source of the function defined at {place} is not stored. Evaluate its "
            "definition again."
        )
    text = code.text.encode() if isinstance(code.text, str) else code.text
    chunk = text_to_bytes(code.chunk) or text
    try:
        found = function_of(_dump(text, chunk), code.ordinal)
    except WireError as error:
        raise StoreError(
            f"The stored source of the function defined at {place} cannot be compiled: {error}. "
            "Evaluate its definition again."
        ) from error
    if (found.line_defined, found.last_line, found.parameters, found.is_vararg) != (
        code.line_defined,
        code.last_line,
        len(code.parameters),
        code.is_vararg,
    ) or found.upvalues != code.upvalues:
        raise StoreError(
            f"The stored source of the function defined at {place} defines another function. "
            "Evaluate its definition again."
        )
    return found.bytecode


def _dump(text: bytes, chunk: bytes) -> bytes:
    """The binary chunk of a source, made in a VM of its own."""
    source = _COMPILE % (_quoted(text), _quoted(chunk))
    request = evaluation_request(
        source, b"=recompile", line=0, expression=False, arguments=(), limits=PreviewLimits()
    )
    with Machine(load_core(), memory_limit_bytes=MEMORY_LIMIT_BYTES) as machine:
        try:
            response = machine.call(
                "core_evaluate", request, payload=source, time_limit_s=TIME_LIMIT_S
            )
        except Stopped as stop:
            raise WireError(str(stop)) from stop
    decoder = Decoder(response)
    if decoder.u8() != Outcome.OK:
        raise WireError(decoder.text().decode("utf-8", "backslashreplace"))
    decoder.count(1)
    decoder.u8()
    return decoder.text()


def _quoted(content: bytes) -> bytes:
    """A Lua string literal for any bytes."""
    return b'"' + b"".join(_ESCAPED[byte] for byte in content) + b'"'


_ESCAPED = [
    bytes((byte,)) if 32 <= byte < 127 and byte not in b'"\\' else b"\\%03d" % byte
    for byte in range(256)
]
