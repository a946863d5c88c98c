"""Integers, and integers beside floats, against Python's of any size."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable

import pytest

from lua_ls_persist.session import Session
from tests.core.numbers.values import (
    COUNT,
    MATH_COUNT,
    any_float,
    check_same,
    evaluate,
    floats,
    integer_values,
    integers,
    neighbour,
)


def wrap(value: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


INTEGER_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "x + y": lambda x, y: wrap(x + y),
    "x - y": lambda x, y: wrap(x - y),
    "x * y": lambda x, y: wrap(x * y),
    "x // (y | 1)": lambda x, y: wrap(x // (y | 1)),
    "x % (y | 1)": lambda x, y: wrap(x % (y | 1)),
    "x & y": lambda x, y: x & y,
    "x | y": lambda x, y: x | y,
    "x ~ y": lambda x, y: x ^ y,
    "~x": lambda x, y: ~x,
    "-x": lambda x, y: wrap(-x),
    "x << (y & 127)": lambda x, y: wrap(x << (y & 127)),
    "x >> (y & 127)": lambda x, y: wrap((x & (2**64 - 1)) >> (y & 127)),
    "math.abs(x)": lambda x, y: wrap(abs(x)),
    "math.ult(x, y) and 1 or 0": lambda x, y: (x & (2**64 - 1)) < (y & (2**64 - 1)),
    "math.fmod(x, y | 1)": lambda x, y: int(math.copysign(1, x)) * (abs(x) % abs(y | 1)),
}


@pytest.mark.parametrize("expression", INTEGER_OPERATIONS)
def test_integer_arithmetic(session: Session, rng: random.Random, expression: str) -> None:
    xs, ys = integer_values(rng, MATH_COUNT), integer_values(rng, MATH_COUNT)
    rng.shuffle(ys)
    source = f"""{integers("xs", xs)} {integers("ys", ys)}
        local out = {{}}
        for i = 1, #xs do local x, y = xs[i], ys[i]; out[i] = string.pack("<i8", {expression}) end
        return table.concat(out)
    """
    got = [value for (value,) in struct.iter_unpack("<q", evaluate(session, source))]
    operation = INTEGER_OPERATIONS[expression]
    expected = [int(operation(x, y)) for x, y in zip(xs, ys, strict=True)]
    check_same(list(zip(xs, ys, strict=True)), got, expected)


def test_comparing_integers_with_floats_is_exact(session: Session, rng: random.Random) -> None:
    xs = integer_values(rng, COUNT)
    ys = [
        neighbour(float(x), rng.randint(-1, 1)) if rng.random() < 0.7 else any_float(rng)
        for x in xs
    ]
    source = f"""{integers("xs", xs)} {floats("ys", ys)}
        local out = {{}}
        for i = 1, #xs do
          local x, y = xs[i], ys[i]
          local number = (x < y and 1 or 0) + (x <= y and 2 or 0) + (x == y and 4 or 0)
            + (y < x and 8 or 0) + (y <= x and 16 or 0) + (math.tointeger(y) == x and 32 or 0)
          out[i] = string.char(number)
        end
        return table.concat(out)
    """
    got = list(evaluate(session, source))
    expected = [
        (x < y) + 2 * (x <= y) + 4 * (x == y) + 8 * (y < x) + 16 * (y <= x) + 32 * (y == x)
        for x, y in zip(xs, ys, strict=True)
    ]
    check_same(list(zip(xs, ys, strict=True)), got, expected)
