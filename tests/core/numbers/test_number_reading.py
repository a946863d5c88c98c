"""Numbers from text: the core's strtod and lexer against Python's."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence

from lua_ls_persist.session import Session
from tests.core.numbers.values import (
    COUNT,
    any_float,
    check_same,
    distance,
    floats_of,
    integer_values,
    lines,
    texts_of,
)


def decimal_texts(rng: random.Random, count: int) -> list[str]:
    """Decimals with a point or an exponent, so that they are floats: short, exact, too long."""

    def digits(most: int) -> str:
        return "".join(rng.choices("0123456789", k=rng.randint(1, most)))

    makers: list[Callable[[], str]] = [
        lambda: repr(any_float(rng)),
        lambda: f"{any_float(rng):.17e}",
        lambda: f"{any_float(rng):.30e}",
        lambda: f"{digits(40)}.{digits(40)}e{rng.randint(-340, 320)}",
        lambda: f"{digits(5)}.{digits(5)}",
        lambda: f".{digits(25)}E{rng.choice('+-')}{rng.randint(0, 330)}",
        lambda: f"{digits(30)}.",
        # Halfway between two floats, where rounding hangs on the last of many digits.
        lambda: f"{rng.getrandbits(53) * 2 + 1}{'0' * rng.randint(0, 40)}.0e-{rng.randint(0, 40)}",
    ]
    texts = [rng.choice(makers)() for _ in range(count)]
    return [text if set(text) & set(".eE") else f"{text}.0" for text in texts]


def hexadecimal_texts(rng: random.Random, count: int) -> list[str]:
    def digits(most: int) -> str:
        return "".join(rng.choices("0123456789abcdefABCDEF", k=rng.randint(1, most)))

    makers: list[Callable[[], str]] = [
        lambda: any_float(rng).hex(),
        lambda: f"0x{digits(16)}.{digits(16)}p{rng.randint(-1100, 1000)}",
        lambda: f"0X{digits(30)}P{rng.choice('+-')}{rng.randint(0, 900)}",
        lambda: f"0x.{digits(30)}",
        lambda: f"0x{digits(6)}.",
    ]
    return [rng.choice(makers)() for _ in range(count)]


def python_hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def without_tiny_differences(got: Sequence[float], expected: Sequence[float]) -> list[float]:
    """What was got, but as expected where a subnormal is one unit off.

    musl misrounds hexadecimals of more than eight digits whose value has 31 bits as a subnormal.
    """

    def is_near(a: float, b: float) -> bool:
        return abs(b) < sys.float_info.min and distance(a, b) <= 1

    pairs = list(zip(got, expected, strict=True))
    assert sum(a != b and is_near(a, b) for a, b in pairs) <= len(pairs) // 10_000
    return [b if is_near(a, b) else a for a, b in pairs]


def test_tonumber_of_decimals(session: Session, rng: random.Random) -> None:
    texts = decimal_texts(rng, COUNT)
    got = floats_of(session, lines("xs", texts), "tonumber(x)")
    check_same(texts, got, [float(text) for text in texts])


def test_tonumber_of_hexadecimals(session: Session, rng: random.Random) -> None:
    texts = hexadecimal_texts(rng, COUNT)
    got = floats_of(session, lines("xs", texts), "tonumber(x)")
    expected = [python_hexadecimal(text) for text in texts]
    check_same(texts, without_tiny_differences(got, expected), expected)


def test_numbers_in_source(session: Session, rng: random.Random) -> None:
    decimals = [text.removeprefix("-") for text in decimal_texts(rng, COUNT)]
    hexadecimals = [text.removeprefix("-") for text in hexadecimal_texts(rng, COUNT)]
    texts = [*decimals, *hexadecimals]
    got = floats_of(session, f"local xs = {{{','.join(texts)}}}", "x")
    expected = [float(text) for text in decimals]
    check_same(decimals, got[: len(decimals)], expected)
    expected = [python_hexadecimal(text) for text in hexadecimals]
    got = without_tiny_differences(got[len(decimals) :], expected)
    check_same(hexadecimals, got, expected)


def test_reading_integers(session: Session, rng: random.Random) -> None:
    """Decimals beyond 64 bits are floats; hexadecimals wrap around."""
    decimals = [str(value) for value in integer_values(rng, COUNT // 2)]
    decimals += [str(rng.getrandbits(90)) for _ in range(1000)]
    hexadecimals = [f"0x{rng.getrandbits(rng.randint(1, 90)):x}" for _ in range(COUNT // 2)]
    texts = [*decimals, *hexadecimals]
    got = texts_of(
        session, lines("xs", texts), "string.format('%s %q', math.type(tonumber(x)), tonumber(x))"
    )
    expected = []
    for text in decimals:
        value = int(text)
        if -(2**63) <= value < 2**63:
            expected.append(f"integer {value if value != -(2**63) else '0x8000000000000000'}")
        else:
            expected.append(f"float {float(value).hex()}")
    for text in hexadecimals:
        value = int(text, 16) & (2**64 - 1)
        value -= 2**64 if value >= 2**63 else 0
        expected.append(f"integer {value if value != -(2**63) else '0x8000000000000000'}")

    def normal(text: str) -> str:
        kind, number = text.split(" ")
        return f"{kind} {float.fromhex(number).hex()}" if kind == "float" else text

    check_same(texts, [normal(text) for text in got], expected)


NOT_NUMBERS = [
    "", " ", "-", "+", ".", "e5", ".e1", "1e", "1e+", "1e5.0", "0x", "0xp1", "0x.p1", "0x1p", "1 2",
    "1_000", "inf", "nan", "infinity", "0b1", "0o7", "1f", "1.5L", "--1", "- 1", "0x1.8p1.5",
    "1e1e1", "\u0661", "1,5", "x10", "0xg", "1\0", "1e0x1",
]  # fmt: skip


def test_what_is_no_number(session: Session) -> None:
    for text in NOT_NUMBERS:
        (value,) = session.evaluate("return tonumber(...)", arguments=[text]).values
        assert value is None, text


def test_spaces_around_numbers(session: Session) -> None:
    for text in [" 10 ", "\t\n10\r", "\v10\f", " 0xA", "0xa  ", " 1e1"]:
        (value,) = session.evaluate("return tonumber(...)", arguments=[text]).values
        assert value == 10, text


def test_tonumber_with_a_base(session: Session, rng: random.Random) -> None:
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
    cases = []
    for _ in range(10_000):
        base = rng.randint(2, 36)
        size = rng.randint(1, int(62 / math.log2(base)))
        cases.append((base, "".join(rng.choices(alphabet[:base], k=size))))
    source = lines("xs", [f"{base} {text}" for base, text in cases])
    got = texts_of(
        session, source, "(function(b, t) return tonumber(t, b) .. '' end)(x:match('(%d+) (%w+)'))"
    )
    check_same(cases, got, [str(int(text, base)) for base, text in cases])
