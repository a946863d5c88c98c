"""How large the file is, whether it is sound, and giving space back to the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, cast

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.model import StoreSizes
from lua_ls_persist.store.migrations import MIGRATIONS
from lua_ls_persist.store.places import Places
from lua_ls_persist.store.rows import Native

PROBLEMS_MAX: Final = 100
"""No more problems of one sort are told."""

_SQL_SIZES = """
    SELECT
        (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size),
        (SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size),
        (SELECT count(*) FROM tables),
        (SELECT count(*) FROM entries),
        (SELECT count(*) FROM long_strings),
        (SELECT count(*) FROM functions),
        (SELECT count(*) FROM cells),
        (SELECT count(*) FROM code),
        (SELECT count(*) FROM images),
        (SELECT coalesce(sum(length(content)), 0) FROM image_pieces)
    """

_SENSELESS: Final = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What a check raises that reads something which makes no sense."""

_SQL_TEXT_COLUMNS = """
    SELECT tables.name, columns.name
    FROM pragma_table_list AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.schema = 'main' AND tables.strict AND columns.type IN ('TEXT', 'ANY')
    """

_SQL_DEFINED = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"

# What must not be there: a message, and a query that gives what to fill into it.
_CHECKS: Final[tuple[tuple[str, str], ...]] = (
    (
        "the root Memory is missing",
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM roots WHERE name = 'Memory' AND table_id = 1)",
    ),
    (
        "the counter {} is missing",
        """
        SELECT column1 FROM (VALUES ('next_id'), ('commits'), ('collections'), ('followed'))
        WHERE column1 NOT IN (SELECT name FROM counters)
        """,
    ),
    (
        "the definition of index {} makes no sense",
        """
        SELECT id FROM indexes WHERE kind NOT IN ('btree', 'hash', 'text')
            OR NOT json_valid(path) OR NOT json_valid(fields)
        """,
    ),
    (
        "the definition of the schema of {} is no JSON",
        "SELECT path FROM schemas WHERE NOT json_valid(definition) OR NOT json_valid(path)",
    ),
    (
        "root {!r} is table {}, which is missing",
        "SELECT name, table_id FROM roots WHERE table_id NOT IN (SELECT id FROM tables)",
    ),
    (
        "table {} is missing, but has entries",
        """
        SELECT DISTINCT table_id FROM entries WHERE table_id NOT IN (SELECT id FROM tables)
        """,
    ),
    (
        "table {} has metatable {}, which is missing",
        """
        SELECT id, metatable FROM tables
        WHERE metatable IS NOT NULL AND metatable NOT IN (SELECT id FROM tables)
        """,
    ),
    (
        "in table {}, the entry {!r} is of kind {}, but its value is a SQLite {}",
        """
        SELECT table_id, key, kind, typeof(value) FROM entries WHERE NOT CASE kind
            WHEN 1 THEN value IS 0 OR value IS 1
            WHEN 3 THEN typeof(value) IN ('real', 'integer')
            WHEN 4 THEN typeof(value) IN ('text', 'blob')
            WHEN 6 THEN typeof(value) = 'text'
            WHEN 21 THEN typeof(value) = 'blob'
            ELSE kind IN (2, 5, 7, 20) AND typeof(value) = 'integer' END
        """,
    ),
    (
        "in table {}, the key {!r} is of kind {}, but it is a SQLite {}",
        """
        SELECT table_id, key, key_kind, typeof(key) FROM entries WHERE NOT CASE key_kind
            WHEN 1 THEN key IS 0 OR key IS 1
            WHEN 3 THEN typeof(key) = 'real'
            WHEN 4 THEN typeof(key) IN ('text', 'blob')
            WHEN 6 THEN typeof(key) = 'text'
            ELSE key_kind IN (2, 5, 7) AND typeof(key) = 'integer' END
        """,
    ),
    (
        "in table {}, the entry {!r} refers to table {}, which is missing",
        """
        SELECT table_id, key, value FROM entries
        WHERE kind = 7 AND value NOT IN (SELECT id FROM tables)
        """,
    ),
    (
        "in table {}, the entry {!r} refers to function {}, which is missing",
        """
        SELECT table_id, key, value FROM entries
        WHERE kind = 5 AND value NOT IN (SELECT id FROM functions)
        """,
    ),
    (
        "in table {}, the entry {!r} refers to long string {}, which is missing",
        """
        SELECT table_id, key, value FROM entries
        WHERE kind = 20 AND value NOT IN (SELECT id FROM long_strings)
        """,
    ),
    (
        "in table {}, table {} is a key, but it is missing",
        """
        SELECT table_id, key FROM entries
        WHERE key_kind = 7 AND key NOT IN (SELECT id FROM tables)
        """,
    ),
    (
        "in table {}, function {} is a key, but it is missing",
        """
        SELECT table_id, key FROM entries
        WHERE key_kind = 5 AND key NOT IN (SELECT id FROM functions)
        """,
    ),
    (
        "cell {} is of kind {}, but its value is a SQLite {}",
        """
        SELECT id, kind, typeof(value) FROM cells WHERE NOT CASE kind
            WHEN 0 THEN value IS NULL
            WHEN 1 THEN value IS 0 OR value IS 1
            WHEN 3 THEN typeof(value) IN ('real', 'integer')
            WHEN 4 THEN typeof(value) IN ('text', 'blob')
            WHEN 6 THEN typeof(value) = 'text'
            ELSE kind IN (2, 5, 7, 20) AND typeof(value) = 'integer' END
        """,
    ),
    (
        "cell {} refers to {} (kind {}), which is missing",
        """
        SELECT id, value, kind FROM cells WHERE CASE kind
            WHEN 5 THEN value NOT IN (SELECT id FROM functions)
            WHEN 7 THEN value NOT IN (SELECT id FROM tables)
            WHEN 20 THEN value NOT IN (SELECT id FROM long_strings)
            ELSE 0 END
        """,
    ),
    (
        "function {} has code {}, which is missing",
        "SELECT id, code_id FROM functions WHERE code_id NOT IN (SELECT id FROM code)",
    ),
    (
        "function {} has cell {}, which is missing",
        """
        SELECT function_id, cell_id FROM function_cells
        WHERE cell_id NOT IN (SELECT id FROM cells)
        """,
    ),
    (
        "function {} is missing, but has cells",
        """
        SELECT DISTINCT function_id FROM function_cells
        WHERE function_id NOT IN (SELECT id FROM functions)
        """,
    ),
    (
        "code {} has source {}, which is missing",
        "SELECT id, source_id FROM code WHERE source_id NOT IN (SELECT id FROM sources)",
    ),
    (
        "the id {} is in use twice",
        """
        SELECT id FROM (
            SELECT id FROM tables UNION ALL SELECT id FROM functions UNION ALL SELECT id FROM cells)
        GROUP BY id HAVING count(*) > 1
        """,
    ),
    (
        "the id {} is in use, but ids from {} on are still to be given out",
        """
        SELECT id, counters.value FROM counters, (
            SELECT max(id) AS id FROM (SELECT max(id) AS id FROM tables
                UNION ALL SELECT max(id) FROM functions UNION ALL SELECT max(id) FROM cells))
        WHERE name = 'next_id' AND id >= counters.value
        """,
    ),
    (
        "long string {} belongs to nothing",
        """
        SELECT id FROM long_strings WHERE id NOT IN (
            SELECT value FROM entries WHERE kind = 20 UNION ALL
            SELECT value FROM cells WHERE kind = 20 UNION ALL
            SELECT value FROM history_changes WHERE kind = 20)
        """,
    ),
    (
        "long string {} belongs to {}, but something else refers to it",
        """
        SELECT long_strings.id, owner FROM long_strings
        JOIN entries ON kind = 20 AND value = long_strings.id AND table_id <> owner
        """,
    ),
    (
        "evaluation {} of the history changed {}, which is missing",
        """
        SELECT evaluation, value FROM history_changes
        WHERE (kind = 7 AND value NOT IN (SELECT id FROM tables))
            OR (kind = 5 AND value NOT IN (SELECT id FROM functions))
            OR (kind = 20 AND value NOT IN (SELECT id FROM long_strings))
        """,
    ),
    (
        "evaluation {} of the history is missing, but has changes",
        """
        SELECT DISTINCT evaluation FROM history_changes
        WHERE evaluation NOT IN (SELECT id FROM history)
            AND evaluation <= (SELECT value FROM counters WHERE name = 'commits')
        """,
    ),
    (
        "image {} misses a part of its content",
        """
        SELECT id FROM images WHERE content_bytes <> (
            SELECT coalesce(sum(content_bytes), 0) FROM image_pieces WHERE image_id = images.id)
        """,
    ),
)


class Upkeep(Places):
    """Looks after the file."""

    def sizes(self) -> StoreSizes:
        """How large the store is, and what is in it."""
        with self._reading:
            row = self._cursor.execute(_SQL_SIZES).get
        return StoreSizes(*cast("tuple[int, ...]", row))

    def vacuum(self) -> int:
        """Writes the file anew without free space; how many bytes it has become smaller.

        Not in a transaction. It takes as much free space on the disk as the file has, and the time
        to write it.

        Raises:
            StoreError: another session is writing, or the disk is full.
        """
        assert not self.in_transaction
        self._check_writable()
        before = self.sizes().file_bytes
        with self._reading:
            self._connection.execute("VACUUM")
            self.checkpoint()
        return before - self.sizes().file_bytes

    def checkpoint(self) -> None:
        """Moves what is in the write-ahead log into the file, as far as nobody reads from it."""
        # Busy: somebody reads or writes at this moment, and it happens later by itself.
        with self._reading, suppress(apsw.BusyError):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def integrity(self) -> list[str]:
        """What is wrong with the file, one sentence each; an empty list if nothing is.

        What SQLite checks, what refers to what, the indexes, and the signatures. Reads everything.
        """
        problems: list[str] = []
        try:
            with self._reading:
                rows = self._connection.execute("PRAGMA integrity_check")
                problems.extend(str(row[0]) for row in rows if row[0] != "ok")
        except StoreError as error:
            if not isinstance(error.__cause__, apsw.CorruptError):
                raise
            problems.append(str(error.__cause__))
        if problems:
            return problems  # the other checks would only repeat it
        # Each of these relies on what those before it have looked at.
        for checks in (
            (self._wrong_definitions,),
            (self._wrong_texts,),
            (self._wrong_references, self._wrong_strings),
            (self._wrong_indexes, self._wrong_code),
        ):
            for check in checks:
                problems += self._tried(check)
            if problems:
                break
        return problems

    def _tried(self, check: Callable[[], list[str]]) -> list[str]:
        """What a check finds; where it fails for what it reads, that is what it has found."""
        try:
            return check()
        except StoreError as error:
            self._go_on()
            return [str(error.__cause__ or error)]
        except _SENSELESS as error:
            return [f"something makes no sense: {error!r}"]

    def _wrong_texts(self) -> list[str]:
        """Texts that are not UTF-8: SQLite takes any bytes, and readers would fail."""
        with self._reading:
            columns = self._connection.execute(_SQL_TEXT_COLUMNS).fetchall()
            return [
                f"in {table}.{column}, a text is not UTF-8: {content[:40]!r}"
                for table, column in cast("list[tuple[str, str]]", columns)
                for content in self._not_utf8(table, column)
            ]

    def _not_utf8(self, table: str, column: str) -> Iterator[bytes]:
        found = 0
        # Most texts are ASCII, which SQLite tells faster.
        rows = self._connection.execute(
            f"SELECT CAST({column} AS BLOB) FROM {table} "  # noqa: S608
            f"WHERE typeof({column}) = 'text' AND {column} GLOB ?",
            ("*[^\x01-\x7f]*",),
        )
        for (content,) in cast("Iterable[tuple[bytes]]", rows):
            try:
                content.decode()
            except UnicodeDecodeError:
                found += 1
                yield content
            if found == PROBLEMS_MAX:
                return

    def _wrong_code(self) -> list[str]:
        """Code that was altered."""
        return [
            f"code {code_id} is damaged, or was not signed by you"
            for code_id in self.unsigned_codes()
        ] + [
            f"code {code_id} has another content than its hash says"
            for code_id in self._with_wrong_hash()
        ]

    def _wrong_definitions(self) -> list[str]:
        """Tables, indexes and views of ours that are not as this package makes them."""
        expected = apsw.Connection(":memory:")
        for statements in MIGRATIONS:
            for statement in statements:
                expected.execute(statement)
        with self._reading:
            found = dict(cast("Iterable[tuple[str, str]]", self._connection.execute(_SQL_DEFINED)))
        return [
            f"the definition of {name} is not the one of this format"
            if name in found
            else f"{name} is missing"
            for name, statement in cast("Iterable[tuple[str, str]]", expected.execute(_SQL_DEFINED))
            if found.get(name) != statement
        ]

    def _wrong_references(self) -> list[str]:
        """What refers to something that is not there, or is no value."""
        with self._reading:
            return [problem for check in _CHECKS for problem in self._found(*check)]

    def _wrong_strings(self) -> list[str]:
        """Compressed strings that cannot be read, and dictionaries."""
        problems = [f"dictionary {number} is damaged" for number in self.damaged_dictionaries()]
        for string in self.unreadable_strings():
            if len(problems) > PROBLEMS_MAX:
                problems.append("... and more of these")
                break
            what = (
                f"the compressed long string {string.long_id} of {string.owner}"
                if string.long_id
                else f"in table {string.owner}, the compressed string {string.key!r}"
            )
            problems.append(f"{what} cannot be read: {string.why}")
        return problems

    def _found(self, message: str, query: str) -> list[str]:
        """The problems of one sort."""
        rows = self._connection.execute(query)
        problems: list[str] = []
        for row in cast("Iterable[tuple[Native, ...]]", rows):
            if len(problems) == PROBLEMS_MAX:
                problems.append("... and more of these")
                break
            problems.append(message.format(*row))
        return problems

    def _with_wrong_hash(self) -> list[int]:
        with self._reading:
            rows = self._connection.execute("SELECT id, bytecode_hash FROM code").fetchall()
        found: list[int] = []
        for code_id, bytecode_hash in cast("list[tuple[int, bytes]]", rows):
            row = self._read_code(code_id)
            if row is not None and hashlib.sha256(row.bytecode).digest() != bytecode_hash:
                found.append(code_id)
        return found
