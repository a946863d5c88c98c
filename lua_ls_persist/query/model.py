"""Questions that make sense: what `spec` makes of plain trees, and what the store answers.

A value belongs to a class; values compare inside of one class only, and order by class first.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, TypeAlias

CONDITIONS_MAX: Final = 1_000
DEPTH_MAX: Final = 50
"""How deep groups of conditions nest."""
FIELD_STEPS_MAX: Final = 16
FIELD_LENGTH_MAX: Final = 1_000
ORDER_FIELDS_MAX: Final = 8
GROUP_FIELDS_MAX: Final = 8
SELECT_FIELDS_MAX: Final = 256
VALUES_MAX: Final = 10_000
"""How many values all conditions of a query have."""
LIMIT_MAX: Final = 100_000
"""A page is in memory as a whole."""

Key: TypeAlias = "str | int | float | bool"


class Class(IntEnum):
    """What values are compared with; the order of values of different classes."""

    MISSING = 0
    NUMBER = 1
    STRING = 2
    BOOLEAN = 3
    TABLE = 4
    FUNCTION = 5
    """Functions and permanents."""
    NAN = 6


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that is what it is by identity; in plain trees as well."""

    kind: Literal["table", "function", "permanent"]
    id: int | str
    """The store's id, or a permanent's name."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value that fields are compared with, as indexes keep it.

    `value` is the number; the string's bytes; 0 or 1; the id of a table or function; the bytes of
    a permanent's name; 0 for NaN.
    """

    kind: Class
    value: int | float | bytes


@dataclass(frozen=True, slots=True)
class Field:
    """A part of a row. `text` is canonical: fields are the same exactly if their texts are."""

    text: str
    steps: tuple[Key, ...] = dataclasses.field(compare=False)
    """The keys from the row's table on; none for `@key` and `@value`."""

    @property
    def is_key(self) -> bool:
        """Whether it is the row's own key."""
        return self.text == "@key"

    @property
    def is_value(self) -> bool:
        """Whether it is the row's own value."""
        return self.text == "@value"


Operator: TypeAlias = Literal[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not in",
    "between",
    "startsWith",
    "endsWith",
    "contains",
    "exists",
    "missing",
    "matches",
]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on one field; `place` is where it stands in the question, `where[2]`."""

    field: Field
    operator: Operator
    operands: tuple[Operand, ...]
    place: str = dataclasses.field(default="where", compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """All, any or none of these hold."""

    kind: Literal["all", "any", "none"]
    members: tuple[Node, ...]


Node: TypeAlias = "Comparison | Group"

EVERYTHING: Final = Group("all", ())
"""The condition that each row fulfils."""


@dataclass(frozen=True, slots=True)
class OrderField:
    """What rows are ordered by."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ends: (class, value) of each order field in its last row, and that row's key.

    `key_kind` and `key` are the store's own.
    """

    values: tuple[tuple[int, int | float | bytes], ...]
    key_kind: int
    key: int | float | str | bytes


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows, in which order, and how much of them.

    Rows that are equal in all order fields are in the canonical order of their keys, or against
    it (`key_descending`). `after` is the cursor as it was given: the store reads it.
    """

    where: Group = EVERYTHING
    order_by: tuple[OrderField, ...] = ()
    key_descending: bool = False
    limit: int | None = None
    after: str | None = None
    select: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Which rows, in which groups, and what is to be known of each group."""

    where: Group = EVERYTHING
    group_by: tuple[Field, ...] = ()
    count: bool = False
    sum: Field | None = None
    min: Field | None = None
    max: Field | None = None
    avg: Field | None = None
