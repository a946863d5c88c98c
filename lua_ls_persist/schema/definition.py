"""Definitions: trees of plain values, as people write them, into types, and back.

What is wrong with a definition is said with the place: `fields.age.min: expected a number`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema.checker import Checker
from lua_ls_persist.schema.model import KINDS, Field, Kind, Scalar, Tree, Type
from lua_ls_persist.schema.patterns import LuaPattern
from lua_ls_persist.schema.values import bytes_of, decoded, key_text, value_text

DEPTH_MAX: Final = 30
"""How deep types nest."""

_ARRAY, _OPTIONAL = "[]", "?"
_NUMBERS: Final[tuple[Kind, ...]] = ("integer", "number")


def type_of(definition: object) -> Type:
    """The type that the rows of a table have.

    Raises:
        SchemaError: the definition makes no sense; the message names the place.
    """
    found = _type(definition, "", 0)
    if found.optional or found.default is not None:
        raise SchemaError(
            "a row is there or is not: its type cannot be optional, or have a default"
        )
    return found


def _type(definition: object, place: str, depth: int) -> Type:
    if depth > DEPTH_MAX:
        raise _error(place, f"types nest at most {DEPTH_MAX} deep")
    if isinstance(definition, (str, bytes)):
        return _named(_text(definition, place), place)
    if not isinstance(definition, Mapping):
        raise _error(
            place, f'expected a type such as "integer?", or a table, got {_got(definition)}'
        )
    attributes = {}
    for key, value in definition.items():
        name = decoded(key)
        if name not in _READERS:
            known = ", ".join(map(str, _READERS))
            hint = _did_you_mean(name, _READERS)
            raise _error(place, f"there is no attribute {_got(key)}; there are {known}{hint}")
        if value is not None:
            attributes[name] = value
    named = (
        _named(_text(attributes.pop("type"), _at(place, "type")), place)
        if ("type" in attributes)
        else None
    )
    found = named or Type()
    for name, value in attributes.items():
        found = _READERS[name](found, value, _at(place, name), depth)
    return _checked(found, place, is_named=named is not None)


def _did_you_mean(name: object, known: Iterable[object]) -> str:
    """Ends a message with what is written nearly so; with nothing if there is none."""
    # What people write who come from elsewhere begins alike: int, bool, str.
    names = [one for one in known if isinstance(one, str)]
    close = [one for one in names if len(str(name)) > 1 and one.startswith(str(name))]
    close += get_close_matches(str(name), names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _named(text: str, place: str) -> Type:
    """`string`, `integer?`, `string[]`, `number[]?`."""
    name = text
    optional = name.endswith(_OPTIONAL)
    name = name.removesuffix(_OPTIONAL)
    if name.endswith(_ARRAY):
        element = _named(name.removesuffix(_ARRAY), place)
        return Type("table", optional, array=element)
    if name not in KINDS:
        hint = _did_you_mean(name, KINDS)
        raise _error(place, f'there is no type "{text}"; there are {", ".join(KINDS)}{hint}')
    return Type(name, optional)


# The attributes.


def _number(value: object, place: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _error(place, f"expected a number, got {_got(value)}")
    return value


def _size(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _error(place, f"expected a length in bytes, got {_got(value)}")
    return value


def _read_fields(found: Type, value: object, place: str, depth: int) -> Type:
    if isinstance(value, Sequence) and not value:
        value = {}  # an empty table of Lua may come as either
    if not isinstance(value, Mapping):
        raise _error(place, f"expected a table of types by name, got {_got(value)}")
    fields = []
    for key, definition in value.items():
        name = decoded(key)
        if not isinstance(name, str):
            raise _error(place, f"the name of a field is a string, not {_got(key)}")
        if definition is not None:
            fields.append(Field(name, _type(definition, _at(place, name), depth + 1)))
    fields.sort(key=lambda field: bytes_of(field.name))
    return replace(_as_table(found), fields=tuple(fields))


def _as_table(found: Type) -> Type:
    return replace(found, kind="table") if found.kind == "any" else found


def _read_array(found: Type, value: object, place: str, depth: int) -> Type:
    return replace(_as_table(found), array=_type(value, place, depth + 1))


def _read_extra(found: Type, value: object, place: str, depth: int) -> Type:
    extra = value if isinstance(value, bool) else _type(value, place, depth + 1)
    if extra in (Type(), Type(optional=True)):
        extra = True
    return replace(_as_table(found), extra=extra)


def _read_enum(found: Type, value: object, place: str, _depth: int) -> Type:
    if not isinstance(value, Sequence) and isinstance(value, Mapping):
        keys = range(1, len(value) + 1)
        value = [value[key] for key in keys] if set(value) == set(keys) else None
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not value:
        raise _error(place, f"expected a list of values, got {_got(value)}")
    return replace(
        found, enum=tuple(_scalar(one, f"{place}[{n}]") for n, one in enumerate(value, 1))
    )


def _scalar(value: object, place: str) -> Scalar:
    if isinstance(value, (str, bytes)):
        return _text(value, place)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and math.isfinite(value):
        return value
    raise _error(place, f"expected a string, a number or a boolean, got {_got(value)}")


def _read_default(found: Type, value: object, place: str, _depth: int) -> Type:
    return replace(found, default=_data(value, place, 0))


def _data(value: object, place: str, depth: int) -> Tree:
    """A tree of data that can be copied."""
    if depth > DEPTH_MAX:
        raise _error(place, f"a default nests at most {DEPTH_MAX} deep")
    if isinstance(value, Mapping):
        keys = {decoded(key) for key in value}
        if keys != set(range(1, len(keys) + 1)) and not all(isinstance(key, str) for key in keys):
            raise _error(place, "a table in a default is a list, or has strings as keys")
        return {
            _scalar(decoded(key), place): _data(item, place + key_text(key), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return {
            number: _data(item, f"{place}[{number}]", depth + 1)
            for number, item in enumerate(value, 1)
        }
    return _scalar(value, place)


def _read_ref(found: Type, value: object, place: str, _depth: int) -> Type:
    ref = _text(value, place)
    if not ref.strip():
        raise _error(place, "expected the path of a table")
    return replace(found, ref=ref)


def _read_flag(found: Type, value: object, place: str, _depth: int) -> Type:
    if not isinstance(value, bool):
        raise _error(place, f"expected true or false, got {_got(value)}")
    return replace(found, optional=found.optional or value)


_READERS: Final[Mapping[object, Callable[[Type, object, str, int], Type]]] = {
    "type": lambda found, _value, _place, _depth: found,
    "optional": _read_flag,
    "min": lambda found, value, place, _depth: replace(found, minimum=_number(value, place)),
    "max": lambda found, value, place, _depth: replace(found, maximum=_number(value, place)),
    "length": lambda found, value, place, _depth: replace(found, length=_size(value, place)),
    "min_length": lambda found, value, place, _depth: replace(
        found, min_length=_size(value, place)
    ),
    "max_length": lambda found, value, place, _depth: replace(
        found, max_length=_size(value, place)
    ),
    "pattern": lambda found, value, place, _depth: replace(found, pattern=_text(value, place)),
    "enum": _read_enum,
    "default": _read_default,
    "ref": _read_ref,
    "array": _read_array,
    "fields": _read_fields,
    "extra": _read_extra,
    "class": lambda found, value, place, _depth: replace(found, class_name=_text(value, place)),
    "description": lambda found, value, place, _depth: replace(
        found, description=_text(value, place)
    ),
}


def _checked(found: Type, place: str, *, is_named: bool) -> Type:
    """The type, if its attributes go together."""
    if found.is_structured and found.kind != "table":
        raise _error(place, f"a {found.kind} has no fields, array or extra")
    if found.array is not None and (found.fields or found.extra is not True):
        raise _error(place, "either array, or fields and extra")
    texts = (found.length, found.min_length, found.max_length, found.pattern)
    if any(text is not None for text in texts):
        found = _of_kind(found, place, ("string",), "length and pattern", is_named=is_named)
    if found.minimum is not None or found.maximum is not None:
        found = _of_kind(found, place, _NUMBERS, "min and max", is_named=is_named)
    for low, high, names in (
        (found.minimum, found.maximum, "min and max"),
        (found.min_length, found.max_length, "min_length and max_length"),
    ):
        if low is not None and high is not None and low > high:
            raise _error(place, f"nothing is between {names}: {low} is more than {high}")
    if found.pattern is not None:
        try:
            LuaPattern(bytes_of(found.pattern))
        except ValueError as error:
            raise _error(_at(place, "pattern"), f"it is no Lua pattern: {error}") from None
    _check_values(found, place)
    return found


def _of_kind(
    found: Type, place: str, kinds: tuple[Kind, ...], what: str, *, is_named: bool
) -> Type:
    if found.kind in kinds:
        return found
    if is_named:
        raise _error(place, f"a {found.kind} has no {what}")
    return replace(found, kind=kinds[-1])


def _check_values(found: Type, place: str) -> None:
    """The enumeration's values and the default are of the type."""
    checker = Checker()
    plain = replace(found, enum=(), default=None, ref=None, optional=False)
    for number, value in enumerate(found.enum, 1):
        for violation in checker.check(plain, value, f"enum[{number}]"):
            raise _error(place, str(violation))
    if found.default is not None:
        plain = replace(plain, enum=found.enum)
        for violation in checker.check(plain, found.default, "default"):
            raise _error(place, str(violation))


# Messages.


def _at(place: str, name: object) -> str:
    return f"{place}{key_text(name)}"


def _error(place: str, message: str) -> SchemaError:
    where = place.removeprefix(".")
    return SchemaError(f"{where}: {message}" if where else message)


def _got(value: object) -> str:
    try:
        return value_text(value)
    except TypeError:
        return f"a Python {type(value).__name__}"


def _text(value: object, place: str) -> str:
    text = decoded(value)
    if not isinstance(text, str):
        raise _error(place, f"expected a string, got {_got(value)}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _error(place, "expected text of UTF-8") from None
    return text


# Back.


def definition_of(found: Type) -> Tree:
    """The definition that gives this type: short where that says it all. JSON can hold it."""
    if found.array is not None and found.array.kind != "any":
        short = definition_of(found.array)
        is_short = isinstance(short, str) and not short.endswith(_OPTIONAL)
        if is_short and _is_plain(replace(found, array=None)):
            return f"{short}{_ARRAY}{_OPTIONAL if found.optional else ''}"
    if _is_plain(found):
        return _kind_text(found)
    is_told = not found.optional and (found.is_structured or found.kind == "any")
    parts: tuple[tuple[str, Tree], ...] = (
        ("type", None if is_told else _kind_text(found)),
        ("min", found.minimum),
        ("max", found.maximum),
        ("length", found.length),
        ("min_length", found.min_length),
        ("max_length", found.max_length),
        ("pattern", found.pattern),
        ("enum", list(found.enum) or None),
        ("default", _jsonable(found.default)),
        ("ref", found.ref),
        ("class", found.class_name or None),
        ("description", found.description or None),
    )
    tree: dict[Tree, Tree] = {name: value for name, value in parts if value is not None}
    if found.array is not None:
        tree["array"] = definition_of(found.array)
    if found.fields:
        tree["fields"] = {field.name: definition_of(field.type) for field in found.fields}
    if found.extra is not True:
        tree["extra"] = definition_of(found.extra) if isinstance(found.extra, Type) else False
    return tree


def _kind_text(found: Type) -> str:
    return f"{found.kind}{_OPTIONAL if found.optional else ''}"


def _is_plain(found: Type) -> bool:
    return found == Type(found.kind, found.optional)


def _jsonable(tree: Tree) -> Tree:
    """A default with lists where they are lists: JSON has no other keys than strings."""
    if not isinstance(tree, Mapping):
        return tree
    if tree and set(tree) == set(range(1, len(tree) + 1)):
        return [_jsonable(tree[number]) for number in range(1, len(tree) + 1)]
    return {key: _jsonable(value) for key, value in tree.items()}
