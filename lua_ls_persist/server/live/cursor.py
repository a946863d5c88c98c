"""What somebody is typing: the token at a position, and where in a call and in tables it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.lexer import (
    END,
    LONG_STRING,
    NAME,
    NUMBER,
    STRING,
    TOKEN,
    string_value,
)
from lua_ls_persist.server.positions import Position, Range

TOKENS_MAX = 5000
"""A call with more before the place is data, not a question."""

_SKIPPED = re.compile(r"[ \t\n\r\f\v]+|--(?:\[(=*)\[(?:[\s\S]*?\]\1\]|[\s\S]*)|[^\n]*)")

Kind = Literal["name", "string", "long string", "comment", "number", "other"]


@dataclass(frozen=True, slots=True)
class Typed:
    """The token that ends at or around a position."""

    kind: Kind
    start: int
    """Where it begins; of a string, its content. For `other` the position itself."""
    offset: int
    """The position."""
    text: str
    """What stands between the two."""
    before: str = ""
    """The token before it, if it is a keyword, a name or an operator."""
    quote: str = ""
    """Of a string."""
    end: int = 0
    """Where it ends; of a string its content, so far as it goes."""
    closed: bool = False
    """Whether the string has a closing quote."""


def typed_at(scopes: Scopes, position: Position) -> Typed:
    """What is being typed at a position. Looks at the innermost statement only."""
    source = scopes.chunk.source
    offset = scopes.offset(position)
    at = _start_of(scopes, offset)
    before = ""
    while True:
        match = TOKEN.match(source, at)
        if match is None or match.lastindex is None:
            return Typed("other", offset, offset, "", before)
        start, end = match.span(match.lastindex)
        if offset <= start:
            if _in_comment(source, at, start, offset):
                return Typed("comment", offset, offset, "", before)
            # At the beginning of a token nothing of it is typed yet.
            return Typed("other", offset, offset, "", before)
        token = source[start:end]
        if offset <= end:
            found = _typed(match.lastindex, token, start, offset, before)
            if found is not None:
                return found
            return Typed("other", offset, offset, "", token)
        before, at = token, end


def _typed(kind: int, token: str, start: int, offset: int, before: str) -> Typed | None:
    if kind == NAME:  # or a keyword
        return Typed("name", start, offset, token[: offset - start], before, end=start + len(token))
    if kind == NUMBER:
        return Typed("number", start, offset, token[: offset - start], before)
    if kind == STRING:
        closed = len(token) > 1 and token[-1] == token[0] and not _is_escaped(token)
        if closed and offset == start + len(token):
            return None
        end = start + len(token) - closed
        text = token[1 : offset - start]
        return Typed("string", start + 1, offset, text, before, token[0], end, closed)
    if kind == LONG_STRING:
        if token.endswith("]") and offset == start + len(token):
            return None
        return Typed("long string", start, offset, "", before)
    return None


def _is_escaped(token: str) -> bool:
    slashes = len(token[:-1]) - len(token[:-1].rstrip("\\"))
    return slashes % 2 == 1


def _start_of(scopes: Scopes, offset: int) -> int:
    """Where the innermost statement around a place begins that began before it."""
    for base, statement in scopes.around(offset):
        if statement.kind == "chunk":
            return 0
        if base < offset:
            return base
    return 0


def _in_comment(source: str, at: int, end: int, offset: int) -> bool:
    while at < end:
        match = _SKIPPED.match(source, at)
        if match is None:
            return False
        if match[0].startswith("--"):
            is_long = match[1] is not None
            inside = match.start() + 1 < offset < match.end() or (
                offset == match.end() and not (is_long and match[0].endswith("]"))
            )
            if inside:
                return True
        at = match.end()
    return False


@dataclass(frozen=True, slots=True)
class InTable:
    """Where in a table constructor a place is: by the keys from the outermost table on.

    A name for `name = value`, a number for an element of the list part.
    """

    keys: tuple[str | int, ...]
    is_value: bool
    """Whether the innermost key is a name, and its value is being typed."""


class _Frame:
    """A table, or brackets, that is open at the place."""

    __slots__ = ("index", "is_table", "key", "tokens")

    def __init__(self, *, is_table: bool) -> None:
        self.is_table = is_table
        self.index = 1
        self.key: str | None = None
        self.tokens: list[str] = []
        """What the field that is being read begins with."""

    def read(self, text: str, kind: int) -> None:
        """Takes the next token at this level."""
        if text in (",", ";"):
            self.index += self.key is None
            self.key = None
            self.tokens.clear()
        elif text == "=" and self.key is None and len(self.tokens) == 1:
            self.key = self.tokens[0]
        elif len(self.tokens) < 2:
            self.tokens.append(string_value(text) if kind == STRING else text)


def in_table(scopes: Scopes, position: Position, within: Range) -> InTable:
    """Where in the tables of a call's arguments a place is; no keys where it is in none."""
    source = scopes.chunk.source
    offset, at = scopes.offset(position), scopes.offset(within.start)
    frames: list[_Frame] = []
    for _ in range(TOKENS_MAX):
        match = TOKEN.match(source, at)
        if match is None or match.lastindex is None or match.end() > offset:
            break
        kind, text = match.lastindex, match[match.lastindex]
        unclosed = kind == STRING and match.end() == offset and text[-1:] != text[:1]
        if (match.end() == offset and (kind == NAME or unclosed)) or kind == END:
            break
        at = match.end()
        if text in ("{", "(", "["):
            frames.append(_Frame(is_table=text == "{"))
        elif text in ("}", ")", "]"):
            closed = frames.pop() if frames else None
            if frames and text == "]" and closed is not None:
                frames[-1].tokens = closed.tokens[:1]
        elif frames:
            frames[-1].read(text, kind)
    tables = [frame for frame in frames if frame.is_table]
    keys = tuple(frame.index if frame.key is None else frame.key for frame in tables)
    return InTable(keys, bool(tables) and tables[-1].key is not None)
