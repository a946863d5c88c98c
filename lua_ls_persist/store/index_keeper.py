"""Keeps indexes up to date: what a transaction writes is noted, and settled all at once.

A flush comes in many small batches, a table's entries often before the fields of its rows. So of
each row that is written to, what the indexes have for it is noted once, before the first change;
what they should have is found out at the end: before a commit, before an inner transaction, before
somebody looks, and when much has come together.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final, cast, final

import apsw

from lua_ls_persist.store.index_forms import Form, Item, form_of
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.index_notes import NOTHING, Kept, Stored, same_items
from lua_ls_persist.store.index_rows import VALUE, Fresh, Plan, Reader, RowKey
from lua_ls_persist.store.rows import INTEGER, TABLE, Entry, Key, Native, Value
from lua_ls_persist.store.unique import Unique
from lua_ls_persist.store.watching import Changes
from lua_ls_persist.store.writing import write_rows
from lua_ls_persist.wire import INTEGER_MIN

NOTED_MAX: Final = 50_000
"""So many rows or entries are noted before they are settled."""

MANY_KEYS: Final = 200
FEW_ROWS: Final = 2_000
"""Where many rows are written to a table that has few, all of its keys are read at once."""

_SQL_LAST_TABLE = "SELECT max(id) FROM tables"
_SQL_IS_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM entries WHERE table_id = ?)"
_SQL_FEW = "SELECT key_kind, key FROM entries WHERE table_id = ? LIMIT ?"
_SQL_LAST_INTEGER = "SELECT max(key) FROM entries WHERE table_id = ? AND key_kind = 2"
_SQL_REMOVE_MEMBERS = """
    DELETE FROM index_members WHERE table_id = ? AND member = ? AND key_kind = ? AND key = ?
    """
_SQL_UNMADE = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM tables)"
_SQL_CLEAR_MEMBERS = "DELETE FROM index_members WHERE table_id = ?"


@final
class Keeper:
    """Watches what is written to the tables that have indexes."""

    def __init__(self, connection: Callable[[], apsw.Connection], settle_paths: Callable[[], None]):
        """`settle_paths` is called where a path of an index may lead elsewhere."""
        self._connection = connection
        self._settle_paths = settle_paths
        self._reader = Reader(connection)
        self.unique = Unique(connection, self._reader)
        self._kept: dict[int, Kept] = {}
        self._on_path: frozenset[tuple[int, int, Native]] = frozenset()
        """The entries that the paths of indexes lead through."""
        self._keys: frozenset[Native] = frozenset()
        self._tables: frozenset[int] = frozenset()
        self._steps: tuple[Value, ...] = ()
        self._any_element = False
        self._fresh = Fresh()
        self._last_table: int | None = None
        """No table with a greater id was there when this transaction first wrote."""
        self._unmade: set[int] = set()
        """Tables that indexes know already, although they are not made yet."""
        self._paths_touched = False
        self._is_last = False
        """What is settled now is all that this transaction writes."""

    # What is kept

    @property
    def indexes(self) -> list[Index]:
        """All that are kept."""
        return [index for kept in self._kept.values() for index in kept.plan.indexes]

    def keep(self, indexes: Iterable[Index], on_path: Iterable[tuple[int, int, Native]]) -> None:
        """From now on it is these, and nothing is noted; the paths lead through these entries."""
        by_table: dict[int, list[Index]] = {}
        indexes = list(indexes)
        self.unique.keep(indexes)
        for index in indexes:
            if index.table_id:
                by_table.setdefault(index.table_id, []).append(index)
        self._kept = {}
        for table_id, group in by_table.items():
            plan = Plan(table_id, group)
            self._kept[table_id] = Kept(plan, tuple(form_of(index, plan) for index in group))
        self._on_path = frozenset(on_path)
        plans = [kept.plan for kept in self._kept.values()]
        self._keys = frozenset().union(
            *(plan.keys for plan in plans), (key for _, _, key in self._on_path)
        )
        self._tables = frozenset(self._kept).union(table for table, _, _ in self._on_path)
        self._steps = tuple({path[-1]: None for plan in plans for path in plan.steps})
        self._any_element = any(plan.arrays for plan in plans)
        self._forget()

    def plan(self, table_id: int) -> Plan | None:
        """The plan of a table, if it has indexes."""
        kept = self._kept.get(table_id)
        return None if kept is None else kept.plan

    def _forget(self) -> None:
        for kept in self._kept.values():
            kept.forget()
        self._fresh = Fresh()
        self._last_table = None
        self._paths_touched = False

    # Noting

    def before(self, changes: Changes) -> None:
        """Notes which rows are about to change, and what is stored for them."""
        if self._last_table is None:
            last_table = self._connection().execute(_SQL_LAST_TABLE).get
            self._last_table = cast("int | None", last_table) or 0
        sets, deletes = self._relevant(changes.sets), self._relevant(changes.deletes)
        if changes.new_tables:
            last = self._last_table
            self._fresh.ids.update([row[0] for row in changes.new_tables if row[0] > last])
            if self._unmade:
                self._fresh.ids -= self._unmade
        if changes.roots:
            self._paths_touched = True
        if not sets and not deletes and not changes.cleared:
            return
        touched = {row[0] for row in sets}
        touched.update([row[0] for row in deletes])
        touched.update(changes.cleared)
        if self._on_path:
            self._note_paths(sets, deletes, changes.cleared)
        members = touched - self._fresh.ids
        for table_id, kept in self._kept.items():
            self._note_members(kept, members)
            if table_id in touched:
                self._note_rows(kept, sets, deletes, cleared=table_id in changes.cleared)
        if self._fresh.ids:
            self._note_fresh(sets, deletes, changes.cleared)

    def _relevant(self, rows: Sequence[Entry] | Sequence[Key]) -> list[tuple[int, int, Native]]:
        """The entries that any index may have to do with, and some others."""
        keys, tables = self._keys, self._tables
        if self._any_element:
            return [
                row  # type: ignore[misc]  # of entries, too, what comes first is the key
                for row in rows
                if row[2] in keys or row[0] in tables or row[1] == INTEGER
            ]
        return [row for row in rows if row[2] in keys or row[0] in tables]  # type: ignore[misc]

    def _note_paths(
        self, sets: Sequence[Key], deletes: Sequence[Key], cleared: Sequence[int]
    ) -> None:
        if not self._paths_touched:
            self._paths_touched = any(
                row[:3] in self._on_path for row in itertools.chain(sets, deletes)
            ) or any(table_id in cleared for table_id, _, _ in self._on_path)

    def _note_members(self, kept: Kept, members: set[int]) -> None:
        """Notes the rows that consist of tables that are about to change."""
        plan, before, after = kept.plan, kept.before, kept.after
        if not members or not plan.containers or kept.cleared or kept.is_new:
            return
        found = {
            (key_kind, key): member
            for key_kind, key, member in self._reader.rows_with(plan.table_id, members)
            if (key_kind, key) not in before and (key_kind, key) not in after
        }
        if plan.containers == (VALUE,):
            # Rows consist of one table, which is their value.
            self._note_values(kept, {key: (TABLE, member) for key, member in found.items()})
        else:
            self._note_stored(kept, list(found))

    def _note_rows(
        self, kept: Kept, sets: Sequence[Key], deletes: Sequence[Key], *, cleared: bool
    ) -> None:
        """Notes rows that come, go, or get another value."""
        table_id = kept.plan.table_id
        if cleared:
            kept.forget()
            kept.cleared = True
            return
        after: dict[RowKey, Value | None] = {
            row[1:3]: row[3:] for row in cast("Sequence[Entry]", sets) if row[0] == table_id
        }
        if deletes:
            after.update({row[1:3]: None for row in deletes if row[0] == table_id})
        if kept.is_new is None:
            kept.is_new = bool(self._connection().execute(_SQL_IS_EMPTY, (table_id,)).get)
        if not kept.is_new and not kept.cleared:
            self._note_stored(kept, self._possibly_there(kept, after))
        kept.after.update(after)

    def _possibly_there(self, kept: Kept, keys: Mapping[RowKey, object]) -> list[RowKey]:
        """Those of these keys that may be stored and that nothing was noted about."""
        table_id = kept.plan.table_id
        if kept.known is None and len(keys) > MANY_KEYS:
            few = self._connection().execute(_SQL_FEW, (table_id, FEW_ROWS + 1)).fetchall()
            if len(few) <= FEW_ROWS:
                kept.known = set(cast("list[RowKey]", few)) - kept.after.keys()
        if kept.known is not None:
            there = kept.known.intersection(keys)
            kept.known -= there
            return [key for key in there if key not in kept.before]
        if kept.last_integer is None and any(key[0] == INTEGER for key in keys):
            last = self._connection().execute(_SQL_LAST_INTEGER, (table_id,)).get
            kept.last_integer = INTEGER_MIN if last is None else cast("int", last)
        last_integer = kept.last_integer
        before, after = kept.before, kept.after
        return [
            key
            for key in keys
            if (key[0] != INTEGER or cast("int", key[1]) <= last_integer)  # type: ignore[operator]
            and key not in before
            and key not in after
        ]

    def _note_stored(self, kept: Kept, keys: Sequence[RowKey]) -> None:
        """Notes what is stored for rows that are as they were."""
        if keys:
            self._note_values(kept, self._reader.values(kept.plan.table_id, keys))

    def _note_values(self, kept: Kept, found: dict[RowKey, Value]) -> None:
        if not found:
            return
        values = list(found.values())
        stored = self._stored(kept, list(found), values, Fresh())
        kept.before.update(zip(found, zip(values, stored, strict=True), strict=True))

    def _stored(
        self, kept: Kept, keys: Sequence[RowKey], values: Sequence[Value], fresh: Fresh
    ) -> list[Stored]:
        rows = self._reader.rows(kept.plan, keys, list(values), fresh)
        items = zip(*(form.items(rows) for form in kept.forms), strict=True)
        return list(map(Stored, items, rows.members(kept.plan)))

    def _note_fresh(
        self, sets: Sequence[Key], deletes: Sequence[Key], cleared: Sequence[int]
    ) -> None:
        """Remembers what this transaction writes into its own new tables."""
        fresh = self._fresh
        ids, steps = fresh.ids, fresh.steps
        for step in self._steps:
            kind, key = step
            steps.setdefault(step, {}).update(
                {
                    row[0]: row[3:]
                    for row in cast("Sequence[Entry]", sets)
                    if row[2] == key and row[1] == kind and row[0] in ids
                }
            )
        if self._any_element:
            for row in cast("Sequence[Entry]", sets):
                if row[1] == INTEGER and row[0] in ids:
                    fresh.elements.setdefault(row[0], {})[row[2]] = (row[3], row[4])
        for table_id, key_kind, key in (row[:3] for row in deletes):
            if table_id in ids:
                steps.get((key_kind, key), {}).pop(table_id, None)
                if self._any_element and key_kind == INTEGER:
                    fresh.elements.get(table_id, {}).pop(key, None)
        for table_id in cleared:
            if table_id in ids:
                fresh.elements.pop(table_id, None)
                for found in steps.values():
                    found.pop(table_id, None)

    def after(self, changes: Changes) -> None:  # noqa: ARG002  (noted before)
        """Settles what was noted if it has become much."""
        rows = sum(len(kept.before) + len(kept.after) for kept in self._kept.values())
        noted = rows + len(self._fresh.ids)
        if noted > NOTED_MAX:
            self.settle()

    # Settling

    @property
    def noted(self) -> bool:
        """Whether there is anything to settle."""
        return self._paths_touched or any(k.has_notes for k in self._kept.values())

    def settle(self) -> None:
        """Brings the indexes up to date with all that was written."""
        for kept in self._kept.values():
            if kept.has_notes:
                self._settle(kept)
        touched = self._paths_touched
        self._forget()
        if touched:
            self._settle_paths()

    def _settle(self, kept: Kept) -> None:
        connection = self._connection()
        if kept.cleared:
            for form in kept.forms:
                form.clear(connection)
            connection.execute(_SQL_CLEAR_MEMBERS, (kept.plan.table_id,))
        before, after = kept.before, kept.after
        if before:
            self._settle_known(kept)
        new = {
            key: value for key, value in after.items() if value is not None and key not in before
        }
        if new:
            self._settle_new(kept, new)

    def _settle_known(self, kept: Kept) -> None:
        """Rows that were there: what is stored for them and is not the same any more changes."""
        before, after, table_id = kept.before, kept.after, kept.plan.table_id
        now = {
            key: value
            for key, old in before.items()
            if (value := after[key] if key in after else old[0]) is not None
        }
        stored = self._stored(kept, list(now), list(now.values()), self._fresh)
        present = dict(zip(now, stored, strict=True))
        for number, form in enumerate(kept.forms):
            removed: list[Item] = []
            added: list[Item] = []
            for key, (_, had) in before.items():
                row = present.get(key)
                new = () if row is None else row.items[number]
                if not same_items(had.items[number], new):
                    removed += had.items[number]
                    added += new
            if removed:
                form.remove(self._connection(), removed)
            self._add(kept, number, form, added)
        gone: list[tuple[int, int, int, Native]] = []
        come: list[tuple[int, int, int, Native]] = []
        for key, (_, had) in before.items():
            has = present.get(key, NOTHING).members
            if had.members != has:
                gone += [(table_id, member, *key) for member in had.members if member not in has]
                come += [(table_id, member, *key) for member in has if member not in had.members]
        if gone:
            self._connection().executemany(_SQL_REMOVE_MEMBERS, gone)
        self._add_members(come)

    def _settle_new(self, kept: Kept, new: dict[RowKey, Value]) -> None:
        """Rows that were not there."""
        rows = self._reader.rows(kept.plan, list(new), list(new.values()), self._fresh)
        for number, form in enumerate(kept.forms):
            self._add(kept, number, form, form.all_items(rows))
        if kept.plan.containers:
            self._add_members(rows.all_members(kept.plan))

    def _add(self, kept: Kept, number: int, form: Form, items: list[Item]) -> None:
        if items:
            form.add(self._connection(), items)
            index = kept.plan.indexes[number]
            if index.unique:
                self.unique.note(index, items)

    def _add_members(self, rows: list[tuple[int, int, int, Native]]) -> None:
        if not rows:
            return
        rows.sort(key=itemgetter(1))
        write_rows(self._connection(), "INSERT OR IGNORE INTO index_members", rows)
        if not self._is_last:
            members = json.dumps([row[1] for row in rows])
            unmade = self._connection().execute(_SQL_UNMADE, (members,))
            self._unmade.update([row[0] for row in cast("Iterable[tuple[int]]", unmade)])

    # With transactions

    def committing(self) -> None:
        """The last moment for indexes to be what the data say."""
        self._is_last = True
        if self.noted:
            self.settle()
        self.unique.check()

    def ended(self, *, committed: bool) -> None:  # noqa: ARG002  (settled before a commit)
        """Nothing is noted any more."""
        self._forget()
        self.unique.forget()
        self._unmade.clear()
        self._is_last = False

    def savepoint(self) -> None:
        """All was settled before, so whatever is noted is of the inner transaction."""

    def released(self) -> None:
        """What was noted goes on to be."""

    def rolled_back(self) -> None:
        """What was noted has not happened."""
        self._forget()
