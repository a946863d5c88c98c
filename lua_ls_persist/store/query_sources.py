"""What rows are read from: the entries of a table, the entries of an index, several of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lua_ls_persist.query import Class, Comparison, Field, Group, Node, Position
from lua_ls_persist.store.index_forms import STRINGS_HASH, hash_of
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.planner import Access
from lua_ls_persist.store.query_sql import Builder
from lua_ls_persist.store.query_values import Classed, Kinded, Source

SCAN_FIRST_ROWS: Final = 2_000
"""So many rows are looked at in the hope that they are enough, before many are sorted."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A source, and the conditions that are still to be checked."""

    source: Source
    conditions: tuple[Node, ...]


def scan(builder: Builder) -> Source:
    """All rows of the table."""
    return Source(
        "full_entries AS s",
        (f"s.table_id = {builder.table}",),
        "s.key_kind",
        "s.key",
        "iif(s.kind = 7, s.value, NULL)",
        Kinded("s.kind", "s.value"),
    )


def first_rows(builder: Builder, after: Position | None, *, descending: bool) -> Source:
    """The rows that come first in the order of keys, or after a position."""
    conditions = [f"table_id = {builder.table}"]
    if after is not None:
        sign = "<" if descending else ">"
        place = f"({builder.add(after.key_kind)}, {builder.add(after.key)})"
        conditions.append(f"(key_kind, key) {sign} {place}")
    order = "key_kind DESC, key DESC" if descending else "key_kind, key"
    rows = (
        f"SELECT key_kind, key, kind, value FROM full_entries WHERE {' AND '.join(conditions)}"  # noqa: S608
        f" ORDER BY {order} LIMIT {SCAN_FIRST_ROWS}"
    )
    return replace(scan(builder), tables=f"({rows}) AS s", conditions=())


def through(
    builder: Builder,
    ways: Sequence[Access],
    conditions: Sequence[Node],
    is_empty: Callable[[Index], bool],
    *,
    both: bool = False,
    sought: tuple[Field, bool] | None = None,
) -> Rows:
    """The rows to which ways through indexes lead; those to which all do, if `both`.

    `is_empty` tells whether an index of elements has no rows that may be strings. `sought` is the
    field whose bound on one side (True: the upper one) is a page's end.
    """
    if not ways:
        return Rows(scan(builder), tuple(conditions))
    if len(ways) == 1:
        return _through_one(builder, ways[0], conditions, is_empty, sought)
    parts = []
    for way in ways:
        rows = _through_one(builder, way, way.used, is_empty, None)
        tests = [
            *rows.source.conditions,
            builder.condition(Group("all", rows.conditions), rows.source),
        ]
        parts.append(
            f"SELECT i.key_kind, i.key, i.row FROM {rows.source.tables} WHERE {' AND '.join(tests)}"  # noqa: S608
        )
    if both:
        used = [node for way in ways for node in way.used]
        conditions = [node for node in conditions if all(node is not other for other in used)]
    joined = f" {'INTERSECT' if both else 'UNION'} ".join(parts)
    return Rows(_indexed(f"({joined}) AS i", ()), tuple(conditions))


def _through_one(
    builder: Builder,
    way: Access,
    conditions: Sequence[Node],
    is_empty: Callable[[Index], bool],
    sought: tuple[Field, bool] | None,
) -> Rows:
    index, storage = way.index, way.index.storage
    rest = tuple(node for node in conditions if all(node is not used for used in way.used))
    if index.kind == "text":
        wanted = builder.add(words(index, way.used[0]))
        ids = f"SELECT rowid FROM {storage} WHERE {storage} MATCH {wanted}"  # noqa: S608
        return Rows(_indexed(f"{storage}_rows AS i", (f"i.id IN ({ids})",)), rest)
    if index.kind == "hash":
        values = [(int(node.operands[0].kind), node.operands[0].value) for node in way.used]
        wanted = builder.add(hash_of(values))
        if index.each and values[0][0] == Class.STRING and not is_empty(index):
            # What is a string contains others in its own way. No row comes twice.
            columns = f"SELECT key_kind, key, row FROM {storage} WHERE hash ="  # noqa: S608
            both = f"({columns} {wanted} UNION {columns} {STRINGS_HASH}) AS i"
            return Rows(_indexed(both, ()), tuple(conditions))
        # Different values may have the same hash, so all conditions are checked.
        return Rows(_indexed(f"{storage} AS i", (f"i.hash = {wanted}",)), tuple(conditions))
    if index.each:
        operand = way.used[0].operands[0]
        element = f"c1 = {int(operand.kind)} AND v1 = {builder.add(operand.value)}"
        if operand.kind != Class.STRING or is_empty(index):
            return Rows(_indexed(f"{storage} AS i", (element,)), rest)
        # What has no elements may be a string, which contains others in its own way.
        columns = f"SELECT key_kind, key, row FROM {storage}"  # noqa: S608
        both = f"({columns} WHERE {element} UNION ALL {columns} WHERE c1 = 0) AS i"
        return Rows(_indexed(both, ()), tuple(conditions))
    fields = {
        field.text: _column(number, field, sought) for number, field in enumerate(index.fields, 1)
    }
    return Rows(_indexed(f"{storage} AS i", (), fields), tuple(conditions))


def _indexed(
    tables: str, conditions: tuple[str, ...], fields: Mapping[str, Classed] | None = None
) -> Source:
    return Source(
        tables, conditions, "i.key_kind", "i.key", "nullif(i.row, 0)", fields=fields or {}
    )


def _column(number: int, field: Field, sought: tuple[Field, bool] | None) -> Classed:
    if sought is None or sought[0] != field:
        return Classed(f"i.c{number}", f"i.v{number}")
    return Classed(
        f"i.c{number}", f"i.v{number}", low_is_place=not sought[1], high_is_place=sought[1]
    )


def words(index: Index, node: Comparison) -> str:
    """What an index of words is asked for a condition."""
    content = node.operands[0].value
    assert isinstance(content, bytes)
    text = content.decode("utf-8", "replace")
    if len(index.fields) == 1:
        return text
    return f"{{f{index.fields.index(node.field) + 1}}} : ({text})"
