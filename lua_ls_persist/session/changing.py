"""Changing what is stored from Python: single entries, batches, migrations.

All of it goes through the VM, as what a program does, so that there is one way in which data
change. Each is one evaluation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, BinaryIO, TextIO

from lua_ls_persist.errors import SessionError
from lua_ls_persist.interchange import format_of
from lua_ls_persist.literals import parse_key, parse_literal
from lua_ls_persist.model import Evaluation, Exported
from lua_ls_persist.paths import Key, Path, keys_of, told_path
from lua_ls_persist.query import parse_where
from lua_ls_persist.session.calls import told_value
from lua_ls_persist.session.files import export_table, name_of, reading_of, row_source
from lua_ls_persist.session.jobs import Job
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.limits import SESSION_LIMIT, UseSessionLimit, time_limit
from lua_ls_persist.session.output import OnOutput
from lua_ls_persist.session.request import PreviewLimits, prelude_request
from lua_ls_persist.session.services import OnProgress, RowSource
from lua_ls_persist.session.stored import StoredData
from lua_ls_persist.session.trees import Encoded
from lua_ls_persist.wire import Encodable, encode, text_to_bytes


class ChangingData(StoredData):
    """The part of a session that changes its data."""

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self._limits = PreviewLimits()

    def set(self, path: Path, value: Encodable) -> Evaluation:
        """Set the entry at a path such as `Memory.users.ann.age`; None removes it.

        Lists and dicts become tables. A named table is made if there is none; all else on the way
        must be there. Metamethods and schemas have their say, so there may be problems.

        Raises:
            SessionError: it is no path, or the path of a named table itself.
            WireError: Lua has no value for `value`.
        """
        keys = _entry_keys(path)
        doing = f"{told_path(path)} = {told_value(value)}"
        return self._run("python_set", {"keys": keys, "value": value}, "(set)", doing)

    def set_literal(self, path: Path, text: str) -> Evaluation:
        """As `set`, with the value as Lua source: `{name = "Ann", age = 41}`, `nil` removes it.

        A path that begins with `_G` leads to a global of the VM. Only a literal is taken; nothing
        is evaluated. The evaluation's value is what was there.

        Raises:
            SessionError: it is no path or no literal; the message names the place.
        """
        keys = _entry_keys(path)
        value = parse_literal(text)
        doing = f"{told_path(path)} = {told_value(value)}"
        return self._run("python_change", {"keys": keys, "value": value}, "(set)", doing)

    def add_row(self, table: Path, text: str, *, key: str | None = None) -> Evaluation:
        """Put a new row into a table, given as Lua source; the evaluation's value is its key.

        Args:
            table: its path; a named table is made if there is none.
            text: the row, a literal such as `{name = "Ann"}`.
            key: a literal, too: `"ann"`, `3`; it must not be there yet. Otherwise the row follows
                the list in the table.

        Raises:
            SessionError: it is no path, or one of the texts is no literal.
        """
        value = parse_literal(text)
        if value is None:
            raise SessionError("value: a row is not nil")
        keys, path = keys_of(table), told_path(table)
        place = None if key is None else parse_key(key)
        shown = path if key is None else f"{path}[{key}]"
        arguments = {"keys": keys, "path": path, "key": place, "value": value}
        return self._run("python_add", arguments, "(add)", f"{shown} = {told_value(value)}")

    def delete(self, path: Path) -> Evaluation:
        """Remove the entry at a path; the evaluation's value is whether there was one.

        Where there was none nothing changes, unless a metatable has its say; no table is made.

        Raises:
            SessionError: it is no path, or the path of a named table itself (see `drop`).
        """
        return self._run(
            "python_delete", {"keys": _entry_keys(path)}, "(delete)", f"{told_path(path)} = nil"
        )

    def batch(
        self,
        operations: Iterable[Mapping[str, Any]],
        *,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """Do up to 10,000 operations, all of them or none; the values are their results in order.

        Each is what `ext.batch` takes: `{"op": "set", "table": "users", "key": "ann", "value": 1}`.
        `on_progress` hears how many of how many are done, on the VM's thread.

        Raises:
            WireError: there is something in them that Lua has no value for.
        """
        return self.submit_batch(
            operations, time_limit_s=time_limit_s, on_progress=on_progress
        ).result()

    def submit_batch(
        self,
        operations: Iterable[Mapping[str, Any]],
        *,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_progress: OnProgress | None = None,
    ) -> Future[Evaluation]:
        """As `batch`, without waiting."""
        listed = list(operations)
        return self._life.owner.submit(
            self._prepared(
                "python_batch",
                listed,
                "(batch)",
                time_limit_s,
                on_progress=on_progress,
                doing=f"{len(listed)} operations",
            )
        )

    def migrate(
        self,
        table: str,
        version: int,
        source: str,
        *,
        name: str = "(migration)",
        dry_run: bool = False,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """Bring a table's rows to a version, once: what `ext.migrate` does.

        Args:
            table: a path, such as `users`.
            version: a whole number; each is run once, in ascending order.
            source: Lua, a function `function(row, key) ... end`, or what such a function does.
            name: what to call the source in problems.
            dry_run: undo it, and tell what would change.
            time_limit_s: instead of the session's limit; None: no limit.
            on_progress: hears how many of how many rows are done, on the VM's thread.

        The values are whether it was run, how many rows there were, and after a dry run a preview
        of the changes.
        """
        return self.submit_migrate(
            table,
            version,
            source,
            name=name,
            dry_run=dry_run,
            time_limit_s=time_limit_s,
            on_progress=on_progress,
        ).result()

    def submit_migrate(
        self,
        table: str,
        version: int,
        source: str,
        *,
        name: str = "(migration)",
        dry_run: bool = False,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_progress: OnProgress | None = None,
    ) -> Future[Evaluation]:
        """As `migrate`, without waiting."""
        arguments: dict[str, Encodable] = {
            "path": table,
            "version": version,
            "source": source,
            "name": self._life.runner.names.source_of(name),
            "dry_run": dry_run,
        }
        return self._life.owner.submit(
            self._prepared(
                "python_migrate",
                arguments,
                name,
                time_limit_s,
                on_progress=on_progress,
                doing=source,
            )
        )

    def import_data(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        table: str,
        *,
        format: str | None = None,  # noqa: A002  (what everybody calls it)
        key: str | None = None,
        infer: bool = False,
        text: Iterable[str] = (),
        skip: Iterable[str] = (),
        replace: bool = False,
        time_limit_s: float | UseSessionLimit | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """Store the rows of a file of CSV, JSON or JSON Lines in a table: all of them or none.

        The value is how many there were. What is wrong in the file, or does not follow the table's
        schema, is a problem that names the line.

        Args:
            source: the file's path; or a file open for reading bytes that can be read again.
            table: a path such as `users`; a named table is made if there is none.
            format: csv, json or jsonl; otherwise the file's name tells.
            key: the column or member that is the row's key; otherwise `@key` is, and without that
                rows follow the last number that the table has.
            infer: whether columns of CSV become numbers and booleans if all their texts are such.
            text: columns of CSV that stay text all the same.
            skip: columns or members that are left out of the rows.
            replace: rows may take the place of others with the same key.
            time_limit_s: how long it may take.
            on_progress: hears how many bytes of how many are read, on the VM's thread.

        Raises:
            InterchangeError: the file cannot be opened, or its format is not clear.
            SessionError: `table` is no path.
        """
        return self.submit_import(
            source,
            table,
            format=format,
            key=key,
            infer=infer,
            text=text,
            skip=skip,
            replace=replace,
            time_limit_s=time_limit_s,
            on_progress=on_progress,
        ).result()

    def submit_import(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        table: str,
        *,
        format: str | None = None,  # noqa: A002
        key: str | None = None,
        infer: bool = False,
        text: Iterable[str] = (),
        skip: Iterable[str] = (),
        replace: bool = False,
        time_limit_s: float | UseSessionLimit | None = None,
        on_progress: OnProgress | None = None,
    ) -> Future[Evaluation]:
        """As `import_data`, without waiting."""
        reading = reading_of(source, format, key, infer=infer, text=text, skip=skip)
        rows = row_source(source, reading, on_progress)
        arguments: Encodable = {"keys": keys_of(table), "path": table, "replace": replace}
        return self._life.owner.submit(
            self._prepared(
                "python_import",
                arguments,
                "(import)",
                time_limit_s,
                rows=rows,
                doing=f"import {name_of(source)} into {table}",
            )
        )

    def export_data(
        self,
        table: str,
        target: str | os.PathLike[str] | TextIO,
        *,
        format: str | None = None,  # noqa: A002
        where: Any = (),
        filter: str = "",  # noqa: A002
        on_progress: OnProgress | None = None,
    ) -> Exported:
        """Write the rows of a table as CSV, JSON or JSON Lines, as far as these can hold them.

        For everything, of every type, there is `export_lines`.

        Args:
            table: a path such as `users`.
            target: the file's path; it is replaced when all is written. Or a file open for text.
            format: csv, json or jsonl; otherwise the file's name tells.
            where: only rows that fulfil these conditions, as in `query`.
            filter: only rows that have this text, as in `rows`.
            on_progress: hears how many of how many rows are read; CSV reads them twice.

        Raises:
            InterchangeError: the format is not clear, or the file cannot be written.
            QueryError: the conditions make no sense.
            SessionError: `table` is no path, there is no such table, or it was interrupted.
        """
        kind = format_of(name_of(target), format)
        conditions = parse_where(where)
        return self._life.call(
            lambda runner: export_table(
                runner, table, target, kind, conditions, filter, on_progress
            )
        )

    def _run(self, function: str, arguments: Encodable, name: str, doing: str) -> Evaluation:
        return self._life.owner.call(
            self._prepared(function, arguments, name, SESSION_LIMIT, doing=doing)
        )

    def _prepared(
        self,
        function: str,
        arguments: Encodable,
        name: str,
        time_limit_s: float | UseSessionLimit | None,
        *,
        on_progress: OnProgress | None = None,
        rows: RowSource | None = None,
        on_output: OnOutput | None = None,
        doing: str = "",
    ) -> Callable[[], Evaluation]:
        """A call of a function of the prelude; `doing` tells the history what it is about."""
        limit = time_limit(time_limit_s, self._life.settings.time_limit_s)
        request = prelude_request(
            function,
            self._life.runner.names.source_of(name),
            live=on_output is not None,
            limits=self._limits,
        )
        job = Job(
            "core_evaluate",
            request,
            b"",
            name,
            limit,
            on_output,
            arguments=Encoded(encode(arguments)),
            on_progress=on_progress,
            rows=rows,
            doing=text_to_bytes(doing),
        )
        return lambda: self._life.evaluate(job)


def _entry_keys(path: Path) -> list[Key]:
    keys = keys_of(path)
    if keys[:2] == ["_G", "Memory"]:
        del keys[0]
    if len(keys) == 1:
        raise SessionError(
            f"{keys[0]} is a table of its own; name an entry of it, or drop all of it"
        )
    return keys
