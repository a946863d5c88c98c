"""Plain values that cross the layers: what an evaluation gives back, and what it is made of.

Nothing here knows WebAssembly, SQLite or LSP. Lines are 1-based, sizes are bytes, durations are
seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Stream: TypeAlias = Literal["stdout", "stderr", "warning"]
ProblemKind: TypeAlias = Literal[
    "syntax", "runtime", "timeout", "interrupt", "memory", "persistence", "internal"
]
Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Preview:
    """A bounded look at a Lua value that has no Python counterpart: a table, function and so on.

    `entries` are the looked-at entries of a table, in display order; a list part comes first.
    `omitted` is true when the table has more entries than were looked at. A table that stands
    further up in the same preview has no entries and the text `<cycle>`; the same `address` is the
    same table.
    """

    kind: str
    """`table`, `function`, `userdata`, `thread`; `string` for a string too long to show whole."""
    text: str
    """The value on one line, as Lua source would write it."""
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


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of a traceback, innermost first."""

    chunk: str
    """The chunk's name as it was given; `[C]` for a function of the core."""
    line: int | None
    function: str
    """As Lua describes it: `function 'f'`, `method 'run'`, `main chunk`, `field 'insert'` ..."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, with a place: an error that ended an evaluation, or a warning."""

    kind: ProblemKind
    message: str
    """Without the `chunk:line:` prefix, which `chunk` and `line` carry."""
    chunk: str
    line: int | None
    traceback: tuple[Frame, ...] = ()
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
class Evaluation:
    """What came of running one piece of Lua source."""

    ok: bool
    values: tuple[Value, ...] = ()
    text: str = ""
    """The values pretty printed as Lua source would write them; may have several lines."""
    output: tuple[OutputPiece, ...] = ()
    problems: tuple[Problem, ...] = ()
    duration_s: float = 0.0

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
class TableCompression:
    """What came of compressing a table: its strings, and their bytes. Short ones do not count."""

    strings: int
    compressed: int
    """So many of them are compressed."""
    plain_bytes: int
    stored_bytes: int
    """What they take, with the dictionary."""

    @property
    def ratio(self) -> float:
        """How many times larger they would be without it; 1 if there are none."""
        return self.plain_bytes / self.stored_bytes if self.stored_bytes else 1.0


@dataclass(frozen=True, slots=True)
class Local:
    """A top-level local variable of a document, and its present value."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A named table of the store: `Memory`, or one of `ext.table(name)`."""

    name: str
    entries: int
    """How many entries it has itself; those of tables inside it are not counted."""
    id: int
    compression: TableCompression | None = None
    """As it was when the table was compressed last; None if it never was."""


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """A place where data do not follow their schema."""

    path: str
    """Where: `users.eve.age`."""
    expected: str
    """`integer`, `at least 0`, `one of "admin", "user"` ..."""
    got: str
    """`string "old"`, `nil` ..."""

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index of a stored table."""

    name: str
    """`users(city, age)`."""
    table: str
    """The path of the table."""
    fields: tuple[str, ...]
    kind: str
    """`btree`, `hash` or `text`."""
    unique: bool
    each: bool
    """It has one entry for each element of the field."""
    rows: int
    """How many rows the index has; 0 while its path leads to no table."""


@dataclass(frozen=True, slots=True)
class Upvalue:
    """A variable that a stored function shares with the code around it, and its present value."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class StoredFunction:
    """A Lua function that is stored."""

    path: str
    """Where a root reaches it, `Memory.shapes.area`; one of the ways if there are several."""
    name: str
    """The last name of the path; empty if that is no name."""
    parameters: tuple[str, ...]
    is_vararg: bool
    chunk: str
    """What its source was called, mostly a file."""
    line: int
    last_line: int
    """Where in that source it is defined."""
    text: str
    """Its definition, whole lines of the source; empty if the source is not stored."""
    size_bytes: int
    """How large its code is."""
    upvalues: tuple[Upvalue, ...]
    problem: str = ""
    """Why it cannot be called, if so; `Session.recompile` may mend it."""

    @property
    def location(self) -> str:
        """`chunk:line`."""
        return f"{self.chunk}:{self.line}"

    @property
    def signature(self) -> str:
        """Its parameters as the definition lists them: `x, y, ...`."""
        return ", ".join((*self.parameters, *(("...",) if self.is_vararg else ())))


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection of the store has removed."""

    tables: int
    functions: int
    cells: int
    codes: int
    bytes: int
    """So much of the file can be used again; `Session.vacuum` makes it smaller."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written of a table's rows; `left_out` names what the format has no form for.

    Only the first of `left_out_count` places are named, with what is there, such as
    `users.ann.f: a function`.
    """

    rows: int
    left_out_count: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreSizes:
    """How large a session's file is, and what is in it. `*_bytes` are bytes, the rest counts."""

    file_bytes: int
    """With `free_bytes`, which `Session.vacuum` gives back to the disk."""
    free_bytes: int
    tables: int
    entries: int
    long_strings: int
    functions: int
    cells: int
    codes: int
    """Functions that were made by the same definition share their code."""
    images: int
    images_bytes: int
    """Images of the VM, from which sessions go on."""


@dataclass(frozen=True, slots=True)
class QueryRow:
    """A row that a query has found: an entry of the table."""

    key: Value
    value: Value | Mapping[str, Value]
    """What `Session.get` would give; with `select`, the selected fields by name."""


@dataclass(frozen=True, slots=True)
class QueryPage:
    """Some of the rows that a query finds, in order."""

    rows: tuple[QueryRow, ...]
    next: str | None
    """The cursor of the page that follows, for `after`; None if nothing does."""


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A field of a table's rows, and the types that it has in some of them, with counts."""

    name: str
    """As queries name it: `age`, `[1]`, `@value`."""
    types: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row, with its cells in the order of the columns that were asked for."""

    key: Value
    path: str | None
    """The path of its entry; None where no text leads to it."""
    cells: tuple[Value, ...]
    """Bounded looks; None is a field that is missing."""


@dataclass(frozen=True, slots=True)
class GridPage:
    """Rows of a table by their number, as a person who scrolls wants them."""

    table: str
    columns: tuple[GridColumn, ...]
    rows: tuple[GridRow, ...]
    offset: int
    total: int
    """All rows of the table."""
    filtered: int
    """The rows that fulfil the conditions and have the text."""
    index: str | None
    """The index through which they were found."""
    rows_examined: int


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What there is in a column of a table's rows."""

    count: int
    """Of rows in which the field is there."""
    missing: int
    distinct: int
    types: Mapping[str, int]
    min: Value
    """The least number; without any number, the least string."""
    max: Value
    avg: float | None
    top: tuple[tuple[Value, int], ...]
    """The most frequent scalars, and how frequent they are."""
    histogram: tuple[tuple[float, float, int], ...]
    """Of the finite numbers: from, to (the last one with its end), how many."""


@dataclass(frozen=True, slots=True)
class InspectedEntry:
    """An entry of a table that is inspected, or an upvalue of a function."""

    key: Value
    value: Value
    path: str | None
    """By which it is inspected itself; None where no text leads to it."""
    expandable: bool


@dataclass(frozen=True, slots=True)
class Inspected:
    """A look at a value and at some of what is in it."""

    path: str
    value: Value
    entries: tuple[InspectedEntry, ...]
    total: int
    """How many entries there are."""
    next_offset: int | None
    metatable: Value
    live: bool
    """It was looked up in the VM, not in the store."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image of a VM that the session's file has."""

    name: str | None
    """None: the session keeps it by itself, to go on from."""
    made_utc: str
    evaluations: int
    """How many evaluations the VM had seen."""
    bytes: int
    """What it takes in the file."""
    fits: bool
    """Whether this build of the core can go on from it."""
    is_current: bool
    """Whether the data are still those of the image."""


@dataclass(frozen=True, slots=True)
class AggregateGroup:
    """What is known of a group of rows; what was not asked for is None."""

    group: Mapping[str, Value]
    """The values of the fields to group by, by name; those that are missing are not there."""
    count: int | None = None
    sum: Value = None
    min: Value = None
    max: Value = None
    avg: Value = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the first page of a query was found. As text, it is for people."""

    table: str
    index: str | None
    """The index, `users(age)`, or several of them; None: the rows were looked through."""
    rows_examined: int
    rows_returned: int
    sql: str

    def __str__(self) -> str:
        way = "no index" if self.index is None else f"index {self.index}"
        return (
            f"{self.table}: {way}, {self.rows_examined} rows examined, "
            f"{self.rows_returned} returned\n{self.sql}"
        )


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An evaluation that changed what is stored."""

    number: int
    """They only grow; not every number is that of an evaluation."""
    own: bool
    """Whether undo comes to it: this session made it, or it was there when this one was opened."""
    made_utc: str
    """When, as ISO 8601 has it."""
    name: str
    """What the chunk was called; in parentheses what was no chunk: `(call)`, `(drop)`."""
    source: str
    """Its source; the first 16 KiB of it."""
    source_bytes: int
    """How long the source was."""
    entries_set: int
    entries_deleted: int
    tables_made: int
    functions_made: int
    upvalues_set: int
    """What it did. Written twice is counted twice, where it was sent to the store in between."""
    keys: tuple[str, ...]
    """The first of the places that it changed: `Memory.users.ann`. What is inside of a table that
    it made itself is not among them."""
    bytes: int
    """What it makes the file larger, at most: notes of what was there, and what it wrote, which is
    kept while the history refers to it."""
    undoable: bool
    """Whether the history has all it takes to undo it."""
    undone: bool
    """Whether it is undone at present; `Session.redo` would bring it back."""


@dataclass(frozen=True, slots=True)
class Went:
    """What undo or redo did."""

    evaluations: tuple[HistoryEntry, ...]
    """The evaluations that were undone or redone, in the order in which that was done."""
    vm: Literal["restored", "fresh", "kept"]
    """`restored`: it is what it was. `fresh`: that was not known any more, so a new one went on
    from the stored data. `kept`: it stays as it is, for the VM had nothing to do with it."""
    text: str
    """All of this in a sentence."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is stored, at two points of the history."""

    place: str
    """A path, `Memory.users.ann`, or words where there is none."""
    before: Value
    after: Value
    """None: it was not there. A table, here, is as it is now."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module's source as `require` found it."""

    name: str
    """The chunk name for messages: a path, relative to the workspace folder where possible."""
    source: bytes = field(repr=False)
