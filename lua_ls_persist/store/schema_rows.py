"""Schemas as rows: definitions by the path of their table, and which tables are inside of those.

Definitions are few and kept in memory; `schema_tables` has a row for each table that was put into a
row of a table with a schema, or is such a row: where it was put. A row there that does not fit the
entries any more means nothing, so nobody has to find those.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

import apsw

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.pretty import is_name, scalar_text
from lua_ls_persist.schema import (
    ROWS,
    LuaFunction,
    LuaTable,
    Permanent,
    Shape,
    Type,
    definition_of,
    key_text,
    type_of,
)
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Native,
    Pair,
    Value,
    as_native,
)

SCHEMAS_MAX: Final = 1000
"""The VM hears of a schema's number together with other things, in so many bits."""

SchemaKey: TypeAlias = "str | int | float | bool"
Node: TypeAlias = "tuple[StoredSchema, int]"
"""What a table is expected to be: a position in the shape of a schema; below 0: on the way to its
table, so many keys before it."""

_SQL_DEFINITIONS = "SELECT id, path, definition, table_id FROM schemas ORDER BY id"
_SQL_WRITE = """
    INSERT INTO schemas (id, path, definition, table_id) VALUES (?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE SET definition = excluded.definition, table_id = excluded.table_id
    """
_SQL_MOVE = "UPDATE schemas SET table_id = ? WHERE id = ?"
_SQL_DELETE = "DELETE FROM schemas WHERE id = ?"
_SQL_FORGET = "DELETE FROM schema_tables WHERE NOT EXISTS (SELECT 1 FROM schemas)"
_SQL_PUT = """
    INSERT OR IGNORE INTO schema_tables (table_id, parent_id, key_kind, key) VALUES (?, ?, ?, ?)
    """
# Only where the entry is still there.
_SQL_PLACES = """
    SELECT inner.table_id, inner.parent_id, inner.key_kind, inner.key FROM schema_tables AS inner
    JOIN entries ON entries.table_id = inner.parent_id
        AND entries.key_kind = inner.key_kind AND entries.key = inner.key
        AND entries.kind = 7 AND entries.value = inner.table_id
    WHERE inner.table_id IN (SELECT value FROM json_each(?))
    """
_SQL_ENTRIES = """
    SELECT table_id, key_kind, key, kind, value FROM full_entries
    WHERE table_id IN (SELECT value FROM json_each(?)) ORDER BY table_id, key_kind, key
    """
_SQL_PAGE = """
    SELECT key_kind, key, kind, value FROM full_entries
    WHERE table_id = ? AND (key_kind, key) > (?, ?) ORDER BY key_kind, key LIMIT 2000
    """
_SQL_KNOWN = "SELECT id FROM tables WHERE id IN (SELECT value FROM json_each(?))"
_SQL_ROOT = "SELECT table_id FROM roots WHERE name = ?"
_SQL_STEP = "SELECT kind, value FROM entries WHERE table_id = ? AND key_kind = ? AND key = ?"

Place: TypeAlias = tuple[int, int, int, Native]
"""(table's id, the id of what it is in, the key's kind, the key)"""


@dataclass(slots=True)
class StoredSchema:
    """A schema, and the table that has it at this moment."""

    id: int
    keys: tuple[SchemaKey, ...]
    row: Type
    table_id: int | None
    shape: Shape
    right_kinds: list[frozenset[int]]
    """By position, the kinds of values that are right, whatever else is to be known of them."""
    way: list[tuple[int, Value]] = field(default_factory=list)
    """The tables on the way to it, with the key in each of them that leads on."""

    @property
    def path(self) -> str:
        """As people write it: `users`, `Memory.app.users`."""
        return path_text(self.keys)


class SchemaRows:
    """Reads and writes those rows, on a connection in whatever transaction it is in."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.schemas: list[StoredSchema] = []
        self.senseless: dict[int, str] = {}
        """Definitions that somebody has spoiled, by number: why they make no sense."""
        self.by_table: dict[int, list[StoredSchema]] = {}
        self.by_step: dict[int, dict[Value, list[StoredSchema]]] = {}
        """By the tables on the ways to the schemas' tables."""

    def load(self) -> None:
        """Reads the definitions."""
        known = {schema.id: schema for schema in self.schemas}
        self.schemas = []
        self.senseless = {}
        for number, path, definition, table_id in self._connection.execute(_SQL_DEFINITIONS):
            try:
                keys = keys_from_json(cast("str", path))
                row = type_of(json.loads(cast("str", definition)))
            except (SchemaError, ValueError) as error:
                self.senseless[cast("int", number)] = str(error)
                continue
            same = known.get(cast("int", number))
            shape = same.shape if same is not None and same.row == row else Shape(row)
            self.schemas.append(
                StoredSchema(
                    cast("int", number),
                    keys,
                    row,
                    cast("int | None", table_id),
                    shape,
                    [_right_kinds(one) for one in shape.types],
                )
            )
        self._find_ways()

    def _find_ways(self) -> None:
        self.by_table = {}
        self.by_step = {}
        for schema in self.schemas:
            if schema.table_id is not None:
                self.by_table.setdefault(schema.table_id, []).append(schema)
            schema.way = self._way(schema.keys)[0]
            for table_id, key in schema.way:
                self.by_step.setdefault(table_id, {}).setdefault(key, []).append(schema)

    def _way(self, keys: Sequence[SchemaKey]) -> tuple[list[tuple[int, Value]], int | None]:
        """The tables on a way, with the keys that lead on; and the one at its end."""
        found = self._connection.execute(_SQL_ROOT, (keys[0],)).get
        way: list[tuple[int, Value]] = []
        at = cast("int | None", found)
        for key in keys[1:]:
            if at is None:
                return way, None
            native = native_of(key)
            way.append((at, native))
            step = self._connection.execute(_SQL_STEP, (at, *native)).fetchone()
            at = cast("int", step[1]) if step is not None and step[0] == TABLE else None
        return way, at

    def table_at(self, keys: Sequence[SchemaKey]) -> int | None:
        """The table that a path leads to."""
        return self._way(keys)[1]

    def follow(self, schema: StoredSchema) -> bool:
        """Whether its path leads to another table than before; then that is the one that has it."""
        table_id = self.table_at(schema.keys)
        moved = table_id != schema.table_id
        if moved:
            schema.table_id = table_id
            self._connection.execute(_SQL_MOVE, (table_id, schema.id))
        self._find_ways()
        return moved and table_id is not None

    def find(self, keys: Sequence[SchemaKey]) -> StoredSchema | None:
        """The schema of the table at a path."""
        wanted = path_json(keys)
        return next((one for one in self.schemas if path_json(one.keys) == wanted), None)

    def number_for(self, keys: Sequence[SchemaKey]) -> int:
        """The number of the schema at a path, or one that is free."""
        old = self.find(keys)
        if old is not None:
            return old.id
        if len(self.schemas) >= SCHEMAS_MAX:
            raise SchemaError(f"there are {SCHEMAS_MAX} schemas already, and no more are possible")
        used = {schema.id for schema in self.schemas} | self.senseless.keys()
        return next(number for number in range(1, SCHEMAS_MAX + 1) if number not in used)

    def write(self, number: int, keys: Sequence[SchemaKey], row: Type) -> StoredSchema:
        """The table at this path has this schema from now on. Nothing is checked."""
        self._connection.execute(
            _SQL_WRITE,
            (
                number,
                path_json(keys),
                json.dumps(definition_of(row), ensure_ascii=False),
                self.table_at(keys),
            ),
        )
        self.load()
        written = self.find(keys)
        assert written is not None
        return written

    def delete(self, number: int) -> None:
        """There is no such schema any more."""
        self._connection.execute(_SQL_DELETE, (number,))
        self._connection.execute(_SQL_FORGET)
        self.load()

    def put(self, places: Iterable[Place]) -> None:
        """These tables are inside of others that are expected to be something."""
        self._connection.executemany(_SQL_PUT, places)

    def entries(self, table_ids: Iterable[int]) -> Iterator[tuple[int, int, Native, int, Native]]:
        """(table's id, key's kind, key, kind, value), the entries of a table one after another."""
        rows = self._connection.execute(_SQL_ENTRIES, (json.dumps(list(table_ids)),))
        return cast("Iterator[tuple[int, int, Native, int, Native]]", rows)

    def known(self, table_ids: Iterable[int]) -> set[int]:
        """Those of the tables that are there."""
        rows = self._connection.execute(_SQL_KNOWN, (json.dumps(list(table_ids)),))
        return {cast("int", row[0]) for row in rows}

    def pages(self, table_id: int) -> Iterator[Pair]:
        """The entries of a table, of which there may be many; each page is read to its end."""
        after: tuple[int, Native] = (-1, None)
        while rows := self._connection.execute(_SQL_PAGE, (table_id, *after)).fetchall():
            yield from cast("list[Pair]", rows)
            after = cast("tuple[int, Native]", rows[-1][:2])

    # What tables are expected to be.

    def nodes(self, table_ids: Iterable[int]) -> dict[int, list[Node]]:
        """What each of these is expected to be; those of which nothing is expected are left out."""
        parents: dict[int, list[tuple[int, object]]] = {}
        waiting = set(table_ids)
        wanted = set(waiting)
        while waiting:
            rows = self._connection.execute(_SQL_PLACES, (json.dumps(list(waiting)),))
            found: set[int] = set()
            for table_id, parent_id, key_kind, key in cast("Iterable[Place]", rows):
                label = lua_value(key_kind, key)
                parents.setdefault(table_id, []).append((parent_id, label))
                found.add(parent_id)
            waiting = found - wanted
            wanted |= found
        nodes: dict[int, list[Node]] = {}
        for table_id in wanted:
            rows_of = self.by_table.get(table_id)
            if rows_of is not None:
                nodes[table_id] = [(schema, ROWS) for schema in rows_of]
        # Positions only grow on the way down, so this ends, also where tables are in each other.
        changed = bool(parents and nodes)
        while changed:
            changed = False
            for table_id, holders in parents.items():
                for parent_id, label in holders:
                    for schema, position in nodes.get(parent_id, ()):
                        child = schema.shape.child(position, label)
                        if not child or not schema.shape.opens(child):
                            continue
                        known = nodes.setdefault(table_id, [])
                        if all(one[0] is not schema or one[1] != child for one in known):
                            known.append((schema, child))
                            changed = True
        return nodes

    def path_of(self, table_id: int, node: Node) -> str:
        """The way from a root to a table that is expected to be this."""
        schema, position = node
        steps: list[str] = []
        while position > ROWS:
            place = self._place_of(table_id, node)
            if place is None:
                return f"{schema.path}[...]{''.join(reversed(steps))}"
            parent_id, label = place
            steps.append(key_text(label))
            table_id, position = parent_id, schema.shape.parents[position]
            node = (schema, position)
        return schema.path + "".join(reversed(steps))

    def _place_of(self, table_id: int, node: Node) -> tuple[int, object] | None:
        """What a table is in that is expected to be the parent of that, and where."""
        schema, position = node
        parent = schema.shape.parents[position]
        rows = self._connection.execute(_SQL_PLACES, (json.dumps([table_id]),))
        for _, parent_id, key_kind, key in cast("list[Place]", rows.fetchall()):
            label = lua_value(key_kind, key)
            if schema.shape.child(parent, label) != position:
                continue
            nodes = self.nodes([parent_id]).get(parent_id, ())
            if any(one[0] is schema and one[1] == parent for one in nodes):
                return parent_id, label
        return None

    def steps(self, table_id: int) -> list[Node]:
        """The schemas to whose tables the way goes through this one."""
        return [
            (schema, -(len(schema.keys) - 1 - depth))
            for schema in self.schemas
            for depth, (step, _) in enumerate(schema.way)
            if step == table_id
        ]


def path_json(keys: Sequence[SchemaKey]) -> str:
    """A path as the store keeps it."""
    return json.dumps(list(keys))


def keys_from_json(text: str) -> tuple[SchemaKey, ...]:
    """The other way round. Raises `ValueError` if it is no path."""
    path = json.loads(text)
    is_path = isinstance(path, list) and path and isinstance(path[0], str)
    if not is_path or not all(isinstance(key, (str, int, float, bool)) for key in path):
        raise ValueError("its path is no list of keys, from the name of a root on")
    return tuple(path)


_KINDS: Final[dict[str, frozenset[int]]] = {
    "string": frozenset({STRING}),
    "integer": frozenset({INTEGER}),
    "number": frozenset({INTEGER, FLOAT}),
    "boolean": frozenset({BOOLEAN}),
    "table": frozenset({TABLE, PERMANENT}),
    "function": frozenset({FUNCTION, PERMANENT}),
    "any": frozenset({BOOLEAN, INTEGER, FLOAT, STRING, FUNCTION, PERMANENT, TABLE}),
}


def _right_kinds(found: Type) -> frozenset[int]:
    kinds = _KINDS[found.kind]
    if found.enum or found.ref is not None:
        return frozenset()
    lengths = (found.length, found.min_length, found.max_length, found.pattern)
    if any(limit is not None for limit in lengths):
        kinds -= {STRING}
    if found.minimum is not None or found.maximum is not None:
        kinds -= {INTEGER, FLOAT}
    return kinds


def lua_value(kind: int, native: Native) -> object:
    """A stored value as checkers see it."""
    if kind in (STRING, INTEGER):
        return _text(native) if type(native) is bytes else native
    if kind == BOOLEAN:
        return bool(native)
    if kind == FLOAT:
        return math.nan if isinstance(native, int) else native
    if kind == TABLE:
        return LuaTable(cast("int", native))
    if kind == FUNCTION:
        return LuaFunction(cast("int", native))
    if kind == PERMANENT:
        return Permanent(cast("str", native))
    return None


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def native_of(key: object) -> Value:
    """A key, or another scalar, as it is stored."""
    if isinstance(key, bool):
        return BOOLEAN, int(key)
    if isinstance(key, int):
        return INTEGER, key
    if isinstance(key, float):
        # Lua takes floats that are integers for those, as keys.
        if key.is_integer() and -(2**63) <= key < 2**63:
            return INTEGER, int(key)
        return FLOAT, key
    content = key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
    assert isinstance(content, bytes)
    return STRING, as_native(content)


def path_text(keys: Sequence[SchemaKey]) -> str:
    """`users`, `Memory.users[3]`, `ext.table("a name").x`."""
    name = str(keys[0])
    root = name if is_name(name) else f"ext.table({scalar_text(name)})"
    return root + "".join(key_text(key) for key in keys[1:])
