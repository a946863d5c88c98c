"""The SQL of conditions, fields and orders: what queries are made of, with an index or without.

Values get into statements as parameters only. A field of a row is looked up in `full_entries`, so
that this does not depend on how long strings are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Class, Comparison, Field, Node, Operand
from lua_ls_persist.query.model import Key
from lua_ls_persist.store.rows import Native, as_native, native_key

JOINED_STEPS_MAX: Final = 50
"""SQLite joins at most 64 tables: one for the rows, and one for each step of what orders them."""

NEVER: Final = "0"
ALWAYS: Final = "1"

Test: TypeAlias = Callable[[str, str], str]
"""From expressions for a value's kind and native value to one that is never NULL."""


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
    kind: str = ""
    value: str = ""
    """Empty where they have to be looked up."""


class Builder:
    """Puts one statement together. The parameter `?1` is the id of the table that is queried."""

    def __init__(self, table_id: int, text_index: Callable[[Comparison], int]) -> None:
        """`text_index` finds the index that answers a `matches`, or raises."""
        self.parameters: list[Native] = []
        self.table = self.add(table_id)
        self._text_index = text_index

    def add(self, value: Native) -> str:
        """A parameter with this value."""
        self.parameters.append(value)
        return f"?{len(self.parameters)}"

    def scan(self) -> Source:
        """All rows of the table, in the canonical order of keys if they are asked for so."""
        return Source(
            "full_entries AS s",
            (f"s.table_id = {self.table}",),
            "s.key_kind",
            "s.key",
            "iif(s.kind = 7, s.value, NULL)",
            "s.kind",
            "s.value",
        )

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
            self._looked_up(field, source, _all_of(list_of)) for field, list_of in tests.items()
        ]
        return together + parts

    def _comparison(self, node: Comparison, source: Source) -> str:
        if node.operator == "matches":
            return self._matches(node, source)
        if node.operator in ("!=", "not in"):
            positive = "=" if node.operator == "!=" else "in"
            return f"NOT {self._comparison(_with_operator(node, positive), source)}"
        if node.operator == "missing":
            return f"NOT {self._looked_up(node.field, source, _anything)}"
        test = self._test(node)
        assert test is not None
        return self._looked_up(node.field, source, test)

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
            return self._string_test("substr({0}, 1, {1}) = {2}", operands[0])
        if operator == "endsWith":
            return self._string_test(
                "substr({0}, max(length({0}) - {1}, 0) + 1) = {2}", operands[0]
            )
        if operator == "exists":
            return _anything
        return None

    def _is_one_of(self, operands: Iterable[Operand]) -> Test:
        by_class: dict[Class, list[str]] = {}
        for operand in operands:
            if operand.kind != Class.NAN:
                by_class.setdefault(operand.kind, []).append(self.add(operand.value))
        wanted = [
            (kind, f"= {values[0]}" if len(values) == 1 else f"IN ({', '.join(values)})")
            for kind, values in by_class.items()
        ]

        def test(kind: str, value: str) -> str:
            parts = [
                f"({is_class(of_class, kind, value)} AND {_comparable(of_class, value)} {equal})"
                for of_class, equal in wanted
            ]
            return joined("OR", parts, NEVER)

        return test

    def _compares(self, operator: str, operand: Operand) -> Test:
        if operand.kind == Class.NAN:
            return _nothing
        bound, of_class = self.add(operand.value), operand.kind

        def test(kind: str, value: str) -> str:
            compared = f"{_comparable(of_class, value)} {operator} {bound}"
            return f"({is_class(of_class, kind, value)} AND {compared})"

        return test

    def _string_test(self, form: str, operand: Operand) -> Test:
        assert isinstance(operand.value, bytes)
        length, content = self.add(len(operand.value)), self.add(operand.value)

        def test(kind: str, value: str) -> str:
            return f"({kind} = 4 AND {form.format(f'CAST({value} AS BLOB)', length, content)})"

        return test

    def _contains(self, operand: Operand) -> Test:
        """A string that has the operand in it, or a table with the operand at an integer key."""
        equal = self._is_one_of([operand])
        part = ""
        if isinstance(operand.value, bytes) and operand.kind == Class.STRING:
            part = self.add(operand.value)

        def test(kind: str, value: str) -> str:
            element = (
                f"({kind} = 7 AND EXISTS (SELECT 1 FROM full_entries AS e"  # noqa: S608
                f" WHERE e.table_id = iif({kind} = 7, {value}, NULL) AND e.key_kind = 2"
                f" AND {equal('e.kind', 'e.value')}))"
            )
            if not part:
                return element
            # Nothing is in the empty string but itself, whatever `instr` says.
            within = f"({part} = x'' OR instr(CAST({value} AS BLOB), {part}) > 0)"
            return f"(({kind} = 4 AND {within}) OR {element})"

        return test

    def _matches(self, node: Comparison, source: Source) -> str:
        index = self._text_index(node)
        wanted = self.add(as_native(node.operands[0].value))  # type: ignore[arg-type]  # a string
        return (
            f"EXISTS (SELECT 1 FROM index_{index}_rows AS t WHERE t.key_kind = {source.key_kind}"  # noqa: S608
            f" AND t.key = {source.key} AND t.rowid IN"
            f" (SELECT rowid FROM index_{index} WHERE index_{index} MATCH {wanted}))"
        )

    # Fields

    def _looked_up(self, field: Field, source: Source, test: Test) -> str:
        """Whether the field is there and passes the test."""
        if field.is_key:
            return test(source.key_kind, source.key)
        if field.is_value and source.kind:
            return test(source.kind, source.value)
        tables, conditions, last = self._path(field, source)
        conditions.append(test(f"{last}.kind", f"{last}.value"))
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
        if field.is_key:
            return source.key_kind, source.key
        if field.is_value and source.kind:
            return source.kind, source.value
        tables, conditions, last = self._path(field, source)
        where = " AND ".join(conditions)
        return (
            f"(SELECT {last}.kind FROM {tables} WHERE {where})",  # noqa: S608
            f"(SELECT {last}.value FROM {tables} WHERE {where})",  # noqa: S608
        )

    def joined_fields(
        self, fields: Sequence[Field], source: Source, place: str
    ) -> tuple[str, list[tuple[str, str]]]:
        """Joins that find fields in many rows, and expressions for their kinds and values."""
        if sum(len(field.steps) or 1 for field in fields) > JOINED_STEPS_MAX:
            raise QueryError(
                f"{place}: the fields have more than {JOINED_STEPS_MAX} steps together"
            )
        joins: list[str] = []
        found: list[tuple[str, str]] = []
        for number, field in enumerate(fields, 1):
            if field.is_key:
                found.append((source.key_kind, source.key))
                continue
            if field.is_value and source.kind:
                found.append((source.kind, source.value))
                continue
            name, of_table = f"j{number}", source.row_table
            if field.is_value:
                on = (
                    f"{name}.table_id = {self.table} AND {name}.key_kind = {source.key_kind}"
                    f" AND {name}.key = {source.key}"
                )
                joins.append(f" LEFT JOIN full_entries AS {name} ON {on}")
            for at, step in enumerate(field.steps, 1):
                name = f"j{number}_{at}"
                on = " AND ".join(self._entry(name, of_table, step))
                joins.append(f" LEFT JOIN full_entries AS {name} ON {on}")
                of_table = f"iif({name}.kind = 7, {name}.value, NULL)"
            found.append((f"{name}.kind", f"{name}.value"))
        return "".join(joins), found


# Values


def class_of(kind: str, value: str) -> str:
    """An expression for the class of a value; both are NULL where there is none."""
    return (
        f"CASE {kind} WHEN 2 THEN 1 WHEN 4 THEN 2 WHEN 3 THEN iif(typeof({value}) = 'real', 1, 6)"
        f" WHEN 1 THEN 3 WHEN 7 THEN 4 WHEN 5 THEN 5 WHEN 6 THEN 5 ELSE 0 END"
    )


def ordered(kind: str, value: str) -> str:
    """An expression by which values of one class order; 0 for NaN and for what is missing."""
    return (
        f"CASE {kind} WHEN 2 THEN {value} WHEN 4 THEN CAST({value} AS BLOB)"
        f" WHEN 3 THEN iif(typeof({value}) = 'real', {value}, 0)"
        f" WHEN 6 THEN CAST({value} AS BLOB) ELSE ifnull({value}, 0) END"
    )


def is_class(of_class: Class, kind: str, value: str) -> str:
    """An expression for whether a value is of the class."""
    if of_class == Class.NUMBER:
        # A NaN is the integer of its bits.
        return f"({kind} = 2 OR ({kind} = 3 AND typeof({value}) = 'real'))"
    if of_class == Class.FUNCTION:
        return f"{kind} IN (5, 6)"
    return f"{kind} = {_KINDS[of_class]}"


_KINDS: Final = {Class.STRING: 4, Class.BOOLEAN: 1, Class.TABLE: 7}


def _comparable(of_class: Class, value: str) -> str:
    if of_class == Class.STRING:
        return f"CAST({value} AS BLOB)"
    if of_class == Class.FUNCTION:
        return f"iif(typeof({value}) = 'text', CAST({value} AS BLOB), {value})"
    return value


def joined(word: str, parts: Sequence[str], empty: str) -> str:
    """The parts with AND or OR between them; a balanced tree, since SQLite limits its depth."""
    if not parts:
        return empty
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    left, right = joined(word, parts[:middle], empty), joined(word, parts[middle:], empty)
    return f"({left} {word} {right})"


def _all_of(tests: Sequence[Test]) -> Test:
    return lambda kind, value: joined("AND", [test(kind, value) for test in tests], ALWAYS)


def _anything(kind: str, _value: str) -> str:
    return f"{kind} IS NOT NULL"


def _nothing(_kind: str, _value: str) -> str:
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
