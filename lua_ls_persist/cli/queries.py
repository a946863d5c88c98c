"""The commands that ask about stored rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.progress import waited
from lua_ls_persist.cli.stored import listed, opened_to_look, print_json
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.jsonable import group_to_json, page_to_json
from lua_ls_persist.model import Preview, QueryPage, QueryRow, Value
from lua_ls_persist.pretty import is_name, one_line, quoted

COLUMNS_MAX: Final = 12
"""So many fields of the rows are shown where nobody says which: the most frequent ones."""
CELL_WIDTH_MAX: Final = 40
SEARCHING: Final = "Searching"


def query(question: dict[str, Any], db: Path | None, *, as_json: bool) -> int:
    """Shows a page of rows."""
    table, arguments = _asked(question)
    with opened_to_look(db) as session, waited(SEARCHING):
        page = session.query(table, **arguments)
    if as_json:
        return print_json(page_to_json(page))
    terminal = Terminal()
    if page.rows:
        terminal.write(_as_text(page, question["select"]))
    else:
        terminal.write_error("No rows.\n")
    if page.next is not None:
        terminal.write_error(f"There are more rows: --after {page.next}\n")
    return exits.SUCCESS


def count(table: str, conditions: Sequence[str], db: Path | None, *, as_json: bool) -> int:
    """Prints how many rows there are."""
    where = _where(conditions)
    with opened_to_look(db) as session, waited(SEARCHING):
        rows = session.count(table, where)
    if as_json:
        return print_json({"count": rows})
    Terminal().write(f"{rows}\n")
    return exits.SUCCESS


def explain(question: dict[str, Any], db: Path | None, *, as_json: bool) -> int:
    """Tells how rows are found."""
    table, arguments = _asked(question)
    with opened_to_look(db) as session, waited(SEARCHING):
        explanation = session.explain(table, **arguments)
    if as_json:
        return print_json(asdict(explanation))
    Terminal().write(f"{explanation}\n")
    return exits.SUCCESS


def aggregate(question: dict[str, Any], db: Path | None, *, as_json: bool) -> int:
    """Tells facts about groups of rows."""
    from lua_ls_persist.query.groups import greatest_first

    table, arguments = _asked(question)
    limit = arguments.pop("limit")
    with opened_to_look(db) as session, waited(SEARCHING):
        found = session.aggregate(table, **arguments)
    groups = listed(found if limit is None else greatest_first(found), limit, "groups")
    if as_json:
        return print_json([group_to_json(group) for group in groups])
    facts = [name for name in ("count", "sum", "min", "max", "avg") if arguments[name]]
    lines: list[list[Value]] = [
        [
            *(group.group.get(name) for name in arguments["group_by"]),
            *(getattr(group, name) for name in facts),
        ]
        for group in groups
    ]
    headings = [f"{name} {arguments[name]}" if name != "count" else name for name in facts]
    if lines:
        Terminal().write(_table([*arguments["group_by"], *headings], lines))
    else:
        Terminal().write_error("No rows.\n")
    return exits.SUCCESS


def _asked(question: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The table and the arguments of `Session.query` that the options mean."""
    arguments = dict(question)
    table = arguments.pop("table")
    arguments["where"] = _where(arguments.pop("conditions"))
    return table, arguments


def _where(conditions: Sequence[str]) -> list[Any]:
    from lua_ls_persist.query.text import parse_condition_text

    return [parse_condition_text(condition) for condition in conditions]


def _as_text(page: QueryPage, select: Sequence[str]) -> str:
    """The rows as a table with a heading."""
    rows = [_cells(row) for row in page.rows]
    names = list(select) or _columns(rows)
    lines: list[list[Value]] = [
        [row.key, *(cells.get(name) for name in names)]
        for row, cells in zip(page.rows, rows, strict=True)
    ]
    return _table(["key", *names], lines)


def _table(headings: Sequence[str], values: Sequence[Sequence[Value]]) -> str:
    """Values in columns, with headings; nil is left out, and numbers stand to the right."""
    lines = [list(headings), *([_cell(value) for value in line] for line in values)]
    numeric = [
        all(value is None or _is_number(value) for value in column)
        for column in zip(*values, strict=True)
    ]
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def _cells(row: QueryRow) -> Mapping[str, Value]:
    """The fields of a row by name; a value that is no table is the field `value`."""
    if isinstance(row.value, Mapping):
        return row.value
    if not isinstance(row.value, Preview) or row.value.kind != "table":
        return {"value": row.value}
    return {_column(key): value for key, value in row.value.entries}


def _column(key: Value) -> str:
    return key if isinstance(key, str) and is_name(key) else f"[{one_line(key)}]"


def _columns(rows: Sequence[Mapping[str, Value]]) -> list[str]:
    """The most frequent fields, in the order in which they come."""
    counts = Counter(name for cells in rows for name in cells)
    frequent = {name for name, _ in counts.most_common(COLUMNS_MAX)}
    return [name for name in counts if name in frequent]


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and value.isprintable():
        text = value
    elif isinstance(value, (str, bytes)):
        text = quoted(value)
    else:
        text = one_line(value)
    return text if len(text) <= CELL_WIDTH_MAX else f"{text[: CELL_WIDTH_MAX - 3]}..."


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
