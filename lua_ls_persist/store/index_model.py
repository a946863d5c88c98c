"""What an index is: which table it is of, which fields, and what it is good for.

An index is defined by a path, and is of the table that the path leads to. So it follows where the
path leads: when `Memory.users` becomes another table, the index becomes one of that table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias, TypedDict, cast

from lua_ls_persist.errors import QueryError
from lua_ls_persist.paths import Key
from lua_ls_persist.query import Field, parse_field
from lua_ls_persist.query.fields import field_text
from lua_ls_persist.store.jsonlines import from_json, to_json
from lua_ls_persist.store.place_text import path_text
from lua_ls_persist.store.roots import MEMORY
from lua_ls_persist.store.rows import Native, Value
from lua_ls_persist.store.watching import IndexKey

IndexKind: TypeAlias = Literal["btree", "hash", "text"]


class IndexOptions(TypedDict):
    """What else is to be known of an index, as the history notes it."""

    unique: bool
    each: bool


KINDS: Final[tuple[IndexKind, ...]] = ("btree", "hash", "text")
REVISION: Final = 2
"""What the rows of indexes are that are made now; before 2, hash indexes of elements did not have
the rows whose field is a string."""

FIELDS_MAX: Final = 8
STEPS_MAX: Final = 60
"""Of all fields of an index together. SQLite joins 64 tables."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index as it is defined, and the table that it is of at this moment."""

    id: int
    root: str
    keys: tuple[Value, ...]
    """From the root on, the keys of the path; none for an index of the root itself."""
    table_id: int
    """0 while the path leads to no table; the index is empty then."""
    fields: tuple[Field, ...]
    kind: IndexKind
    unique: bool
    each: bool
    """One entry for each element of the field, which is an array."""
    revision: int
    """What its rows are; see `REVISION`."""

    @property
    def table(self) -> str:
        """The path as text."""
        return path_text(self.root, self.keys)

    @property
    def name(self) -> str:
        """What people call it: `users(city, age)`."""
        return f"{self.table}({', '.join(field.text for field in self.fields)})"

    @property
    def has_strings(self) -> bool:
        """Of an index of elements: whether it also has the rows whose field is a string."""
        return self.kind == "btree" or self.revision >= REVISION

    @property
    def key(self) -> IndexKey:
        """What tells it apart from all others."""
        return path_to_json(self.root, self.keys), fields_to_json(self.fields), self.kind

    @property
    def storage(self) -> str:
        """The name of the SQLite table that holds it."""
        return f"index_{self.id}"


def named(
    name: str, keys: Sequence[Key], fields: Sequence[Field]
) -> tuple[tuple[Key, ...], tuple[Field, ...]]:
    """The table and the fields that are meant: of `Memory`, `users.age` is `age` of its `users`.

    Raises:
        QueryError: the fields are of several tables.
    """
    if name != MEMORY or keys or not all(len(field.steps) > 1 for field in fields):
        return tuple(keys), tuple(fields)
    first = fields[0].steps[0]
    if any(field.steps[0] != first for field in fields):
        raise QueryError("fields: the fields of one index are those of one table")
    rest = (field.steps[1:] for field in fields)
    return (first,), tuple(Field(field_text(steps), steps) for steps in rest)


def path_to_json(root: str, keys: Sequence[Value]) -> str:
    """A path as the store keeps it."""
    return json.dumps([root, *(to_json(*key) for key in keys)], ensure_ascii=False)


def path_from_json(text: str) -> tuple[str, tuple[Value, ...]]:
    """The other way round; raises `TypeError` or `ValueError` if it is no path."""
    root, *keys = json.loads(text)
    if not isinstance(root, str):
        raise TypeError("the path of an index begins with a name")
    return root, tuple(from_json(key) for key in keys)


def described(key: IndexKey) -> str:
    """An index in words: `the index users(city, age)`, `the hash index users(age)`."""
    path, fields, kind = key
    text = f"{path_text(*path_from_json(path))}({', '.join(json.loads(fields))})"
    return f"the index {text}" if kind == "btree" else f"the {kind} index {text}"


def fields_to_json(fields: Sequence[Field]) -> str:
    """Fields as the store keeps them."""
    return json.dumps([field.text for field in fields], ensure_ascii=False)


@lru_cache(maxsize=256)
def index_of(row: tuple[Native, ...]) -> Index:
    """The index of a row of the table `indexes`.

    Raises:
        QueryError, ValueError, TypeError: the row makes no sense.
    """
    index_id, path, table_id, fields, kind, unique, each, revision = row
    root, keys = path_from_json(cast("str", path))
    return Index(
        id=cast("int", index_id),
        root=root,
        keys=keys,
        table_id=cast("int", table_id),
        fields=tuple(parse_field(text) for text in json.loads(cast("str", fields))),
        kind=cast("IndexKind", kind),
        unique=bool(unique),
        each=bool(each),
        revision=cast("int", revision),
    )
