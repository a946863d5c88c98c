"""The commands of the server: one typed registry for dispatch, advertisement, lenses and docs.

Owns `Command`, the parameters' types and their check. Every command takes one JSON object. Must not
know LSP types: positions stay as the client counts them until a document is there to convert them
with. How each type of parameter is read stands in `parameters`.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_type_hints

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.documents import ClientRange
from lua_ls_persist.server.parameters import (
    UNITS_MAX,
    ClientPosition,
    CommandError,
    json_type,
    param,
    read,
    short,
)

__all__ = [
    "PREFIX",
    "UNITS_MAX",
    "ClientPosition",
    "Command",
    "CommandError",
    "DocumentParams",
    "NoParams",
    "OptionalDocumentParams",
    "PositionParams",
    "RangeParams",
    "Registry",
    "param",
    "parse_params",
]

PREFIX = "lua-persist."


@dataclass(frozen=True, slots=True)
class NoParams:
    """For commands about the session."""


@dataclass(frozen=True, slots=True)
class DocumentParams:
    """A document: open, or a file."""

    uri: str = param("the document: open, or a file")


@dataclass(frozen=True, slots=True)
class OptionalDocumentParams:
    """A document, or all of them."""

    uri: str | None = param("the document; otherwise all of them, or the first folder", None)


@dataclass(frozen=True, slots=True)
class RangeParams:
    """A part of a document."""

    uri: str = param("the document: open, or a file")
    range: ClientRange = param("the part")


@dataclass(frozen=True, slots=True)
class PositionParams:
    """A place in a document."""

    uri: str = param("the document: open, or a file")
    position: ClientPosition = param("the place")


P = TypeVar("P")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Command(Generic[S, P]):
    """One command: `handler(server, params)` gives plain JSON data."""

    id: str
    title: str
    params: type[P]
    handler: Callable[[S, P], Awaitable[Json]]
    result: str = ""
    """The shape of what it returns, for people: `{previous, path}`."""

    def described(self) -> dict[str, Json]:
        """All of this as data: for clients that make forms, and for the documentation."""
        types = _types_of(self.params)
        fields = dataclasses.fields(self.params)  # type: ignore[arg-type]
        return {
            "id": self.id,
            "name": self.id.removeprefix(PREFIX),
            "title": self.title,
            "doc": " ".join((inspect.getdoc(self.handler) or "").split()),
            "parameters": [_described(field, types[field.name]) for field in fields],
            "result": self.result,
        }

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
    """All commands by id, in order; the module of some is loaded when one of them is asked for."""

    def __init__(self) -> None:
        self._modules: dict[str, str | None] = {}
        """Which module adds a command by itself, of all commands that there are."""
        self._commands: dict[str, Command[S, Any]] = {}

    def __iter__(self) -> Iterator[Command[S, Any]]:
        return map(self.get, tuple(self._modules))

    def __contains__(self, id_: object) -> bool:
        return id_ in self._modules

    @property
    def ids(self) -> tuple[str, ...]:
        """Those of all commands; nothing is loaded for it."""
        return tuple(self._modules)

    def get(self, id_: str) -> Command[S, Any]:
        """The command of that id.

        Raises:
            CommandError: there is none.
        """
        if id_ not in self._modules:
            raise CommandError(f"unknown command {id_!r}; there are {', '.join(self._modules)}")
        module = self._modules[id_]
        if id_ not in self._commands and module is not None:
            importlib.import_module(module)
        return self._commands[id_]

    def load(self) -> None:
        """Loads what has not been asked for yet. May run on any thread."""
        for module in filter(None, self._modules.values()):
            importlib.import_module(module)

    def expect(self, module: str, names: Sequence[str]) -> None:
        """Registers that a module adds these commands when it is imported, and no others."""
        for name in names:
            assert PREFIX + name not in self._modules
            self._modules[PREFIX + name] = module

    def add(
        self,
        name: str,
        title: str,
        params: type[P],
        handler: Callable[[S, P], Awaitable[Json]],
        result: str = "",
    ) -> Command[S, P]:
        """Registers the command `lua-persist.<name>`; `result` is the shape of what it returns."""
        command = Command(PREFIX + name, title, params, handler, result)
        assert command.id not in self._commands
        module = handler.__module__
        expected = self._modules.setdefault(command.id, None)
        assert expected == (module if module in self._modules.values() else None)
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
        raise CommandError(f"takes {_shape(fields)} as its argument, not {short(data)}")
    unknown = [str(key) for key in data if key not in fields]
    if unknown:
        raise CommandError(f"unknown field `{unknown[0]}`; it takes {_shape(fields)}")
    types = _types_of(params)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if data.get(name) is not None or (name in data and field.metadata.get("takes_null")):
            values[name] = read(data[name], name, types[name], field.metadata)
        elif field.default is dataclasses.MISSING:
            raise CommandError(f"`{name}` is missing; it takes {_shape(fields)}")
    return params(**values)


_TYPES: dict[type[Any], Mapping[str, Any]] = {}


def _types_of(params: type[Any]) -> Mapping[str, Any]:
    """The types of the fields of a parameter class; they are compiled from texts, once."""
    if params not in _TYPES:
        _TYPES[params] = get_type_hints(params)
    return _TYPES[params]


def _shape(fields: Mapping[str, dataclasses.Field[Any]]) -> str:
    if not fields:
        return "an empty object"
    names = [
        name if field.default is dataclasses.MISSING else f"{name}?"
        for name, field in fields.items()
    ]
    return f"an object {{{', '.join(names)}}}"


def _described(field: dataclasses.Field[Any], hint: Any) -> dict[str, Json]:
    required = field.default is dataclasses.MISSING
    data: dict[str, Json] = {
        "name": field.name,
        "type": json_type(hint, field.metadata),
        "required": required,
        "doc": field.metadata.get("doc", ""),
    }
    if not required and isinstance(field.default, (bool, int, float, str)):
        data["default"] = field.default
    if field.metadata.get("choices"):
        data["choices"] = list(field.metadata["choices"])
    return data
