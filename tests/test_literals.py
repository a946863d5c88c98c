"""Lua literals: what they stand for, and what is refused where."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.errors import SessionError
from lua_ls_persist.literals import DEPTH_MAX, parse_literal
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.session import Session


def bits(value: Any) -> Any:
    """Equal only if type and bits are."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("<d", value)
    return type(value).__name__, value


@given(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text()
    | st.binary()
)  # fmt: skip
def test_what_is_shown_can_be_typed_again(value: Any) -> None:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        found = parse_literal(scalar_text(value))
        assert (found.encode() if isinstance(found, str) else found) == value
    elif isinstance(value, float):  # shown with 14 digits, as Lua does
        assert scalar_text(parse_literal(scalar_text(value))) == scalar_text(value)  # type: ignore[arg-type]
    else:
        assert bits(parse_literal(scalar_text(value))) == bits(value)


ACCEPTED = [
    "nil", "true", "false", "0", "-0", "-0.0", "0.0", "1e3", ".5", "5.", "-1.5e-3", "0x10",
    "0xA.8p1", "0x.8", "0xffffffffffffffff", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "math.huge", "-math.huge", "math.mininteger", "math.maxinteger",
    "1/0", "-1/0", "1e999", '"a\\n\\t\\\\\\"\\065\\x41\\u{20AC}\\z   b"', "'it\\'s'",
    "[[long\nstring]]", "[==[a]]b]==]", "[[\nfirst]]", '"\\255\\0"', "{}", "{1, 2, 3}",
    "{1, nil, 3}", "{a = 1, ['b c'] = 2; [3] = {4}, 5,}", "{[1.0] = 'x'}", "{[true] = false}",
    "  -- a comment\n 5 --[[ another ]] ", "{ -- one\n 1 }", "{x = nil}", "{end_ = 1}",
    "{{}, {{}}}", "{[1] = 'a', 'b'}",
]  # fmt: skip


SAME = """
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    local one, other = tonumber(a) or 1, tonumber(b) or 1
    return math.type(a) == math.type(b) and a == b and 1 / one == 1 / other
  end
  for key, value in pairs(a) do if not same(value, b[key]) then return false end end
  for key in pairs(b) do if a[key] == nil then return false end end
  return true
end
"""


@pytest.fixture(scope="module")
def lua() -> Any:
    with Session.open() as session:
        yield session


@pytest.mark.parametrize("text", ACCEPTED)
def test_it_stands_for_what_lua_makes_of_it(lua: Session, text: str) -> None:
    evaluation = lua.evaluate(
        f"{SAME} return same((...),\n{text}\n)", arguments=[parse_literal(text)]
    )
    assert evaluation.values == (True,), evaluation.problems


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'value: expected a number, "text", true, false, nil or a table {...} at character 1'),
        ("x", "at character 1, got 'x'"),
        ("os.exit()", "at character 1, got 'os.exit()'"),
        ("1 + 1", "expected nothing more at character 3, got '+ 1'"),
        ("1x", "expected a number at character 1"),
        ("{1 2}", "expected } or a comma at character 4"),
        ("{", "expected a number"),
        ("{[nil] = 1}", "expected a key that is text, a number or a boolean at character 3"),
        ("{[0/0] = 1}", "expected a key that is text, a number or a boolean at character 3"),
        ("{[{}] = 1}", "expected a key"),
        ("{['a'] 1}", "expected = at character 8"),
        ('"open', 'expected " at the end of the string at character 6, got the end'),
        ('"a\nb"', 'expected " at the end'),
        ('"\\q"', "expected an escape of Lua"),
        ('"\\xg"', "expected two hexadecimal digits"),
        ('"\\300"', "expected an escape"),
        ("[[open", "expected ]] at the end of the string"),
        ("--5", "got the end"),
        ("{[true] = 1, [1] = 2}", "no table with both true and 1, or false and 0, as keys"),
        ("function() end", "at character 1"),
        ("- {}", "at character 3"),
        ("{" * (DEPTH_MAX + 2), f"tables nested at most {DEPTH_MAX} deep"),
        ("x" * 1_000_001, "at most 1000000 characters"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(SessionError) as caught:
        parse_literal(text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 200
