"""The SQLite tables of indexes: made, filled from the data, and compared with the data.

docs/store.md tells their columns. A B-tree index is filled by one statement that sorts; hashes and
words are made in Python, piece by piece.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, cast

import apsw

from lua_ls_persist.store.index_forms import form_of
from lua_ls_persist.store.index_model import Index
from lua_ls_persist.store.index_rows import Fresh, Plan, Reader
from lua_ls_persist.store.index_sql import ROWS_A_TICK, TICK, member_rows, tree_rows
from lua_ls_persist.store.rows import Native, Pair

ROWS_AT_ONCE: Final = 5_000
"""So many rows of a table are read between two reports of how far a build has come."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many rows have been read, and how many there are."""

_BEFORE_ALL: Final = (-1, 0)
"""A key's kind and key that are less than any."""

_SQL_COUNT = "SELECT count(*) FROM entries WHERE table_id = ?"
_SQL_PAGE = """
    SELECT key_kind, key, kind, value FROM full_entries
    WHERE table_id = ? AND (key_kind, key) > (?, ?) ORDER BY key_kind, key LIMIT ?
    """
_SQL_CLEAR_MEMBERS = "DELETE FROM index_members WHERE table_id = ?"
_SQL_FRESH_MEMBERS = (
    "CREATE TEMP TABLE fresh_members (table_id, member, key_kind, key,"
    " PRIMARY KEY (table_id, member, key_kind, key)) WITHOUT ROWID"
)


def create(connection: apsw.Connection, index: Index, name: str | None = None) -> None:
    """Makes the tables of an index, empty."""
    name = index.storage if name is None else name
    if index.kind == "text":
        columns = ", ".join(f"f{number}" for number in range(1, len(index.fields) + 1))
        connection.execute(
            f"CREATE VIRTUAL TABLE {name} USING fts5({columns}, content='', contentless_delete=1)"
        )
        connection.execute(
            f"CREATE TABLE {name}_rows (id INTEGER PRIMARY KEY, key_kind INTEGER NOT NULL,"
            " key ANY NOT NULL, row INTEGER NOT NULL, UNIQUE (key_kind, key)) STRICT"
        )
        return
    if index.kind == "hash":
        columns, keys = "hash INTEGER NOT NULL", "hash"
    else:
        numbers = range(1, len(index.fields) + 1)
        columns = ", ".join(f"c{n} INTEGER NOT NULL, v{n} ANY NOT NULL" for n in numbers)
        keys = ", ".join(f"c{n}, v{n}" for n in numbers)
    connection.execute(
        f"CREATE TABLE {name} ({columns}, key_kind INTEGER NOT NULL, key ANY NOT NULL,"
        f" row INTEGER NOT NULL, PRIMARY KEY ({keys}, key_kind, key)) STRICT, WITHOUT ROWID"
    )


def drop(connection: apsw.Connection, index: Index, name: str | None = None) -> None:
    """Removes the tables of an index."""
    name = index.storage if name is None else name
    connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute(f"DROP TABLE IF EXISTS {name}_rows")


def fill(
    connection: apsw.Connection,
    index: Index,
    plan: Plan,
    *,
    name: str | None = None,
    on_progress: Progress | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> None:
    """Puts the rows of the table into an index that is empty.

    `go_on` is called now and then, and raises if this is to end.
    """
    if index.kind == "text":
        _fill_piecewise(connection, index, plan, name, on_progress, go_on)
        return
    if index.kind == "hash":
        _fill_hashes(connection, index, plan, name, on_progress, go_on)
        return
    name = index.storage if name is None else name
    ticks = None if on_progress is None else _Ticks(connection, plan, on_progress)
    statement, values = tree_rows(index, plan, ticks=ticks is not None)
    # Elements of an array may be equal.
    connection.execute(f"INSERT OR IGNORE INTO {name} {statement}", values)
    if ticks is not None:
        ticks.end()


def fill_members(connection: apsw.Connection, plan: Plan) -> None:
    """Notes anew which tables the rows of a table consist of."""
    connection.execute(_SQL_CLEAR_MEMBERS, (plan.table_id,))
    for statement, values in member_rows(plan):
        connection.execute(f"INSERT OR IGNORE INTO index_members {statement}", values)


def differences(connection: apsw.Connection, plan: Plan) -> Iterator[str]:
    """What is wrong with the indexes of a table, a sentence each."""
    for index in plan.indexes:
        fresh = f"fresh_{index.id}"
        try:
            create(connection, index, f"temp.{fresh}")
            fill(connection, index, plan, name=f"temp.{fresh}")
            if index.kind == "text":
                wrong = _have_other_words(connection, index, fresh)
            else:
                wrong = _differ(
                    connection,
                    f"SELECT * FROM main.{index.storage}",  # noqa: S608
                    f"SELECT * FROM temp.{fresh}",  # noqa: S608
                )
        finally:
            drop(connection, index, f"temp.{fresh}")
        if wrong:
            yield f"the index {index.name} is not what the data say; rebuild it"
    try:
        connection.execute(_SQL_FRESH_MEMBERS)
        for statement, values in member_rows(plan):
            connection.execute(f"INSERT OR IGNORE INTO temp.fresh_members {statement}", values)
        members = "table_id, member, key_kind, key"
        if _differ(
            connection,
            f"SELECT {members} FROM index_members WHERE table_id = {plan.table_id}",  # noqa: S608
            f"SELECT {members} FROM temp.fresh_members",  # noqa: S608
        ):
            name = plan.indexes[0].name
            yield f"index_members is not what the data say about {name}; rebuild that index"
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.fresh_members")


class _Ticks:
    """Hears of rows that a statement reads, and again when they are written, sorted."""

    def __init__(self, connection: apsw.Connection, plan: Plan, on_progress: Progress) -> None:
        self._total = _count(connection, plan)
        self._done = itertools.count(1)
        self._on_progress = on_progress
        self._connection = connection
        connection.create_scalar_function(TICK, self._tick, 0)

    def _tick(self, *_: object) -> int:
        done = next(self._done) * ROWS_A_TICK // 2
        self._on_progress(min(done, self._total), self._total)
        return 1

    def end(self) -> None:
        """All is done."""
        self._connection.create_scalar_function(TICK, None, 0)
        self._on_progress(self._total, self._total)


def _fill_hashes(
    connection: apsw.Connection,
    index: Index,
    plan: Plan,
    name: str | None,
    on_progress: Progress | None,
    go_on: Callable[[], None],
) -> None:
    """Sorted as a whole: put into their places as they come, each would be another page's."""
    name = index.storage if name is None else name
    try:
        connection.execute("CREATE TEMP TABLE hashes (hash, key_kind, key, row)")
        _fill_piecewise(connection, index, plan, "temp.hashes", on_progress, go_on)
        connection.execute(f"INSERT INTO {name} SELECT * FROM temp.hashes ORDER BY 1, 2, 3")  # noqa: S608
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.hashes")


def _fill_piecewise(
    connection: apsw.Connection,
    index: Index,
    plan: Plan,
    name: str | None,
    on_progress: Progress | None,
    go_on: Callable[[], None],
) -> None:
    form = form_of(index, plan, name)
    reader, nothing = Reader(lambda: connection), Fresh()
    total = 0 if on_progress is None else _count(connection, plan)
    done = 0
    after: tuple[int, Native] = _BEFORE_ALL
    while True:
        go_on()
        found = connection.execute(_SQL_PAGE, (plan.table_id, *after, ROWS_AT_ONCE))
        page = cast("list[Pair]", found.fetchall())
        keys = [(key_kind, key) for key_kind, key, _, _ in page]
        values = [(kind, value) for _, _, kind, value in page]
        rows = reader.rows(plan, keys, values, nothing)
        form.add(connection, form.all_items(rows))
        done += len(page)
        if on_progress is not None:
            on_progress(min(done, total), total)
        if len(page) < ROWS_AT_ONCE:
            return
        after = keys[-1]


def _count(connection: apsw.Connection, plan: Plan) -> int:
    return cast("int", connection.execute(_SQL_COUNT, (plan.table_id,)).get)


def _differ(connection: apsw.Connection, one: str, other: str) -> bool:
    """Whether two selections have different rows."""
    return any(
        connection.execute(f"SELECT 1 FROM ({left} EXCEPT {right}) LIMIT 1").get is not None  # noqa: S608
        for left, right in ((one, other), (other, one))
    )


def _have_other_words(connection: apsw.Connection, index: Index, fresh: str) -> bool:
    """Whether two text indexes have other words or other rows. Rows are numbered differently."""
    words = []
    for schema, name in (("main", index.storage), ("temp", fresh)):
        vocabulary = f"{fresh}_in_{schema}"
        connection.execute(
            f"CREATE VIRTUAL TABLE temp.{vocabulary} USING fts5vocab({schema}, {name}, instance)"
        )
        words.append(
            f"SELECT term, key_kind, key, col, offset FROM temp.{vocabulary}"  # noqa: S608
            f" LEFT JOIN {schema}.{name}_rows ON id = doc"
        )
    rows = [
        f"SELECT key_kind, key, row FROM {name}_rows"  # noqa: S608
        for name in (f"main.{index.storage}", f"temp.{fresh}")
    ]
    try:
        return _differ(connection, *rows) or _differ(connection, *words)
    finally:
        for schema in ("main", "temp"):
            connection.execute(f"DROP TABLE temp.{fresh}_in_{schema}")
