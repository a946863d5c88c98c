"""string.pack and string.unpack against Python's struct."""

from __future__ import annotations

import random
import struct

from lua_ls_persist.session import Session

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
