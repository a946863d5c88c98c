"""What a session has stored, seen from Python: the same operations that programs have.

All of it is done on the session's own thread, between two evaluations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path as FilePath
from typing import TextIO

from lua_ls_persist.errors import SessionError
from lua_ls_persist.interchange import written_file
from lua_ls_persist.model import (
    Collected,
    StoredFunction,
    StoredTable,
    StoreSizes,
    Upvalue,
    Value,
)
from lua_ls_persist.paths import Path, keys_of
from lua_ls_persist.session.following import functions_at
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.recompile import compiled_again
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.shown import Definitions, Shown, chunk_of
from lua_ls_persist.session.sights import StoredWay
from lua_ls_persist.store import StoredFunction as Row
from lua_ls_persist.store.rows import TABLE, native_key
from lua_ls_persist.store.rows import Value as Native

MEMORY = "Memory"


class StoredData:
    """The part of a session that is about its store."""

    def __init__(self, life: Life) -> None:
        self._life = life

    # -- tables

    def tables(self) -> list[StoredTable]:
        """The named tables, by name; `Memory` is always there."""

        def look(runner: Runner) -> list[StoredTable]:
            store = runner.store
            return [
                StoredTable(
                    root.name, root.entries, root.table_id, store.compression(root.table_id)
                )
                for root in store.roots()
            ]

        return self._life.call(look)

    def info(self, name: str = MEMORY) -> StoredTable | None:
        """Facts about a named table; None if there is none of that name."""

        def look(runner: Runner) -> StoredTable | None:
            table_id = runner.store.root(name, create=False)
            if not table_id:
                return None
            entries = runner.store.table_info(table_id).entries
            return StoredTable(name, entries, table_id, runner.store.compression(table_id))

        return self._life.call(look)

    def get(self, path: Path) -> Value:
        """The value at a path such as `Memory.users[3].name`; None if there is none.

        Metatables are not asked. A table comes as a `Preview`: a bounded look at it.

        Raises:
            SessionError: it is no path.
        """
        name, *keys = keys_of(path)

        def look(runner: Runner) -> Value:
            found = walk(runner, str(name), [native_key(key) for key in keys])
            return None if found is None else Shown(runner.store, runner.names).value(*found)

        return self._life.call(look)

    def drop(self, name: str) -> bool:
        """Forget a named table; whether there was one.

        Its content goes with the next collection, unless something else reaches it.

        Raises:
            StoreError: it is `Memory`, which can only be emptied; or the file cannot be written.
        """

        def drop(runner: Runner) -> bool:
            doing = ("(drop)", f"drop {name}".encode("utf-8", "replace"))
            with runner.recorded_outside(doing, changes_entries=True) as store:
                return store.drop_root(name)

        return self._life.call(drop)

    # -- functions

    def functions(self) -> list[StoredFunction]:
        """All functions that a root reaches, by path, with the present values of their upvalues."""

        def look(runner: Runner) -> list[StoredFunction]:
            definitions = Definitions()
            return [_function(runner, row, definitions) for row in runner.store.functions()]

        return self._life.call(look)

    def reached(self, ways: Sequence[StoredWay]) -> list[str | None]:
        """The paths of the stored functions at the end of ways; None where there is none."""
        return self._life.call(lambda runner: functions_at(runner, ways))

    def recompile(self, path: str) -> None:
        """Compile a stored function again from its stored source, and sign it.

        For a function whose code is refused, because somebody else signed it or it was altered:
        look at its `text` first. `path` is that of `functions()`.

        Raises:
            SessionError: there is no such function.
            StoreError: its source is not stored or does not fit, or the file cannot be written.
        """

        def compile_again(runner: Runner) -> None:
            row = next((row for row in runner.store.functions() if row.path == path), None)
            function = None if row is None else runner.store.function(row.id)
            code = None if function is None else runner.store.code(function.code_id)
            if code is None:
                raise SessionError(f"there is no stored function {path}")
            bytecode = compiled_again(code)
            with runner.persistence.own_transaction(changes_entries=True) as store:
                store.replace_code(code.id, bytecode)

        self._life.call(compile_again)

    # -- the file

    def collect(self, *, on_progress: Callable[[str, int], None] | None = None) -> Collected:
        """Remove what nothing reaches any more: no root, no image, and nothing in the VM.

        `on_progress` hears of what is being done, and how much of it has been.
        """
        return self._life.call(lambda _runner: self._life.collect(on_progress))

    def sizes(self) -> StoreSizes:
        """How large the file is, and what is in it. Counts, so it takes a while in a large one."""
        return self._life.call(lambda runner: runner.store.sizes())

    def vacuum(self) -> int:
        """Give free space back to the disk; how many bytes the file has become smaller.

        Raises:
            StoreError: another session is writing, or the disk is full.
        """
        return self._life.work("giving space back", lambda runner: runner.store.vacuum())

    def backup(
        self,
        path: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Write a copy of everything that is stored to a file of its own.

        `on_progress` hears how many of how many pages have been copied. A session's file in that
        place is replaced; any other is left alone.

        Raises:
            StoreError: the copy cannot be written, or something else is in its place.
        """
        target = FilePath(path)
        self._life.work(
            "the backup", lambda runner: runner.store.backup(target, on_progress=on_progress)
        )

    def restore(
        self,
        path: str | os.PathLike[str],
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Put the content of a backup in the place of all that is stored; the VM begins afresh.

        Raises:
            StoreError: the backup is none, or damaged; nothing was changed.
        """
        source = FilePath(path)

        def restore(runner: Runner) -> None:
            with runner.interruptible("restoring"):
                runner.store.restore(source, on_progress=on_progress)
            runner.points.clear()
            self._life.begin_afresh("The session was restored from a backup.")

        self._life.call(restore)

    def export_lines(
        self,
        file: str | os.PathLike[str] | TextIO,
        *,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        """Write everything as JSON Lines, every type kept; how many lines.

        The file is a path, where all of it is replaced or nothing, or an open one of text, UTF-8.
        `on_progress` hears how many lines have been written.

        Raises:
            InterchangeError: the path cannot be written.
        """

        def write(runner: Runner) -> int:
            # On the thread, for the caller may leave this function while it is still written.
            with written_file(file) as opened:
                return runner.store.export_lines(opened, on_progress=on_progress)

        return self._life.work("the export", write)

    def import_lines(
        self, lines: Iterable[str], *, on_progress: Callable[[int], None] | None = None
    ) -> int:
        """Read what `export_lines` wrote, such as an open file; how many lines. The store is empty.

        All of it or nothing. Functions that were signed by somebody else are refused until they
        are compiled again (`recompile`).

        Raises:
            StoreError: the store has content already, or a line makes no sense.
        """

        def read(runner: Runner) -> int:
            doing = ("(import)", b"")
            with (
                runner.recorded_outside(doing, changes_entries=True) as store,
                runner.interruptible("the import"),
            ):
                return store.import_lines(lines, on_progress=on_progress)

        return self._life.call(read)

    def integrity(self) -> list[str]:
        """What is wrong with the file, a sentence each; an empty list if nothing is."""
        return self._life.work("the check", lambda runner: runner.store.integrity())


def walk(runner: Runner, name: str, keys: list[Native]) -> Native | None:
    """The value that keys lead to from a root; None if there is none."""
    table_id = runner.store.root(name, create=False)
    if not table_id:
        return None
    found: Native = (TABLE, table_id)
    for key_kind, key in keys:
        kind, native = found
        if kind != TABLE or not isinstance(native, int):
            return None
        below = runner.store.get(native, key_kind, key)
        if below is None:
            return None
        found = below
    return found


def _function(runner: Runner, row: Row, definitions: Definitions) -> StoredFunction:
    names, code = runner.names, row.code
    shown = Shown(runner.store, names)
    problem = ""
    if code is None:
        problem = "its code is missing"
    elif not code.signed:
        problem = "its code was not signed by you, or was altered"
    return StoredFunction(
        path=row.path,
        name=row.name,
        parameters=row.parameters,
        is_vararg=row.is_vararg,
        chunk="" if code is None else chunk_of(code, names),
        line=row.line_defined,
        last_line=row.last_line,
        text="" if code is None else definitions.of(code),
        size_bytes=row.size_bytes,
        upvalues=tuple(
            Upvalue(name, shown.value(kind, native)) for name, kind, native in row.upvalues
        ),
        problem=problem,
    )
