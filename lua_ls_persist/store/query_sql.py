"""The SQL of conditions, fields and orders: what queries are made of, with an index or without.

Values get into statements as parameters only. A field of a row is looked up in `full_entries`, so
that this does not depend on how long strings are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, cast

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Class, Comparison, Field, Node, Operand
from lua_ls_persist.query.model import Key
from lua_ls_persist.store.query_values import (
    Classed,
    Kinded,
    Looked,
    Source,
    Test,
    after_prefix,
    class_of,
    ordered,
)
from lua_ls_persist.store.rows import Native, native_key

JOINED_STEPS_MAX: Final = 50
"""SQLite joins at most 64 tables: one for the rows, and one for each step of what orders them."""

NEVER: Final = "0"
ALWAYS: Final = "1"


class Builder:
    """Puts one statement together. The parameter `?1` is the id of the table that is queried."""

    def __init__(self, table_id: int, text_index: Callable[[Comparison], tuple[str, str]]) -> None:
        """`text_index` finds the table of the index that answers a `matches`, or raises.

        With it comes the expression to match.
        """
        self.parameters: list[Native] = []
        self.table_id = table_id
        self.table = self.add(table_id)
        self._text_index = text_index

    def add(self, value: Native) -> str:
        """A parameter with this value."""
        self.parameters.append(value)
        return f"?{len(self.parameters)}"

    def bound(self, sql: str) -> tuple[Native, ...]:
        """The parameters of a statement; SQLite takes none behind the last one that is used."""
        used = len(self.parameters)
        while used and f"?{used}" not in sql:
            used -= 1
        return tuple(self.parameters[:used])

    # Conditions

    def condition(self, node: Node, source: Source) -> str:
        """An expression that is 1 for the rows that fulfil the condition, and 0 for the others."""
        if isinstance(node, Comparison):
            return self._comparison(node, source)
        if node.kind == "all":
            return joined("AND", self._all(node.members, source), ALWAYS)
        parts = [self.condition(member, source) for member in node.members]
        any_of = joined("OR", parts, NEVER)
        return any_of if node.kind == "any" else f"NOT {any_of}"

    def _all(self, members: Sequence[Node], source: Source) -> list[str]:
        """Conditions on the same field are answered by one look at it."""
        parts: list[str] = []
        tests: dict[Field, list[Test]] = {}
        for member in members:
            test = self._test(member) if isinstance(member, Comparison) else None
            if test is None:
                parts.append(self.condition(member, source))
            else:
                tests.setdefault(member.field, []).append(test)  # type: ignore[union-attr]  # a comparison
        together = [
            self.looked_up(field, source, _all_of(list_of)) for field, list_of in tests.items()
        ]
        return together + parts

    def _comparison(self, node: Comparison, source: Source) -> str:
        if node.operator == "matches":
            return self._matches(node, source)
        if node.operator in ("!=", "not in"):
            positive = "=" if node.operator == "!=" else "in"
            return f"NOT {self._comparison(_with_operator(node, positive), source)}"
        if node.operator == "missing":
            value = source.at_hand(node.field)
            if isinstance(value, Classed):
                return f"({value.kind} = 0 AND {value.value} = 0)"
            return f"NOT ({self.looked_up(node.field, source, _anything)})"
        test = self._test(node)
        assert test is not None
        return self.looked_up(node.field, source, test)

    def _test(self, node: Comparison) -> Test | None:
        """What a value has to be like; None if it is about a value that is not there, or text."""
        operator, operands = node.operator, node.operands
        if operator in ("=", "in"):
            return self._is_one_of(operands)
        if operator in ("<", "<=", ">", ">="):
            return self._compares(operator, operands[0])
        if operator == "between":
            return _all_of([self._compares(">=", operands[0]), self._compares("<=", operands[1])])
        if operator == "contains":
            return self._contains(operands[0])
        if operator == "startsWith":
            return self._starts_with(operands[0])
        if operator == "endsWith":
            return self._ends_with(operands[0])
        if operator == "exists":
            return _anything
        return None

    def _is_one_of(self, operands: Iterable[Operand]) -> Test:
        by_class: dict[Class, list[str]] = {}
        for operand in operands:
            if operand.kind != Class.NAN:
                by_class.setdefault(operand.kind, []).append(self.add(operand.value))

        wanted = {
            of_class: f"= {names[0]}" if len(names) == 1 else f"IN ({', '.join(names)})"
            for of_class, names in by_class.items()
        }

        def test(value: Looked) -> str:
            parts = [
                f"({value.is_class(of_class)} AND {value.native(of_class)} {equal})"
                for of_class, equal in wanted.items()
            ]
            return joined("OR", parts, NEVER)

        return test

    def _compares(self, operator: str, operand: Operand) -> Test:
        if operand.kind == Class.NAN:
            return _nothing
        bound, of_class = self.add(operand.value), operand.kind

        def test(value: Looked) -> str:
            compared = value.native(of_class)
            if isinstance(value, Classed):
                compared = value.low if operator in (">", ">=") else value.high
            return f"({value.is_class(of_class)} AND {compared} {operator} {bound})"

        return test

    def _starts_with(self, operand: Operand) -> Test:
        """An index is sought by bounds; for a look at one string, its beginning is quicker."""
        start = cast("bytes", operand.value)
        beyond = after_prefix(start)
        first = self.add(start)

        def test(value: Looked) -> str:
            is_string = value.is_class(Class.STRING)
            if isinstance(value, Classed):
                below = "" if beyond is None else f" AND {value.high} < {self.add(beyond)}"
                return f"({is_string} AND {value.low} >= {first}{below})"
            content = value.native(Class.STRING)
            return f"({is_string} AND {_part(f'{content}, 1, {len(start)}')} = {first})"

        return test

    def _ends_with(self, operand: Operand) -> Test:
        length, end = len(cast("bytes", operand.value)), self.add(operand.value)

        def test(value: Looked) -> str:
            content = value.native(Class.STRING)
            last = _part(f"{content}, max(length({content}) - {length}, 0) + 1")
            return f"({value.is_class(Class.STRING)} AND {last} = {end})"

        return test

    def _contains(self, operand: Operand) -> Test:
        """A string that has the operand in it, or a table with the operand at an integer key."""
        equal = self._is_one_of([operand])(Kinded("e.kind", "e.value"))
        part = self.add(operand.value) if operand.kind == Class.STRING else ""

        def test(value: Looked) -> str:
            element = (
                f"({value.is_class(Class.TABLE)} AND EXISTS (SELECT 1 FROM full_entries AS e"  # noqa: S608
                f" WHERE e.table_id = {value.table_id} AND e.key_kind = 2 AND {equal}))"
            )
            if not part:
                return element
            content = value.native(Class.STRING)
            within = f"({value.is_class(Class.STRING)} AND instr({content}, {part}) > 0)"
            return f"({within} OR {element})"

        return test

    def _matches(self, node: Comparison, source: Source) -> str:
        storage, wanted = self._text_index(node)
        return (
            f"EXISTS (SELECT 1 FROM {storage}_rows AS t WHERE t.key_kind = {source.key_kind}"  # noqa: S608
            f" AND t.key = {source.key} AND t.id IN"
            f" (SELECT rowid FROM {storage} WHERE {storage} MATCH {self.add(wanted)}))"
        )

    # Fields

    def looked_up(self, field: Field, source: Source, test: Test) -> str:
        """Whether the field is there and passes the test."""
        value = source.at_hand(field)
        if value is not None:
            return test(value)
        tables, conditions, last = self._path(field, source)
        conditions.append(test(Kinded(f"{last}.kind", f"{last}.value")))
        return f"EXISTS (SELECT 1 FROM {tables} WHERE {' AND '.join(conditions)})"  # noqa: S608

    def _path(self, field: Field, source: Source) -> tuple[str, list[str], str]:
        """The tables to join for a field, the conditions on them, and the last one's name."""
        if field.is_value:
            conditions = [
                f"f.table_id = {self.table}",
                f"f.key_kind = {source.key_kind}",
                f"f.key = {source.key}",
            ]
            return "full_entries AS f", conditions, "f"
        names, conditions, of_table = [], [], source.row_table
        for number, step in enumerate(field.steps, 1):
            name = f"f{number}"
            names.append(f"full_entries AS {name}")
            conditions += self._entry(name, of_table, step)
            of_table = f"iif({name}.kind = 7, {name}.value, NULL)"
        return " CROSS JOIN ".join(names), conditions, f"f{len(names)}"

    def _entry(self, name: str, of_table: str, step: Key) -> list[str]:
        kind, key = native_key(step)
        return [
            f"{name}.table_id = {of_table}",
            f"{name}.key_kind = {kind}",
            f"{name}.key = {self.add(key)}",
        ]

    def found(self, field: Field, source: Source) -> tuple[str, str]:
        """Expressions for a field's kind and native value, for a few rows; NULL if missing."""
        value = source.at_hand(field)
        if isinstance(value, Kinded):
            return value.kind, value.value
        tables, conditions, last = self._path(field, source)
        where = " AND ".join(conditions)
        return (
            f"(SELECT {last}.kind FROM {tables} WHERE {where})",  # noqa: S608
            f"(SELECT {last}.value FROM {tables} WHERE {where})",  # noqa: S608
        )

    def selected(
        self, fields: Sequence[Field], source: Source
    ) -> tuple[str, list[tuple[str, str]]]:
        """Joins that find fields in a few rows, and expressions as those of `found`.

        A join looks a field up once, where two expressions would do it twice.
        """
        joins: list[str] = []
        found: list[tuple[str, str]] = []
        steps = 0
        for number, field in enumerate(fields, 1):
            steps += len(field.steps) or 1
            if source.at_hand(field) is not None or steps > JOINED_STEPS_MAX:
                found.append(self.found(field, source))
            else:
                value = self._joined(field, source, f"s{number}", joins)
                found.append((value.kind, value.value))
        return "".join(joins), found

    def classed(
        self, fields: Sequence[Field], source: Source, place: str
    ) -> tuple[str, list[tuple[str, str]]]:
        """Joins that find fields in many rows, and expressions for their classes and values."""
        if sum(len(field.steps) or 1 for field in fields) > JOINED_STEPS_MAX:
            raise QueryError(
                f"{place}: the fields have more than {JOINED_STEPS_MAX} steps together"
            )
        joins: list[str] = []
        found: list[tuple[str, str]] = []
        for number, field in enumerate(fields, 1):
            value = source.at_hand(field)
            if value is None:
                value = self._joined(field, source, f"j{number}", joins)
            if isinstance(value, Classed):
                found.append((value.kind, value.value))
            else:
                assert isinstance(value, Kinded)
                found.append((class_of(value), ordered(value)))
        return "".join(joins), found

    def _joined(self, field: Field, source: Source, name: str, joins: list[str]) -> Kinded:
        if field.is_value:
            on = (
                f"{name}.table_id = {self.table} AND {name}.key_kind = {source.key_kind}"
                f" AND {name}.key = {source.key}"
            )
            joins.append(f" LEFT JOIN full_entries AS {name} ON {on}")
            return Kinded(f"{name}.kind", f"{name}.value")
        of_table, last = source.row_table, name
        for at, step in enumerate(field.steps, 1):
            last = f"{name}_{at}"
            on = " AND ".join(self._entry(last, of_table, step))
            joins.append(f" LEFT JOIN full_entries AS {last} ON {on}")
            of_table = f"iif({last}.kind = 7, {last}.value, NULL)"
        return Kinded(f"{last}.kind", f"{last}.value")


def joined(word: str, parts: Sequence[str], empty: str) -> str:
    """The parts with AND or OR between them; a balanced tree, since SQLite limits its depth."""
    if not parts:
        return empty
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = joined(word, parts[:middle], empty), joined(word, parts[middle:], empty)
    return f"({left} {word} {right})"


def _part(of: str) -> str:
    """A part of a string; SQLite says NULL of an empty one."""
    return f"ifnull(substr({of}), x'')"


def _all_of(tests: Sequence[Test]) -> Test:
    return lambda value: joined("AND", [test(value) for test in tests], ALWAYS)


def _anything(value: Looked) -> str:
    return value.exists


def _nothing(_value: Looked) -> str:
    return NEVER


def _with_operator(node: Comparison, operator: str) -> Comparison:
    return Comparison(node.field, operator, node.operands, node.place)  # type: ignore[arg-type]  # one of them


# Orders


@dataclass(frozen=True, slots=True)
class Column:
    """An expression that rows are ordered by."""

    expression: str
    descending: bool


def order_text(columns: Iterable[Column]) -> str:
    """What stands behind ORDER BY."""
    return ", ".join(
        f"{column.expression} DESC" if column.descending else column.expression
        for column in columns
    )


def follows(columns: Sequence[Column], values: Sequence[str]) -> str:
    """Whether a row comes after these values, in the order of the columns."""
    runs = [
        (descending, list(run))
        for descending, run in groupby(
            zip(columns, values, strict=True), lambda pair: pair[0].descending
        )
    ]
    text = ""
    for descending, run in reversed(runs):
        names = ", ".join(column.expression for column, _ in run)
        places = ", ".join(value for _, value in run)
        beyond = f"({names}) {'<' if descending else '>'} ({places})"
        text = f"({beyond} OR (({names}) = ({places}) AND {text}))" if text else beyond
    return text
