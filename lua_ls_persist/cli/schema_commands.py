"""The options of the command about schemas; `schema` does the work."""

from __future__ import annotations

import click

from lua_ls_persist.cli.parameters import SessionOptions, stored_session_options

_FILE_OR_STREAM = click.Path(dir_okay=False, allow_dash=True)


@click.command("schema", short_help="Show, set, derive and check schemas of tables.")
@click.argument("table", required=False)
@click.option("--set", "source", type=_FILE_OR_STREAM, help="Set it from a file (-: JSON).")
@click.option(
    "--class",
    "class_name",
    metavar="NAME",
    help="With --set: the class to take from a file with annotations.",
)
@click.option("--derive", is_flag=True, help="Make one from the rows that are there, and print it.")
@click.option("--drop", is_flag=True, help="Take it away.")
@click.option("--check", is_flag=True, help="Tell what does not follow its schema.")
@click.option("--annotations", is_flag=True, help="Print it as LuaCATS annotations.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@stored_session_options
def schema_command(
    table: str | None,
    source: str | None,
    class_name: str | None,
    derive: bool,
    drop: bool,
    check: bool,
    annotations: bool,
    as_json: bool,
    session: SessionOptions,
) -> int:
    """Show the schema of TABLE, such as users or Memory.users; without TABLE, all schemas.

    --set takes a file of JSON, a Lua file that returns a definition, or one with ---@class
    annotations. If rows that are there do not follow it, they are listed and nothing is changed.
    """
    named = {
        "set": source is not None,
        "derive": derive,
        "drop": drop,
        "check": check,
        "annotations": annotations,
    }
    wanted = [name for name, is_wanted in named.items() if is_wanted]
    if len(wanted) > 1:
        raise click.UsageError(f"Give one of {', '.join(f'--{name}' for name in wanted)}.")
    what = wanted[0] if wanted else "show"
    if table is None and what not in ("show", "check"):
        raise click.UsageError(f"--{what} needs a TABLE.")
    if class_name is not None and what != "set":
        raise click.UsageError("--class goes with --set.")
    from lua_ls_persist.cli.schema import schema

    return schema(table, what, source, class_name, session, as_json=as_json)
