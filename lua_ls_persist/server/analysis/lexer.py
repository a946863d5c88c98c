"""The tokens of Lua, as one regular expression that never fails.

Owns the expression and the kinds of token. What is unclosed reaches to the end: a string to that of
its row, a long string or comment to that of the text.
"""

from __future__ import annotations

import re
from typing import Final

KEYWORD: Final = 1
"""Never the number of a group: the parser tells keywords from names itself."""
NAME: Final = 2
NUMBER: Final = 3
STRING: Final = 4
LONG_STRING: Final = 5
OPERATOR: Final = 7
END: Final = 8

_LONG = r"\[(=*)\[(?:[\s\S]*?\]\{0}\]|[\s\S]*)"
_SKIPPED = rf"(?:[ \t\n\r\f\v]+|--(?:{_LONG.format(1)}|[^\n]*))*"
_NUMBER = r"(?:0[xX](?:[pP][+-]?|[0-9A-Fa-f.])*|\.?[0-9](?:[eE][+-]?|[0-9.])*)[A-Za-z0-9_]*"
_QUOTED = r"{0}(?:[^{0}\\\n]|\\z\s*|\\[\s\S])*{0}?"
TOKEN = re.compile(
    _SKIPPED
    + r"(?:([A-Za-z_][A-Za-z0-9_]*)"
    + f"|({_NUMBER})"
    + f"|({_QUOTED.format(chr(34))}|{_QUOTED.format(chr(39))})"
    + f"|({_LONG.format(6)})"
    + r"|(\.\.\.|\.\.|==|~=|<=|>=|//|::|<<|>>|[\s\S])"
    + r"|(\Z))"
)
"""What is skipped, and one token: `lastindex` is its kind and the number of its group."""

COMMENT_OR_STRING = re.compile(
    rf"--(?:{_LONG.format(1)}|[^\n]*)|{_QUOTED.format(chr(34))}|{_QUOTED.format(chr(39))}"
    rf"|{_LONG.format(2)}"
)
"""To look for comments: strings may hold what looks like one."""

KEYWORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "and break do else elseif end false for function goto if in local nil not or repeat return"
        " then true until while",
    )
)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPE = re.compile(r"\\(?:z\s*|x([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f]+)\}|([0-9]{1,3})|([\s\S]))")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LONG_OPENING = re.compile(r"\[=*\[\n?")


def is_identifier(text: str) -> bool:
    """Whether `text` can be the name of a variable."""
    return _IDENTIFIER.match(text) is not None and text not in KEYWORDS


def string_value(token: str) -> str:
    """The content of a string token; bytes beyond ASCII that are no text stay characters."""
    if token.startswith("["):
        opening = _LONG_OPENING.match(token)
        assert opening is not None
        width = opening[0].count("=") + 2
        closed = token.endswith("]" + "=" * (width - 2) + "]") and len(token) >= 2 * width
        return token[opening.end() : len(token) - width if closed else len(token)]
    quote = token[0]
    inner = token[1:-1] if len(token) > 1 and token[-1] == quote else token[1:]
    return _ESCAPE.sub(_unescaped, inner) if "\\" in inner else inner


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal, code_point, decimal, plain = match.groups()
    if hexadecimal is not None:
        return chr(int(hexadecimal, 16))
    if code_point is not None:
        value = int(code_point[:9], 16)
        return chr(value) if value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
    if decimal is not None:
        return chr(int(decimal))
    if plain is not None:
        return _ESCAPED.get(plain, plain)
    return ""
