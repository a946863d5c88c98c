"""The options of the commands that ask about stored rows; `queries` does the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lua_ls_persist.cli.stored_commands import limit_option, stored_options

Command = TypeVar("Command", bound=Callable[..., object])

_CONDITIONS = click.argument("conditions", nargs=-1, metavar="[CONDITION]...")


def _query_options(command: Command) -> Command:
    """The options about which rows, in which order."""
    decorated: Any = command
    for option in (
        click.option(
            "--select", "select", metavar="FIELD", multiple=True, help="Show this field; repeat."
        ),
        click.option("--after", metavar="CURSOR", help="Go on where another page ended."),
        limit_option("No more than so many rows", 100),
        click.option("--descending", is_flag=True, help="Turn the order round."),
        click.option(
            "--order-by", "order_by", metavar="FIELD", multiple=True, help="Order by it; repeat."
        ),
    ):
        decorated = option(decorated)
    result: Command = decorated
    return result


@click.command("query", short_help="Show the rows of a table that fulfil conditions.")
@click.argument("table")
@_CONDITIONS
@_query_options
@stored_options
def query_command(db: Path | None, as_json: bool, **question: Any) -> int:
    """Show the rows of TABLE, such as users or Memory.users, that fulfil each CONDITION.

    A condition is text such as 'age > 25', 'name startsWith A', 'city in Rome, Oslo' or 'age
    exists', or JSON such as {"any": [["age", "<", 20], ["age", ">", 60]]}.
    """
    from lua_ls_persist.cli.queries import query

    return query(question, db, as_json=as_json)


@click.command("count", short_help="Count the rows of a table that fulfil conditions.")
@click.argument("table")
@_CONDITIONS
@stored_options
def count_command(table: str, conditions: tuple[str, ...], db: Path | None, as_json: bool) -> int:
    """Count the rows of TABLE that fulfil each CONDITION, which are those of query."""
    from lua_ls_persist.cli.queries import count

    return count(table, conditions, db, as_json=as_json)


@click.command("explain", short_help="Tell how a query finds its rows.")
@click.argument("table")
@_CONDITIONS
@_query_options
@stored_options
def explain_command(db: Path | None, as_json: bool, **question: Any) -> int:
    """Tell how query finds its rows: through which index, how many it looks at, and the SQL."""
    from lua_ls_persist.cli.queries import explain

    return explain(question, db, as_json=as_json)


@click.command("aggregate", short_help="Tell facts about groups of rows.")
@click.argument("table")
@_CONDITIONS
@click.option("--group-by", "group_by", metavar="FIELD", multiple=True, help="Group by it; repeat.")
@click.option("--count", is_flag=True, help="How many rows a group has.")
@click.option("--sum", metavar="FIELD", help="The sum of a field's numbers.")
@click.option("--min", metavar="FIELD", help="The least value of a field.")
@click.option("--max", metavar="FIELD", help="The greatest value of a field.")
@click.option("--avg", metavar="FIELD", help="The mean of a field's numbers.")
@limit_option("So many groups, those with the greatest result first")
@stored_options
def aggregate_command(db: Path | None, as_json: bool, **question: Any) -> int:
    """Tell facts about groups of the rows of TABLE that fulfil each CONDITION.

    The conditions are those of query. Without --group-by all rows are one group.
    """
    from lua_ls_persist.cli.queries import aggregate

    return aggregate(question, db, as_json=as_json)


COMMANDS = (query_command, count_command, aggregate_command, explain_command)
