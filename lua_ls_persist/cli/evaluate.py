"""`lua-ls-persist eval`: one evaluation, its output as it is printed, its values, its problems."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.parameters import SessionOptions
from lua_ls_persist.cli.running import Run, run
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.jsonable import evaluation_to_json
from lua_ls_persist.model import Evaluation


@dataclass(frozen=True, slots=True)
class Input:
    """What to evaluate."""

    source: bytes
    name: str
    """The chunk's name, as Lua itself calls it in messages."""
    folders: tuple[Path, ...]
    """Where `require` looks."""

    @classmethod
    def of(cls, file: str | None, code: str | None) -> Input:
        """What the command line gave: a file or code, not both."""
        if file is None and code is not None:
            return cls.of_code(code)
        if file is not None and code is None:
            return cls.of_file(file)
        raise click.UsageError("Give one of FILE, - for standard input, or -e CODE.")

    @classmethod
    def of_code(cls, code: str) -> Input:
        """The code of `-e`."""
        return cls(code.encode("utf-8", "surrogateescape"), "(command line)", (Path.cwd(),))

    @classmethod
    def of_file(cls, file: str) -> Input:
        """A file, or standard input for `-`. Modules are looked for here and beside the file."""
        if file == "-":
            return cls(sys.stdin.buffer.read(), "stdin", (Path.cwd(),))
        path = Path(file)
        try:
            source = path.read_bytes()
        except OSError as error:
            raise click.UsageError(f"Cannot read {file}: {error.strerror or error}.") from error
        here, beside = Path.cwd(), path.absolute().parent
        return cls(source, file, (here,) if here == beside else (here, beside))


def evaluate(given: Input, options: SessionOptions, as_json: bool) -> int:
    """Evaluates the input and shows what comes of it; gives the exit status."""
    from lua_ls_persist.session import Session

    terminal = Terminal()
    with Session.open(options.db, folders=given.folders, **options.arguments()) as session:
        terminal.note(session.read_only)
        outcome = run(
            session,
            given.source,
            name=given.name,
            on_output=None if as_json else terminal.live,
            unwanted=lambda: terminal.broken,
        )
    return show_run(outcome, terminal, as_json=as_json)


def show_run(outcome: Run, terminal: Terminal, *, as_json: bool) -> int:
    """Shows what came of an evaluation; gives the exit status."""
    terminal.check()
    if as_json:
        data = json.dumps(evaluation_to_json(outcome.evaluation), ensure_ascii=False)
        terminal.write_utf8(f"{data}\n")
    else:
        _show(outcome.evaluation, terminal)
    if outcome.interrupted:
        return exits.INTERRUPTED
    if terminal.broken:
        return exits.BROKEN_PIPE
    return exits.SUCCESS if outcome.evaluation.ok else exits.PROBLEM


def _show(evaluation: Evaluation, terminal: Terminal) -> None:
    if evaluation.values:
        terminal.end_line()
        terminal.write(f"{evaluation.text}\n")
    if terminal.broken:
        return  # the reader has gone: the interrupt that followed is no news
    for problem in evaluation.problems:
        terminal.problem(problem)
