"""Values as conditions look at them: in entries, where they have kinds, and in indexes, by class.

All of it are expressions of SQL.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from lua_ls_persist.query import Class, Field


class Looked(Protocol):
    """A value at which conditions look: SQL expressions, none of which is ever NULL."""

    @property
    def exists(self) -> str:
        """Whether there is a value."""

    @property
    def low(self) -> str:
        """What lower bounds compare with."""

    @property
    def high(self) -> str:
        """What upper bounds compare with."""

    @property
    def table_id(self) -> str:
        """The id of the table that it is; may be NULL."""

    def is_class(self, of_class: Class) -> str:
        """Whether it is of the class."""

    def native(self, of_class: Class) -> str:
        """What compares with values of its class."""


@dataclass(frozen=True, slots=True)
class Kinded:
    """A value as entries have it."""

    kind: str
    value: str

    @property
    def exists(self) -> str:
        return f"{self.kind} IS NOT NULL"

    @property
    def low(self) -> str:
        return self.value

    @property
    def high(self) -> str:
        return self.value

    @property
    def table_id(self) -> str:
        return f"iif({self.kind} = 7, {self.value}, NULL)"

    def is_class(self, of_class: Class) -> str:
        if of_class == Class.NUMBER:
            # A NaN is the integer of its bits.
            return f"({self.kind} = 2 OR ({self.kind} = 3 AND typeof({self.value}) = 'real'))"
        if of_class == Class.FUNCTION:
            return f"{self.kind} IN (5, 6)"
        return f"{self.kind} = {_KINDS[of_class]}"

    def native(self, of_class: Class) -> str:
        if of_class == Class.STRING:
            return f"CAST({self.value} AS BLOB)"
        if of_class == Class.FUNCTION:
            return f"iif({self.kind} = 6, CAST({self.value} AS BLOB), {self.value})"
        return self.value


_KINDS: Final = {Class.STRING: 4, Class.BOOLEAN: 1, Class.TABLE: 7}


@dataclass(frozen=True, slots=True)
class Classed:
    """A value as indexes have it: its class, and a native value that compares.

    Where the place at which the page before ended is the better bound on one side, other bounds
    on that side are not to be sought by: they get a plus before them.
    """

    kind: str
    value: str
    low_is_place: bool = False
    high_is_place: bool = False

    @property
    def exists(self) -> str:
        return f"{'+' * self.low_is_place}{self.kind} > 0"

    @property
    def low(self) -> str:
        return f"{'+' * self.low_is_place}{self.value}"

    @property
    def high(self) -> str:
        return f"{'+' * self.high_is_place}{self.value}"

    @property
    def table_id(self) -> str:
        return f"iif({self.kind} = 4, {self.value}, NULL)"

    def is_class(self, of_class: Class) -> str:
        return f"{self.kind} = {int(of_class)}"

    def native(self, _of_class: Class) -> str:
        return self.value


Test: TypeAlias = Callable[[Looked], str]
"""From a value to an expression that is 0 or 1."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the rows are read from: SQL expressions for a row's parts."""

    tables: str
    """What stands behind FROM."""
    conditions: tuple[str, ...]
    key_kind: str
    key: str
    row_table: str
    """The id of the row's table, or NULL."""
    value: Kinded | None = None
    """None where it has to be looked up."""
    fields: Mapping[str, Classed] = dataclasses.field(default_factory=dict)
    """Fields that are there already, by their texts."""

    def at_hand(self, field: Field) -> Looked | None:
        """A field that need not be looked up."""
        if field.is_value and self.value is not None:
            return self.value
        known = self.fields.get(field.text)
        if known is None and field.is_key:
            return Kinded(self.key_kind, self.key)
        return known


def class_of(found: Kinded) -> str:
    """An expression for the class of a value; its parts are NULL where there is none."""
    return (
        f"CASE {found.kind} WHEN 2 THEN 1 WHEN 4 THEN 2"
        f" WHEN 3 THEN iif(typeof({found.value}) = 'real', 1, 6)"
        " WHEN 1 THEN 3 WHEN 7 THEN 4 WHEN 5 THEN 5 WHEN 6 THEN 5 ELSE 0 END"
    )


def ordered(found: Kinded) -> str:
    """An expression by which values of one class order; 0 for NaN and for what is missing."""
    return (
        f"CASE {found.kind} WHEN 2 THEN {found.value} WHEN 4 THEN CAST({found.value} AS BLOB)"
        f" WHEN 3 THEN iif(typeof({found.value}) = 'real', {found.value}, 0)"
        f" WHEN 6 THEN CAST({found.value} AS BLOB) ELSE ifnull({found.value}, 0) END"
    )


def after_prefix(start: bytes) -> bytes | None:
    """The least string that is greater than all that begin so; None if there is none."""
    kept = start.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None
