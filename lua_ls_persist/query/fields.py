"""Fields of rows, as people write them: `age`, `address.city`, `tags[1]`, `@key`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

from lua_ls_persist.errors import QueryError
from lua_ls_persist.paths import steps_of
from lua_ls_persist.pretty import is_name, quoted
from lua_ls_persist.query.model import FIELD_LENGTH_MAX, FIELD_STEPS_MAX, Field, Key
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN

KEY: Final = Field("@key", ())
VALUE: Final = Field("@value", ())

_SHOWN_MAX: Final = 60


def parse_field(text: object, place: str = "field") -> Field:
    """The field that a text names; `place` is where the text stands, for the message.

    Raises:
        QueryError: it names none.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise QueryError(f"{place}: the name of a field is text, got bytes") from None
    if not isinstance(text, str):
        raise QueryError(f"{place}: expected the name of a field, got {described(text)}")
    if len(text) > FIELD_LENGTH_MAX:
        raise QueryError(f"{place}: the name of a field has at most {FIELD_LENGTH_MAX} characters")
    if text.startswith("@"):
        for special in (KEY, VALUE):
            if text == special.text:
                return special
        raise QueryError(
            f"{place}: there is no {_shown(text)}; a row has @key and @value. "
            f"A field of that name is {_shown(_bracketed(text))}"
        )
    try:
        return _named(text)
    except QueryError as error:
        raise QueryError(f"{place}: {error}") from None


@lru_cache(maxsize=256)
def _named(text: str) -> Field:
    """The field with these steps. Questions that are asked again name the same few fields."""
    keys = steps_of(text)
    if keys is None:
        raise QueryError(
            f"{_shown(text)} is no field. Write age, address.city or tags[1], "
            f"and other names as {_shown(_bracketed(text))}"
        )
    if len(keys) > FIELD_STEPS_MAX:
        raise QueryError(f"a field has at most {FIELD_STEPS_MAX} steps")
    steps = tuple(map(_key, keys))
    return Field(field_text(steps), steps)


def field_text(steps: tuple[Key, ...]) -> str:
    """The canonical text of the field that these keys lead to."""
    return "".join(map(_step_text, steps)).removeprefix(".")


def _step_text(key: Key) -> str:
    if isinstance(key, str):
        # As JSON writes it: every sort of reader of these texts knows its escapes.
        return f".{key}" if is_name(key) else _bracketed(key)
    if isinstance(key, bool):
        return "[true]" if key else "[false]"
    return f"[{key!r}]"


def described(value: object) -> str:
    """What something that was given instead is, in a word or two."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, (str, bytes)):
        return "a string"
    if isinstance(value, (list, tuple, dict)):
        return "a table"
    return f"a {type(value).__name__}"


def _key(key: Key) -> Key:
    """The key that Lua makes of it: a float with an integer's value is that integer."""
    if isinstance(key, float):
        if key != key:  # noqa: PLR0124  (a NaN)
            raise QueryError("NaN is no key")
        if key.is_integer() and INTEGER_MIN <= key <= INTEGER_MAX:
            return int(key)
    if isinstance(key, int) and not INTEGER_MIN <= key <= INTEGER_MAX:
        raise QueryError(f"{key} is no integer of Lua, which have 64 bits")
    return key


def _bracketed(text: str) -> str:
    return f"[{json.dumps(text, ensure_ascii=False)}]"


def _shown(text: str) -> str:
    if not text.strip():
        return quoted(text)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
