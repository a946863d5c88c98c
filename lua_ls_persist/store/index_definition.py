"""What makes sense as the definition of an index."""

from __future__ import annotations

from collections.abc import Sequence

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Field, parse_field
from lua_ls_persist.store.index_model import FIELDS_MAX, KINDS, STEPS_MAX, Index, IndexKind


def checked_definition(
    fields: Sequence[str], kind: str, *, unique: bool, each: bool
) -> tuple[tuple[Field, ...], IndexKind]:
    """A definition that makes sense.

    Raises:
        QueryError: it does not.
    """
    if kind not in KINDS:
        raise QueryError(f"kind: an index is of kind {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    parsed = parsed_fields(fields)
    if len(set(parsed)) != len(parsed):
        raise QueryError("fields: a field is there twice")
    if sum(len(field.steps) for field in parsed) > STEPS_MAX:
        raise QueryError(f"fields: the fields of an index have at most {STEPS_MAX} steps together")
    if each and (len(parsed) > 1 or parsed[0].is_key):
        raise QueryError("each: an index with one entry an element has one field, not @key")
    if kind == "text" and (unique or each):
        raise QueryError("an index of words (text) is neither unique nor one with each")
    return parsed, kind


def parsed_fields(fields: Sequence[str]) -> tuple[Field, ...]:
    if isinstance(fields, (str, bytes)):
        fields = [fields]
    if not 1 <= len(fields) <= FIELDS_MAX:
        raise QueryError(f"fields: an index has 1 to {FIELDS_MAX} fields")
    return tuple(parse_field(text, f"fields[{number}]") for number, text in enumerate(fields, 1))


def options_text(index: Index) -> str:
    options = [name for name in ("unique", "each") if getattr(index, name)]
    return " and ".join(options) or "neither unique nor one with each"
