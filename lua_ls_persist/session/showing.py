"""Looks into values, level by level and page by page: what an inspector and a grid show.

Nothing of the program runs for it: what is stored is read from the store; globals are read raw in
the VM, and of that look nothing is left there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from lua_ls_persist.errors import QueryError, SessionError
from lua_ls_persist.model import (
    ColumnProfile,
    GridColumn,
    GridPage,
    GridRow,
    Inspected,
    InspectedEntry,
    Points,
    Preview,
    Value,
)
from lua_ls_persist.paths import Path, keys_of, path_text, step_text
from lua_ls_persist.pretty import one_line
from lua_ls_persist.query import Field, Query, parse_field, parse_query, parse_where
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.request import PreviewLimits
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.searching import search_of
from lua_ls_persist.session.shown import Shown, bounded
from lua_ls_persist.session.stored import walk
from lua_ls_persist.session.tables import table_id_at
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store.grid_facts import COLUMNS_MAX
from lua_ls_persist.store.grids import Grid, check_page
from lua_ls_persist.store.rows import FUNCTION, TABLE, native_key
from lua_ls_persist.store.rows import Value as Native
from lua_ls_persist.store.searching import Search
from lua_ls_persist.vm import Stopped

GLOBALS: Final = "_G"
LIMIT_DEFAULT: Final = 100
DEPTH_MAX: Final = 3
STRING_LENGTH_MAX: Final = 1_000
PREVIEW_ENTRIES: Final = 20
WHOLE_LENGTH_MAX: Final = 1_000_000
WHOLE_ENTRIES_MAX: Final = 10_000
WHOLE_DEPTH_MAX: Final = 100
CELL_LENGTH_MAX: Final = 200
CELL_ENTRIES: Final = 6
NODES_EACH: Final = 50
"""So many values are shown for each entry of a page of globals, on average."""
POINTS_MAX: Final = 5_000
"""More points than that are no clearer picture."""
LOOK_TIME_LIMIT_S: Final = 2.0


class ShowingData:
    """The part of a session that shows what there is."""

    _life: Life

    def inspect(
        self,
        path: Path = GLOBALS,
        *,
        offset: int = 0,
        limit: int = LIMIT_DEFAULT,
        depth: int = 1,
    ) -> Inspected:
        """A value and some of its entries: those of a table, or the upvalues of a function.

        Args:
            path: where it is, `Memory.users[3]`; one that begins with `_G` is looked up in the VM.
            offset: how many entries to leave out.
            limit: how many entries to show at most, from 1 to 1,000.
            depth: how deep to look into the entries, up to 3.

        Raises:
            SessionError: it is no path, or there is nothing.
            QueryError: `offset` or `limit` makes no sense.
        """
        keys = keys_of(path)
        check_page(offset, limit)
        if not 0 <= depth <= DEPTH_MAX:
            raise SessionError(f"depth is {depth}; it must be between 0 and {DEPTH_MAX}")
        if keys[0] == GLOBALS and keys[1:2] != ["Memory"]:
            return self._life.call(lambda runner: _globals(runner, keys, offset, limit, depth))
        if keys[0] == GLOBALS:
            del keys[0]
        return self._life.call(lambda runner: _stored(runner, keys, offset, limit, depth))

    def whole(self, path: Path) -> Value:
        """A stored value with all that is in it, as far as a person can read it.

        Strings up to a megabyte are whole, tables up to 10,000 entries in all, 100 levels deep; of
        what is more there is the beginning, and `pretty.is_whole` tells.

        Raises:
            SessionError: it is no path, or nothing is stored there.
            StoreError: the file cannot be read.
        """
        keys = keys_of(path)
        if keys[0] == GLOBALS:
            raise SessionError(f"{path_text(keys)} is not stored; `inspect` looks at it in the VM")
        return self._life.call(lambda runner: _whole(runner, keys))

    def rows(
        self,
        table: Path,
        *,
        columns: Any = None,
        where: Any = (),
        filter: str = "",  # noqa: A002  (what everybody calls it)
        order_by: Any = (),
        descending: bool = False,
        offset: int = 0,
        limit: int = LIMIT_DEFAULT,
    ) -> GridPage:
        """Rows of a table by their number, with how many there are: for people who scroll.

        Args:
            table: its path, such as `users` or `Memory.users`.
            columns: fields, as in `select` of `query`; otherwise the most frequent ones.
            where: conditions, as in `query`.
            filter: only rows that have this text in their key or in a column, of numbers and
                booleans in their text; the case of letters makes no difference.
            order_by: as in `query`.
            descending: turns the order round.
            offset: how many rows to leave out.
            limit: how many rows to show at most, from 1 to 1,000.

        Raises:
            QueryError: the question makes no sense, or there is no such table.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        keys = keys_of(table)
        check_page(offset, limit)
        query = parse_query(
            {"where": where, "order_by": order_by, "descending": descending, "select": columns}
        )

        def look(runner: Runner) -> GridPage:
            with runner.interruptible("the look at the rows"):
                return _page(runner, keys, query, filter, offset, limit)

        return self._life.call(look)

    def profile(
        self,
        table: Path,
        column: str,
        *,
        where: Any = (),
        filter: str = "",  # noqa: A002
    ) -> ColumnProfile:
        """What there is in a field of the rows that `rows` finds by `where` and `filter`.

        Raises:
            QueryError: the question makes no sense, or there is no such table.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        keys, field, conditions = keys_of(table), parse_field(column, "column"), parse_where(where)

        def look(runner: Runner) -> ColumnProfile:
            with runner.interruptible("the look at the column"):
                of_table = table_id_at(runner.store, keys)
                search = search_of(runner, of_table, filter)
                found = runner.store.profile(of_table, field, conditions, search)
            shown = Shown(runner.store, runner.names)

            def value(stored: Native | None) -> Value:
                return None if stored is None else _cell(shown.value(*stored))

            return ColumnProfile(
                count=found.rows - found.missing,
                missing=found.missing,
                distinct=found.distinct,
                types=found.types,
                min=value(found.least),
                max=value(found.greatest),
                avg=found.mean,
                top=tuple((value(stored), count) for stored, count in found.top),
                histogram=tuple((bar.start, bar.end, bar.count) for bar in found.bars),
            )

        return self._life.call(look)

    def points(
        self,
        table: Path,
        x: str,
        y: str,
        *,
        where: Any = (),
        filter: str = "",  # noqa: A002
        limit: int = POINTS_MAX,
    ) -> Points:
        """The numbers of two fields in a table's rows, for a picture: at most `limit` pairs.

        Where there are more, some are chosen evenly among the rows, always the same ones. `@key`
        stands for the keys; the rows are those that `rows` finds by `where` and `filter`.

        Raises:
            QueryError: the question makes no sense, or there is no such table.
            StoreError: the file cannot be read.
            SessionError: it was interrupted.
        """
        keys, conditions = keys_of(table), parse_where(where)
        across, up = parse_field(x, "x"), parse_field(y, "y")
        if not 1 <= limit <= POINTS_MAX:
            raise QueryError(f"limit is {limit}; it must be between 1 and {POINTS_MAX}")

        def look(runner: Runner) -> Points:
            with runner.interruptible("the look at the columns"):
                of_table = table_id_at(runner.store, keys)
                search = search_of(runner, of_table, filter)
                found = runner.store.points(of_table, across, up, conditions, limit, search)
            return Points(tuple(found.points), found.rows, found.pairs)

        return self._life.call(look)


# What is stored


def _stored(runner: Runner, keys: list[Any], offset: int, limit: int, depth: int) -> Inspected:
    path = path_text(keys)
    found = walk(runner, str(keys[0]), [native_key(key) for key in keys[1:]])
    if found is None:
        raise SessionError(f"there is nothing at {path}")
    kind, native = found
    if kind == TABLE and isinstance(native, int):
        return _table(runner, path, native, offset, limit, depth)
    value = _shown(runner, 0, kind, native)
    if kind == FUNCTION:
        return _function(runner, path, value, native, offset, limit)
    return Inspected(path, value, (), 0, None, None, live=False)


def _whole(runner: Runner, keys: list[Any]) -> Value:
    found = walk(runner, str(keys[0]), [native_key(key) for key in keys[1:]])
    if found is None:
        raise SessionError(f"there is nothing at {path_text(keys)}")
    shown = Shown(
        runner.store,
        runner.names,
        depth=WHOLE_DEPTH_MAX,
        entries=WHOLE_ENTRIES_MAX,
        entries_in_all=WHOLE_ENTRIES_MAX,
        page_bytes=WHOLE_LENGTH_MAX,
    )
    return bounded(shown.value(*found), WHOLE_LENGTH_MAX)


def _table(
    runner: Runner, path: str, native: int, offset: int, limit: int, depth: int
) -> Inspected:
    """A table of the store."""
    page = runner.store.grid(native, Grid(Query()), offset, limit)
    metatable = runner.store.table_info(native).metatable
    entries = []
    for row in page.rows:
        key = _shown(runner, 0, *row.key)
        step = step_text(key) if isinstance(key, (str, int, float)) else None
        shown = _shown(runner, depth, *row.value)
        place = None if step is None else path + step
        entries.append(InspectedEntry(key, shown, place, place is not None and _opens(shown)))
    end = offset + len(entries)
    return Inspected(
        path,
        _closed(_shown(runner, 1, TABLE, native)),
        tuple(entries),
        page.total,
        end if entries and end < page.total else None,
        _shown(runner, 1, TABLE, metatable) if metatable else None,
        live=False,
    )


def _function(
    runner: Runner, path: str, value: Value, native: Any, offset: int, limit: int
) -> Inspected:
    """A stored function with its upvalues."""
    function = runner.store.function(native)
    code = None if function is None else runner.store.code(function.code_id)
    names = () if code is None else code.upvalues
    cells = () if function is None else function.cells
    upvalues = [
        InspectedEntry(
            names[place] if place < len(names) else "",
            _shown(runner, 1, kind, content),
            None,
            expandable=False,
        )
        for place, (_, kind, content) in enumerate(cells)
    ]
    shown = tuple(upvalues[offset : offset + limit])
    end = offset + len(shown)
    following = end if shown and end < len(upvalues) else None
    return Inspected(path, value, shown, len(upvalues), following, None, live=False)


def _shown(runner: Runner, depth: int, kind: int, native: Any) -> Value:
    shown = Shown(runner.store, runner.names, depth=depth, entries=PREVIEW_ENTRIES)
    return bounded(shown.value(kind, native), STRING_LENGTH_MAX)


def _closed(value: Value) -> Value:
    """The value without what is in it, which is told beside it."""
    if isinstance(value, Preview) and value.entries:
        return replace(value, text=value.text or one_line(value), entries=(), omitted=True)
    return value


def _opens(value: Value) -> bool:
    return isinstance(value, Preview) and value.kind in ("table", "function")


# Globals


def _globals(runner: Runner, keys: list[Any], offset: int, limit: int, depth: int) -> Inspected:
    path = path_text(keys)
    arguments: Tree = {"keys": keys[1:], "offset": offset, "limit": limit}
    limits = PreviewLimits(
        depth=depth, entries=PREVIEW_ENTRIES, nodes=NODES_EACH * (limit + 10), string_bytes=200
    )
    try:
        found = runner.peek("python_inspect", arguments, limits, LOOK_TIME_LIMIT_S)
    except Stopped as stop:
        raise SessionError(f"the look at {path} took too long") from stop
    if not found[0]:
        raise SessionError(f"there is nothing at {path}")
    if isinstance(found[1], int):
        return _table(runner, path, found[1], offset, limit, depth)
    value, metatable, total, given, *rest = found[2:]
    assert isinstance(total, int)
    assert isinstance(given, int)
    entries = []
    for key, content in zip(rest[::2], rest[1::2], strict=True):
        step = step_text(key) if isinstance(key, (str, int, float)) else None
        place = None if step is None else path + step
        is_table = isinstance(content, Preview) and content.kind == "table"
        entries.append(
            InspectedEntry(
                bounded(key, STRING_LENGTH_MAX),
                bounded(content, STRING_LENGTH_MAX),
                place,
                place is not None and is_table,
            )
        )
    end = offset + len(entries)
    return Inspected(
        path,
        _closed(bounded(value, STRING_LENGTH_MAX)),
        tuple(entries),
        total,
        end if entries and end < total else None,
        metatable,
        live=True,
        given=given,
    )


# Grids


def _page(
    runner: Runner, keys: list[Any], query: Query, search: str, offset: int, limit: int
) -> GridPage:
    store = runner.store
    path = path_text(keys)
    of_table = table_id_at(runner.store, keys)
    known = store.columns(of_table)
    types = {field.text: counts for field, counts in known}
    fields: tuple[Field, ...] = query.select or tuple(field for field, _ in known[:COLUMNS_MAX])
    grid = Grid(replace(query, select=fields), Search(search, fields))
    found = store.grid(of_table, grid, offset, limit)
    rows = []
    for row in found.rows:
        key = Shown(store, runner.names).value(*row.key)
        step = step_text(key) if isinstance(key, (str, int, float)) else None
        cells = tuple(
            None
            if content is None
            else _cell(Shown(store, runner.names, depth=1, entries=CELL_ENTRIES).value(*content))
            for content in row.fields
        )
        rows.append(GridRow(_cell(key), None if step is None else path + step, cells))
    return GridPage(
        table=path,
        columns=tuple(GridColumn(field.text, types.get(field.text, {})) for field in fields),
        columns_left_out=sum(field not in fields for field, _ in known),
        rows=tuple(rows),
        offset=offset,
        total=found.total,
        filtered=found.filtered,
        index=found.index,
        rows_examined=found.examined,
        is_list=store.is_list(of_table),
    )


def _cell(value: Value) -> Value:
    """A value for one line of a cell: of a table the text, not what is in it."""
    if isinstance(value, Preview) and value.kind == "table":
        return _closed(value)
    return bounded(value, CELL_LENGTH_MAX)
