"""Indexes of stored tables, from Python: made, listed, dropped, made anew.

What changes them counts as an evaluation for `evaluating` and `interrupt`, and is done on the
session's own thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from lua_ls_persist.errors import QueryError, SessionError
from lua_ls_persist.model import IndexInfo
from lua_ls_persist.paths import Path, keys_of, told_path
from lua_ls_persist.session.data_indexes import info_of
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.services import OnProgress
from lua_ls_persist.session.tables import table_id_at
from lua_ls_persist.store import Description, Store
from lua_ls_persist.store.index_model import Index


class StoredIndexes:
    """The part of a session that is about indexes."""

    _life: Life

    def create_index(
        self,
        table: Path,
        fields: str | Sequence[str],
        *,
        kind: str = "btree",
        unique: bool = False,
        each: bool = False,
        on_progress: OnProgress | None = None,
    ) -> IndexInfo:
        """Make an index of a table; one that is there already is left as it is.

        Args:
            table: its path, such as `users` or `Memory.users`. The index follows the path.
            fields: one field or several, such as `"age"` or `["city", "age"]`.
            kind: `btree`; `hash`, for equality only; or `text`, for `matches`.
            unique: no two rows may have the same.
            each: one entry for each element of the field, which is an array.
            on_progress: hears how many rows of how many have been read, on the VM's thread.

        Raises:
            QueryError: there is no such table, or the definition makes no sense.
            StoreError: the data are not unique, or the file cannot be written.
            SessionError: it was interrupted; nothing was changed.
        """
        name, *keys = keys_of(table)
        doing = _doing("create", table, fields)

        def create(runner: Runner) -> IndexInfo:
            with (
                runner.interruptible("building the index"),
                runner.recorded_outside(doing, changes_entries=False) as store,
            ):
                index = store.create_index(
                    str(name),
                    keys,
                    fields,
                    kind=kind,
                    unique=unique,
                    each=each,
                    on_progress=on_progress,
                )
                return info_of(store, index)

        return self._life.call(create)

    def indexes(self, table: Path | None = None) -> list[IndexInfo]:
        """All indexes, or those of one table.

        Raises:
            QueryError: there is no such table.
        """

        def look(runner: Runner) -> list[IndexInfo]:
            store = runner.store
            with store.one_state():
                table_id = None if table is None else table_id_at(store, table)
                return [info_of(store, index) for index in store.indexes(table_id)]

        return self._life.call(look)

    def drop_index(
        self,
        table: Path,
        fields: str | Sequence[str] | None = None,
        *,
        kind: str | None = None,
    ) -> None:
        """Remove the index of these fields: `drop_index("users", "age")`.

        Without fields `table` is the name of an index: `drop_index("users(age)")`. Without `kind`
        all kinds of it go.

        Raises:
            QueryError: there is no such index.
            StoreError: the file cannot be written.
        """
        doing = _doing("drop", table, fields)

        def drop(runner: Runner) -> None:
            with runner.recorded_outside(doing, changes_entries=False) as store:
                for index in _found(store, table, fields, kind):
                    store.drop_index(index)

        self._life.call(drop)

    def rebuild_index(
        self,
        table: Path,
        fields: str | Sequence[str] | None = None,
        *,
        kind: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Make an index anew from the data, for when somebody has written these by hand.

        It is named as for `drop_index`.

        Raises:
            QueryError: there is no such index.
            StoreError: the data are not unique, or the file cannot be written.
            SessionError: it was interrupted; nothing was changed.
        """

        def rebuild(runner: Runner) -> None:
            with (
                runner.interruptible("building the index"),
                runner.persistence.own_transaction(changes_entries=False) as store,
            ):
                for index in _found(store, table, fields, kind):
                    store.rebuild_index(index, on_progress=on_progress)

        self._life.call(rebuild)


def _doing(verb: str, table: Path, fields: str | Sequence[str] | None) -> Description:
    """What the history tells: `create index users(age)`."""
    text = told_path(table)
    if fields is not None:
        names = [fields] if isinstance(fields, str) else fields
        text = f"{text}({', '.join(map(str, names))})"
    return "(index)", f"{verb} index {text}".encode("utf-8", "replace")


def _found(
    store: Store, table: Path, fields: str | Sequence[str] | None, kind: str | None
) -> list[Index]:
    """The indexes that are meant, at least one."""
    if fields is not None:
        name, *keys = keys_of(table)
        return store.find_indexes(str(name), keys, fields, kind)
    if not isinstance(table, str):
        raise SessionError("give the fields of the index, or its name as text")
    found = [
        index for index in store.indexes() if index.name == table and kind in (None, index.kind)
    ]
    if not found:
        raise QueryError(f"there is no index {table}")
    return found
