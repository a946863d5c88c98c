"""The options of the commands about the history; `history` does the work."""

from __future__ import annotations

from pathlib import Path

import click

from lua_ls_persist.cli.stored_commands import limit_option, stored_options

_COUNT = click.argument("count", type=click.IntRange(min=1), default=1)


@click.command("history", short_help="List the evaluations that changed what is stored.")
@limit_option("No more than so many evaluations", 20)
@click.option("--source", "with_source", is_flag=True, help="Show their whole sources, too.")
@click.option("--forget", is_flag=True, help="Forget all of them: nothing can be undone any more.")
@stored_options
def history_command(
    limit: int, with_source: bool, forget: bool, db: Path | None, as_json: bool
) -> int:
    """List the newest evaluations that changed what is stored: number, time, what they changed."""
    from lua_ls_persist.cli import history

    if forget:
        return history.forget(db, as_json=as_json)
    return history.show(db, limit, with_source=with_source, as_json=as_json)


@click.command("undo", short_help="Undo the last evaluations that changed what is stored.")
@_COUNT
@stored_options
def undo_command(count: int, db: Path | None, as_json: bool) -> int:
    """Undo the last evaluation that changed what is stored, or the last COUNT of them.

    All of them or none: it is refused where another session has changed the same since.
    """
    from lua_ls_persist.cli import history

    return history.go(db, count, undone=True, as_json=as_json)


@click.command("redo", short_help="Redo evaluations that were undone.")
@_COUNT
@stored_options
def redo_command(count: int, db: Path | None, as_json: bool) -> int:
    """Redo the evaluation that was undone last, or the last COUNT of them.

    Possible until something else is stored.
    """
    from lua_ls_persist.cli import history

    return history.go(db, count, undone=False, as_json=as_json)


@click.command("diff", short_help="Show what changed between two evaluations.")
@click.argument("before", type=click.IntRange(min=0), default=0)
@click.argument("after", type=click.IntRange(min=0), required=False)
@limit_option("No more than so many differences", 1000)
@stored_options
def diff_command(before: int, after: int | None, limit: int, db: Path | None, as_json: bool) -> int:
    """Show how what is stored differs after evaluation BEFORE and after evaluation AFTER.

    BEFORE 0, the default, is what there was before the oldest evaluation of the history. Without
    AFTER it is what there is now.
    """
    from lua_ls_persist.cli import history

    return history.diff(db, before, after, limit, as_json=as_json)


COMMANDS = (history_command, undo_command, redo_command, diff_command)
