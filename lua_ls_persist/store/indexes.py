"""Indexes: made, listed, dropped, and always what the data say.

An index is a SQLite table of its own beside the entries (docs/store.md tells its columns), kept
up to date by `index_keeper`, in the transaction that writes the entries.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from lua_ls_persist.errors import QueryError, StoreError
from lua_ls_persist.paths import Key
from lua_ls_persist.query import Field
from lua_ls_persist.store import index_tables
from lua_ls_persist.store.failures import damaged
from lua_ls_persist.store.index_definition import checked_definition, options_text, parsed_fields
from lua_ls_persist.store.index_keeper import Keeper
from lua_ls_persist.store.index_model import (
    REVISION,
    Index,
    IndexOptions,
    fields_to_json,
    index_of,
    named,
    path_from_json,
    path_to_json,
)
from lua_ls_persist.store.index_rows import Plan
from lua_ls_persist.store.index_tables import Progress
from lua_ls_persist.store.place_text import path_text
from lua_ls_persist.store.rows import TABLE, Native, Value, native_key
from lua_ls_persist.store.versions import Versions
from lua_ls_persist.store.watching import Changes, IndexKey

_SQL_ALL = """
    SELECT id, path, table_id, fields, kind, is_unique, each, revision FROM indexes ORDER BY id
    """
_SQL_OF_TABLE = """
    SELECT id, path, table_id, fields, kind, is_unique, each, revision FROM indexes
    WHERE table_id = ? ORDER BY id
    """
_SQL_NEW = """
    INSERT INTO indexes (path, table_id, fields, kind, is_unique, each, revision)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id
    """
_SQL_ANEW = "UPDATE indexes SET table_id = ?, revision = ? WHERE id = ?"
_SENSELESS = (QueryError, ValueError, TypeError)
_SQL_CLEAR_MEMBERS = "DELETE FROM index_members WHERE table_id = ?"


class Indexes(Versions):
    """Makes indexes and looks after them."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._keeper = Keeper(lambda: self._connection, self._follow_paths)
        self._indexes_of: int | None = None
        """Of which version of the data the keeper's indexes are."""

    # Looking

    def indexes(self, table_id: int | None = None) -> list[Index]:
        """All indexes, or those of one table, as they are defined and up to date."""
        self.settle_indexes()
        with self._reading:
            if table_id is None:
                rows = self._cursor.execute(_SQL_ALL)
            else:
                rows = self._cursor.execute(_SQL_OF_TABLE, (table_id,))
            try:
                return [index_of(row) for row in rows.fetchall()]
            except _SENSELESS as error:
                why = "the definition of an index makes no sense"
                raise StoreError(damaged(self._name, why)) from error

    def index_rows(self, index: Index) -> int:
        """How many rows an index has."""
        self.settle_indexes()
        name = f"{index.storage}_rows" if index.kind == "text" else index.storage
        with self._reading:
            return cast("int", self._cursor.execute(f"SELECT count(*) FROM {name}").get)  # noqa: S608

    def find_indexes(
        self, name: str, keys: Sequence[Key], fields: Sequence[str], kind: str | None = None
    ) -> list[Index]:
        """The indexes with this path and exactly these fields, of one kind or of any.

        Raises:
            QueryError: there is none.
        """
        keys, parsed = named(name, keys, parsed_fields(fields))
        wanted = (name, tuple(native_key(key) for key in keys), parsed)
        found = [
            index
            for index in self.indexes()
            if (index.root, index.keys, index.fields) == wanted and kind in (None, index.kind)
        ]
        if not found:
            texts = ", ".join(field.text for field in parsed)
            raise QueryError(f"there is no index {path_text(name, wanted[1])}({texts})")
        return found

    def settle_indexes(self) -> None:
        """Brings the indexes up to date with what this transaction has written so far.

        Whoever reads an index inside of a transaction that may have written does this before.
        """
        if self._begun and self._keeper.noted:
            with self._written():
                self._keeper.settle()

    def check_unique(self) -> None:
        """The values that this transaction has written so far do not conflict in a unique index.

        A commit does it, too. The transaction goes on in any case.

        Raises:
            StoreError: two rows have the same; the message names the index, the value and both.
        """
        self.settle_indexes()
        with self._reading:
            self._keeper.unique.check()

    # Changing

    def create_index(
        self,
        name: str,
        keys: Sequence[Key],
        fields: Sequence[str],
        *,
        kind: str = "btree",
        unique: bool = False,
        each: bool = False,
        on_progress: Progress | None = None,
    ) -> Index:
        """Makes an index of the table that a path leads to: in the transaction, or in its own.

        One that is there already, and is the same, is left as it is. `on_progress` hears how many
        rows of how many have been read; what it raises ends the work, and nothing is left of it.

        Raises:
            QueryError: there is no such table, or the definition makes no sense.
            StoreError: it is to be unique and the data are not, or the file cannot be written.
        """
        if not self.in_transaction:
            with self.transaction():
                return self.create_index(
                    name, keys, fields, kind=kind, unique=unique, each=each, on_progress=on_progress
                )
        parsed, _ = checked_definition(fields, kind, unique=unique, each=each)
        keys, parsed = named(name, keys, parsed)
        return self.define_index(
            name,
            [native_key(key) for key in keys],
            [field.text for field in parsed],
            kind=kind,
            unique=unique,
            each=each,
            on_progress=on_progress,
        )

    def define_index(
        self,
        name: str,
        keys: Sequence[Value],
        fields: Sequence[str],
        *,
        kind: str,
        unique: bool,
        each: bool,
        missing_ok: bool = False,
        on_progress: Progress | None = None,
    ) -> Index:
        """As `create_index`, with keys as the store has them, in the transaction that is open.

        With `missing_ok` there need not be a table at the path now.
        """
        parsed, index_kind = checked_definition(fields, kind, unique=unique, each=each)
        table_id, _ = self._led_to(name, keys)
        if not table_id and not missing_ok:
            raise QueryError(self.no_table(path_text(name, keys)))
        present = self._same(name, keys, parsed, index_kind)
        if present is not None:
            if (present.unique, present.each) != (unique, each):
                raise QueryError(
                    f"there is an index {present.name} already, which is {options_text(present)}; "
                    "drop it first"
                )
            return present
        path, texts = path_to_json(name, keys), fields_to_json(parsed)
        key = (path, texts, index_kind)
        with self._change(), self._watching(lambda: Changes(indexes=[key])):
            row = (path, table_id, texts, index_kind, int(unique), int(each), REVISION)
            index_id = self._cursor.execute(_SQL_NEW, row).get
            index = index_of((index_id, *row))
            index_tables.create(self._connection, index)
            self._load_indexes()
            self._fill([index], on_progress)
            self._note_members([table_id])
        self._check_index(index)
        return index

    def drop_index(self, index: Index) -> None:
        """Removes an index: in the transaction that is open, or in one of its own."""
        if not self.in_transaction:
            with self.transaction():
                self.drop_index(index)
            return
        with self._change():
            self._drop([index])

    def rebuild_index(self, index: Index, *, on_progress: Progress | None = None) -> None:
        """Makes an index anew from the data: for when these were written by hand.

        Raises:
            StoreError: it is unique and the data are not, or the file cannot be written.
        """
        if not self.in_transaction:
            with self.transaction():
                self.rebuild_index(index, on_progress=on_progress)
            return
        with self._written():
            self.settle_indexes()
            self._empty(index)
            self._load_indexes()
            now = [it for it in self.indexes() if it.id == index.id]
            self._fill(now, on_progress)
            self._note_members(it.table_id for it in (index, *now))
        for it in now:
            self._check_index(it)

    def bring_indexes_back(self) -> list[str]:
        """For a repair: gives the definitions that are there their tables; what could not stay."""
        lost: list[str] = []
        with self._written():
            for row in self._cursor.execute(_SQL_ALL).fetchall():
                try:
                    index = index_of(row)
                    texts = [field.text for field in index.fields]
                    checked_definition(texts, index.kind, unique=index.unique, each=index.each)
                except _SENSELESS:
                    self._cursor.execute("DELETE FROM indexes WHERE id = ?", (row[0],))
                    lost.append(f"index {row[0]}, which makes no sense")
                else:
                    self._empty(index)
            self._load_indexes()
            self._fill(self.indexes(), None)
            self._note_members(index.table_id for index in self.indexes())
            for index in self.indexes():
                try:
                    self._keeper.unique.check_index(index)
                except StoreError as error:
                    lost.append(f"that {index.name} is unique: {error}")
                    self._cursor.execute(
                        "UPDATE indexes SET is_unique = 0 WHERE id = ?", (index.id,)
                    )
            self._keeper.unique.forget()
            self._load_indexes()
        return lost

    def _same(
        self, name: str, keys: Sequence[Value], fields: Sequence[Field], kind: str
    ) -> Index | None:
        wanted = (name, tuple(keys), tuple(fields), kind)
        for index in self.indexes():
            if (index.root, index.keys, index.fields, index.kind) == wanted:
                return index
        return None

    def _empty(self, index: Index) -> None:
        """Gives an index new tables, and the table that its path leads to."""
        table_id, _ = self._led_to(index.root, index.keys)
        self._cursor.execute(_SQL_ANEW, (table_id, REVISION, index.id))
        index_tables.drop(self._connection, index)
        index_tables.create(self._connection, index)

    def _fill(self, indexes: Iterable[Index], on_progress: Progress | None) -> None:
        """Fills indexes that are empty and that the keeper knows."""
        for index in indexes:
            plan = self._keeper.plan(index.table_id)
            if plan is not None:
                index_tables.fill(
                    self._connection, index, plan, on_progress=on_progress, go_on=self._go_on
                )
                if index.unique:
                    self._keeper.unique.note_all(index)

    def _check_index(self, index: Index) -> None:
        # Not where the index is written: a conflict leaves the transaction as it is.
        with self._reading:
            self._keeper.unique.check_index(index)

    def _note_members(self, table_ids: Iterable[int]) -> None:
        """Notes anew of what the rows of these tables consist, as far as indexes need it."""
        for table_id in set(table_ids):
            plan = self._keeper.plan(table_id)
            if plan is None:
                self._cursor.execute(_SQL_CLEAR_MEMBERS, (table_id,))
            else:
                index_tables.fill_members(self._connection, plan)

    def _drop(self, indexes: Sequence[Index]) -> None:
        with self._watching(lambda: Changes(indexes=[index.key for index in indexes])):
            for index in indexes:
                index_tables.drop(self._connection, index)
                self._cursor.execute("DELETE FROM indexes WHERE id = ?", (index.id,))
        self._load_indexes()
        self._note_members(index.table_id for index in indexes)

    # Going back and forth in the history

    def _drop_unlike(self, key: IndexKey, options: IndexOptions | None) -> None:
        """Drops the index of this key, unless it is there with these options."""
        for index in self.indexes():
            if index.key == key and options != {"unique": index.unique, "each": index.each}:
                self._drop([index])

    def _put_index_back(self, key: IndexKey, options: IndexOptions) -> None:
        """Makes an index that was there at another time, if it is not there."""
        path, fields, kind = key
        name, keys = path_from_json(path)
        self.define_index(name, keys, json.loads(fields), kind=kind, missing_ok=True, **options)

    # Following the data

    def _load_indexes(self) -> None:
        """The keeper keeps what is defined now."""
        indexes = self.indexes()
        ways = [self._led_to(index.root, index.keys)[1] for index in indexes]
        self._keeper.keep(indexes, itertools.chain.from_iterable(ways))
        self._indexes_of = self._version_snapshot
        if indexes and self._keeper not in self._watchers:
            self.watch(self._keeper)

    def _follow_paths(self) -> None:
        """The paths of indexes may lead elsewhere now. Nothing is noted."""
        before = self.indexes()
        moved = [it for it in before if self._led_to(it.root, it.keys)[0] != it.table_id]
        for index in moved:
            self._empty(index)
        self._load_indexes()
        ids = {index.id for index in moved}
        now = [index for index in self.indexes() if index.id in ids]
        self._fill(now, None)
        self._note_members(index.table_id for index in (*moved, *now))

    def _led_to(
        self, name: str, keys: Sequence[Value]
    ) -> tuple[int, list[tuple[int, int, Native]]]:
        """The table that a path leads to, or 0, and the entries on the way."""
        table_id = self.root(name, create=False)
        way: list[tuple[int, int, Native]] = []
        for key in keys:
            if not table_id:
                break
            way.append((table_id, *key))
            found = self.get(table_id, *key)
            table_id = cast("int", found[1]) if found is not None and found[0] == TABLE else 0
        return table_id, way

    def drop_root(self, name: str) -> bool:
        """Takes the name from a table, as `Roots` does; indexes by that name go with it."""
        dropped = super().drop_root(name)
        if dropped:
            with self._change():
                self._drop([index for index in self.indexes() if index.root == name])
        return dropped

    def _on_upgrade(self) -> None:
        super()._on_upgrade()
        if self._indexes_of != self._version_snapshot:
            if self._keeper in self._watchers:
                self.unwatch(self._keeper)
            self._load_indexes()

    def _after_rollback(self) -> None:
        super()._after_rollback()
        self._indexes_of = None

    def savepoint(self) -> None:
        self.settle_indexes()
        super().savepoint()

    def rollback_to(self) -> None:
        super().rollback_to()
        if self._keeper in self._watchers:
            self._load_indexes()

    # For the parts that go around `apply`

    def _forget_indexes(self) -> None:
        """All data are others now, the definitions of indexes as well."""
        self._indexes_of = None

    def _wrong_indexes(self) -> list[str]:
        """Indexes that are not what the data say, a sentence each."""
        self.settle_indexes()
        problems: list[str] = []
        by_table: dict[int, list[Index]] = {}
        with self._reading:
            for index in self.indexes():
                table_id, _ = self._led_to(index.root, index.keys)
                if table_id != index.table_id:
                    problems.append(f"the index {index.name} is of another table; rebuild it")
                    continue
                by_table.setdefault(table_id, []).append(index)
            tables = self._connection.execute("SELECT DISTINCT table_id FROM index_members")
            problems += [
                f"index_members knows table {row[0]}, which has no index"
                for row in tables.fetchall()
                if row[0] not in by_table
            ]
            for table_id, group in by_table.items():
                plan = Plan(table_id, group)
                problems += index_tables.differences(self._connection, plan)
        return problems
