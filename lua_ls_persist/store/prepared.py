"""Statements that are made once for questions that differ in their values only.

Programs ask the same questions again and again: the rows of another city, of another day. Where an
index gives the rows in order and all conditions are sought by it, neither the choice nor the
statement depends on the values. So both are kept, with places for the values.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Final, final

from lua_ls_persist.query import Comparison, Group, Operand, Query
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.query_pages import Statement
from lua_ls_persist.store.rows import Native

KEPT_MAX: Final = 128

_BY_VALUE: Final = frozenset(("=", "<", "<=", ">", ">=", "between", "in", "exists", "missing"))
"""The operators whose values get into statements as they are, and nowhere else."""


class _Place(int):
    """The number of a value in a question, in the stead of the value."""


@final
class Prepared:
    """Statements of first pages, and what they were made for."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[list[Index], Statement | None]] = {}

    def statement(
        self,
        table_id: int,
        query: Query,
        limit: int,
        indexes: list[Index],
        make: Callable[[Query], Statement | None],
    ) -> Statement | None:
        """The statement of a question's first page; None where each question needs its own.

        `make` makes it for a question that has places instead of values, or says None. It is
        asked again when the table has other indexes.
        """
        found = _shape(query.where)
        if found is None:
            return None
        shape, values = found
        orders = tuple([(order.field.text, order.descending) for order in query.order_by])
        selected = tuple([field.text for field in query.select])
        key = (table_id, limit, shape, orders, query.key_descending, selected)
        kept = self._kept.get(key)
        if kept is None or kept[0] != indexes:
            if len(self._kept) >= KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[key] = (indexes, make(_with_places(query)))
        statement = kept[1]
        return None if statement is None else _filled(statement, values)


def _shape(where: Group) -> tuple[Hashable, list[Native]] | None:
    """Conditions without their values, and the values; None where more depends on these."""
    shape: list[Hashable] = []
    values: list[Native] = []
    for node in where.members:
        if not isinstance(node, Comparison) or node.operator not in _BY_VALUE:
            return None
        shape += (node.field.text, node.operator, len(node.operands))
        for operand in node.operands:
            shape.append(operand.kind)
            values.append(operand.value)
    return tuple(shape), values


def _with_places(query: Query) -> Query:
    members: list[Comparison] = []
    number = 0
    for node in query.where.members:
        assert isinstance(node, Comparison)
        operands = [
            Operand(operand.kind, _Place(at)) for at, operand in enumerate(node.operands, number)
        ]
        number += len(operands)
        members.append(replace(node, operands=tuple(operands)))
    return replace(query, where=Group("all", tuple(members)))


def _filled(statement: Statement, values: Sequence[Native]) -> Statement:
    parameters = [
        values[parameter] if type(parameter) is _Place else parameter
        for parameter in statement.parameters
    ]
    return Statement(statement.sql, tuple(parameters), statement.choice)
