"""The options of the commands that change what is stored; `changing` does the work."""

from __future__ import annotations

from pathlib import Path

import click

from lua_ls_persist.cli.parameters import SessionOptions, stored_session_options
from lua_ls_persist.cli.stored_commands import stored_options

_FILE_OR_STREAM = click.Path(dir_okay=False, allow_dash=True)
_AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print the whole evaluation as a JSON object."
)


def _one_value(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> str:
    """The value alone: whoever writes `--` before it wants to be sure that it is no option."""
    value, *others = values[1:] if values[0] == "--" and len(values) > 1 else values
    if others:
        raise click.UsageError(f"Got unexpected extra argument ({' '.join(others)})")
    return value


@click.command(
    "set",
    short_help="Set what is stored at a path.",
    # What looks like an option behind the path is a value: -1.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("path")
@click.argument(
    "value", nargs=-1, required=True, type=click.UNPROCESSED, metavar="VALUE", callback=_one_value
)
@_AS_JSON
@stored_session_options
def set_command(path: str, value: str, as_json: bool, session: SessionOptions) -> int:
    """Set the entry at PATH, such as Memory.users.ann.age, to VALUE.

    The value is JSON if it can be read as that (3, true, "text", [1, 2], {"a": 1}), nil (which
    removes the entry), and otherwise text as it stands. Options come before PATH.
    """
    from lua_ls_persist.cli.changing import set_

    return set_(path, value, session, as_json=as_json)


@click.command("delete", short_help="Remove what is stored at a path.")
@click.argument("path")
@_AS_JSON
@stored_session_options
def delete_command(path: str, as_json: bool, session: SessionOptions) -> int:
    """Remove the entry at PATH, such as Memory.users.ann; prints whether there was one."""
    from lua_ls_persist.cli.changing import delete

    return delete(path, session, as_json=as_json)


@click.command("drop", short_help="Forget a named table.")
@click.argument("table")
@stored_options
def drop_command(table: str, db: Path | None, as_json: bool) -> int:
    """Forget the table that is named TABLE, with all that is in it; undo brings it back.

    What something else refers to stays; the rest is removed some time later, by collect.
    """
    from lua_ls_persist.cli.changing import drop

    return drop(table, db, as_json=as_json)


@click.command("batch", short_help="Do many operations, all of them or none.")
@click.argument("source", type=_FILE_OR_STREAM)
@_AS_JSON
@stored_session_options
def batch_command(source: str, as_json: bool, session: SessionOptions) -> int:
    """Do the operations of SOURCE, or standard input (-): JSON Lines, up to 10,000 of them.

    Each line is an object with what ext.batch takes: {"op": "set", "table": "users", "key": "ann",
    "value": {"age": 41}}. Prints the results of get, query and count, and the keys of
    insert. If one fails, nothing is done.
    """
    from lua_ls_persist.cli.changing import batch

    return batch(source, session, as_json=as_json)


@click.command("migrate", short_help="Bring the rows of a table to a new version.")
@click.argument("table")
@click.argument("version", type=click.IntRange(min=1))
@click.argument("source", type=_FILE_OR_STREAM)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@_AS_JSON
@stored_session_options
def migrate_command(
    table: str, version: int, source: str, dry_run: bool, as_json: bool, session: SessionOptions
) -> int:
    """Bring the rows of TABLE to VERSION by the Lua file SOURCE, or standard input (-), once.

    The file is a function, function(row, key) ... end, or what such a function does.
    """
    from lua_ls_persist.cli.changing import migrate

    return migrate(table, version, source, session, dry_run=dry_run, as_json=as_json)


COMMANDS = (set_command, delete_command, drop_command, batch_command, migrate_command)
