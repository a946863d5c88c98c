"""The commands about what a session has stored: looking at it, calling it, moving it about."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

import click

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.evaluate import show_run
from lua_ls_persist.cli.parameters import SessionOptions
from lua_ls_persist.cli.progress import shown, waited
from lua_ls_persist.cli.running import run_submitted
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.jsonable import function_to_json, table_to_json
from lua_ls_persist.pretty import one_line
from lua_ls_persist.query.text import plain_value_of

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction
    from lua_ls_persist.session import Session

STDIO = "-"
T = TypeVar("T")


def file_of(db: Path | None, *, create: bool = False) -> Path:
    """The session's file that is meant: the one that was named, or that of the current folder.

    Raises:
        UsageError: there is none.
    """
    if db is None:
        from lua_ls_persist.store import default_path

        db = default_path(Path.cwd(), create=create)
    if not create and not db.exists():
        raise click.UsageError(f"There is no session's file {db}. Name one with --db PATH.")
    return db


def opened(db: Path | None, *, create: bool = False) -> Session:
    """A session that only looks at what is stored: its VM is of no interest."""
    from lua_ls_persist.session import Session

    return Session.open(file_of(db, create=create), resume=False)


def opened_to_look(db: Path | None) -> Session:
    """The same for commands that change nothing: these work where nothing can be stored."""
    session = opened(db)
    Terminal().note(session.read_only)
    return session


def listed(found: list[T], limit: int | None, what: str) -> list[T]:
    """So many of what was found; how many more there are is told besides."""
    if limit is None or len(found) <= limit:
        return found
    Terminal().write_error(f"There are more {what}: --limit {len(found)} shows all of them.\n")
    return found[:limit]


def tables(db: Path | None, limit: int | None, *, as_json: bool) -> int:
    """Lists the named tables."""
    with opened_to_look(db) as session:
        found = listed(session.tables(), limit, "tables")
    if as_json:
        return print_json([table_to_json(table) for table in found])
    width = max(len(table.name) for table in found)
    for table in found:
        ending = "entry" if table.entries == 1 else "entries"
        found_ratio = "" if table.compression is None else f", {table.compression.ratio:.1f}:1"
        Terminal().write(f"{table.name:{width}}  {table.entries} {ending}{found_ratio}\n")
    return exits.SUCCESS


def functions(db: Path | None, limit: int | None, *, with_text: bool, as_json: bool) -> int:
    """Lists the stored functions."""
    with opened_to_look(db) as session, waited("Looking"):
        found = session.functions()
    found = listed(found, limit, "functions")
    if as_json:
        return print_json([function_to_json(function) for function in found])
    terminal = Terminal()
    for function in found:
        _show_function(function, terminal, with_text=with_text)
    if not found:
        terminal.write_error("No functions are stored.\n")
    return exits.SUCCESS


def _show_function(function: StoredFunction, terminal: Terminal, *, with_text: bool) -> None:
    terminal.write(f"{function.path}({function.signature})")
    terminal.write(f"  {function.location}, {function.size_bytes} bytes\n", style="faint")
    for upvalue in function.upvalues:
        if upvalue.name != "_ENV":
            terminal.write(f"  {upvalue.name} = {one_line(upvalue.value)}\n")
    if function.problem:
        terminal.write(f"  {function.problem}\n", style="error")
    if with_text:
        terminal.lua(f"{function.text}\n")


def call(path: str, arguments: Sequence[str], options: SessionOptions, *, as_json: bool) -> int:
    """Calls a stored function and shows what comes of it."""
    from lua_ls_persist.session import Session

    terminal = Terminal()
    values = [plain_value_of(argument) for argument in arguments]
    with Session.open(file_of(options.db), folders=(Path.cwd(),), **options.arguments()) as session:
        terminal.note(session.read_only)
        outcome = run_submitted(
            session,
            lambda: session.submit_call(
                path, *values, on_output=None if as_json else terminal.live
            ),
            unwanted=lambda: terminal.broken,
        )
    return show_run(outcome, terminal, as_json=as_json)


def recompile(paths: Sequence[str], db: Path | None, *, every: bool, as_json: bool) -> int:
    """Compiles functions again from their sources, and signs them."""
    with opened(db) as session:
        if every:
            paths = [function.path for function in session.functions() if function.problem]
        for path in paths:
            session.recompile(path)
    text = "".join(f"{path} was compiled again.\n" for path in paths)
    return told({"recompiled": list(paths)}, text or "No function is refused.", as_json=as_json)


def backup(target: Path, db: Path | None, *, as_json: bool) -> int:
    """Writes a copy of a session's file."""
    with opened_to_look(db) as session, shown("Copying") as progress:
        session.backup(target, on_progress=progress.part)
    facts = {"path": str(target), "size_bytes": target.stat().st_size}
    return told(facts, f"Everything was copied to {target}.", as_json=as_json)


def restore(source: Path, db: Path | None, *, yes: bool, as_json: bool) -> int:
    """Puts a backup in the place of all that is stored."""
    path = file_of(db, create=True)
    if path.exists() and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(f"All that {path} has would be lost. Say --yes if that is so.")
        click.confirm(f"All that {path} has will be lost. Go on?", abort=True, err=True)
    with opened(path, create=True) as session, shown("Restoring") as progress:
        session.restore(source, on_progress=progress.part)
    facts = {"path": str(path), "restored_from": str(source)}
    return told(facts, f"{path} has what {source} has.", as_json=as_json)


def export(target: str, db: Path | None, *, as_json: bool) -> int:
    """Writes everything that is stored as JSON Lines."""
    with opened_to_look(db) as session, shown("Writing lines") as progress:
        if target == STDIO:
            with text_file(target, "w") as file:
                session.export_lines(file, on_progress=progress.count)
            return exits.SUCCESS
        lines = session.export_lines(target, on_progress=progress.count)
    facts = {"path": target, "lines": lines}
    return told(facts, f"{lines} lines were written to {target}.", as_json=as_json)


def import_(source: str, db: Path | None, *, as_json: bool) -> int:
    """Reads what `export` wrote."""
    path = file_of(db, create=True)
    with (
        text_file(source, "r") as file,
        opened(path, create=True) as session,
        shown("Reading lines") as progress,
    ):
        lines = session.import_lines(file, on_progress=progress.count)
    facts = {"path": str(path), "lines": lines}
    return told(facts, f"{lines} lines were read into {path}.", as_json=as_json)


@contextmanager
def text_file(name: str, mode: Literal["r", "w"]) -> Iterator[TextIO]:
    """A file of UTF-8 to read, or standard input or output, whose own encoding may be another one.

    Raises:
        UsageError: it cannot be opened, or is not UTF-8.
    """
    try:
        if name == STDIO:
            stream = sys.stdin if mode == "r" else sys.stdout
            file = io.TextIOWrapper(stream.buffer, encoding="utf-8", newline="\n")
            try:
                yield file
            finally:
                file.detach()
            return
        with _opened(name) as file:
            yield file
    except UnicodeDecodeError as error:
        called = "Standard input" if name == STDIO else name
        raise click.UsageError(f"{called} is not UTF-8: {error.reason}.") from error


def _opened(name: str) -> io.TextIOWrapper:
    try:
        return Path(name).open(encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"Cannot read {name}: {error.strerror or error}.") from error


def collect(db: Path | None, *, vacuum: bool, as_json: bool) -> int:
    """Removes what nothing reaches."""
    with opened(db) as session, shown("Collecting") as progress:
        removed = session.collect(on_progress=lambda what, done: progress.count(done, what))
        smaller_bytes = session.vacuum() if vacuum else 0
        size_bytes = session.sizes().file_bytes
    facts = asdict(removed) | {"smaller_bytes": smaller_bytes, "file_bytes": size_bytes}
    text = (
        f"Removed: {removed.tables} tables, {removed.functions} functions, {removed.cells} cells. "
        f"The file has {size_bytes} bytes"
    )
    text += f", {smaller_bytes} fewer than before." if vacuum else "."
    return told(facts, text, as_json=as_json)


def told(facts: dict[str, Any], text: str, *, as_json: bool) -> int:
    """Prints what was done: facts for programs, or a text for people."""
    if as_json:
        return print_json(facts)
    Terminal().write(text if text.endswith("\n") else f"{text}\n")
    return exits.SUCCESS


def print_json(data: Any) -> int:
    Terminal().write_utf8(json.dumps(data, ensure_ascii=False) + "\n")
    return exits.SUCCESS
