"""What files of rows consist of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, Literal, TypeAlias, get_args

from lua_ls_persist.errors import InterchangeError

Format: TypeAlias = Literal["csv", "json", "jsonl"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

KEY_COLUMN: Final = "@key"
"""The member or column with a row's key; without one, rows are numbered."""
VALUE_COLUMN: Final = "@value"
"""The member or column with the value of a row that is no table."""

_SUFFIXES: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file; `key` None: it gets the next number. `place` is for messages."""

    key: Any
    value: Any
    place: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read.

    `key` is the column or member that is the row's key; it stays a field of the row, too. With
    `infer`, columns of CSV whose texts are all numbers or booleans become such, except those of
    `text`. What `skip` names is left out of the rows.
    """

    format: Format
    key: str | None = None
    infer: bool = False
    text: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


def format_of(name: str, wanted: str | None = None) -> Format:
    """The format that was asked for, or the one that a file's name tells.

    Raises:
        InterchangeError: there is no such format, or the name does not tell.
    """
    if wanted is not None:
        if wanted not in FORMATS:
            raise InterchangeError(f"{wanted!r} is no format; it can be csv, json or jsonl")
        return wanted
    suffix = PurePath(name).suffix.lower()
    found = _SUFFIXES.get(suffix)
    if found is None:
        raise InterchangeError(f"the format of {name} is not clear; say csv, json or jsonl")
    return found
