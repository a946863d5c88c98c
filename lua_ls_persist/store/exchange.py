"""Export and import as JSON Lines: every value with its exact type, one row a line.

`docs/store.md` tells the lines. Images are left out; they belong to one build of the core.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Final, TextIO, TypeAlias, cast

import apsw

from lua_ls_persist._version import __version__
from lua_ls_persist.errors import QueryError, StoreError
from lua_ls_persist.store.code import content_hash, sha256
from lua_ls_persist.store.exchange_reading import COUNTED, EXPORT_VERSION, LineReader
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.jsonlines import (
    Json,
    text_to_json,
    to_json,
)
from lua_ls_persist.store.roots import MEMORY
from lua_ls_persist.store.rows import Entry, Native, NewCode
from lua_ls_persist.store.views import Views
from lua_ls_persist.store.watching import Changes

LINES_BETWEEN_REPORTS: Final = 10_000

LineProgress: TypeAlias = Callable[[int], None]
"""Called now and then with how many lines are done."""

_SQL_TABLES = """
    SELECT id, metatable, name FROM tables LEFT JOIN roots ON table_id = id ORDER BY id
    """
_SQL_ENTRIES = """
    SELECT table_id, key_kind, key, kind, value FROM full_entries
    ORDER BY table_id, key_kind, key
    """
_SQL_FUNCTION_CELLS = """
    SELECT id, code_id, (
        SELECT json_group_array(cell_id) FROM (
            SELECT cell_id FROM function_cells WHERE function_id = id ORDER BY position))
    FROM functions ORDER BY id
    """
_SQL_SCHEMAS = "SELECT path, definition FROM schemas ORDER BY id"
_SQL_INSERT_SCHEMA = """
    INSERT INTO schemas (path, definition) VALUES (?, ?)
    ON CONFLICT (path) DO UPDATE SET definition = excluded.definition
    """
_SQL_SIGNATURE = "SELECT signature FROM code WHERE id = ?"
_SQL_IN_USE = """
    SELECT EXISTS (SELECT 1 FROM entries) OR EXISTS (SELECT 1 FROM functions)
        OR EXISTS (SELECT 1 FROM roots WHERE name <> 'Memory')
    """
_SQL_NEXT_ID = """
    UPDATE counters SET value = max(value, 1 + (SELECT max(id) FROM (
        SELECT max(id) AS id FROM tables UNION ALL SELECT max(id) FROM functions
        UNION ALL SELECT max(id) FROM cells)))
    WHERE name = 'next_id'
    """
_SENSELESS: Final = (
    ValueError,
    KeyError,
    TypeError,
    RecursionError,
    QueryError,
    apsw.ConstraintError,
)
"""What lines raise that make no sense."""


class Exchange(Views):
    """Writes and reads JSON Lines."""

    def export_lines(self, file: TextIO, *, on_progress: LineProgress | None = None) -> int:
        """Writes everything to a text file of UTF-8; how many lines. It is one snapshot."""
        if not self.in_transaction:
            with self.transaction(write=False):
                return self.export_lines(file, on_progress=on_progress)
        count = 0
        for line in self._lines():
            file.write(line)
            file.write("\n")
            count += 1
            if count % LINES_BETWEEN_REPORTS == 0:
                self._go_on()
                if on_progress is not None:
                    on_progress(count)
        return count

    def import_lines(self, lines: Iterable[str], *, on_progress: LineProgress | None = None) -> int:
        """Reads what `export_lines` wrote, such as an open text file; how many lines.

        All of it or nothing, and only into a store that has nothing yet: everything keeps its id.
        Functions that were not signed with this user's key are kept, and refused until they are
        compiled again.

        Raises:
            StoreError: the store has content, a line makes no sense (its number is named), or the
                end is missing.
        """
        if not self.in_transaction:
            with self.transaction():
                return self.import_lines(lines, on_progress=on_progress)
        with self._change():
            if self._cursor.execute(_SQL_IN_USE).get:
                raise StoreError(
                    f"{self._name} has content already. Import into a new file, or one whose "
                    f"{MEMORY} is empty and that has no other tables and functions."
                )
            reader = LineReader(self)
            number = 0
            for number, line in enumerate(_decoded(lines), 1):
                try:
                    reader.take(line)
                except _SENSELESS as error:
                    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    raise StoreError(
                        f"Line {number} of the import makes no sense: {reason}. Nothing was "
                        "imported."
                    ) from error
                if number % LINES_BETWEEN_REPORTS == 0:
                    self._go_on()
                    if on_progress is not None:
                        on_progress(number)
            if not reader.ended:
                raise StoreError(
                    f"The import ends after line {number} without its last line, so something is "
                    "missing. Nothing was imported."
                )
            self._cursor.execute(_SQL_NEXT_ID)
            problems = self._wrong_references()
            if problems:
                raise StoreError(
                    f"The import does not fit together: {problems[0]}. Nothing was imported."
                )
        return number

    # Writing

    def _lines(self) -> Iterator[str]:
        with self._reading:
            counts = dict.fromkeys(COUNTED, 0)
            yield _ascii(
                {
                    "lua-ls-persist": EXPORT_VERSION,
                    "made_by": __version__,
                    "made_utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                }
            )
            execute = self._connection.execute
            for row in execute("SELECT id FROM code ORDER BY id").fetchall():
                counts["codes"] += 1
                yield _ascii(self._code_line(cast("int", row[0])))
            for row in execute("SELECT id, kind, value FROM full_cells ORDER BY id"):
                cell_id, kind, value = cast("tuple[int, int, Native]", row)
                counts["cells"] += 1
                yield _line({"cell": cell_id, "value": to_json(kind, value)})
            for row in execute(_SQL_FUNCTION_CELLS):
                function_id, code_id, cells = cast("tuple[int, int, str]", row)
                counts["functions"] += 1
                yield _line({"function": function_id, "code": code_id, "cells": json.loads(cells)})
            for row in execute(_SQL_TABLES):
                table_id, metatable, root = cast("tuple[int, int | None, str | None]", row)
                counts["tables"] += 1
                facts: dict[str, Json] = {"table": table_id}
                if root is not None:
                    facts["root"] = root
                if metatable is not None:
                    facts["metatable"] = metatable
                yield _line(facts)
            for entry in cast("Iterable[Entry]", execute(_SQL_ENTRIES)):
                table_id, key_kind, key, kind, value = entry
                counts["entries"] += 1
                yield _line(
                    {"in": table_id, "key": to_json(key_kind, key), "value": to_json(kind, value)}
                )
            for index in self.indexes():
                yield _ascii(_index_line(index))
            for path, definition in execute(_SQL_SCHEMAS):
                keys, tree = json.loads(cast("str", path)), json.loads(cast("str", definition))
                yield _ascii({"schema": keys, "definition": tree})
            for way, versions in self.migrated():
                yield _ascii({"migrated": way, "versions": versions})
            yield _line({"end": counts})

    def _code_line(self, code_id: int) -> dict[str, Json]:
        code = self._read_code(code_id)
        assert code is not None
        signature = self._cursor.execute(_SQL_SIGNATURE, (code_id,)).get
        return {
            "code": code_id,
            "chunk": code.chunk,
            "text": None if code.text is None else text_to_json(code.text),
            "ordinal": code.ordinal,
            "lines": [code.line_defined, code.last_line],
            "parameters": code.parameters,
            "is_vararg": code.is_vararg,
            "upvalues": code.upvalues,
            "bytecode": base64.b64encode(code.bytecode).decode(),
            "signature": cast("bytes", signature).hex(),
        }

    # Reading

    def insert_code(self, code_id: int, code: NewCode, signature: bytes) -> None:
        """Puts code under this id, with the signature that it came with."""
        bytecode_hash = sha256(code.bytecode)
        code_hash = content_hash(code, bytecode_hash)
        known = self._cursor.execute("SELECT 1 FROM code WHERE hash = ?", (code_hash,)).get
        self._insert_code(
            code, None if known else code_hash, bytecode_hash, signature, code_id=code_id
        )

    def insert_schema(self, path: str, definition: str) -> None:
        """Writes the definition of a schema as an export has it."""
        with self._change(), self._watching(lambda: Changes(schemas=[path])):
            self._cursor.execute(_SQL_INSERT_SCHEMA, (path, definition))

    def name_root(self, name: str, table_id: int) -> None:
        """Gives a table a name."""
        with self._watching(lambda: Changes(roots=((name, table_id),))):
            self._cursor.execute(
                "INSERT INTO roots (name, table_id) VALUES (?, ?)", (name, table_id)
            )


def _decoded(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a file, which may be in another encoding than it was opened with."""
    number = 0
    try:
        for line in lines:
            number += 1
            yield line
    except UnicodeDecodeError as error:
        raise StoreError(
            f"Behind line {number} the import is not UTF-8 ({error.reason}): it is no text that "
            "`export` wrote. Nothing was imported."
        ) from error


def _index_line(index: Index) -> dict[str, Json]:
    return {
        "index": [index.root, *(to_json(*key) for key in index.keys)],
        "fields": [field.text for field in index.fields],
        "kind": index.kind,
        "unique": index.unique,
        "each": index.each,
    }


def _line(item: dict[str, Json]) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def _ascii(item: dict[str, Json]) -> str:
    """For lines with names that need not be whole characters."""
    return json.dumps(item, separators=(",", ":"))
