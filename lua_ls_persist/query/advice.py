"""Which index would help a query that has none. Pure: nothing is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lua_ls_persist.query.model import Comparison, Field, Group, Query

FIELDS_MAX: Final = 3
_RANGES: Final = ("<", "<=", ">", ">=", "between", "startsWith", "in")


@dataclass(frozen=True, slots=True)
class Advice:
    """An index to make: what `create_index` takes."""

    fields: tuple[str, ...]
    kind: str = "btree"
    each: bool = False


def advice_for(query: Query) -> Advice | None:
    """The index that answers most of a query; None if none would.

    First the fields that are to have one value, then one that is to be in a range, or those that
    order the rows.
    """
    conditions = list(_all_of(query.where))
    for node in conditions:
        if node.operator == "matches":
            return Advice((node.field.text,), kind="text")
    fields = _different(node.field for node in conditions if node.operator == "=")
    if not fields:
        for node in conditions:
            if node.operator == "contains" and not node.field.is_key:
                return Advice((node.field.text,), each=True)
    orders = [order.field for order in query.order_by]
    ranges = _different(node.field for node in conditions if node.operator in _RANGES)
    if orders and (not ranges or ranges[0] == orders[0]):
        fields = _different([*fields, *orders])
    elif ranges:
        fields = _different([*fields, ranges[0]])
    fields = [field for field in fields if not field.is_key][:FIELDS_MAX]
    return Advice(tuple(field.text for field in fields)) if fields else None


def _all_of(group: Group) -> Iterator[Comparison]:
    """The conditions that each row is to fulfil."""
    for member in group.members:
        if isinstance(member, Comparison):
            yield member
        elif member.kind == "all":
            yield from _all_of(member)


def _different(fields: Iterator[Field] | list[Field]) -> list[Field]:
    return list(dict.fromkeys(fields))
