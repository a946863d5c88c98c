"""The quick filter of grids: rows that have a text in their key, or in one of some fields.

Of numbers and booleans it is their text that is looked at; tables and functions have none. The
case of letters makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import apsw

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query import Class, Field
from lua_ls_persist.store.query_sql import Builder, joined
from lua_ls_persist.store.query_values import Classed, Kinded, Looked, Source
from lua_ls_persist.store.rows import native_key

CONTAINS: Final = "contains_folded"
"""An SQL function for texts that SQLite's own comparison knows no case of."""


OF_BYTES: Final = "text_of_bytes"
"""One for strings that are no text, or have a zero byte: SQLite's comparison ends there."""


@dataclass(frozen=True, slots=True)
class Search:
    """A text that rows have in their key or in one of these columns; an empty one all rows have."""

    text: str = ""
    columns: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        """Refuses what is no text.

        Raises:
            QueryError: naming it.
        """
        if not isinstance(self.text, str):
            raise QueryError(f"filter: expected a text, got {self.text!r}")

    def __bool__(self) -> bool:
        """Whether it leaves rows out."""
        return self.text != ""


EVERY_ROW: Final = Search()


def search_condition(
    connection: apsw.Connection, builder: Builder, source: Source, search: Search
) -> str:
    """An expression that is 1 for the rows that have the text somewhere, and 0 for the others."""
    text, fields = search.text, search.columns
    connection.create_scalar_function(OF_BYTES, _of_bytes, 1, deterministic=True)
    if text.isascii():
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = builder.add(f"%{escaped}%")

        def found_in(shown: str) -> str:
            return f"ifnull({shown} LIKE {pattern} ESCAPE '\\', 0)"
    else:
        connection.create_scalar_function(CONTAINS, _contains, 2, deterministic=True)
        wanted = builder.add(text.casefold())

        def found_in(shown: str) -> str:
            return f"{CONTAINS}({shown}, {wanted})"

    # A row's own fields lie side by side: one look at all of them costs what one at each would.
    own = [native_key(field.steps[0]) for field in fields if len(field.steps) == 1]
    parts = [found_in(shown_text(Kinded(source.key_kind, source.key)))]
    if own:
        keys = " OR ".join(
            f"(+f.key_kind = {kind} AND +f.key = {builder.add(key)})" for kind, key in own
        )
        within = found_in(shown_text(Kinded("f.kind", "f.value")))
        parts.append(
            f"EXISTS (SELECT 1 FROM full_entries AS f WHERE f.table_id = {source.row_table}"  # noqa: S608
            f" AND ({keys}) AND {within})"
        )
    parts += [
        builder.looked_up(field, source, lambda value: found_in(shown_text(value)))
        for field in fields
        if field.is_value or len(field.steps) > 1
    ]
    return joined("OR", parts, "0")


def shown_text(value: Looked) -> str:
    """An expression for the text of a scalar; NULL for the rest."""
    assert isinstance(value, (Classed, Kinded))
    number = f"CAST({value.value} AS TEXT)"
    boolean = f"iif({value.value}, 'true', 'false')"
    if isinstance(value, Classed):
        return (
            f"CASE {value.kind} WHEN {int(Class.STRING)}"
            f" THEN iif(instr({value.value}, x'00'), {OF_BYTES}({value.value}), {number})"
            f" WHEN {int(Class.NUMBER)} THEN {number} WHEN {int(Class.BOOLEAN)} THEN {boolean}"
            f" WHEN {int(Class.NAN)} THEN 'nan' END"
        )
    return (
        f"CASE {value.kind} WHEN 4"
        f" THEN iif(typeof({value.value}) = 'blob', {OF_BYTES}({value.value}), {value.value})"
        f" WHEN 2 THEN {number}"
        f" WHEN 3 THEN iif(typeof({value.value}) = 'real', {number}, 'nan')"
        f" WHEN 1 THEN {boolean} END"
    )


def _of_bytes(*values: object) -> str:
    (content,) = values
    assert isinstance(content, bytes)
    return content.decode("utf-8", "replace").replace("\0", "\ufffd")


def _contains(*values: object) -> int:
    shown, wanted = values
    return int(isinstance(shown, str) and str(wanted) in shown.casefold())
