"""Schemas from Python: set, shown, derived, checked, and as annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import SchemaViolation
from lua_ls_persist.paths import Key, Path, keys_of, told_path
from lua_ls_persist.schema import (
    Type,
    annotations_of,
    class_name_of,
    definition_of,
    type_from_annotations,
    type_of,
)
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.store.schema_rows import path_text


class StoredSchemas:
    """The part of a session that is about schemas."""

    _life: Life

    def schemas(self) -> dict[str, Any]:
        """The definitions of all schemas, by the paths of their tables."""

        def look(runner: Runner) -> dict[str, Any]:
            return {
                schema.path: definition_of(schema.row)
                for schema in sorted(runner.store.schemas(), key=lambda one: one.path)
            }

        return self._life.call(look)

    def schema(self, table: Path) -> Any:
        """The definition of a table's schema, as JSON can hold it; None if it has none."""
        found = self._row(keys_of(table))
        return None if found is None else definition_of(found)

    def set_schema(self, table: Path, definition: Any) -> None:
        """From now on the rows of a table follow this definition; None: they are free.

        docs/schemas.md tells definitions. A named table is made if it is not there.

        Raises:
            SchemaError: the definition makes no sense.
            SchemaViolationError: rows that are there do not follow it; nothing was changed.
        """
        self._set(keys_of(table), None if definition is None else type_of(definition))

    def derive_schema(
        self, table: Path, *, on_progress: Callable[[int], None] | None = None
    ) -> Any:
        """A definition that all rows of a table follow, made from these rows. It is not set.

        `on_progress` hears how many rows have been looked at.

        Raises:
            SessionError: there is no such table, or it was interrupted.
        """
        keys = keys_of(table)

        def derive(runner: Runner) -> Type:
            found = runner.store.derive_schema(keys, on_progress=on_progress)
            if found is None:
                raise SessionError(runner.store.no_table(told_path(table)))
            return found

        return definition_of(self._life.work("the look at the rows", derive))

    def check_schemas(self, table: Path | None = None) -> list[SchemaViolation]:
        """What does not follow its schema, in one table or in all: up to 1,000 places of each.

        Nothing is ever written that does not. But references are not followed up when the row
        that is referred to goes, and defaults are not put into rows that were there before.
        """
        keys = None if table is None else keys_of(table)

        def check(runner: Runner) -> list[SchemaViolation]:
            with (
                runner.persistence.own_transaction(changes_entries=False) as store,
                runner.interruptible("the check"),
            ):
                return store.check_schemas(keys)

        return self._life.call(check)

    def schema_annotations(self, table: Path) -> str:
        """A table's schema as LuaCATS annotations, one class for each table inside of its rows.

        Raises:
            SessionError: it has no schema.
        """
        keys = keys_of(table)
        found = self._row(keys)
        if found is None:
            raise SessionError(f"{told_path(table)} has no schema")
        return annotations_of(found, class_name_of(keys))

    def set_schema_annotations(
        self, table: Path, text: str, *, class_name: str | None = None
    ) -> None:
        """Set a table's schema from LuaCATS annotations in a text, such as a Lua file.

        Without `class_name` this is the last class that no other uses.

        Raises:
            SchemaError: there is no such class, or it cannot be read; the message names the line.
            SchemaViolationError: rows that are there do not follow it; nothing was changed.
        """
        self._set(keys_of(table), type_from_annotations(text, class_name)[1])

    def _row(self, keys: list[Key]) -> Type | None:
        def look(runner: Runner) -> Type | None:
            found = runner.store.schema(keys)
            return None if found is None else found.row

        return self._life.call(look)

    def _set(self, keys: list[Key], row: Type | None) -> None:
        verb = "remove" if row is None else "set"
        told = f"{verb} schema of {path_text(keys)}".encode("utf-8", "replace")

        def change(runner: Runner) -> None:
            # The VM knows what was expected of its tables, and forgets that with its caches.
            with (
                runner.recorded_outside(("(schema)", told), changes_entries=True) as store,
                runner.interruptible("the check"),
            ):
                if row is None:
                    store.drop_schema(keys)
                else:
                    store.set_schema(keys, row)

        self._life.call(change)
