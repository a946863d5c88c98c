"""Requests to the core: what goes into its I/O buffer for an evaluation."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from lua_ls_persist.errors import SessionError
from lua_ls_persist.protocol import (
    EVALUATE_FLAG_EXPRESSION,
    EVALUATE_FLAG_LIVE,
    EVALUATE_FLAG_PRELUDE,
    IO_BUFFER_BYTES,
)
from lua_ls_persist.wire import Encodable, encode, text_to_bytes

SOURCE_BYTES_MAX = 2**31 - 1
LINE_MAX = 2**30
FIELDS_PATH_MAX = 100
FIELDS_REQUEST_BYTES_MAX = 4096

_HEAD = struct.Struct("<10I")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class PreviewLimits:
    """How much of a table is looked at."""

    depth: int = 5
    entries: int = 200
    nodes: int = 2000
    string_bytes: int = 1000


def prepare_source(source: str | bytes) -> bytes:
    """The bytes to compile: without a byte order mark, and with a shebang line made empty."""
    if not isinstance(source, (str, bytes)):
        raise SessionError(f"the source is a {type(source).__name__}; it can be text or bytes")
    content = text_to_bytes(source) if isinstance(source, str) else source
    content = content.removeprefix(_BOM)
    if content.startswith(b"#!"):
        end = content.find(b"\n")
        content = b"" if end < 0 else content[end:]
    if len(content) > SOURCE_BYTES_MAX:
        raise SessionError(f"a source of {len(content)} bytes is more than Lua can compile")
    return content


def evaluation_request(
    source: bytes,
    chunk_source: bytes,
    *,
    line: int,
    expression: bool,
    live: bool = False,
    arguments: Sequence[Encodable],
    limits: PreviewLimits,
    source_serial: int = 0,
) -> bytes:
    """The request for `core_evaluate` and `core_compile`; of a long source, its beginning.

    `source_serial` is the number by which the text of a function is found when it is persisted.
    """
    if not 0 <= line <= LINE_MAX:
        raise SessionError(f"line {line} is not between 0 and {LINE_MAX}")
    encoded = b""
    if arguments:
        values = b"".join(encode(argument) for argument in arguments)
        encoded = len(arguments).to_bytes(4, "little") + values
    head = _HEAD.pack(
        (EVALUATE_FLAG_EXPRESSION if expression else 0) | (EVALUATE_FLAG_LIVE if live else 0),
        line,
        limits.depth,
        limits.entries,
        limits.nodes,
        limits.string_bytes,
        len(chunk_source),
        len(encoded),
        len(source),
        source_serial,
    )
    room = IO_BUFFER_BYTES - len(head) - len(chunk_source) - len(encoded)
    if room < 0:
        raise SessionError(
            f"the arguments take {len(encoded)} bytes, more than fit into one request"
        )
    return head + chunk_source + encoded + source[:room]


def prelude_request(
    function: str,
    chunk_source: bytes = b"=look",
    *,
    arguments: Sequence[Encodable] = (),
    live: bool = False,
    limits: PreviewLimits,
) -> bytes:
    """The request for `core_evaluate` that calls a function of the prelude."""
    request = evaluation_request(
        function.encode(),
        chunk_source,
        line=0,
        expression=False,
        live=live,
        arguments=arguments,
        limits=limits,
    )
    return with_flag(request, EVALUATE_FLAG_PRELUDE)


def fields_request(path: Sequence[str]) -> bytes | None:
    """The request for `core_fields`; None for a path too long to lead anywhere."""
    if len(path) > FIELDS_PATH_MAX:
        return None
    parts = [len(path).to_bytes(4, "little")]
    for name in path:
        encoded = text_to_bytes(name)
        parts += [len(encoded).to_bytes(4, "little"), encoded]
    request = b"".join(parts)
    return request if len(request) <= FIELDS_REQUEST_BYTES_MAX else None


def with_flag(request: bytes, flag: int) -> bytes:
    """A request for `core_evaluate` with one more flag."""
    (flags,) = _FLAGS.unpack_from(request)
    return _FLAGS.pack(flags | flag) + request[_FLAGS.size :]


_FLAGS = struct.Struct("<I")
