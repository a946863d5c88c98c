"""Types derived from values: what all rows seen so far have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lua_ls_persist.schema.definition import DEPTH_MAX
from lua_ls_persist.schema.model import Field, Kind, Type
from lua_ls_persist.schema.values import bytes_of, entries_of, type_name

FIELDS_MAX: Final = 100
"""A table with more different keys than this is taken for one that maps keys to values."""


@dataclass(slots=True)
class Deriving:
    """Gathers what values are; `add` them one by one, then ask for the `type`."""

    count: int = 0
    kinds: set[str] = field(default_factory=set)
    tables: int = 0
    lists: int = 0
    """How many tables are sequences with something in them."""
    empty: int = 0
    fields: dict[str, Deriving] = field(default_factory=dict)
    others: Deriving | None = None
    """What stands at keys that are no text, and at all keys once there are too many."""
    depth: int = 0

    def add(self, value: object) -> None:
        """One more value. Tables are trees: see `Tree`."""
        self.count += 1
        name = type_name(value)
        self.kinds.add(name)
        if name == "table":
            self._add_table(value)

    def _add_table(self, table: object) -> None:
        self.tables += 1
        if self.depth > DEPTH_MAX - 2:
            return
        entries = list(entries_of(table))
        if not entries:
            self.empty += 1
        elif isinstance(table, Sequence) or {key for key, _ in entries} == set(
            range(1, len(entries) + 1)
        ):
            self.lists += 1
        for key, value in entries:
            self._at(key).add(value)

    def _at(self, key: object) -> Deriving:
        name = _as_name(key)
        if name is not None:
            known = self.fields.get(name)
            if known is None and len(self.fields) < FIELDS_MAX:
                known = self.fields[name] = Deriving(depth=self.depth + 1)
            if known is not None:
                return known
        if self.others is None:
            self.others = Deriving(depth=self.depth + 1)
        return self.others

    @property
    def type(self) -> Type:
        """The narrowest type that is told by kinds, fields and elements."""
        kinds = self.kinds - {"nil"}
        optional = "nil" in self.kinds
        if len(kinds) != 1:
            kind: Kind = "number" if kinds == {"integer", "number"} else "any"
            return Type(kind, optional and kind != "any")
        (name,) = kinds
        if name == "table":
            return self._table(optional=optional)
        kinds_of_name: dict[str, Kind] = {
            "string": "string",
            "integer": "integer",
            "number": "number",
            "boolean": "boolean",
            "function": "function",
        }
        kind = kinds_of_name.get(name, "any")
        return Type(kind, optional and kind != "any")

    def _table(self, *, optional: bool) -> Type:
        others = self.others
        if others is not None and others._is_deep:
            others = None
        if self.lists and self.lists + self.empty == self.tables and others is not None:
            return Type("table", optional, array=others.type)
        if len(self.fields) >= FIELDS_MAX:
            return Type("table", optional, extra=self._common_type())
        fields = []
        for name in sorted(self.fields, key=bytes_of):
            inner = self.fields[name]
            found = inner.type
            if inner.count < self.tables and not found.may_be_missing:
                found = Type(
                    found.kind, True, array=found.array, fields=found.fields, extra=found.extra
                )
            fields.append(Field(name, found))
        extra: bool | Type = True
        if others is not None:
            inner_type = others.type
            extra = inner_type if inner_type.kind != "any" else True
        return Type("table", optional, fields=tuple(fields), extra=extra)

    def _common_type(self) -> bool | Type:
        """The type at all keys, if it is one that says it all."""
        inner = [*self.fields.values(), *(() if self.others is None else (self.others,))]
        kinds = {kind for one in inner for kind in one.kinds}
        found = Deriving(kinds=kinds).type if "table" not in kinds else Type()
        return found if found.kind != "any" else True

    @property
    def _is_deep(self) -> bool:
        return self.depth > DEPTH_MAX - 1


def _as_name(key: object) -> str | None:
    if isinstance(key, bytes):
        try:
            key = key.decode()
        except UnicodeDecodeError:
            return None
    if not isinstance(key, str):
        return None
    try:
        key.encode()
    except UnicodeEncodeError:
        return None
    return key
