"""Numbers and strings that are easily lost, each set and looked at from every side."""

from __future__ import annotations

from tests.persistence.ways import Place

BITS = """
local function bits(x)
  if math.type(x) ~= "float" then return type(x) end
  return (("<d"):pack(x):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end
local function float(bits)
  return (("<d"):unpack((bits:gsub("..", function(c) return string.char(tonumber(c, 16)) end))))
end
"""

FLOAT_BITS = [
    0x0000000000000001,  # the smallest subnormal
    0x000FFFFFFFFFFFFF,  # the greatest
    0x0010000000000000,  # the smallest normal number
    0x7FEFFFFFFFFFFFFF,  # the greatest
    0x7FF0000000000000,  # infinities
    0xFFF0000000000000,
    0x8000000000000000,  # -0.0
    0x3FF0000000000000,  # 1.0
    0x4340000000000000,  # 2^53
    0x43E0000000000000,  # 2^63, which no integer is
    0xC3E0000000000000,  # -2^63, which one is
    0x3FB999999999999A,  # 0.1
]

NAN_BITS = [
    0x7FF8000000000000,
    0xFFF8000000000000,
    0x7FF8000000000001,
    0xFFFFFFFFFFFFFFFF,
    0x7FFFFFFFFFFFFFFF,
    0xFFF8DEADBEEF0001,
]


def test_bits_of_floats(place: Place) -> None:
    """Signalling NaNs are left out: arithmetic on the way may make quiet ones of them."""
    expected = " ".join(bits.to_bytes(8, "little").hex() for bits in FLOAT_BITS + NAN_BITS)
    place.run(
        f"""
        {BITS}
        Memory.values, Memory.functions = {{}}, {{}}
        for word in ("{expected}"):gmatch("%S+") do
          local v = float(word)
          Memory.values[#Memory.values + 1] = v
          Memory.functions[#Memory.functions + 1] = function() return v end
        end
        """
    )
    for _ in range(2):
        place.move()
        for what in ("Memory.values[i]", "Memory.functions[i]()"):
            look = f"local t = {{}} for i = 1, #Memory.values do t[i] = bits({what}) end "
            assert place.run(f"{BITS} {look} return table.concat(t, ' ')") == (expected,)


def test_float_keys(place: Place) -> None:
    """All but NaN can be keys; those that an integer equals are that integer."""
    place.check(
        """
        Memory.t = {}
        for i, key in ipairs { 0.5, -0.0, 1.0, 2^53, 2^53 + 2, -2^63, 2^63, 1/0, -1/0, 5e-324 } do
          Memory.t[key] = i
        end
        """,
        "local t = Memory.t local kinds = {} for k in pairs(t) do kinds[math.type(k)] = "
        "(kinds[math.type(k)] or 0) + 1 end "
        "return kinds.integer, kinds.float, t[0], t[1], t[1 << 53], t[math.mininteger], t[2^63], "
        "t[math.huge], t[-math.huge], t[5e-324], t[0.5]",
        "5, 5, 2, 3, 4, 6, 7, 8, 9, 10, 1",
        "5, 5, 2, 3, 4, 6, 7, 8, 9, 10, 1",
    )


def test_keys_that_look_alike(place: Place) -> None:
    program = "Memory.t = { [1] = 'i', ['1'] = 's', [1.5] = 'f', ['1.5'] = 'fs', [true] = 'b', "
    program += "['true'] = 'bs', [''] = 'e', ['\\0'] = 'z', ['\\0\\0'] = 'zz', ['\\xff'] = 'x' }"
    look = "local t, n = Memory.t, 0 for _ in next, t do n = n + 1 end return n, t[1], t['1'], "
    look += (
        "t[1.5], t['1.5'], t[true], t['true'], t[''], t['\\0'], t['\\0\\0'], t['\\xff'], t[false]"
    )
    expected = '10, "i", "s", "f", "fs", "b", "bs", "e", "z", "zz", "x", nil'
    place.check(program, look, *[expected.replace("\n", " ")] * 2)


def test_integers_at_the_ends(place: Place) -> None:
    place.check(
        "Memory.t = {} for _, i in ipairs { math.mininteger, math.maxinteger, -1, 0, 1 << 53, "
        "(1 << 53) + 1 } do Memory.t[i] = i end",
        "local n = 0 for k, v in pairs(Memory.t) do assert(k == v and math.type(k) == 'integer' "
        "and math.type(v) == 'integer') n = n + 1 end return n",
        "6",
        "6",
    )


def test_strings_of_every_length_around_the_limits(place: Place) -> None:
    """Short strings stand once in a batch, long ones go alone, longer ones in pieces."""
    lengths = [0, 1, 39, 40, 41, 4095, 4096, 4097, 32767, 32768, 65535, 65536, 65537, 200_000]
    place.check(
        f"""
        Memory.t, Memory.keys = {{}}, {{}}
        for i, n in ipairs {{ {", ".join(map(str, lengths))} }} do
          local s = ("%05d "):format(n):rep(n // 6 + 1):sub(1, n)
          Memory.t[n], Memory.keys[s] = s, n
        end
        """,
        """
        local n = 0
        for length, s in pairs(Memory.t) do
          assert(#s == length and s == ("%05d "):format(length):rep(length // 6 + 1):sub(1, length))
          assert(Memory.keys[s] == length)
          n = n + 1
        end
        for s, length in pairs(Memory.keys) do assert(#s == length) n = n + 1 end
        return n
        """,
        str(2 * len(lengths)),
        str(2 * len(lengths)),
    )
