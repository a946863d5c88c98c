r"""Lua literals as people type them into a cell: `"text"`, `-1.5e3`, `{1, name = "x"}`, `nil`.

Nothing is evaluated: names, calls and operators are refused, except a minus sign and the names by
which values without a literal of their own are shown (`math.huge`, `math.mininteger`, `0/0`). So
what `pretty` writes of plain data can be read again.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, NoReturn

from lua_ls_persist.errors import SessionError
from lua_ls_persist.wire import Encodable, text_or_bytes

DEPTH_MAX: Final = 100
TEXT_LENGTH_MAX: Final = 1_000_000

_SPACE: Final = re.compile(r"(?:[ \t\r\n\f\v]|--\[(=*)\[.*?\]\1\]|--(?!\[=*\[)[^\n]*)*", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HEX: Final = re.compile(
    r"0[xX](?P<whole>[0-9a-fA-F]*)(?:\.(?P<part>[0-9a-fA-F]*))?(?:[pP](?P<power>[+-]?\d+))?",
    re.ASCII,
)
_DECIMAL: Final = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONG: Final = re.compile(r"\[(=*)\[\n?")
_SPECIAL: Final[tuple[tuple[re.Pattern[str], float | int], ...]] = (
    (re.compile(r"math\.huge\b"), math.inf),
    (re.compile(r"math\.mininteger\b"), -(2**63)),
    (re.compile(r"math\.maxinteger\b"), 2**63 - 1),
    (re.compile(r"\(?-?\(?0/0\)?\)?"), math.nan),
    (re.compile(r"1/0"), math.inf),
)
_ESCAPES: Final = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34,
                   "'": 39, "\n": 10}  # fmt: skip
_WORDS: Final = {"nil": None, "true": True, "false": False}


def parse_literal(text: str, what: str = "value") -> Encodable:
    """The value that a literal stands for; tables become lists and dicts.

    Args:
        text: the literal; spaces and comments around it make no difference.
        what: what the text is, for messages.

    Raises:
        SessionError: it is none; the message names the place.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise SessionError(f"{what}: a literal has at most {TEXT_LENGTH_MAX} characters")
    reader = _Reader(text, what)
    value = reader.value(0)
    reader.end()
    return value


def parse_key(text: str) -> Encodable:
    """As `parse_literal`, of what can be the key of a row.

    Raises:
        SessionError: it is no literal, or a table or nil.
    """
    key = parse_literal(text, "key")
    if key is None or isinstance(key, (list, dict)):
        given = "nil" if key is None else "a table"
        raise SessionError(f"key: expected text, a number or a boolean, got {given}")
    return key


class _Reader:
    def __init__(self, text: str, what: str) -> None:
        self._text = text
        self._what = what
        self._at = 0
        self._skip()

    def value(self, depth: int) -> Encodable:
        """The value that begins here."""
        if depth > DEPTH_MAX:
            self._fail(f"tables nested at most {DEPTH_MAX} deep")
        character = self._peek()
        if character == "{":
            return self._table(depth)
        if character in ("'", '"'):
            return self._short_string(character)
        if _LONG.match(self._text, self._at):
            return self._long_string()
        special = self._special()
        if special is not None:
            return special
        if character == "-":
            self._advance(1)
            number = self._special()
            if number is None:
                number = self._number()
            return -number if isinstance(number, float) else _wrapped(-number)
        name = _NAME.match(self._text, self._at)
        if name is not None and name[0] in _WORDS:
            self._advance(len(name[0]))
            return _WORDS[name[0]]
        return self._number()

    def end(self) -> None:
        """Nothing follows."""
        if self._at < len(self._text):
            self._fail("nothing more")

    def _special(self) -> float | int | None:
        for pattern, number in _SPECIAL:
            found = pattern.match(self._text, self._at)
            if found is not None:
                self._advance(len(found[0]))
                return number
        return None

    def _number(self) -> float | int:
        found = _HEX.match(self._text, self._at)
        if found is not None and (found["whole"] or found["part"]):
            self._advance(len(found[0]))
            return _hexadecimal(found)
        found = _DECIMAL.match(self._text, self._at)
        if found is None:
            self._fail('a number, "text", true, false, nil or a table {...}')
        end = found.end()
        if _NAME.match(self._text, end):
            self._fail("a number")
        self._advance(len(found[0]))
        if found[0].isdigit() and int(found[0]) < 2**63:
            return int(found[0])
        return float(found[0])

    def _short_string(self, quote: str) -> str | bytes:
        text, at = self._text, self._at + 1
        content = bytearray()
        while text[at : at + 1] != quote:
            character = text[at : at + 1]
            if character in ("", "\n"):
                self._at = at
                self._fail(f"{quote} at the end of the string")
            if character == "\\":
                at = self._escape(at + 1, content)
            else:
                content += character.encode("utf-8", "surrogatepass")
                at += 1
        self._at = at
        self._advance(1)
        return text_or_bytes(bytes(content))

    def _escape(self, at: int, content: bytearray) -> int:
        """Appends what an escape stands for; where it ends."""
        text = self._text
        self._at = at
        character = text[at : at + 1]
        if character in _ESCAPES and character:
            content.append(_ESCAPES[character])
            return at + 1
        if character == "z":
            return at + 1 + len(re.match(r"\s*", text[at + 1 :])[0])  # type: ignore[index]
        if character == "x":
            digits = re.match(r"[0-9a-fA-F]{2}", text[at + 1 :])
            if digits is None:
                self._fail("two hexadecimal digits after \\x")
            content.append(int(digits[0], 16))
            return at + 3
        if character == "u":
            code = re.match(r"\{([0-9a-fA-F]+)\}", text[at + 1 :])
            if code is None or int(code[1], 16) > 0x10FFFF:
                self._fail("a code point such as \\u{20AC}")
            content += chr(int(code[1], 16)).encode("utf-8", "surrogatepass")
            return at + 1 + len(code[0])
        number = re.match(r"\d{1,3}", text[at:], re.ASCII)
        if number is None or int(number[0]) > 255:
            self._fail("an escape of Lua such as \\n")
        content.append(int(number[0]))
        return at + len(number[0])

    def _long_string(self) -> str | bytes:
        opening = _LONG.match(self._text, self._at)
        assert opening is not None
        end = self._text.find(f"]{opening[1]}]", opening.end())
        if end < 0:
            self._at = len(self._text)
            self._fail(f"]{opening[1]}] at the end of the string")
        content = self._text[opening.end() : end]
        self._advance(end + len(opening[1]) + 2 - self._at)
        return text_or_bytes(content.encode("utf-8", "surrogatepass"))

    def _table(self, depth: int) -> Encodable:
        self._advance(1)
        listed = 0
        found: dict[Any, Encodable] = {}
        while self._peek() != "}":
            key, is_listed = self._key(depth)
            if is_listed:
                listed += 1
                key = listed
            value = self.value(depth + 1)
            known = [one for one in found if one == key] if key in (0, 1) else []
            if known and isinstance(known[0], bool) is not isinstance(key, bool):
                # Python, which hands them over, takes true for 1.
                self._fail("no table with both true and 1, or false and 0, as keys")
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
            if self._peek() not in (",", ";"):
                break
            self._advance(1)
        if self._peek() != "}":
            self._fail("} or a comma")
        self._advance(1)
        is_list = all(type(key) is int for key in found)
        if found and is_list and list(found) == list(range(1, len(found) + 1)):
            return list(found.values())
        return found

    def _key(self, depth: int) -> tuple[Any, bool]:
        """The key of the next field, and whether it has none of its own."""
        if self._peek() == "[" and not _LONG.match(self._text, self._at):
            self._advance(1)
            start = self._at
            key = self.value(depth + 1)
            if key is None or key != key or isinstance(key, (list, dict)):  # noqa: PLR0124  (a NaN)
                self._at = start
                self._fail("a key that is text, a number or a boolean")
            self._take("]")
            self._take("=")
            if isinstance(key, float) and key.is_integer() and abs(key) < 2**63:
                key = int(key)
            return key, False
        name = _NAME.match(self._text, self._at)
        if name is not None and name[0] not in _WORDS:
            after = _SPACE.match(self._text, name.end())
            assert after is not None
            if self._text[after.end() : after.end() + 1] == "=":
                self._advance(len(name[0]))
                self._take("=")
                return name[0], False
        return None, True

    def _take(self, character: str) -> None:
        if self._peek() != character:
            self._fail(character)
        self._advance(1)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _advance(self, count: int) -> None:
        self._at += count
        self._skip()

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        assert space is not None
        self._at = space.end()

    def _fail(self, expected: str) -> NoReturn:
        rest = self._text[self._at :]
        got = "the end" if not rest else repr(rest if len(rest) <= 20 else f"{rest[:20]}...")
        raise SessionError(
            f"{self._what}: expected {expected} at character {self._at + 1}, got {got}"
        )


def _hexadecimal(found: re.Match[str]) -> float | int:
    whole, part = found["whole"] or "", found["part"] or ""
    if found["part"] is None and found["power"] is None:
        return _wrapped(int(whole, 16))
    number = int(whole + part or "0", 16)
    power = int(found["power"] or 0) - 4 * len(part)
    try:
        return math.ldexp(number, power)
    except OverflowError:
        return math.inf


def _wrapped(number: int) -> int:
    """As Lua's integers wrap around."""
    return (number + 2**63) % 2**64 - 2**63
