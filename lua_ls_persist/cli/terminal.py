"""What goes to the terminal: the program's output as it is printed, values, and problems.

A reader that went away (`| head`) is no error: what is written afterwards goes nowhere, and
`Terminal.broken` says so. A file that cannot take more (`> file` on a full disk) is one.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TextIO

import click

from lua_ls_persist.cli import exits
from lua_ls_persist.jsonable import unicode_text
from lua_ls_persist.model import OutputPiece, Preview, Problem, ProblemKind
from lua_ls_persist.pretty import one_line

STYLES = {"error": {"fg": "red"}, "faint": {"dim": True}, "mark": {"fg": "green"}}
HINTS: dict[ProblemKind, str] = {
    "timeout": "(--time-limit SECONDS allows more time, --time-limit none any time)",
    "memory": "(--memory-limit BYTES allows more memory, such as --memory-limit 1GiB)",
}
"""The next step, where a limit was reached that an option moves."""
ERROR_OBJECT = "(error object is"
"""How the message begins when an error was not told by a string."""
ERROR_OBJECT_WIDTH = 200


class OutputError(click.ClickException):
    """Standard output cannot be written, though somebody reads it."""

    exit_code = exits.TROUBLE

    def __init__(self, error: OSError) -> None:
        super().__init__(f"Standard output cannot be written: {error.strerror or error}.")


class Terminal:
    """Standard output and standard error of this process, with colours where a person looks."""

    def __init__(self) -> None:
        """Takes the streams as they are now."""
        self._out = sys.stdout
        self._err = sys.stderr
        self._line_open = False
        self.broken = False
        """Whether standard output takes no more: its reader went away, or its disk is full."""
        self._failure: OutputError | None = None

    def live(self, piece: OutputPiece) -> None:
        """Shows a piece of the program's output. Called on the VM's thread; never raises."""
        if piece.stream != "stdout":
            self.write_error(piece.text)
            return
        try:
            self.write(piece.text)
        except OutputError as failure:
            self._failure = failure  # told by `check`: here it would look like a bug

    def check(self) -> None:
        """Raises what `live` met, on the thread that may.

        Raises:
            OutputError: standard output could not be written, though somebody reads it.
        """
        if self._failure is not None:
            raise self._failure

    def write(self, text: str, *, style: str | None = None) -> None:
        """Writes to standard output, at once.

        Raises:
            OutputError: it cannot be written, though somebody reads it.
        """
        if self.broken or not text:
            return
        try:
            self._out.write(styled(unicode_text(text), style, self._out))
            self._out.flush()
        except OSError as error:
            self._give_up(error)
        self._line_open = not text.endswith("\n")

    def write_utf8(self, text: str) -> None:
        """Writes data, which is UTF-8 whatever the terminal's encoding is.

        Raises:
            OutputError: it cannot be written, though somebody reads it.
        """
        try:
            self._out.flush()
            self._out.buffer.write(text.encode("utf-8"))
            self._out.buffer.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.broken = True
        # Windows calls a pipe without a reader an invalid argument.
        if not isinstance(error, BrokenPipeError) and error.errno != errno.EINVAL:
            raise OutputError(error) from error

    def lua(self, text: str) -> None:
        """Writes Lua source to standard output, highlighted where a person looks."""
        if not coloured(self._out):
            self.write(text)
            return
        from pygments import highlight
        from pygments.formatters.terminal import TerminalFormatter
        from pygments.lexers import get_lexer_by_name

        lexer = get_lexer_by_name("lua", stripnl=False, ensurenl=False)
        self.write(highlight(text, lexer, TerminalFormatter()))

    def note(self, sentence: str) -> None:
        """Tells something besides the result; nothing if it is empty."""
        if sentence:
            self.write_error(f"{sentence}\n", style="faint")

    def write_error(self, text: str, *, style: str | None = None) -> None:
        """Writes to standard error, at once. If nobody reads that, there is nobody to tell."""
        try:
            self._err.write(styled(unicode_text(text), style, self._err))
            self._err.flush()
        except OSError:
            pass

    def end_line(self) -> None:
        """Ends the line that the program's output left open, if it did."""
        if self._line_open:
            self.write("\n")

    def problem(self, problem: Problem) -> None:
        """Shows a problem as `file:line: message`, with its traceback as Lua writes one."""
        first, *rest = problem_lines(problem)
        self.write_error(f"{first}\n", style="error")
        for line in rest:
            self.write_error(f"{line}\n", style="faint")


def problem_lines(problem: Problem) -> list[str]:
    """The lines that tell a problem: message first, traceback after it."""
    message = str(problem)
    if isinstance(problem.value, Preview) and problem.message.startswith(ERROR_OBJECT):
        shown = one_line(problem.value, width=ERROR_OBJECT_WIDTH)
        message = message.removesuffix(f" {problem.value.text}") + f" {shown}"
    if problem.severity == "warning":
        message = f"warning: {message}"
    lines = [message]
    if problem.traceback:
        lines.append("stack traceback:")
    for frame in problem.traceback:
        place = frame.chunk if frame.line is None else f"{frame.chunk}:{frame.line}"
        lines.append(f"\t{place}: in {frame.function}" if place else f"\t{frame.function}")
    if problem.kind in HINTS:
        lines.append(HINTS[problem.kind])
    return lines


def coloured(stream: TextIO) -> bool:
    """Whether the stream is a terminal that has colours, and NO_COLOR does not forbid them."""
    environment = os.environ
    return stream.isatty() and environment.get("TERM") != "dumb" and not environment.get("NO_COLOR")


def styled(text: str, style: str | None, stream: TextIO) -> str:
    """The text with colours, if the stream may have them."""
    if style is None or not coloured(stream):
        return text
    ending = "\n" if text.endswith("\n") else ""
    return click.style(text.removesuffix("\n"), **STYLES[style]) + ending  # type: ignore[arg-type]
