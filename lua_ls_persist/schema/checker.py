"""Whether values are of a type, and where they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from lua_ls_persist.model import SchemaViolation
from lua_ls_persist.schema.model import Type
from lua_ls_persist.schema.patterns import LuaPattern
from lua_ls_persist.schema.values import (
    LuaFunction,
    LuaTable,
    Permanent,
    bytes_of,
    decoded,
    entries_of,
    equal,
    is_table,
    key_text,
    scalar_text,
    value_text,
)

NO_FIELD: Final = "no such field"
INTEGER_KEY: Final = "integer keys from 1 on"

Refers: TypeAlias = Callable[[str, object], bool]
"""Whether a table, by its path, has this row: by its key, or the row itself."""


class Texts:
    """What violations say was expected, beside the kind; None where there is nothing to expect."""

    def __init__(self, found: Type) -> None:
        self.range = _between(found.minimum, found.maximum, "")
        length = found.length
        self.length = (
            _between(found.min_length, found.max_length, " bytes")
            if length is None
            else f"{length} bytes"
        )
        if self.length is not None:
            self.length = f"a string of {self.length}"
        self.pattern = (
            None if found.pattern is None else f"a string that matches {scalar_text(found.pattern)}"
        )
        listed = ", ".join(scalar_text(value) for value in found.enum)
        self.enum = (f"one of {listed}" if len(found.enum) > 1 else listed) or None
        self.ref = None if found.ref is None else f"a row of {found.ref}"


def _between(low: float | None, high: float | None, unit: str) -> str | None:
    if low is None:
        return None if high is None else f"at most {scalar_text(high)}{unit}"
    if high is None:
        return f"at least {scalar_text(low)}{unit}"
    return f"{scalar_text(low)} to {scalar_text(high)}{unit}"


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> LuaPattern:
    return LuaPattern(bytes_of(pattern))


_ACCEPTED: Final[dict[str, tuple[type, ...]]] = {
    "string": (str, bytes),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "table": (Mapping, list, tuple, LuaTable, Permanent),
    "function": (LuaFunction, Permanent),
}


class Checker:
    """Checks values, given who knows about references."""

    def __init__(self, refers: Refers = lambda _path, _value: True) -> None:
        self._refers = refers

    def check(self, found: Type, value: object, path: str) -> Iterator[SchemaViolation]:
        """All that is wrong with a tree of values, in the order of its keys."""
        expected = self.wrong(found, value)
        if expected is not None:
            yield SchemaViolation(path, expected, value_text(value))
        elif found.is_structured and is_table(value) and not isinstance(value, LuaTable):
            yield from self._check_entries(found, value, path)

    def _check_entries(self, found: Type, table: object, path: str) -> Iterator[SchemaViolation]:
        present: set[object] = set()
        for key, value in entries_of(table):
            name = decoded(key)
            present.add(name)
            below = path + key_text(name)
            inner = self.inner(found, name)
            if isinstance(inner, Type):
                yield from self.check(inner, value, below)
            elif inner is not None:
                yield SchemaViolation(below, inner, value_text(value))
        for field in found.fields:
            if field.name not in present:
                yield from self.check(field.type, None, path + key_text(field.name))

    def inner(self, found: Type, key: object) -> Type | str | None:
        """The type of what stands at a key, or what was expected in its place; None: anything."""
        if found.array is not None:
            is_position = isinstance(key, int) and not isinstance(key, bool) and key >= 1
            return found.array if is_position else INTEGER_KEY
        field = found.field(key) if isinstance(key, str) else None
        if field is not None:
            return field
        if found.extra is True:
            return None
        return found.extra or NO_FIELD

    def wrong(self, found: Type, value: object) -> str | None:
        """What was expected in the place of a value; None if it is right. Looks into no table."""
        if value is None:
            return None if found.may_be_missing else self._expected_of_nothing(found)
        accepted = _ACCEPTED.get(found.kind)
        if accepted is not None and (
            not isinstance(value, accepted) or (isinstance(value, bool) and found.kind != "boolean")
        ):
            return found.kind
        if found.enum and not any(equal(one, value) for one in found.enum):
            return Texts(found).enum
        if isinstance(value, (str, bytes)):
            wrong = _wrong_text(found, value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            wrong = _wrong_number(found, value)
        else:
            wrong = None
        if wrong is not None:
            return wrong
        if found.ref is not None and not self._refers(found.ref, value):
            return Texts(found).ref
        return None

    def _expected_of_nothing(self, found: Type) -> str | None:
        texts = Texts(found)
        return found.kind if found.kind != "any" else texts.enum or texts.ref


def _wrong_text(found: Type, value: str | bytes) -> str | None:
    content = bytes_of(value)
    low = found.min_length if found.length is None else found.length
    high = found.max_length if found.length is None else found.length
    if (low is not None and len(content) < low) or (high is not None and len(content) > high):
        return Texts(found).length
    if found.pattern is not None and not _pattern(found.pattern).found_in(content):
        return Texts(found).pattern
    return None


def _wrong_number(found: Type, value: float) -> str | None:
    low, high = found.minimum, found.maximum
    # Written so that NaN is out of any range.
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        return Texts(found).range
    return None
