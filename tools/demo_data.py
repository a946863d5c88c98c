"""The part of the demo about data: what an editor shows of tables, functions and the history.

After the restart and before anything is evaluated: all of it comes from the session's file.
"""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tools.editor import Editor

PEOPLE = "people"
OLDEST = {"table": PEOPLE, "order_by": "age", "descending": True, "limit": 5}
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
PROBE = "return Memory.thermometer\nreturn Memory.ga\n"


async def show_data(console: Console, editor: Editor) -> None:
    """Print tables, rows, what a query used, a hover and a completion."""
    _title(console, "tables")
    tables = (await editor.command("tables", {}))["tables"]
    grid = Table("name", "entries", "indexes", "schema", box=None, header_style="dim")
    for table in tables:
        schema = "yes" if table["has_schema"] else ""
        grid.add_row(table["name"], str(table["entries"]), str(table["indexes"] or ""), schema)
    console.print(Padding(grid, (0, 0, 1, 2)))

    _title(console, f"{PEOPLE}, the oldest first")
    page = await editor.command("rows", OLDEST)
    columns = [column["name"] for column in page["columns"]]
    rows = Table("key", *columns, box=None, header_style="dim")
    for row in page["rows"]:
        rows.add_row(row["key"]["text"], *(_text(cell) for cell in row["cells"]))
    console.print(Padding(rows, (0, 0, 0, 2)))
    plan = await editor.command("explain", OLDEST)
    found = (
        f"{len(page['rows'])} of {page['filtered']} rows, "
        f"index {plan['index'] or 'none'}, {plan['rows_examined']} looked at"
    )
    console.print(Text(f"  {found}\n", "dim"))

    _title(console, "hover and completion, before anything was evaluated")
    uri = editor.scratch(PROBE)
    # Where a link leads is another place each time.
    hover = LINK.sub(r"\1", await editor.hover(uri, 0, 18))
    console.print(Padding(Markdown(hover, code_theme="ansi_dark"), (0, 0, 0, 2)))
    labels = await editor.completion(uri, 1, 16)
    console.print(Text.assemble(("  Memory.ga", "bold"), ("‸  ", "cyan"), ", ".join(labels), "\n"))


async def show_undo(console: Console, editor: Editor) -> None:
    """Undo the last evaluation; print what that did."""
    _title(console, "undo of the last evaluation")
    went = await editor.command("undo", {})
    console.print(Text(f"  {went['text']}\n"))


def _title(console: Console, text: str) -> None:
    console.rule(Text(text, "bold"), align="left", style="dim")


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell["text"])
