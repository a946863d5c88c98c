"""Problems: what the core reports of an error becomes a `Problem` with its place and traceback."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lua_ls_persist.model import Frame, Preview, Problem, ProblemKind, Value
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.protocol import FRAME_FLAG_GAP, FRAME_FLAG_TAIL_CALL, Outcome
from lua_ls_persist.vm import Stopped
from lua_ls_persist.wire import Decoder

_MODULE_ERROR = re.compile(
    rb"error loading module '[^']*' from file '(?P<file>[^\n]*)':\n\t(?P<message>.*)", re.DOTALL
)
_NO_MESSAGE = re.compile(r"\(error object is a \w+ value\)")
_PLACE = re.compile(rb"(?P<chunk>[^\n]*?):(?P<line>\d+): (?P<message>.*)", re.DOTALL)

_C_SOURCE = b"=[C]"

NameOf = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Note:
    """The core's note of where an error happened (wasm_core/src/trace.zig)."""

    prefix_length: int
    line: int
    source: bytes
    frames: tuple[Frame, ...]


def read_note(decoder: Decoder, name_of: NameOf) -> Note:
    """Read a note."""
    prefix_length, line, source = decoder.u32(), decoder.u32(), decoder.text()
    frames: list[Frame] = []
    for _ in range(decoder.count(25)):
        _read_frame(decoder, name_of, frames)
    return Note(prefix_length, line, source, tuple(frames))


def _read_frame(decoder: Decoder, name_of: NameOf, frames: list[Frame]) -> None:
    flags, line = decoder.u8(), decoder.u32()
    source, what = decoder.text(), decoder.text()
    if source == _C_SOURCE and what != b"C":
        # A function of the prelude: neither it nor what it calls is the program's concern.
        _skip_frame(decoder)
        while frames and frames[-1].chunk == "[C]":
            frames.pop()
        return
    kind, name = (decoder.text().decode("utf-8", "replace") for _ in range(2))
    defined = decoder.u32()
    if flags & FRAME_FLAG_GAP:
        frames.append(Frame("", None, "(frames left out)"))
    chunk = name_of(source)
    if what == b"main":
        function = "main chunk"
    elif kind:
        function = f"{'function' if kind == 'global' else kind} '{name}'"
    elif what == b"C":
        function = "a built-in function"
    else:
        function = f"function <{chunk}:{defined}>"
    frames.append(Frame(chunk, line or None, function))
    if flags & FRAME_FLAG_TAIL_CALL:
        frames.append(Frame("", None, "(...tail calls...)"))


def _skip_frame(decoder: Decoder) -> None:
    for _ in range(2):
        decoder.text()
    decoder.u32()


def read_problem(decoder: Decoder, kind: ProblemKind, name_of: NameOf) -> Problem:
    """Read what follows an outcome other than `ok`: message, note, value."""
    message = decoder.text()
    note = read_note(decoder, name_of)
    value = decoder.value()
    return make_problem(kind, message, note, value, name_of)


def make_problem(
    kind: ProblemKind, message: bytes, note: Note, value: Value, name_of: NameOf
) -> Problem:
    """Put a problem together, at the innermost place that is known.

    An error in a required module is placed in the module's file. An error that was raised again,
    by a program or by a coroutine's `wrap`, has several places in front; the last one counts.
    """
    chunk, line = name_of(note.source), note.line or None
    in_module = _MODULE_ERROR.match(message)
    if in_module is not None:
        place = _PLACE.match(in_module["message"])
        if place is not None:
            chunk, line = name_of(b"@" + in_module["file"]), int(place["line"])
            message, kind = place["message"], "syntax"
    else:
        message = message[note.prefix_length :]
        chunks = {chunk, *(frame.chunk for frame in note.frames)} - {"", "[C]"}
        while (place := _PLACE.match(message)) is not None:
            inner = _chunk_of(place["chunk"], chunks)
            if inner is None:
                break
            chunk, line, message = inner, int(place["line"]), place["message"]
    text = message.decode("utf-8", "backslashreplace")
    if _NO_MESSAGE.fullmatch(text):
        # An error value without a message of its own: say what it is.
        if isinstance(value, Preview):
            text = f"(error object is a {value.kind} value) {value.text}"
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            text = scalar_text(value)
    return Problem(kind, text, chunk, line, note.frames, value)


def _chunk_of(shown: bytes, chunks: set[str]) -> str | None:
    """Which of the chunks a message names in this way; Lua shows long names by their end."""
    text = shown.decode("utf-8", "surrogateescape")
    if text in chunks:
        return text
    if text.startswith("..."):
        return next((chunk for chunk in chunks if chunk.endswith(text[3:])), None)
    return None


def memory_problem(problem: Problem, limit_bytes: int) -> Problem:
    """A memory error says what the limit is; its value is Lua's message, which says less."""
    message = f"{problem.message}: the limit is {limit_bytes} bytes"
    return Problem("memory", message, problem.chunk, problem.line, problem.traceback)


def stop_note(stop: Stopped, evaluated: bytes, name_of: NameOf) -> Note:
    """Where an evaluation was when it was stopped; if nobody knows, in the `evaluated` chunk."""
    note = Note(0, 0, b"", ())
    if stop.trace:
        note = read_note(Decoder(stop.trace), name_of)
    elif stop.response:
        decoder = Decoder(stop.response)
        if decoder.u8() in (Outcome.RUNTIME, Outcome.MEMORY, Outcome.SYNTAX):
            decoder.text()
            note = read_note(decoder, name_of)
    return Note(0, note.line, note.source or evaluated, note.frames)


def stop_problem(stop: Stopped, note: Note, time_limit_s: float | None, name_of: NameOf) -> Problem:
    """The problem of an evaluation that was stopped, or that trapped."""
    kind: ProblemKind = stop.cause or "internal"
    message = f"the VM stopped ({stop}); it is as it was before this evaluation"
    if stop.cause == "timeout":
        message = f"stopped after {time_limit_s:g} s: the time limit"
    elif stop.cause == "interrupt":
        message = "interrupted"
    return Problem(kind, message, name_of(note.source), note.line or None, note.frames)
