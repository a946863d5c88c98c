"""Types and values that Hypothesis makes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lua_ls_persist.schema import Checker, Type, type_of

NAMES = ("a", "b", "name", "end", "first name", "é")
PATTERNS = (
    "^a",
    "b$",
    "^[^@]+@[^@]+$",
    "%d+",
    "[a-z]*x?",
    "(a)%1",
    "%f[%w]%a",
    "%b()",
    "^$",
    ".-z",
)
_STRINGS = st.text('ab@1(z)é\n"\\', max_size=5)
_NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5, 2.0, float("inf"), 1e300]))
SCALARS = st.one_of(st.booleans(), _NUMBERS, _STRINGS, st.just(float("nan")), st.just(2**53 + 1))
_FINITE = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5, 2.0, 2.0**53]))


def values(depth: int = 3) -> st.SearchStrategy[Any]:
    """Trees as a VM can have them; keys that Python takes for the same are not together."""
    keys = st.one_of(st.sampled_from(NAMES), st.integers(1, 3), st.sampled_from([0.5, False]))
    return st.recursive(
        st.one_of(SCALARS, st.none()),
        lambda inner: st.one_of(
            st.dictionaries(keys, inner, max_size=4),
            st.lists(inner.filter(lambda v: v is not None), max_size=3),
        ),
        max_leaves=8,
    )


def _bounds(numbers: st.SearchStrategy[Any], low: str, high: str) -> st.SearchStrategy[Any]:
    both = st.tuples(numbers, numbers).map(
        lambda two: dict(zip((low, high), sorted(two), strict=True))
    )
    return st.one_of(both, numbers.map(lambda n: {low: n}), numbers.map(lambda n: {high: n}))


def definitions(depth: int = 3) -> st.SearchStrategy[Any]:
    """Definitions of types that make sense."""
    kinds = st.sampled_from(["string", "integer", "number", "boolean", "table", "function", "any"])
    optional = st.sampled_from(["", "?"])
    plain = st.builds(lambda kind, mark: kind + mark, kinds, optional)
    numbers = st.builds(
        lambda kind, mark, bounds: {"type": kind + mark, **bounds},
        st.sampled_from(["integer", "number"]), optional, _bounds(_FINITE, "min", "max"),
    )  # fmt: skip
    lengths: st.SearchStrategy[Any] = st.one_of(
        st.just({}),
        _bounds(st.integers(0, 4), "min_length", "max_length"),
        st.integers(0, 3).map(lambda n: {"length": n}),
    )
    strings = st.builds(
        lambda mark, length, pattern: {"type": "string" + mark, **length, **pattern},
        optional, lengths, st.sampled_from([{}, *({"pattern": one} for one in PATTERNS)]),
    )  # fmt: skip
    enums = st.builds(
        lambda values, default: {"enum": values, **({"default": values[0]} if default else {})},
        st.lists(
            st.one_of(_STRINGS, st.integers(-3, 3), st.booleans(), st.just(0.5)),
            min_size=1, max_size=3,
        ),
        st.booleans(),
    )  # fmt: skip
    leaves = st.one_of(plain, numbers, strings, enums)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda one, flag: {"array": one, "optional": flag}, inner, st.booleans()),
            st.builds(
                lambda fields, extra: {"fields": fields, "extra": extra},
                st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
                st.one_of(st.booleans(), inner),
            ),
        ),
        max_leaves=6,
    )


POOL = (
    "",
    "a",
    "ab",
    "abb",
    "a@b",
    "1",
    "a1",
    "z",
    "aa",
    "(a)",
    0,
    1,
    -2,
    3,
    0.5,
    2.0,
    -1.5,
    True,
    False,
)


def conforming(found: Type) -> st.SearchStrategy[Any]:
    """Values of this type, as far as they are easily found."""
    if found.is_structured:
        fields = {
            field.name: conforming(field.type) for field in found.fields if not field.type.optional
        }
        optional = {
            field.name: conforming(field.type) for field in found.fields if field.type.optional
        }
        if found.array is not None:
            return st.lists(conforming(found.array).filter(lambda one: one is not None), max_size=3)
        if isinstance(found.extra, Type):
            optional["extra"] = conforming(found.extra)
        return st.fixed_dictionaries(fields, optional=optional)
    right = [one for one in (*found.enum, *POOL) if Checker().wrong(found, one) is None]
    if found.kind == "table":
        return st.just({"x": 1})
    return st.sampled_from(right) if right else values()


def types() -> st.SearchStrategy[Any]:
    """Types of rows."""
    return definitions().map(_row).map(type_of)


def _row(definition: Any) -> Any:
    """A row is never optional, and has no default."""
    if isinstance(definition, str):
        return definition.removesuffix("?")
    row = {key: value for key, value in definition.items() if key not in ("optional", "default")}
    if "type" in row:
        row["type"] = row["type"].removesuffix("?")
    return row
