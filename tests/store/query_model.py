"""What queries mean, in plain Python: what the store's answers are compared with.

Data are a dict from a table's id to its entries, {(key's kind, key): (kind, native)}.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from lua_ls_persist.query import Aggregate, Class, Comparison, Field, Node, Operand, Query
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Value,
    native_key,
)

Data: TypeAlias = "dict[int, dict[Value, Value]]"
Row: TypeAlias = "tuple[Value, Value]"


def as_bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else value


def ranked(value: Value | None) -> tuple[Class, Any]:
    """Class and comparable value."""
    if value is None:
        return Class.MISSING, 0
    kind, native = value
    if kind == INTEGER:
        return Class.NUMBER, native
    if kind == FLOAT:
        return (Class.NAN, 0) if isinstance(native, int) else (Class.NUMBER, native)
    if kind == STRING:
        return Class.STRING, as_bytes(native)
    if kind == BOOLEAN:
        return Class.BOOLEAN, native
    if kind == TABLE:
        return Class.TABLE, native
    # Functions come before permanents.
    return Class.FUNCTION, (1, as_bytes(native)) if kind == PERMANENT else (0, native)


def wanted(operand: Operand) -> tuple[Class, Any]:
    value: Any = operand.value
    if operand.kind == Class.FUNCTION:
        value = (1, value) if isinstance(value, bytes) else (0, value)
    return operand.kind, value


def key_order(key: Value) -> tuple[Any, ...]:
    kind, native = key
    return kind, isinstance(native, bytes), as_bytes(native) if kind in (4, 6) else native


class Model:
    def __init__(self, data: Data, table_id: int) -> None:
        self.data = data
        self.rows: list[Row] = sorted(
            data.get(table_id, {}).items(), key=lambda row: key_order(row[0])
        )

    def field(self, field: Field, row: Row) -> Value | None:
        key, value = row
        if field.is_key:
            return key
        if field.is_value:
            return value
        found: Value | None = value
        for step in field.steps:
            if found is None or found[0] != TABLE:
                return None
            found = self.data.get(cast("int", found[1]), {}).get(native_key(step))
        return found

    def holds(self, node: Node, row: Row) -> bool:
        if isinstance(node, Comparison):
            return self._compare(node, self.field(node.field, row))
        members = (self.holds(member, row) for member in node.members)
        if node.kind == "all":
            return all(members)
        return any(members) == (node.kind == "any")

    def _compare(self, node: Comparison, value: Value | None) -> bool:
        operator = node.operator
        if operator in ("exists", "missing"):
            return (value is None) == (operator == "missing")
        found = ranked(value)
        operands = [wanted(operand) for operand in node.operands]
        equal = found in operands and found[0] != Class.NAN
        if operator in ("=", "in"):
            return equal
        if operator in ("!=", "not in"):
            return not equal
        if operator == "contains":
            return self._contains(value, operands[0])
        if operator == "between":
            low, high = operands
            return (
                Class.NAN not in (low[0], high[0])
                and found[0] == low[0] == high[0]
                and low[1] <= found[1] <= high[1]
            )
        (kind, operand) = operands[0]
        if kind == Class.NAN or found[0] != kind:
            return False
        answers = {
            "<": lambda: found[1] < operand,
            "<=": lambda: found[1] <= operand,
            ">": lambda: found[1] > operand,
            ">=": lambda: found[1] >= operand,
            "startsWith": lambda: found[1].startswith(operand),
            "endsWith": lambda: found[1].endswith(operand),
        }
        return bool(answers[operator]())

    def _contains(self, value: Value | None, operand: tuple[Class, Any]) -> bool:
        if value is None or operand[0] == Class.NAN:
            return False
        kind, found = ranked(value)
        if kind == Class.STRING:
            return operand[0] == Class.STRING and operand[1] in found
        if kind != Class.TABLE:
            return False
        return any(
            key[0] == INTEGER and ranked(element) == operand
            for key, element in self.data.get(found, {}).items()
        )

    def found(self, query: Query) -> list[Row]:
        """All rows of the query in order, whatever its limit and cursor."""
        rows = [row for row in self.rows if self.holds(query.where, row)]
        rows.sort(key=lambda row: key_order(row[0]), reverse=query.key_descending)
        for order in reversed(query.order_by):
            rows.sort(
                key=lambda row, order=order: ranked(self.field(order.field, row)),  # type: ignore[misc]
                reverse=order.descending,
            )
        return rows

    def groups(self, aggregate: Aggregate) -> dict[tuple[Any, ...], list[Row]]:
        """The rows of each group, by (class, value) of the group's fields, in order."""
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows:
            if self.holds(aggregate.where, row):
                place = tuple(ranked(self.field(field, row)) for field in aggregate.group_by)
                groups.setdefault(place, []).append(row)
        return dict(sorted(groups.items()))
