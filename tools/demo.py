"""`make demo`: a language server evaluates the example files; what an editor shows is printed.

Each file is shown with the results behind their lines, errors below theirs, and the program's
output. Then the server is stopped, a new one is started on the same folder, and what is still there
is shown, and what the files give when they are evaluated again. All of it happens in a copy of the
folder, so that it is the same each time.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lsprotocol import types
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from tools.demo_data import show_data, show_undo
from tools.editor import SERVER, Editor, View, open_folder

EXAMPLES = Path(__file__).resolve().parent.parent / "lua" / "examples"
WIDTH_WITHOUT_TERMINAL = 130
CODE_WIDTH_MIN = 40
DEMO_TIME_S_MAX = 120.0
READER_GONE = 141

EXPECTATION = re.compile(r" *-- expect.*")
"""What the examples say of themselves, which the tests check: the results are shown anyway."""

LOOK = """\
-- A new server on the same folder, in which nothing was evaluated yet.

for _, root in ipairs(ext.tables()) do
  print(root.name, root.entries)
end

print(#ext.functions() .. " functions, and what they share: " .. Memory.thermometer())

return Memory.todo
"""


async def evaluate_all(console: Console, editor: Editor, paths: list[Path]) -> dict[Path, View]:
    """Evaluate and show the files one after the other."""
    views = {}
    note = ", the start of the VM included"
    for path in paths:
        views[path] = await evaluate(console, editor, path, note)
        note = ""
    return views


async def evaluate(console: Console, editor: Editor, path: Path, note: str) -> View:
    """Open, evaluate and show one file."""
    editor.open(path)
    start = time.perf_counter()
    view = await editor.evaluate(path)
    took = f"{(time.perf_counter() - start) * 1000:.1f} ms from request to screen{note}"
    show(console, path, view, took)
    return view


async def evaluate_again(console: Console, editor: Editor, before: dict[Path, View]) -> None:
    """Evaluate the files once more; of each show the lines that give something else now."""
    table = Table.grid(padding=(0, 1))
    hint_width = console.width // 4
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=console.width // 2 - 4)
    table.add_column(no_wrap=True, overflow="ellipsis", style="dim", max_width=hint_width)
    table.add_column(no_wrap=True, overflow="ellipsis", style="italic cyan", max_width=hint_width)
    table.add_row("", "before the restart", Text("now", "dim"))
    same = 0
    for path, first in before.items():
        editor.open(path)
        second = await editor.evaluate(path)
        rows = sorted({row for row, _ in set(second.hints) ^ set(first.hints)})
        if not rows:
            same += 1
            continue
        table.add_row(Text(path.name, "bold"))
        lines = highlighted_lines(path)
        for row in rows:
            code = Text.assemble((f"{row + 1:4} ", "dim"), lines[row] or "")
            was, now = ("  ".join(hints_of(view, row)) or "-" for view in (first, second))
            table.add_row(code, was, now)
    console.print(table)
    console.print(Text(f"{same} files give the same as before.\n", "dim"))


def show(console: Console, path: Path, view: View, took: str) -> None:
    """Print one file the way an editor would show it."""
    verdict = Text("ok", "bold green") if view.result["ok"] else Text("error", "bold red")
    console.rule(Text.assemble((path.name, "bold"), "  ", verdict), align="left", style="dim")
    for row, code in enumerate(highlighted_lines(path)):
        hints = hints_of(view, row)
        diagnostics = [item for item in view.diagnostics if item.range.start.line == row]
        if code is None and not hints and not diagnostics:
            continue
        show_line(console, row, code, hints)
        for diagnostic in diagnostics:
            show_diagnostic(console, diagnostic, width=0 if code is None else len(code.plain))
    if view.output:
        console.print(Text("output", "dim"))
        for printed in view.output.splitlines():
            console.print(Text.assemble(("  │ ", "dim"), printed.expandtabs()))
    console.print(Text(f"{took}\n", "dim"))


def hints_of(view: View, row: int) -> list[str]:
    """What the editor shows behind a line."""
    return [text.strip() for number, text in view.hints if number == row]


def show_line(console: Console, row: int, code: Text | None, hints: list[str]) -> None:
    """Print a line of code with what is shown behind it."""
    shown = "".join(f"  {hint}" for hint in hints)
    line = Text.assemble((f"{row + 1:4} ", "dim"), code or "")
    if shown:
        # On a narrow screen the end of the code gives way to its result.
        line.truncate(max(console.width - len(shown), CODE_WIDTH_MIN), overflow="ellipsis")
        line.append(shown, "italic cyan")
    console.print(line, overflow="ellipsis", no_wrap=True)


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


def highlighted_lines(path: Path) -> list[Text | None]:
    """The lines of a file without its expectations; None for a line that is nothing else."""
    source = path.read_text(encoding="utf-8")
    text = Syntax("", "lua", theme="ansi_dark", background_color="default").highlight(source)
    lines = text.split("\n", allow_blank=True)[: source.count("\n")]
    return list(_without_expectations(lines))


def _without_expectations(lines: Sequence[Text]) -> Iterator[Text | None]:
    for line in lines:
        match = EXPECTATION.search(line.plain)
        if match is not None:
            line.right_crop(len(line) - match.start())
        line.expand_tabs(4)
        yield None if match is not None and match.start() == 0 else line


def copied_examples(place: Path) -> list[Path]:
    """The example files, and last the one that looks what is there, in a folder of their own."""
    folder = place.resolve() / EXAMPLES.name
    shutil.copytree(EXAMPLES, folder)
    paths = sorted(folder.glob("*.lua"))
    look = folder / "look.lua"
    look.write_text(LOOK, encoding="utf-8")
    return [*paths, look]


async def run(console: Console, server: Sequence[str], files: list[Path]) -> None:
    """Evaluate the files, with a restart of the server, and again."""
    *paths, look = files
    folder = look.parent
    async with open_folder(folder, server) as editor:
        views = await evaluate_all(console, editor, paths)
    console.rule(Text("The server was stopped, and a new one started", "bold"), style="cyan")
    console.print()
    async with open_folder(folder, server) as editor:
        await show_data(console, editor)
        await evaluate(console, editor, look, ", the start of the VM included")
        console.rule(Text("the same files again", "bold"), align="left", style="dim")
        await evaluate_again(console, editor, views)
        await show_undo(console, editor)
    console.print(
        f"{len(paths)} files evaluated, by two servers, in one session that forgets nothing.",
        style="bold",
    )
    console.print(f"Type Lua yourself: {program()} repl --db session.db")


def program() -> str:
    """Return how to call the installed program from the current folder."""
    path = Path(sys.executable).with_name("lua-ls-persist")
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


class _Console(Console):
    """Raises when the reader of the output has gone, instead of ending the process from within."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def main(server: Sequence[str] = SERVER) -> int:
    """Run the demo; the exit status is 1 if the server does not answer."""
    console = _Console(highlight=False)
    if not console.is_terminal:
        console = _Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
    try:
        with tempfile.TemporaryDirectory(prefix="lua-ls-persist-demo-") as place:
            files = copied_examples(Path(place))
            asyncio.run(asyncio.wait_for(run(console, server, files), DEMO_TIME_S_MAX))
    except BrokenPipeError:
        # The interpreter's last flush would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (RuntimeError, asyncio.TimeoutError) as error:
        print(f"error: the language server failed: {str(error) or 'no answer'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
