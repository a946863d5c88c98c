"""Checks what is written to tables with schemas, when it is written and again at the commit.

An evaluation's changes come in pieces: a row may be complete only with the next one. So what looks
wrong is looked at again before the commit, and only then refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from lua_ls_persist.errors import SchemaViolationError
from lua_ls_persist.model import SchemaViolation
from lua_ls_persist.paths import keys_of
from lua_ls_persist.schema import ROWS, Checker, LuaTable, key_text
from lua_ls_persist.schema.checker import INTEGER_KEY, NO_FIELD
from lua_ls_persist.schema.values import value_text
from lua_ls_persist.store.rows import TABLE, Native, Pair, Value
from lua_ls_persist.store.schema_rows import (
    Node,
    Place,
    SchemaRows,
    StoredSchema,
    lua_value,
    native_of,
)
from lua_ls_persist.store.watching import Changes

VIOLATIONS_MAX: Final = 1000
"""So many are reported."""
TABLES_AT_ONCE: Final = 500
NEW_MAX: Final = 20_000
"""More new tables are looked at before the commit, for what is kept of them takes memory."""
FRESH_MAX: Final = 200_000
"""More tables are not remembered as new; then they are looked up."""
SUSPECTS_MAX: Final = 20_000
"""With more, those that are right by now are forgotten before the commit."""

_SQL_HAS_KEY = "SELECT EXISTS (SELECT 1 FROM entries WHERE table_id=? AND key_kind=? AND key=?)"
_SQL_HAS_ROW = "SELECT EXISTS (SELECT 1 FROM entries WHERE table_id=? AND kind=7 AND value=?)"


class SchemaWatcher:
    """Follows what is written while there are schemas."""

    def __init__(
        self,
        rows: SchemaRows,
        ask: Callable[[str, tuple[Native, ...]], bool],
        go_on: Callable[[], None],
    ) -> None:
        """`ask` runs a statement that says yes or no; `go_on` raises when all this is to end."""
        self._rows = rows
        self._go_on = go_on
        self._ask = ask
        self._checker = Checker(self.refers)
        self._suspects: dict[int, set[Value] | None] = {}
        """Tables in which something is wrong so far: at these keys, or anywhere (None)."""
        self._suspects_max = SUSPECTS_MAX
        self._new: dict[int, list[tuple[Place, Node]]] = {}
        """Tables that are expected to be something since a moment ago, and were not looked at."""
        self._fresh: set[int] = set()
        """Tables that this transaction has made, and that were not looked at."""
        self._looked_at: list[list[tuple[Place, Node]]] = []
        """Those that were looked at since each savepoint."""
        self._ref_tables: dict[str, int | None] = {}
        self.follows_references = True
        """Otherwise rows may refer to others that are not there."""

    # -- as the store calls it

    def before(self, changes: Changes) -> None:
        """Sees which tables are really new."""
        if changes.new_tables:
            ids = {row[0] for row in changes.new_tables}
            self._fresh |= ids - self._rows.known(ids)

    def after(self, changes: Changes) -> None:
        """Looks at what was written."""
        rows = self._rows
        self._ref_tables = {}
        moved = self._moved(changes)
        touched = {row[0] for row in changes.sets}
        touched.update(row[0] for row in changes.deletes)
        touched.update(changes.cleared)
        # All of a new one is looked at later: then it is complete, mostly.
        nodes = rows.nodes(touched - self._fresh)
        if nodes:
            self._look(changes, nodes)
        for schema in moved:
            assert schema.table_id is not None
            self._adopt([(schema.table_id, (schema, ROWS))])
        if len(self._new) > NEW_MAX or len(self._fresh) > FRESH_MAX:
            self.settle()
            self._fresh = set()
        if len(self._suspects) > self._suspects_max:
            self._forget_right_ones()

    def committing(self) -> None:
        """Refuses what is still wrong."""
        self.refuse_violations()

    def ended(self, *, committed: bool) -> None:  # noqa: ARG002
        """Nothing is suspected any more."""
        self._suspects = {}
        self._suspects_max = SUSPECTS_MAX
        self._new = {}
        self._fresh = set()
        self._looked_at = []

    # What is suspected, or new, may be undone: it is looked at again anyway.

    def savepoint(self) -> None:
        """An inner transaction begins."""
        self._looked_at.append([])

    def released(self) -> None:
        """The innermost transaction is kept."""
        kept = self._looked_at.pop() if self._looked_at else []
        if self._looked_at:
            self._looked_at[-1] += kept

    def rolled_back(self) -> None:
        """What was noted of tables that were looked at in it is undone."""
        for place, node in self._looked_at.pop() if self._looked_at else []:
            self._new.setdefault(place[0], []).append((place, node))

    @property
    def has_new(self) -> bool:
        """Whether there are tables that were not looked at."""
        return bool(self._new)

    def settle(self) -> None:
        """Looks at the new tables."""
        new = [one for ones in self._new.values() for one in ones]
        self._new = {}
        if self._looked_at:
            self._looked_at[-1] += new
        self._rows.put([place for place, _ in new])
        self._adopt([(place[0], node) for place, node in new])

    # -- what was written

    def _moved(self, changes: Changes) -> list[StoredSchema]:
        """The schemas whose paths lead to another table now."""
        by_step = self._rows.by_step
        if not by_step and not changes.roots:
            return []
        names = {name for name, _ in changes.roots}
        affected = {one.id: one for one in self._rows.schemas if one.keys[0] in names}
        for row in changes.sets:
            if row[0] in by_step:
                for schema in by_step[row[0]].get((row[1], row[2]), ()):
                    affected[schema.id] = schema
        for table_id, key_kind, key in changes.deletes:
            for schema in by_step.get(table_id, {}).get((key_kind, key), ()):
                affected[schema.id] = schema
        for table_id in changes.cleared:
            for schemas in by_step.get(table_id, {}).values():
                affected.update({schema.id: schema for schema in schemas})
        # A table on the way may come to be there after what is below it.
        return [schema for schema in affected.values() if self._rows.follow(schema)]

    def _look(self, changes: Changes, nodes: dict[int, list[Node]]) -> None:
        put: list[tuple[Place, Node]] = []
        for table_id, key_kind, key, kind, native in changes.sets:
            expected = nodes.get(table_id)
            if expected is None:
                continue
            label = lua_value(key_kind, key)
            for schema, position in expected:
                child = schema.shape.child(position, label)
                if self._is_wrong(schema, position, child, label, kind, native):
                    self._suspect(table_id, (key_kind, key))
                elif kind == TABLE and child and schema.shape.opens(child):
                    assert isinstance(native, int)
                    put.append(((native, table_id, key_kind, key), (schema, child)))
        for table_id, key_kind, key in changes.deletes:
            label = lua_value(key_kind, key)
            for schema, position in nodes.get(table_id, ()):
                if self._wrong(schema, position, label, None) is not None:
                    self._suspect(table_id, (key_kind, key))
        for table_id in changes.cleared:
            if table_id in nodes:
                self._suspects[table_id] = None
        if put:
            self._note(put)

    def _note(self, put: list[tuple[Place, Node]]) -> None:
        """Tables were put where something is expected: new ones may come later than that."""
        ids = {place[0] for place, _ in put}
        unknown = ids - self._fresh
        self._fresh |= unknown - self._rows.known(unknown)
        known = [(place, node) for place, node in put if place[0] not in self._fresh]
        for place, node in put:
            if place[0] in self._fresh:
                self._new.setdefault(place[0], []).append((place, node))
        self._rows.put([place for place, _ in known])
        self._adopt([(place[0], node) for place, node in known])

    def _adopt(self, inside: Iterable[tuple[int, Node]]) -> None:
        """These tables are expected to be something now: looks at all that they have."""
        waiting = iter(inside)
        while chunk := list(islice(waiting, TABLES_AT_ONCE)):
            self._go_on()
            places: list[Place] = []
            below: list[tuple[int, Node]] = []
            self._fresh.difference_update(table_id for table_id, _ in chunk)
            for table_id, node, entries in self._tables(chunk):
                if self._inside(table_id, node, entries, places, below):
                    self._suspects[table_id] = None
            self._put_below(places, below)

    def _put_below(self, places: list[Place], below: list[tuple[int, Node]]) -> None:
        self._rows.put(places)
        inner = list(below)
        places.clear()
        below.clear()
        if inner:
            self._adopt(inner)

    def _tables(self, chunk: list[tuple[int, Node]]) -> Iterator[tuple[int, Node, Iterable[Pair]]]:
        """Each table of a chunk with its entries; tables of rows, which may be long, in pages."""
        nodes: dict[int, list[Node]] = {}
        for table_id, node in chunk:
            if node[1] == ROWS:
                yield table_id, node, self._rows.pages(table_id)
            else:
                nodes.setdefault(table_id, []).append(node)
        entries: dict[int, list[Pair]] = {table_id: [] for table_id in nodes}
        for row in self._rows.entries(nodes):
            entries[row[0]].append(row[1:])
        for table_id, found in entries.items():
            for node in nodes[table_id]:
                yield table_id, node, found

    def _inside(
        self,
        table_id: int,
        node: Node,
        entries: Iterable[Pair],
        places: list[Place],
        below: list[tuple[int, Node]],
    ) -> bool:
        """Whether something is wrong in a table; notes what is inside of it."""
        schema, position = node
        shape = schema.shape
        wrong = False
        present: set[object] = set()
        for key_kind, key, kind, native in entries:
            label = lua_value(key_kind, key)
            if position != ROWS:
                present.add(label)
            child = shape.child(position, label)
            if self._is_wrong(schema, position, child, label, kind, native):
                wrong = True
            elif kind == TABLE and child and shape.opens(child):
                assert isinstance(native, int)
                places.append((native, table_id, key_kind, key))
                below.append((native, (schema, child)))
                if position == ROWS and len(below) >= TABLES_AT_ONCE:
                    self._put_below(places, below)
        return wrong or any(
            one.name not in present and not one.type.may_be_missing
            for one in shape.types[position].fields
        )

    def _is_wrong(
        self,
        schema: StoredSchema,
        position: int,
        child: int,
        label: object,
        kind: int,
        native: Native,
    ) -> bool:
        """Whether something else was expected at a key; most is right by its kind alone."""
        if (
            child
            and kind in schema.right_kinds[child]
            and (position == ROWS or schema.shape.types[position].array is None)
        ):
            return False
        return self._wrong(schema, position, label, lua_value(kind, native)) is not None

    def _wrong(
        self, schema: StoredSchema, position: int, label: object, value: object
    ) -> str | None:
        """What was expected at a key, if that is not what is there."""
        shape = schema.shape
        if position == ROWS:
            return None if value is None else self._checker.wrong(shape.types[1], value)
        found = shape.types[position]
        if found.array is not None:
            if value is None:
                return None
            if not isinstance(label, int) or isinstance(label, bool) or label < 1:
                return INTEGER_KEY
        child = shape.child(position, label)
        if not child:
            return NO_FIELD if found.extra is False and value is not None else None
        if value is None and not found.field(label):
            return None
        return self._checker.wrong(shape.types[child], value)

    def refers(self, path: str, value: object) -> bool:
        """Whether the table at a path has this row."""
        if not self.follows_references:
            return True
        if path not in self._ref_tables:
            self._ref_tables[path] = self._rows.table_at(keys_of(path))
        table_id = self._ref_tables[path]
        if table_id is None:
            return False
        if isinstance(value, LuaTable):
            return self._ask(_SQL_HAS_ROW, (table_id, value.id))
        if isinstance(value, float) and math.isnan(value):
            return False
        if not isinstance(value, (bool, int, float, str, bytes)):
            return False
        return self._ask(_SQL_HAS_KEY, (table_id, *native_of(value)))

    # -- what looked wrong

    def _suspect(self, table_id: int, key: Value) -> None:
        known = self._suspects.setdefault(table_id, set())
        if known is not None:
            known.add(key)

    def _forget_right_ones(self) -> None:
        wrong = {
            table_id: self._suspects[table_id]
            for table_id, found in self._look_again()
            if next(iter(found), None) is not None
        }
        self._suspects = wrong
        self._suspects_max = max(SUSPECTS_MAX, 2 * len(wrong))

    def _look_again(self) -> Iterator[tuple[int, Iterator[SchemaViolation]]]:
        waiting = iter(list(self._suspects))
        while chunk := list(islice(waiting, TABLES_AT_ONCE)):
            self._go_on()
            nodes = self._rows.nodes(chunk)
            tables = [(table_id, node) for table_id in chunk for node in nodes.get(table_id, ())]
            for table_id, node, entries in self._tables(tables):
                yield table_id, self._violations(table_id, node, entries)

    def _violations(
        self, table_id: int, node: Node, entries: Iterable[Pair]
    ) -> Iterator[SchemaViolation]:
        schema, position = node
        path: str | None = None
        present: set[object] = set()
        keys = self._suspects.get(table_id)
        for key_kind, key, kind, native in entries:
            label = lua_value(key_kind, key)
            present.add(label)
            if keys is not None and (key_kind, key) not in keys:
                continue
            value = lua_value(kind, native)
            expected = self._wrong(schema, position, label, value)
            if expected is not None:
                path = path or self._rows.path_of(table_id, node)
                yield SchemaViolation(path + key_text(label), expected, value_text(value))
        for one in schema.shape.types[position].fields:
            if one.name not in present:
                expected = self._checker.wrong(one.type, None)
                if expected is not None:
                    path = path or self._rows.path_of(table_id, node)
                    yield SchemaViolation(path + key_text(one.name), expected, "nil")

    def refuse_violations(self) -> None:
        """Raises `SchemaViolationError` if anything is wrong."""
        self.settle()
        self._ref_tables = {}
        violations: list[SchemaViolation] = []
        for _, found in self._look_again():
            for violation in found:
                if len(violations) == VIOLATIONS_MAX:
                    raise SchemaViolationError(violations, more=True)
                if violation not in violations:
                    violations.append(violation)
        self._suspects = {}
        if violations:
            raise SchemaViolationError(violations)

    def forget_refs(self) -> None:
        """Paths may lead elsewhere by now."""
        self._ref_tables = {}

    def check_whole(self, schema: StoredSchema) -> None:
        """Looks at all rows of a schema's table; `refuse_violations` tells what was found."""
        if schema.table_id is not None:
            self._adopt([(schema.table_id, (schema, ROWS))])
