"""Schemas of tables: set, looked up, derived from what is there, and kept true.

Whatever way rows are written, what the commit finds wrong is refused: the store is the truth, and
the VM's own check only says it earlier and at the line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

from lua_ls_persist.errors import SchemaError, SchemaViolationError, SessionError
from lua_ls_persist.model import SchemaViolation
from lua_ls_persist.paths import keys_of
from lua_ls_persist.schema import Deriving, LuaTable, Type, type_of
from lua_ls_persist.store.backups import PageProgress
from lua_ls_persist.store.exchange import LineProgress
from lua_ls_persist.store.history import History
from lua_ls_persist.store.rows import TABLE, Native
from lua_ls_persist.store.schema_rows import (
    Node,
    SchemaKey,
    SchemaRows,
    StoredSchema,
    keys_from_json,
    lua_value,
    path_json,
)
from lua_ls_persist.store.schema_watching import SchemaWatcher
from lua_ls_persist.store.watching import Changes

DERIVE_DEPTH: Final = 8
"""Tables deeper inside of rows are not looked into when a schema is derived."""
DERIVE_AT_ONCE: Final = 500


class Schemas(History):
    """Keeps schemas, and data to them."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._schemas_version: int | None = None
        """The version of the data that the definitions in memory were read from."""
        self._schemas_changed = False
        """By the present transaction."""
        self._schemas_watched = False

    @cached_property
    def _schema_rows(self) -> SchemaRows:
        return SchemaRows(self._connection)

    @cached_property
    def _schema_watcher(self) -> SchemaWatcher:
        return SchemaWatcher(
            self._schema_rows,
            lambda sql, values: bool(self._connection.execute(sql, values).get),
            self._go_on,
        )

    # -- definitions

    def schemas(self) -> list[StoredSchema]:
        """All of them."""
        self._read_schemas()
        return list(self._schema_rows.schemas)

    def schema(self, keys: Sequence[SchemaKey]) -> StoredSchema | None:
        """That of the table at a path."""
        self._read_schemas()
        return self._schema_rows.find(keys)

    def set_schema(self, keys: Sequence[SchemaKey], row: Type) -> StoredSchema:
        """Rows of the table at this path have this type from now on. In a transaction.

        A named table is created, if it is not there.

        Raises:
            SchemaError: there are too many schemas.
            SchemaViolationError: rows that are there do not follow it; nothing was changed.
        """
        self._read_schemas(writing=True)
        for path in _references(row):
            try:
                keys_of(path)
            except SessionError as error:
                raise SchemaError(f"ref: {error}") from error
        self._settle()
        number = self._schema_rows.number_for(keys)
        self.savepoint()
        try:
            self.root(str(keys[0]), create=True)
            with self._change(), self._defining(keys, row):
                schema = self._schema_rows.write(number, keys, row)
            self._schemas_changed = True
            self._watch_schemas()
            self._check_now(schema)
        except SchemaViolationError:
            self.rollback_to()
            raise
        self.release()
        return schema

    def drop_schema(self, keys: Sequence[SchemaKey]) -> bool:
        """The table at this path has none any more; whether it had one. In a transaction."""
        self._read_schemas(writing=True)
        schema = self._schema_rows.find(keys)
        if schema is None:
            return False
        self._settle()
        with self._change(), self._defining(keys, None):
            self._schema_rows.delete(schema.id)
        self._schemas_changed = True
        self._watch_schemas()
        return True

    def _defining(
        self, keys: Sequence[SchemaKey], row: Type | None
    ) -> AbstractContextManager[None]:
        """The block in which a definition becomes this; nobody is told if it is this already."""
        present = self._schema_rows.find(keys)
        if present is not None and present.row == row:
            return nullcontext()
        return self._watching(lambda: Changes(schemas=[path_json(keys)]))

    def _put_schema_back(self, path: str, definition: str | None) -> None:
        """What is not as it says is found at the commit: more may be put back before that."""
        self._read_schemas(writing=True)
        self._settle()
        keys = keys_from_json(path)
        present = self._schema_rows.find(keys)
        if definition is not None:
            row = type_of(json.loads(definition))
            number = self._schema_rows.number_for(keys)
            schema = self._schema_rows.write(number, keys, row)
            self._schema_watcher.check_whole(schema)
        elif present is not None:
            self._schema_rows.delete(present.id)
        self._schemas_changed = True
        self._watch_schemas()

    def _swap(self, number: int) -> None:
        """References are not followed up where rows go, so what was there may have such."""
        self._schema_watcher.follows_references = False
        super()._swap(number)

    def _follow_references(self) -> None:
        if "_schema_watcher" in self.__dict__:
            self._schema_watcher.follows_references = True

    def check_schemas(self, keys: Sequence[SchemaKey] | None = None) -> list[SchemaViolation]:
        """What in all tables, or in that at a path, does not follow its schema. Changes nothing.

        In a transaction.
        """
        self._read_schemas(writing=True)
        violations: list[SchemaViolation] = []
        for schema in list(self._schema_rows.schemas):
            if keys is not None and schema.keys != tuple(keys):
                continue
            self.savepoint()
            try:
                self._check_now(schema)
            except SchemaViolationError as error:
                violations += error.violations
            finally:
                self.rollback_to()
        return violations

    def derive_schema(
        self, keys: Sequence[SchemaKey], *, on_progress: Callable[[int], None] | None = None
    ) -> Type | None:
        """The type that all rows of the table at a path have; None if there is no such table."""
        with self._reading:
            return self._derived(keys, on_progress)

    def _derived(
        self, keys: Sequence[SchemaKey], on_progress: Callable[[int], None] | None
    ) -> Type | None:
        table_id = self._schema_rows.table_at(keys)
        if table_id is None:
            return None
        found = Deriving()
        pages = self._schema_rows.pages(table_id)
        while chunk := list(islice(pages, DERIVE_AT_ONCE)):
            self._go_on()
            trees = self._trees({row[3] for row in chunk if row[2] == TABLE}, DERIVE_DEPTH)
            for _, _, kind, native in chunk:
                found.add(trees[native] if kind == TABLE else lua_value(kind, native))
            if on_progress is not None:
                on_progress(found.count)
        return found.type

    def _trees(self, table_ids: Iterable[Native], depth: int) -> dict[Native, object]:
        """Tables with all that is in them, down to a depth."""
        tables: dict[Native, dict[object, object]] = {table_id: {} for table_id in table_ids}
        rows = list(self._schema_rows.entries([one for one in tables if isinstance(one, int)]))
        below: Mapping[Native, object] = {}
        if depth > 0:
            inner = {row[4] for row in rows if row[3] == TABLE}
            below = self._trees(inner, depth - 1) if inner else {}
        for table_id, key_kind, key, kind, native in rows:
            value = lua_value(kind, native)
            if isinstance(value, LuaTable):
                value = below.get(native, value)
            tables[table_id][lua_value(key_kind, key)] = value
        return dict(tables)

    # -- what tables are expected to be

    @property
    def has_schemas(self) -> bool:
        """Whether there is any schema."""
        self._read_schemas()
        return bool(self._schema_rows.schemas)

    def schema_nodes(self, table_ids: Iterable[int]) -> dict[int, list[Node]]:
        """What these tables are expected to be; those of which nothing is expected are left out.

        A position below 0: so many keys before the table of a schema, on the way to it.
        """
        ids = list(table_ids)
        self._read_schemas()
        rows = self._schema_rows
        if not rows.schemas:
            return {}
        self._settle()
        with self._reading:
            nodes = rows.nodes(ids)
        for table_id in ids:
            if table_id in rows.by_step:
                nodes.setdefault(table_id, []).extend(rows.steps(table_id))
        return {table_id: nodes[table_id] for table_id in ids if table_id in nodes}

    def schema_path(self, table_id: int, node: Node) -> str:
        """How one gets to a table that is expected to be this."""
        schema, position = node
        with self._reading:
            return self._schema_rows.path_of(table_id, node) if position >= 0 else schema.path

    def schema_refers(self, path: str, value: object) -> bool:
        """Whether the table at a path has this row: by its key, or the row itself."""
        self._read_schemas()
        self._schema_watcher.forget_refs()
        with self._reading:
            return self._schema_watcher.refers(path, value)

    # -- keeping up

    def _read_schemas(self, *, writing: bool = False) -> None:
        """The definitions in memory are those of the file, as the present transaction sees it."""
        version = self._version_snapshot if self.in_transaction else None
        if version is None or version != self._schemas_version:
            with self._reading:
                self._schema_rows.load()
            self._schemas_version = version
            self._watch_schemas()
        if writing:
            assert self.in_transaction, "schemas are written in a transaction"

    def _watch_schemas(self) -> None:
        wanted = bool(self._schema_rows.schemas)
        if wanted and not self._schemas_watched:
            self.watch(self._schema_watcher)
        elif self._schemas_watched and not wanted:
            self.unwatch(self._schema_watcher)
        self._schemas_watched = wanted

    def _on_upgrade(self) -> None:
        super()._on_upgrade()
        if self._version_snapshot != self._schemas_version:
            self._schema_rows.load()
            self._schemas_version = self._version_snapshot
            self._watch_schemas()

    def _after_commit(self) -> None:
        super()._after_commit()
        self._schemas_changed = False
        self._follow_references()

    def _after_rollback(self) -> None:
        super()._after_rollback()
        self._forget_schemas()
        self._follow_references()

    def rollback_to(self) -> None:
        """Ends the innermost savepoint and undoes what was done since."""
        super().rollback_to()
        self._forget_schemas()
        self._read_schemas()

    def _forget_schemas(self) -> None:
        """What is in memory may be what was undone."""
        if self._schemas_watched or self._schemas_changed:
            self._schemas_version = None
        self._schemas_changed = False

    def _settle(self) -> None:
        """All new tables have been looked at."""
        if self._schema_watcher.has_new:
            with self._change():
                self._schema_watcher.settle()

    def _check_now(self, schema: StoredSchema) -> None:
        """Raises `SchemaViolationError` if rows that are there do not follow a schema."""
        with self._change():
            self._schema_watcher.check_whole(schema)
        # What it finds does not break the transaction.
        with self._reading:
            self._schema_watcher.refuse_violations()

    # -- damage

    def integrity(self) -> list[str]:
        """What is wrong with the file; see `Upkeep.integrity`."""
        found = super().integrity()
        if not found:
            self._read_schemas()
            for number, reason in self._schema_rows.senseless.items():
                found.append(f"schema {number} makes no sense, and is not kept to: {reason}")
        return found

    def bring_schemas_back(self) -> list[str]:
        """For a repair: takes away the schemas that rows do not follow; which could not stay."""
        self._schemas_version = None
        self._read_schemas(writing=True)
        rows = self._schema_rows
        lost = [f"schema {number}, which makes no sense" for number in rows.senseless]
        with self._change():
            for number in rows.senseless:
                rows.delete(number)
        for schema in list(rows.schemas):
            with self._change():
                rows.follow(schema)
            try:
                self._check_now(schema)
            except SchemaViolationError as error:
                lost.append(f"the schema of {schema.path}: {error.violations[0]}")
                self._schema_watcher.ended(committed=False)
                self.drop_schema(schema.keys)
        return lost

    # -- what goes other ways than `apply`

    def drop_root(self, name: str) -> bool:
        """Takes the name from a table, and its schemas; whether there was one."""
        if not super().drop_root(name):
            return False
        self._read_schemas()
        for schema in self.schemas():
            if schema.keys[0] == name:
                self.drop_schema(schema.keys)
        return True

    def import_lines(self, lines: Iterable[str], *, on_progress: LineProgress | None = None) -> int:
        """Reads what `export_lines` wrote; it must follow the schemas that are there."""
        if not self.in_transaction:
            with self.transaction():
                return self.import_lines(lines, on_progress=on_progress)
        count = super().import_lines(lines, on_progress=on_progress)
        self._schemas_version = None
        self._read_schemas(writing=True)
        for schema in list(self._schema_rows.schemas):
            with self._change():
                self._schema_rows.follow(schema)
            self._check_now(schema)
        return count

    def restore(self, path: Path, *, on_progress: PageProgress | None = None) -> None:
        """Puts the content of a backup in the place of everything, schemas included."""
        super().restore(path, on_progress=on_progress)
        self._schemas_version = None


def _references(row: Type) -> list[str]:
    """The paths that a type refers to."""
    found = [] if row.ref is None else [row.ref]
    inner = [one.type for one in row.fields]
    inner += [one for one in (row.array, row.extra) if isinstance(one, Type)]
    for one in inner:
        found += _references(one)
    return found
