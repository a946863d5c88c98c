"""What the parser makes of a text: statements, and in them names, chains and blocks.

Owns the node types. Every offset counts code points from the start of the innermost statement that
holds the node, so that a statement is still right when text above it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Union

READ: Final = 0
WRITE: Final = 1
LOCAL: Final = 2
FUNCTION: Final = 3
"""A local function: visible in its own body."""
PARAMETER: Final = 4
LOOP: Final = 5
SELF: Final = 6
"""The parameter that a method has without naming it."""
LABEL: Final = 7
GOTO: Final = 8

DECLARES: Final = frozenset({LOCAL, FUNCTION, PARAMETER, LOOP, SELF})

CONSTANT_KEY = Union[str, int, float, bool]  # noqa: UP007 - evaluated at run time


class Name:
    """An occurrence of a variable or a label."""

    __slots__ = ("attribute", "end", "offset", "role", "text")

    def __init__(self, offset: int, end: int, text: str, role: int) -> None:
        self.offset = offset
        self.end = end
        self.text = text
        self.role = role
        self.attribute: str | None = None
        """`const` or `close`."""


class Literal:
    """A constant."""

    __slots__ = ("end", "start", "value")

    def __init__(self, start: int, end: int, value: CONSTANT_KEY | None) -> None:
        self.start = start
        self.end = end
        self.value = value


class Either:
    """`a or b`, also `c and a or b`: what it may be, in the order of the text."""

    __slots__ = ("end", "operands", "start")

    def __init__(self, start: int, end: int, operands: tuple[Expression, ...]) -> None:
        self.start = start
        self.end = end
        self.operands = operands
        """None for what has an operator."""


class Argument:
    """One argument of a call, blanks around it included."""

    __slots__ = ("end", "expression", "start")

    def __init__(self, start: int, end: int, expression: Expression) -> None:
        self.start = start
        self.end = end
        self.expression = expression


class Step:
    """One part of a chain: `.name`, `:name`, `[key]` or a call."""

    __slots__ = (
        "arguments",
        "closed",
        "end",
        "key",
        "key_end",
        "key_start",
        "kind",
        "start",
        "write",
    )

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        """`.`, `:`, `[` or `(`; a call with one string or table as argument is `(` too."""
        self.start = start
        self.end = start
        self.key: CONSTANT_KEY | None = None
        """None where it is computed, or in a call; empty where it is not typed yet."""
        self.key_start = start
        self.key_end = start
        self.arguments: list[Argument] = []
        self.closed = True
        self.write = False


class Chain:
    """A prefix expression: a name or something in brackets, and what is done with it.

    `(a.b).c` is the same chain as `a.b.c`, but for its start.
    """

    __slots__ = ("base", "end", "start", "steps")

    def __init__(self, start: int, base: Name | None) -> None:
        self.start = start
        self.end = start
        self.base = base
        self.steps: list[Step] = []


class Block:
    """A scope: of a function, a loop, a `do`; and the fields of a table, which declare nothing."""

    __slots__ = (
        "closed",
        "end",
        "head",
        "kind",
        "offsets",
        "owner",
        "parameters_end",
        "start",
        "statements",
        "tail",
        "variadic",
    )

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        """`chunk`, `function`, `table`, or the keyword before the block."""
        self.start = start
        """Of the construct for functions and tables; behind the keyword for the others."""
        self.end = start
        self.closed = True
        self.head: list[Name] = []
        """Parameters and loop variables."""
        self.offsets: list[int] = []
        self.statements: list[Statement] = []
        self.tail: list[Event] = []
        """Names of an `until` condition, which sees the block's locals."""
        self.parameters_end = start
        self.variadic = False
        self.owner: Chain | None = None
        """The name of a `function a.b:c()`."""


class Statement:
    """One statement, or one field of a table. Never changes once it is parsed."""

    __slots__ = (
        "blocks",
        "chains",
        "end",
        "events",
        "facts",
        "free",
        "kind",
        "mentions",
        "reach",
        "targets",
        "tokens",
        "values",
    )

    def __init__(self, kind: str) -> None:
        self.kind = kind
        """The keyword it begins with; or `local function`, `assign`, `expression`, `label`,
        `field`."""
        self.end = 0
        """Its length."""
        self.reach = 0
        """How much of the text, from its start, decided what it is."""
        self.events: list[Event] = []
        """Names and blocks in the order in which they become visible."""
        self.blocks: Sequence[Block] = ()
        """The blocks among them, those in conditions of `until` included."""
        self.chains: list[Chain] = []
        """Chains with at least one step."""
        self.targets: list[Name | Chain | Step] = []
        """What is declared or assigned; the key of a field."""
        self.values: list[Expression] = []
        self.mentions: set[str] = set()
        """Every name, field and label in it, blocks included."""
        self.free: tuple[tuple[int, Name], ...] | None = None
        """Variables that it does not declare itself; None until asked for."""
        self.tokens: object = None
        """What `tokens` remembers."""
        self.facts: dict[object, object] | None = None
        """What `facts` remembers."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A parsed text."""

    source: str
    root: Statement
    """Of kind `chunk`, with the block of the whole text as its only event."""

    @property
    def block(self) -> Block:
        """The block of the whole text."""
        return self.root.blocks[0]


Event = Union[Name, Block]  # noqa: UP007 - evaluated at run time
Expression = Union[Chain, Block, Literal, Either, None]  # noqa: UP007 - evaluated at run time
"""A function and a table are blocks; None is what has another operator or is not there."""
