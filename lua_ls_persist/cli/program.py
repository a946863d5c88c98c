"""The program `lua-ls-persist`: its commands, their options, and the statuses it exits with.

Start-up is kept short: what a command needs is imported when that command runs.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import click

from lua_ls_persist._version import __version__
from lua_ls_persist.cli import (
    changing_commands,
    exits,
    history_commands,
    index_commands,
    query_commands,
    schema_commands,
    stored_commands,
)
from lua_ls_persist.cli.parameters import LuaFile, SessionOptions, address, session_options
from lua_ls_persist.errors import LuaPersistError

PROGRAM = "lua-ls-persist"

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Only what is written can fail so."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program with the arguments, by default the process's; gives its exit status."""
    _open_closed_streams()
    _never_fail_to_encode(sys.stdout, sys.stderr)
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return exits.BROKEN_PIPE
    except OSError as error:
        # A full disk under `> file`, mostly. What files of ours raise was explained before.
        _drop_output()
        place = "Standard output cannot be written: " if error.errno in DISK_FULL else ""
        click.echo(f"{PROGRAM}: {place}{error.strerror if place else error}", err=True)
        return exits.TROUBLE
    return status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        status = program.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except click.ClickException as error:
        error.show()
        return exits.TROUBLE
    except (click.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except LuaPersistError as error:
        click.echo(f"{PROGRAM}: {error}", err=True)
        return exits.TROUBLE
    return status if isinstance(status, int) else exits.SUCCESS


def _open_closed_streams() -> None:
    """Streams that were closed when the program was started (`<&-`, services) lead nowhere."""
    # In this order, for each takes the lowest descriptor that is free: its own. Otherwise the
    # first file that is opened, such as a session's, would be standard output.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


def _never_fail_to_encode(*streams: IO[str]) -> None:
    r"""What a terminal cannot show appears as `\xNN` or `\uNNNN`: no reason to end the program."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Points standard output nowhere, so that the interpreter's last flush does not complain."""
    # Where even that is not possible, the complaint is all that is left to see.
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from lua_ls_persist.examination import lua_version

    click.echo(f"{PROGRAM} {__version__} ({lua_version()})")
    context.exit()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 success, 1 a problem in the Lua program or a check that failed, 2 a "
    "wrong command line, or a file or stream that cannot be used, 130 ended by Ctrl-C, 141 nobody "
    "reads the output any more.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def program() -> None:
    """Live Lua 5.4: evaluate it from a terminal or an editor, in a sandboxed VM."""


@program.command("eval", short_help="Evaluate a Lua file, standard input, or -e CODE.")
@click.argument("file", required=False, type=LuaFile())
@click.option("-e", "code", metavar="CODE", help="Evaluate this code.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole evaluation as a JSON object."
)
@session_options
def eval_command(file: str | None, code: str | None, as_json: bool, session: SessionOptions) -> int:
    """Evaluate FILE, standard input (-), or the CODE of -e: an expression or a chunk.

    What the program prints appears as it is printed, then the values it returns. An error goes to
    standard error as `file:line: message` with a traceback, and undoes what the evaluation did.
    """
    from lua_ls_persist.cli.evaluate import Input, evaluate

    return evaluate(Input.of(file, code), session, as_json)


@program.command("repl", short_help="Type Lua and see what it gives.")
@session_options
def repl_command(session: SessionOptions) -> int:
    """Read Lua from the terminal, evaluate it, print what it gives, and start again.

    Input that is not finished continues on the next line. Tab completes, Ctrl-C interrupts an
    evaluation or clears the input, Ctrl-D ends; :help lists the commands. From a pipe it reads
    without prompts.
    """
    from lua_ls_persist.cli.repl import repl

    return repl(session)


@program.command("serve", short_help="Run the language server.")
@click.option("--stdio", is_flag=True, help="Talk through standard input and output: the default.")
@click.option("--tcp", metavar="HOST:PORT", type=address, help="Listen on this address instead.")
def serve_command(stdio: bool, tcp: tuple[str, int] | None) -> None:
    """Run the language server, for an editor to talk to."""
    if stdio and tcp is not None:
        raise click.UsageError("Give one of --stdio and --tcp.")
    from lua_ls_persist.server import serve

    try:
        serve(tcp=tcp)
    except OSError as error:
        if tcp is None or isinstance(error, BrokenPipeError):
            raise
        raise click.UsageError(
            f"Cannot serve at {tcp[0]}:{tcp[1]}: {error.strerror or error}. Name another address."
        ) from error


for stored_command in (
    *stored_commands.COMMANDS,
    *changing_commands.COMMANDS,
    *query_commands.COMMANDS,
    index_commands.index_group,
    schema_commands.schema_command,
    *history_commands.COMMANDS,
):
    program.add_command(stored_command)


@program.command("doctor", short_help="Show versions and paths, and check that all works.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as a JSON object.")
@click.option(
    "--db",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Check this session's file, too. Default: the one of the current folder, if there is one.",
)
@click.option(
    "--repair",
    metavar="NEW",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what can be read of a damaged session's file to a new one.",
)
def doctor_command(as_json: bool, db: Path | None, repair: Path | None) -> int:
    """Show versions, paths and the state of the cache, and check that the VM does its work.

    The exit status is 1 if a check fails. With --repair nothing is checked: what can still be read
    of the session's file goes to the file NEW, and what is lost is told.
    """
    from lua_ls_persist.cli import doctor

    return doctor.doctor(as_json, db) if repair is None else doctor.mend(db, repair, as_json)
