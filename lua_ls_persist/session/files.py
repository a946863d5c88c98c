"""Files of rows, to and from the tables of a session."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

from lua_ls_persist.errors import InterchangeError, SessionError
from lua_ls_persist.interchange import (
    FilePreview,
    Format,
    Reading,
    Row,
    RowWriter,
    format_of,
    preview_rows,
    read_rows,
    written_file,
)
from lua_ls_persist.interchange.writing import Opaque
from lua_ls_persist.model import Exported
from lua_ls_persist.paths import keys_of
from lua_ls_persist.query import Group
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.searching import search_of
from lua_ls_persist.session.services import OnProgress, RowSource
from lua_ls_persist.session.trees import Stored, tree_of
from lua_ls_persist.store import Store
from lua_ls_persist.store.grid_facts import FoundPage
from lua_ls_persist.store.rows import PERMANENT, TABLE, Native, Pair

PAGE_ENTRIES: Final = 500
PAGE_BYTES: Final = 1 << 20
DEPTH_MAX: Final = 100
"""Rows may be tables in tables so deep."""


def name_of(file: str | os.PathLike[str] | BinaryIO | TextIO) -> str:
    """What messages call a file."""
    if isinstance(file, (str, os.PathLike)):
        return os.fspath(file)
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else "the file"


# Reading


def row_source(
    source: str | os.PathLike[str] | BinaryIO, reading: Reading, on_progress: OnProgress | None
) -> RowSource:
    """What reads a file's rows from its beginning, as often as it is called.

    Raises:
        InterchangeError: the file cannot be opened.
    """
    name = name_of(source)
    with _opened(source, name) as file:
        total = os.fstat(file.fileno()).st_size if _has_descriptor(file) else 0
    on_bytes = None if on_progress is None else partial(_report, on_progress, total)

    def rows() -> Iterator[Row]:
        with _opened(source, name) as file:
            yield from read_rows(file, name, reading, on_bytes or _ignore)

    return rows


def reading_of(
    source: str | os.PathLike[str] | BinaryIO,
    wanted: str | None,
    key: str | None,
    *,
    infer: bool,
    text: Iterable[str],
    skip: Iterable[str],
) -> Reading:
    """How a file is read.

    Raises:
        InterchangeError: its format is not clear.
    """
    return Reading(format_of(name_of(source), wanted), key, infer, tuple(text), tuple(skip))


def preview_file(
    path: Path, reading: Reading, *, limit: int, replace: bool, time_limit_s: float
) -> FilePreview:
    """What an import of a file would bring, as far as can be seen in this time. Needs no session.

    Raises:
        InterchangeError: the file cannot be opened.
    """
    with _opened(path, str(path)) as file:
        return preview_rows(
            file, str(path), reading, limit=limit, replace=replace, time_limit_s=time_limit_s
        )


@contextmanager
def _opened(source: str | os.PathLike[str] | BinaryIO, name: str) -> Iterator[BinaryIO]:
    try:
        if not isinstance(source, (str, os.PathLike)):
            source.seek(0)
            yield source
            return
        file = Path(source).open("rb")  # noqa: SIM115
    except OSError as error:
        raise InterchangeError(f"{name} cannot be read: {error.strerror or error}") from error
    with file:
        yield file


def _has_descriptor(file: BinaryIO) -> bool:
    try:
        file.fileno()
    except OSError:  # in memory
        return False
    return True


def _report(on_progress: OnProgress, total: int, done: int) -> None:
    on_progress(done, total)


def _ignore(_done: int) -> None:
    pass


# Writing


def export_table(
    runner: Runner,
    table: str,
    target: str | os.PathLike[str] | TextIO,
    kind: Format,
    where: Group,
    text: str,
    on_progress: OnProgress | None,
) -> Exported:
    """Writes the rows of a table, all of one state. On the session's own thread."""
    name, *keys = keys_of(table)
    store = runner.store
    with runner.interruptible("the export"), store.one_state(), ExitStack() as stack:
        table_id = store.table_at(str(name), keys)
        if table_id is None:
            raise SessionError(store.no_table(table))
        search = search_of(runner, table_id, text)
        total, found = store.table_info(table_id).entries, None
        if where.members or search:
            total, found = stack.enter_context(store.found_rows(table_id, where, search))
        rows = _Rows(runner, table_id, found, total, on_progress)
        with written_file(target) as file:
            writer = RowWriter(file, kind, table)
            try:
                writer.write(rows.read)
            except OSError as error:
                reason = error.strerror or error
                raise InterchangeError(f"{name_of(target)} cannot be written: {reason}") from error
    return Exported(writer.rows, writer.left_out_count, tuple(writer.left_out))


class _Rows:
    """The rows of a table as plain Python values, read in pages."""

    def __init__(
        self,
        runner: Runner,
        table_id: int,
        found: FoundPage | None,
        total: int,
        on_progress: OnProgress | None,
    ) -> None:
        self._runner = runner
        self._found = found
        self._store: Store = runner.store
        self._table_id = table_id
        self._total = total
        self._on_progress = on_progress

    def read(self) -> Iterator[tuple[Any, Any]]:
        """All of them, from the first one."""
        done = 0
        pages = self._pages(self._table_id) if self._found is None else self._chosen(self._found)
        for page in pages:
            if self._runner.machine.stopping:
                raise SessionError("the export was interrupted")
            for key_kind, key, kind, native in page:
                yield self._key(key_kind, key), self._value(kind, native, (self._table_id,))
            done += len(page)
            if self._on_progress is not None:
                self._on_progress(done, self._total)

    def _chosen(self, found: FoundPage) -> Iterator[list[Pair]]:
        """Those that fulfil the conditions, and have the text."""
        for start in range(0, self._total, PAGE_ENTRIES):
            yield [(*row.key, *row.value) for row in found(start, PAGE_ENTRIES)]

    def _pages(self, table_id: int) -> Iterator[list[Pair]]:
        after = None
        while True:
            page = self._store.page(table_id, after, PAGE_ENTRIES, PAGE_BYTES)
            yield page.rows
            if page.complete:
                return
            after = page.rows[-1][:2]

    def _key(self, kind: int, native: Native) -> Any:
        return self._scalar(kind, native)

    def _value(self, kind: int, native: Native, above: tuple[int, ...]) -> Any:
        if kind != TABLE:
            return self._scalar(kind, native)
        assert isinstance(native, int)
        if native in above:
            return Opaque("a table that contains itself")
        if len(above) >= DEPTH_MAX:
            return Opaque(f"a table deeper than {DEPTH_MAX} levels")
        inside = (*above, native)
        pairs = [
            (self._key(key_kind, key), self._value(value_kind, value, inside))
            for page in self._pages(native)
            for key_kind, key, value_kind, value in page
        ]
        found = dict(pairs)
        if len(found) < len(pairs):
            return dict(_without_equal_keys(pairs))
        if (
            found
            and all(type(key) is int for key in found)
            and list(found) == list(range(1, len(found) + 1))
        ):
            return list(found.values())
        return found

    @staticmethod
    def _scalar(kind: int, native: Native) -> Any:
        value = tree_of(kind, native)
        if not isinstance(value, Stored):
            return value
        if kind == PERMANENT:
            return Opaque(f"the value {native!s}")
        return Opaque("a table" if kind == TABLE else "a function")


def _without_equal_keys(pairs: list[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """To Python true is 1 and false is 0: where there are both, the boolean is left out."""
    integers = {key for key, _ in pairs if type(key) is int}
    for key, value in pairs:
        yield (Opaque("a boolean") if type(key) is bool and key in integers else key), value
