"""What a schema is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["string", "integer", "number", "boolean", "table", "function", "any"]
KINDS: Final[tuple[Kind, ...]] = (
    "string",
    "integer",
    "number",
    "boolean",
    "table",
    "function",
    "any",
)

Scalar: TypeAlias = "str | int | float | bool"
Tree: TypeAlias = "bool | int | float | str | bytes | Mapping[Tree, Tree] | Sequence[Tree] | None"
"""A value as Lua, Python or JSON have it: tables are mappings, or sequences with keys from 1 on."""


@dataclass(frozen=True, slots=True)
class Field:
    """A named field of a table."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Type:
    """What a value may be. What is None or empty says nothing."""

    kind: Kind = "any"
    optional: bool = False
    """It may be missing."""
    minimum: int | float | None = None
    maximum: int | float | None = None
    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    """Lengths of strings, in bytes."""
    pattern: str | None = None
    """A Lua pattern that is found in the string."""
    enum: tuple[Scalar, ...] = ()
    default: Tree = None
    """What stands in its place when it is missing at an assignment. Then it is never missing."""
    ref: str | None = None
    """The path of a table; the value is the key of one of its rows, or one of its rows."""
    array: Type | None = None
    """A table with integer keys from 1 on, and values of this type."""
    fields: tuple[Field, ...] = ()
    """Of a table, in the order of their names."""
    extra: bool | Type = True
    """Whether it may have other keys than its fields, and what is there."""
    class_name: str = ""
    """What annotations call it."""
    description: str = ""

    @property
    def may_be_missing(self) -> bool:
        """Whether nothing need be there."""
        is_anything = self.kind == "any" and not self.enum and self.ref is None
        return self.optional or self.default is not None or is_anything

    @property
    def is_structured(self) -> bool:
        """Whether it says something about the entries of a table."""
        return bool(self.fields) or self.array is not None or self.extra is not True

    def field(self, name: object) -> Type | None:
        """The type of the field of that name."""
        for field in self.fields:
            if field.name == name:
                return field.type
        return None
