"""Every value comes back as it went in: from the caches, from the store, and from an image."""

from __future__ import annotations

import pytest

from tests.session.persistent import Restarted

# What tells two values apart that == does not.
SAME = """
local function bits(v)
  if math.type(v) == "float" then return "float " .. string.pack("<d", v) end
  return math.type(v) or type(v), v
end
function same(a, b)
  local kind, value = bits(a)
  local other_kind, other = bits(b)
  return kind == other_kind and value == other
end
"""
VALUES = [
    "true",
    "false",
    "0",
    "1",
    "-1",
    "math.maxinteger",
    "math.mininteger",
    "2^53 | 0",
    "0.0",
    "-0.0",
    "1.0",
    "0.1",
    "1e308 * 10",
    "-1e308 * 10",
    "0/0",
    "-(0/0)",
    "string.unpack('<d', '\\1\\0\\0\\0\\0\\0\\xf8\\x7f')",
    "string.unpack('<d', '\\1\\0\\0\\0\\0\\0\\0\\0')",
    "math.pi",
    "2^63",
    "-2^63",
    "''",
    "'text'",
    "'nil'",
    "'\\0'",
    "'a\\0b'",
    "'\\xff\\xfe'",
    "'gr\\u{fc}n \\u{1f389}'",
    "'\\u{7fffffff}'",
    "'\\xed\\xa0\\x80'",
    "('x'):rep(1000000)",
    "('\\0\\xff'):rep(100000)",
    "('\\u{1f389}'):rep(50000)",
]
KEYS = [value for value in VALUES if "0/0" not in value and "f8" not in value]
ALL_BYTES = (
    "(function() local t = {} for i = 0, 255 do t[i + 1] = string.char(i) end return t end)()"
)


@pytest.fixture(params=["caches", "the store", "an image"])
def place(request: pytest.FixtureRequest) -> str:
    place: str = request.param
    return place


def gone_through(stored: Restarted, place: str) -> None:
    """Have the session read from there what it reads next."""
    if place == "the store":
        stored.again(resume=False)
    elif place == "an image":
        stored.again(resume=True)
        assert stored.session.resumed
    stored.run(SAME)


@pytest.mark.parametrize("value", VALUES)
def test_a_value(stored: Restarted, place: str, value: str) -> None:
    stored.run(f"Memory.value = {value}")
    gone_through(stored, place)
    assert stored.run(f"same(Memory.value, {value})") == (True,)


@pytest.mark.parametrize("key", KEYS)
def test_a_key(stored: Restarted, place: str, key: str) -> None:
    stored.run(f"Memory[{key}] = 'value'")
    gone_through(stored, place)
    assert stored.run(f"Memory[{key}]") == ("value",)
    (kind,) = stored.run(f"math.type(next({{[{key}] = 1}}))")
    assert stored.run(f"local k = next(Memory) return k == ({key}), math.type(k)") == (True, kind)
    stored.run(f"Memory[{key}] = nil")
    gone_through(stored, place)
    assert stored.run(f"Memory[{key}], next(Memory)") == (None, None)


def test_an_upvalue(stored: Restarted, place: str) -> None:
    for number, value in enumerate(VALUES):
        stored.run(f"local v = {value} Memory[{number}] = function() return v end")
    gone_through(stored, place)
    for number, value in enumerate(VALUES):
        assert stored.run(f"same(Memory[{number}](), {value})") == (True,), value


def test_every_byte(stored: Restarted, place: str) -> None:
    stored.run(f"Memory.bytes = {ALL_BYTES} Memory.all = table.concat(Memory.bytes)")
    stored.run("Memory.keys = {} for i, b in ipairs(Memory.bytes) do Memory.keys[b] = i end")
    gone_through(stored, place)
    look = f"""
    local bytes = {ALL_BYTES}
    for i = 1, 256 do
      assert(Memory.bytes[i] == bytes[i] and Memory.keys[bytes[i]] == i, i)
    end
    return Memory.all == table.concat(bytes)
    """
    assert stored.run(look) == (True,)


def test_a_string_of_10_mb(stored: Restarted) -> None:
    stored.run("Memory.long = ('0123456789'):rep(1 << 20)")
    stored.again(resume=False)
    assert stored.run("#Memory.long, Memory.long == ('0123456789'):rep(1 << 20)") == (
        10 << 20,
        True,
    )
    stored.run("Memory[Memory.long] = 1 Memory.long = nil")
    stored.again(resume=False)
    assert stored.run("#next(Memory), Memory[('0123456789'):rep(1 << 20)]") == (10 << 20, 1)


def test_integers_and_floats_as_keys_are_the_same(stored: Restarted, place: str) -> None:
    stored.run("Memory[1] = 'one' Memory[2.0] = 'two' Memory[2^53] = 'large' Memory['1'] = 'text'")
    gone_through(stored, place)
    assert stored.run("Memory[1.0], Memory[2], Memory[1 << 53], Memory['1']") == (
        "one",
        "two",
        "large",
        "text",
    )
    assert stored.run("local n = 0 for k in pairs(Memory) do n = n + 1 end return n") == (4,)


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("string.format", "string.format"),
        ("print", "print"),
        ("math", "math"),
        ("_G", "_G"),
        ("io.stdout", "io.stdout"),
    ],
)
def test_a_permanent(stored: Restarted, place: str, name: str, expression: str) -> None:
    stored.run(f"Memory.value = {expression} Memory[{expression}] = 'key'")
    gone_through(stored, place)
    assert stored.run(f"Memory.value == {expression}, Memory[{expression}]") == (True, "key")
