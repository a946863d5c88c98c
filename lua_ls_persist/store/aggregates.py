"""Counts, sums and extremes of groups of rows.

Nothing here depends on the order in which rows are read: sums are exact before they are rounded,
and of numbers that are equal the integer is told, so that an index changes no answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Aggregate, Class, Field
from lua_ls_persist.store.queries import Queries
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Native,
    Value,
    as_native,
)
from lua_ls_persist.store.searching import EVERY_ROW, Search
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN

GROUPS_MAX: Final = 100_000
"""All groups are in memory at once."""

_NAN_BITS: Final = 0x7FF8_0000_0000_0000
_FLOAT_UNIT: Final = 1074
"""Every float is a whole number of 2 to the power of minus so many."""
_MANTISSA_BITS: Final = 53
_MANTISSA_UNITS: Final = 2.0**_MANTISSA_BITS


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group of rows: its values of the fields to group by (None where missing), and the facts.

    Of `sum`, `min`, `max` and `avg`, None is what was not asked for, or what there is not.
    """

    group: tuple[Value | None, ...]
    count: int
    sum: Value | None = None
    min: Value | None = None
    max: Value | None = None
    avg: Value | None = None


class Aggregates(Queries):
    """Answers questions about groups of rows."""

    def aggregate(
        self, table_id: int, aggregate: Aggregate, search: Search = EVERY_ROW
    ) -> list[FoundGroup]:
        """What is asked of each group, in the order of the groups' values.

        There is one group if there is nothing to group by. `search` leaves out rows without a text.

        Raises:
            QueryError: the question makes no sense for this table, or there are too many groups.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        with self.one_state(), self._asking(aggregate.where):
            self._connection.create_aggregate_function("exact_sum", _exact_sum, 1)
            sql, parameters = self._aggregate_statement(table_id, aggregate, search)
            found = self._connection.execute(sql, parameters).fetchall()
        if len(found) > GROUPS_MAX:
            raise QueryError(f"group_by: there are more than {GROUPS_MAX} groups")
        return [_group(aggregate, cast("tuple[Native, ...]", row)) for row in found]

    def _aggregate_statement(
        self, table_id: int, aggregate: Aggregate, search: Search
    ) -> tuple[str, tuple[Native, ...]]:
        builder = self._builder(table_id)
        wanted = _asked_about(aggregate)
        # Looked up once each, whatever is asked of them.
        fields = list(dict.fromkeys([*aggregate.group_by, *wanted]))
        tables, conditions, source = self._all_rows(builder, aggregate.where, fields, search)
        joins, pairs = builder.classed(fields, source, "group_by")
        numbers = {field: number for number, field in enumerate(fields, 1)}
        groups = [numbers[field] for field in aggregate.group_by]
        results = [column for number in groups for column in _group_columns(number)]
        results.append("count(*)")
        results += [column for field in wanted for column in _fact_columns(numbers[field])]
        inner = [
            f"{kind} AS c{number}, {value} AS v{number}"
            for number, (kind, value) in enumerate(pairs, 1)
        ] or ["1"]
        # The limit, which is none, keeps SQLite from computing the inner expressions again wherever
        # their names are used.
        sql = (
            f"SELECT {', '.join(results)} FROM (\n  SELECT {', '.join(inner)}\n"  # noqa: S608
            f"  FROM {tables}{joins}\n  WHERE {' AND '.join(conditions)}\n"
            "  LIMIT -1\n)"
        )
        if groups:
            by = ", ".join(f"c{n}, v{n}" for n in groups)
            sql += f"\nGROUP BY {by} ORDER BY {by} LIMIT {builder.add(GROUPS_MAX + 1)}"
        return sql, builder.bound(sql)


def _exact_sum() -> tuple[_Exact, Callable[..., None], Callable[[_Exact], str | None]]:
    return _Exact(), _Exact.step, _Exact.final


def _asked_about(aggregate: Aggregate) -> list[Field]:
    """The fields about which something is asked, each once."""
    asked = (aggregate.sum, aggregate.avg, aggregate.min, aggregate.max)
    return list(dict.fromkeys(field for field in asked if field is not None))


# What a statement gives of a value of a group, and of the values of a field that is asked about.

_GROUP_COLUMNS: Final = 3
_FACT_COLUMNS: Final = 10


def _group_columns(number: int) -> list[str]:
    """Class and value; and whether any of the values, which are all equal, is an integer."""
    is_integer = f"max(c{number} = 1 AND typeof(v{number}) = 'integer')"
    return [f"c{number}", f"v{number}", is_integer]


def _fact_columns(number: int) -> list[str]:
    """All from which sum, avg, min and max follow."""
    value = f"v{number}"
    integers = f"FILTER (WHERE c{number} = 1 AND typeof({value}) = 'integer')"
    floats = f"FILTER (WHERE c{number} = 1 AND typeof({value}) = 'real')"
    strings = f"FILTER (WHERE c{number} = 2)"
    return [
        # In two parts, because SQLite's sums must fit into 64 bits.
        f"sum({value} >> 32) {integers}",
        f"sum({value} & 4294967295) {integers}",
        f"count(*) {integers}",
        f"exact_sum({value}) {floats}",
        *(
            f"{extreme}({value}) {which}"
            for extreme in ("min", "max")
            for which in (integers, floats, strings)
        ),
    ]


def _group(aggregate: Aggregate, row: tuple[Native, ...]) -> FoundGroup:
    start = _GROUP_COLUMNS * len(aggregate.group_by)
    group = tuple(
        _value(*cast("tuple[int, Native, int]", row[at : at + _GROUP_COLUMNS]))
        for at in range(0, start, _GROUP_COLUMNS)
    )
    facts = {
        field: _Facts(row[at : at + _FACT_COLUMNS])
        for field, at in zip(
            _asked_about(aggregate), range(start + 1, len(row), _FACT_COLUMNS), strict=True
        )
    }
    return FoundGroup(
        group,
        cast("int", row[start]),
        None if aggregate.sum is None else facts[aggregate.sum].sum(),
        None if aggregate.min is None else facts[aggregate.min].least(),
        None if aggregate.max is None else facts[aggregate.max].greatest(),
        None if aggregate.avg is None else facts[aggregate.avg].average(),
    )


class _Facts:
    """What a statement has found about a field's values in one group."""

    def __init__(self, columns: tuple[Native, ...]) -> None:
        high, low, self._integers, floats, *self._extremes = columns
        total = (cast("int", high or 0) << 32) + cast("int", low or 0)
        self._total = _Exact(total << _FLOAT_UNIT)
        self._floats = 0
        if floats is not None:
            found = _Exact.read(cast("str", floats))
            self._floats = found.count
            self._total.add(found)

    def sum(self) -> Value:
        if not self._floats:
            total = self._total.finite >> _FLOAT_UNIT
            if INTEGER_MIN <= total <= INTEGER_MAX:
                return INTEGER, total
        return _float(self._total.rounded(1))

    def average(self) -> Value | None:
        count = self._floats + cast("int", self._integers)
        return _float(self._total.rounded(count)) if count else None

    def least(self) -> Value | None:
        integer, number, string = self._extremes[:3]
        if integer is None and number is None:
            return _value(Class.STRING, string, 0)
        return min(_numbers(integer, number), key=lambda value: cast("float", value[1]))

    def greatest(self) -> Value | None:
        integer, number, string = self._extremes[3:]
        if string is not None:
            return _value(Class.STRING, string, 0)
        numbers = _numbers(integer, number)
        return max(numbers, key=lambda value: cast("float", value[1])) if numbers else None


def _numbers(integer: Native, number: Native) -> list[Value]:
    """The integer, which is told where both are equal, before the float."""
    found: list[Value] = []
    if integer is not None:
        found.append((INTEGER, integer))
    if number is not None:
        found.append(_float(cast("float", number)))
    return found


def _value(kind: int, value: Native, is_integer: int) -> Value | None:
    """A value of a class as entries have it."""
    if kind == Class.MISSING or value is None:
        return None
    if kind == Class.NUMBER:
        number = cast("float", value)
        return (INTEGER, int(number)) if is_integer else _float(number)
    if kind == Class.NAN:
        return FLOAT, _NAN_BITS
    if isinstance(value, bytes):
        return (STRING if kind == Class.STRING else PERMANENT), as_native(value)
    return _KINDS[kind], value


_KINDS: Final[dict[int, int]] = {
    Class.BOOLEAN: BOOLEAN,
    Class.TABLE: TABLE,
    Class.FUNCTION: FUNCTION,
}


def _float(number: float) -> Value:
    """A float; zeros, which are all equal, are one, and so are NaNs."""
    if math.isnan(number):
        return FLOAT, _NAN_BITS
    return FLOAT, number or 0.0


class _Exact:
    """A sum of floats that has not been rounded: how many of the least float there are.

    It is the aggregate function `exact_sum`, of floats.
    """

    __slots__ = ("_mantissas", "count", "finite", "infinite", "negative_infinite")

    def __init__(self, finite: int = 0) -> None:
        self.count = 0
        self.finite = finite
        self.infinite = 0
        self.negative_infinite = 0
        self._mantissas: dict[int, int] = {}
        """By exponent, since small integers are added faster than large ones."""

    def step(self, number: float) -> None:
        """One more float."""
        self.count += 1
        if number - number == 0:  # it is finite
            mantissa, exponent = math.frexp(number)
            mantissas = self._mantissas
            mantissas[exponent] = mantissas.get(exponent, 0) + int(mantissa * _MANTISSA_UNITS)
        elif number > 0:
            self.infinite += 1
        else:
            self.negative_infinite += 1

    def final(self) -> str | None:
        """What `read` reads; None if there was nothing."""
        if not self.count:
            return None
        for exponent, mantissas in self._mantissas.items():
            # Only what the smallest floats do not have anyway is shifted out.
            shift = _FLOAT_UNIT + exponent - _MANTISSA_BITS
            self.finite += mantissas << shift if shift > 0 else mantissas >> -shift
        return f"{self.count} {self.infinite} {self.negative_infinite} {self.finite:x}"

    @classmethod
    def read(cls, text: str) -> _Exact:
        """A sum that was written by `final`."""
        count, infinite, negative_infinite, finite = text.split(" ")
        found = cls(int(finite, 16))
        found.count, found.infinite = int(count), int(infinite)
        found.negative_infinite = int(negative_infinite)
        return found

    def add(self, other: _Exact) -> None:
        """All of another sum."""
        self.finite += other.finite
        self.infinite += other.infinite
        self.negative_infinite += other.negative_infinite

    def rounded(self, count: int) -> float:
        """The sum divided by a count, rounded once."""
        if self.infinite or self.negative_infinite:
            if self.infinite and self.negative_infinite:
                return math.nan
            return math.inf if self.infinite else -math.inf
        try:
            return self.finite / (count << _FLOAT_UNIT)
        except OverflowError:
            return math.inf if self.finite > 0 else -math.inf
