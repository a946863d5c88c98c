"""What a table's schema says of its rows, for features: the fields, also where there is no row yet.

Must not know LSP types.
"""

from __future__ import annotations

from typing import Any

from lua_ls_persist.session.sights import ANY, Sight, Way


def schema_fields(sight: Sight | None) -> dict[str, Any]:
    """The fields of a table's rows, each with its definition; none without a schema."""
    schema = None if sight is None or sight.stored is None else sight.stored.schema
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, dict):
        return {}
    return {name: definition for name, definition in fields.items() if isinstance(name, str)}


def fields_of_rows(sight: Sight | None) -> set[str]:
    """The fields that rows of a table have or may have: of a sample of them, and by its schema."""
    records = None if sight is None else sight.records
    found = set() if records is None else {one.name for one in records.fields}
    return found | schema_fields(sight).keys()


def is_closed(sight: Sight | None) -> bool:
    """Whether rows have no other fields than those of the schema."""
    schema = None if sight is None or sight.stored is None else sight.stored.schema
    return isinstance(schema, dict) and schema.get("extra") is False


def type_text(definition: Any) -> str:
    """A field's type in a word: `integer`, `string?`, `enum`, `table`."""
    if isinstance(definition, str):
        return definition
    if not isinstance(definition, dict):
        return ""
    inner = definition.get("type")
    if not isinstance(inner, str):
        inner = "enum" if "enum" in definition else "table"
    return f"{inner}?" if definition.get("optional") is True else inner


def table_of_row(way: Way) -> Way | None:
    """The table that a way leads to a row of, if the way tells; None if it is no row."""
    if way.root is not None and way.steps:
        return Way(way.steps[:-1], way.root)
    if way.steps and way.steps[-1] is ANY:
        return Way(way.steps[:-1], way.root, way.document)
    return None
