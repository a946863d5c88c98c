"""Formatting by a program: StyLua where it is installed, or what the settings name.

Owns which command that is, and how it is run: text in, text out, for a limited time. Must not know
LSP types.
"""

from __future__ import annotations

import asyncio
import difflib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range

TIME_LIMIT_S = 10.0
COMPARED_ROWS_MAX = 4000
"""Longer differences become one edit: to find the parts that are the same would take too long."""
ERROR_LENGTH_MAX = 500

FILE = "{file}"
START = "{start}"
END = "{end}"
STYLUA = ("stylua", "--search-parent-directories", "--stdin-filepath", FILE, "-")
STYLUA_RANGE = (*STYLUA[:-1], "--range-start", START, "--range-end", END, "-")


class FormatterError(LuaPersistError):
    """The formatter did not format; the message says which, and what it said."""


@dataclass(frozen=True, slots=True)
class Formatter:
    """A command that reads a document and writes it formatted."""

    whole: tuple[str, ...] | None
    part: tuple[str, ...] | None
    """The command for a range, whose bytes it gets as `{start}` and `{end}`."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A part of a document and what comes in its place."""

    range: Range
    text: str


NONE = Formatter(None, None)


def formatter_of(configured: Sequence[str] | None) -> Formatter:
    """What the setting means: without one, StyLua if there is any."""
    if configured is None:
        return Formatter(STYLUA, STYLUA_RANGE) if shutil.which("stylua") else NONE
    command = tuple(configured)
    if not command:
        return NONE
    has_range = any(START in part or END in part for part in command)
    return Formatter(None, command) if has_range else Formatter(command, None)


async def formatted(
    formatter: Formatter,
    document: Document,
    range_: Range | None = None,
    *,
    time_limit_s: float = TIME_LIMIT_S,
) -> list[Replacement]:
    """The changes that a formatter makes to a document, or to a range of it.

    Raises:
        FormatterError: it is not there, failed, or took too long.
    """
    command = formatter.part if range_ is not None or formatter.whole is None else formatter.whole
    assert command is not None
    whole = range_ or document.range
    places = {
        FILE: str(document.path or "untitled.lua"),
        START: str(_byte(document, whole.start)),
        END: str(_byte(document, whole.end)),
    }
    for place, value in places.items():
        command = tuple(part.replace(place, value) for part in command)
    folder = document.path.parent if document.path is not None else None
    text = await _run(command, document.source, folder, time_limit_s)
    text = text.replace("\r\n", "\n")
    return await asyncio.get_running_loop().run_in_executor(None, replacements, document, text)


def replacements(document: Document, text: str) -> list[Replacement]:
    """The rows that differ, so that the editor keeps cursors and marks elsewhere in place."""
    old, new = document.source.split("\n"), text.split("\n")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if not old and not new:
        return []
    if len(old) + len(new) > COMPARED_ROWS_MAX:
        return [_replaced(document, head, head + len(old), new)]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        _replaced(document, head + first, head + last, new[new_first:new_last])
        for kind, first, last, new_first, new_last in matcher.get_opcodes()
        if kind != "equal"
    ]


def _replaced(document: Document, first: int, last: int, rows: list[str]) -> Replacement:
    """Other rows in the place of those from `first` up to, and without, `last`."""
    if last < document.row_count:
        text = "".join(f"{row}\n" for row in rows)
        return Replacement(Range(Position(first, 0), Position(last, 0)), text)
    if first == 0:
        return Replacement(document.range, "\n".join(rows))
    # The last row has no line end of its own: that of the row before goes or comes with it.
    start = Position(first - 1, len(document.row(first - 1)))
    return Replacement(Range(start, document.end), "".join(f"\n{row}" for row in rows))


async def _run(
    command: tuple[str, ...], text: str, folder: Path | None, time_limit_s: float
) -> str:
    name = Path(command[0]).name
    existing = folder if folder is not None and folder.is_dir() else None  # noqa: ASYNC240
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=existing
        )
    except OSError as error:
        raise FormatterError(f"Cannot start the formatter {command[0]!r}: {error}") from error
    try:
        out, complaint = await asyncio.wait_for(process.communicate(text.encode()), time_limit_s)
    except asyncio.TimeoutError as error:
        raise FormatterError(f"{name} took longer than {time_limit_s:g} s") from error
    finally:
        if process.returncode is None:  # Also where the request was cancelled.
            process.kill()
            await process.wait()
    if process.returncode != 0:
        said = complaint.decode(errors="replace").strip() or f"exit status {process.returncode}"
        raise FormatterError(f"{name} did not format: {said[:ERROR_LENGTH_MAX]}")
    try:
        return out.decode()
    except UnicodeDecodeError as error:
        raise FormatterError(f"{name} wrote what is no text") from error


def _byte(document: Document, position: Position) -> int:
    """How many bytes of the text lie before a position."""
    before = document.text(Range(Position(0, 0), position))
    return len(before.encode())
