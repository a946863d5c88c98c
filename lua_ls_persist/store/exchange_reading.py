"""The lines of an export, read one after another into a store. `docs/store.md` tells them."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import TYPE_CHECKING, Final, cast

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.protocol import MEMORY_TABLE_ID
from lua_ls_persist.schema import definition_of, type_of
from lua_ls_persist.store.jsonlines import (
    INTEGER_MAX,
    Json,
    from_json,
    identity,
    text_from_json,
)
from lua_ls_persist.store.roots import MEMORY
from lua_ls_persist.store.rows import FLOAT, NIL, Entry, Native, NewCode
from lua_ls_persist.store.versions import PathKey

if TYPE_CHECKING:
    from lua_ls_persist.store.exchange import Exchange

EXPORT_VERSION: Final = 1
ROWS_AT_ONCE: Final = 5_000

COUNTED: Final = ("codes", "cells", "functions", "tables", "entries")
"""What the last line counts."""


class LineReader:
    """Takes the lines of an import, one after another."""

    def __init__(self, store: Exchange) -> None:
        self._store = store
        self._entries: list[Entry] = []
        self._tables: list[tuple[int]] = []
        self._metatables: list[tuple[int | None, int]] = []
        self._cells: list[tuple[int, int, Native]] = []
        self._counts = dict.fromkeys(COUNTED, 0)
        self._begun = False
        self.ended = False

    def take(self, line: str) -> None:
        """Imports one line; any of several exceptions if it makes no sense."""
        item = json.loads(line)
        if not isinstance(item, dict):
            raise ValueError("it is no JSON object")
        if self.ended:
            raise ValueError("there is something behind the last line")
        if len(self._entries) + len(self._tables) + len(self._cells) >= ROWS_AT_ONCE:
            self._write()
        if not self._begun:
            self._begin(item)
        elif "in" in item:
            self._entry(item)
        elif "table" in item:
            self._table(item)
        elif "cell" in item:
            self._counts["cells"] += 1
            self._cells.append((identity(item["cell"]), *from_json(item["value"])))
        elif "code" in item and "bytecode" in item:
            self._code(item)
        elif "function" in item:
            self._counts["functions"] += 1
            self._store.define_function(
                identity(item["function"]),
                identity(item["code"]),
                [identity(cell) for cell in item["cells"]],
            )
        elif "index" in item:
            self._index(item)
        elif "schema" in item:
            self._schema(item)
        elif "migrated" in item:
            self._versions(item)
        elif "end" in item:
            self._end(item)
        else:
            raise ValueError("it is of no known sort")

    def _begin(self, item: dict[str, Json]) -> None:
        version = item.get("lua-ls-persist")
        if version is None:
            raise ValueError("it does not begin an export of lua-ls-persist")
        if version != EXPORT_VERSION:
            raise ValueError(f"it is an export of version {version!r}; {EXPORT_VERSION} is known")
        self._begun = True

    def _entry(self, item: dict[str, Json]) -> None:
        key_kind, key = from_json(item["key"])
        kind, value = from_json(item["value"])
        if NIL in (kind, key_kind):
            raise ValueError("neither a key nor a value is nil")
        if key_kind == FLOAT and (isinstance(key, int) or _is_integer(key)):
            raise ValueError("a key is no NaN, and a float with an integer's value is an integer")
        self._counts["entries"] += 1
        self._entries.append((identity(item["in"]), key_kind, key, kind, value))

    def _write(self) -> None:
        self._store.apply(self._entries, (), self._tables, self._metatables, self._cells)
        for rows in (self._entries, self._tables, self._metatables, self._cells):
            rows.clear()

    def _table(self, item: dict[str, Json]) -> None:
        table_id = identity(item["table"])
        self._counts["tables"] += 1
        self._tables.append((table_id,))
        if "metatable" in item:
            self._metatables.append((identity(item["metatable"]), table_id))
        name = item.get("root")
        if (name == MEMORY) != (table_id == MEMORY_TABLE_ID):
            raise ValueError(f"{MEMORY} is always table {MEMORY_TABLE_ID}")
        if name is not None and name != MEMORY:
            if not isinstance(name, str):
                raise ValueError("the name of a root is a string")
            self._store.name_root(name, table_id)

    def _code(self, item: dict[str, Json]) -> None:
        self._counts["codes"] += 1
        line_defined, last_line = item["lines"]
        text = item["text"]
        try:
            bytecode = base64.b64decode(item["bytecode"], validate=True)
        except binascii.Error as error:
            raise ValueError(f"the bytecode is not base64: {error}") from error
        code = NewCode(
            bytecode=bytecode,
            chunk=str(item["chunk"]),
            text=None if text is None else text_from_json(text),
            ordinal=int(item["ordinal"]),
            line_defined=int(line_defined),
            last_line=int(last_line),
            parameters=tuple(map(str, item["parameters"])),
            is_vararg=bool(item["is_vararg"]),
            upvalues=tuple(map(str, item["upvalues"])),
        )
        self._store.insert_code(identity(item["code"]), code, bytes.fromhex(item["signature"]))

    def _index(self, item: dict[str, Json]) -> None:
        """One of the last lines: what it is of has been read."""
        self._write()
        name, *keys = item["index"]
        if not isinstance(name, str):
            raise ValueError("the name of a root is a string")
        self._store.define_index(
            name,
            [from_json(key) for key in keys],
            item["fields"],
            kind=item["kind"],
            unique=bool(item["unique"]),
            each=bool(item["each"]),
            missing_ok=True,
        )

    def _schema(self, item: dict[str, Json]) -> None:
        """One of the last lines; whoever imports checks what is there (schemas.py)."""
        keys = item["schema"]
        if not isinstance(keys, list) or not keys or not isinstance(keys[0], str):
            raise ValueError("a schema has a path, from the name of a root on")
        try:
            definition = definition_of(type_of(item["definition"]))
        except SchemaError as error:
            raise ValueError(str(error)) from error
        self._store.insert_schema(json.dumps(keys), json.dumps(definition, ensure_ascii=False))

    def _versions(self, item: dict[str, Json]) -> None:
        keys, versions = item["migrated"], item["versions"]
        if not isinstance(keys, list) or not keys or not isinstance(keys[0], str):
            raise ValueError("what was migrated has a path, from the name of a root on")
        if not isinstance(versions, list):
            raise ValueError("versions are a list")
        for version in versions:
            self._store.add_version(cast("list[PathKey]", keys), identity(version))

    def _end(self, item: dict[str, Json]) -> None:
        self._write()
        if item["end"] != self._counts:
            raise ValueError(f"{item['end']} were exported, but {self._counts} are here")
        self.ended = True


def _is_integer(key: Native) -> bool:
    assert isinstance(key, float)
    return math.isfinite(key) and key.is_integer() and -INTEGER_MAX - 1 <= key <= INTEGER_MAX
