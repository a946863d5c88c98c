"""Random values, and the way of many of them into the VM and out again.

The core brings its own printf, strtod, libm, strftime and calendar. Python's are those of the
platform and of David Gay's dtoa; each is exact where it claims to be, so the two must agree to the
last bit, and the elementary functions to within the stated distance.
"""

from __future__ import annotations

import math
import random
import struct
import sys
from collections.abc import Callable, Sequence

from lua_ls_persist.session import Session

SEED = 20240613
COUNT = 100_000
MATH_COUNT = 20_000

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


def distance(a: float, b: float) -> float:
    """How many floats lie between two floats, counted in units in the last place."""
    if math.isnan(a) or math.isnan(b):
        return 0 if math.isnan(a) and math.isnan(b) else math.inf

    def order(value: float) -> int:
        pattern = bits(value)
        return pattern if pattern < 2**63 else 2**63 - pattern

    return abs(order(a) - order(b))
