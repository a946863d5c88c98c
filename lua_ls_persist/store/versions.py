"""Which versions tables have been migrated to, by their paths.

A path is a list of keys from the name of a root on. What a version means is the program's business.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TypeAlias, cast

from lua_ls_persist.store.roots import Roots
from lua_ls_persist.store.watching import Changes

PathKey: TypeAlias = str | int | float | bool

_SQL_VERSIONS: Final = "SELECT version FROM table_versions WHERE path = ? ORDER BY version"
_SQL_MIGRATED: Final = """
    SELECT path, json_group_array(version) FROM (
        SELECT path, version FROM table_versions ORDER BY path, version)
    GROUP BY path ORDER BY path
    """
_SQL_ADD: Final = """
    INSERT INTO table_versions (path, version, migrated_utc)
    VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ'))
    """
_SQL_OF_ROOT: Final = """
    SELECT path, version FROM table_versions WHERE json_extract(path, '$[0]') = ?
    """
_SQL_FORGET: Final = "DELETE FROM table_versions WHERE json_extract(path, '$[0]') = ?"


class Versions(Roots):
    """Remembers versions. They go with the root that their paths begin with."""

    def versions(self, keys: Sequence[PathKey]) -> list[int]:
        """The versions that the table at this path was migrated to, ascending."""
        with self._reading:
            rows = self._cursor.execute(_SQL_VERSIONS, (_path(keys),)).fetchall()
        return [cast("int", version) for (version,) in rows]

    def migrated(self) -> list[tuple[list[PathKey], list[int]]]:
        """All paths that have versions, and these."""
        with self._reading:
            rows = self._cursor.execute(_SQL_MIGRATED).fetchall()
        return [
            (json.loads(cast("str", path)), json.loads(cast("str", versions)))
            for path, versions in rows
        ]

    def add_version(self, keys: Sequence[PathKey], version: int) -> None:
        """The table at this path is migrated to a version that it did not have."""
        path = _path(keys)
        with self._change(), self._watching(lambda: Changes(versions=((path, version),))):
            self._cursor.execute(_SQL_ADD, (path, version))

    def drop_root(self, name: str) -> bool:
        """Takes the name from a table, and forgets the versions of what it led to."""
        was_there = super().drop_root(name)
        if was_there:
            with self._reading:
                rows = self._cursor.execute(_SQL_OF_ROOT, (name,)).fetchall()
            versions = cast("list[tuple[str, int]]", rows)
            with self._change(), self._watching(lambda: Changes(versions=versions)):
                self._cursor.execute(_SQL_FORGET, (name,))
        return was_there


def _path(keys: Sequence[PathKey]) -> str:
    return json.dumps(list(keys), ensure_ascii=False, separators=(",", ":"))
