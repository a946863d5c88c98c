"""The fields of a table's rows as SQL: what an index has, said in one statement.

`index_forms` says the same in Python, for some rows at a time; the tests compare the two.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from lua_ls_persist.query.model import Class
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.index_rows import VALUE, Plan, Steps
from lua_ls_persist.store.rows import INTEGER, TABLE, Native

Statement: TypeAlias = tuple[str, list[Native]]
"""A SELECT and what to bind."""

TICK: Final = "index_tick"
"""An SQL function that is called for some of the rows, if it is to be; it gives 1."""

ROWS_A_TICK: Final = 256
_TICKING: Final = f"(random() & {ROWS_A_TICK - 1} OR {TICK}())"
"""Always true. Of so many rows one is told, by chance: telling all of them costs half the build."""

_CLASS = (
    "CASE {kind} WHEN 2 THEN {number} WHEN 4 THEN {string} "
    "WHEN 3 THEN iif(typeof({value}) = 'integer', {nan}, {number}) WHEN 1 THEN {boolean} "
    "WHEN 7 THEN {table} WHEN 5 THEN {function} WHEN 6 THEN {function} ELSE {missing} END"
)
_VALUE = (
    "CASE {kind} WHEN 2 THEN {value} WHEN 4 THEN CAST({value} AS BLOB) "
    "WHEN 3 THEN iif(typeof({value}) = 'integer', 0, {value}) "
    "WHEN 6 THEN CAST({value} AS BLOB) ELSE ifnull({value}, 0) END"
)


class _Joins:
    """The entries that fields are read from; `row` is the table's own."""

    def __init__(self, plan: Plan) -> None:
        self.values: list[Native] = [plan.table_id]
        self._aliases: dict[Steps, str] = {VALUE: "row"}
        self._joins: list[str] = []

    def alias(self, steps: Steps, *, inner: bool = False) -> str:
        """The alias of the entries at the end of these steps."""
        alias = self._aliases.get(steps)
        if alias is None:
            above = self.alias(steps[:-1], inner=inner)
            alias = self._aliases[steps] = f"e{len(self._aliases)}"
            kind, key = steps[-1]
            condition = (
                f"{alias}.key_kind = {self._bound(kind)} AND {alias}.key = {self._bound(key)}"
            )
            self._join(alias, above, condition, inner=inner)
        return alias

    def elements(self, steps: Steps) -> str:
        """The alias of the elements of the arrays at the end of these steps."""
        above = self.alias(steps)
        self._join("element", above, f"element.key_kind = {INTEGER}", inner=False)
        return "element"

    def source(self, *, ticks: bool = False) -> str:
        """What to select from, and under which condition."""
        condition = f" AND {_TICKING}" if ticks else ""
        return (
            f"FROM full_entries AS row {' '.join(self._joins)} WHERE row.table_id = ?1{condition}"
        )

    def _join(self, alias: str, above: str, condition: str, *, inner: bool) -> None:
        table = f"CASE {above}.kind WHEN {TABLE} THEN {above}.value END"
        join = "CROSS JOIN" if inner else "LEFT JOIN"
        self._joins.append(
            f"{join} full_entries AS {alias} ON {alias}.table_id = {table} AND {condition}"
        )

    def _bound(self, value: Native) -> str:
        self.values.append(value)
        return f"?{len(self.values)}"


def tree_rows(index: Index, plan: Plan, *, ticks: bool) -> Statement:
    """All rows of a B-tree index: c1, v1, ..., key_kind, key, row, in the order of its table."""
    joins = _Joins(plan)
    columns: list[str] = []
    for field in index.fields:
        if field.is_key:
            columns += _pair("row.key_kind", "row.key")
            continue
        steps = plan.fields[field.text]
        alias = joins.elements(steps) if index.each else joins.alias(steps)
        columns += _pair(f"{alias}.kind", f"{alias}.value")
    columns += ["row.key_kind", "row.key", f"iif(row.kind = {TABLE}, row.value, 0)"]
    order = ", ".join(str(number) for number in range(1, len(columns)))
    statement = f"SELECT {', '.join(columns)} {joins.source(ticks=ticks)} ORDER BY {order}"
    if ticks:
        # Without the limit, which is none, SQLite would ask this before it sorts.
        statement = f"SELECT * FROM ({statement} LIMIT -1) WHERE {_TICKING}"  # noqa: S608
    return statement, joins.values


def member_rows(plan: Plan) -> list[Statement]:
    """Which tables the rows consist of: statements that give table_id, member, key_kind, key."""
    statements = []
    for steps in plan.containers:
        joins = _Joins(plan)
        alias = joins.alias(steps, inner=True)
        columns = f"row.table_id, {alias}.value, row.key_kind, row.key"
        statement = f"SELECT {columns} {joins.source()} AND {alias}.kind = {TABLE}"
        statements.append((statement, joins.values))
    return statements


def _pair(kind: str, value: str) -> list[str]:
    """The class and the value of something with this kind and native value."""
    names = {"kind": kind, "value": value}
    classes = {member.name.lower(): int(member) for member in Class}
    return [_CLASS.format(**names, **classes), _VALUE.format(**names)]
