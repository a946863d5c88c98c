"""What the prelude asks of the host about schemas, and how the VM hears what tables are to be.

A table's node is a number: a schema's own, and behind it the position in its shape. It goes to the
VM above the id of the table's metatable, so nothing has to be asked for most tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from lua_ls_persist.errors import SessionError, WireError
from lua_ls_persist.paths import Key, keys_of, path_text
from lua_ls_persist.schema import (
    annotations_of,
    class_name_of,
    definition_of,
    type_from_annotations,
    type_of,
)
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Stored, Tree
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import TABLE
from lua_ls_persist.store.schema_rows import lua_value

METATABLE_BITS: Final = 40
POSITION_BITS: Final = 12
ASK: Final = 1
"""What is expected of the table is too much for a number: the VM asks when it matters."""

_Arguments = Mapping[Any, Tree]


def node_marks(store: Store, table_ids: Iterable[int]) -> dict[int, int]:
    """What is expected of tables, as it is put above the ids of their metatables."""
    if not store.has_schemas:
        return {}
    marks = {}
    for table_id, nodes in store.schema_nodes(table_ids).items():
        schema, position = nodes[0]
        number = ASK
        if len(nodes) == 1 and position >= 0:
            number = schema.id << POSITION_BITS | position
        marks[table_id] = number << METATABLE_BITS
    return marks


def _has_schemas(services: DataServices, _arguments: _Arguments) -> Tree:
    return services.store.has_schemas


def _nodes(services: DataServices, arguments: _Arguments) -> Tree:
    """What is expected of a table; with paths, if they are wanted."""
    table_id = _table_id(arguments.get("table"))
    nodes = services.store.schema_nodes([table_id]).get(table_id, [])
    with_paths = arguments.get("paths") is True
    return [
        {
            "schema": schema.id,
            "at": position,
            "path": services.store.schema_path(table_id, (schema, position)) if with_paths else "",
        }
        for schema, position in nodes
    ]


def _shape(services: DataServices, arguments: _Arguments) -> Tree:
    """A schema's types by position, and the keys of its table behind the root's name."""
    number = arguments.get("id")
    for schema in services.store.schemas():
        if schema.id == number:
            return {
                "path": schema.path,
                "keys": list(schema.keys[1:]),
                "types": cast("Tree", schema.shape.tree()),
            }
    raise WireError(f"there is no schema {number}")


def _refers(services: DataServices, arguments: _Arguments) -> Tree:
    path, value = arguments.get("path"), arguments.get("value")
    if not isinstance(path, str):
        raise WireError("a reference has a path")
    return services.store.schema_refers(path, _plain(value))


def _schema(services: DataServices, arguments: _Arguments) -> Tree:
    """The definition of a table's schema."""
    found = services.store.schema(_keys(services, arguments))
    return None if found is None else cast("Tree", definition_of(found.row))


def _set_schema(services: DataServices, arguments: _Arguments) -> Tree:
    keys = _keys(services, arguments)
    definition = arguments.get("definition")
    if definition is False:
        return services.store.drop_schema(keys)
    services.store.set_schema(keys, type_of(_plain(definition)))
    return True


def _schemas(services: DataServices, _arguments: _Arguments) -> Tree:
    """All definitions, by the paths of their tables."""
    return {one.path: cast("Tree", definition_of(one.row)) for one in services.store.schemas()}


def _check_schemas(services: DataServices, arguments: _Arguments) -> Tree:
    table = arguments.get("table")
    found = services.store.check_schemas(None if table is None else _keys(services, arguments))
    return [{"path": one.path, "expected": one.expected, "got": one.got} for one in found]


def _annotations(services: DataServices, arguments: _Arguments) -> Tree:
    keys = _keys(services, arguments)
    found = services.store.schema(keys)
    return None if found is None else annotations_of(found.row, class_name_of(keys))


def _set_annotations(services: DataServices, arguments: _Arguments) -> Tree:
    """Sets a schema from a text; the name of the class that was taken."""
    text, wanted = arguments.get("text"), arguments.get("class")
    if not isinstance(text, str) or not isinstance(wanted, (str, type(None))):
        raise SessionError("annotations are text of UTF-8")
    name, row = type_from_annotations(text, wanted)
    services.store.set_schema(_keys(services, arguments), row)
    return name


def _derive_schema(services: DataServices, arguments: _Arguments) -> Tree:
    keys = _keys(services, arguments)
    found = services.store.derive_schema(keys, on_progress=services.go_on)
    if found is None:
        raise SessionError(services.store.no_table(path_text(keys)))
    return cast("Tree", definition_of(found))


def _keys(services: DataServices, arguments: _Arguments) -> list[Key]:
    """Of the table that is meant, by its path or itself."""
    table = arguments.get("table")
    if isinstance(table, str):
        return keys_of(table)
    path = services.store.path_of(_table_id(table))
    if path is None:
        raise SessionError("no named table leads to this table, so it can have no schema")
    try:
        return keys_of(path)
    except SessionError:
        raise SessionError(f"the table {path} can have no schema: there is no plain way") from None


def _table_id(table: Tree) -> int:
    if not isinstance(table, Stored) or table.kind != TABLE:
        raise WireError("no table is given")
    return cast("int", table.native)


def _plain(tree: Tree) -> object:
    """A tree as schemas know values."""
    if isinstance(tree, Stored):
        return lua_value(tree.kind, tree.native)
    if isinstance(tree, Mapping):
        return {_plain(key): _plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_plain(value) for value in tree]
    return tree


OPERATIONS: Final = {
    "has_schemas": DataOperation(_has_schemas),
    "schema_nodes": DataOperation(_nodes),
    "schema_shape": DataOperation(_shape),
    "schema_refers": DataOperation(_refers),
    "schema": DataOperation(_schema),
    "set_schema": DataOperation(_set_schema, changes=True),
    "derive_schema": DataOperation(_derive_schema),
    "schemas": DataOperation(_schemas),
    "check_schemas": DataOperation(_check_schemas),
    "schema_annotations": DataOperation(_annotations),
    "set_schema_annotations": DataOperation(_set_annotations, changes=True),
}
