"""The core's libm against the platform's, to within the stated distance."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable

import pytest

from lua_ls_persist.session import Session
from tests.core.numbers.values import (
    MATH_COUNT,
    any_float,
    bits,
    distance,
    evaluate,
    floats,
    floats_of,
)


def signed_overflow(function: Callable[..., float]) -> Callable[..., float]:
    """Python raises where C gives infinity or NaN."""

    def call(*arguments: float) -> float:
        try:
            return function(*arguments)
        except OverflowError:
            return math.copysign(math.inf, arguments[0]) if function is math.sinh else math.inf
        except ValueError:
            return -math.inf if arguments == (0.0,) else math.nan

    return call


Maker = Callable[[random.Random], float]


def spread(low: float, high: float) -> Maker:
    return lambda rng: rng.uniform(low, high)


def positive(rng: random.Random) -> float:
    return abs(any_float(rng))


FUNCTIONS: list[tuple[str, Callable[..., float], tuple[Maker, ...], int]] = [
    ("math.exp(x)", math.exp, (spread(-746, 711),), 1),
    ("math.exp(x)", math.exp, (spread(-1, 1),), 1),
    ("math.log(x)", math.log, (positive,), 1),
    ("math.log(x)", math.log, (spread(0.5, 2),), 1),
    ("math.log(x, 2)", math.log2, (positive,), 1),
    ("math.log(x, 2)", math.log2, (spread(0.5, 2),), 1),
    ("math.log(x, 10)", math.log10, (positive,), 2),
    ("math.log10(x)", math.log10, (spread(0.5, 2),), 2),
    ("math.sin(x)", math.sin, (spread(-10, 10),), 1),
    ("math.cos(x)", math.cos, (spread(-10, 10),), 1),
    ("math.tan(x)", math.tan, (spread(-10, 10),), 1),
    ("math.sin(x)", math.sin, (any_float,), 1),
    ("math.cos(x)", math.cos, (any_float,), 1),
    ("math.tan(x)", math.tan, (any_float,), 1),
    ("math.asin(x)", math.asin, (spread(-1, 1),), 1),
    ("math.acos(x)", math.acos, (spread(-1, 1),), 1),
    ("math.atan(x)", math.atan, (any_float,), 1),
    ("math.atan(x)", math.atan, (spread(-10, 10),), 1),
    ("math.atan(x, y)", math.atan2, (spread(-10, 10), spread(-10, 10)), 1),
    ("math.atan(x, y)", math.atan2, (any_float, any_float), 1),
    ("math.sinh(x)", math.sinh, (spread(-715, 715),), 2),
    ("math.cosh(x)", math.cosh, (spread(-715, 715),), 2),
    ("math.sinh(x)", math.sinh, (spread(-5, 5),), 2),
    ("math.cosh(x)", math.cosh, (spread(-5, 5),), 2),
    ("math.tanh(x)", math.tanh, (spread(-20, 20),), 3),
    ("math.tanh(x)", math.tanh, (spread(-1, 1),), 3),
    ("math.sqrt(x)", math.sqrt, (positive,), 0),
    ("x ^ y", math.pow, (spread(0, 100), spread(-100, 100)), 1),
    ("math.pow(x, y)", math.pow, (positive, spread(-3, 3)), 1),
    ("math.fmod(x, y)", math.fmod, (any_float, any_float), 0),
    ("x % y", lambda x, y: x % y, (any_float, any_float), 0),
    ("x / y", lambda x, y: x / y, (any_float, spread(-1000, 1000)), 0),
    ("x * y", lambda x, y: x * y, (any_float, any_float), 0),
    ("math.floor(x) + 0.0", math.floor, (spread(-1e15, 1e15),), 0),
    ("math.ceil(x) + 0.0", math.ceil, (spread(-1e6, 1e6),), 0),
    ("x // y", lambda x, y: math.floor(x / y), (spread(-1e6, 1e6), spread(-1e3, 1e3)), 0),
]


@pytest.mark.parametrize(
    ("expression", "function", "makers", "ulp_max"),
    FUNCTIONS,
    ids=[f"{index:02d} {function[0]}" for index, function in enumerate(FUNCTIONS)],
)
def test_elementary_functions(
    session: Session,
    rng: random.Random,
    expression: str,
    function: Callable[..., float],
    makers: tuple[Maker, ...],
    ulp_max: int,
) -> None:
    columns = [[maker(rng) for _ in range(MATH_COUNT)] for maker in makers]
    declarations = floats("xs", columns[0])
    if len(columns) > 1:
        declarations += floats("ys", columns[1])
    else:
        declarations += "local ys\n"
    got = floats_of(session, declarations, expression)
    call = signed_overflow(function)
    rows = list(zip(*columns, strict=True))
    wrong = [
        (row, mine, right)
        for row, mine in zip(rows, got, strict=True)
        if distance(mine, right := float(call(*row))) > ulp_max
    ]
    assert not wrong, f"{len(wrong)} are further than {ulp_max} ulp away, e.g. {wrong[:3]}"


SPECIAL_CASES = {
    "0 ^ 0": 1.0,
    "math.log(0)": -math.inf,
    "math.log(0, 2)": -math.inf,
    "math.log(0, 10)": -math.inf,
    "math.log(8, 2)": 3.0,
    "math.log(1000, 10)": 3.0,
    "math.log(1/0)": math.inf,
    "math.exp(1000)": math.inf,
    "math.exp(-1000)": 0.0,
    "math.fmod(5, 1/0)": 5.0,
    "math.fmod(-6.0, 2)": -0.0,
    "math.sqrt(-0.0)": -0.0,
    "math.atan(-0.0, -1)": -math.pi,
    "math.sinh(-1000)": -math.inf,
    "math.tanh(1e308)": 1.0,
    "math.ldexp(1, -1074)": 5e-324,
    "5 // 0.0": math.inf,
    "-5 // 0.0": -math.inf,
    "5 % (1/0)": 5.0,
    "-5 % (1/0)": math.inf,
    "1e308 * 10": math.inf,
    "math.huge // 1": math.inf,
    "math.pi": math.pi,
    "2^53 + 1": 2.0**53,
    "math.log(-1)": math.nan,
    "math.sqrt(-1)": math.nan,
    "math.asin(2)": math.nan,
    "(-8) ^ (1/3)": math.nan,
    "math.sin(1/0)": math.nan,
    "math.fmod(1/0, 1)": math.nan,
    "0/0": math.nan,
}


@pytest.mark.parametrize("expression", SPECIAL_CASES)
def test_special_cases(session: Session, expression: str) -> None:
    (value,) = session.evaluate(expression).values
    assert isinstance(value, float)
    expected = SPECIAL_CASES[expression]
    if math.isnan(expected):
        assert math.isnan(value)
    else:
        assert bits(value) == bits(expected)


def test_random_numbers_are_in_range_and_repeatable(session: Session) -> None:
    source = """
        math.randomseed(42, 7)
        local out = {}
        for i = 1, 10000 do
          local f, d = math.random(), math.random(6)
          assert(f >= 0 and f < 1 and d >= 1 and d <= 6)
          out[i] = string.pack("<dj", f, d)
        end
        return table.concat(out)
    """
    first, second = evaluate(session, source), evaluate(session, source)
    assert first == second
    counts = [0] * 7
    for _, value in struct.iter_unpack("<dq", first):
        counts[value] += 1
    assert all(1400 < count < 1950 for count in counts[1:])
