"""What an evaluation gives back, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lua_ls_persist.model.late import LateText

Stream: TypeAlias = Literal["stdout", "stderr", "warning"]
ProblemKind: TypeAlias = Literal[
    "syntax", "runtime", "timeout", "interrupt", "memory", "persistence", "internal"
]
Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Preview(LateText):
    """A bounded look at a Lua value that has no Python counterpart: a table, function and so on.

    `entries` are the looked-at entries of a table, in display order; a list part comes first.
    `omitted` is true when the table has more entries than were looked at. A table that stands
    further up in the same preview has no entries and the text `<cycle>`; the same `address` is the
    same table.
    """

    kind: str
    """`table`, `function`, `userdata`, `thread`; `string` for a string too long to show whole."""
    text: str
    """The value on one line, as Lua source would write it. Of a table it is made when asked for."""
    entries: tuple[tuple[Value, Value], ...] = ()
    omitted: bool = False
    address: int = 0
    """What `%p` prints for the value in this VM; 0 where there is none."""
    detail: str = ""
    """For a Lua function where it is defined, `name.lua:12`. For a table and userdata its type's
    name (`__name` of the metatable), for a thread `thread`."""
    length_bytes: int = 0
    """For a string too long to show whole: its full length."""


Value: TypeAlias = "bool | int | float | str | bytes | Preview | None"


@dataclass(frozen=True, slots=True)
class OutputPiece:
    r"""A run of text that the program printed from one line of one chunk.

    Bytes that are not UTF-8 appear as `\xNN` in `text`.
    """

    text: str
    stream: Stream
    chunk: str
    """The name of the chunk that printed it, as it was given to `evaluate`; empty if unknown."""
    line: int | None
    """The line that printed it; None if unknown."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of a traceback, innermost first."""

    chunk: str
    """The chunk's name as it was given; `[C]` for a function of the core."""
    line: int | None
    """The line that was running; None for a function of the core."""
    function: str
    """As Lua describes it: `function 'f'`, `method 'run'`, `main chunk`, `field 'insert'` ..."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, with a place: an error that ended an evaluation, or a warning."""

    kind: ProblemKind
    message: str
    """Without the `chunk:line:` prefix, which `chunk` and `line` carry."""
    chunk: str
    """The name of the chunk as it was given to `evaluate`; empty if unknown."""
    line: int | None
    """Where in the chunk; None if unknown, or if it is about no line."""
    traceback: tuple[Frame, ...] = ()
    """Which functions were running, innermost first; empty where nothing ran."""
    value: Value = None
    """The error value itself: a string mostly, a `Preview` for `error({...})`."""
    severity: Severity = "error"

    @property
    def location(self) -> str:
        """`chunk:line`, or as much of it as is known."""
        return self.chunk if self.line is None else f"{self.chunk}:{self.line}"

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.chunk else self.message


@dataclass(frozen=True, slots=True)
class Evaluation(LateText):
    """What came of running one piece of Lua source."""

    ok: bool
    """Whether it ran to its end and was kept; otherwise `problems` says why not."""
    values: tuple[Value, ...] = ()
    """What the source returned: scalars as Python has them, `bytes` for strings that are not UTF-8,
    None for nil, and a `Preview` of anything else."""
    text: str = ""
    """The values pretty printed as Lua source would write them, perhaps on several lines; made when
    it is asked for."""
    output: tuple[OutputPiece, ...] = ()
    """What it printed, in order; of a failed one, what it printed up to then."""
    problems: tuple[Problem, ...] = ()
    """What is wrong: the error that ended it, if it is not `ok`."""
    duration_s: float = 0.0
    """How long it took, with the commit; by a clock that is never put back."""

    @property
    def output_text(self) -> str:
        """Everything the program printed, in order."""
        return "".join(piece.text for piece in self.output)


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """Where a VM's memory stands. All sizes in bytes."""

    lua_bytes: int
    """What Lua's collector counts as in use."""
    used_bytes: int
    """What of the linear memory is in use: stack, static data, buffers, the heap up to its top."""
    committed_bytes: int
    """The linear memory's present size."""
    limit_bytes: int
    """The cap that the linear memory never exceeds."""


@dataclass(frozen=True, slots=True)
class Field:
    """A named member of a Lua table, read without running any Lua code."""

    name: str
    type: str
    """What Lua's `type` says of its value."""


@dataclass(frozen=True, slots=True)
class Local:
    """A top-level local variable of a document, and its present value."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Module:
    """A module's source as `require` found it."""

    name: str
    """The chunk name for messages: a path, relative to the workspace folder where possible."""
    source: bytes = field(repr=False)
    """The whole file, as it is on the disk or in the editor."""
