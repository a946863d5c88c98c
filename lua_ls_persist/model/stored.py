"""What is stored: tables, functions, indexes, schemas, images, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

from lua_ls_persist.model.evaluations import Value


@dataclass(frozen=True, slots=True)
class TableCompression:
    """What came of compressing a table: its strings, and their bytes. Short ones do not count."""

    strings: int
    compressed: int
    """So many of them are compressed."""
    plain_bytes: int
    """What they take when they are read."""
    stored_bytes: int
    """What they take, with the dictionary."""

    @property
    def ratio(self) -> float:
        """How many times larger they would be without it; 1 if there are none."""
        return self.plain_bytes / self.stored_bytes if self.stored_bytes else 1.0


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A named table of the store: `Memory`, or one of `ext.table(name)`."""

    name: str
    entries: int
    """How many entries it has itself; those of tables inside it are not counted."""
    id: int
    """Its number in the file: a column of the SQLite tables that docs/store.md tells about."""
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
    """As queries name them: `age`, `address.city`."""
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
    """In the order of its code; `_ENV`, where it uses globals, is one of them."""
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

    tables: int = 0
    functions: int = 0
    cells: int = 0
    codes: int = 0
    bytes: int = 0
    """So much of the file can be used again; `Session.vacuum` makes it smaller."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written of a table's rows; `left_out` names what the format has no form for.

    Only the first of `left_out_count` places are named, with what is there, such as
    `users.ann.f: a function`.
    """

    rows: int
    """How many rows were written."""
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
class ImageInfo:
    """An image of a VM that the session's file has."""

    name: str | None
    """None: the session keeps it by itself, to go on from."""
    made_utc: str
    """When, as ISO 8601 has it."""
    evaluations: int
    """How many evaluations the VM had seen."""
    bytes: int
    """What it takes in the file."""
    fits: bool
    """Whether this build of the core can go on from it."""
    is_current: bool
    """Whether the data are still those of the image."""
