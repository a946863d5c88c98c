"""The options of the commands about what a session has stored; `stored` does the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lua_ls_persist.cli.parameters import SessionOptions, stored_session_options

Command = TypeVar("Command", bound=Callable[..., object])

_FILE = click.Path(dir_okay=False, path_type=Path)
_FILE_OR_STREAM = click.Path(dir_okay=False, allow_dash=True)


def stored_options(command: Command) -> Command:
    """The options that all of these commands have."""
    decorated: Any = command
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        click.option(
            "--db",
            metavar="PATH",
            type=click.Path(path_type=Path),
            help="The session's file. Default: the one of the current folder.",
        ),
    ):
        decorated = option(decorated)
    result: Command = decorated
    return result


def limit_option(what: str, default: int | None = None) -> Callable[[Command], Command]:
    """The option of all commands that list something."""
    return click.option(
        "-n",
        "--limit",
        metavar="COUNT",
        type=click.IntRange(min=1),
        default=default,
        show_default=default is not None,
        help=f"{what}. Otherwise all." if default is None else f"{what}.",
    )


@click.command("tables", short_help="List the named tables of a session.")
@limit_option("No more than so many tables")
@stored_options
def tables_command(limit: int | None, db: Path | None, as_json: bool) -> int:
    """List the named tables that are stored, and how many entries they have."""
    from lua_ls_persist.cli.stored import tables

    return tables(db, limit, as_json=as_json)


@click.command("functions", short_help="List the stored functions.")
@click.option("--text", "with_text", is_flag=True, help="Show their definitions, too.")
@limit_option("No more than so many functions")
@stored_options
def functions_command(with_text: bool, limit: int | None, db: Path | None, as_json: bool) -> int:
    """List the functions that are stored: path, parameters, where they are defined, upvalues."""
    from lua_ls_persist.cli.stored import functions

    return functions(db, limit, with_text=with_text, as_json=as_json)


@click.command(
    "call",
    short_help="Call a stored function.",
    # What looks like an option behind the path is an argument: -1.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("path")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole evaluation as a JSON object."
)
@stored_session_options
def call_command(
    path: str, arguments: tuple[str, ...], as_json: bool, session: SessionOptions
) -> int:
    """Call the stored function at PATH, such as Memory.calculate, with ARGUMENTS.

    An argument is JSON if it can be read as that (3, true, "text", [1, 2], {"a": 1}), nil, and
    otherwise text as it stands. Options come before PATH.
    """
    from lua_ls_persist.cli.stored import call

    return call(path, arguments, session, as_json=as_json)


@click.command("recompile", short_help="Compile refused functions again from their sources.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--all", "every", is_flag=True, help="All functions whose code is refused.")
@stored_options
def recompile_command(paths: tuple[str, ...], db: Path | None, every: bool, as_json: bool) -> int:
    """Compile the stored functions at each PATH again from their stored sources, and sign them.

    For functions whose code is refused, because somebody else signed it or it was altered. Look at
    their definitions first (functions --text): they will run as yours.
    """
    if every == bool(paths):
        raise click.UsageError("Give either the paths of functions, or --all.")
    from lua_ls_persist.cli.stored import recompile

    return recompile(paths, db, every=every, as_json=as_json)


@click.command("backup", short_help="Write a copy of a session's file.")
@click.argument("target", type=_FILE)
@stored_options
def backup_command(target: Path, db: Path | None, as_json: bool) -> int:
    """Write a copy of everything that is stored to the file TARGET, while sessions go on."""
    from lua_ls_persist.cli.stored import backup

    return backup(target, db, as_json=as_json)


@click.command("restore", short_help="Go back to a backup.")
@click.argument("source", type=_FILE)
@click.option("--yes", is_flag=True, help="Do not ask whether what is there may be lost.")
@stored_options
def restore_command(source: Path, db: Path | None, yes: bool, as_json: bool) -> int:
    """Put the content of the backup SOURCE in the place of all that the session has stored."""
    from lua_ls_persist.cli.stored import restore

    return restore(source, db, yes=yes, as_json=as_json)


_FORMAT = click.option(
    "--format", "kind", type=click.Choice(["csv", "json", "jsonl"]), help="Of the rows' file."
)


@click.command("export", short_help="Write everything as JSON Lines, or a table's rows.")
@click.argument("target", type=_FILE_OR_STREAM, default="-")
@click.option("--table", metavar="PATH", help="Only the rows of this table, for other programs.")
@_FORMAT
@stored_options
def export_command(
    target: str, table: str | None, kind: str | None, db: Path | None, as_json: bool
) -> int:
    """Write everything that is stored as JSON Lines to TARGET, or to standard output (-).

    With --table, the rows of one table as CSV, JSON or JSON Lines, as far as these can hold them.
    """
    if table is not None:
        from lua_ls_persist.cli.interchange import export_table

        return export_table(target, table, kind, db, as_json=as_json)
    if kind is not None:
        raise click.UsageError("--format is for the rows of a table: name one with --table.")
    from lua_ls_persist.cli.stored import export

    return export(target, db, as_json=as_json)


@click.command("import", short_help="Read what `export` wrote, or rows into a table.")
@click.argument("source", type=_FILE_OR_STREAM)
@click.option(
    "--table", metavar="PATH", help="Store rows of CSV, JSON or JSON Lines in this table."
)
@_FORMAT
@click.option("--key", metavar="COLUMN", help="The column that is the row's key.")
@click.option("--infer", is_flag=True, help="Columns of numbers and booleans in CSV become such.")
@click.option("--text", multiple=True, metavar="COLUMN", help="It stays text all the same.")
@click.option("--skip", multiple=True, metavar="COLUMN", help="It is left out of the rows.")
@click.option("--replace", is_flag=True, help="Rows take the place of others with the same key.")
@stored_options
def import_command(
    source: str,
    table: str | None,
    kind: str | None,
    key: str | None,
    infer: bool,
    text: tuple[str, ...],
    skip: tuple[str, ...],
    replace: bool,
    db: Path | None,
    as_json: bool,
) -> int:
    """Read what `export` wrote, from SOURCE or standard input (-), into a session without data.

    With --table, store the rows of a file of CSV, JSON or JSON Lines in a table: all or none.
    """
    if table is not None:
        from lua_ls_persist.cli.interchange import Rows, import_table

        rows = Rows(table, kind, key, infer, text, skip, replace)
        return import_table(source, rows, db, as_json=as_json)
    if kind is not None or key is not None or infer or text or skip or replace:
        raise click.UsageError("These options are for rows: name the table with --table.")
    from lua_ls_persist.cli.stored import import_

    return import_(source, db, as_json=as_json)


@click.command("collect", short_help="Remove what nothing reaches any more.")
@click.option("--vacuum", is_flag=True, help="Give the free space back to the disk.")
@stored_options
def collect_command(db: Path | None, vacuum: bool, as_json: bool) -> int:
    """Remove the tables and functions that no named table reaches, and no image of a VM."""
    from lua_ls_persist.cli.stored import collect

    return collect(db, vacuum=vacuum, as_json=as_json)


@click.command("compress", short_help="Compress the strings of tables.")
@click.argument("table", required=False)
@click.option("--vacuum", is_flag=True, help="Give the free space back to the disk.")
@stored_options
def compress_command(table: str | None, db: Path | None, vacuum: bool, as_json: bool) -> int:
    """Compress the strings of TABLE, a path such as users or Memory.log, or of all named tables.

    For those that are like each other: a dictionary is made of them. No data change.
    """
    from lua_ls_persist.cli.compression import compress

    return compress(table, db, vacuum=vacuum, as_json=as_json)


COMMANDS = (
    tables_command,
    functions_command,
    call_command,
    recompile_command,
    backup_command,
    restore_command,
    export_command,
    import_command,
    collect_command,
    compress_command,
)
