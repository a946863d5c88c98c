"""Views for people: each named table as rows and columns, in any SQLite tool.

The view of the root `users` is `root_users`. A row of it is an entry; where the entry's value is a
table itself, the fields of that are columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, cast

from lua_ls_persist.store.rows import STRING, TABLE
from lua_ls_persist.store.upkeep import Upkeep

PREFIX: Final = "root_"
"""No table of ours begins so, whatever a root is called."""

ROWS_LOOKED_AT_MAX: Final = 1_000
FIELDS_LOOKED_AT_MAX: Final = 20_000
BYTES_LOOKED_AT_MAX: Final = 4 * 1024 * 1024
"""Fields are looked for in a root's first entries, up to these limits."""

COLUMNS_MAX: Final = 100
NAME_LENGTH_MAX: Final = 100
"""A longer key is hardly the name of a field."""

_SQL_VIEWS = """
    SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name LIKE 'root\\_%' ESCAPE '\\'
    """


class Views(Upkeep):
    """Makes the views."""

    def refresh_views(self) -> bool:
        """Brings the views up to date. False: another session is writing; nothing was done.

        Not in a transaction. Does not change `state`. Which columns a view has is decided by the
        rows that there are now; its content is always that of the table.
        """
        assert not self.in_transaction
        with self.transaction(write=False):
            wanted = self._wanted_views()
            present = self._present_views()
        if wanted == present:
            return True
        if not self._begin_at_once():
            return False
        try:
            with self._written():
                present = self._present_views()
                for name in present.keys() - wanted.keys():
                    self._cursor.execute(f"DROP VIEW {quoted_name(name)}")
                for name, statement in wanted.items():
                    if present.get(name) != statement:
                        self._cursor.execute(f"DROP VIEW IF EXISTS {quoted_name(name)}")
                        self._cursor.execute(statement)
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return True

    def _present_views(self) -> dict[str, str]:
        with self._reading:
            return dict(cast("Iterable[tuple[str, str]]", self._cursor.execute(_SQL_VIEWS)))

    def _wanted_views(self) -> dict[str, str]:
        """The views that there should be: their names, and the statements that make them."""
        with self._reading:
            rows = self._cursor.execute("SELECT name, table_id FROM roots ORDER BY table_id")
            roots = cast("list[tuple[str, int]]", rows.fetchall())
        names: dict[str, int] = {}
        taken: set[str] = set()
        for root, table_id in roots:
            if "\0" not in root:  # SQL ends there
                names[_distinct(PREFIX + root, taken)] = table_id
        return {
            name: _view_statement(name, table_id, self._fields(table_id))
            for name, table_id in names.items()
        }

    def _fields(self, table_id: int) -> list[str]:
        """The names of the fields of a table's rows, the most frequent first."""
        page = self.page(table_id, None, ROWS_LOOKED_AT_MAX, BYTES_LOOKED_AT_MAX)
        records = self.nested(
            [cast("int", value) for _, _, kind, value in page.rows if kind == TABLE],
            entries_max=FIELDS_LOOKED_AT_MAX,
            bytes_max=BYTES_LOOKED_AT_MAX,
        )
        counts = Counter(
            key
            for record in records.values()
            for key_kind, key, _, _ in record.rows
            if key_kind == STRING and isinstance(key, str) and len(key) <= NAME_LENGTH_MAX
        )
        by_frequency = sorted(counts, key=lambda field: (-counts[field], field))
        return by_frequency[:COLUMNS_MAX]


def quoted_name(name: str) -> str:
    """An identifier for SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _view_statement(name: str, table_id: int, fields: list[str]) -> str:
    """The statement that makes a view; only quoted names and a number are put into it."""
    taken: set[str] = set()
    columns = [
        f"row.key AS {quoted_name(_distinct('key', taken))}",
        f"{_shown('row')} AS {quoted_name(_distinct('value', taken))}",
    ]
    columns += [
        f"(SELECT {_shown('field')} FROM full_entries AS field WHERE row.kind = 7"  # noqa: S608
        f" AND field.table_id = row.value AND field.key_kind = 4"
        f" AND field.key = {_quoted_text(field)}) AS {quoted_name(_distinct(field, taken))}"
        for field in fields
    ]
    selected = ",\n    ".join(columns)
    return (
        f"CREATE VIEW {quoted_name(name)} AS SELECT\n    {selected}\n"
        f"FROM full_entries AS row WHERE row.table_id = {table_id}"
    )


def _shown(entry: str) -> str:
    """An expression for an entry's value as a person wants to see it."""
    return (
        f"CASE {entry}.kind WHEN 5 THEN 'function ' || {entry}.value"
        f" WHEN 7 THEN 'table ' || {entry}.value"
        f" WHEN 3 THEN iif(typeof({entry}.value) = 'integer', 'NaN', {entry}.value)"
        f" ELSE {entry}.value END"
    )


def _distinct(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken: SQLite does not tell `A` from `a`."""
    candidate, number = name, 1
    while _folded(candidate) in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(_folded(candidate))
    return candidate


def _folded(name: str) -> str:
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)
