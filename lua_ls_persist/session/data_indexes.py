"""Indexes, as programs make and drop them, for the prelude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from lua_ls_persist.errors import QueryError, WireError
from lua_ls_persist.paths import Key, keys_of
from lua_ls_persist.query import parse_field
from lua_ls_persist.query.fields import field_text
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Stored, Tree, table_of
from lua_ls_persist.store import Store
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.place_text import path_text
from lua_ls_persist.store.rows import TABLE, native_key

_Arguments = Mapping[Any, Tree]
_OPTIONS: Final = ("kind", "unique", "each")
MEMORY: Final = "Memory"


def table_and_fields(keys: Sequence[Key], fields: Sequence[str]) -> tuple[list[Key], list[str]]:
    """Where the table is and what the fields are: in `Memory`, `users.age` is a field of `users`.

    Raises:
        QueryError: the fields make no sense, or begin with different tables.
    """
    parsed = [parse_field(text, f"fields[{place}]") for place, text in enumerate(fields, 1)]
    if list(keys) != [MEMORY] or not any(len(field.steps) > 1 for field in parsed):
        return list(keys), list(fields)
    tables = {field.steps[0] for field in parsed if len(field.steps) > 1}
    if len(tables) > 1 or any(len(field.steps) < 2 for field in parsed):
        raise QueryError(
            "fields: those of Memory begin with the name of one table in it, such as users.age"
        )
    return [MEMORY, tables.pop()], [field_text(field.steps[1:]) for field in parsed]


def found_index(
    store: Store, keys: Sequence[Key], fields: Sequence[str], kind: str | None
) -> Index:
    """The index of the table at this path and of these fields; or of this name.

    Raises:
        QueryError: there is none, or there are several of different kinds.
    """
    path = [keys[0], *(native_key(key) for key in keys[1:])]
    on_table = [index for index in store.indexes() if [index.root, *index.keys] == path]
    named = [index for index in on_table if [index.name] == list(fields)]
    if not named:
        texts = [parse_field(text, f"fields[{place}]").text for place, text in enumerate(fields, 1)]
        named = [index for index in on_table if [field.text for field in index.fields] == texts]
    if kind is not None:
        named = [index for index in named if index.kind == kind]
    if len(named) > 1:
        kinds = " and ".join(index.kind for index in named)
        raise QueryError(f"there are indexes {named[0].name} of the kinds {kinds}; say which")
    if not named:
        raise QueryError(f"there is no such index of {_text(keys)}")
    return named[0]


def _text(keys: Sequence[Key]) -> str:
    return path_text(str(keys[0]), [native_key(key) for key in keys[1:]])


def facts(index: Index) -> Tree:
    """What a program is told of an index."""
    return {
        "name": index.name,
        "table": index.table,
        "fields": [field.text for field in index.fields],
        "kind": index.kind,
        "unique": index.unique,
        "each": index.each,
    }


def _keys(services: DataServices, arguments: _Arguments) -> list[Key]:
    """The path of the table that is meant."""
    table = arguments.get("table")
    if isinstance(table, str):
        return keys_of(table)
    if not isinstance(table, Stored) or table.kind != TABLE:
        raise WireError("an index is of a table or a path")
    path = services.store.path_of(cast("int", table.native))
    if path is None:
        raise QueryError("no named table leads to this table, so it cannot have an index")
    return keys_of(path)


def _fields(arguments: _Arguments) -> list[str]:
    fields = arguments.get("fields")
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        raise QueryError("fields: a field is text, such as age or address.city")
    return cast("list[str]", fields)


def _create(services: DataServices, arguments: _Arguments) -> Tree:
    options = table_of(arguments.get("options"), "the options")
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise QueryError(f"an index has no option {unknown[0]}; there are {', '.join(_OPTIONS)}")
    kind = options.get("kind", "btree")
    if not isinstance(kind, str):
        raise QueryError("kind is text: btree, hash or text")
    (name, *keys), fields = table_and_fields(_keys(services, arguments), _fields(arguments))
    index = services.store.create_index(
        str(name),
        keys,
        fields,
        kind=kind,
        unique=options.get("unique") is True,
        each=options.get("each") is True,
        on_progress=services.go_on,
    )
    return facts(index)


def _list(services: DataServices, arguments: _Arguments) -> Tree:
    indexes = services.store.indexes()
    if arguments.get("table") is not None:
        root, *keys = _keys(services, arguments)
        natives = tuple(native_key(key) for key in keys)
        inside = [index for index in indexes if index.root == root]
        indexes = [index for index in inside if index.keys[: len(natives)] == natives]
    return [facts(index) for index in sorted(indexes, key=lambda index: index.name)]


def _found(services: DataServices, arguments: _Arguments) -> Index:
    kind = arguments.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise QueryError("kind is text: btree, hash or text")
    keys, fields = _keys(services, arguments), _fields(arguments)
    if not (len(fields) == 1 and fields[0].endswith(")")):
        keys, fields = table_and_fields(keys, fields)
    return found_index(services.store, keys, fields, kind)


def _drop(services: DataServices, arguments: _Arguments) -> Tree:
    services.store.drop_index(_found(services, arguments))
    return None


def _rebuild(services: DataServices, arguments: _Arguments) -> Tree:
    services.store.rebuild_index(_found(services, arguments), on_progress=services.go_on)
    return None


def _check_unique(services: DataServices, _arguments: _Arguments) -> Tree:
    services.store.check_unique()
    return None


OPERATIONS: Final = {
    "create_index": DataOperation(_create, changes=True),
    "indexes": DataOperation(_list),
    "drop_index": DataOperation(_drop, changes=True),
    "rebuild_index": DataOperation(_rebuild, changes=True),
    "check_unique": DataOperation(_check_unique),
}
