"""`lua-ls-persist repl`: what is typed is evaluated, again and again, in one session.

On a terminal, prompt_toolkit reads the input: history, completion, several lines. From a pipe,
lines are read as they come, without prompts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lua_ls_persist._version import __version__
from lua_ls_persist.cli import exits
from lua_ls_persist.cli.parameters import SessionOptions
from lua_ls_persist.cli.running import Run, run
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.pretty import pretty_values

if TYPE_CHECKING:
    from lua_ls_persist.model import MemoryStats
    from lua_ls_persist.session import Session, SyntaxChecker

RESULT_MARK = "=> "
UNFINISHED = "near <eof>"
"""How Lua's compiler ends its message when the source could go on."""


def repl(options: SessionOptions) -> int:
    """Runs the loop until the input ends or the user does; gives the exit status."""
    from lua_ls_persist.session import Session, SyntaxChecker

    here = Path.cwd()
    with (
        Session.open(options.db, folders=(here,), **options.arguments()) as session,
        SyntaxChecker() as checker,
    ):
        loop = Loop(session, checker, Terminal())
        if sys.stdin.isatty() and sys.stdout.isatty():
            from lua_ls_persist.cli.interactive import interact

            return interact(loop)
        loop.terminal.note(session.read_only)
        return _read_lines(loop)


def _read_lines(loop: Loop) -> int:
    """Input from a pipe: each piece is evaluated as soon as it is complete."""
    pending, first_line = b"", 1
    status = exits.SUCCESS
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not pending:
            first_line = number
            command = line.decode("utf-8", "replace").strip()
            if loop.is_command(command):
                if not loop.command(command):
                    return status
                continue
        pending += line
        if not pending.strip():
            pending = b""
        elif loop.is_complete(pending):
            status = max(status, _feed(loop, pending, first_line))
            pending = b""
            if status >= exits.INTERRUPTED:
                return status
    return max(status, _feed(loop, pending, first_line)) if pending else status


def _feed(loop: Loop, source: bytes, first_line: int) -> int:
    outcome = loop.evaluate(source, name="stdin", line=first_line - 1)
    if outcome.interrupted:
        return exits.INTERRUPTED
    if loop.terminal.broken:
        return exits.BROKEN_PIPE
    return exits.SUCCESS if outcome.evaluation.ok else exits.PROBLEM


@dataclass(frozen=True, slots=True)
class Loop:
    """What the loop does with input, however it was read."""

    session: Session
    checker: SyntaxChecker
    terminal: Terminal

    def is_complete(self, source: str | bytes) -> bool:
        """Whether the source is worth evaluating: it is whole, or wrong in a way more cannot mend.

        It may go on as an expression, `1 +`, or as a chunk, `if x then`.
        """
        text = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
        text += b"\n"  # ends a comment; and an open quote is wrong at the end of its line
        expression = self._complaint(b"return " + _without_equals(text))
        if expression is None:
            return True
        chunk = self._complaint(text)
        if chunk is None:
            return True
        return not any(message.endswith(UNFINISHED) for message in (expression, chunk))

    def _complaint(self, source: bytes) -> str | None:
        problems = self.checker.check(source, name="input")
        return problems[0].message if problems else None

    def evaluate(self, source: str | bytes, *, name: str, line: int = 0, width: int = 80) -> Run:
        """Evaluates a piece of input and shows what comes of it."""
        text = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
        terminal = self.terminal
        outcome = run(
            self.session,
            _without_equals(text, b"return "),
            name=name,
            line=line,
            on_output=terminal.live,
            unwanted=lambda: terminal.broken,
        )
        terminal.check()
        terminal.end_line()
        if outcome.evaluation.values:
            values = pretty_values(outcome.evaluation.values, width=width - len(RESULT_MARK))
            terminal.write(RESULT_MARK, style="mark")
            terminal.lua(f"{values}\n")
        if not terminal.broken:
            for problem in outcome.evaluation.problems:
                terminal.problem(problem)
        return outcome

    @staticmethod
    def is_command(text: str) -> bool:
        """Whether the input is for the loop itself. Lua's labels start with two colons."""
        return text.startswith(":") and not text.startswith("::")

    def command(self, text: str) -> bool:
        """Obeys a command; false if it ends the loop."""
        action = COMMANDS.get(text)
        if text in QUIT:
            return False
        if action is None:
            self.terminal.write_error(
                f"{text} is not a command; :help lists them.\n", style="error"
            )
        else:
            try:
                self.terminal.write(f"{action.run(self)}\n")
            except (SessionError, StoreError) as error:
                self.terminal.write_error(f"{error}\n", style="error")
        return True


@dataclass(frozen=True, slots=True)
class Command:
    """Something the loop does when told to; `run` gives the answer to show."""

    description: str
    run: Callable[[Loop], str]


def _help(_loop: Loop) -> str:
    width = max(map(len, COMMANDS)) + 2
    return "\n".join(
        [
            "Type Lua: an expression, or statements. Unfinished input continues on the next line.",
            *(f"  {name:{width}}{command.description}" for name, command in COMMANDS.items()),
            "Tab completes, Alt-Enter evaluates at once, Up and Ctrl-R look into the history.",
            "Ctrl-C interrupts an evaluation or clears the input, Ctrl-D ends.",
        ]
    )


def _memory(loop: Loop) -> str:
    return _memory_text(loop.session.memory())


def _gc(loop: Loop) -> str:
    before = loop.session.memory().lua_bytes
    after = loop.session.collect_garbage()
    freed = max(before - after.lua_bytes, 0)
    return f"{_size(freed)} freed. {_memory_text(after)}"


def _tables(loop: Loop) -> str:
    tables = loop.session.tables()
    width = max(len(table.name) for table in tables)
    return "\n".join(f"{table.name:{width}}  {table.entries}" for table in tables)


def _functions(loop: Loop) -> str:
    functions = loop.session.functions()
    if not functions:
        return "No functions are stored."
    return "\n".join(
        f"{function.path}({function.signature})  {function.location}" for function in functions
    )


def _restart(loop: Loop) -> str:
    loop.session.restart()
    return "A fresh VM."


QUIT = (":quit", ":q")
COMMANDS: dict[str, Command] = {
    ":help": Command("this text", _help),
    ":tables": Command("the named tables, and how many entries they have", _tables),
    ":functions": Command("the stored functions", _functions),
    ":memory": Command("how much memory the VM uses", _memory),
    ":gc": Command("collect garbage", _gc),
    ":restart": Command("start again with a fresh VM; what is stored stays", _restart),
    QUIT[0]: Command("end", lambda _loop: ""),
}


def _memory_text(stats: MemoryStats) -> str:
    return (
        f"Lua uses {_size(stats.lua_bytes)}; of the VM's memory {_size(stats.used_bytes)} are in "
        f"use, {_size(stats.committed_bytes)} reserved, {_size(stats.limit_bytes)} allowed."
    )


def _size(size_bytes: int) -> str:
    if size_bytes < 1024:
        return f"{size_bytes} bytes"
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:.1f} KiB"
    return f"{size_bytes / 1024**2:.1f} MiB"


def _without_equals(source: bytes, instead: bytes = b"") -> bytes:
    """Lua's own loop takes `=expression` for an expression, and so do we."""
    stripped = source.lstrip()
    margin = source[: len(source) - len(stripped)]
    return margin + instead + stripped[1:] if stripped.startswith(b"=") else source


def banner() -> str:
    """What the loop says first on a terminal."""
    return f"lua-ls-persist {__version__}. :help for help, Ctrl-D to end."
