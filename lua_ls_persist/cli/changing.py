"""The commands that change what a session has stored: one entry, a batch, a migration."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lua_ls_persist.cli.evaluate import Input, show_run
from lua_ls_persist.cli.parameters import SessionOptions
from lua_ls_persist.cli.progress import Progress, shown
from lua_ls_persist.cli.running import Run, run_submitted
from lua_ls_persist.cli.stored import file_of, opened, text_file, told
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.errors import StoreError
from lua_ls_persist.paths import no_named_table, step_text
from lua_ls_persist.pretty import one_line
from lua_ls_persist.query.text import plain_value_of

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation
    from lua_ls_persist.session import Session

_ANSWERED = ("insert", "get", "query", "count")
"""Operations whose results somebody wants to see."""


def set_(path: str, value: str, options: SessionOptions, *, as_json: bool) -> int:
    """Sets an entry."""
    content = plain_value_of(value)
    return _changed(options, lambda session: session.set(path, content), as_json=as_json)


def delete(path: str, options: SessionOptions, *, as_json: bool) -> int:
    """Removes an entry, and tells whether there was one."""
    return _changed(options, lambda session: session.delete(path), as_json=as_json)


def drop(table: str, db: Path | None, *, as_json: bool) -> int:
    """Forgets a named table."""
    with opened(db) as session:
        dropped = session.drop(table)
        names = [found.name for found in session.tables()]
    if not dropped and not as_json:
        raise StoreError(no_named_table(table, names))
    return told({"dropped": dropped}, f"{table} was dropped. undo brings it back.", as_json=as_json)


def _changed(
    options: SessionOptions, change: Callable[[Session], Evaluation], *, as_json: bool
) -> int:
    from lua_ls_persist.session import Session

    path = file_of(options.db, create=True)
    with Session.open(path, folders=(Path.cwd(),), **options.arguments()) as session:
        outcome = Run(change(session), interrupted=False)
    return show_run(outcome, Terminal(), as_json=as_json)


def batch(source: str, options: SessionOptions, *, as_json: bool) -> int:
    """Does the operations of a file, all of them or none."""
    operations = _operations(source)
    outcome = _submitted(
        options,
        "Operations",
        lambda session, progress: session.submit_batch(operations, on_progress=progress.part),
    )
    if as_json or not outcome.evaluation.ok:
        return show_run(outcome, Terminal(), as_json=as_json)
    terminal = Terminal()
    for operation, result in zip(operations, outcome.evaluation.values, strict=True):
        if operation.get("op") in _ANSWERED:
            terminal.write(f"{one_line(result)}\n")
    ending = "operation was" if len(operations) == 1 else "operations were"
    terminal.write(f"{len(operations)} {ending} done.\n")
    return 0


def _operations(source: str) -> Sequence[dict[str, Any]]:
    """The operations of a file of JSON Lines; empty lines are none."""
    operations: list[dict[str, Any]] = []
    name = "stdin" if source == "-" else source
    with text_file(source, "r") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                operation = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise click.UsageError(f"{name}:{number}: this is no JSON: {error}.") from error
            if not isinstance(operation, dict):
                raise click.UsageError(f"{name}:{number}: an operation is a JSON object.")
            operations.append(operation)
    return operations


def migrate(
    table: str,
    version: int,
    source: str,
    options: SessionOptions,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Brings a table to a version."""
    given = Input.of_file(source)
    text = given.source.decode("utf-8", "surrogateescape")
    outcome = _submitted(
        options,
        "Rows",
        lambda session, progress: session.submit_migrate(
            table, version, text, name=given.name, dry_run=dry_run, on_progress=progress.part
        ),
    )
    terminal = Terminal()
    if as_json or not outcome.evaluation.ok:
        return show_run(outcome, terminal, as_json=as_json)
    ran, rows, changes = outcome.evaluation.values
    if dry_run:
        for change in _entries(changes).values():
            terminal.write(f"{table}{_told_change(_entries(change))}\n")
        terminal.write(f"{rows!r} rows were looked at; nothing was changed.\n")
    elif ran:
        terminal.write(f"{table} is at version {version}: {rows!r} rows.\n")
    else:
        terminal.write(f"{table} was brought to version {version} before.\n")
    return 0


def _entries(value: object) -> dict[Any, Any]:
    """Of a table that the prelude made."""
    from lua_ls_persist.model import Preview

    assert isinstance(value, Preview)
    return dict(value.entries)


def _told_change(change: dict[Any, Any]) -> str:
    """What a migration would make of a row, as `diff` tells it. What would go has no `after`."""
    key = change["key"]
    step = step_text(key) or f"[{one_line(key)}]"
    return f"{step}: {one_line(change.get('before'))} -> {one_line(change.get('after'))}"


def _submitted(
    options: SessionOptions,
    label: str,
    submit: Callable[[Session, Progress], Future[Evaluation]],
) -> Run:
    from lua_ls_persist.session import Session

    path = file_of(options.db, create=True)
    with (
        Session.open(path, folders=(Path.cwd(),), **options.arguments()) as session,
        shown(label) as progress,
    ):
        return run_submitted(session, lambda: submit(session, progress))
