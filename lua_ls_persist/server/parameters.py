"""Parameters of commands: how they are declared, and how each type of them is read from JSON.

A parameter is a field of a dataclass, made by `param`. What does not fit is refused with its name
and with what to give instead. Must not know LSP types.
"""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Union, get_args, get_origin

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server.documents import ClientRange

UNITS_MAX = 2**31 - 1
"""LSP's largest row and character."""
INTEGER_MAX: Final = 2**53
"""Beyond this, clients lose digits."""
DEPTH_MAX: Final = 64
LIST_MAX: Final = 100_000
_HALF: Final = re.compile("[\ud800-\udfff]")


class CommandError(LuaPersistError):
    """The command cannot do what was asked; the message says why and what to give instead."""


@dataclass(frozen=True, slots=True)
class ClientPosition:
    """A position as the client counts it."""

    row: int
    units: int


def param(
    doc: str,
    default: Any = dataclasses.MISSING,
    *,
    at_least: int = 0,
    at_most: int = INTEGER_MAX,
    choices: Sequence[str] = (),
    may_be_empty: bool = False,
    takes_null: bool = False,
) -> Any:
    """A parameter of a command: a field of its dataclass.

    Args:
        doc: what it is, for people.
        default: what it is where it is not given; without one it must be given.
        at_least: the least number.
        at_most: the greatest number.
        choices: the texts that it can be, if these are all.
        may_be_empty: whether a text may have no characters.
        takes_null: whether null is a value, not the same as nothing.
    """
    metadata = {
        "doc": doc,
        "at_least": at_least,
        "at_most": at_most,
        "choices": tuple(choices),
        "may_be_empty": may_be_empty,
        "takes_null": takes_null,
    }
    return dataclasses.field(default=default, metadata=metadata)


Facts = Mapping[str, Any]
_Reader = Callable[[object, str, Facts], Any]


def read(value: object, name: str, hint: Any, facts: Facts) -> Any:
    """The value of a parameter.

    Args:
        value: what the client sent; not null, unless that is a value.
        name: what the parameter is called.
        hint: its type: one of those below, or a union of them; None stands for "not given".
        facts: its further restrictions, see `param`.

    Raises:
        CommandError: it does not fit.
    """
    if value is None or hint is Any:
        return plain(value, name)
    hints = _members(hint)
    if len(hints) == 1:
        return _READERS[hints[0]](value, name, facts)
    for one in hints:
        if _could_be(value, one):
            return _READERS[one](value, name, facts)
    expected = " or ".join(_NAMES[one] for one in hints)
    raise CommandError(f"`{name}` must be {expected}, not {short(value)}")


def json_type(hint: Any, facts: Facts) -> str:
    """What a parameter is in JSON, in a word or two."""
    if hint is Any:
        return "any"
    names = [_JSON_TYPES[one] for one in _members(hint)]
    return " | ".join([*names, *(["null"] if facts.get("takes_null") else [])])


def plain(value: object, name: str, depth: int = 0) -> Any:
    """JSON as it is; whole floats become integers, for some clients write every number so.

    Raises:
        CommandError: it is nested too deeply.
    """
    if depth > DEPTH_MAX:
        raise CommandError(f"`{name}` is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, float) and value.is_integer() and abs(value) <= INTEGER_MAX:
        return int(value)
    if isinstance(value, str):
        _check_characters(value, name)
        return value
    if isinstance(value, Mapping):
        for key in value:
            _check_characters(str(key), name)
        return {str(key): plain(item, name, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, name, depth + 1) for item in value]
    # pygls makes objects of JSON's in some places.
    if hasattr(value, "__dict__"):
        return plain(vars(value), name, depth)
    return value


def short(value: object) -> str:
    """A value for a message."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _members(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(one for one in get_args(hint) if one is not type(None))
    return (hint,)


def _could_be(value: object, hint: Any) -> bool:
    if hint is str:
        return isinstance(value, str)
    if hint is bool:
        return isinstance(value, bool)
    if hint is int:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, (list, tuple)) if hint == list[str] else isinstance(value, Mapping)


def _string(value: object, name: str, facts: Facts) -> str:
    if not isinstance(value, str) or not (value or facts.get("may_be_empty")):
        raise CommandError(f"`{name}` must be a string, not {short(value)}")
    _check_characters(value, name)
    choices = facts.get("choices") or (value,)
    if value not in choices:
        raise CommandError(f"`{name}` must be {_listed(choices)}, not {short(value)}")
    return value


def _listed(choices: Sequence[str]) -> str:
    *firsts, last = choices
    return f"{', '.join(firsts)} or {last}" if firsts else last


def _boolean(value: object, name: str, _facts: Facts) -> bool:
    if not isinstance(value, bool):
        raise CommandError(f"`{name}` must be true or false, not {short(value)}")
    return value


def _integer(value: object, name: str, facts: Facts) -> int:
    least, most = facts.get("at_least", 0), facts.get("at_most", INTEGER_MAX)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Some clients write every number as a float.
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        end = "" if most == INTEGER_MAX else f" to {most}"
        raise CommandError(f"`{name}` must be a whole number from {least}{end}, not {short(value)}")
    return value


def _strings(value: object, name: str, _facts: Facts) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise CommandError(f"`{name}` must be a list of strings, not {short(value)}")
    for one in value:
        _check_characters(one, name)
    return [str(one) for one in value]


def _check_characters(text: str, name: str) -> None:
    """JSON has halves of characters, UTF-8 has not."""
    if not text.isascii() and _HALF.search(text):
        raise CommandError(f"`{name}` has half of a character: {short(text)}")


def _list(value: object, name: str, _facts: Facts) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise CommandError(f"`{name}` must be a list, not {short(value)}")
    if len(value) > LIST_MAX:
        raise CommandError(f"`{name}` must be a list of at most {LIST_MAX} items")
    return [plain(one, name) for one in value]


def _mapping(value: object, name: str, _facts: Facts) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise CommandError(f"`{name}` must be an object, not {short(value)}")
    return {str(key): plain(one, name) for key, one in value.items()}


def _position(value: object, name: str, _facts: Facts) -> ClientPosition:
    if not isinstance(value, Mapping):
        raise CommandError(f"`{name}` must be {{line, character}}, not {short(value)}")
    bounds = {"at_most": UNITS_MAX}
    return ClientPosition(
        _count(value.get("line"), f"{name}.line", bounds),
        _count(value.get("character"), f"{name}.character", bounds),
    )


def _range(value: object, name: str, facts: Facts) -> ClientRange:
    if not isinstance(value, Mapping):
        raise CommandError(f"`{name}` must be {{start, end}}, not {short(value)}")
    start = _position(value.get("start"), f"{name}.start", facts)
    end = _position(value.get("end"), f"{name}.end", facts)
    return ClientRange(start.row, start.units, end.row, end.units)


def _count(value: object, name: str, facts: Facts) -> int:
    try:
        return _integer(value, name, facts)
    except CommandError:
        raise CommandError(f"`{name}` must be a whole number from 0, not {short(value)}") from None


_READERS: dict[Any, _Reader] = {
    str: _string,
    bool: _boolean,
    int: _integer,
    list[str]: _strings,
    list[Any]: _list,
    dict[str, Any]: _mapping,
    ClientPosition: _position,
    ClientRange: _range,
}
_NAMES: dict[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    list[str]: "a list of strings",
    list[Any]: "a list",
    dict[str, Any]: "an object",
    ClientPosition: "{line, character}",
    ClientRange: "{start, end}",
}
_JSON_TYPES: dict[Any, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    list[str]: "string[]",
    list[Any]: "any[]",
    dict[str, Any]: "object",
    ClientPosition: "Position",
    ClientRange: "Range",
}
