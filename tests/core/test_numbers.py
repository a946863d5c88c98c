"""Numbers, dates, UTF-8 and packing: the core's C library against Python's, on random values.

The core brings its own printf, strtod, libm, strftime and calendar. Python's are those of the
platform and of David Gay's dtoa; each is exact where it claims to be, so the two must agree to the
last bit, and the elementary functions to within the stated distance.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from lua_ls_persist.session import Session

SEED = 20240613
COUNT = 100_000
MATH_COUNT = 20_000


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open(memory_limit_bytes=512 * 1024 * 1024, time_limit_s=120.0) as session:
        yield session


@pytest.fixture
def rng() -> random.Random:
    return random.Random(SEED)


# Getting many values into the VM and out again.


def bits(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def from_bits(pattern: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", pattern))[0])


def floats(name: str, values: Sequence[float]) -> str:
    """Lua source that makes a table of exactly these floats, without reading decimals."""
    patterns = ",".join(f"0x{bits(value):x}" for value in values)
    return (
        f"local {name} = {{{patterns}}}\n"
        f"for i = 1, #{name} do\n"
        f"  {name}[i] = string.unpack('<d', string.pack('<i8', {name}[i]))\n"
        "end\n"
    )


def integers(name: str, values: Sequence[int]) -> str:
    """Lua source that makes a table of these integers, without reading decimals."""
    patterns = ",".join(f"0x{value & (2**64 - 1):x}" for value in values)
    return f"local {name} = {{{patterns}}}\n"


def lines(name: str, texts: Sequence[str]) -> str:
    """Lua source that makes a table of these texts."""
    content = "\n".join(texts)
    return (
        f"local {name} = {{}}\n"
        f"for line in string.gmatch([==[\n{content}\n]==], '([^\\n]*)\\n') do\n"
        f"  {name}[#{name} + 1] = line\n"
        "end\n"
    )


def evaluate(session: Session, source: str) -> bytes:
    """The one string that the source returns."""
    evaluation = session.evaluate(source, name="numbers", mode="chunk")
    assert evaluation.ok, evaluation.problems
    (value,) = evaluation.values
    assert isinstance(value, (str, bytes))
    return value.encode() if isinstance(value, str) else value


def texts_of(session: Session, declarations: str, expression: str) -> list[str]:
    """The text of `expression`, with `x` as each of the values of table `xs`."""
    source = f"""{declarations}
        local out = {{}}
        for i = 1, #xs do local x = xs[i]; out[i] = {expression} end
        return table.concat(out, "\\n")
    """
    return evaluate(session, source).decode("latin-1").split("\n")


def floats_of(session: Session, declarations: str, expression: str) -> list[float]:
    """The float that `expression` gives, with `x` and `y` as the values of tables `xs` and `ys`."""
    source = f"""{declarations}
        local out = {{}}
        local ys = ys or {{}}
        for i = 1, #xs do
          local x, y = xs[i], ys[i]
          out[i] = string.pack("<d", {expression})
        end
        return table.concat(out)
    """
    return [value for (value,) in struct.iter_unpack("<d", evaluate(session, source))]


def check_same(values: Sequence[object], got: Sequence[object], expected: Sequence[object]) -> None:
    assert len(got) == len(expected)
    wrong = [
        (value, mine, right)
        for value, mine, right in zip(values, got, expected, strict=True)
        if mine != right
    ]
    assert not wrong, (
        f"{len(wrong)} of {len(values)} differ, e.g. (value, got, expected) {wrong[:5]}"
    )


# Values.


def any_float(rng: random.Random) -> float:
    """Any finite bit pattern: every exponent is as likely, subnormals too."""
    while True:
        value = from_bits(rng.getrandbits(64))
        if math.isfinite(value):
            return value


def neighbour(value: float, steps: int) -> float:
    """The float that is so many floats further from zero."""
    return from_bits(bits(value) + steps) if value else value


def float_values(rng: random.Random, count: int) -> list[float]:
    """Floats that printf and strtod find hard, and those that people write."""
    makers: list[Callable[[], float]] = [
        lambda: any_float(rng),
        lambda: any_float(rng),
        lambda: rng.uniform(-1000, 1000),
        lambda: float(rng.randint(-(10**6), 10**6)),
        lambda: float(rng.randint(-(2**63), 2**63)),
        lambda: round(rng.uniform(-1000, 1000), rng.randint(0, 6)),
        # Subnormal.
        lambda: from_bits(rng.getrandbits(rng.randint(1, 52)) | rng.getrandbits(1) << 63),
        # Beside powers of ten and of two.
        lambda: neighbour(10.0 ** rng.randint(-308, 308), rng.randint(-3, 3)),
        lambda: neighbour(2.0 ** rng.randint(-1060, 1023), rng.randint(-3, 3)),
        # In the middle between two decimals of 14 digits.
        lambda: rng.randint(10**13, 2**53 // 10) / 2.0,
        lambda: rng.randint(-(2**53), 2**53) / 2.0 ** rng.randint(1, 20),
    ]
    special = [
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        sys.float_info.min,
        sys.float_info.max,
        1e15,
        1e16,
        1e100,
    ]
    return special + [rng.choice(makers)() for _ in range(count - len(special))]


def integer_values(rng: random.Random, count: int) -> list[int]:
    special = [0, 1, -1, 9, 10, 99, 100, 2**31, -(2**31), 2**63 - 1, -(2**63), -(2**63) + 1]
    special += [sign * 10**power for power in range(19) for sign in (1, -1)]
    wide = [
        rng.getrandbits(rng.randint(1, 63)) * rng.choice((1, -1))
        for _ in range(count - len(special))
    ]
    return special + wide


# Formatting.


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


# Reading.


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


# Arithmetic.


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


# Elementary functions.


def distance(a: float, b: float) -> float:
    """How many floats lie between two floats, counted in units in the last place."""
    if math.isnan(a) or math.isnan(b):
        return 0 if math.isnan(a) and math.isnan(b) else math.inf

    def order(value: float) -> int:
        pattern = bits(value)
        return pattern if pattern < 2**63 else 2**63 - pattern

    return abs(order(a) - order(b))


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


# Dates.

# Without %c, %x, %X, %p's names: what a locale could change is tested where the locale is "C".
CONVERSIONS = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%"
SECONDS_PER_YEAR = 31_556_952


def date_texts(session: Session, times: Sequence[int], form: str) -> list[str]:
    return texts_of(session, integers("xs", times), f"os.date('{form}', x)")


def test_utc_dates_match_python(session: Session, rng: random.Random) -> None:
    """Each conversion of C99, for years of four digits."""
    first, last = -30_610_224_000, 253_402_300_799  # 1000-01-01 and 9999-12-31
    times = [first, last, 0, -1, 951_782_400, 4_107_542_400]
    times += [rng.randint(first, last) for _ in range(3000)]
    # Around the turn of years, where the weeks of %G, %U, %V and %W begin and end.
    for year in range(1000, 9999, 3):
        turn = int((year - 1970) * SECONDS_PER_YEAR) // 86400 * 86400
        times += [turn + day * 86400 + rng.randint(0, 86399) for day in (-2, 0, 2)]
    times = [value for value in times if first <= value <= last]
    for conversion in CONVERSIONS:
        if conversion in "nt%Z":
            continue
        got = date_texts(session, times, f"!%{conversion}")
        expected = [time.strftime(f"%{conversion}", time.gmtime(value)) for value in times]
        check_same(times, got, expected)


def test_the_other_conversions(session: Session) -> None:
    text = session.evaluate("os.date('!%n|%t|%%|%Ex|%EY|%Od|%OH|%Z', 0)").values
    assert text == ("\n|\t|%|01/01/70|1970|01|00|UTC",)


def test_dates_of_all_times(session: Session, rng: random.Random) -> None:
    """Any year that a C `int` holds, before our era too."""
    bound = 2**31 * SECONDS_PER_YEAR * 0.99
    times = [rng.randint(-int(bound), int(bound)) for _ in range(10_000)]
    times += [rng.randint(-(10**12), 10**12) for _ in range(20_000)]
    source = f"""{integers("xs", times)}
        local out = {{}}
        for i = 1, #xs do
          local d = os.date("!*t", xs[i])
          out[i] = ("%d %d %d %d %d %d %d %d"):format(
            d.year, d.month, d.day, d.hour, d.min, d.sec, d.wday, d.yday)
        end
        return table.concat(out, "\\n")
    """
    got = evaluate(session, source).decode().split("\n")
    expected = []
    for value in times:
        fields = time.gmtime(value)
        numbers = [*fields[:6], (fields.tm_wday + 1) % 7 + 1, fields.tm_yday]
        expected.append(" ".join(map(str, numbers)))
    check_same(times, got, expected)


def test_os_time_normalizes(session: Session, rng: random.Random) -> None:
    """Fields out of range carry over, as in C's mktime. Local time is whatever this machine has."""
    rows = [
        (
            rng.randint(1950, 2080),
            rng.randint(-30, 40),
            rng.randint(-500, 500),
            rng.randint(-100, 100),
            rng.randint(-1000, 1000),
            rng.randint(-100_000, 100_000),
        )
        for _ in range(5000)
    ]
    rows = [row for row in rows if not near_a_change_of_the_clocks(row)]
    texts = [" ".join(map(str, row)) for row in rows]
    assert texts_of(session, lines("xs", texts), OS_TIME) == [str(python_time(row)) for row in rows]


OS_TIME = """(function(...)
    local n = {...}
    for i = 1, 6 do n[i] = math.tointeger(tonumber(n[i])) end
    local t = { year = n[1], month = n[2], day = n[3], hour = n[4], min = n[5], sec = n[6] }
    return tostring(os.time(t))
end)(x:match('(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)'))"""


def python_time(row: Sequence[int]) -> int:
    return int(time.mktime((*row, 0, 0, -1)))  # type: ignore[arg-type]


def near_a_change_of_the_clocks(row: Sequence[int]) -> bool:
    """Whether such a local time may not exist, or exist twice."""
    moment = python_time(row)
    offsets = {time.localtime(moment + hours * 3600).tm_gmtoff for hours in range(-6, 7)}
    return len(offsets) > 1


ZONES = {
    "New York": "EST5EDT,M3.2.0,M11.1.0",
    "Berlin": "CET-1CEST,M3.5.0,M10.5.0/3",
    "Calcutta": "IST-5:30",
    "Lord Howe": "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "Newfoundland": "NST3:30NDT,M3.2.0,M11.1.0",
    "UTC": "UTC0",
}
"""In POSIX notation: needs no zone files."""


@pytest.mark.parametrize("zone", ZONES)
def test_local_time(zone: str) -> None:
    """In a process of its own, for a zone is a process's: runs `compare_local_times` there."""
    code = "from tests.core import test_numbers; test_numbers.compare_local_times()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "TZ": ZONES[zone]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {what: wrong[:5] for what, wrong in report.items()} == {what: [] for what in report}


def compare_local_times() -> None:
    """Print where os.date and os.time differ from Python in this process's time zone."""
    rng = random.Random(SEED)
    times = [rng.randint(0, 2**32) for _ in range(3000)]
    # Each quarter of an hour around both changes of the clocks in 2021.
    for day in range(365):
        noon = 1_609_502_400 + day * 86400
        if time.localtime(noon).tm_gmtoff != time.localtime(noon - 86400).tm_gmtoff:
            times += [noon - 86400 + quarter * 900 for quarter in range(97)]
    form = "%Y-%m-%d %H:%M:%S %j %U %a %z"
    rows = [
        (rng.randint(1971, 2037), rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), 30, 1)
        for _ in range(3000)
    ]
    rows = [row for row in rows if not near_a_change_of_the_clocks(row)]
    with Session.open(time_limit_s=60.0) as session:
        dates = date_texts(session, times, form)
        texts = [" ".join(map(str, row)) for row in rows]
        seconds = texts_of(session, lines("xs", texts), OS_TIME)
        trips = texts_of(session, integers("xs", times), "tostring(os.time(os.date('*t', x)))")
        summers = texts_of(session, integers("xs", times), "tostring(os.date('*t', x).isdst)")
    wrong_dates = [
        (value, got, expected)
        for value, got in zip(times, dates, strict=True)
        if got != (expected := time.strftime(form, time.localtime(value)))
    ]
    wrong_times = [
        (row, got, expected)
        for row, got in zip(rows, seconds, strict=True)
        if got != (expected := str(python_time(row)))
    ]
    wrong_trips = [(a, b) for a, b in zip(times, trips, strict=True) if str(a) != b]
    wrong_summers = [
        value
        for value, got in zip(times, summers, strict=True)
        if got != ("true" if time.localtime(value).tm_isdst else "false")
    ]
    report = {
        "dates": wrong_dates,
        "times": wrong_times,
        "round trips": wrong_trips,
        "isdst": wrong_summers,
    }
    print(json.dumps(report))


def test_clocks(session: Session) -> None:
    before = time.time()
    now, start, later, difference = session.evaluate(
        "local t = os.time(); local c = os.clock(); return t, c, os.clock(), os.difftime(t + 5, t)"
    ).values
    assert isinstance(now, int)
    assert isinstance(start, float)
    assert isinstance(later, float)
    assert int(before) <= now <= time.time()
    assert 0 <= start <= later
    assert difference == 5.0


# UTF-8.


def test_every_code_point(session: Session) -> None:
    """utf8.char, codepoint, len and codes over all of Unicode, without the surrogates."""
    source = """
        local out, n = {}, 0
        for c = 0, 0x10FFFF do
          if c < 0xD800 or c > 0xDFFF then n = n + 1; out[n] = utf8.char(c) end
        end
        local all = table.concat(out)
        assert(utf8.len(all) == n)
        local i = 0
        for _, c in utf8.codes(all) do
          i = i + 1
          assert(out[i] == utf8.char(c) and utf8.codepoint(out[i]) == c)
        end
        assert(i == n)
        return all
    """
    everything = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)
    assert evaluate(session, source) == everything.encode()


def test_len_finds_what_is_not_utf8(session: Session, rng: random.Random) -> None:
    """The same sequences are refused as Python refuses, at the same place."""
    alphabet = [
        "a",
        "\x00",
        "\x7f",
        "\x80",
        "é",
        "\u07ff",
        "\u0800",
        "€",
        "\uffff",
        "😀",
        "\U0010ffff",
    ]
    contents = []
    for _ in range(20_000):
        text = "".join(rng.choices(alphabet, k=rng.randint(0, 8)))
        changed = bytearray(text.encode())
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            if changed:
                changed[rng.randrange(len(changed))] = rng.choice(
                    (0x80, 0xBF, 0xC0, 0xC1, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xFF, rng.getrandbits(8))
                )
        contents.append(bytes(changed))
    source = lines("xs", [content.hex() or "-" for content in contents])
    unhex = "x == '-' and '' or x:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end)"
    got = texts_of(
        session,
        source,
        f"""(function(s)
            local n, at = utf8.len(s)
            return n and "ok " .. n or "bad " .. at
        end)(({unhex}))""",
    )
    expected = []
    for content in contents:
        try:
            expected.append(f"ok {len(content.decode())}")
        except UnicodeDecodeError as error:
            expected.append(f"bad {error.start + 1}")
    check_same(contents, got, expected)


def test_offsets(session: Session, rng: random.Random) -> None:
    text = "".join(rng.choices("aé€😀", k=1000))
    starts = [len(text[:index].encode()) + 1 for index in range(len(text) + 1)]
    source = f"""
        local s = "{text}"
        local out = {{}}
        local n = utf8.len(s)
        for i = 1, n + 1 do
          out[i] = utf8.offset(s, i)
          assert(i > n or utf8.offset(s, i - n - 1) == out[i])
        end
        return table.concat(out, "\\n")
    """
    assert [int(line) for line in evaluate(session, source).split()] == starts


# string.pack.

STRUCT_CODES = {
    "b": "b", "B": "B", "h": "h", "H": "H", "i": "i", "I": "I", "j": "q", "J": "Q",
    "i2": "h", "I2": "H", "i4": "i", "I4": "I", "i8": "q", "I8": "Q", "f": "f", "d": "d", "n": "d",
}  # fmt: skip


def lua_value(value: float | bytes) -> str:
    if isinstance(value, bytes):
        return '"' + "".join(f"\\x{byte:02x}" for byte in value) + '"'
    if isinstance(value, int):
        return f"0x{value & (2**64 - 1):x}"
    return value.hex()


def pack_case(rng: random.Random) -> tuple[str, list[float | bytes], bytes]:
    """A format, values for it, and the bytes that they must become."""
    options: list[str] = []
    values: list[float | bytes] = []
    packed = b""
    for _ in range(rng.randint(1, 6)):
        little = rng.random() < 0.5
        order = "<" if little else ">"
        kind = rng.choice(["number", "number", "wide", "z", "s", "x", "c"])
        if kind == "number":
            option = rng.choice(sorted(STRUCT_CODES))
            code = STRUCT_CODES[option]
            if code in "fd":
                number: float = struct.unpack("<f", struct.pack("<f", rng.uniform(-1e6, 1e6)))[0]
            else:
                size = struct.calcsize(f"<{code}") * 8
                number = rng.getrandbits(size) - (2 ** (size - 1) if code.islower() else 0)
            values.append(number)
            packed += struct.pack(f"{order}{code}", number)
        elif kind == "wide":
            size = rng.randint(1, 16)
            option = f"i{size}"
            width = min(size * 8, 63)
            number = rng.getrandbits(width - 1) * rng.choice((1, -1))
            values.append(number)
            packed += number.to_bytes(size, "little" if little else "big", signed=True)
        elif kind == "x":
            option, packed = "x", packed + b"\0"
        else:
            text = bytes(rng.randint(1, 255) for _ in range(rng.randint(0, 9)))
            values.append(text)
            if kind == "z":
                option, packed = "z", packed + text + b"\0"
            elif kind == "s":
                size = rng.choice((1, 2, 4, 8))
                length = len(text).to_bytes(size, "little" if little else "big")
                option, packed = f"s{size}", packed + length + text
            else:
                option, packed = f"c{len(text) + 3}", packed + text + b"\0\0\0"
        options.append(order + option)
    return "".join(options), values, packed


def test_packing(session: Session, rng: random.Random) -> None:
    cases = [pack_case(rng) for _ in range(5000)]
    calls = []
    for form, values, packed in cases:
        arguments = ", ".join(lua_value(value) for value in values)
        calls.append(f"check('{form}', {lua_value(packed)}{', ' * bool(values)}{arguments})")
    source = """
        local function check(form, packed, ...)
          assert(string.pack(form, ...) == packed, form)
          local got = table.pack(string.unpack(form, packed))
          assert(got[got.n] == #packed + 1 and got.n == select("#", ...) + 1, form)
          for i = 1, got.n - 1 do
            local expected = select(i, ...)
            if type(expected) == "string" then expected = expected:gsub("%z*$", "") end
            local value = got[i]
            if type(value) == "string" then value = value:gsub("%z*$", "") end
            assert(value == expected, form)
          end
        end
    """ + "\n".join(calls)
    evaluation = session.evaluate(source, mode="chunk")
    assert evaluation.ok, evaluation.problems
