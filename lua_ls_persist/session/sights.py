"""What is asked about values of the VM, and what is seen of them: plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from lua_ls_persist.paths import Key
from lua_ls_persist.pretty import is_name, scalar_text
from lua_ls_persist.session.fitting import Names

if TYPE_CHECKING:
    from lua_ls_persist.model import IndexInfo, Value

_TYPES: Final = {
    "0": "nil",
    "b": "boolean",
    "n": "number",
    "s": "string",
    "t": "table",
    "f": "function",
    "u": "userdata",
    "c": "thread",
}


class _Any(Enum):
    ANY = "any element"

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any.ANY
"""In a way to a value: some elements of a table, whichever come first."""

Step: TypeAlias = "Key | Literal[_Any.ANY]"


@dataclass(frozen=True, slots=True)
class Way:
    """How to get to a value: from the globals, or from a named table, by keys."""

    steps: tuple[Step, ...] = ()
    root: str | None = None
    """The name of an external table, `Memory` or one of `ext.table(name)`; None: the globals."""
    document: str | None = None
    """The key of a document whose top-level local the first step is; None: of no document."""

    def __truediv__(self, step: Step) -> Way:
        """The way one step further."""
        return Way((*self.steps, step), self.root, self.document)

    @property
    def is_global(self) -> bool:
        """Whether it begins with the globals."""
        return self.root is None and self.document is None

    def __str__(self) -> str:
        """As Lua source: `ext.table("users").ann.age`."""
        text = "" if self.root is None else self.root
        if self.root is not None and not is_name(self.root):
            text = f"ext.table({scalar_text(self.root)})"
        for step in self.steps:
            if isinstance(step, str) and is_name(step):
                text += f".{step}" if text else step
            else:
                text += "[...]" if step is ANY else f"[{scalar_text(step)}]"
        return text


@dataclass(frozen=True, slots=True)
class StoredWay:
    """How to get to a value that is stored: from a root, or from a variable of a function."""

    keys: tuple[Key, ...]
    root: str = ""
    """The name of a named table; empty: from a variable."""
    function: str = ""
    """The path of a stored function."""
    upvalue: str = ""
    """A variable of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is wanted of the value at the end of a way."""

    way: Way
    value: bool = False
    """The value itself, or a bounded look at it."""
    keys: bool = False
    """Its keys, and those of the tables that it inherits from."""
    prefix: str = ""
    """Of an external table, and where there are more names than anyone lists: keys that begin so,
    in small letters or large ones (in the store: exactly so)."""
    fields: Literal["", "own", "elements"] = ""
    """The fields that the values at the end have, or the elements of these."""
    stored: bool = False
    """Of an external table: how many rows, which indexes, which schema."""
    holders: bool = False
    """Of a plain table: under which names it has the named tables of the store."""


class KeySight(NamedTuple):
    """A key of a table, and what is there."""

    key: Key
    type: str
    shown: str | list[str] | int | None
    """Of a scalar its text; of a Lua function its parameters; of one of the core its name; of a
    plain table the length of its list part; None where nothing is known."""
    depth: int
    """0: it is the table's own; otherwise of the so-manieth table that it inherits from."""


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys of one table."""

    keys: Sequence[Key]
    types: str
    shown: Sequence[Any]
    other: int = 0
    """How many more there are that have no text."""
    complete: bool = True
    names: Names = field(init=False, repr=False, compare=False)
    """Those of them that are strings."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", Names(self.keys))


@dataclass(frozen=True, slots=True)
class FunctionSight:
    """A function of the VM."""

    c: bool
    name: str = ""
    """Of a function of the core: what the libraries call it, `string.format`."""
    source: str = ""
    """The chunk that defines it, as it was given to `evaluate`."""
    line: int = 0
    last_line: int = 0
    parameters: tuple[str, ...] = ()
    is_vararg: bool = False

    @property
    def signature(self) -> str:
        """Its parameters as the definition lists them: `x, y, ...`."""
        return ", ".join((*self.parameters, *(("...",) if self.is_vararg else ())))


@dataclass(frozen=True, slots=True)
class FieldSight:
    """A field that some records have."""

    name: str
    count: int
    types: Mapping[str, int]
    """How many of them are of which type; integers and floats are told apart."""
    shown: str | list[str] | int | None
    """The first of them, as in `KeySight`."""


@dataclass(frozen=True, slots=True)
class RecordsSight:
    """What a sample of records has in common."""

    sampled: int
    records: int
    """How many of the sample are tables."""
    fields: tuple[FieldSight, ...]


@dataclass(frozen=True, slots=True)
class StoredSight:
    """An external table, as the store has it."""

    id: int
    root: str
    """Its name, if it has one of its own."""
    rows: int
    indexes: tuple[IndexInfo, ...]
    schema: Any
    """The definition of its schema, as JSON can hold it; None if it has none."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found at the end of a way."""

    type: str
    """What Lua calls it; of a number `integer` or `float`."""
    count: int = 1
    """How many values were looked at: more than one behind `ANY`."""
    name: str = ""
    """The `__name` of its metatable."""
    length: int | None = None
    """Of a plain table: how long its list part is."""
    external_id: int | None = None
    value: Value = None
    chain: tuple[KeyList, ...] = ()
    function: FunctionSight | None = None
    is_called: bool = False
    """It is no function, but can be called like one."""
    records: RecordsSight | None = None
    stored: StoredSight | None = None
    holders: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The names of named tables, by the keys under which they are there."""

    def listed(self, prefix: str = "") -> Iterator[KeySight]:
        """The keys that begin so, in small letters or large ones; the table's own first."""
        folded = prefix.lower()
        for depth, part in enumerate(self.chain):
            shown = part.shown
            for place, key in enumerate(part.keys):
                if folded and not (isinstance(key, str) and key.lower().startswith(folded)):
                    continue
                kind = _TYPES.get(part.types[place], "nil")
                yield KeySight(key, kind, shown[place] if place < len(shown) else None, depth)

    def fitting(self, typed: str, limit: int) -> Iterator[KeySight]:
        """Keys of strings that have what was typed in them, in this order, however large the table.

        Of each table at most so many, the best first.
        """
        for depth, part in enumerate(self.chain):
            keys, shown = part.keys, part.shown
            for place in part.names.fitting(typed, limit):
                kind = _TYPES.get(part.types[place], "nil")
                yield KeySight(
                    keys[place], kind, shown[place] if place < len(shown) else None, depth
                )

    @property
    def complete(self) -> bool:
        """Whether `listed` has all keys."""
        return all(part.complete for part in self.chain)
