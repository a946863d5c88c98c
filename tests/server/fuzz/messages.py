"""Parameters of LSP methods at random, well-formed by lsprotocol's types, and broken ones."""

from __future__ import annotations

import collections.abc
import copy
import enum
import types as python_types
from random import Random
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from lsprotocol import types

DEPTH_MAX = 7
TEXTS = ("", "x", "a.b", "Memory", "😀", "\0", "x" * 5000, "../..", "file:///nowhere.lua", "%zz")
NUMBERS = (0, 1, 2, 5, 100, 2**31 - 1, 2**31, -1, 2**53 + 1, 1.5, 1e300)
ANYTHING: tuple[Any, ...] = (None, True, False, *NUMBERS, *TEXTS, [], {}, [[[]]], {"a": {"b": []}})
ENDINGS = frozenset({"initialize", "initialized", "shutdown", "exit", "$/cancelRequest"})

OF_CLIENTS = tuple(
    method
    for method in sorted(types.METHOD_TO_TYPES)
    if types.message_direction(method) != "serverToClient" and method not in ENDINGS
)
"""Methods that a client may send, except those that begin and end."""


def is_request(method: str) -> bool:
    """Whether a method is answered."""
    return types.METHOD_TO_TYPES[method][1] is not None


class Messages:
    """Makes parameters about documents that exist, mostly, and places that exist, sometimes."""

    def __init__(self, random: Random, uris: list[str], commands: list[str]) -> None:
        self._random = random
        self._uris = uris
        self._commands = commands

    def params(self, method: str) -> Any:
        """Well-formed parameters of a method, as far as types go."""
        kind = types.METHOD_TO_TYPES[method][2]
        return None if kind is None else self._value(kind, method, 0)

    def broken(self, params: Any) -> Any:
        """Parameters with something wrong somewhere."""
        params = copy.deepcopy(params)
        places = list(_places(params))
        if not places:
            return self._random.choice(ANYTHING)
        for _ in range(self._random.randint(1, 3)):
            holder, key = self._random.choice(places)
            if isinstance(holder, dict) and self._random.random() < 0.3:
                holder.pop(key, None)
            elif isinstance(holder, dict) or key < len(holder):
                holder[key] = copy.deepcopy(self._random.choice(ANYTHING))
        return params

    def _value(self, kind: Any, name: str, depth: int) -> Any:
        origin = get_origin(kind)
        random = self._random
        if origin in (Union, python_types.UnionType):
            options = [option for option in get_args(kind) if option is not type(None)]
            if len(options) < len(get_args(kind)) and (depth > DEPTH_MAX or random.random() < 0.4):
                return None
            return self._value(random.choice(options), name, depth)
        if origin is Literal:
            return random.choice(get_args(kind))
        if origin in (list, tuple, collections.abc.Sequence):
            inner = get_args(kind)[0]
            count = 0 if depth > DEPTH_MAX else random.randint(0, 3)
            return [self._value(inner, name, depth + 1) for _ in range(count)]
        if origin in (dict, collections.abc.Mapping):
            return {random.choice(TEXTS): random.choice(ANYTHING)}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return random.choice(list(kind)).value
        if attrs.has(kind):
            return self._object(kind, depth)
        return self._scalar(kind, name)

    def _object(self, kind: Any, depth: int) -> dict[str, Any]:
        hints = get_type_hints(kind)
        made = {}
        for field in attrs.fields(kind):
            value = self._value(hints[field.name], field.name, depth + 1)
            if value is not None:
                made[_camel(field.name)] = value
        return made

    def _scalar(self, kind: Any, name: str) -> Any:
        random = self._random
        if "uri" in name:
            return random.choice(self._uris) if random.random() < 0.95 else random.choice(TEXTS)
        if name == "command":
            return random.choice(self._commands)
        if kind is bool:
            return random.random() < 0.5
        if kind is int:
            return random.randint(0, 12) if random.random() < 0.9 else 2**31 - 1
        if kind is float:
            return random.random()
        if kind is str:
            return random.choice(TEXTS)
        return copy.deepcopy(random.choice(ANYTHING))


def _places(value: Any) -> collections.abc.Iterator[tuple[Any, Any]]:
    """All places in a tree that can be replaced: what holds them, and under which key."""
    if not isinstance(value, (dict, list)):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in list(items):
        yield value, key
        yield from _places(below)


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(map(str.capitalize, rest))
