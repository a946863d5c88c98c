"""What programs do with indexes, for the prelude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from lua_ls_persist.errors import QueryError, SessionError, UniqueViolationError
from lua_ls_persist.model import IndexInfo
from lua_ls_persist.paths import Key, keys_of
from lua_ls_persist.session.data_queries import table_in
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Stored, Tree, table_of
from lua_ls_persist.store import Store
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.rows import TABLE

_Arguments = Mapping[Any, Tree]
_OPTIONS: Final = ("kind", "unique", "each")


def info_of(store: Store, index: Index) -> IndexInfo:
    """What people want to know of an index."""
    return IndexInfo(
        name=index.name,
        table=index.table,
        fields=tuple(field.text for field in index.fields),
        kind=index.kind,
        unique=index.unique,
        each=index.each,
        rows=store.index_rows(index),
    )


def _create_index(services: DataServices, arguments: _Arguments) -> Tree:
    options = table_of(arguments.get("options") or {}, "the options of an index")
    for name in options:
        if name not in _OPTIONS:
            raise QueryError(f"{name} is no option of an index; there are {', '.join(_OPTIONS)}")
    kind = options.get("kind", "btree")
    name, keys = _path(services, arguments)
    index = services.store.create_index(
        name,
        keys,
        _fields(arguments),
        kind=kind if isinstance(kind, str) else str(kind),
        unique=_flag(options, "unique"),
        each=_flag(options, "each"),
        on_progress=services.go_on,
    )
    return _tree(info_of(services.store, index))


def _indexes(services: DataServices, arguments: _Arguments) -> Tree:
    store = services.store
    table_id = None if arguments.get("table") is None else table_in(services, arguments)
    infos = [info_of(store, index) for index in store.indexes(table_id)]
    return [_tree(info) for info in sorted(infos, key=lambda info: (info.name, info.kind))]


def _found(services: DataServices, arguments: _Arguments) -> list[Index]:
    """The indexes that are meant: by their fields, or by the name that they are listed with."""
    name, keys = _path(services, arguments)
    fields, kind = _fields(arguments), arguments.get("kind")
    kind = None if kind is None else str(kind)
    if len(fields) == 1:
        named = [index for index in services.store.indexes() if index.name == fields[0]]
        if named:
            return [index for index in named if kind in (None, index.kind)]
    return services.store.find_indexes(name, keys, fields, kind)


def _drop_index(services: DataServices, arguments: _Arguments) -> Tree:
    for index in _found(services, arguments):
        services.store.drop_index(index)
    return None


def _rebuild_index(services: DataServices, arguments: _Arguments) -> Tree:
    for index in _found(services, arguments):
        services.store.rebuild_index(index, on_progress=services.go_on)
    return None


def _check_unique(services: DataServices, _arguments: _Arguments) -> Tree:
    """Nothing, or what the two rows are that have the same value."""
    try:
        services.store.check_unique()
    except UniqueViolationError as error:
        return {
            "message": str(error),
            "table": Stored(TABLE, error.table_id),
            "keys": [Stored(*key) for key in error.keys],
            "parts": error.parts,
        }
    return None


def _path(services: DataServices, arguments: _Arguments) -> tuple[str, list[Key]]:
    """The path of the table: indexes are defined by paths, also those of tables at hand."""
    table = arguments.get("table")
    if isinstance(table, Stored):
        table = services.store.path_of(cast("int", table.native))
        if table is None:
            raise QueryError("an index is of a table that a root reaches; this one is of none")
    if not isinstance(table, str):
        raise QueryError("an index is of a table, or of a path such as users")
    try:
        name, *keys = keys_of(table)
    except SessionError:
        raise QueryError(f"no path that could be written leads to this table: {table}") from None
    return str(name), keys


def _fields(arguments: _Arguments) -> list[str]:
    # What is no text is refused where fields are read.
    return cast("list[str]", list(cast("list[Tree]", arguments.get("fields") or [])))


def _flag(options: Mapping[Any, Tree], name: str) -> bool:
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise QueryError(f"{name}: expected true or false")
    return value


def _tree(info: IndexInfo) -> Tree:
    return {
        "name": info.name,
        "table": info.table,
        "fields": list(info.fields),
        "kind": info.kind,
        "unique": info.unique,
        "each": info.each,
        "rows": info.rows,
    }


OPERATIONS: Final = {
    "create_index": DataOperation(_create_index, changes=True),
    "indexes": DataOperation(_indexes),
    "drop_index": DataOperation(_drop_index, changes=True),
    "rebuild_index": DataOperation(_rebuild_index, changes=True),
    "check_unique": DataOperation(_check_unique),
}
