"""How options are written on the command line, and the ones that several commands share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])

_UNIT_BYTES = {
    "": 1,
    "b": 1,
    **{name: 1024**power for power, name in enumerate("kmg", 1)},
    **{f"{name}ib": 1024**power for power, name in enumerate("kmg", 1)},
    **{f"{name}b": 1000**power for power, name in enumerate("kmg", 1)},
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE | re.ASCII)
PORT_MAX = 65535


class SessionArguments(TypedDict, total=False):
    """Arguments of `Session.open` that were given; the session knows its own defaults."""

    memory_limit_bytes: int
    time_limit_s: float | None
    output_limit_bytes: int
    keep_error_effects: bool
    history_limit_evaluations: int
    history_limit_bytes: int


class LuaFile(click.Path):
    """A file of Lua source, or - for standard input."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            # People try code in its place; that seldom is the name of a file.
            self.fail(f"{error.message} Give code with -e.", param, ctx)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the shared options said. None: the option was not given."""

    db: Path | None = None
    memory_limit_bytes: int | None = None
    time_limit_s: float | None = None
    """Infinite for no limit."""
    output_limit_bytes: int | None = None
    keep_error_effects: bool = False
    history_limit_evaluations: int | None = None
    history_limit_bytes: int | None = None

    def arguments(self) -> SessionArguments:
        """The keyword arguments for `Session.open`."""
        arguments = SessionArguments(keep_error_effects=self.keep_error_effects)
        if self.memory_limit_bytes is not None:
            arguments["memory_limit_bytes"] = self.memory_limit_bytes
        if self.time_limit_s is not None:
            arguments["time_limit_s"] = None if math.isinf(self.time_limit_s) else self.time_limit_s
        if self.output_limit_bytes is not None:
            arguments["output_limit_bytes"] = self.output_limit_bytes
        if self.history_limit_evaluations is not None:
            arguments["history_limit_evaluations"] = self.history_limit_evaluations
        if self.history_limit_bytes is not None:
            arguments["history_limit_bytes"] = self.history_limit_bytes
        return arguments


def size_bytes(text: str) -> int:
    """A size: `2097152`, `2MiB`, `64M` (both binary), `64MB` (decimal)."""
    match = _SIZE.fullmatch(text.strip())
    unit = _UNIT_BYTES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise click.BadParameter(f"{text!r} is not a size. Write bytes, or a size such as 2MiB.")
    return int(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit


def seconds(text: str) -> float:
    """A duration of more than zero seconds, or infinity for `none`."""
    if text.strip().lower() == "none":
        return math.inf
    try:
        duration_s = float(text)
    except ValueError:
        duration_s = math.nan
    if not 0 < duration_s < math.inf:
        raise click.BadParameter(f"{text!r} is not a number of seconds above 0, or none.")
    return duration_s


def address(text: str) -> tuple[str, int]:
    """Where to listen: `127.0.0.1:8137`, `[::1]:8137`, or a port alone, on this machine only."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise click.BadParameter(f"{text!r} is ambiguous. Write an IPv6 host as [::1]:8137.")
    if not (port.isascii() and port.isdigit() and int(port) <= PORT_MAX):
        raise click.BadParameter(f"{text!r} is not an address. Write one as 127.0.0.1:8137.")
    return host or "127.0.0.1", int(port)


def session_options(command: Command) -> Command:
    """Adds the options about the session to a command, which takes them as one `SessionOptions`."""
    return _with_options(command, _DB_OR_MEMORY)


def stored_session_options(command: Command) -> Command:
    """The same for commands about what is stored: without a path it is the folder's session."""
    return _with_options(command, _DB_OF_FOLDER)


def _with_options(command: Command, db_option: Callable[[Any], Any]) -> Command:

    def collected(
        *arguments: Any,
        db: Path | None,
        memory_limit: int | None,
        time_limit: float | None,
        output_limit: int,
        keep_error_effects: bool,
        history_limit: int | None,
        history_limit_bytes: int | None,
        **others: Any,
    ) -> object:
        options = SessionOptions(
            db,
            memory_limit,
            time_limit,
            output_limit,
            keep_error_effects,
            history_limit,
            history_limit_bytes,
        )
        return command(*arguments, session=options, **others)

    collected.__name__ = command.__name__
    collected.__doc__ = command.__doc__
    decorated: Any = collected
    for option in reversed((db_option, *_SESSION_OPTIONS)):
        decorated = option(decorated)
    result: Command = decorated
    return result


def _db_option(default: str) -> Callable[[Any], Any]:
    return click.option(
        "--db", metavar="PATH", type=click.Path(path_type=Path), help=f"The session's file{default}"
    )


_DB_OR_MEMORY = _db_option(", created if there is none. Without it, all is kept in memory.")
_DB_OF_FOLDER = _db_option(". Default: the one of the current folder.")
_SESSION_OPTIONS = (
    click.option(
        "--memory-limit",
        metavar="BYTES",
        type=size_bytes,
        help="Cap of the VM's memory, such as 2MiB. Default: 256MiB.",
    ),
    click.option(
        "--time-limit",
        metavar="SECONDS",
        type=seconds,
        help="Time for one evaluation, or none. Default: 10.",
    ),
    click.option(
        "--output-limit",
        metavar="BYTES",
        type=size_bytes,
        default="64MiB",
        show_default=True,
        help="The most that one evaluation may print.",
    ),
    click.option(
        "--keep-error-effects",
        is_flag=True,
        help="Keep what a failed evaluation did before its error, instead of undoing it.",
    ),
    click.option(
        "--history-limit",
        metavar="COUNT",
        type=click.IntRange(min=0),
        help="So many of the newest evaluations can be undone; 0: none. Default: 1000.",
    ),
    click.option(
        "--history-limit-bytes",
        metavar="BYTES",
        type=size_bytes,
        help="What the history may take in the file, roughly, such as 8MiB. Default: 64MiB.",
    ),
)
