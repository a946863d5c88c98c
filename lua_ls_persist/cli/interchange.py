"""Files of rows, from the command line: `import --table` and `export --table`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.evaluate import show_run
from lua_ls_persist.cli.progress import shown
from lua_ls_persist.cli.running import run_submitted
from lua_ls_persist.cli.stored import STDIO, file_of, opened_to_look, print_json, text_file
from lua_ls_persist.cli.terminal import Terminal

if TYPE_CHECKING:
    from lua_ls_persist.model import Exported

_HELD_IN_MEMORY_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Rows:
    """What an import makes of the rows of a file."""

    table: str
    kind: str | None
    key: str | None
    infer: bool
    text: tuple[str, ...]
    skip: tuple[str, ...]
    replace: bool


def import_table(source: str, rows: Rows, db: Path | None, *, as_json: bool) -> int:
    """Stores the rows of a file in a table."""
    from lua_ls_persist.session import Session

    if source == STDIO and rows.kind is None:
        raise click.UsageError("Say by --format what standard input has: csv, json or jsonl.")
    path = file_of(db, create=True)
    terminal = Terminal()
    with (
        _readable(source) as file,
        Session.open(path, folders=(Path.cwd(),)) as session,
        shown("Reading rows") as progress,
    ):
        outcome = run_submitted(
            session,
            lambda: session.submit_import(
                file,
                rows.table,
                format=rows.kind,
                key=rows.key,
                infer=rows.infer,
                text=rows.text,
                skip=rows.skip,
                replace=rows.replace,
                on_progress=progress.part,
            ),
        )
    if not outcome.evaluation.ok or outcome.interrupted:
        return show_run(outcome, terminal, as_json=as_json)
    (count,) = outcome.evaluation.values
    if as_json:
        return print_json({"table": rows.table, "rows": count})
    terminal.write(f"{_counted(count)} stored in {rows.table}.\n")
    return exits.SUCCESS


@contextmanager
def _readable(source: str) -> Iterator[str | BinaryIO]:
    """A file that can be read again: standard input cannot, so it is kept meanwhile."""
    if source != STDIO:
        yield source
        return
    with tempfile.SpooledTemporaryFile(_HELD_IN_MEMORY_BYTES) as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        yield file  # type: ignore[misc]  # it is a BinaryIO in all but name


def export_table(
    target: str, table: str, kind: str | None, db: Path | None, *, as_json: bool
) -> int:
    """Writes the rows of a table."""
    if target == STDIO and kind is None:
        raise click.UsageError("Say by --format what to write: csv, json or jsonl.")
    with (
        opened_to_look(db) as session,
        shown("Writing rows") as progress,
    ):
        if target != STDIO:
            exported = session.export_data(table, target, format=kind, on_progress=progress.part)
        else:
            with text_file(target, "w") as file:
                exported = session.export_data(table, file, format=kind)
    _tell_left_out(exported)
    if target == STDIO:
        return exits.SUCCESS
    if as_json:
        facts = {"path": target, "rows": exported.rows, "left_out": list(exported.left_out)}
        return print_json({**facts, "left_out_count": exported.left_out_count})
    Terminal().write(f"{_counted(exported.rows)} written to {target}.\n")
    return exits.SUCCESS


def _tell_left_out(exported: Exported) -> None:
    if not exported.left_out_count:
        return
    lines = [*exported.left_out]
    if len(lines) < exported.left_out_count:
        lines.append(f"and {exported.left_out_count - len(lines)} others")
    text = "\n  ".join(["What this format has no form for was left out:", *lines])
    Terminal().write_error(f"{text}\n")


def _counted(count: object) -> str:
    return "1 row was" if count == 1 else f"{count} rows were"
