"""What migrations ask of the host: which versions there were, and where a table is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from lua_ls_persist.errors import SessionError, WireError
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Stored, Tree
from lua_ls_persist.store.rows import TABLE
from lua_ls_persist.store.versions import PathKey

_Arguments = Mapping[Any, Tree]


def _is_root(services: DataServices, arguments: _Arguments) -> Tree:
    name = arguments.get("name")
    return isinstance(name, str) and services.store.root(name, create=False) != 0


def _path_of(services: DataServices, arguments: _Arguments) -> Tree:
    table = arguments.get("table")
    if not isinstance(table, Stored) or table.kind != TABLE:
        raise WireError("no table is given")
    path = services.store.path_of(cast("int", table.native))
    if path is None:
        raise SessionError("no named table leads to this table, so it has no path")
    return path


def _version_is_done(services: DataServices, arguments: _Arguments) -> Tree:
    keys, version = _keys_and_version(arguments)
    done = services.store.versions(keys)
    if version in done:
        return True
    if done and version < done[-1]:
        raise SessionError(
            f"version {version} comes too late: the table is at version {done[-1]} already"
        )
    return False


def _migration_begins(services: DataServices, arguments: _Arguments) -> Tree:
    """Remembers the version; returns how many rows there are, if anybody wants to know."""
    services.store.add_version(*_keys_and_version(arguments))
    table = arguments.get("table")
    if services.on_progress is None or not isinstance(table, Stored):
        return 0
    return services.store.table_info(cast("int", table.native)).entries


def _keys_and_version(arguments: _Arguments) -> tuple[list[PathKey], int]:
    keys, version = arguments.get("keys"), arguments.get("version")
    if not isinstance(keys, list) or not isinstance(version, int):
        raise WireError("a migration has a list of keys and a version")
    return cast("list[PathKey]", keys), version


OPERATIONS: Final = {
    "is_root": DataOperation(_is_root),
    "path_of": DataOperation(_path_of),
    "version_is_done": DataOperation(_version_is_done),
    "migration_begins": DataOperation(_migration_begins, changes=True),
}
