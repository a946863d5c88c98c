"""From plain trees, as Lua, Python and JSON give them, to questions that make sense.

A list is a Python list or tuple, or a mapping whose keys are 1 to n; names of a mapping are text or
bytes. What makes no sense is a `QueryError` that names the place, counted from 1, such as
`where[2].any[1]`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias, cast

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query.fields import described, parse_field
from lua_ls_persist.query.model import (
    CONDITIONS_MAX,
    DEPTH_MAX,
    GROUP_FIELDS_MAX,
    LIMIT_MAX,
    ORDER_FIELDS_MAX,
    SELECT_FIELDS_MAX,
    VALUES_MAX,
    Aggregate,
    Class,
    Comparison,
    Field,
    Group,
    Node,
    Operand,
    Operator,
    OrderField,
    Query,
    Reference,
)
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN, text_to_bytes

Tree: TypeAlias = object

_GROUPS: Final[tuple[Literal["all", "any", "none"], ...]] = ("all", "any", "none")
_NO_VALUE: Final = ("exists", "missing")
_ONE_VALUE: Final = ("=", "!=", "<", "<=", ">", ">=", "startsWith", "endsWith", "contains",
                     "matches")  # fmt: skip
_LISTS: Final = ("in", "not in")
OPERATORS: Final[tuple[str, ...]] = (*_ONE_VALUE, *_LISTS, "between", *_NO_VALUE)
_ORDERING: Final = ("<", "<=", ">", ">=", "between")
_OF_STRINGS: Final = ("startsWith", "endsWith", "matches")

_QUERY_PARTS: Final = ("where", "order_by", "descending", "limit", "after", "select")
_AGGREGATE_PARTS: Final = ("where", "group_by", "count", "sum", "min", "max", "avg")
_ORDER_PARTS: Final = ("field", "descending")


def parse_query(spec: Tree) -> Query:
    """The query that a mapping describes; all of its parts may be missing.

    Raises:
        QueryError: it makes no sense.
    """
    parts = _parts(spec, _QUERY_PARTS, "the query")
    orders, flipped = _orders(parts.get("order_by")), _flag(parts.get("descending"), "descending")
    # The key goes with the last field, so that `{field = "age", descending = true}` alone is the
    # same as order_by = "age", descending = true; and `descending` turns everything round.
    key_descending = bool(orders) and orders[-1].descending
    return Query(
        where=parse_where(parts.get("where")),
        order_by=tuple(OrderField(order.field, order.descending ^ flipped) for order in orders),
        key_descending=key_descending ^ flipped,
        limit=_limit(parts.get("limit")),
        after=_cursor(parts.get("after")),
        select=_fields(parts.get("select"), "select", SELECT_FIELDS_MAX),
    )


def parse_aggregate(spec: Tree) -> Aggregate:
    """What a mapping asks of groups of rows.

    Raises:
        QueryError: it makes no sense, or asks for nothing.
    """
    parts = _parts(spec, _AGGREGATE_PARTS, "the aggregate")
    of = {
        name: None if parts.get(name) is None else parse_field(parts[name], name)
        for name in ("sum", "min", "max", "avg")
    }
    count = _flag(parts.get("count"), "count")
    if not count and not any(of.values()):
        raise QueryError("the aggregate asks for nothing: give count, sum, min, max or avg")
    return Aggregate(
        where=parse_where(parts.get("where")),
        group_by=_fields(parts.get("group_by"), "group_by", GROUP_FIELDS_MAX),
        count=count,
        **of,
    )


def parse_where(where: Tree) -> Group:
    """The conditions that rows are to fulfil: one condition, or a list of conditions and groups.

    Raises:
        QueryError: it makes no sense.
    """
    return _Conditions().read(where)


class _Conditions:
    """Reads conditions, and counts them."""

    def __init__(self) -> None:
        self._conditions = 0
        self._values = 0

    def read(self, where: Tree) -> Group:
        if where is None:
            return Group("all", ())
        return Group("all", self._members(where, "where", 0))

    def _members(self, tree: Tree, place: str, depth: int) -> tuple[Node, ...]:
        """A list of conditions and groups, or one condition or group in the place of the list."""
        if depth > DEPTH_MAX:
            raise QueryError(f"{place}: groups nest at most {DEPTH_MAX} deep")
        items = as_list(tree)
        if items is None or (items and isinstance(items[0], (str, bytes))):
            return (self._node(tree, place, depth),)
        return tuple(
            self._node(item, f"{place}[{number}]", depth) for number, item in enumerate(items, 1)
        )

    def _node(self, tree: Tree, place: str, depth: int) -> Node:
        items = as_list(tree)
        if items is not None:
            if items and isinstance(items[0], (str, bytes)):
                return self._comparison(items, place)
            return Group("all", self._members(items, place, depth + 1))
        if not isinstance(tree, Mapping):
            raise QueryError(
                f'{place}: expected a condition such as {{"age", ">", 25}}, or a group, '
                f"got {described(tree)}"
            )
        groups = _parts(tree, _GROUPS, place)
        members = tuple(
            Group(kind, self._members(groups[kind], f"{place}.{kind}", depth + 1))
            for kind in _GROUPS
            if groups.get(kind) is not None
        )
        return members[0] if len(members) == 1 else Group("all", members)

    def _comparison(self, items: Sequence[Tree], place: str) -> Comparison:
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            raise QueryError(f"{place}: a query has at most {CONDITIONS_MAX} conditions")
        field = parse_field(items[0], place)
        operator = _operator(items[1] if len(items) > 1 else None, place)
        operands = self._operands(operator, items[2:], place)
        self._values += len(operands)
        if self._values > VALUES_MAX:
            raise QueryError(f"{place}: the conditions of a query have at most {VALUES_MAX} values")
        return Comparison(field, operator, operands, place)

    def _operands(
        self, operator: Operator, given: Sequence[Tree], place: str
    ) -> tuple[Operand, ...]:
        wanted = 0 if operator in _NO_VALUE else 2 if operator == "between" else 1
        if len(given) != wanted:
            values = ("no value", "one value", "two values")[wanted]
            got = f"{len(given)}" if given else "none"
            raise QueryError(f"{place}: {operator} takes {values}, got {got}")
        if operator in _LISTS:
            listed = as_list(given[0])
            if listed is None:
                raise QueryError(
                    f"{place}: {operator} takes a list of values, got {described(given[0])}"
                )
            if len(listed) > VALUES_MAX:
                raise QueryError(f"{place}: {operator} takes at most {VALUES_MAX} values")
            return tuple(
                operand(item, f"{place}[3][{number}]") for number, item in enumerate(listed, 1)
            )
        operands = tuple(operand(item, f"{place}[{at}]") for at, item in enumerate(given, 3))
        _check_classes(operator, operands, place)
        return operands


def operand(value: Tree, place: str) -> Operand:
    """A value to compare with.

    Raises:
        QueryError: it is none.
    """
    if isinstance(value, bool):
        return Operand(Class.BOOLEAN, int(value))
    if isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise QueryError(f"{place}: {value} is no integer of Lua, which have 64 bits")
        return Operand(Class.NUMBER, value)
    if isinstance(value, float):
        return Operand(Class.NAN, 0) if math.isnan(value) else Operand(Class.NUMBER, value)
    if isinstance(value, str):
        return Operand(Class.STRING, text_to_bytes(value))
    if isinstance(value, bytes):
        return Operand(Class.STRING, value)
    if isinstance(value, Reference):
        if value.kind == "permanent":
            return Operand(Class.FUNCTION, str(value.id).encode())
        kind = Class.TABLE if value.kind == "table" else Class.FUNCTION
        return Operand(kind, cast("int", value.id))
    if value is None:
        raise QueryError(f"{place}: nil is no value to compare with; use missing or exists")
    if isinstance(value, (list, tuple, Mapping)):
        raise QueryError(
            f"{place}: a plain table equals no stored one; compare with a stored table, "
            "or with a field inside of it"
        )
    raise QueryError(f"{place}: {described(value)} is no value of Lua")


def as_list(tree: Tree) -> Sequence[Tree] | None:
    """The items of a list; None if it is none. An empty mapping is an empty list, as in Lua."""
    if isinstance(tree, (list, tuple)):
        return tree
    if isinstance(tree, Mapping) and all(
        isinstance(key, int) and not isinstance(key, bool) for key in tree
    ):
        numbers = range(1, len(tree) + 1)
        if all(number in tree for number in numbers):
            return [tree[number] for number in numbers]
    return None


def _check_classes(operator: Operator, operands: tuple[Operand, ...], place: str) -> None:
    for at, found in enumerate(operands, 3):
        if operator in _OF_STRINGS and found.kind != Class.STRING:
            raise QueryError(f"{place}[{at}]: {operator} takes a string, got {_class_text(found)}")
        if operator in _ORDERING and found.kind not in (Class.NUMBER, Class.STRING, Class.NAN):
            raise QueryError(
                f"{place}[{at}]: {operator} takes a number or a string, got {_class_text(found)}"
            )
    kinds = {found.kind for found in operands}
    if operator == "between" and kinds == {Class.NUMBER, Class.STRING}:
        raise QueryError(f"{place}: between takes two numbers or two strings, got one of each")


def _class_text(found: Operand) -> str:
    return "NaN" if found.kind == Class.NAN else f"a {found.kind.name.lower()}"


def _operator(name: Tree, place: str) -> Operator:
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    if name is None:
        raise QueryError(f"{place}: an operator is missing, as in " + '{"age", ">", 25}')
    if not isinstance(name, str):
        raise QueryError(f"{place}[2]: expected an operator, got {described(name)}")
    if name in OPERATORS:
        return cast("Operator", name)
    shown = name if len(name) <= 30 else f"{name[:30]}..."
    hint = {"==": "=", "~=": "!=", "<>": "!=", "not_in": "not in"}.get(name) or _nearest(
        name, OPERATORS
    )
    known = f"did you mean {hint}?" if hint else f"there are {', '.join(OPERATORS)}"
    raise QueryError(f"{place}[2]: there is no operator {shown}; {known}")


def _parts(spec: Tree, names: Sequence[str], place: str) -> dict[str, Tree]:
    """The parts of a mapping, by name; all of them are known."""
    if spec is None:
        return {}
    if not isinstance(spec, Mapping):
        items = as_list(spec)
        if items is None or items:
            raise QueryError(f"{place}: expected a table of {', '.join(names)}, got "
                             f"{'a list' if items else described(spec)}")  # fmt: skip
        return {}
    found: dict[str, Tree] = {}
    for key, value in spec.items():
        name = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        if not isinstance(name, str):
            raise QueryError(f"{place}: there is no {name!r}; there are {', '.join(names)}")
        if name not in names:
            hint = _nearest(name, names)
            known = f"did you mean {hint}?" if hint else f"there are {', '.join(names)}"
            raise QueryError(f"{place}: there is no {name[:40]}; {known}")
        found[name] = value
    return found


def _nearest(name: str, names: Sequence[str]) -> str | None:
    by_small = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), by_small, 1) or [
        known for known in by_small if name and known.startswith(name.lower())
    ]
    return by_small[near[0]] if near else None


def _orders(tree: Tree) -> tuple[OrderField, ...]:
    if tree is None:
        return ()
    if isinstance(tree, (str, bytes)):
        return (OrderField(parse_field(tree, "order_by")),)
    items = as_list(tree)
    if items is None:
        return (_order(tree, "order_by"),)
    if len(items) > ORDER_FIELDS_MAX:
        raise QueryError(f"order_by: rows are ordered by at most {ORDER_FIELDS_MAX} fields")
    orders = tuple(_order(item, f"order_by[{at}]") for at, item in enumerate(items, 1))
    _check_different([order.field for order in orders], "order_by")
    return orders


def _order(tree: Tree, place: str) -> OrderField:
    if not isinstance(tree, Mapping):
        return OrderField(parse_field(tree, place))
    parts = _parts(tree, _ORDER_PARTS, place)
    if parts.get("field") is None:
        raise QueryError(f"{place}: the field is missing")
    field = parse_field(parts["field"], f"{place}.field")
    return OrderField(field, _flag(parts.get("descending"), f"{place}.descending"))


def _fields(tree: Tree, place: str, fields_max: int) -> tuple[Field, ...]:
    if tree is None:
        return ()
    if isinstance(tree, (str, bytes)):
        return (parse_field(tree, place),)
    items = as_list(tree)
    if items is None:
        raise QueryError(f"{place}: expected a field or a list of fields, got {described(tree)}")
    if len(items) > fields_max:
        raise QueryError(f"{place}: there are at most {fields_max} fields")
    fields = tuple(parse_field(item, f"{place}[{at}]") for at, item in enumerate(items, 1))
    _check_different(fields, place)
    return fields


def _check_different(fields: Sequence[Field], place: str) -> None:
    for at, field in enumerate(fields, 1):
        if field in fields[: at - 1]:
            raise QueryError(f"{place}[{at}]: {field.text} is there twice")


def _flag(value: Tree, place: str) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise QueryError(f"{place}: expected true or false, got {described(value)}")
    return value


def _limit(value: Tree) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise QueryError(f"limit: expected a whole number, got {described(value)}")
    if not 1 <= value <= LIMIT_MAX:
        raise QueryError(f"limit: {value} is not between 1 and {LIMIT_MAX}")
    return value


def _cursor(value: Tree) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if not isinstance(value, str):
        raise QueryError(f"after: expected a cursor (next of a page), got {described(value)}")
    return value
