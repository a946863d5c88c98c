"""What the store takes and gives: plain rows, none of which knows where it came from.

A value is a pair (kind, native). `kind` is a tag of the wire format; `native` is what SQLite keeps:

========== ====================== ==========================================================
kind       native                 note
========== ====================== ==========================================================
nil        None                   in cells only: an entry that is nil is no entry
boolean    0 or 1
integer    int                    64 bits
float      float, or int          a NaN is the integer of its bits: SQLite would make it NULL
string     str, or bytes          str exactly when it is UTF-8 without a NUL byte (`as_native`)
function   int                    id
permanent  str                    name
table      int                    id
========== ====================== ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from lua_ls_persist.protocol import Tag
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN, text_to_bytes

NIL: Final = int(Tag.NIL)
BOOLEAN: Final = int(Tag.BOOLEAN)
INTEGER: Final = int(Tag.INTEGER)
FLOAT: Final = int(Tag.FLOAT)
STRING: Final = int(Tag.STRING)
FUNCTION: Final = int(Tag.FUNCTION)
PERMANENT: Final = int(Tag.PERMANENT)
TABLE: Final = int(Tag.EXTERNAL_TABLE)

Native: TypeAlias = int | float | str | bytes | None
Value: TypeAlias = tuple[int, Native]
"""(kind, native)"""
Entry: TypeAlias = tuple[int, int, Native, int, Native]
"""(table id, key's kind, key, kind, value)"""
Key: TypeAlias = tuple[int, int, Native]
"""(table id, key's kind, key)"""
Pair: TypeAlias = tuple[int, Native, int, Native]
"""(key's kind, key, kind, value): an entry of a table that is known"""
Text: TypeAlias = str | bytes
"""A Lua string as a native value."""


def as_native(content: bytes) -> Text:
    """A Lua string as SQLite keeps it: readable text where it is text.

    The same string always gives the same value; keys depend on that. Text with a NUL byte in it
    would be cut off there by most SQLite tools.
    """
    if b"\0" in content:
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def native_key(key: str | float | bool) -> Value:
    """A key of a table as the store has it: a float with an integer's value is that integer."""
    if isinstance(key, bool):
        return BOOLEAN, int(key)
    if isinstance(key, int):
        return INTEGER, key
    if isinstance(key, float):
        if key.is_integer() and INTEGER_MIN <= key <= INTEGER_MAX:
            return INTEGER, int(key)
        return FLOAT, key
    return STRING, as_native(text_to_bytes(key))


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a table in their canonical order; `complete`: nothing follows."""

    rows: list[Pair]
    complete: bool


@dataclass(frozen=True, slots=True)
class Nested:
    """A small table that came along; `metatable` is a table's id, or 0."""

    metatable: int
    rows: list[Pair]
    complete: bool


@dataclass(frozen=True, slots=True)
class Root:
    """A named table; `entries` counts its own entries, not those of tables inside it."""

    name: str
    table_id: int
    entries: int


@dataclass(frozen=True, slots=True)
class TableInfo:
    """Facts about one table; `metatable` 0 and `root` empty where there is none."""

    exists: bool
    metatable: int
    entries: int
    root: str


@dataclass(frozen=True, slots=True)
class NewCode:
    """The code of a function as it is compiled: what `define_code` keeps and signs.

    `text` is the whole source it was compiled from, None where nobody has it; `ordinal` says which
    of the functions of that source it is, so that it can be compiled again.
    """

    bytecode: bytes
    chunk: str
    text: Text | None
    ordinal: int
    line_defined: int
    last_line: int
    parameters: tuple[str, ...] = ()
    is_vararg: bool = False
    upvalues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A function's code as stored. Unless `signed`, its bytecode must not reach a VM."""

    id: int
    bytecode: bytes
    signed: bool
    chunk: str
    text: Text | None
    ordinal: int
    line_defined: int
    last_line: int
    parameters: tuple[str, ...]
    is_vararg: bool
    upvalues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """A persistent function: its code, and its cells in the order of its upvalues."""

    code_id: int
    cells: tuple[tuple[int, int, Native], ...]


@dataclass(frozen=True, slots=True)
class StoredFunction:
    """A function for people to look at; `path` is where a root reaches it, empty if none does."""

    path: str
    name: str
    parameters: tuple[str, ...]
    is_vararg: bool
    chunk: str
    line_defined: int
    last_line: int
    text: Text | None
    size_bytes: int
    id: int
    upvalues: tuple[tuple[str, int, Native], ...]
    code: CodeRow | None
    """None where it is missing."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair has brought over, and sentences about what is lost."""

    tables: int
    entries: int
    functions: int
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An evaluation that changed the data, as the history has it.

    `own`: undo and redo of this session may come to it. `bytes` is what its notes take, and
    what it wrote. `keys` are
    the first of the places that it changed, in words.
    """

    number: int
    own: bool
    made_utc: str
    name: str
    source: Text
    source_bytes: int
    entries_set: int
    entries_deleted: int
    tables_made: int
    functions_made: int
    upvalues_set: int
    bytes: int
    is_whole: bool
    is_undone: bool
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How something was at one point of the history, and at another; kind 0: it was not there."""

    place: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A VM's state between two evaluations, and what it takes to go on from there.

    It belongs to one exact build of the core and one state of the data. `segments` are the
    (address, length) of the parts of the memory that `content` holds one after the other.
    `references` are the ids of all tables and functions that the VM holds: collection spares them.
    `details` is the session's own, anything that JSON can hold.
    """

    core_sha256: bytes
    state: int
    memory_bytes: int
    segments: tuple[tuple[int, int], ...]
    content: bytes | memoryview
    references: Sequence[int] = ()
    sources: Mapping[int, Text] = field(default_factory=dict)
    evaluations: int = 0
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image as a list of them tells it; `name` is None for those that sessions keep."""

    name: str | None
    saved_utc: str
    evaluations: int
    core_sha256: bytes
    state: int
    bytes: int
