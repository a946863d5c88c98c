"""Numbers as text: the core's printf against Python's."""

from __future__ import annotations

import math
import random
import re

import pytest

from lua_ls_persist.session import Session
from tests.core.numbers.values import (
    COUNT,
    check_same,
    float_values,
    floats,
    integer_values,
    integers,
    texts_of,
)


def lua_tostring(value: float) -> str:
    """`tostring` of a float: `%.14g`, and it must not look like an integer."""
    text = f"{value:.14g}"
    return text if set(text) & set(".eni") else f"{text}.0"


FLOAT_FORMATS = ["%.14g", "%.17g", "%.3f", "%e", "%+.20g", "%#.5g", "%-25.10e|", "%020.6f", "% .0f"]


@pytest.mark.parametrize("form", FLOAT_FORMATS)
def test_float_formats_match_python(session: Session, rng: random.Random, form: str) -> None:
    values = float_values(rng, COUNT)
    # The longest `%f` has 310 digits; Lua's buffer for other conversions has 120 bytes or more.
    got = texts_of(session, floats("xs", values), f"string.format('{form}', x)")
    check_same(values, got, [form % value for value in values])


def test_tostring_of_floats(session: Session, rng: random.Random) -> None:
    values = [*float_values(rng, COUNT), math.inf, -math.inf]
    expected = [lua_tostring(value) for value in values]
    check_same(values, texts_of(session, floats("xs", values), "tostring(x)"), expected)
    check_same(values, texts_of(session, floats("xs", values), "x .. ''"), expected)


def test_hexadecimal_floats(session: Session, rng: random.Random) -> None:
    values = float_values(rng, COUNT)
    got = texts_of(session, floats("xs", values), "string.format('%a', x)")
    assert [float.fromhex(text) for text in got] == values
    normal = re.compile(r"-?0x(0|1(\.[0-9a-f]{0,12}[1-9a-f])?)p[+-]\d+")
    assert not [text for text in got if not normal.fullmatch(text)]


@pytest.mark.parametrize("form", ["%d", "%5d", "%-8d|", "%+d", "%020d", "% d", "%.12d"])
def test_integer_formats_match_python(session: Session, rng: random.Random, form: str) -> None:
    values = integer_values(rng, COUNT)
    got = texts_of(session, integers("xs", values), f"string.format('{form}', x)")
    check_same(values, got, [form % value for value in values])


@pytest.mark.parametrize("form", ["%x", "%X", "%#x", "%o", "%30x", "%.17x"])
def test_unsigned_formats_match_python(session: Session, rng: random.Random, form: str) -> None:
    values = integer_values(rng, COUNT)
    got = texts_of(session, integers("xs", values), f"string.format('{form}', x)")
    expected = [form % (value & (2**64 - 1)) for value in values]
    if form == "%#x":
        # C writes no prefix before a zero, Python does.
        expected = [
            "0" if value == 0 else text for value, text in zip(values, expected, strict=True)
        ]
    check_same(values, got, expected)


def test_tostring_of_integers(session: Session, rng: random.Random) -> None:
    values = integer_values(rng, COUNT)
    expected = [str(value) for value in values]
    check_same(values, texts_of(session, integers("xs", values), "tostring(x)"), expected)
    check_same(values, texts_of(session, integers("xs", values), "x .. ''"), expected)
