"""A type with a number for each table that it says something about.

Position 0 is the table of rows itself, 1 the type of a row, and then all types inside of it, each
before those inside of it. Store and VM call by its position what a table is expected to be.
"""

from __future__ import annotations

from typing import Final

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema.checker import Texts
from lua_ls_persist.schema.model import Tree, Type

ROWS: Final = 0
ROW: Final = 1
POSITIONS_MAX: Final = 4095


class Shape:
    """The types of a schema by position."""

    def __init__(self, row: Type) -> None:
        """Raises `SchemaError` when there are too many."""
        self.types: list[Type] = [Type("table", extra=row)]
        self.parents: list[int] = [ROWS]
        self._fields: list[dict[object, int]] = []
        self._others: list[int] = []
        """The position of what stands at other keys; 0: nothing is said about those."""
        self._number(row, ROWS)
        waiting = 0
        while waiting < len(self.types):
            self._open(waiting)
            waiting += 1

    def _number(self, found: Type, parent: int) -> int:
        if len(self.types) > POSITIONS_MAX:
            raise SchemaError(f"a schema has at most {POSITIONS_MAX} types")
        self.types.append(found)
        self.parents.append(parent)
        return len(self.types) - 1

    def _open(self, position: int) -> None:
        if position == ROWS:
            self._fields.append({})
            self._others.append(ROW)
            return
        found = self.types[position]
        self._fields.append(
            {field.name: self._number(field.type, position) for field in found.fields}
        )
        other = found.array or (found.extra if isinstance(found.extra, Type) else None)
        self._others.append(0 if other is None else self._number(other, position))

    def child(self, position: int, key: object) -> int:
        """The position of what stands at a key; 0: nothing is said about it."""
        found = self._fields[position].get(key)
        return self._others[position] if found is None else found

    def opens(self, position: int) -> bool:
        """Whether a table at this position is looked into."""
        return position == ROWS or self.types[position].is_structured

    def labels(self, key: object) -> list[int]:
        """The positions of tables that may stand at this key, in whatever holds it."""
        return [
            child
            for position in range(len(self.types))
            if self.opens(position) and (child := self.child(position, key)) and self.opens(child)
        ]

    def tree(self) -> list[Tree]:
        """All of it as a VM reads it: a table for each position, from 0 on, texts included."""
        return [self._as_tree(position) for position in range(len(self.types))]

    def _as_tree(self, position: int) -> Tree:
        found = self.types[position]
        texts = Texts(found)
        parts: tuple[tuple[str, Tree], ...] = (
            ("kind", found.kind),
            ("missing", found.may_be_missing),
            ("min", found.minimum),
            ("max", found.maximum),
            ("range_text", texts.range),
            ("min_length", found.min_length if found.length is None else found.length),
            ("max_length", found.max_length if found.length is None else found.length),
            ("length_text", texts.length),
            ("pattern", found.pattern),
            ("pattern_text", texts.pattern),
            ("enum", list(found.enum) or None),
            ("enum_text", texts.enum),
            ("default", found.default),
            ("ref", found.ref),
            ("ref_text", texts.ref),
        )
        tree: dict[Tree, Tree] = {name: value for name, value in parts if value is not None}
        if found.array is not None:
            tree["array"] = self._others[position]
        elif self._others[position]:
            tree["extra"] = self._others[position]
        elif found.extra is False:
            tree["closed"] = True
        if self._fields[position]:
            tree["fields"] = {str(name): at for name, at in self._fields[position].items()}
            tree["names"] = [field.name for field in found.fields]
        return tree
