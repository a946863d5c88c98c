"""The commands of the server: one typed registry for dispatch, advertisement, lenses and docs.

Owns `Command`, the parameters' types and their check. Every command takes one JSON object. Must not
know LSP types: positions stay as the client counts them until a document is there to convert them
with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.documents import ClientRange

PREFIX = "lua-persist."
UNITS_MAX = 2**31 - 1
"""LSP's largest row and character."""


class CommandError(LuaPersistError):
    """The command cannot do what was asked; the message says why and what to give instead."""


@dataclass(frozen=True, slots=True)
class ClientPosition:
    """A position as the client counts it."""

    row: int
    units: int


@dataclass(frozen=True, slots=True)
class NoParams:
    """For commands about the session."""


@dataclass(frozen=True, slots=True)
class DocumentParams:
    """A document: open, or a file."""

    uri: str


@dataclass(frozen=True, slots=True)
class OptionalDocumentParams:
    """A document, or all of them."""

    uri: str | None = None


@dataclass(frozen=True, slots=True)
class RangeParams:
    """A part of a document."""

    uri: str
    range: ClientRange


@dataclass(frozen=True, slots=True)
class PositionParams:
    """A place in a document."""

    uri: str
    position: ClientPosition


P = TypeVar("P")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Command(Generic[S, P]):
    """One command: `handler(server, params)` gives plain JSON data."""

    id: str
    title: str
    params: type[P]
    handler: Callable[[S, P], Awaitable[Json]]

    def parse(self, arguments: Sequence[Any] | None) -> P:
        """The parameters from the arguments of a `workspace/executeCommand` request.

        Raises:
            CommandError: naming what is wrong with them.
        """
        try:
            return parse_params(self.params, arguments)
        except CommandError as error:
            raise CommandError(f"{self.id}: {error}") from error


class Registry(Generic[S]):
    """All commands by id."""

    def __init__(self) -> None:
        self._commands: dict[str, Command[S, Any]] = {}

    def __iter__(self) -> Iterator[Command[S, Any]]:
        return iter(self._commands.values())

    def get(self, id_: str) -> Command[S, Any]:
        """The command of that id.

        Raises:
            CommandError: there is none.
        """
        command = self._commands.get(id_)
        if command is None:
            raise CommandError(f"unknown command {id_!r}; there are {', '.join(self._commands)}")
        return command

    def add(
        self, name: str, title: str, params: type[P], handler: Callable[[S, P], Awaitable[Json]]
    ) -> Command[S, P]:
        """Registers the command `lua-persist.<name>`."""
        command = Command(PREFIX + name, title, params, handler)
        assert command.id not in self._commands
        self._commands[command.id] = command
        return command


def parse_params(params: type[P], arguments: Sequence[Any] | None) -> P:
    """A parameter object from the arguments of a command: none, or one JSON object.

    Raises:
        CommandError: naming what is wrong with them.
    """
    fields = {field.name: field for field in dataclasses.fields(params)}  # type: ignore[arg-type]
    arguments = list(arguments or ())
    if len(arguments) > 1:
        raise CommandError(f"takes one argument, {_shape(fields)}, not {len(arguments)}")
    data = arguments[0] if arguments and arguments[0] is not None else {}
    if not isinstance(data, Mapping):
        raise CommandError(f"takes {_shape(fields)} as its argument, not {_short(data)}")
    unknown = [str(key) for key in data if key not in fields]
    if unknown:
        raise CommandError(f"unknown field `{unknown[0]}`; it takes {_shape(fields)}")
    types = get_type_hints(params)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if data.get(name) is not None:
            values[name] = _READERS[types[name]](data[name], name)
        elif field.default is dataclasses.MISSING:
            raise CommandError(f"`{name}` is missing; it takes {_shape(fields)}")
    return params(**values)


def _shape(fields: Mapping[str, dataclasses.Field[Any]]) -> str:
    if not fields:
        return "an empty object"
    names = [
        name if field.default is dataclasses.MISSING else f"{name}?"
        for name, field in fields.items()
    ]
    return f"an object {{{', '.join(names)}}}"


def _string(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise CommandError(f"`{name}` must be a string, not {_short(value)}")
    return value


def _position(value: object, name: str) -> ClientPosition:
    if not isinstance(value, Mapping):
        raise CommandError(f"`{name}` must be {{line, character}}, not {_short(value)}")
    return ClientPosition(
        _count(value.get("line"), f"{name}.line"),
        _count(value.get("character"), f"{name}.character"),
    )


def _range(value: object, name: str) -> ClientRange:
    if not isinstance(value, Mapping):
        raise CommandError(f"`{name}` must be {{start, end}}, not {_short(value)}")
    start = _position(value.get("start"), f"{name}.start")
    end = _position(value.get("end"), f"{name}.end")
    return ClientRange(start.row, start.units, end.row, end.units)


def _count(value: object, name: str) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Some clients write every number as a float.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= UNITS_MAX:
        raise CommandError(f"`{name}` must be a whole number from 0, not {_short(value)}")
    return value


_READERS: dict[Any, Callable[[object, str], Any]] = {
    str: _string,
    str | None: _string,
    ClientPosition: _position,
    ClientRange: _range,
}


def _short(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
