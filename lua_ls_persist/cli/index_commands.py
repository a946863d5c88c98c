"""The options of the commands about indexes; `indexes` does the work."""

from __future__ import annotations

from pathlib import Path

import click

from lua_ls_persist.cli.stored_commands import limit_option, stored_options


@click.group("index", short_help="List, create, drop and rebuild indexes.")
def index_group() -> None:
    """Indexes of stored tables: queries by their fields are fast."""


@index_group.command("list", short_help="List indexes.")
@click.argument("table", required=False)
@limit_option("No more than so many indexes")
@stored_options
def list_command(table: str | None, limit: int | None, db: Path | None, as_json: bool) -> int:
    """List all indexes, or those of TABLE, such as users or Memory.users."""
    from lua_ls_persist.cli.indexes import list_

    return list_(table, db, limit, as_json=as_json)


@index_group.command("create", short_help="Create an index.")
@click.argument("table")
@click.argument("fields", nargs=-1, required=True, metavar="FIELD...")
@click.option(
    "--kind",
    type=click.Choice(["btree", "hash", "text"]),
    default="btree",
    show_default=True,
    help="For order and ranges, for equality only, or for words (matches).",
)
@click.option("--unique", is_flag=True, help="No two rows may have the same.")
@click.option("--each", is_flag=True, help="One entry for each element of the field, an array.")
@stored_options
def create_command(
    table: str,
    fields: tuple[str, ...],
    kind: str,
    unique: bool,
    each: bool,
    db: Path | None,
    as_json: bool,
) -> int:
    """Create an index of TABLE by one FIELD or several, such as age or address.city.

    One that is there already is left as it is.
    """
    from lua_ls_persist.cli.indexes import create

    return create(table, fields, db, kind=kind, unique=unique, each=each, as_json=as_json)


@index_group.command("drop", short_help="Drop an index.")
@click.argument("table", metavar="TABLE|NAME")
@click.argument("fields", nargs=-1, metavar="[FIELD]...")
@stored_options
def drop_command(table: str, fields: tuple[str, ...], db: Path | None, as_json: bool) -> int:
    """Drop the index of TABLE by these FIELDs, or the one called NAME, such as 'users(age)'."""
    from lua_ls_persist.cli.indexes import drop

    return drop(table, fields, db, as_json=as_json)


@index_group.command("rebuild", short_help="Make indexes anew from the data.")
@click.argument("table", required=False, metavar="[TABLE|NAME]")
@click.argument("fields", nargs=-1, metavar="[FIELD]...")
@stored_options
def rebuild_command(
    table: str | None, fields: tuple[str, ...], db: Path | None, as_json: bool
) -> int:
    """Make all indexes anew, the one of TABLE by these FIELDs, or the one called NAME.

    They are always up to date, unless somebody has written entries with another SQLite tool.
    """
    from lua_ls_persist.cli.indexes import rebuild

    return rebuild(table, fields, db, as_json=as_json)
