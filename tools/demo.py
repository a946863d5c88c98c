"""`make demo`: a language server evaluates the example files; what an editor shows is printed.

Each file is shown with the results behind their lines, errors below theirs, and the program's
output.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from tools.editor import SERVER, Editor, View, open_folder

EXAMPLES = Path(__file__).resolve().parent.parent / "lua" / "examples"
WIDTH_WITHOUT_TERMINAL = 130
CODE_WIDTH_MIN = 40
DEMO_TIME_S_MAX = 120.0


async def show_examples(console: Console, editor: Editor, paths: list[Path]) -> None:
    note = ", the start of the VM included"
    for path in paths:
        editor.open(path)
        start = time.perf_counter()
        view = await editor.evaluate(path)
        took = f"{(time.perf_counter() - start) * 1000:.1f} ms from request to screen{note}"
        show(console, path, view, took)
        note = ""


def show(console: Console, path: Path, view: View, took: str) -> None:
    """Print one file the way an editor would show it."""
    verdict = Text("ok", "bold green") if view.result["ok"] else Text("error", "bold red")
    console.rule(Text.assemble((path.name, "bold"), "  ", verdict), align="left", style="dim")
    hints: dict[int, list[str]] = {}
    for number, text in view.hints:
        hints.setdefault(number, []).append(text)
    for number, code in enumerate(highlighted_lines(path)):
        shown = "".join(f"  {hint.strip()}" for hint in hints.get(number, []))
        line = Text.assemble((f"{number + 1:4} ", "dim"), code)
        if shown:
            # On a narrow screen the end of the code gives way to its result.
            line.truncate(max(console.width - len(shown), CODE_WIDTH_MIN), overflow="ellipsis")
            line.append(shown, "italic cyan")
        console.print(line, overflow="ellipsis", no_wrap=True)
        for diagnostic in view.diagnostics:
            if diagnostic.range.start.line == number:
                show_diagnostic(console, diagnostic, width=len(code.plain))
    if view.output:
        console.print(Text("output", "dim"))
        for printed in view.output.splitlines():
            console.print(Text.assemble(("  │ ", "dim"), printed.expandtabs()))
    console.print(Text(f"{took}\n", "dim"))


def show_diagnostic(console: Console, diagnostic: types.Diagnostic, width: int) -> None:
    """Underline the place and name the problem; the way to it follows, outermost last."""
    start, end = diagnostic.range.start, diagnostic.range.end
    last = end.character if end.line == start.line else width
    marks = " " * (5 + start.character) + "^" * max(1, last - start.character)
    if len(marks) + 1 + len(diagnostic.message) <= console.width:
        console.print(Text.assemble((marks, "bold red"), " ", (diagnostic.message, "red")))
    else:
        console.print(Text(marks, "bold red"))
        console.print(Padding(Text(diagnostic.message, "red"), (0, 0, 0, 5), expand=False))
    for related in diagnostic.related_information or ():
        place = f"{Path(related.location.uri).name}:{related.location.range.start.line + 1}"
        console.print(Text(" " * 5 + f"{place}: {related.message}", "dim red"))


def highlighted_lines(path: Path) -> list[Text]:
    source = path.read_text(encoding="utf-8")
    text = Syntax("", "lua", theme="ansi_dark", background_color="default").highlight(source)
    text.expand_tabs(4)
    return list(text.split("\n", allow_blank=True))[: source.count("\n")]


async def run(console: Console, server: Sequence[str]) -> None:
    paths = sorted(EXAMPLES.glob("*.lua"))
    async with open_folder(EXAMPLES, server) as editor:
        await show_examples(console, editor, paths)
    console.print(
        f"{len(paths)} files evaluated in one Lua session; the server was stopped politely.",
        style="bold",
    )
    console.print(f"Type Lua yourself: {program()} repl")


def program() -> str:
    """Return how to call the installed program from the current folder."""
    path = Path(sys.executable).with_name("lua-ls-persist")
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def main(server: Sequence[str] = SERVER) -> int:
    """Run the demo; the exit status is 1 if the server does not answer."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
    try:
        asyncio.run(asyncio.wait_for(run(console, server), DEMO_TIME_S_MAX))
    except (RuntimeError, asyncio.TimeoutError) as error:
        print(f"error: the language server failed: {str(error) or 'no answer'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
